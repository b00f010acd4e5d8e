"""What a version of a program needs, as data: version gates, each with its evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from advisor.base.text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

Version: TypeAlias = "tuple[int, int, int]"
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of one component (a gates.yaml). A gate is open while since <= version < until."""

    component: str
    default: str
    oldest: str
    newest: str
    spans: Mapping[str, tuple[Version, Version]]

    def open(self, version: Version) -> dict[str, bool]:
        """Every gate with "-" as "_", and whether this version is inside it."""
        return {name.replace("-", "_"): low <= version < high for name, (low, high) in self.spans.items()}

    def image(self, written: str, version: Version) -> tuple[str, Version]:
        """(tag, version) of the component's image for containers, where the answers name this version.

        An answer is the version on a machine, often a distribution's, which is years old and gets the distribution's
        fixes. The image of that version gets no fixes, so only a newer one than `default` is taken.
        """
        default = _must(self.default)
        return (written, version) if version > default else (self.default, default)


def parse_version(text: str) -> Version | None:
    """`1.22` or `1.22.1`, or None. A branch means its first release: the gates allow what all its releases can do."""
    match = _VERSION.fullmatch(text.strip())
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def load(data: Mapping[str, Any]) -> Gates:
    """The gates in the mapping of a gates.yaml. Raises KeyError or ValueError for a defect of that file."""
    first, last = "0.0.0", "9999.0.0"
    spans = {
        name: (_must(gate.get("since", first)), _must(gate.get("until", last))) for name, gate in data["gates"].items()
    }
    for name in ("default", "oldest", "newest"):
        _must(data[name])
    return Gates(data["component"], data["default"], data["oldest"], data["newest"], spans)


def _must(text: str) -> Version:
    version = parse_version(text)
    if version is None:
        raise ValueError(f"{text!r} is not a version")
    return version


def choose(gates: Gates, answer: object) -> tuple[str, Version, list[str]]:
    """(version as written, version, notes) for the answer to "which version"; the default where it says none."""
    stated = answer.strip() if isinstance(answer, str) else ""
    version = parse_version(stated)
    if version is None:
        why = f"{quoted(stated)} is not a version such as 1.22.1" if stated else "is not stated"
        then = f"the kit is written for {gates.component} {gates.default}, the current stable release"
        return gates.default, _must(gates.default), [f"{gates.component}-version {why}: {then}"]
    notes = []
    if not _must(gates.oldest) <= version <= _must(gates.newest):
        tested = f"{gates.oldest} to {gates.newest}, the versions on which the kit is tested"
        notes.append(f"{gates.component} {stated} is outside {tested}")
    return stated, version, notes
