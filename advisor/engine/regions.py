"""Where each rule decides for each pattern, as boxes: the decision turned inside out.

A region is a box and the boxes to leave out of it; the cases in which a pattern is the primary are the union of its
regions. The prover asks whether a rule or caveat can apply there, the verdict whether it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from advisor.model.boxes import Box, covers, meet
from advisor.model.rulebase import Rule, RuleBase


class Region(NamedTuple):
    """Cases (`box` without `minus`) in which `rule` decides for `pattern`."""

    rule: Rule
    pattern: str
    box: Box
    minus: tuple[Box, ...]


def excluded(base: RuleBase) -> dict[str, list[Box]]:
    """For every pattern, the boxes in which it is excluded."""
    boxes: dict[str, list[Box]] = {pattern: [] for pattern in base.patterns}
    for rule in base.excludes:
        for pattern in rule.patterns:
            boxes[pattern] += rule.boxes
    return boxes


def withheld(base: RuleBase) -> dict[str, list[Box]]:
    """For every pattern, the boxes in which it is not named beside the primary: excluded, or withheld."""
    boxes = excluded(base)
    for rule in base.withholds:
        for pattern in rule.patterns:
            boxes[pattern] += rule.boxes
    return boxes


def regions(base: RuleBase, within: Box | None = None) -> Iterator[Region]:
    """Every region, in the order of the rules; with `within`, only those in that box, cut to it."""
    out = excluded(base)
    earlier: list[Box] = []
    for step in base.steps:
        for rule in step.rules:
            for box in rule.boxes:
                inner = box if within is None else meet(box, within)
                if inner is not None:
                    yield from alternatives(rule, inner, tuple(earlier), out)
        earlier += [box for rule in step.rules for box in rule.boxes if within is None or meet(box, within) is not None]


def alternatives(rule: Rule, box: Box, earlier: tuple[Box, ...], out: dict[str, list[Box]]) -> Iterator[Region]:
    """The rule's patterns in turn: each where those before it are excluded and it is not."""
    parts: list[Box] = [box]
    for pattern in rule.patterns:
        for part in parts:
            yield Region(rule, pattern, part, (*earlier, *out[pattern]))
        parts = product(parts, out[pattern])
        if not parts:
            return


def product(left: list[Box], right: list[Box]) -> list[Box]:
    """The pairwise intersections, without those that another one contains."""
    made: list[Box] = []
    for a in left:
        for b in right:
            both = meet(a, b)
            if both is not None and not any(covers(other, both) for other in made):
                made.append(both)
    return made
