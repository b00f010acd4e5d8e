"""The order in which questions are asked: what the pattern most likely hangs on, what warns, what the kit needs.

The pattern is *settled* when no open answer, no plausible other value of what is assumed and no answer that surprises
now and then gives another pattern, and enough is stated: the verdict's confidence would be high, but for a platform
card in doubt. Until then, the next question is the one whose other answers, with the weights of rules/priors.yaml and
rules/shares.yaml, most likely give another pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from advisor.engine.changes import ByItself
from advisor.engine.confidence import FEW, deciding, doubts, without_unlisted
from advisor.engine.decision import Answers, Known, decide, know, lead_case
from advisor.engine.reach import Reach
from advisor.engine.relevance import Relevance
from advisor.model.rulebase import RuleBase
from advisor.model.shares import OTHER
from advisor.model.values import Value

Part = Literal["pattern", "warnings", "kit"]
FIRST = "kind"  # it says most: the priors fill in what a feature of its kind usually needs
OPEN = 1.0  # weight of an open fact that can move the pattern: it is followed both ways
RARE = 0.02  # where fewer surprise with another pattern, the question is not worth asking before the pattern is settled
LIKELY = 0.15  # where no more surprise, the usual answer is proposed in a list, among others
OFTEN = 0.1  # where more surprise, what the servers and the clients are is asked: with another answer it may decide
MOSTLY = 0.5  # where more surprise, anything is
MOST = 10  # rows of such a list: a longer one is not read


class Asking(NamedTuple):
    """What is left to ask, in order, by what it is for; and whether the pattern is settled.

    `weights`: how likely another answer to one of the first gives another pattern; those have to be asked before it is
    settled, as far as is known now. Once it is, what would be very unusual and could still give another pattern is
    asked with the rest.
    """

    settled: bool
    pattern: tuple[str, ...]
    warnings: tuple[str, ...]
    kit: tuple[str, ...]
    weights: Mapping[str, float]

    @property
    def likely(self) -> int:
        """How many questions settle the pattern, as far as is known now."""
        needed = self.weights.keys() | ({FIRST} & {*self.pattern})
        return min(max(len(needed), 1), len(self.pattern))

    @property
    def order(self) -> tuple[str, ...]:
        """Every question that is left."""
        return (*self.pattern, *self.warnings, *self.kit)

    def of(self, part: Part) -> tuple[str, ...]:
        """The questions of one part."""
        return {"pattern": self.pattern, "warnings": self.warnings, "kit": self.kit}[part]


def asking(answers: Answers, left: Relevance, base: RuleBase) -> Asking:
    """The questions of `left.reasons` that are not answered, in the order in which they should be asked."""
    place = {fact: number for number, fact in enumerate(base.questions)}
    waiting = [fact for fact in left.reasons if fact not in answers]
    moving = [fact for fact in waiting if left.reasons[fact].kind == "pattern" or fact == FIRST]
    weights = _weights(answers, moving, base)
    few = len(know(without_unlisted(answers), base).stated.keys() & deciding(base)) < FEW
    settled = not moving or not (few or weights or FIRST in moving)
    moving.sort(key=lambda fact: (fact != FIRST, -weights.get(fact, 0.0), place[fact]))
    merging = [fact for fact in waiting if left.reasons[fact].id == "merge"]
    deciding_now = [] if settled else moving
    rest = [fact for fact in waiting if fact not in deciding_now and fact not in merging]
    for_kit = {fact for fact in rest if left.reasons[fact].kind == "feeds" or "kit" in base.questions[fact].feeds}
    kit = sorted(for_kit, key=lambda fact: ("kit" not in base.questions[fact].feeds, place[fact]))
    warning = [fact for fact in rest if fact not in for_kit]
    warning.sort(key=lambda fact: (fact in moving, _severity(left.reasons[fact].id, base), place[fact]))
    return Asking(settled, tuple(deciding_now), (*merging, *warning), tuple(kit), weights)


def usual(
    answers: Answers, before: Answers, left: Relevance, weights: Mapping[str, float], base: RuleBase
) -> dict[str, Value]:
    """What a feature of this kind usually needs, as far as it still matters: for confirming it in one go.

    `before` are the answers of the product's other features: what features usually have alike is taken from there.
    `weights` are those of `asking`: an answer on which the pattern may hang is in the list where it is nearly certain.
    """
    known = know(answers, base)
    variables = set(base.of_fact.get(FIRST, ()))
    by_kind = {
        assumed.fact: assumed.value
        for assumed in (known.assumptions if FIRST in known.stated else ())
        if assumed.prior is not None and any(variables & box.keys() for box in assumed.prior.boxes)
    }
    alike = {fact: value for fact, value in before.items() if base.questions[fact].alike}
    found = {fact: value for fact, value in {**alike, **by_kind}.items() if fact in left.reasons}
    for fact in sorted(weights, key=lambda fact: -weights[fact]):
        if weights[fact] <= LIKELY and fact not in (FIRST, *known.open) and len(found) < MOST:
            found.setdefault(fact, known.answers[fact])
    return {fact: found[fact] for fact in base.questions if fact in found}


def _weights(answers: Answers, moving: list[str], base: RuleBase) -> dict[str, float]:
    """For each question: how likely another answer to it gives another pattern; the unlikely ones are left out."""
    listed = without_unlisted(answers)
    readings = [know(answers, base), *([know(listed, base)] if listed != dict(answers) else [])]
    found: dict[str, float] = {}
    for doubt in doubts(readings, ByItself(answers, base), base):
        found[doubt.fact] = found.get(doubt.fact, 0.0) + doubt.weight
    for known in readings:
        if known.open:
            relevant = Reach.of(known.box, base).relevant()
            found |= {fact: OPEN for fact in known.open if relevant & set(base.of_fact.get(fact, ()))}
    found |= _surprising(readings[0], [fact for fact in moving if fact not in found], base)
    return {fact: found[fact] for fact in moving if fact in found}


def _surprising(known: Known, moving: list[str], base: RuleBase) -> dict[str, float]:
    """For each fact, the share of features of this kind in which it surprises and gives another pattern here."""
    found: dict[str, float] = {}
    here = decide(known.lead, base).primary
    shares = _shares(base, known.stated.get(FIRST, OTHER))
    for fact in moving:
        listed = shares.get(fact, ())
        often = sum(share for _, share in listed)
        question = base.questions[fact]
        if often >= (OFTEN if question.scope == "app" or question.settled else MOSTLY):
            found[fact] = often
        elif often >= RARE:
            cases = ((lead_case({**known.stated, fact: value}, base), share) for value, share in listed)
            found[fact] = sum(share for case, share in cases if decide(case, base).primary != here)
    return {fact: share for fact, share in found.items() if share >= RARE}


@lru_cache(maxsize=64)
def _shares(base: RuleBase, kind: Value) -> dict[str, list[tuple[Value, float]]]:
    """For each fact, the answers that surprise with this kind of feature, and how often."""
    found: dict[str, list[tuple[Value, float]]] = {}
    for item in base.shares.surprises:
        share = base.shares.share(item, kind if isinstance(kind, str) else OTHER)
        found.setdefault(item.fact, []).append((item.value, share))
    return found


def _severity(name: str, base: RuleBase) -> int:
    caveat = base.caveats.get(name)
    return ("breaks", "degrades", "note").index(caveat.severity) if caveat is not None else 1
