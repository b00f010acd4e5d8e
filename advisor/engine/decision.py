"""Answers into a decision: what is known, which rule decides, what is excluded, what else is acceptable.

Two evaluators over the same rules: `decide` stops at the first rule that holds; `trace` looks at every condition of
every rule and says how each came out. A property test pins them to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from advisor.model.boxes import Box, contains, covers, find
from advisor.model.conditions import Space, say_wanted
from advisor.model.patterns import compared
from advisor.model.rulebase import PATTERN, Caveat, Derived, Impossible, Plausible, Prior, Rule, RuleBase, Step, band_of
from advisor.model.values import UNKNOWN, Unknown, Value

Answers = Mapping[str, Value]


class Assumption(NamedTuple):
    """The value assumed for an unstated fact, and the prior that gave it (None: the question's own)."""

    fact: str
    value: Value
    prior: Prior | None


class Known(NamedTuple):
    """What the answers say about the case.

    `box` leaves open facts free. `lead` is the case that gives the headline: every open fact at its lead value.
    `answers` are the stated facts with the assumptions and lead values filled in. `unsure` are the facts to which the
    answer is "I don't know".
    """

    box: dict[int, int]
    lead: tuple[int, ...]
    answers: dict[str, Value]
    stated: dict[str, Value]
    assumptions: tuple[Assumption, ...]
    open: tuple[str, ...]
    unsure: frozenset[str] = frozenset()


def know(answers: Answers, base: RuleBase) -> Known:
    """The case that the answers describe, with every question that is not answered treated as "I don't know"."""
    stated: dict[str, Value] = {fact: value for fact, value in answers.items() if not isinstance(value, Unknown)}
    usual = usually(stated, base)
    given: dict[str, Value] = {**{fact: value for fact, (value, _) in usual.items()}, **stated}
    left_open = tuple(fact for fact, q in base.questions.items() if q.mode == "open" and fact not in given)
    assumptions = tuple(
        Assumption(fact, *usual.get(fact, (question.lead, None)))
        for fact, question in base.questions.items()
        if fact not in stated and fact not in left_open
    )
    case = lead_of(given, base)
    free = {base.index[PATTERN], *(variable for fact in left_open for variable in base.of_fact.get(fact, ()))}
    free |= {base.index[key] for key, d in base.derived.items() if any(fact in left_open for fact in d.factors)}
    box = {variable: 1 << value for variable, value in enumerate(case) if variable not in free}
    unsure = frozenset(answers.keys() - stated.keys())
    return Known(box, case, {**_defaults(base)[0], **given}, stated, assumptions, left_open, unsure)


def lead_case(answers: Answers, base: RuleBase) -> tuple[int, ...]:
    """`know(answers, base).lead`, without the rest: for deciding many variations of one file."""
    return lead_of(filled_in(answers, base), base)


def filled_in(answers: Answers, base: RuleBase) -> dict[str, Value]:
    """What is stated, and what the priors fill in beside it."""
    stated: dict[str, Value] = {fact: value for fact, value in answers.items() if not isinstance(value, Unknown)}
    return {**{fact: value for fact, (value, _) in usually(stated, base).items()}, **stated}


def lead_of(given: Answers, base: RuleBase) -> tuple[int, ...]:
    """The case of these answers, with every other fact at its lead value."""
    leads, default = _defaults(base)
    case = list(default)
    for fact, value in given.items():
        for variable, mask in base.encode(fact, value).items():
            case[variable] = mask.bit_length() - 1
    for derived in base.derived.values():
        if any(fact in given for fact in derived.factors):
            number = base.number(derived, {fact: given.get(fact, leads[fact]) for fact in derived.factors})
            assert number is not None
            case[base.index[derived.id]] = band_of(derived.bands, number)
    return tuple(case)


@lru_cache(maxsize=16)
def _defaults(base: RuleBase) -> tuple[dict[str, Value], tuple[int, ...]]:
    """Every fact at its lead value: the answers, and the case."""
    leads = {question.id: question.lead for question in base.questions.values()}
    return leads, case_of(leads, base)


def usually(stated: Answers, base: RuleBase) -> dict[str, tuple[Value, Prior]]:
    """What the priors fill in, in file order; a prior may build on what an earlier one filled."""
    box: dict[int, int] = {}
    for fact, value in stated.items():
        box.update(base.encode(fact, value))
    box.update(_numbers(base, stated))
    filled: dict[str, tuple[Value, Prior]] = {}
    for prior in base.priors:
        if not stated.keys().isdisjoint(prior.unsaid):
            continue
        for outer in prior.boxes:
            if covers(outer, box):
                break
        else:
            continue
        for fact, value in prior.usually.items():
            if fact not in stated and fact not in filled:
                filled[fact] = (value, prior)
                box.update(base.encode(fact, value))
                box.update(_numbers(base, {**stated, **{f: v for f, (v, _) in filled.items()}}))
    return filled


def _numbers(base: RuleBase, said: Answers) -> dict[int, int]:
    """The numbers that follow from what is said, among those that a prior reads."""
    found = {}
    for derived in _read_by_priors(base):
        number = base.number(derived, dict(said))
        if number is not None:
            found[base.index[derived.id]] = 1 << band_of(derived.bands, number)
    return found


@lru_cache(maxsize=16)
def _read_by_priors(base: RuleBase) -> tuple[Derived, ...]:
    read = {variable for prior in base.priors for box in prior.boxes for variable in box}
    return tuple(derived for derived in base.derived.values() if base.index[derived.id] in read)


def case_of(answers: Answers, base: RuleBase) -> tuple[int, ...]:
    """The case of fully filled answers; the pattern's place holds 0 until it is known (see `with_pattern`)."""
    case = [0] * len(base.variables)
    for fact, value in answers.items():
        for variable, mask in base.encode(fact, value).items():
            case[variable] = mask.bit_length() - 1
    for derived in base.derived.values():
        number = base.number(derived, dict(answers))
        if number is not None:
            case[base.index[derived.id]] = band_of(derived.bands, number)
    return tuple(case)


def with_pattern(case: Sequence[int], pattern: str, base: RuleBase) -> tuple[int, ...]:
    """The case with the feature's pattern filled in."""
    variable = base.index[PATTERN]
    made = list(case)
    made[variable] = base.variables[variable].values.index(pattern)
    return tuple(made)


def holds(rule: Rule | Caveat | Impossible | Plausible, case: Sequence[int]) -> bool:
    """Whether the condition holds in this case."""
    for box in rule.boxes:  # noqa: SIM110  # `any` with a generator takes three times as long
        if contains(box, case):
            return True
    return False


# --- the fast evaluator -----------------------------------------------------------------------------------------------


class Decision(NamedTuple):
    """The primary pattern (None where no rule gives one) and the rule that chose it."""

    primary: str | None
    rule: Rule | None
    step: Step | None


def decide(case: Sequence[int], base: RuleBase, without: Rule | None = None) -> Decision:
    """The first pattern that is not excluded, of the first rule that holds, in the order of the steps.

    `without`: an exclusion that is passed over.
    """
    for step in base.steps:
        for rule in step.rules:
            if holds(rule, case):
                for pattern in rule.patterns:
                    if excluding(pattern, case, base, without) is None:
                        return Decision(pattern, rule, step)
    return Decision(None, None, None)


def excluding(pattern: str, case: Sequence[int], base: RuleBase, without: Rule | None = None) -> Rule | None:
    """The first rule (other than `without`) that excludes the pattern here, if any."""
    return next((r for r in base.excludes if pattern in r.patterns and holds(r, case) and r is not without), None)


def offered(pattern: str, case: Sequence[int], base: RuleBase) -> bool:
    """Whether the pattern may be named beside the primary: it is not excluded, and no rule withholds it here."""
    return excluding(pattern, case, base) is None and not any(
        pattern in rule.patterns and holds(rule, case) for rule in base.withholds
    )


def accepted(case: Sequence[int], primary: str, base: RuleBase) -> Iterator[tuple[str, Rule]]:
    """The other acceptable patterns, each once, with the first rule that makes it so. `case` holds the pattern."""
    seen = {primary}
    for rule in base.accepts:
        if holds(rule, case):
            for pattern in rule.patterns:
                if pattern not in seen and offered(pattern, case, base):
                    seen.add(pattern)
                    yield pattern, rule


# --- the traced evaluator ---------------------------------------------------------------------------------------------

Result = Literal["true", "false", "unknown"]


class TracedCondition(NamedTuple):
    """One condition of one rule: what it wanted, what was answered, how it came out."""

    fact: str
    wanted: str
    answer: Value
    result: Result


class TracedRule(NamedTuple):
    """One rule, with all its conditions looked at."""

    rule: Rule
    result: Result
    conditions: tuple[TracedCondition, ...]


class TracedStep(NamedTuple):
    """One step: passed (no rule held), decided, or not-reached."""

    step: Step
    state: Literal["passed", "decided", "not-reached"]
    rules: tuple[TracedRule, ...]
    chosen: Rule | None


def trace(known: Known, base: RuleBase) -> tuple[tuple[TracedStep, ...], Decision]:
    """Every step with every rule and every condition; nothing is cut short. Decides on the lead case, as `decide` does.

    A condition on an open fact is "unknown" unless every value of the fact gives the same result.
    """
    traced = []
    decision = Decision(None, None, None)
    answers = _told(known, base)
    for step in base.steps:
        rules = tuple(_trace_rule(rule, known, answers, base) for rule in step.rules)
        reached = decision.primary is None
        chosen = None
        if reached:
            for rule in step.rules:
                pattern = first_open(rule, known.lead, base) if holds(rule, known.lead) else None
                if pattern is not None:
                    chosen = rule
                    decision = Decision(pattern, rule, step)
                    break
        state: Literal["passed", "decided", "not-reached"] = "not-reached"
        if reached:
            state = "decided" if chosen else "passed"
        traced.append(TracedStep(step, state, rules, chosen))
    return tuple(traced), decision


def first_open(rule: Rule, case: Sequence[int], base: RuleBase) -> str | None:
    """The first of the rule's patterns that nothing excludes here."""
    return next((p for p in rule.patterns if excluding(p, case, base) is None), None)


def trace_rule(rule: Rule, known: Known, base: RuleBase) -> TracedRule:
    """One rule over what is known, condition by condition."""
    return _trace_rule(rule, known, _told(known, base), base)


def _trace_rule(rule: Rule, known: Known, answers: Answers, base: RuleBase) -> TracedRule:
    box = known.box
    conditions = tuple(
        TracedCondition(fact, words, answers[fact], result_of(boxes, box, base))
        for fact, words, boxes in _conditions(base)[rule.id]
    )
    return TracedRule(rule, result_of(rule.boxes, box, base), conditions)


def _told(known: Known, base: RuleBase) -> dict[str, Value]:
    """Every fact's answer as the trace shows it: open facts, and numbers derived from them, are unknown."""
    answers = {**known.answers, **dict.fromkeys(known.open, UNKNOWN)}
    for key, derived in base.derived.items():
        number = base.number(derived, answers)
        answers[key] = UNKNOWN if number is None else number
    return answers


def _behind(fact: str, base: RuleBase) -> str:
    """The answer that a reader knows: of a number that follows from one answer alone, that answer."""
    factors = base.derived[fact].factors if fact in base.derived else {}
    return next(iter(factors)) if len(factors) == 1 else fact


@lru_cache(maxsize=16)
def _conditions(base: RuleBase) -> dict[str, tuple[tuple[str, str, tuple[Box, ...]], ...]]:
    """For every rule of the decision and the article: each of its conditions as (fact, words, boxes)."""
    space = Space(base.variables)
    made: dict[str, tuple[tuple[str, str, tuple[Box, ...]], ...]] = {}
    for step in (*base.steps, *base.article):
        for rule in step.rules:
            situations = rule.when if isinstance(rule.when, list) else [rule.when]
            made[rule.id] = tuple(
                (_behind(fact, base), say_wanted(fact, wanted, base), tuple(space.boxes({fact: wanted})))
                for situation in situations
                for fact, wanted in situation.items()
            )
    return made


def result_of(boxes: Sequence[Box], known: Box, base: RuleBase) -> Result:
    """How a union of boxes comes out over every completion of what is known."""
    full = base.full
    touching = []
    for box in boxes:
        covered = True
        for variable, mask in box.items():
            left = known.get(variable) or full[variable]
            if not left & mask:
                break
            if left & ~mask:
                covered = False
        else:
            if covered:
                return "true"
            touching.append(box)
    if not touching:
        return "false"
    return "unknown" if len(touching) == 1 or find(known, touching, full) is not None else "true"


# --- the article ------------------------------------------------------------------------------------------------------


class ArticleVerdict(NamedTuple):
    """What the five numbered steps alone give: the pattern and the step that settled it, or None and 0."""

    primary: str | None
    step: int
    states: tuple[tuple[Step, Rule | None, tuple[str, ...]], ...]  # per step: the rule that held, the patterns left


def article(known: Known, base: RuleBase) -> ArticleVerdict:
    """Walk the article's steps: each rule that holds keeps some of the patterns that are left, until there is only one.

    A step that would leave no pattern is skipped, and so is one that would rest on a question's own assumption, which
    no answer states. Where several patterns are left after the last step, there is no result.
    """
    standing = compared(base)
    told = known.stated.keys() | {a.fact for a in known.assumptions if a.prior is not None}
    states = []
    for step in base.article:
        rule = next((r for r in step.rules if _rests_on(r, known.lead, told, base)), None)
        if rule is not None:
            left = tuple(p for p in standing if p in rule.patterns)
            standing = left or standing
        states.append((step, rule, standing))
        if len(standing) == 1:
            return ArticleVerdict(standing[0], step.number, tuple(states))
    return ArticleVerdict(None, 0, tuple(states))


def _rests_on(rule: Rule, case: Sequence[int], told: set[str], base: RuleBase) -> bool:
    """Whether the rule holds in this case by facts in `told` alone."""
    return any(
        contains(box, case) and all(base.variables[variable].fact in told for variable in box) for box in rule.boxes
    )
