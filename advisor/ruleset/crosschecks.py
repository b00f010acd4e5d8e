"""Checks over the whole rule base: every id is used once, and every number that a caveat names exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from advisor.base.errors import Problem
from advisor.base.text import did_you_mean
from advisor.model import caveat_figures
from advisor.model.rulebase import CostedAs, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import Caveat, Impossible, Plausible, Prior, Rule, RuleBase


def problems(base: RuleBase) -> Iterator[Problem]:
    """Everything that is wrong between the files, each at its place."""
    yield from _repeated_ids(base)
    yield from _unknown_figures(base)
    yield from _unknown_raises(base)
    yield from _open_connections(base)
    yield from _uncosted(base)


def _repeated_ids(base: RuleBase) -> Iterator[Problem]:
    seen: dict[str, Place] = {}
    named: list[Rule | Caveat | Impossible | Prior | Plausible] = [
        *base.excludes,
        *base.withholds,
        *base.accepts,
        *base.impossible,
        *base.priors,
        *base.plausible,
        *base.caveats.values(),
    ]
    named += [rule for step in (*base.steps, *base.article) for rule in step.rules]
    for item in named:
        if item.id in seen:
            where = seen[item.id]
            yield _at(item.place, f"id {item.id!r} is already used in {where.file}:{where.line}; every id is used once")
        seen[item.id] = item.place


def _unknown_figures(base: RuleBase) -> Iterator[Problem]:
    """A name in braces in a caveat's figures must be an existing number or limit."""
    known = caveat_figures.names(base)
    for caveat in base.caveats.values():
        for name in caveat_figures.places(caveat.figures):
            if name not in known:
                yield _at(
                    caveat.place, f"{caveat.id}: {{{name}}} is not a known number or limit{did_you_mean(name, known)}"
                )


def _unknown_raises(base: RuleBase) -> Iterator[Problem]:
    """What a rule raises must be a caveat."""
    rules = [*base.excludes, *base.accepts, *(rule for step in (*base.steps, *base.article) for rule in step.rules)]
    for rule in rules:
        for name in (name for name in rule.raises if name not in base.caveats):
            hint = did_you_mean(name, base.caveats)
            yield _at(rule.place, f"{rule.id} raises {name!r}, and there is no such caveat{hint}")


def _open_connections(base: RuleBase) -> Iterator[Problem]:
    """What can be shared must be an answer to "what is open already", and no other pattern is one."""
    question = base.questions.get("existing-connection")
    options = question.options if question is not None else {}
    for pattern in base.patterns.values():
        if pattern.shareable and pattern.id not in options:
            message = f"{pattern.id} is shareable, and is no option of existing-connection: nothing can share it"
            yield _at(pattern.place, message)
    for name in (name for name in options if name in base.patterns and not base.patterns[name].shareable):
        message = f"existing-connection has the option {name}, a pattern that is not shareable: nothing could use it"
        yield _at(question.place if question else base.patterns[name].place, message)


def _uncosted(base: RuleBase) -> Iterator[Problem]:
    """Reports compare the ways of costing by the core pattern of each."""
    have = {pattern.costed_as for pattern in base.patterns.values() if pattern.group == "core"}
    for way in (way for way in get_args(CostedAs) if way not in have):
        yield _at(Place("rules/patterns.yaml", 1, 1), f"no core pattern is costed-as {way}: reports need one of each")


def _at(place: Place, message: str) -> Problem:
    return Problem(place.file, place.line, place.column, message)
