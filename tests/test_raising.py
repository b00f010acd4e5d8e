"""Which caveats are raised, with which reason and in which order: what a reader of the first three must not miss."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.handwritten_answers import random_answers_of_file
from support.shipped import shipped

from advisor.engine.decision import decide, know
from advisor.engine.portfolio import recommend
from advisor.engine.raising import by_rules
from advisor.engine.verdict import Judge
from advisor.model.project import Feature, Project
from advisor.model.values import UNKNOWN

CHAT = {"bidirectional-realtime": True, "client-msg-rate-per-s": 2, "reverse-proxy": "nginx", "broker": "redis"}
PRICES = {
    "bidirectional-realtime": False,
    "server-msg-rate-per-s": 5,
    "latency-need-ms": 2000,
    "concurrent-clients": 500000,
    "same-content-for-all": True,
    "replay-needed": True,
    "instances": 1,
    "corporate-networks": False,
    "http2-to-browser": True,
    "server-model": "async",
    "cdn-websocket": True,
    "reverse-proxy": "nginx",
}


@pytest.fixture(scope="module")
def judge():
    return Judge(shipped())


def ids(caveats):
    return [caveat["id"] for caveat in caveats]


def test_what_an_unusual_number_brings_comes_before_what_a_usual_product_brings(judge):
    """The link to a broker that may die came first, and the reconnects of 150,000 clients were cut."""
    few = judge.feature("x", {**CHAT, "concurrent-clients": 500})
    many = judge.feature("x", {**CHAT, "concurrent-clients": 150000})
    assert "reconnect-storm" not in ids(few["caveats"])
    assert {"conn-scale-tuning", "reconnect-storm"} <= set(ids(many["caveats"]))
    assert "broker-link-silent" in ids(few["caveats"])
    assert "broker-link-silent" not in ids(many["caveats"])


def test_what_does_not_start_comes_before_what_numbers_bring(judge):
    """Half a million clients filled the five, and nobody read that the token cannot be sent at all."""
    feature = judge.feature("x", {**PRICES, "auth": "bearer-header", "cdn": "azure-front-door"})
    assert feature["primary"] == "sse"
    assert set(ids(feature["caveats"])[:2]) == {"eventsource-no-headers", "event-streams-unsupported"}
    assert len(feature["caveats"]) == 5


def test_i_do_not_know_is_an_answer_that_raises_what_nobody_asked_for_does_not(judge):
    """A team that does not know whether its users get a WebSocket read nothing of it."""
    asked = judge.feature("x", {**CHAT, "websockets-blocked": UNKNOWN})
    because = {caveat["id"]: caveat["because"] for caveat in asked["caveats"]}
    assert because["ws-blocked-fallback"] == "websockets-blocked is not known"
    assert "ws-blocked-fallback" not in ids(judge.feature("x", dict(CHAT))["caveats"])
    assert "ws-blocked-fallback" not in ids(judge.feature("x", {**CHAT, "websockets-blocked": "never"})["caveats"])


def test_what_is_stated_comes_before_what_is_presumed(judge):
    """Nobody said that an editor replays: that came before the network that blocks its socket, which was stated."""
    editing = {"kind": "collaborative-editing", "clients": ("browser",), "websockets-blocked": "sometimes"}
    presumed = ids(judge.feature("x", editing)["caveats"])
    said = ids(judge.feature("x", {**editing, "replay-needed": True})["caveats"])
    assert presumed.index("ws-blocked-fallback") < presumed.index("resume-server-side")
    assert said.index("resume-server-side") < said.index("ws-blocked-fallback")


def test_i_do_not_know_counts_as_said(judge):
    """Only what nobody was asked is presumed: who does not know whether sockets get through has that as a question."""
    told = ids(judge.feature("x", {"kind": "collaborative-editing", "websockets-blocked": UNKNOWN})["caveats"])
    assert told.index("ws-blocked-fallback") < told.index("resume-server-side")


def test_what_a_product_in_use_brings_is_left_to_the_kit_that_cures_it(judge):
    """With several instances the kit reads its broker as a log; with one instance the link is the team's own."""
    assert "broker-link-silent" in ids(judge.feature("x", {**CHAT, "instances": 1})["caveats"])
    several = recommend(Project("p", {}, {}, (Feature("x", {**CHAT, "instances": 3}),)), judge.base, judge)
    (feature,) = several["features"]
    assert "broker-link-silent" not in ids([*feature["caveats"], *feature["caveats_if"]])
    assert "broker-link-silent" in ids(several["shared"]["handled"])


def test_the_reason_is_what_the_author_of_the_situation_demands_and_no_bystander(judge):
    feature = judge.feature("x", {**CHAT, "instances": 3, "platform": "kubernetes"})
    because = {caveat["id"]: caveat["because"] for caveat in feature["caveats"]}
    assert because["cross-instance-fanout"] == "instances is 3 instances"
    assert because["idle-timeout-heartbeat"] == "reverse-proxy is nginx"  # the rate only does not speak against it


def test_a_pattern_that_the_article_does_not_treat_is_said_though_much_breaks(judge):
    facts = {"existing-stack": ("grpc",), "clients": ("server",), "concurrent-clients": 500000, "replay-needed": True}
    feature = judge.feature("x", facts)
    assert feature["primary"] == "grpc-stream"
    assert len(feature["caveats"]) == 5
    assert ids(feature["caveats"])[-1] == "outside-article-scope"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_only_what_decides_raises_as_a_rule(judge, seed):
    """An acceptance offers another pattern, and its caveats came before those of the pattern that is recommended."""
    base = judge.base
    answers = random_answers_of_file(Random(seed), base)
    known = know(answers, base)
    decision = decide(known.lead, base)
    accepting = {name for rule in base.accepts for name in rule.raises}
    deciding = set(decision.rule.raises) | {name for rule in base.excludes for name in rule.raises}
    for name, bite in by_rules(known, decision, base).items():
        assert name in (deciding if bite.by == "rule" else accepting)
        assert bite.because.startswith("rule ")


def test_a_doubtful_row_counts_although_its_caveat_is_cut(judge):
    """Confidence looked only at the five that are printed in full, so many clients made a doubtful proxy sure."""
    crowd = {
        "bidirectional-realtime": False,
        "server-msg-rate-per-s": 0.2,
        "peak-msg-rate-per-s": 50,
        "latency-need-ms": 2000,
        "concurrent-clients": 200000,
        "listeners-per-event": 5000,
        "replay-needed": False,
        "clients": ("browser",),
        "corporate-networks": False,
        "http2-to-browser": True,
        "server-model": "async",
        "instances": 20,
        "cdn": "none",
        "cdn-websocket": True,
    }
    doubtful = judge.feature("x", {**crowd, "reverse-proxy": "iis"})
    sure = judge.feature("x", {**crowd, "reverse-proxy": "nginx"})
    assert doubtful["primary"] == sure["primary"] == "sse"
    assert "sse-buffering" not in ids([*doubtful["caveats"], *sure["caveats"]])
    assert (doubtful["confidence"], sure["confidence"]) == ("medium", "high")
    assert doubtful["confidence_why"].startswith("VERIFY: IIS")


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nothing_that_is_raised_is_left_out(judge, seed):
    """Beyond five, a caveat has one line."""
    rng = Random(seed)
    drawn = random_answers_of_file(rng, judge.base)
    feature = judge.feature("x", {f: v for f, v in drawn.items() if rng.random() < 0.6})
    told = [*ids(feature["caveats"]), *ids(feature["caveats_if"])]
    assert len(told) == len(set(told))
    if any(not caveat["if"] for caveat in feature["caveats_if"]):
        standard = {c.id for c in judge.base.caveats.values() if feature["primary"] in c.standard}
        beyond = {c["id"] for c in feature["caveats_if"] if not c["if"]} - standard
        assert not beyond or len(feature["caveats"]) == 5
