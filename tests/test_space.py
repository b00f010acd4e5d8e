"""Conditions and concrete answers: boxes mean what the words say, and every witness is a case that really occurs."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from support.random_bases import (
    World,
    assert_legal,
    bands,
    bases,
    consistent,
    inside,
    make,
    means,
    occurring_cases,
    question,
    random_answers,
    random_base,
    random_when,
    randoms,
    worlds,
)

from advisor.engine.decision import case_of
from advisor.engine.space import cannot_occur, realise, witness
from advisor.model import rulebase as rb
from advisor.model.boxes import contains
from advisor.model.conditions import ConditionError, Space, say
from advisor.model.values import Other

slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.long
@slow
@given(worlds(), randoms)
def test_the_boxes_of_a_condition_hold_where_the_condition_read_fact_by_fact_holds(world, rng):
    space = Space(world.base.variables)
    when = random_when(rng, space)
    boxes = space.boxes(when)
    for case in world.cases:
        for i in range(len(world.base.patterns)):
            full = (*case[:-1], i)
            assert any(contains(box, full) for box in boxes) == means(when, full, world.base)


@pytest.mark.long
@slow
@given(worlds(), randoms)
def test_a_witness_is_there_exactly_when_a_case_is_and_shows_what_it_claims(world, rng):
    base = world.base
    space = Space(base.variables[:-1])
    (box, *_), minus = space.boxes(random_when(rng, space, depth=0)), []
    for _ in range(rng.randint(0, 5)):
        minus += space.boxes(random_when(rng, space))
    left = [case for case in world.inside(box) if not any(inside(m, case) for m in minus)]
    answers = witness(box, minus, base)
    assert (answers is None) == (not left)
    if answers is not None:
        shown = consistent(answers, world)
        assert shown
        assert set(shown) <= set(left)
        assert_legal(answers, base)


@pytest.mark.long
@slow
@given(worlds(), randoms)
def test_no_case_that_answers_give_is_called_impossible(world, rng):
    unreachable = [box for box in cannot_occur(world.base) if box]
    answers = random_answers(rng, world.base, unknown=0)
    case = case_of(answers, world.base)
    contradicts = any(means(item.when, case, world.base) for item in world.base.impossible)
    assert any(inside(box, case) for box in unreachable) == contradicts


@pytest.mark.long
@slow
@given(worlds(), randoms)
def test_realised_answers_keep_what_is_preferred_wherever_the_box_allows_it(world, rng):
    base = world.base
    before = random_answers(rng, base, unknown=0)
    case = case_of(before, base)
    box = {i: 1 << case[i] for i, v in enumerate(base.variables[:-1])}
    assert realise(box, base, before) == {**before, **{f: v for f, v in before.items() if isinstance(v, Other)}}


def test_a_whole_number_in_a_witness_is_whole_and_not_below_its_minimum():
    clients = question("clients", "number", bands=bands(1000), whole=True)
    instances = question("instances", "number", bands=bands(2), whole=True, minimum=1.0)
    share = rb.Derived("share", "", "", {"clients": 1, "instances": -1}, bands(1000))
    base = make([clients, instances], ["p"], derived=[share])
    few_on_one_but_many_each = Space(base.variables).boxes({"clients": "b0", "instances": "b0", "share": "b1"})[0]
    assert witness(few_on_one_but_many_each, [], base) is None
    many = Space(base.variables).boxes({"clients": "b1", "instances": "b1", "share": "b1"})[0]
    assert_legal(witness(many, [], base), base)


def test_two_derived_numbers_that_exclude_each_other_have_no_witness():
    a, b = question("a", "number", bands=bands(4)), question("b", "number", bands=bands(4))
    product = rb.Derived("ab", "", "", {"a": 1, "b": 1}, bands(64))
    ratio = rb.Derived("a-per-b", "", "", {"a": 1, "b": -1}, bands(0.25, 64))
    base = make([a, b], ["p"], derived=[product, ratio])
    # a >= 64 b and a b < 64 need b < 1; with b >= 4 there is no such a.
    box = Space(base.variables).boxes({"b": "b1", "ab": "b0", "a-per-b": "b2"})[0]
    assert witness(box, [], base) is None


def test_an_impossible_combination_over_a_derived_number_is_left_out():
    a, b = question("a", "number", bands=bands(4)), question("b", "number", bands=bands(4))
    product = rb.Derived("ab", "", "", {"a": 1, "b": 1}, bands(4, 16))
    base = make([a, b], ["p"], derived=[product], impossible=[("never", {"ab": "b2"})])
    box = Space(base.variables).boxes({"a": "b1", "b": "b1"})[0]  # their product is always 16 or more
    assert witness(box, [], base) is None


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ([], "an empty list"),
        ("yes", "a mapping of facts"),
        ({"flga": "yes"}, "did you mean flag?"),
        ({"flag": "maybe"}, "no answer 'maybe'"),
        ({"flag": {"not": "maybe"}}, "no answer 'maybe'"),
        ({"flag": ["yes", "no"]}, "allows every answer"),
        ({"flag": {"not": ["yes", "no"]}}, "excludes every answer"),
        ({"flag": {"any": "yes"}}, "only `not` is allowed here"),
        ({"way": "other"}, "no answer 'other'"),
        ({"way": ["a", ["b"]]}, "no answer"),
        ({"set": "c"}, "no answer 'c'"),
        ({"set": {"all": "a", "not": "a"}}, "contradict each other"),
        ({"set": {"some": "a"}}, "`any`, `all`, `not` and `only`"),
        ({"set": {"any": {"a": 1}}}, "no answer"),
        ({"number": 3}, "no answer '3'"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_with_what_is_wrong(when, complaint):
    base = make(
        [
            question("flag", "yes-no"),
            question("way", "one-of", options={"a": "a", "b": "b"}),
            question("set", "some-of", options={"a": "a", "b": "b"}),
            question("number", "number", bands=bands(4)),
        ],
        ["p"],
    )
    with pytest.raises(ConditionError, match=complaint):
        Space(base.variables).boxes(when)


@slow
@given(bases(), randoms)
def test_every_condition_can_be_said_in_words(base, rng):
    words = say(random_when(rng, Space(base.variables)), base)
    assert words
    assert "{" not in words


@pytest.mark.long
def test_brute_force_itself_agrees_with_numbers_picked_at_random():
    rng = Random(5)
    for _ in range(15):
        base = random_base(rng)
        if not base.derived:
            continue
        world = World(base, occurring_cases(base))
        known = set(world.cases)
        for _ in range(50):
            case = case_of(random_answers(rng, world.base, unknown=0), world.base)
            assert case in known or any(means(i.when, case, world.base) for i in world.base.impossible)


@pytest.mark.parametrize(
    ("more", "band", "there"),
    [
        ({}, "b1", True),  # 1 / a is exactly 1 for a = 1, the lower end, which belongs to the band
        ({}, "b0", False),  # and never less, for a below 1 only what is above 1 comes out
        ({"whole": True}, "b1", True),
        ({"minimum": 1.0, "whole": True}, "b2", False),
    ],
)
def test_the_end_of_a_stretch_counts_exactly_when_a_number_reaches_it(more, band, there):
    share = rb.Derived("share", "", "", {"a": -1}, bands(1, 4))
    base = make([question("a", "number", bands=bands(1, 4), **more)], ["p"], derived=[share])
    source = "b1" if band == "b1" or more.get("minimum") else "b0"
    box = Space(base.variables).boxes({"a": source, "share": band})[0]
    answers = witness(box, [], base)
    assert (answers is not None) == there
    if answers is not None:
        assert base.number(share, answers) == 1
