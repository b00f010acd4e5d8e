"""Runs advisor with what only Unix has taken away: modules, functions and flags; and with renames as Windows does them.

    python as_on_windows.py WORD ...

The paths and the loader stay those of this system: this finds what is called without being there, no more.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from typing import Any, NoReturn

MODULES = frozenset({
    "curses", "fcntl", "grp", "nis", "pty", "pwd", "readline", "resource", "spwd", "syslog", "termios", "tty",
})  # fmt: skip
NAMES = {
    os: "chown fchmod fchown fork forkpty getegid geteuid getgid getpgid getuid killpg lchown mkfifo mknod nice setsid "
    "uname O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK",
    select: "epoll poll",
    signal: "pthread_kill pthread_sigmask sigwait SIGHUP SIGKILL SIGQUIT SIG_BLOCK SIG_SETMASK SIG_UNBLOCK",
}


class Missing:
    """A finder that has none of these modules."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name in MODULES:
            raise ImportError(f"No module named {name!r}", name=name)


def take_away() -> None:
    """Everything of the lists, from now on."""
    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # as it decides for itself where the flags are missing
    for name in MODULES & sys.modules.keys():
        del sys.modules[name]
    sys.meta_path.insert(0, Missing)  # type: ignore[arg-type]  # all that the import system asks of it
    for module, names in NAMES.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    rename = os.rename

    def onto_nothing(source: Any, target: Any, **more: Any) -> None:
        if os.path.lexists(target):
            raise FileExistsError(
                17, "Cannot create a file when that file already exists", str(source), None, str(target)
            )
        rename(source, target, **more)

    def refused(*_: object, **__: object) -> NoReturn:
        raise OSError(1314, "A required privilege is not held by the client")

    os.rename, os.symlink = onto_nothing, refused


if __name__ == "__main__":
    take_away()
    from advisor.cli import main

    raise SystemExit(main())
