"""The cases that agree with the answers so far, however the interview goes on."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from advisor.engine.decision import Answers
from advisor.model.boxes import Box, find, meet
from advisor.model.rulebase import RuleBase, band_of
from advisor.model.values import Unknown, Value


@dataclass(frozen=True)
class Completions:
    """The box of the cases that agree with the answers so far, and what moves along with each answer."""

    base: RuleBase
    box: dict[int, int]
    along: dict[str, frozenset[str]]  # fact -> the facts that an answer to it may move with it

    def moves(self, fact: str) -> frozenset[int]:
        """The variables that an answer to the fact may change: its own, and those of the numbers that follow."""
        return frozenset().union(*(_own(f, self.base) for f in (fact, *self.along.get(fact, ()))))


def completions(answers: Answers, base: RuleBase) -> Completions:
    """What the answers so far leave possible. "I don't know" is filled as the verdict will fill it.

    Where a prior may still fill it in another way (its own facts are not answered yet), every value that it may get is
    left in the box.
    """
    box: dict[int, int] = {}
    fills, triggers = _fills(answers, base)
    choices: dict[str, list[Value]] = {**fills, **{f: [v] for f, v in answers.items() if not isinstance(v, Unknown)}}
    for fact, values in choices.items():
        box.update(_hull([base.encode(fact, value) for value in values], base))
    for derived in base.derived.values():
        if all(fact in choices for fact in derived.factors):
            mask = 0
            for taken in itertools.product(*(choices[fact] for fact in derived.factors)):
                number = base.number(derived, dict(zip(derived.factors, taken, strict=True)))
                assert number is not None
                mask |= 1 << band_of(derived.bands, number)
            box[base.index[derived.id]] = mask
    along = {fact: triggers.get(fact, frozenset()) | bound for fact, bound in _bound(box, answers, base).items()}
    return Completions(base, box, {**triggers, **along})


def _bound(box: Box, answers: Answers, base: RuleBase) -> dict[str, frozenset[str]]:
    """Facts that contradictions tie together so tightly that one cannot always move without the others.

    A fact is free if one of its answers is in no contradiction. Facts without such an answer that share a contradiction
    move together; else a question could look idle only because each answer to it alone is ruled out.
    """
    limits = [
        (questions_of(b, base) - answers.keys(), b)
        for i in base.impossible
        for b in i.boxes
        if meet(b, box) is not None
    ]
    named = set().union(*(facts for facts, _ in limits)) if limits else set()
    tight = {fact for fact in named if not _free(fact, [b for _, b in limits], box, base)}
    groups: list[set[str]] = []
    for facts, _ in limits:
        if len(facts) > 1 and facts <= tight:
            touching = [group for group in groups if group & facts]
            groups = [group for group in groups if not group & facts] + [facts.union(*touching)]
    return {fact: frozenset(group - {fact}) for group in groups for fact in group}


def _free(fact: str, limits: list[Box], box: Box, base: RuleBase) -> bool:
    """Whether some answer to the fact takes part in none of the contradictions."""
    own = base.of_fact.get(fact, ())
    mine = [b for b in limits if fact in questions_of(b, base)]
    if any(variable not in own and fact in questions_of({variable: 1}, base) for b in mine for variable in b):
        return False  # a number that follows from it is named
    parts = [{v: m for v, m in b.items() if v in own} for b in mine]
    return find({v: m for v, m in box.items() if v in own}, parts, base.full) is not None


def questions_of(box: Box, base: RuleBase) -> set[str]:
    """The questions that a box limits, the sources of derived numbers among them."""
    names = {base.variables[v].fact for v in box}
    return {source for n in names for source in (base.derived[n].factors if n in base.derived else (n,))}


def _fills(answers: Answers, base: RuleBase) -> tuple[dict[str, list[Value]], dict[str, frozenset[str]]]:
    """The values that each "I don't know" may get, where one is taken; and which facts may still change which."""
    fills: dict[str, list[Value]] = {f: [] for f, v in answers.items() if isinstance(v, Unknown)}
    by: dict[str, set[str]] = {fact: set() for fact in fills}
    settled: set[str] = set()  # by a prior that holds for certain
    for prior in base.priors if fills else ():
        wanted = [fact for fact in prior.usually if fact in fills and fact not in settled]
        stated = any(fact in answers and fact not in fills for fact in prior.unsaid)
        tried = [_may_hold(box, answers, fills, settled, base) for box in prior.boxes] if wanted and not stated else []
        unasked = {fact for fact in prior.unsaid if fact not in answers}
        held = [found | unasked for found in tried if found is not None]
        certain = any(not open_facts for open_facts in held)
        for fact in wanted if held else ():
            if prior.usually[fact] not in fills[fact]:
                fills[fact].append(prior.usually[fact])
            for open_fact in set().union(*held):
                by[fact] |= by.get(open_fact, {open_fact})
            if certain:
                settled.add(fact)
    for fact in fills.keys() - settled:
        question = base.questions[fact]
        if question.mode == "open":
            fills[fact] = []
        elif question.lead not in fills[fact]:
            fills[fact].append(question.lead)
    triggers: dict[str, frozenset[str]] = {}
    for fact, sources in by.items():
        for source in sources:
            triggers[source] = triggers.get(source, frozenset()) | {fact}
    return {fact: values for fact, values in fills.items() if values}, triggers


def _may_hold(
    box: Box, answers: Answers, fills: Mapping[str, list[Value]], settled: set[str], base: RuleBase
) -> set[str] | None:
    """The facts that still decide whether a prior's box holds: none if it surely does, None if it cannot."""
    open_facts: set[str] = set()
    for variable, mask in box.items():
        fact = base.variables[variable].fact
        if fact not in answers:
            open_facts.add(fact)
            continue
        # An "I don't know" that nothing fills stays unstated.
        values = fills[fact] if fact in fills else [answers[fact]]
        fitting = [value for value in values if not base.encode(fact, value)[variable] & ~mask]
        if not fitting:
            return None
        if fact in fills and not (fact in settled and len(fitting) == len(values)):
            open_facts.add(fact)
    return open_facts


def _hull(boxes: list[Box], base: RuleBase) -> dict[int, int]:
    """The smallest box around all of them (none: no limit)."""
    around: dict[int, int] = {}
    for variable in set().union(*boxes) if boxes else ():
        mask = 0
        for box in boxes:
            mask |= box.get(variable, base.full[variable])
        around[variable] = mask
    return around


@lru_cache(maxsize=4096)
def _own(fact: str, base: RuleBase) -> frozenset[int]:
    follows = [base.index[d.id] for d in base.derived.values() if fact in d.factors]
    return frozenset((*base.of_fact.get(fact, ()), *follows))
