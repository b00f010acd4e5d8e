"""A text that is made from files, kept in the user's cache folder until one of them changes.

The cache is a convenience: a missing, broken or unwritable one changes nothing but the time. Its file holds a checksum
of what follows, the stamp of the sources, their digest, and the text. The checksum and the stamp are read by every
command: a CRC is enough to find damage, and hashlib would take longer than all the rest of it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Files = list[tuple[str, str]]  # names and paths

SETTLED_S = 2.0  # file systems count coarsely: a file as new as this may change again and keep its size and date


def text(kind: str, folder: str, sources: Callable[[], Files], make: Callable[[], str], form: str) -> str:
    """What `make` gives for this folder, from the cache where `sources` and every module of the package are unchanged.

    `kind` is a word for the name of the file. `form` names the shape of the text: raise it when that changes.
    """
    path = cache_file(kind, folder)
    if path is None:
        return make()
    try:
        files = [*sources(), *_modules()]
        stamp = _stamp(form, folder, files)  # taken before anything is read: what changes meanwhile is seen next time
        kept = _read(path)
        if kept is not None and stamp and kept[0] == stamp:
            return kept[2]
        digest = _digest(form, files)
    except OSError:  # an editor's broken link among the files, one that goes away meanwhile: nothing to compare with
        return make()
    if kept is not None and kept[1] == digest:  # touched, or copied
        if stamp:
            _write(path, stamp, digest, kept[2])
        return kept[2]
    made = make()
    if _digest(form, [*sources(), *_modules()]) == digest:  # else somebody is writing the files at this moment
        _write(path, stamp, digest, made)
    return made


def cache_file(kind: str, folder: str | Path) -> str | None:
    """Where this installation keeps the text of this folder; None where caching is switched off or impossible."""
    if os.environ.get("ADVISOR_CACHE") == "":
        return None
    root = os.environ.get("ADVISOR_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if not root:
        root = os.path.expanduser("~/.cache")
        if root.startswith("~"):  # there is no home
            return None
    of = os.fsencode(f"{os.path.realpath(folder)}\n{os.path.realpath(__file__)}")
    return os.path.join(root, "advisor", f"{kind}-{crc32(of):08x}.json")


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over names and, at their paths, bytes."""
    import hashlib

    sha = hashlib.sha256()
    for name, path in files:
        with open(path, "rb") as file:
            content = file.read()
        sha.update(f"{name} {len(content)}\n".encode())
        sha.update(content)
    return sha.hexdigest()


def tree(folder: str, keep: Callable[[str], bool]) -> Files:
    """The files below a folder whose names `keep` accepts, in a stable order, by their paths inside of it."""
    files = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", "_data"))
        inside = [os.path.join(at, name) for name in sorted(names) if keep(name)]
        files += [(path[len(folder) :], path) for path in inside]
    return files


def _modules() -> Files:
    """Every module of the package.

    Which modules shape the text is not listed by hand: such a list was wrong more than once. A check that is missed is
    worse than the third of a second that a change of any module costs once.
    """
    package = os.path.dirname(os.path.dirname(__file__))
    return tree(package, lambda name: name.endswith(".py"))


def _stamp(form: str, folder: str, files: Files) -> str:
    """Sizes and dates of the files, in one line; empty where one is so new that its date tells too little."""
    seen: list[object] = [form, os.path.realpath(folder)]
    newest = 0
    for name, path in files:
        status = os.stat(path)
        newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        seen += [name, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    return json.dumps(seen) if newest < time.time_ns() - SETTLED_S * 1e9 else ""


def _digest(form: str, files: Files) -> str:
    return f"{form}-{digest_of(files)}"


def _read(path: str) -> tuple[str, str, str] | None:
    """Stamp, digest and text as they were written, or None."""
    try:
        with open(path, "rb") as file:
            told, _, body = file.read().partition(b"\n")
    except OSError:
        return None
    if told != _checksum(body):
        return None
    stamp, digest, made = body.decode().split("\n", 2)
    return stamp, digest, made


def _checksum(body: bytes) -> bytes:
    return b"%08x %d" % (crc32(body), len(body))


def _write(path: str, stamp: str, digest: str, made: str) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    body = f"{stamp}\n{digest}\n{made}".encode()
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(_checksum(body) + b"\n" + body)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
