"""The rule base of this installation: compiled from the rules folder, or taken from the cache if nothing changed.

The cached text is the platform cards and the rest of the rule base as JSON, each in a line: the cards are not parsed
before a command asks for them.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from advisor.base import kept_text
from advisor.base.data import shipped
from advisor.engine.decision_diagram import Diagram, TooWideError
from advisor.ruleset.files import manifests, sources
from advisor.ruleset.serialise import from_data, to_data

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.model.rulebase import RuleBase

FORMAT = "12"  # of the cached data; raise it when rulebase.py changes shape


def load(folder: str | Path | None = None) -> RuleBase:
    """The checked rule base. Raises RuleBaseError if the rules folder is broken."""
    at = os.fspath(folder or shipped("rules"))
    made: list[RuleBase] = []

    def make() -> str:
        made.append(_compiled(at))
        return _packed(made[0])

    def files() -> list[tuple[str, str]]:
        return [(name, os.path.join(at, name)) for name in sources(at)] + manifests(shipped("templates"))

    packed = kept_text.text("rules", at, files, make, FORMAT)
    return made[0] if made else _unpacked(packed)


def cache_file(folder: str | Path) -> str | None:
    """Where this installation keeps this folder's compiled rules; None where caching is switched off or impossible."""
    return kept_text.cache_file("rules", folder)


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
        base = base.replaced(diagram=Diagram.of(base).text())
    return base
