"""The way through the questions of one feature: what was asked so far, how far it is, and what can be confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from advisor.engine.asking import FIRST, LIKELY, Asking, Part
from advisor.model.project import Project
from advisor.model.values import Value

Pause = Literal["list", "settled"]


class Way(NamedTuple):
    """What an interview remembers of a feature besides its answers.

    `trail`: its questions in the order in which they were answered. `listed`: the list of usual answers was confirmed
    or passed over. `part`: what the person went on to once the pattern was settled.
    """

    trail: tuple[str, ...] = ()
    listed: bool = False
    part: Part | None = None

    def after(self, facts: Iterable[str], *, beside_list: bool = False) -> Way:
        """With these answered, `beside_list` where no list was shown. Another kind has another list."""
        named = [*facts]
        trail = (*self.trail, *(fact for fact in named if fact not in self.trail))
        listed = (self.listed or (beside_list and FIRST in self.trail)) and FIRST not in named
        return self._replace(trail=trail, listed=listed)

    def walk(self, standing: Iterable[str]) -> list[str]:
        """The answered questions in the order in which they were asked; first what a file or another feature said."""
        answered = [*standing]
        return [fact for fact in answered if fact not in self.trail] + [f for f in self.trail if f in answered]


def ways(project: Project) -> tuple[Way, ...]:
    """Of a project that was read: the list has been shown for each feature that has more than a kind."""
    return tuple(Way(listed=bool(feature.facts.keys() - {FIRST})) for feature in project.features)


@dataclass(frozen=True, slots=True)
class Past:
    """The session that `undo` restores, and the change that it undoes, in words."""

    project: Project
    current: int
    at: str | None
    change: str
    ways: tuple[Way, ...]


class Usual(NamedTuple):
    """A row of the list to confirm. `stated`: the person has given this answer already."""

    fact: str
    value: Value
    stated: bool


def said_before(project: Project, current: int) -> dict[str, Value]:
    """What the other features say, the nearest before this one first of all."""
    said: dict[str, Value] = {}
    for index in sorted((i for i in range(len(project.features)) if i != current), key=lambda i: (i > current, -i)):
        said = {**project.features[index].facts, **said}
    return said


@dataclass(frozen=True, slots=True)
class Progress:
    """Questions of the current feature: how many answers count, and how many are left for each purpose.

    `pattern` is an estimate: an answer can settle the pattern at once, or raise a new doubt. `least` and `most` hold
    for all that is left. Where a prior fills in an "I don't know", the questions that it reads can come on top of it.
    `details` is what the last part is called: no kit is promised where no pattern that is possible has one.
    """

    answered: int
    settled: bool
    pattern: int
    warnings: int
    kit: int
    least: int
    most: int
    details: str

    @property
    def count(self) -> str:
        """How many are left altogether: `5 to 33 left`, `1 left`."""
        return f"{self.least} to {self.most} left" if self.least < self.most else f"{self.most} left"

    @property
    def left(self) -> str:
        """The rest in words, in three parts."""
        if not self.most:
            return "no question left"
        if self.settled:
            return f"pattern: settled, warnings: {self.warnings} left, {self.details}: {self.kit} left"
        rest = f"warnings: up to {self.warnings}, {self.details}: up to {self.kit}"
        return f"pattern: about {self.pattern} left, {rest}"


def progress(answered: int, left: Asking, unavoidable: frozenset[str], details: str, *, listed: bool) -> Progress:
    """How far a feature is. `listed`: there is no list to come, which would answer what is nearly certain in one go."""
    order = left.order
    surely = sum(fact in unavoidable for fact in order)
    pattern = left.likely
    if not listed and not left.settled:
        certain = sum(weight <= LIKELY for fact, weight in left.weights.items() if fact != FIRST)
        pattern = min(pattern - max(certain - 1, 0), len(left.pattern))
    warnings = len(left.warnings) + len(left.pattern) - pattern
    least = max(surely, min(1, len(order)))
    return Progress(answered, left.settled, pattern, warnings, len(left.kit), least, len(order), details)


def following(left: Asking, part: Part | None) -> list[str]:
    """The open questions in the order in which they are asked: the part that was chosen first."""
    chosen = left.of(part) if part is not None and left.settled else ()
    return [*chosen, *(fact for fact in left.order if fact not in chosen)]
