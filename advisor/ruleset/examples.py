"""The examples beside the rules: each is a promise that the prover holds the rules to."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.engine.decision import accepted, article, decide, holds, know, lead_case, with_pattern
from advisor.engine.raising import by_rules, situations
from advisor.model.boxes import contains
from advisor.model.rulebase import Caveat, Example, Place, Rule, RuleBase

Failure = tuple[str, str, Place, str]  # code, subject, place, sentence


def failures(base: RuleBase) -> Iterator[Failure]:
    """Every example that does not hold."""
    for rule in (*base.excludes, *base.withholds):
        yield from _excludes(rule, base)
    for step in base.steps:
        for rule in step.rules:
            yield from _choices(rule, base)
    for rule in base.accepts:
        yield from _accepts(rule, base)
    for step in base.article:
        for rule in step.rules:
            yield from _article(rule, base)
    for caveat in base.caveats.values():
        yield from _caveats(caveat, base)


def _excludes(rule: Rule, base: RuleBase) -> Iterator[Failure]:
    for example in rule.examples:
        if example.expect not in rule.patterns or not holds(rule, lead_case(example.given, base)):
            yield _failed(rule, example, f"{rule.id} does not hold for {example.expect} here")


def _article(rule: Rule, base: RuleBase) -> Iterator[Failure]:
    for example in rule.examples:
        got = article(know(example.given, base), base)
        if got.primary != example.expect:
            yield _failed(rule, example, f"the article's steps lead to {got.primary or 'no pattern'}")
        elif not any(r is rule for _, r, _ in got.states):
            yield _failed(rule, example, f"{rule.id} plays no part in it")


def _choices(rule: Rule, base: RuleBase) -> Iterator[Failure]:
    for example in rule.examples:
        got = decide(lead_case(example.given, base), base)
        if got.primary != example.expect or got.rule is not rule:
            why = f"{got.rule.id} chooses {got.primary or 'nothing'} first" if got.rule else "no rule decides this case"
            yield _failed(rule, example, why)


def _accepts(rule: Rule, base: RuleBase) -> Iterator[Failure]:
    for example in rule.examples:
        case = lead_case(example.given, base)
        primary = decide(case, base).primary
        if primary is None:
            yield _failed(rule, example, "no pattern is chosen in this case")
            continue
        found = dict(accepted(with_pattern(case, primary, base), primary, base))
        by = found.get(example.expect)
        if by is not rule:
            why = f"{by.id} accepts it first" if by else f"{example.expect} is not acceptable beside {primary}"
            yield _failed(rule, example, why)


def _caveats(caveat: Caveat, base: RuleBase) -> Iterator[Failure]:
    for example in caveat.examples:
        if example.expect not in ("raised", "silent"):
            yield _failed(caveat, example, "`expect` of a caveat must be raised or silent")
        elif got := instead(caveat, example, base):
            yield _failed(caveat, example, f"the caveat is {got}")


def instead(caveat: Caveat, example: Example, base: RuleBase) -> str:
    """What comes out instead of what the example expects of the caveat; empty where the example holds."""
    known = know(example.given, base)
    decision = decide(known.lead, base)
    primary = decision.primary
    raised = primary is not None and (
        any(not s.missing and contains(s.box, known.lead) for s in situations(caveat, primary, known, base))
        or caveat.id in by_rules(known, decision, base)
    )
    if raised == (example.expect == "raised"):
        return ""
    return f"{'raised' if raised else 'silent'} (the pattern is {primary})"


def _failed(item: Rule | Caveat, example: Example, why: str) -> Failure:
    return ("EXAMPLE", f"{item.id}@{example.place.line}", example.place, f"the example expects {example.expect}: {why}")
