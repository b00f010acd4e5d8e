"""The rule base of this installation: compiled from the rules folder, or taken from the cache if nothing changed.

The cache is a convenience: a missing, broken or unwritable one changes nothing but the time.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from advisor.data import data
from advisor.diagram import Diagram, TooWideError
from advisor.rulebase import RuleBase
from advisor.rulejson import from_data, to_data

FORMAT = "2"  # of the cached data; raise it when rulebase.py changes shape


def load(folder: Path | None = None) -> RuleBase:
    """The checked rule base. Raises RuleBaseError if the rules folder is broken."""
    folder = folder or data("rules")
    path = cache_file(folder)
    cached = _read(path)
    if cached is not None:
        return cached
    from advisor.compile import compile_folder

    base = compile_folder(folder)
    with suppress(TooWideError):  # then everything goes by boxes
        base = replace(base, diagram=Diagram.of(base).data())
    _write(path, base)
    return base


def cache_file(folder: Path) -> Path | None:
    """Where the compiled rules of this folder's content are kept; None where caching is switched off or impossible."""
    if os.environ.get("ADVISOR_CACHE") == "":
        return None
    root = os.environ.get("ADVISOR_CACHE") or os.environ.get("XDG_CACHE_HOME")
    try:
        where = Path(root) if root else Path.home() / ".cache"
    except RuntimeError:
        return None
    return where / "advisor" / f"rules-{_fingerprint(folder)}.json"


def _fingerprint(folder: Path) -> str:
    """Over the rules and over the modules that shape what is made of them."""
    sha = hashlib.sha256(FORMAT.encode())
    here = Path(__file__).parent
    code = [
        here / f"{name}.py"
        for name in ("compile", "conditions", "diagram", "rulebase", "scalars", "schema", "space", "yamlfile")
    ]
    for path in [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("caveats/*.yaml")), *code]:
        content = path.read_bytes()
        sha.update(f"{path.name} {len(content)}\n".encode())
        sha.update(content)
    return sha.hexdigest()[:32]


def _read(path: Path | None) -> RuleBase | None:
    if path is None:
        return None
    try:
        told, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if told != _checksum(body):
        return None
    return from_data(json.loads(body))


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _write(path: Path | None, base: RuleBase) -> None:
    if path is None:
        return
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    body = json.dumps(to_data(base), separators=(",", ":")).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(_checksum(body) + b"\n" + body)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
