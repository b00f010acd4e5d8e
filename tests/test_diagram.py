"""The diagram against brute force: outcome, possible, relevant, nearest."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from support.big_base import big_base
from support.random_bases import random_answers, randoms, worlds
from support.shipped import shipped

from advisor.engine.claims import claims
from advisor.engine.decision import know
from advisor.engine.decision_diagram import MOST_CHANGES, Diagram, TooWideError

slow = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def base():
    return shipped()


def random_box(rng, base):
    """What some answers leave open."""
    return know(random_answers(rng, base), base).box


def test_the_shipped_claims_are_few(base):
    """The interview computes them when it starts. An exclusion in four situations made them twenty times as slow."""
    boxes = sum(len(claim.trues) + len(claim.falses) for claim in claims(base))
    assert boxes < 12_000, f"{boxes} boxes: which exclusion has several situations or many conditions?"


@pytest.mark.long
@slow
@given(worlds())
def test_the_outcome_is_the_decision_for_every_case_that_occurs(world):
    diagram = Diagram.build(world.base)
    for case in world.cases:
        assert diagram.outcome(case) == (world.outcome(case) or "")


@pytest.mark.long
@slow
@given(worlds(), randoms)
def test_every_outcome_of_a_completion_is_possible(world, rng):
    diagram = Diagram.build(world.base)
    box = random_box(rng, world.base)
    assert {world.outcome(case) or "" for case in world.inside(box)} <= diagram.possible(box)


@slow
@given(worlds(joint=False), randoms)
def test_possible_is_exact(world, rng):
    diagram = Diagram.build(world.base)
    for box in ({}, random_box(rng, world.base)):
        assert diagram.possible(box) == {world.outcome(case) or "" for case in world.inside(box)}


@slow
@given(worlds(joint=False), randoms)
def test_a_variable_is_relevant_exactly_when_two_completions_differ_by_it(world, rng):
    diagram = Diagram.build(world.base)
    for box in ({}, random_box(rng, world.base)):
        outcomes = {case: world.outcome(case) for case in world.inside(box)}
        relevant = set()
        for variable in range(len(world.base.variables)):
            seen = {}
            for case, outcome in outcomes.items():
                seen.setdefault((*case[:variable], *case[variable + 1 :]), set()).add(outcome)
            if any(len(different) > 1 for different in seen.values()):
                relevant.add(variable)
        assert diagram.relevant(box) == relevant


@slow
@given(worlds(joint=False), randoms)
def test_nearest_changes_the_fewest_variables(world, rng):
    diagram = Diagram.build(world.base)
    case = rng.choice(world.cases) if world.cases else None
    if case is None:
        return
    read = set(diagram.order)
    best = {}
    for other in world.cases:
        outcome = world.outcome(other)
        price = sum(case[v] != other[v] for v in read)
        if outcome is not None and price < best.get(outcome, 99):
            best[outcome] = price
    best.pop(world.outcome(case), None)
    nearest = diagram.nearest(case)
    near = {outcome: price for outcome, price in best.items() if price <= MOST_CHANGES}
    assert {outcome: len(changed) for outcome, changed in nearest.items()} == near
    for outcome, changed in nearest.items():
        moved = tuple(changed.get(v, value) for v, value in enumerate(case))
        assert diagram.outcome(moved) == outcome


@pytest.mark.long
@slow
@given(worlds())
def test_no_node_is_superfluous(world):
    diagram = Diagram.build(world.base)
    inner = range(len(diagram.ends), len(diagram.asks))
    assert all(len(set(diagram.children[n])) > 1 for n in inner)
    assert len({(diagram.asks[n], diagram.children[n]) for n in inner}) == len(inner)
    assert set(inner) <= diagram.left({}).keys()


@pytest.mark.long
@slow
@given(worlds())
def test_a_diagram_comes_back_from_data_unchanged(world):
    built = Diagram.build(world.base)
    carried = Diagram.of(world.base.replaced(diagram=built.text()))
    assert (carried.asks, carried.children, carried.root, carried.order) == (
        built.asks,
        built.children,
        built.root,
        built.order,
    )


def test_a_base_far_wider_than_ours_is_refused_and_not_waited_for(monkeypatch):
    base = big_base()
    plain = Diagram.__init__

    def small(self, base, order, ends, budget=200_000):
        plain(self, base, order, ends, min(budget, 500))

    monkeypatch.setattr(Diagram, "__init__", small)
    with pytest.raises(TooWideError):
        Diagram.build(base)


@pytest.mark.long
def test_the_shipped_rules_make_a_small_diagram(base):
    """Ten times as many nodes cost the interview thirty megabytes and half of its speed."""
    nodes = len(Diagram.of(base).asks)
    assert nodes < 9_000, f"{nodes} nodes: run `python tests/variable_order.py`"


@pytest.mark.long
def test_every_order_gives_the_same_decisions(base):
    rng = random.Random(7)
    order = list(base.order)
    for at in rng.sample(range(len(order) - 1), 20):  # one that has nothing to do with it would be too wide
        order[at], order[at + 1] = order[at + 1], order[at]
    unordered = Diagram.build(base.replaced(order=tuple(order)))
    assert unordered.order != Diagram.of(base).order
    for _ in range(300):
        case = tuple(rng.randrange(len(variable.values)) for variable in base.variables)
        assert Diagram.of(base).outcome(case) == unordered.outcome(case)
