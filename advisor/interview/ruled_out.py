"""Why a pattern cannot come out any more: an answer that, given differently, would bring it back.

The answer after which a pattern was first impossible is not enough: a later one may exclude it as well, so changing the
first would change nothing. Here an answer is named only if the pattern is possible without it and with all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from advisor.engine.completions import completions, questions_of
from advisor.engine.decision import Answers, result_of
from advisor.engine.decision_diagram import Diagram
from advisor.model.rulebase import Rule, RuleBase
from advisor.model.values import Value

Items = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Fallen:
    """A pattern that is ruled out: the answers that have to be other ones for it to come back, mostly a single one.

    `rule` is the rule that excludes it or decides for another pattern, if a single one did.
    """

    pattern: str
    facts: tuple[str, ...]
    rule: str
    because: str


@lru_cache(maxsize=2048)
def possible(items: Items, base: RuleBase) -> frozenset[str]:
    """The patterns that these answers leave possible. Kept, since an answer changes little of what came before it."""
    return frozenset(Diagram.of(base).possible(completions(dict(items), base).box))


def fallen(answers: Answers, left: frozenset[str], base: RuleBase) -> list[Fallen]:
    """The patterns that are not `left`, and why. `answers` are all that were given, also those without effect now."""
    given = tuple(answers.items())
    box = completions(answers, base).box
    found = []
    for pattern in base.patterns:
        if pattern not in left:
            rule = _rule(pattern, box, base)
            facts = _alone(pattern, given, rule, base) or _together(pattern, given, base)
            found.append(Fallen(pattern, facts, rule.id if rule else "", rule.because if rule else ""))
    return found


def _alone(pattern: str, given: Items, rule: Rule | None, base: RuleBase) -> tuple[str, ...]:
    """The one answer without which the pattern is possible.

    An answer that decides directly is preferred to one that only makes others likely; then a need is preferred to what
    the feature is; then an answer that the rule names.
    """
    of_rule = _asked_by([rule], base) if rule is not None and rule in base.excludes else set()
    deciding = _deciding(base)
    answered = [fact for fact, _ in given]
    tried = sorted(answered, key=lambda f: (f not in deciding, base.questions[f].settled, f not in of_rule))
    return next(((fact,) for fact in tried if pattern in possible(_without([fact], given), base)), ())


def _asked_by(rules: Iterable[Rule], base: RuleBase) -> set[str]:
    return set[str]().union(*(questions_of(box, base) for rule in rules for box in rule.boxes))


@lru_cache(maxsize=16)
def _deciding(base: RuleBase) -> set[str]:
    """The questions that a rule of the decision asks for."""
    return _asked_by((*base.excludes, *(rule for step in base.steps for rule in step.rules)), base)


def _together(pattern: str, given: Items, base: RuleBase) -> tuple[str, ...]:
    """Answers without which the pattern is possible, none of them to spare."""
    gone: list[str] = []
    if pattern not in possible((), base):
        return ()
    while pattern not in possible(_without(gone, given), base):
        rest = _without(gone, given)
        low, high = 0, len(rest)  # possible after `low` answers, and not after `high`
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if pattern in possible(rest[:middle], base) else (low, middle)
        gone.append(rest[low][0])
    for fact in list(gone):
        fewer = [other for other in gone if other != fact]
        if pattern in possible(_without(fewer, given), base):
            gone = fewer
    return tuple(fact for fact, _ in given if fact in gone)


def _without(facts: Sequence[str], given: Items) -> Items:
    return tuple(item for item in given if item[0] not in facts)


def _rule(pattern: str, box: dict[int, int], base: RuleBase) -> Rule | None:
    """The rule that excludes the pattern here, or else the one that surely decides."""
    for rule in base.excludes:
        if pattern in rule.patterns and result_of(rule.boxes, box, base) == "true":
            return rule
    for step in base.steps:
        results = [(rule, result_of(rule.boxes, box, base)) for rule in step.rules]
        held = [rule for rule, result in results if result == "true"]
        if held or any(result == "unknown" for _, result in results):
            return held[0] if held else None
    return None
