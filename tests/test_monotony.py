"""What more of one thing may never do to a decision, tried on random answers and on every band of a number."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.handwritten_answers import random_answers_of_file
from support.shipped import shipped

from advisor.engine.decision import accepted, decide, excluding, holds, lead_case, offered, usually, with_pattern
from advisor.engine.space import realise
from advisor.engine.verdict import Judge
from advisor.model.values import UNKNOWN

RULES = shipped()
NONE = {"http-request"}
DAILY = "made-once-a-day"  # the prior that takes news of once or twice a day for no hurry
POLLS = {"short-polling", "http-request"}
HELD = {"websocket", "sse", "long-polling", "fetch-stream", "grpc-web", "grpc-stream"}


def some_answers(seed: int) -> dict:
    """A few answers of a file, as a team would give them; no two numbers that follow from each other."""
    rng = Random(seed)
    answers = random_answers_of_file(rng, RULES)
    return {fact: value for fact, value in answers.items() if rng.random() < 0.35}


def stated(seed: int) -> dict:
    """The same without what is answered by "I don't know"."""
    return {fact: value for fact, value in some_answers(seed).items() if value is not UNKNOWN}


def primary(answers: dict) -> str | None:
    return decide(lead_case(answers, RULES), RULES).primary


def values_of(fact: str) -> list[float]:
    """A value in each band, and the edges, in rising order."""
    made: list[float] = []
    for band in RULES.questions[fact].bands:
        low = max(band.low, RULES.questions[fact].minimum)
        made += [low, low + 1 if math.isinf(band.high) else (low + band.high) / 2]
    return made


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_fresher_need_never_turns_a_channel_into_none(seed):
    answers = some_answers(seed)
    found = [primary({**answers, "latency-need-ms": ms}) in NONE for ms in values_of("latency-need-ms")]
    assert found == sorted(found), answers  # from fresh to late: a channel first, and then perhaps none


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 1, 300, 1_000, 4_000, 9_000]))
def test_rarer_events_never_turn_a_channel_into_none(seed, delay_ms):
    """Only 0 is never: the least rate above it is an event that has to arrive.

    Left out are calls by the Model Context Protocol with one result, whose reports alone become rarer: the result comes
    as the answer. Where no answer speaks of the delay, the one assumption about it that reads the rate may decide.
    """
    answers = stated(seed) | ({} if delay_ms is None else {"latency-need-ms": delay_ms})
    if "mcp" in answers.get("existing-stack", ()) and answers.get("bounded-job"):
        return
    rates = [math.ulp(0.0), 1e-15, *(r for r in values_of("server-msg-rate-per-s") if r > 0)]
    every = [{**answers, "server-msg-rate-per-s": rate} for rate in rates]
    assumed = [{prior.id for _, prior in usually(one, RULES).values()} for one in every]
    assert delay_ms is None or not any(DAILY in ids for ids in assumed)
    found = {primary(one) in NONE for one, ids in zip(every, assumed, strict=True) if DAILY not in ids}
    assert len(found) == 1, answers


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
@pytest.mark.long
def test_more_clients_never_turn_a_poll_into_a_connection_that_workers_hold(seed):
    """Where seconds count, a timer of too many becomes a stream: beside the workers, and the verdict says so."""
    answers = {**some_answers(seed), "server-model": "thread-per-request"}
    numbers = (10, 500, 5_000, 50_000, 500_000)
    patterns = [primary({**answers, "concurrent-clients": n}) for n in numbers]
    first_poll = next((i for i, pattern in enumerate(patterns) if pattern in POLLS), len(patterns))
    for number, pattern in list(zip(numbers, patterns, strict=True))[first_poll:]:
        if pattern in HELD:
            more = {**answers, "concurrent-clients": number}
            case = lead_case(more, RULES)
            bands = RULES.variables[RULES.index["latency-need-ms"]].values
            assert bands[case[RULES.index["latency-need-ms"]]] == "seconds", more
            feature = Judge(RULES).feature("f", more)
            told = {c["id"] for c in feature["caveats"]} | {c["id"] for c in feature["caveats_if"] if not c["if"]}
            assert "thread-per-connection" in told, more


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
@pytest.mark.long
def test_what_is_named_beside_the_primary_passes_the_checks_of_a_primary(seed):
    """No rule excludes or withholds what is acceptable besides or the fallback."""
    answers = some_answers(seed)
    feature = Judge(RULES).feature("f", answers)
    case = lead_case(answers, RULES)
    besides = {a["id"] for a in feature["acceptable"]} | {feature["fallback"]}
    for pattern in besides - {None, feature["primary"]}:
        assert excluding(pattern, case, RULES) is None
        assert not [r.id for r in RULES.withholds if pattern in r.patterns and holds(r, case)]


@pytest.mark.parametrize("rule", RULES.withholds, ids=lambda r: r.id)
def test_what_is_withheld_would_be_named_without_the_rule(rule):
    """Each rule earns its place: some answers show that it takes an offer or a fallback away."""
    without = RULES.replaced(withholds=tuple(r for r in RULES.withholds if r is not rule))
    asked = realise(rule.boxes[0], RULES) or {}
    for seed in range(500):
        answers = {**some_answers(seed), **asked}
        case = lead_case(answers, RULES)
        pattern = decide(case, RULES).primary
        if pattern is None or not holds(rule, case):
            continue
        at = with_pattern(case, pattern, RULES)
        if {p for p, _ in accepted(at, pattern, without)} != {p for p, _ in accepted(at, pattern, RULES)}:
            return
        before, now = (
            next((p for p in RULES.patterns[pattern].fallbacks if offered(p, case, base)), None)
            for base in (without, RULES)
        )
        if before != now:
            return
    pytest.fail(f"{rule.id} takes nothing away from 500 random answers under its condition")


def test_where_another_way_may_be_as_good_confidence_is_low():
    many = {"clients": ("server",), "public-endpoint": True, "bidirectional-realtime": False}
    few = Judge(RULES).feature("f", {**many, "server-msg-rate-per-s": 5})
    fast = Judge(RULES).feature("f", {**many, "server-msg-rate-per-s": 50})
    assert few["primary"] == fast["primary"] == "webhook"
    assert few["confidence"] != "low"
    assert (fast["confidence"], fast["confidence_why"]) == (
        "low",
        "another pattern may be as good here, and no answer decides between them",
    )


def test_a_number_that_is_no_more_than_above_zero_is_said_so():
    from advisor.model.conditions import say

    assert say({"server-msg-rate-per-s": "never"}, RULES) == "server-msg-rate-per-s is 0 messages per second"
    assert say({"server-msg-rate-per-s": "rare"}, RULES).endswith("is above 0 and below 0.02 messages per second")
