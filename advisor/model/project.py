"""What a team stated about its project: its features, and the answers that hold for all of them.

Both are compared by what was stated, not by its file and place.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.model.rulebase import Place
from advisor.model.values import Value

NOWHERE = Place("", 0, 0)


class Feature(NamedTuple):  # noqa: PLW1641  # the hash of a tuple refuses the dict in it
    """One feature: its name and the facts stated in it, in the order of the questions. `place` is not compared."""

    name: str
    facts: dict[str, Value]
    place: Place = NOWHERE

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Feature) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:  # a tuple has its own
        return not self == other


class Project(NamedTuple):  # noqa: PLW1641  # the same
    """All answers. `path` and `app` apply to every feature without answers of its own.

    `file` and `notes` (what was read in another way than it was written) are not compared.
    """

    name: str
    path: dict[str, Value]
    app: dict[str, Value]
    features: tuple[Feature, ...]
    file: str = ""
    notes: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Project) and self[:4] == other[:4]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def answers(self, feature: Feature) -> dict[str, Value]:
        """Every fact that holds for this feature."""
        return {**self.path, **self.app, **feature.facts}
