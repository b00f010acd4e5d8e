"""The order of the questions: what decides first, every question once, and no pattern called settled too early."""

from __future__ import annotations

import interview_lengths
import pytest
import shares_by_kind
from hypothesis import HealthCheck, given, settings
from support.labelled_projects import ROOT, projects
from support.random_bases import random_base, random_value, randoms
from support.shipped import shipped

from advisor.answers.check import RefusedError
from advisor.engine.asking import FIRST, LIKELY, MOST, RARE, asking
from advisor.engine.confidence import plausible
from advisor.engine.decision import decide, know
from advisor.engine.portfolio import recommend
from advisor.engine.relevance import relevance
from advisor.interview.session import Session
from advisor.model.shares import OTHER, Shares, Surprise
from advisor.model.values import UNKNOWN
from advisor.ruleset.cache import load

quick = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def base():
    return load()


@pytest.fixture(scope="module")
def described(base):
    return projects(base)


def settled(session):
    """As far as an interview goes until it says that the pattern is settled, with "I don't know" to each question."""
    while session.question is not None and session.pause != "settled":
        session = session.confirm() if session.pause == "list" else session.unknown(session.question.id)
    return session


# --- the counts behind the order --------------------------------------------------------------------------------------


def test_the_shares_are_what_the_command_counts(base, described):
    told = (ROOT / "rules" / "shares.yaml").read_text("utf-8")
    assert told == shares_by_kind.written(described, base), "run `python tests/shares_by_kind.py`"


def test_a_share_of_a_rare_kind_leans_on_that_of_all_kinds():
    shares = Shares({"chat": 94, "bot": 6}, (Surprise("media", True, {"chat": 10}),))
    (item,) = shares.surprises
    assert shares.share(item, "chat") == pytest.approx((10 + 6 * 0.1) / 100)
    assert shares.share(item, "bot") == pytest.approx(6 * 0.1 / 12)
    assert shares.share(item, OTHER) == pytest.approx(0.1)


# --- the order --------------------------------------------------------------------------------------------------------


def test_the_kind_comes_first_and_then_what_most_likely_gives_another_pattern(base):
    session = Session.new(base, "a")
    assert session.question.id == FIRST
    for kind in ("notifications", "chat", "dashboard", "game"):
        asked = session.answer(FIRST, kind).asking
        weights = [asked.weights.get(fact, 0.0) for fact in asked.pattern]
        assert weights == sorted(weights, reverse=True), kind
        assert all(weight >= RARE for weight in asked.weights.values())


@quick
@given(randoms)
def test_every_question_that_matters_is_asked_once_and_in_the_same_order_again(rng):
    """With any answers, contradictions among them: it ends, and nothing that still matters is left out."""
    base = random_base(rng)
    session = Session.new(base, "f")
    asked = []
    while session.question is not None:
        again = asking(session.answers, relevance(session.standing, base), base)
        assert again == session.asking
        assert sorted(again.order) == sorted(f for f in session.relevance.reasons if f not in session.answers)
        assert len(set(again.order)) == len(again.order)
        assert not again.settled or not again.pattern
        if session.pause:
            session = session.go_on(rng.choice([p for p in ("warnings", "kit") if session.asking.of(p)] or [None]))
            continue
        question = session.question
        assert question.id not in asked
        asked.append(question.id)
        try:
            session = session.answer(question.id, UNKNOWN if rng.random() < 0.2 else random_value(rng, question))
        except RefusedError:
            session = session.unknown(question.id)
    assert len(asked) <= len(base.questions)


# --- settled ----------------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize("kind", shipped().questions[FIRST].options)
def test_settled_is_not_said_while_a_likely_answer_gives_another_pattern(base, kind):
    """Neither a plausible value, nor an open fact, nor what surprises often: each is tried here without the order."""
    session = settled(Session.new(base, "a").answer(FIRST, kind))
    known = know(session.answers, base)
    here = decide(known.lead, base).primary
    tried = {fact: others for fact, others in plausible(known, base).items() if fact not in session.answers}
    for item in base.shares.surprises:
        if item.fact not in session.answers and base.shares.share(item, kind) >= RARE:
            tried[item.fact] = [*tried.get(item.fact, []), (item.value, 1.0)]
    for fact, others in tried.items():
        for value, _ in others:
            after = decide(know({**session.answers, fact: value}, base).lead, base).primary
            assert after == here, (fact, value)


@pytest.mark.parametrize("every", [75, pytest.param(13, marks=pytest.mark.long)])
def test_a_settled_pattern_has_high_confidence_unless_something_was_not_known(base, described, every):
    """Or a row of a platform card that decides is in doubt, or no answer can decide."""
    for project in described[::every]:
        feature = project.features[0]
        session, _ = interview_lengths.walk(
            Session.new(base, feature.name), know(project.answers(feature), base).answers
        )
        verdict = recommend(session.project, base)["features"][0]
        why = verdict["confidence_why"]
        assert verdict["confidence"] == "high" or "VERIFY" in why or "no answer decides" in why, project.file


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_interview_is_as_short_as_it_promises(base, described):
    found = interview_lengths.simulate(described[::10], base)
    counts = sorted(found.first)
    assert counts[len(counts) // 2] <= 8
    assert interview_lengths.within(counts, 0.95) <= 14
    further = interview_lengths.simulate([p for p in described if len(p.features) > 1][::6], base)
    assert sorted(further.further)[len(further.further) // 2] <= 5
    assert (found.final + further.final) / (found.features + further.features) >= 0.95


# --- the list of usual answers ----------------------------------------------------------------------------------------


def test_the_list_is_confirmed_in_one_go_and_its_values_are_then_stated(base):
    session = Session.new(base, "a").answer(FIRST, "notifications")
    assert session.pause == "list"
    rows = {row.fact: row.value for row in session.listing}
    assert rows["bidirectional-realtime"] is False
    assert len(rows) <= MOST
    confirmed = session.confirm()
    assert confirmed.answers == {FIRST: "notifications", **rows}
    assert confirmed.listing == ()
    assert confirmed.undo().listing == session.listing
    with pytest.raises(RefusedError, match="no list"):
        confirmed.confirm()


def test_a_row_is_changed_and_the_list_comes_back_with_it(base):
    session = Session.new(base, "a").answer(FIRST, "notifications")
    changed = session.goto("bidirectional-realtime")
    assert changed.pause is None
    changed = changed.answer("bidirectional-realtime", True)
    assert changed.pause == "list"
    assert ("bidirectional-realtime", True, True) in changed.listing
    assert changed.confirm().answers["bidirectional-realtime"] is True


def test_a_list_that_is_passed_states_nothing_and_another_kind_has_another(base):
    session = Session.new(base, "a").answer(FIRST, "notifications").go_on()
    assert session.pause is None
    assert session.answers == {FIRST: "notifications"}
    assert session.answer(FIRST, "chat").pause == "list"


def test_a_further_feature_is_offered_what_features_have_alike(base):
    session = Session.new(base, "a").answer("clients", ("ios", "android")).answer("auth", "none")
    second = session.add_feature("b").answer(FIRST, "chat")
    rows = {row.fact: row.value for row in second.listing}
    assert (rows["clients"], rows["auth"]) == (("ios", "android"), "none")


def test_what_is_in_the_list_is_nearly_certain(base):
    for kind in base.questions[FIRST].options:
        session = Session.new(base, "a").answer(FIRST, kind)
        by_kind = know(session.answers, base)
        filled = {a.fact for a in by_kind.assumptions if a.prior is not None}
        for row in session.listing:
            assert row.fact in filled or session.asking.weights[row.fact] <= LIKELY, (kind, row.fact)


# --- the pause --------------------------------------------------------------------------------------------------------


def test_when_it_is_settled_the_person_goes_on_to_a_part_and_pauses_again_after_it(base):
    session = settled(Session.new(base, "a").answer(FIRST, "chat"))
    assert session.pause == "settled"
    kit = session.go_on("kit")
    assert kit.question.id == session.asking.kit[0]
    while kit.pause is None and kit.question is not None:
        kit = kit.unknown(kit.question.id)
    assert kit.pause == "settled"
    assert kit.asking.kit == ()
    with pytest.raises(RefusedError, match="no such question"):
        kit.go_on("kit")
    assert kit.go_on().question.id == kit.asking.warnings[0]
    with pytest.raises(RefusedError, match="answer first"):
        kit.go_on().go_on()


def test_the_kit_part_has_every_question_that_a_kit_needs(base):
    session = settled(Session.new(base, "a").answer(FIRST, "notifications"))
    needed = {fact for fact in session.open if "kit" in base.questions[fact].feeds}
    assert needed
    assert needed <= set(session.asking.kit)
