"""The rule base of this installation: compiled from the rules folder, or taken from the cache if nothing changed.

The cache is a convenience: a missing, broken or unwritable one changes nothing but the time. Its file holds a checksum
of what follows, the stamp of the sources, their digest, the platform cards and the rest of the rule base as JSON, each
in a line. The checksum and the stamp are read by every command: a CRC is enough to find damage, and hashlib would take
longer than all the rest of it. The cards are not parsed before a command asks for them.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from zlib import crc32

from advisor.base.data import shipped
from advisor.engine.decision_diagram import Diagram, TooWideError
from advisor.ruleset.files import digest_of, sources
from advisor.ruleset.serialise import from_data, to_data

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.model.rulebase import RuleBase

FORMAT = "6"  # of the cached data; raise it when rulebase.py changes shape
SETTLED_S = 2.0  # file systems count coarsely: a file as new as this may change again and keep its size and date


def load(folder: str | Path | None = None) -> RuleBase:
    """The checked rule base. Raises RuleBaseError if the rules folder is broken."""
    folder = os.fspath(folder or shipped("rules"))
    path = cache_file(folder)
    if path is None:
        return _compiled(folder)
    files = _files(folder)
    stamp = _stamp(folder, files)  # taken before anything is read, so that what changes meanwhile is seen next time
    kept = _read(path)
    if kept is not None and stamp and kept[0] == stamp:
        return _unpacked(kept[2])
    digest = _digest(files)
    if kept is not None and kept[1] == digest:  # touched, or copied
        if stamp:
            _write(path, stamp, digest, kept[2])
        return _unpacked(kept[2])
    base = _compiled(folder)
    if _digest(_files(folder)) == digest:  # else somebody is writing the rules at this moment
        _write(path, stamp, digest, _packed(base))
    return base


def _packed(base: RuleBase) -> str:
    data = to_data(base)
    platforms = data.pop("platforms")
    return f"{platforms}\n{json.dumps(data, separators=(',', ':'))}"


def _unpacked(text: str) -> RuleBase:
    platforms, _, rest = text.partition("\n")
    return from_data(json.loads(rest) | {"platforms": platforms})


def _compiled(folder: str) -> RuleBase:
    from pathlib import Path

    from advisor.ruleset.compile import compile_folder

    base = compile_folder(Path(folder))
    with suppress(TooWideError):  # then everything goes by boxes
        base = base.replaced(diagram=Diagram.of(base).data())
    return base


def cache_file(folder: str | Path) -> str | None:
    """Where this installation keeps this folder's compiled rules; None where caching is switched off or impossible."""
    if os.environ.get("ADVISOR_CACHE") == "":
        return None
    root = os.environ.get("ADVISOR_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if not root:
        root = os.path.expanduser("~/.cache")
        if root.startswith("~"):  # there is no home
            return None
    of = os.fsencode(f"{os.path.realpath(folder)}\n{os.path.realpath(__file__)}")
    return os.path.join(root, "advisor", f"rules-{crc32(of):08x}.json")


def _files(folder: str) -> list[tuple[str, str]]:
    """The rule files and every module of the package: names and paths.

    Which modules shape the compiled rules is not listed by hand: such a list was wrong more than once. A check of the
    rules that is missed is worse than the third of a second that a change of any module costs once.
    """
    package = os.path.dirname(os.path.dirname(__file__))
    files = [(name, os.path.join(folder, name)) for name in sources(folder)]
    for at, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", "_data"))
        files += [(name, os.path.join(at, name)) for name in sorted(names) if name.endswith(".py")]
    return files


def _stamp(folder: str, files: list[tuple[str, str]]) -> str:
    """Sizes and dates of the files, in one line; empty where one is so new that its date tells too little."""
    seen: list[object] = [FORMAT, os.path.realpath(folder)]
    newest = 0
    for name, path in files:
        status = os.stat(path)
        newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        seen += [name, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    return json.dumps(seen) if newest < time.time_ns() - SETTLED_S * 1e9 else ""


def _digest(files: list[tuple[str, str]]) -> str:
    return f"{FORMAT}-{digest_of(files)}"


def _read(path: str) -> tuple[str, str, str] | None:
    """Stamp, digest and JSON as they were written, or None."""
    try:
        with open(path, "rb") as file:
            told, _, body = file.read().partition(b"\n")
    except OSError:
        return None
    if told != _checksum(body):
        return None
    stamp, digest, text = body.decode().split("\n", 2)
    return stamp, digest, text


def _checksum(body: bytes) -> bytes:
    return b"%08x %d" % (crc32(body), len(body))


def _write(path: str, stamp: str, digest: str, text: str) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    body = f"{stamp}\n{digest}\n{text}".encode()
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(_checksum(body) + b"\n" + body)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
