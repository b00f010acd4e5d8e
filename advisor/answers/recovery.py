"""The recovery file: every answer is on the disk at once, so that a killed terminal loses nothing.

It is beside the answers file, or in the user's state folder if that is not writable. Its interview locks it until the
process ends: a second interview on the same answers notices the lock and uses a file of its own.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from advisor.base import locks
from advisor.base.text import visible
from advisor.base.writing import write_text

MOST = 9  # interviews at a time on one answers file that have a recovery file each
NO_LOCK = -1  # where files cannot be locked
Found = TypeVar("Found")


def state_folder() -> Path | None:
    """Where the program keeps what belongs to no project; None where there is no home folder."""
    root = os.environ.get("XDG_STATE_HOME")
    with suppress(RuntimeError):
        return (Path(root) if root else Path.home() / ".local" / "state") / "advisor"
    return None


class Recovery:
    """The recovery file of one interview. `others`: another interview on the same answers was seen."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.path: Path | None = None  # of this interview, once it exists
        self.others = False
        self._lock = NO_LOCK
        self._left: list[Path] = []  # places that this interview used until they became unwritable

    def places(self) -> Iterator[Path]:
        """Possible places for the recovery file, the best one first."""
        named: list[Path] = []
        if self.file is not None:
            named.append(self.file.with_name(f".{self.file.name}.recovery"))
        folder = state_folder()
        if folder is not None:
            named.append(folder / (_state_name(self.file) if self.file is not None else "unsaved.yaml"))
        for path in named:
            yield path
            yield from (path.with_name(f"{path.name}-{number}") for number in range(2, MOST + 1))

    def keep(self, text: str) -> str:
        """Write the recovery file; what went wrong in words, or ""."""
        wrong = ""
        for path in [*([self.path] if self.path else []), *self.places()]:
            try:
                if path != self.path:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    if os.path.lexists(path):  # it belongs to another interview, running or not
                        self.others = self.others or (path not in self._left and _locked(path))
                        continue
                self._write(path, text)
            except OSError as error:
                wrong = wrong or f"{visible(str(path))}: {error.strerror or error}"
            else:
                return ""
        return wrong or "all names for a recovery file are taken; delete old ones"

    def take(self, read: Callable[[Path], Found | None]) -> Found | None:
        """The newest file of an interview that has ended, read by `read`, or None. It now belongs to this interview."""
        left = [path for path in self.places() if path.is_file() and not path.is_symlink()]
        for path in sorted(left, key=lambda path: -path.stat().st_mtime_ns):
            lock = _lock(path)
            if lock is None:
                self.others = True
                continue
            found = read(path)
            if found is not None:
                self._own(path, lock)
                return found
            if lock != NO_LOCK:
                os.close(lock)
        return None

    def forget(self) -> None:
        """Delete this interview's recovery file."""
        for path in [*self._left, *([self.path] if self.path else [])]:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._left = []
        self._own(None, NO_LOCK)

    def release(self) -> None:
        """Release the file for the next interview."""
        self._own(self.path, NO_LOCK)

    def _own(self, path: Path | None, lock: int) -> None:
        if self._lock != NO_LOCK:
            os.close(self._lock)
        if self.path is not None and path not in (None, self.path):
            self._left.append(self.path)
        self.path, self._lock = path, lock

    def _write(self, path: Path, text: str) -> None:
        """Write the file. It is locked before it gets its name, so that no other run ever sees it unlocked."""
        locks: list[int | None] = []
        write_text(path, text, sync=False, mode=0o600, before=lambda made: locks.append(_lock(made)))
        self._own(path, NO_LOCK if locks[0] is None else locks[0])


def _state_name(file: Path) -> str:
    digest = hashlib.sha256(str(file.absolute()).encode(errors="surrogateescape")).hexdigest()
    return f"{file.name[:80]}-{digest[:12]}"


def _lock(path: Path) -> int | None:
    """Lock a file: the handle that holds the lock (NO_LOCK where there is none to be had), None if it is locked."""
    try:
        return locks.take(path)
    except OSError:
        return NO_LOCK


def _locked(path: Path) -> bool:
    lock = _lock(path)
    if lock is not None and lock != NO_LOCK:
        os.close(lock)
    return lock is None
