"""Both evaluators against the contract read case by case, and what "I don't know" does."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from support.random_bases import (
    bands,
    bases,
    inside,
    make,
    means,
    question,
    random_answers,
    random_value,
    randoms,
    worlds,
)
from support.shipped import shipped

from advisor.engine.decision import accepted, case_of, decide, excluding, know, lead_case, result_of, trace, usually
from advisor.engine.decision_diagram import Diagram
from advisor.model import rulebase as rb
from advisor.model.conditions import Space
from advisor.model.values import UNKNOWN, Unknown

slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.long
@slow
@given(worlds())
def test_decide_reads_the_steps_as_the_contract_does(world):
    for case in world.cases:
        assert decide(case, world.base).primary == world.outcome(case)


@pytest.mark.long
@slow
@given(worlds())
def test_what_is_acceptable_is_accepted_by_a_rule_and_excluded_by_none(world):
    base = world.base
    for case in world.cases[:500]:
        primary = world.outcome(case)
        if primary is None:
            continue
        full = world.with_pattern(case, primary)
        wanted = {p for rule in base.accepts if means(rule.when, full, base) for p in rule.patterns}
        got = dict(accepted(full, primary, base))
        assert set(got) == {p for p in wanted - {primary} if not world.excluded(p, case)}
        assert all(means(rule.when, full, base) and p in rule.patterns for p, rule in got.items())
        for name in base.patterns:
            assert (excluding(name, case, base) is not None) == world.excluded(name, case)


@slow
@given(bases(priors=True), randoms)
def test_the_traced_evaluator_decides_as_the_fast_one_and_as_the_diagram(base, rng):
    known = know(random_answers(rng, base), base)
    steps, traced = trace(known, base)
    fast = decide(known.lead, base)
    assert traced == fast
    assert [s.state for s in steps].count("decided") == (fast.primary is not None)
    contradicts = any(means(item.when, known.lead, base) for item in base.impossible)
    if not contradicts:
        assert Diagram.of(base).outcome(known.lead) == (fast.primary or "")


@slow
@given(bases(priors=True), randoms)
def test_every_condition_of_a_trace_comes_out_as_over_all_completions(base, rng):
    known = know(random_answers(rng, base), base)
    space = Space(base.variables[:-1])
    steps, _ = trace(known, base)
    for step, traced in zip(base.steps, steps, strict=True):
        assert [t.rule for t in traced.rules] == list(step.rules)
        for rule, found in zip(step.rules, traced.rules, strict=True):
            assert found.result == over_completions(space.boxes(rule.when), known.box, base)
            situations = rule.when if isinstance(rule.when, list) else [rule.when]
            parts = [{fact: wanted} for situation in situations for fact, wanted in situation.items()]
            assert [c.fact for c in found.conditions] == [fact for part in parts for fact in part]
            for part, condition in zip(parts, found.conditions, strict=True):
                assert condition.result == over_completions(space.boxes(part), known.box, base)


def over_completions(boxes, known, base):
    variables = sorted({v for box in boxes for v in box})
    values = [[i for i in range(len(base.variables[v].values)) if known.get(v, -1) >> i & 1] for v in variables]
    results = set()
    for taken in itertools.product(*values):
        case = dict(zip(variables, taken, strict=True))
        results.add(any(all(mask >> case[v] & 1 for v, mask in box.items()) for box in boxes))
    return "unknown" if len(results) == 2 else "true" if True in results else "false"


@slow
@given(worlds(joint=False), randoms)
def test_a_union_of_boxes_is_true_false_or_unknown_as_over_all_completions(world, rng):
    base = world.base
    space = Space(base.variables[:-1])
    rules = [rule for step in base.steps for rule in step.rules]
    known = know(random_answers(rng, base), base).box
    for rule in rules:
        assert result_of(rule.boxes, known, base) == over_completions(space.boxes(rule.when), known, base)


@slow
@given(bases(priors=True), randoms)
def test_the_lead_case_is_the_one_that_know_gives(base, rng):
    answers = random_answers(rng, base)
    known = know(answers, base)
    assert lead_case(answers, base) == known.lead == case_of(known.answers, base)
    assert inside(known.box, known.lead)
    for fact in known.open:
        assert base.questions[fact].mode == "open"
        assert isinstance(answers.get(fact, UNKNOWN), Unknown)
    assert {a.fact for a in known.assumptions} | set(known.open) | set(known.stated) == set(base.questions)


def test_a_prior_reads_a_number_that_follows_from_what_is_stated_or_filled_in():
    base = shipped()
    nightly = usually({"server-msg-rate-per-s": 1.16e-05, "clients": ("browser",)}, base)
    assert nightly["latency-need-ms"][1].id == "made-once-a-day"
    assert "latency-need-ms" not in usually({"server-msg-rate-per-s": 3e-05, "clients": ("browser",)}, base)
    servers = {"clients": ("server",), "broker": "kafka", "concurrent-clients": 10}
    assert usually({**servers, "listeners-per-event": 10}, base)["same-content-for-all"][0] is True
    assert "same-content-for-all" not in usually({**servers, "listeners-per-event": 9}, base)
    assert "same-content-for-all" not in usually(servers, base)  # one of the two factors is not known


@slow
@given(bases(priors=True), randoms)
def test_a_prior_fills_only_what_nobody_stated_and_only_where_its_condition_is_sure(base, rng):
    stated = {f: v for f, v in random_answers(rng, base).items() if not isinstance(v, Unknown)}
    filled = usually(stated, base)
    assert not filled.keys() & stated.keys()
    for fact, (value, prior) in filled.items():
        assert prior.usually[fact] == value
        named = {base.variables[v].fact for box in prior.boxes for v in box}
        everything = {
            **{q.id: q.lead for q in base.questions.values()},
            **{f: v for f, (v, _) in filled.items()},
            **stated,
        }
        assert means(prior.when, case_of(everything, base), base)
        assert named & (stated.keys() | filled.keys())


@slow
@given(bases(), randoms)
def test_order_inside_a_step_does_not_matter_where_the_prover_sees_no_disagreement(base, rng):
    from advisor.ruleset.prove import prove

    if any(f.code == "AMBIGUOUS" for f in prove(base).findings):
        assume(condition=False)
    shuffled = shuffle(base, rng)
    for _ in range(300):
        answers = random_answers(rng, base, unknown=0)
        case = case_of(answers, base)
        if not any(means(item.when, case, base) for item in base.impossible):
            assert decide(case, base).primary == decide(case, shuffled).primary


def shuffle(base, rng):
    steps = [step._replace(rules=tuple(rng.sample(step.rules, len(step.rules)))) for step in base.steps]
    return base.replaced(steps=tuple(steps))


@slow
@given(worlds(joint=False), randoms)
def test_a_fact_made_unknown_takes_no_outcome_away(world, rng):
    base = world.base
    answers = random_answers(rng, base)
    openable = [f for f, v in answers.items() if base.questions[f].mode == "open" and not isinstance(v, Unknown)]
    assume(openable)
    fact = rng.choice(openable)
    before = Diagram.of(base).possible(know(answers, base).box)
    after = Diagram.of(base).possible(know({**answers, fact: UNKNOWN}, base).box)
    assert before <= after


def test_an_unknown_yes_no_is_neither_no_nor_yes():
    base = make(
        [question("flag", "yes-no", mode="open")],
        ["p", "r"],
        steps=[[("a", {"flag": "yes"}, ("p",))], [("b", {"flag": "no"}, ("r",))]],
    )
    for answers in ({}, {"flag": UNKNOWN}):
        known = know(answers, base)
        steps, decision = trace(known, base)
        assert [rule.result for step in steps for rule in step.rules] == ["unknown", "unknown"]
        assert decision.primary == "r"  # the lead answer gives the headline
        assert Diagram.of(base).possible(known.box) == {"p", "r"}


@pytest.mark.parametrize(
    ("rate", "per", "band"), [(0, 0, 0), (0, 5, 0), (8, 0, 2), (8, 2, 1), (1e308, 1e-300, 2), (4, 4, 1), (3.999, 4, 0)]
)
def test_derived_numbers_survive_zeros_and_overflow(rate, per, band):
    share = rb.Derived("share", "", "", {"rate": 1, "per": -1}, bands(1, 16))
    base = make(
        [question("rate", "number", bands=bands(4)), question("per", "number", bands=bands(4))], ["p"], derived=[share]
    )
    known = know({"rate": rate, "per": per}, base)
    assert known.lead[base.index["share"]] == band


def test_a_derived_number_with_an_open_source_stays_open():
    rng = Random(3)
    share = rb.Derived("share", "", "", {"rate": 1, "per": -1}, bands(1, 16))
    asked = question("per", "number", bands=bands(4), mode="open")
    base = make([question("rate", "number", bands=bands(4)), asked], ["p"], derived=[share])
    known = know({"rate": 8}, base)
    assert base.index["share"] not in known.box
    assert base.index["share"] in know({"rate": 8, "per": random_value(rng, asked)}, base).box
