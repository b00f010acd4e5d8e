"""Locks on files and folders that end with the process. Where the system has none, no run notices another one."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock  # type: ignore[attr-defined,unused-ignore]  # not on Windows
except ImportError:
    HERE = False
else:
    HERE = True

if TYPE_CHECKING:
    from pathlib import Path


def take(path: Path, flags: int = 0, *, shared: bool = False) -> int | None:
    """A descriptor that holds the lock as long as it is open; None if another process has it.

    `flags` are added to those of the opening. Raises OSError where there are no locks, or the path cannot be opened.
    """
    _check()
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | flags)
    try:
        flock(descriptor, (LOCK_SH if shared else LOCK_EX) | LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def wait_for(descriptor: int) -> None:
    """Lock what is open, once everybody else has let go of it. Raises OSError where there are no locks."""
    _check()
    flock(descriptor, LOCK_EX)


def _check() -> None:
    if not HERE:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
