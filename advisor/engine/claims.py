"""What a verdict may contain besides its pattern (acceptable patterns, a fallback, caveats), and in which cases.

Claims are boxes over the cases in which certain patterns are the primary; the decision diagram finds those cases.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from advisor.engine.decision_diagram import Diagram
from advisor.engine.reach import Reach
from advisor.engine.regions import product, withheld
from advisor.engine.space import cannot_occur
from advisor.model.boxes import Box, bits, complement, meet
from advisor.model.rulebase import PATTERN, RuleBase

Kind = Literal["acceptable", "fallback", "caveat"]


@dataclass(frozen=True, eq=False)
class Claim:
    """Something that a verdict with one of these patterns as its primary says: in `trues`, and not in `falses`."""

    kind: Kind
    id: str
    patterns: frozenset[str]
    trues: tuple[Box, ...]
    falses: tuple[Box, ...]
    variables: frozenset[int]


@lru_cache(maxsize=16)
def claims(base: RuleBase) -> tuple[Claim, ...]:
    """Every claim of the rule base: patterns accepted beside the primary, fallbacks, caveats."""
    grouped: dict[tuple[Kind, str, object], tuple[set[str], list[Box], list[Box]]] = {}
    for pattern in base.patterns:
        for kind, name, within, without in _claims(pattern, base):
            key = (kind, name, (_frozen(within), _frozen(without)))
            grouped.setdefault(key, (set(), within, without))[0].add(pattern)
    made = []
    for (kind, name, _), (patterns, within, without) in grouped.items():
        trues = _minus(within, without, base)
        falses = _minus([{}], trues, base)
        variables = frozenset(v for box in (*within, *without) for v in box)
        made.append(Claim(kind, name, frozenset(patterns), tuple(trues), tuple(falses), variables))
    return tuple(made)


def _claims(primary: str, base: RuleBase) -> Iterator[tuple[Kind, str, list[Box], list[Box]]]:
    """What a verdict with this primary may claim: kind, id, the boxes where it holds, the boxes to leave out."""
    out = withheld(base)
    accepted: dict[str, list[Box]] = {}
    for rule in base.accepts:
        boxes = _for_pattern(rule.boxes, primary, base)
        for pattern in rule.patterns if boxes else ():
            if pattern != primary:
                accepted.setdefault(pattern, []).extend(boxes)
    for pattern, boxes in accepted.items():
        yield "acceptable", pattern, boxes, out[pattern]
    before: list[Box] = [{}]
    for pattern in base.patterns[primary].fallbacks:
        yield "fallback", pattern, before, out[pattern]
        before = product(before, out[pattern])
    for caveat in base.caveats.values():
        boxes = _for_pattern(caveat.boxes, primary, base)
        if boxes:
            yield "caveat", caveat.id, boxes, []


def _for_pattern(boxes: Iterable[Box], primary: str, base: RuleBase) -> list[Box]:
    variable = base.index[PATTERN]
    bit = 1 << base.variables[variable].values.index(primary)
    return [{v: m for v, m in box.items() if v != variable} for box in boxes if box.get(variable, bit) & bit]


def _minus(within: Iterable[Box], without: Iterable[Box], base: RuleBase) -> list[Box]:
    parts = list(within)
    for box in without:
        outside = complement(box, base.full)
        parts = [both for part in parts for piece in ([part] if meet(part, box) is None else outside)
                 if (both := meet(part, piece)) is not None]  # fmt: skip
    return parts


def _frozen(boxes: Iterable[Box]) -> frozenset[frozenset[tuple[int, int]]]:
    return frozenset(frozenset(box.items()) for box in boxes)


@lru_cache(maxsize=16)
def _by_variable(base: RuleBase) -> dict[int, tuple[Claim, ...]]:
    named: dict[int, list[Claim]] = {}
    for claim in claims(base):
        for variable in claim.variables:
            named.setdefault(variable, []).append(claim)
    return {variable: tuple(found) for variable, found in named.items()}


@lru_cache(maxsize=16)
def _impossible(base: RuleBase) -> tuple[Box, ...]:
    return tuple(cannot_occur(base))


@lru_cache(maxsize=16)
def _unseen(base: RuleBase) -> tuple[tuple[frozenset[int], Box], ...]:
    """The impossible boxes over numbers that no rule of the decision names, so that the diagram does not know them."""
    order = set(Diagram.of(base).order)
    return tuple((frozenset(box.keys() - order), box) for box in _impossible(base) if box.keys() - order)


def told_apart(moves: frozenset[int], box: Box, possible: frozenset[str], base: RuleBase) -> Claim | None:
    """The first claim that cases of the box tell apart by these variables alone. They must not decide the pattern."""
    named, reach = _by_variable(base), Reach.of(box, base)
    for claim in dict.fromkeys(claim for variable in sorted(moves) for claim in named.get(variable, ())):
        if claim.patterns & possible and _told_apart(claim, moves, reach):
            return claim
    return None


def _told_apart(claim: Claim, moves: frozenset[int], reach: Reach) -> bool:
    """Whether the claim holds in one case and not in another that differs from it in these variables only.

    No box of `trues` meets one of `falses`, so each box of such a pair limits a variable that moves.
    """
    box = reach.box
    limits = [i for i in _impossible(reach.diagram.base) if moves & i.keys() and meet(i, box) is not None]
    theres = [there for other in claim.falses if moves & other.keys() and (there := meet(other, box)) is not None]
    fixed = [{v: m for v, m in there.items() if v not in moves} for there in theres]
    for one in claim.trues:
        here = meet(one, box) if moves & one.keys() else None
        if here is None:
            continue
        for there, rest in zip(theres, fixed, strict=True):
            both = meet(here, rest)
            if both is not None and _both(both, there, limits, moves, claim.patterns, reach):
                return True
    return False


def _both(
    rest: Box, there: Box, limits: list[Box], moves: frozenset[int], patterns: frozenset[str], reach: Reach
) -> bool:
    """Whether a case of `rest` has one of the patterns while its twin, moved to `there`, can occur as well."""
    base = reach.diagram.base
    if not limits:
        return occurs(rest, (), patterns, reach)
    named = sorted({v for limit in limits for v in limit if v in moves})
    for values in itertools.product(*(bits(there.get(v, base.full[v])) for v in named)):
        twin = dict(zip(named, values, strict=True))
        avoid = [
            {v: m for v, m in limit.items() if v not in twin}
            for limit in limits
            if all(m >> twin[v] & 1 for v, m in limit.items() if v in twin)
        ]
        if {} not in avoid and occurs(rest, avoid, patterns, reach):
            return True
    return False


def occurs(box: Box, avoid: Iterable[Box], patterns: frozenset[str], reach: Reach) -> bool:
    """Whether some case of the box (inside that of `reach`), outside `avoid`, has one of these as its primary."""
    avoid = list(avoid)
    limited = {variable for part in (box, *avoid) for variable in part}
    avoid += [unseen for own, unseen in _unseen(reach.diagram.base) if own & limited]
    return _occurs(box, avoid, patterns, reach)


def _occurs(box: Box, avoid: list[Box], patterns: frozenset[str], reach: Reach) -> bool:
    near = [a for a in avoid if meet(a, box) is not None]
    if not near:
        return reach.reaches(box, patterns)
    pieces = complement(near[0], reach.diagram.base.full)
    return any(
        both is not None and _occurs(both, near[1:], patterns, reach) for both in (meet(box, piece) for piece in pieces)
    )


def raised(box: Box, possible: frozenset[str], base: RuleBase) -> dict[str, Literal["certain", "possible"]]:
    """The caveats that every case of the box raises, and those that some do. The pattern is the one of each case."""
    found: dict[str, Literal["certain", "possible"]] = {}
    silent: set[str] = set()
    spoken: dict[str, set[str]] = {}
    reach = Reach.of(box, base)
    for claim in claims(base):
        if claim.kind != "caveat" or not claim.patterns & possible:
            continue
        spoken.setdefault(claim.id, set()).update(claim.patterns)
        if any((here := meet(t, box)) is not None and occurs(here, (), claim.patterns, reach) for t in claim.trues):
            found[claim.id] = "possible"
        if any((here := meet(f, box)) is not None and occurs(here, (), claim.patterns, reach) for f in claim.falses):
            silent.add(claim.id)
    for caveat in found:
        if caveat not in silent and possible <= spoken[caveat]:
            found[caveat] = "certain"
    return found
