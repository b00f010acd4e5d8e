"""Confidence, caveats and what else a verdict says about open answers, against brute force over their completions."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from support.handwritten_answers import random_answers_of_file
from support.random_bases import World, bands, make, means, occurring_cases, question, random_answers, randoms, worlds
from support.shipped import shipped

from advisor.engine import confidence
from advisor.engine.changes import other_answers
from advisor.engine.decision import decide, holds, know, with_pattern
from advisor.engine.decision_diagram import Diagram, TooWideError
from advisor.engine.raising import raised
from advisor.engine.verdict import Judge
from advisor.model import rulebase as rb
from advisor.model.advice import PLACES
from advisor.ruleset.cache import load
from advisor.ruleset.example_value import value

slow = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def completions(world, known):
    """The cases that occur and agree with what is known, its numbers included; all of them where answers contradict."""
    exact = {fact: number for fact, number in known.answers.items() if fact not in known.open}
    cases = occurring_cases(world.base, {f: n for f, n in exact.items() if world.base.questions[f].type == "number"})
    return list(World(world.base, cases).inside(known.box))


def caveats(judge, known):
    """Everything that a verdict lists about the caveats of a case: what bites, and what depends on an answer."""
    decision = decide(known.lead, judge.base)
    return {c["id"]: c for some in raised([known], decision, {}, judge.base) for c in some}


def names_what_is_stated(situation, known, base):
    """Whether a situation names a stated fact, or none but the pattern."""
    facts = [fact for fact in situation if fact != rb.PATTERN]
    named = {f for fact in facts for f in (base.derived[fact].factors if fact in base.derived else (fact,))}
    return not named or not named.isdisjoint(known.stated)


def level(judge, known, primary, acceptable):
    return confidence.level([known], primary, acceptable, [], [], judge.base, judge.diagram)[0]


@slow
@given(worlds(sound=True, joint=False), randoms)
def test_a_caveat_bites_where_stated_facts_raise_it_always_and_waits_where_sometimes(world, rng):
    base = world.base
    known = know(random_answers(rng, base), base)
    primary = decide(known.lead, base).primary
    kept = [case for case in completions(world, known) if world.outcome(case) == primary]
    got = caveats(Judge(base), known)
    if not completions(world, known):
        return  # contradicting answers have a test of their own
    for caveat in base.caveats.values():
        every = caveat.when if isinstance(caveat.when, list) else [caveat.when]
        stated = [situation for situation in every if names_what_is_stated(situation, known, base)]
        full = [world.with_pattern(case, primary) for case in kept]
        found = got.get(caveat.id)
        if stated and all(means(stated, case, base) for case in full):
            assert found["because"]
        elif any(means(every, case, base) for case in full):
            assert found["if"]
        else:
            assert found is None


@slow
@given(worlds(sound=True, joint=False), randoms)
def test_the_answers_named_for_a_caveat_raise_it_and_keep_the_primary(world, rng):
    base = world.base
    answers = random_answers(rng, base)
    known = know(answers, base)
    primary = decide(known.lead, base).primary
    for caveat in caveats(Judge(base), known).values():
        if "if" in caveat:
            assert not caveat["if"].keys() & known.stated.keys()
            named = {fact: value(base.questions[fact], raw) for fact, raw in caveat["if"].items()}
            lead = know({**answers, **named}, base).lead
            assert decide(lead, base).primary == primary
            assert holds(base.caveats[caveat["id"]], with_pattern(lead, primary, base))


@slow
@given(worlds(sound=True, joint=False), randoms)
def test_confidence_is_high_with_one_primary_medium_inside_the_acceptable_else_low(world, rng):
    base = world.base
    known = know(random_answers(rng, base), base)
    primary = decide(known.lead, base).primary
    outcomes = {world.outcome(case) for case in world.inside(known.box)}
    if not outcomes:
        return
    acceptable = {"p", primary}
    enough = len(known.stated.keys() & confidence.deciding(base)) >= confidence.FEW
    expected = "low" if not outcomes <= acceptable else "high" if outcomes <= {primary} and enough else "medium"
    assert level(Judge(base), known, primary, acceptable) == expected


def contradictory():
    return make(
        [question("open-socket", "yes-no"), question("blocked", "yes-no"), question("late", "yes-no", mode="open")],
        ["p", "r"],
        steps=[[("first", {"late": "yes"}, ("p",))], [("last", {}, ("r",))]],
        caveats=[("conflict", {"open-socket": "yes", "blocked": "yes"})],
        impossible=[("both", {"open-socket": "yes", "blocked": "yes"})],
    )


def test_contradicting_answers_are_decided_with_caveats_and_doubts():
    base = contradictory()
    judge = Judge(base)
    known = know({"open-socket": True, "blocked": True}, base)
    assert caveats(judge, known)["conflict"]["because"] == "open-socket is yes and blocked is yes"
    assert level(judge, known, "r", {"r"}) == "low"
    assert level(judge, known, "r", {"r", "p"}) == "medium"
    settled = know({"open-socket": True, "blocked": True, "late": False}, base)
    assert level(judge, settled, "r", {"r"}) == "high"


def test_a_stated_number_counts_as_it_is_and_not_as_its_band():
    clients = question("clients", "number", bands=bands(10000, 100000), whole=True, lead=1)
    instances = question("instances", "number", bands=bands(2), whole=True, minimum=1.0, mode="open")
    share = rb.Derived("share", "", "", {"clients": 1, "instances": -1}, bands(10000))
    base = make(
        [clients, instances], ["p"], derived=[share], steps=[[("last", {}, ("p",))]],
        caveats=[("crowded", {"share": "b1", "instances": "b1"})],
    )  # fmt: skip
    judge = Judge(base)
    assert caveats(judge, know({"clients": 15000}, base)) == {}  # 15,000 on two or more are 7,500 at most
    assert caveats(judge, know({"clients": 50000}, base))["crowded"]["if"] == {"instances": 2}


# --- the shipped rules ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge():
    return Judge(shipped())


def test_a_need_of_zero_is_json_too(judge):
    """The requests that would keep clients fresh to the millisecond are infinite, and JSON has no such number."""
    answers = {"latency-need-ms": 0, "concurrent-clients": 100, "bidirectional-realtime": False}
    assert json.loads(json.dumps(judge.feature("one", answers), allow_nan=False))["primary"] == "sse"


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(randoms)
def test_every_verdict_of_the_shipped_rules_is_whole_and_consistent(judge, rng):
    base = judge.base
    verdict = judge.feature("one", random_answers_of_file(rng, base))
    primary = verdict["primary"]
    acceptable = [a["id"] for a in verdict["acceptable"]]
    assert primary in base.patterns
    assert acceptable[0] == primary
    assert len(set(acceptable)) == len(acceptable)
    assert not set(acceptable) & {r["id"] for r in verdict["rejected"]}
    assert verdict["outside"] == (base.patterns[primary].group == "outside")
    assert verdict["confidence"] in ("high", "medium", "low")
    if not verdict["open"]:
        in_doubt = verdict["confidence_why"].startswith("VERIFY: ")  # a row of a platform card that decides
        assert verdict["confidence"] == ("medium" if in_doubt else "high")
        assert len(verdict["caveats"]) == 5 or all(c["if"] for c in verdict["caveats_if"])
    ids = [c["id"] for c in (*verdict["caveats"], *verdict["caveats_if"])]
    assert len(set(ids)) == len(ids)
    assert len(verdict["caveats"]) <= 5
    assert all(c["because"] and c["do"] for c in verdict["caveats"])
    places = [[PLACES.index(step["at"]) for step in c["do"]] for c in verdict["caveats"]]
    assert places == [sorted(each) for each in places]  # in the order of the path
    assert [s["state"] for s in verdict["steps"]].count("decided") == 1
    sizes = [len(change["set"]) for change in verdict["changes"]]
    assert sizes == sorted(sizes)
    assert json.loads(json.dumps(verdict, allow_nan=False)) == verdict


def test_a_conflict_of_the_stated_answers_does_not_silence_the_caveats(judge):
    verdict = judge.feature("one", {"existing-connection": "websocket", "websockets-blocked": "always"})
    assert verdict["primary"]
    blocked = judge.feature("one", {"existing-connection": "none", "websockets-blocked": "always"})
    assert {c["id"] for c in verdict["caveats"]} & {c["id"] for c in blocked["caveats"]}


@settings(max_examples=40, deadline=None)
@given(randoms)
def test_whatever_an_open_fact_turns_out_to_be_its_outcome_was_called_possible(judge, rng):
    base = judge.base
    answers = random_answers_of_file(rng, base)
    known = know(answers, base)
    possible = judge.diagram.possible(known.box)
    for fact in known.open if possible else ():
        asked = base.questions[fact]
        for stated in (known.answers[fact], *other_answers(asked, known.answers[fact])):
            assert decide(know({**answers, fact: stated}, base).lead, base).primary in possible


def test_answers_that_contradict_each_other_are_said_and_still_decided():
    base = load()
    answers = {"bidirectional-realtime": False, "existing-connection": "websocket", "websockets-blocked": "always"}
    verdict = Judge(base).feature("x", answers)
    assert [item["id"] for item in verdict["contradictions"]] == ["socket-open-where-blocked"]
    assert verdict["primary"] is not None
    assert verdict["caveats"][0]["id"] == "requirements-conflict"
    assert Judge(base).feature("x", {"bidirectional-realtime": False})["contradictions"] == []


@pytest.mark.long
def test_a_rule_base_that_is_too_wide_for_a_diagram_is_decided_by_boxes(monkeypatch):
    base = load().replaced(diagram="")
    slim = Judge(base)
    monkeypatch.setattr(Diagram, "of", staticmethod(_too_wide))
    wide = Judge(base)
    assert not wide.diagram
    for answers in ({}, {"kind": "chat"}, {"bidirectional-realtime": False, "latency-need-ms": 10_000}):
        one, other = slim.feature("x", answers), wide.feature("x", answers)
        by_diagram = ("changes", "matters")  # what several answers together would change, and which these are
        assert set(other["matters"]) <= set(one["matters"])
        assert {k: v for k, v in one.items() if k not in by_diagram} == {
            k: v for k, v in other.items() if k not in by_diagram
        }
        assert [c for c in one["changes"] if len(c["set"]) == 1] == other["changes"]


def _too_wide(_base):
    raise TooWideError
