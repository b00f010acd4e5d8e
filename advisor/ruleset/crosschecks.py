"""What a rule base as a whole must keep: every id is used once, and every number that a caveat names exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.errors import Problem
from advisor.base.text import did_you_mean
from advisor.model import caveat_figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import Caveat, Impossible, Place, Prior, Rule, RuleBase


def problems(base: RuleBase) -> Iterator[Problem]:
    """Everything that is wrong between the files, each at its place."""
    yield from _repeated_ids(base)
    yield from _unknown_figures(base)


def _repeated_ids(base: RuleBase) -> Iterator[Problem]:
    seen: dict[str, Place] = {}
    named: list[Rule | Caveat | Impossible | Prior] = [
        *base.excludes,
        *base.accepts,
        *base.impossible,
        *base.priors,
        *base.caveats.values(),
    ]
    named += [rule for step in (*base.steps, *base.article) for rule in step.rules]
    for item in named:
        if item.id in seen:
            where = seen[item.id]
            yield _at(item.place, f"id {item.id!r} stands at {where.file}:{where.line} already; every id is used once")
        seen[item.id] = item.place


def _unknown_figures(base: RuleBase) -> Iterator[Problem]:
    """What stands in braces in a caveat's figures must be a number or a limit that exists."""
    known = caveat_figures.names(base)
    for caveat in base.caveats.values():
        for name in caveat_figures.places(caveat.figures):
            if name not in known:
                yield _at(caveat.place, f"{caveat.id}: nothing is called {{{name}}}{did_you_mean(name, known)}")


def _at(place: Place, message: str) -> Problem:
    return Problem(place.file, place.line, place.column, message)
