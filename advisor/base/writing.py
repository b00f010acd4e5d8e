"""Write a text file completely or not at all, and never overwrite another file by accident."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from advisor.base.errors import OutputError
from advisor.base.text import visible


def write_text(
    path: Path, text: str, *, sync: bool = True, mode: int | None = None, before: Callable[[Path], None] | None = None
) -> None:
    """Write the file and keep its permissions (or set `mode`); a link stays a link. Raises OSError and changes nothing.

    `before` is called with the new file before it gets its name. `sync` waits until it is on the disk.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        made.chmod(mode or (path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask))
        if before is not None:
            before(made)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


def copy_of(path: Path) -> Path:
    """Copy a file to FILE.bak (or FILE-2.bak, ...), byte for byte. Raises OSError."""
    copy = free(path.with_name(f"{path.name}.bak"))
    try:
        copy.write_bytes(path.read_bytes())
        copy.chmod(path.stat().st_mode & 0o777)
    except OSError:
        copy.unlink(missing_ok=True)
        raise
    return copy


def free(path: Path) -> Path:
    """The first of orders.yaml, orders-2.yaml, orders-3.yaml, ... that does not exist. Raises OutputError."""
    for number in range(1, 10_000):
        candidate = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        if not os.path.lexists(candidate):
            return candidate
    raise OutputError(f"{visible(path.name)} and 9,998 numbered copies of it exist already; delete some of them")
