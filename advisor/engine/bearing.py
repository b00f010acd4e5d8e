"""Which unstated facts bear on a verdict: those where another answer to that one alone would change it.

A report lists only these as assumed or open. All other facts change nothing for this feature; if they were listed, a
question that is added for one kind of feature would appear in the report of every feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from advisor.engine.changes import Changes
from advisor.engine.costs import FACTS
from advisor.engine.decision import Assumption, Known
from advisor.engine.feeds import feed
from advisor.engine.raising import Situation, situations
from advisor.model.boxes import Box
from advisor.model.rulebase import PATTERN, RuleBase

if TYPE_CHECKING:
    from advisor.model.verdict import CaveatIf


def bearing(
    readings: Sequence[Known],
    primary: str | None,
    other: Changes,
    waiting: Iterable[CaveatIf],
    base: RuleBase,
) -> list[str]:
    """The facts that are assumed or open, and on which the pattern, another pattern, a caveat or a number rests.

    `readings` are those of the answers, the headline's first.
    """
    known = readings[0]
    found = {fact for _, settings in other.to for fact in settings} | set(other.decisive)
    found |= {fact for caveat in waiting for fact in caveat["if"]}
    found |= _fed(known, primary, base)
    for reading in readings if primary is not None else ():
        box = {**reading.box, base.index[PATTERN]: 1 << list(base.patterns).index(primary or "")}
        for union in _unions(primary or "", base):
            found |= _turning(union, box, base)
        for caveat in base.caveats.values():
            found |= _biting(list(situations(caveat, primary or "", reading, base)), box, base)
    for prior in base.priors:  # what is assumed may rest on another assumption
        if not found.isdisjoint(prior.usually):
            found |= _turning(prior.boxes, known.box, base) | set(prior.unsaid)
    unstated = {a.fact for a in told_assumptions(known, base)} | set(known.open)
    return [fact for fact in base.questions if fact in found and fact in unstated]


def told_assumptions(known: Known, base: RuleBase) -> list[Assumption]:
    """The assumptions worth listing: not those for a text (a version, a page), nor for the name of the kind."""
    return [a for a in known.assumptions if base.questions[a.fact].type != "text" and a.fact != "kind"]


def _fed(known: Known, primary: str | None, base: RuleBase) -> set[str]:
    """The facts that a printed number or a file of the kit needs.

    Every report has costs, if only to compare patterns, and they need the times of streams and held requests.
    """
    needed = set(FACTS)
    possible = frozenset([primary] if primary else [])
    for fact, question in base.questions.items():
        if "timing" in question.feeds or feed(fact, possible, known.answers, known.box, base, several=False):
            needed.add(fact)
    return needed


def _unions(primary: str, base: RuleBase) -> Iterator[tuple[Box, ...]]:
    """The conditions of what a report lists besides the pattern: acceptances, exclusions, the article's steps."""
    yield from (rule.boxes for rule in base.accepts)
    yield from (rule.boxes for step in base.article for rule in step.rules)
    beside = {*base.patterns[primary].fallbacks, *(pattern for rule in base.accepts for pattern in rule.patterns)}
    yield from (rule.boxes for rule in (*base.excludes, *base.withholds) if not beside.isdisjoint(rule.patterns))


def _biting(listed: Sequence[Situation], known: Box, base: RuleBase) -> set[str]:
    """The facts with which alone a caveat bites, or no longer does; `_turning` finds them where nothing is missing.

    What is still to be stated for a situation bears on it as well, unless the caveat bites for sure without it.
    """
    whole = [situation.box for situation in listed if not situation.missing]
    if any(_sure(box, known) for box in whole):
        return _turning(whole, known, base)
    missing = {fact for s in listed if not _against(s.box, known) for fact in s.missing}
    return missing | _turning([situation.box for situation in listed], known, base, sure=False)


def _against(box: Box, known: Box) -> list[int]:
    """The variables that keep the box from holding."""
    return [variable for variable, mask in box.items() if not mask & known.get(variable, -1)]


def _sure(box: Box, known: Box) -> bool:
    """Whether it holds whatever is open."""
    return all(variable in known and not known[variable] & ~mask for variable, mask in box.items())


def _turning(union: Sequence[Box], known: Box, base: RuleBase, *, sure: bool = True) -> set[str]:
    """The facts with which alone a condition turns: off where it holds for sure, else on or off.

    Not `sure`: something else is missing, so what holds may still be turned on.
    """
    holding: list[set[str]] = []
    may: set[str] = set()
    for box in union:
        against = _against(box, known)
        if against:
            may |= set.intersection(*(_facts(variable, base) for variable in against))
            continue
        named = {fact for variable in box for fact in _facts(variable, base)}
        if sure and _sure(box, known):
            holding.append(named)
        may |= named
    return set.intersection(*holding) if holding else may


def _facts(variable: int, base: RuleBase) -> set[str]:
    """The facts that move a variable: its own, or the factors of a number that follows."""
    fact = base.variables[variable].fact
    return set(base.derived[fact].factors) if fact in base.derived else {fact}
