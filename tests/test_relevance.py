"""A question is asked exactly when its answer can still change something; what is skipped cannot."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from support.random_bases import inside, random_answers, random_base, random_value, randoms

from advisor.engine.claims import raised
from advisor.engine.completions import completions
from advisor.engine.decision import accepted, decide, excluding, holds, know, with_pattern
from advisor.engine.decision_diagram import Diagram
from advisor.engine.relevance import matters, relevance
from advisor.engine.space import cannot_occur
from advisor.model.values import UNKNOWN
from advisor.ruleset.cache import load

slow = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def base():
    return load()


def made(rng, **options):
    """A random base of at most 4,000 cases whose patterns have fallbacks."""
    found = random_base(rng, **options)
    patterns = {
        name: p._replace(fallbacks=tuple(rng.sample([o for o in found.patterns if o != name], 2)))
        for name, p in found.patterns.items()
    }
    return found.replaced(patterns=patterns)


def cases_of(box, base):
    """Every case of the box that no impossible combination leaves out; the pattern's place holds 0."""
    never = cannot_occur(base)
    ranges = [range(len(v.values)) for v in base.variables[:-1]]
    found = [(*case, 0) for case in itertools.product(*ranges) if inside(box, (*case, 0))]
    return [case for case in found if not any(inside(n, case) for n in never)]


def says(case, base):
    """Everything that the verdict on one case says and an answer could change."""
    primary = decide(case, base).primary
    if primary is None:
        return None
    full = with_pattern(case, primary, base)
    fallback = next((p for p in base.patterns[primary].fallbacks if excluding(p, case, base) is None), None)
    acceptable = frozenset(p for p, _ in accepted(full, primary, base))
    return primary, acceptable, fallback, frozenset(k for k, c in base.caveats.items() if holds(c, full))


def tells_apart(moves, cases, base, part=lambda said: said):
    """Whether two of the cases differ in these variables alone and in their verdicts."""
    seen = {}
    for case in cases:
        rest = tuple(value for i, value in enumerate(case) if i not in moves)
        if seen.setdefault(rest, part(says(case, base))) != part(says(case, base)):
            return True
    return False


@slow
@given(randoms)
def test_a_question_is_relevant_exactly_when_two_cases_differ_by_it(rng):
    base = made(rng, priors=True)
    answers = random_answers(rng, base, unknown=0.6)
    found = relevance(answers, base)
    here = completions(answers, base)
    cases = cases_of(found.box, base)
    assert found.possible == {decide(case, base).primary or "" for case in cases}
    for fact in base.questions:
        if fact in answers:
            assert fact not in found.reasons
            continue
        moves = here.moves(fact)
        assert (fact in found.reasons) == tells_apart(moves, cases, base), fact
        if fact in found.reasons:
            decides = tells_apart(moves, cases, base, lambda said: said and said[0])
            assert (found.reasons[fact].kind == "pattern") == decides, fact
        assert matters(fact, answers, base) == (fact in found.reasons)


@slow
@given(randoms)
def test_caveats_are_certain_when_all_cases_raise_them_and_possible_when_some_do(rng):
    base = made(rng)
    found = relevance(random_answers(rng, base, unknown=0.5), base)
    said = [s for case in cases_of(found.box, base) if (s := says(case, base)) is not None]
    gaps = "" in found.possible
    expected = {}
    for caveat in base.caveats:
        count = sum(caveat in s[3] for s in said)
        if count:
            expected[caveat] = "certain" if count == len(said) and not gaps else "possible"
    assert raised(found.box, found.possible, base) == expected


@slow
@given(randoms)
def test_what_is_not_asked_changes_nothing_however_it_is_answered(rng):
    base = made(rng, priors=True)
    answers = random_answers(rng, base, unknown=0.5)
    while (left := relevance(answers, base).reasons) and rng.random() < 0.8:
        fact = rng.choice(list(left))
        answers[fact] = UNKNOWN if rng.random() < 0.3 else random_value(rng, base.questions[fact])
    skipped = {f: random_value(rng, q) for f, q in base.questions.items() if f not in answers and f not in left}
    skipped = {f: v for f, v in skipped.items() if rng.random() < 0.7}
    if cases_of(completions({**answers, **skipped}, base).box, base):  # else the answers contradict each other
        before = {says(c, base) for c in cases_of(know(answers, base).box, base)}
        after = {says(c, base) for c in cases_of(know({**answers, **skipped}, base).box, base)}
        if left:
            assert after <= {says(c, base) for c in cases_of(completions(answers, base).box, base)}
        elif before and after:
            assert after <= before or before <= after


@pytest.mark.long
@slow
@given(randoms)
def test_the_verdicts_cases_lie_in_those_of_the_interview(rng):
    base = made(rng, priors=True)
    answers = random_answers(rng, base, unknown=0.6)
    box = completions(answers, base).box
    more = {**{f: v for f, v in random_answers(rng, base).items() if f not in answers}, **answers}
    final = know(more, base)
    assert all(box[v] >> final.lead[v] & 1 for v in box)
    inner = completions(more, base).box
    assert all(inner.get(v, base.full[v]) & ~mask == 0 for v, mask in box.items())


# --- the shipped rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [{}, {"media": False, "bidirectional-realtime": False, "kind": "notifications"}])
def test_it_takes_less_than_thirty_milliseconds(base, answers, benchmark):
    relevance(answers, base)  # what is made once
    benchmark(relevance, answers, base)
    assert benchmark.stats.stats.min < 0.030


CALL = {"media": True, "clients": ("browser",), "bidirectional-realtime": True}


def test_the_first_questions_decide_and_a_settled_pattern_leaves_only_what_it_needs(base):
    start = relevance({}, base)
    assert start.reasons["media"].kind == "pattern"
    assert set(start.possible) == set(base.patterns)
    call = relevance(CALL, base)
    assert call.possible == {"webrtc"}
    assert "idle-timeout-s" not in call.reasons
    assert "concurrent-clients" not in call.reasons or call.reasons["concurrent-clients"].kind == "caveat"


def test_numbers_for_costs_or_the_kit_are_asked_where_a_pattern_needs_them(base):
    start = relevance({}, base)
    assert (start.reasons["broker"].kind, start.reasons["broker"].id) == ("caveat", "broker-link-silent")
    version = relevance({"reverse-proxy": "nginx"}, base).reasons["nginx-version"]
    assert (version.kind, version.id) == ("feeds", "kit")
    assert "broker" not in relevance(CALL, base).reasons
    assert "nginx-version" not in relevance({"reverse-proxy": "caddy"}, base).reasons
    assert "nginx-version" in relevance({"reverse-proxy": "nginx"}, base).reasons
    assert "nginx-version" not in relevance({"reverse-proxy": UNKNOWN}, base).reasons


def test_the_page_matters_only_beside_other_features_for_browsers(base):
    assert "page" not in relevance({}, base).reasons
    assert relevance({}, base, several=True).reasons["page"].id == "merge"
    assert "page" not in relevance({"clients": ("server",)}, base, several=True).reasons


def test_i_do_not_know_is_taken_as_the_verdict_takes_it_priors_included(base):
    rate = base.index["server-msg-rate-per-s"]
    game = {"kind": "game", "bidirectional-realtime": True, "server-msg-rate-per-s": UNKNOWN}
    box = completions(game, base).box
    assert [v for i, v in enumerate(base.variables[rate].values) if box[rate] >> i & 1] == ["fast"]
    before = completions({"server-msg-rate-per-s": UNKNOWN}, base)
    assert before.box[rate].bit_count() > 1  # what it will be depends on the kind
    assert before.moves("kind") >= {rate}
    assert base.index["corporate-networks"] not in completions({"corporate-networks": UNKNOWN}, base).box


@pytest.mark.long
def test_answers_that_contradict_each_other_leave_no_pattern_and_no_question(base):
    found = relevance({"existing-connection": "websocket", "websockets-blocked": "always"}, base)
    assert found.possible == set()
    assert all(reason.kind == "feeds" for reason in found.reasons.values())
    assert Diagram.of(base).possible(found.box) == set()
