"""Writes a folder of files completely or not at all: built beside the target, then swapped in by one rename.

If anything goes wrong (a full disk, a signal, a second run at the same time), the target is unchanged. A folder that
contains an earlier kit (its `advisor.lock` lists every file with its SHA-256) is replaced if those files are
unchanged; everything else in it (the log of a running kit, a certificate) is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec

from advisor.base import locks, swap
from advisor.base.errors import OutputError
from advisor.base.swap import exchange as _exchange
from advisor.base.swap import sync as _sync
from advisor.base.text import quoted, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

LOCK = "advisor.lock"
NOTHING = "Nothing was changed"
_LOCK_LIMIT = 1 << 20
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$) *(\.|$)")  # no file of Windows is called so

Done = Literal["written", "replaced", "unchanged"]
Mask = set[int | signal.Signals]
P = ParamSpec("P")
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def write(files: Mapping[str, bytes], target: Path, *, force: bool = False) -> Done:
    """Write `files` (relative POSIX path to content) as the folder `target`; those that begin with "#!" are executable.

    The target must not exist, be an empty folder, or hold an earlier kit whose files are unchanged. With `force` it may
    be any folder: the files of the kit replace those of the same name, and everything else in it stays. In every other
    case, and for every failure of the system, it raises OutputError and changes nothing.
    """
    if wrong := [name for name in files if not _inside(name)]:
        raise OutputError(f"{quoted(wrong[0])} is not a valid name for a file inside the folder. {NOTHING}")
    where = visible(str(target))
    try:
        target = Path(os.path.abspath(target))  # noqa: PTH100 - Path.resolve would follow a symlink, which is to be refused
        before = _blocked(())
        try:
            _blocked(_SIGNALS)
            with _parents(target.parent), _workshop(target, before) as made:
                _interruptible(before, _fill, made, files)
                with _locked(target.parent, before):
                    return _put(made, target, files, force=force)
        finally:
            _set_blocked(before)
    except OSError as error:
        raise OutputError(f"{where} cannot be written: {error.strerror or error}. {NOTHING}") from error


def notes(target: Path, done: Done) -> list[str]:
    """Notes to print after a kit was written: whether it is running, and what killed runs have left beside it."""
    said = []
    if done == "replaced" and _runs(target):
        said.append(f"the kit in {visible(str(target))} is running; restart it to use the new files")
    for part in swap.left(Path(os.path.abspath(target)).parent):  # noqa: PTH100 - as above
        held = ", ".join(visible(path.name) for path in sorted(part.iterdir())[:5]) or "nothing"
        said.append(
            f"{visible(str(part))} is left from a run that was killed (it contains {held}); check it, then delete it"
        )
    return said


def _runs(target: Path) -> bool:
    """Whether a process holds one of the locks of a kit that runs: start.py, or the server alone."""
    for path in (target / "var").glob("*.lock"):
        with suppress(OSError):
            descriptor = locks.take(path, shared=True)
            if descriptor is None:
                return True
            os.close(descriptor)
    return False


def _inside(name: str) -> bool:
    """Whether a name is relative, stays below the folder, and can be one of a file there, on every system."""
    if re.search(r'[\x00-\x1f\x7f\\:*?"<>|]', name):
        return False
    return not any(part in ("", ".", "..") or part[-1] in ". " or _DEVICE.match(part) for part in name.split("/"))


# --- building beside the target ---------------------------------------------------------------------------------------


@contextmanager
def _parents(parent: Path) -> Iterator[None]:
    """Create the missing folders above the target; on failure, remove them again."""
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


@contextmanager
def _workshop(target: Path, mask: Mask) -> Iterator[Path]:
    """A new folder beside the target, so that a rename can move it. It is always removed at the end."""
    with ExitStack() as stack:
        with _locked(target.parent, mask):
            if not target.is_symlink():
                swap.recover(target)
            made = swap.workshop(target)
            descriptor = swap.alive(made)  # or another run would think that it was left by a killed one
            if descriptor is not None:
                stack.callback(os.close, descriptor)
        try:
            yield made
        finally:
            swap.discard(made)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o755 if content.startswith(b"#!") else 0o644
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            path.chmod(mode)  # whatever the umask
            os.fsync(file.fileno())  # a rename that survives a power cut must not lead to empty files
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        path.chmod(0o755)
        _sync(path)


@contextmanager
def _locked(parent: Path, mask: Mask) -> Iterator[None]:
    """Only one run at a time looks at the target and swaps; a signal can end the waiting for the other.

    The kernel releases the lock with the process. If a folder cannot be locked, only the rename protects it.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            descriptor = os.open(parent, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            _interruptible(mask, locks.wait_for, descriptor)
        yield


# --- signals ----------------------------------------------------------------------------------------------------------
#
# A KeyboardInterrupt between the making of a folder and the `try` that takes it away, or while it is taken away, would
# leave it there. So signals wait while `write` runs, except in its long parts. These are plain functions: a context
# manager that is interrupted while it is entered is closed by the garbage collector, and blocks signals long after.


def _blocked(more: Iterable[signal.Signals]) -> Mask:
    """Block these signals too; return those that were blocked before."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, more) if hasattr(signal, "pthread_sigmask") else set()


def _set_blocked(mask: Mask) -> None:
    """Block only these signals; a pending other one is raised here as a KeyboardInterrupt."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _interruptible(mask: Mask, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Do work while only the signals of the mask are blocked."""
    waiting = _blocked(())
    try:
        _set_blocked(mask)
        work(*args, **kwargs)
    finally:
        _set_blocked(waiting)


# --- looking at what is there, and swapping ---------------------------------------------------------------------------


def _put(made: Path, target: Path, files: Mapping[str, bytes], *, force: bool) -> Done:
    where = visible(str(target))
    if target.is_symlink():
        raise OutputError(f"{where} is a symbolic link; give the path of the folder itself. {NOTHING}")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{where} is not a folder; choose another path. {NOTHING}")
    swap.recover(target)  # another run may have been killed since this one began
    if not target.exists() or not any(target.iterdir()):
        _refuse_here(target)
        try:
            made.rename(target)
        except FileExistsError:  # Windows does not even replace an empty folder
            target.rmdir()
            made.rename(target)
        _sync(target.parent)
        return "written"
    listed = _listed(target)
    if listed is None and not force:
        raise OutputError(f"{where} is not empty and contains no kit; choose another folder, or use --force. {NOTHING}")
    now = {name: _digest(target / name) for name in {*(listed or {}), *files}}
    if not force and (differences := _differences(target, listed or {}, now)):
        told = ", ".join(differences[:5]) + (f" and {len(differences) - 5} more" if len(differences) > 5 else "")
        raise OutputError(
            f"{where} has changes that would be lost: {told}. Save them elsewhere, then use --force. {NOTHING}"
        )
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    if now == wanted:
        return "unchanged"
    _refuse_here(target)
    _swap(made, target, {LOCK, *(name for name, digest in (listed or {}).items() if now[name] == digest)})
    return "replaced"


def _refuse_here(target: Path) -> None:
    """Refuse to replace the current folder: the shell would be left in a deleted one."""
    here, there = Path.cwd(), target.resolve()
    if here == there or there in here.parents:
        raise OutputError(f"{visible(str(target))} is your current folder; leave it first (cd ..). {NOTHING}")


def _listed(target: Path) -> dict[str, str] | None:
    """The files of the kit in the target, with their SHA-256; None if there is no kit."""
    path = target / LOCK
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LOCK_LIMIT:
            return None
        listed = {str(name): str(digest) for name, digest in json.loads(path.read_bytes())["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return listed if all(map(_inside, listed)) else None


def _differences(target: Path, listed: Mapping[str, str], now: Mapping[str, str | None]) -> list[str]:
    """What a replacement would lose: changed or deleted files of the earlier kit, others with names of new ones."""
    found = []
    for name, digest in sorted(now.items()):
        if name == LOCK:
            continue
        if name not in listed:
            state = "not from the kit" if os.path.lexists(target / name) else ""
        elif digest is None:
            state = "deleted"
        else:
            state = "" if digest == listed[name] else "changed"
        if state:
            found.append(f"{visible(name)} ({state})")
    return found


def _digest(path: Path) -> str | None:
    """SHA-256 of a regular file; None for everything else."""
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _swap(made: Path, target: Path, ours: set[str]) -> None:
    """Exchange the two folders; files that are not part of the kit stay in the target."""
    with swap.carried(made, target, list(_others(target, made, "", ours))):
        _exchange(made, target)


def _others(target: Path, made: Path, below: str, ours: set[str]) -> Iterator[str]:
    """Paths outside of the earlier kit that are not replaced. A folder without files of either kit is one path."""
    for entry in sorted(os.scandir(target / below), key=lambda e: e.name):
        name = below + entry.name
        if name in ours:
            continue
        new, is_folder = made / name, entry.is_dir(follow_symlinks=False)
        if os.path.lexists(new) and is_folder != new.is_dir():
            raise OutputError(
                f"{visible(name)} is a file here and a folder in the new kit, or the reverse; move it away. {NOTHING}"
            )
        if is_folder and (new.is_dir() or any(o.startswith(f"{name}/") for o in ours)):
            yield from _others(target, made, f"{name}/", ours)
        elif not os.path.lexists(new):
            yield name
