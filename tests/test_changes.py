"""What would change the decision: written into the answers, each proposal leads where it says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from support.handwritten_answers import random_answers_of_file
from support.random_bases import assert_legal, bases, means, question, random_answers, randoms

from advisor.base.data import data
from advisor.engine.changes import ByItself, changes, other_answers, single_changes
from advisor.engine.decision import case_of, decide, know
from advisor.engine.decision_diagram import Diagram
from advisor.model.rulebase import Band
from advisor.model.values import Other
from advisor.ruleset.cache import load

slow = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def check(answers, base):
    """Every promise that `changes` makes for these answers."""
    diagram = Diagram.of(base)
    known = know(answers, base)
    here = decide(known.lead, base).primary
    found = changes(ByItself(answers, base), known, base, diagram)
    assert len({to for to, _ in found.to}) == len(found.to)
    for to, settings_ in found.to:
        assert to != here
        assert settings_
        assert decide(know({**answers, **settings_}, base).lead, base).primary == to
        assert all(value != known.answers[fact] for fact, value in settings_.items())
        assert_legal(settings_, base)
    by_one = {}
    for fact, value in single_changes(known, base):
        to = decide(know({**answers, fact: value}, base).lead, base).primary
        if to not in (None, here):
            by_one.setdefault(to, set()).add(fact)
    assert {to for to, settings_ in found.to if len(settings_) == 1} >= by_one.keys()
    for fact, tos in found.decisive.items():
        assert all(fact in by_one[to] for to in tos)
    assert {fact for facts in by_one.values() for fact in facts} == found.decisive.keys()
    return found, here, known


@slow
@given(bases(priors=True), randoms)
def test_each_proposed_change_leads_where_it_says_when_written_into_the_answers(base, rng):
    check(random_answers(rng, base), base)


@slow
@given(bases(joint=False), randoms)
def test_one_answer_that_leads_elsewhere_is_never_missed(base, rng):
    """Without priors and derived numbers, a change of one answer is a change of one variable: none can hide."""
    if base.derived or any(base.variables[i].element for i in range(len(base.variables))):
        return
    answers = random_answers(rng, base)
    found, here, known = check(answers, base)
    reached = set()
    for i, variable in enumerate(base.variables[:-1]):
        for value, name in enumerate(variable.values):
            case = (*known.lead[:i], value, *known.lead[i + 1 :])
            contradicts = any(means(item.when, case, base) for item in base.impossible)
            if name != "other" and not contradicts and decide(case, base).primary not in (None, here):
                reached.add(decide(case, base).primary)
    assert reached <= {to for to, settings_ in found.to if len(settings_) == 1}


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(randoms)
def test_the_shipped_rules_propose_only_changes_that_work(rng):
    base = load(data("rules"))
    check(random_answers_of_file(rng, base), base)


def test_other_answers_reach_every_value_that_rules_tell_apart():
    number = question("n", "number", bands=(Band("a", 0, 5), Band("b", 5, 50), Band("c", 50, float("inf"))), whole=True)
    assert list(other_answers(number, 7)) == [3, 50]
    assert list(other_answers(question("q", "yes-no"), True)) == [False]
    choice = question("w", "one-of", options={"a": "a", "b": "b"})
    assert list(other_answers(choice, Other("x"))) == ["a", "b"]
    several = question("s", "some-of", options={"a": "a", "b": "b"})
    assert set(other_answers(several, ("a",))) == {("a", "b"), ("b",)}


def test_a_proposed_number_is_whole_for_counts_and_not_below_the_minimum():
    number = question("n", "number", bands=(Band("a", 0, 5), Band("b", 5, float("inf"))), whole=True, minimum=4.0)
    assert list(other_answers(number, 9)) == [4]
    none = question("n", "number", bands=(Band("a", 0, 5), Band("b", 5, float("inf"))), minimum=5.0)
    assert list(other_answers(none, 9)) == []


def test_the_lead_case_of_a_change_carries_what_follows_from_it():
    base = load(data("rules"))
    known = know({"concurrent-clients": 200000}, base)
    assert known.lead == case_of(known.answers, base)
