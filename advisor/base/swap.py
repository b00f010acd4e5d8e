"""Exchange two folders while kept files stay reachable, even if the process is killed at any moment.

The exchange is one step. Files of the old folder that are not replaced (the log of a running kit, a certificate) are
then in the wrong folder. So the new folder first gets a symbolic link for each of them, which points to where the file
is after the exchange; then link and file are exchanged. At every moment the name in the target leads to the file.
A journal beside the folder lists these files: with it the next run completes what a killed one began (`recover`).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base import locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_JOURNAL_LIMIT = 1 << 24


def sync(folder: Path) -> None:
    """Write the names in a folder to the disk, if the system allows it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# --- the folder beside the target, and its lock -----------------------------------------------------------------------


def workshop(target: Path) -> Path:
    """A new folder beside the target; its name tells `recover` which target it belongs to."""
    return Path(tempfile.mkdtemp(prefix=_prefix(target), suffix=".part", dir=target.parent))


def alive(folder: Path) -> int | None:
    """A descriptor whose lock shows other runs that this folder is in use; None if it cannot be locked."""
    with suppress(OSError):  # the file system has no locks
        return locks.take(folder, getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0))
    return None


def discard(part: Path) -> None:
    """Delete the folder, unless something that belongs to the target is still in it."""
    if not os.path.lexists(_journal(part)):
        shutil.rmtree(part, ignore_errors=True)


def _prefix(target: Path) -> str:
    return f".advisor-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]}-"


def _journal(part: Path) -> Path:
    return part.with_suffix(".moves")


# --- exchanging, and carrying over ------------------------------------------------------------------------------------


def exchange(one: Path, other: Path) -> None:
    """Swap two paths: in one step on Linux, so that `other` is never missing; elsewhere in three."""
    if _exchanged(one, other):
        return
    aside = _aside(one)
    other.rename(aside)
    try:
        one.rename(other)
    except BaseException:
        aside.rename(other)
        raise
    aside.rename(one)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange them in one step; whether the system could do it."""
    if sys.platform != "linux":
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    ends = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    return call is not None and call(*ends, _RENAME_EXCHANGE) == 0


def _aside(one: Path) -> Path:
    """A free path for the third step of an exchange."""
    places = (one.with_name(f"{one.name[:200]}.aside{number}") for number in ("", *range(2, 1000)))
    return next(place for place in places if not os.path.lexists(place))


@contextmanager
def carried(part: Path, target: Path, names: Sequence[str]) -> Iterator[None]:
    """Exchange the two folders inside this block; the paths in `names` stay in the target. A failure changes nothing.

    If the file system has no symbolic links, the files are moved before the exchange: a process that is killed then
    leaves them in `part` until the next run.
    """
    swapped = False
    try:
        _write_journal(part, names)
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            if not _linked(part, name):
                (target / name).rename(part / name)
        for folder in {(part / name).parent for name in names}:
            sync(folder)
        yield
        swapped = True
        sync(target.parent)
        _settle(part, target, names)
    except BaseException:
        _undo(part, target, names, swapped=swapped)
        raise
    _journal(part).unlink()
    sync(target.parent)


def _way(part: Path, name: str) -> str:
    """The text of the link that leads from target/name to part/name."""
    return f"{'../' * (name.count('/') + 1)}{part.name}/{name}"


def _linked(part: Path, name: str) -> bool:
    """Make a link to where the file will be after the exchange; whether that worked."""
    if os.name == "nt":  # there a link must know whether it leads to a file or to a folder
        return False
    with suppress(OSError):
        (part / name).symlink_to(_way(part, name))
        return True
    return False


def _is_ours(path: Path, part: Path, name: str) -> bool:
    return path.is_symlink() and os.readlink(path) == _way(part, name)  # noqa: PTH115 - a Path would change the text


def _write_journal(part: Path, names: Sequence[str]) -> None:
    with _journal(part).open("x", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(list(names), file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    sync(part.parent)


def _settle(part: Path, target: Path, names: Sequence[str]) -> bool:
    """Move files that are still in the other folder into the target; whether all of them are there."""
    for name in names:
        here, there = target / name, part / name
        if os.path.lexists(there) and not _is_ours(there, part, name):
            if _is_ours(here, part, name):
                exchange(there, here)
            elif not os.path.lexists(here):
                here.parent.mkdir(parents=True, exist_ok=True)
                there.rename(here)
            else:
                return False
    for folder in {(place / name).parent for name in names for place in (target, part)}:
        sync(folder)
    return True


def _undo(part: Path, target: Path, names: Sequence[str], *, swapped: bool) -> None:
    """Undo the exchange. If this fails too, the journal stays and nothing is deleted."""
    if swapped:
        for name in names:
            if _is_ours(part / name, part, name):
                exchange(part / name, target / name)
        exchange(part, target)
    for name in names:
        if _is_ours(part / name, part, name):
            (part / name).unlink()
        elif os.path.lexists(part / name) and not os.path.lexists(target / name):
            (part / name).rename(target / name)
    _journal(part).unlink(missing_ok=True)


# --- after a run that was killed --------------------------------------------------------------------------------------


def recover(target: Path) -> None:
    """Complete what killed runs began at this target, and delete their leftovers. Call it under the lock of the parent.

    What cannot be completed stays where it is; `left` lists it.
    """
    parts = {target.parent / name.removesuffix(".aside") for name in _names(target.parent) if _belongs(name, target)}
    for part in sorted(parts):
        with suppress(OSError):
            _recover(part, target)


def _names(parent: Path) -> list[str]:
    with suppress(OSError):
        return sorted(path.name for path in parent.iterdir())
    return []


def _belongs(name: str, target: Path) -> bool:
    return name.startswith(_prefix(target)) and name.endswith((".part", ".part.aside", ".moves"))


def _recover(part: Path, target: Path) -> None:
    if part.suffix == ".moves":  # a journal without its folder is of no use
        if not any(os.path.lexists(part.with_suffix(end)) for end in (".part", ".part.aside")):
            part.unlink()
        return
    aside = part.with_name(f"{part.name}.aside")
    if os.path.lexists(aside) and not os.path.lexists(target):
        aside.rename(target)
    elif os.path.lexists(aside) and not os.path.lexists(part):
        aside.rename(part)
    if not os.path.lexists(part):
        return
    descriptor = alive(part)
    if descriptor is None:
        return
    try:
        if not _mine(os.fstat(descriptor)):  # another user may write beside the kit, but not into it
            return
        names = _read_journal(part)
        if names is not None and _settle(part, target, names):
            _journal(part).unlink()
            sync(target.parent)
        discard(part)
    finally:
        os.close(descriptor)


def _read_journal(part: Path) -> list[str] | None:
    """The names in the journal; None if there is none. Raises OSError if another user wrote it or it is damaged."""
    path = _journal(part)
    if not os.path.lexists(path):
        return None
    about = path.lstat()
    if path.is_symlink() or not _mine(about) or about.st_size > _JOURNAL_LIMIT:
        raise OSError(f"{path} was not written by advisor for this user")
    try:
        names = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except ValueError:  # killed while it was written: nothing was moved yet
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) and _below(name) for name in names):
        raise OSError(f"{path} is damaged")
    return names


def _mine(status: os.stat_result) -> bool:
    """Whether this user owns it; where files have no such owner, the system itself keeps others away."""
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()


def _below(name: str) -> bool:
    return not {"", ".", ".."} & set(name.split("/"))


def left(parent: Path) -> list[Path]:
    """The folders of runs that ended halfway and were not cleaned up, for any target."""
    found = []
    for name in _names(parent):
        if name.startswith(".advisor-") and name.endswith((".part", ".part.aside")):
            with suppress(OSError):
                descriptor = alive(parent / name)
                if descriptor is not None:
                    os.close(descriptor)
                    found.append(parent / name)
    return found
