"""What the files of the kits cure: `cures` in the manifests under templates/, read into one index.

The rest of a manifest is read where the kits are made, and its mistakes are reported there; here it is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.base.text import did_you_mean
from advisor.model.cures import Chosen, Cure
from advisor.ruleset.files import RuleFile, Steps, manifests
from advisor.ruleset.reader import Reader
from advisor.ruleset.schema import CureEntry
from advisor.yamlio import nodes

KITS = "kits.yaml"


def read(templates: Path, caveats: Mapping[str, object]) -> tuple[tuple[Cure, ...], Reader]:
    """The index, and the reader with what is wrong in it: an unknown check, an unknown caveat."""
    reader = Reader(templates, "templates")
    if not (templates / KITS).is_file():
        return (), reader
    kits = nodes.plain(reader.file(KITS).node)
    read_here = {name: reader.file(name) for name, _ in manifests(str(templates)) if name != KITS}
    data = {name: _mapping(nodes.plain(file.node)) for name, file in read_here.items()}
    named = {_option(name): _chosen(found) for name, found in data.items()}
    made: list[Cure] = []
    for name, found in data.items():
        layer = name.partition("/")[0]
        patterns = tuple(pattern for pattern, kit in _mapping(kits).items() if layer in _layers(kit))
        for i, entry in enumerate(found.get("files") or ()):
            for j, cure in enumerate(_mapping(entry).get("cures") or ()):
                at: Steps = ("files", i, "cures", j)
                says = _cure(reader, read_here[name], at, cure, caveats)
                if says is not None:
                    place = read_here[name].place(at)
                    made.append(_made(says, entry, patterns, named, _option(name), place))
    return tuple(made), reader


def _cure(reader: Reader, file: RuleFile, at: Steps, cure: Any, caveats: Mapping[str, object]) -> CureEntry | None:
    try:
        says = CureEntry.model_validate(cure)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            reader.problem(file, at, f"cures: {'.'.join(map(str, item['loc']))}: {item['msg']}")
        return None
    if says.caveat not in caveats:
        reader.problem(file, at, f"cures: there is no caveat {says.caveat!r}{did_you_mean(says.caveat, list(caveats))}")
        return None
    return says


def _made(
    says: CureEntry,
    entry: dict[str, Any],
    patterns: tuple[str, ...],
    named: dict[str, Chosen],
    own: str,
    place: tuple[str, int, int],
) -> Cure:
    to = str(entry.get("to", ""))
    file = to if not entry.get("copy") else f"{to}{says.file or Path(str(entry['copy'])).name}"
    return Cure(
        says.caveat,
        says.check,
        tuple(says.lines),
        file,
        patterns,
        (named[own],),
        tuple(_options(entry.get("beside"), named)),
        tuple(_options(entry.get("apart"), named)),
        str(entry.get("instances", "")),
        (*place,),
    )


def _options(names: Any, named: dict[str, Chosen]) -> Iterator[Chosen]:
    """Options named as NAME or LAYER/NAME; a name without its layer is not one of between/."""
    for name in names or ():
        for known, chosen in named.items():
            if known == name or (known.partition("/")[2] == name and not known.startswith("between/")):
                yield chosen


def _option(manifest: str) -> str:
    return manifest.removesuffix("/manifest.yaml")


def _chosen(manifest: dict[str, Any]) -> Chosen:
    ((fact, serves),) = list(_mapping(manifest.get("answers")).items())[:1] or [("", [])]
    return Chosen(str(fact), tuple(map(str, serves)), bool(manifest.get("unanswered", False)))


def _layers(kit: Any) -> list[str]:
    return [layer for key in ("layers", "each", "examples") for layer in _mapping(kit).get(key) or ()]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
