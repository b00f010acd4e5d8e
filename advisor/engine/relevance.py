"""Which questions can still change something, and what: exact over every way the answers can go on.

A question matters if two cases that agree with the answers so far, and differ only in this answer and in the numbers
that follow from it, differ in the pattern, in what is acceptable beside it, in its fallback or in a caveat; or if its
answer is needed for a number (costs, timing, the kit) of a pattern that is still possible. Nothing else need be asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from advisor.engine.claims import told_apart
from advisor.engine.completions import completions
from advisor.engine.decision import Answers
from advisor.engine.decision_diagram import CANNOT
from advisor.engine.feeds import feed
from advisor.engine.reach import Reach
from advisor.model.boxes import bits
from advisor.model.rulebase import RuleBase


@dataclass(frozen=True, slots=True)
class Reason:
    """What an answer can still change: the pattern, one acceptable besides, the fallback, a caveat, a number."""

    kind: Literal["pattern", "acceptable", "fallback", "caveat", "feeds"]
    id: str = ""


@dataclass(frozen=True, eq=False)
class Relevance:
    """What can still come out, and why each question that is not answered still matters.

    `box` holds the cases that agree with the answers. A question that is neither answered nor in `reasons` cannot
    change anything any more. `unavoidable` are those of `reasons` that matter however the others are answered.
    """

    box: Mapping[int, int]
    possible: frozenset[str]
    reasons: Mapping[str, Reason]
    unavoidable: frozenset[str]


def relevance(answers: Answers, base: RuleBase, *, several: bool = False) -> Relevance:
    """The relevance of every question after these answers. `several`: the project has more than one feature."""
    so_far = completions(answers, base)
    reach = Reach.of(so_far.box, base)
    possible = reach.possible()
    deciding = reach.relevant()
    reasons: dict[str, Reason] = {}
    unavoidable: set[str] = set()
    for fact in base.questions:
        if fact in answers:
            continue
        moves = so_far.moves(fact)
        wanted = feed(fact, possible, answers, so_far.box, base, several=several)
        if wanted and wanted[1]:
            unavoidable.add(fact)
        if moves & deciding or (len(moves) > 1 and _decides(moves, reach)):
            reasons[fact] = Reason("pattern")
        elif claim := told_apart(moves, so_far.box, possible, base):
            reasons[fact] = Reason(claim.kind, claim.id)
        elif wanted:
            reasons[fact] = Reason("feeds", wanted[0])
    return Relevance(so_far.box, possible, reasons, frozenset(unavoidable))


def matters(fact: str, answers: Answers, base: RuleBase, *, several: bool = False) -> bool:
    """Whether an answer to this question can change something, given the other answers."""
    so_far = completions({other: value for other, value in answers.items() if other != fact}, base)
    reach = Reach.of(so_far.box, base)
    possible = reach.possible()
    moves = so_far.moves(fact)
    return (
        feed(fact, possible, answers, so_far.box, base, several=several) is not None
        or _decides(moves, reach)
        or told_apart(moves, so_far.box, possible, base) is not None
    )


# --- the pattern ------------------------------------------------------------------------------------------------------


def _decides(moves: frozenset[int], reach: Reach) -> bool:
    """Whether two cases of the box that differ in these variables only have different primaries."""
    diagram, box = reach.diagram, reach.box
    memo: dict[tuple[int, int], bool] = {}
    moving = {position for position, variable in enumerate(diagram.order) if variable in moves}

    def differ(a: int, b: int) -> bool:
        if a == b:
            return False  # what moves below it is looked at from there
        if not diagram.children[a] and not diagram.children[b]:
            return CANNOT not in (diagram.ends[a], diagram.ends[b])
        key = (a, b)
        if key not in memo:
            first = min(diagram.asks[a], diagram.asks[b])
            variable = diagram.order[first]
            values = bits(box.get(variable, diagram.base.full[variable]))
            pairs = itertools.product(values, values) if first in moving else zip(values, values, strict=True)
            memo[key] = any(differ(diagram.child(a, first, u), diagram.child(b, first, v)) for u, v in pairs)
        return memo[key]

    return any(
        differ(a, b) for node, after in reach.left.items() if diagram.asks[node] in moving for a in after for b in after
    )
