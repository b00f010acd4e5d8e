"""Times solved from limits: what binds, what never binds, and the conflict when nothing fits."""

from __future__ import annotations

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shipped import shipped

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.engine.timing import load, timing
from advisor.engine.verdict import Judge
from advisor.model.path_limits import met_by, on_the_way
from advisor.model.values import UNKNOWN, Other
from advisor.report import words
from advisor.ruleset.compile import compile_folder

RULES = shipped()
FIGURES, TABLE = load(RULES.tables["timing"])
CHANNELS = ("websocket", "sse", "long-polling")  # of the limits that count; each is a pattern too
PATH_FACTS = ("reverse-proxy", "load-balancer", "cdn", "service-mesh", "platform")


def _answers():
    options = {fact: st.sampled_from([*RULES.questions[fact].options, UNKNOWN]) for fact in PATH_FACTS}
    numbers = st.one_of(st.sampled_from([0, 1, 1e308, UNKNOWN]), st.floats(0, 1e5))
    return st.fixed_dictionaries(
        {}, optional=options | {"idle-timeout-s": numbers, "max-connection-s": numbers, "concurrent-clients": numbers}
    )


@given(answers=_answers(), pattern=st.sampled_from([None, *CHANNELS, "grpc-web", "fetch-stream", "short-polling"]))
def test_every_time_fits_every_limit_or_the_conflict_is_named(answers, pattern):
    solved = timing(answers, RULES, pattern)
    json.dumps(solved, allow_nan=False)
    conflicts = {conflict["between"][0] for conflict in solved["conflicts"]}
    for limit in solved["limits"]:
        if limit["kind"] == "idle" and pattern not in ("long-polling", "short-polling"):
            fits = 2 * solved["heartbeat_s"] <= limit["seconds"]
            assert fits or any(limit["where"] in line for line in conflicts), limit
    met = met_by(on_the_way(answers, TABLE), "long-polling")
    met = [limit for limit in met if limit.kind not in ("grace", "rate")]
    if pattern in (None, "long-polling") and not any(
        "hold" in c["between"][1] or "held" in c["between"][1] for c in solved["conflicts"]
    ):
        assert all(solved["hold_s"] < limit.seconds for limit in met)
    assert pattern != "short-polling" or not conflicts
    assert solved["heartbeat_s"] >= 1
    assert solved["hold_s"] >= 1
    healthy = [2 * solved["heartbeat_s"]] * (pattern != "long-polling") + [solved["hold_s"]] * (
        pattern in (None, "long-polling")
    )
    assert max(healthy) < solved["read_timeout_s"] <= max(3 * solved["heartbeat_s"], solved["hold_s"] + 5)
    assert 0 < solved["retry_ms"] <= solved["retry_max_ms"]


def test_a_lifetime_never_asks_for_a_heartbeat():
    usual = timing({}, RULES)["heartbeat_s"]
    solved = timing({"max-connection-s": 10}, RULES)
    assert solved["heartbeat_s"] == usual
    assert "lifetime" not in solved["binding"]["heartbeat_s"]
    assert solved["hold_s"] < 10


@pytest.mark.parametrize(("idle", "heartbeat"), [(60, 15), (30, 15), (29, 14), (20, 10), (2, 1)])
def test_the_heartbeat_is_at_most_half_of_the_idle_limit(idle, heartbeat):
    solved = timing({"idle-timeout-s": idle, "reverse-proxy": "nginx"}, RULES)
    assert solved["heartbeat_s"] == heartbeat
    assert "idle-timeout-s" in solved["binding"]["heartbeat_s"]
    assert not solved["conflicts"]


def test_a_proxy_waits_for_three_heartbeats_or_a_little_longer_than_a_poll_is_held():
    """An hour is as good for healthy streams, and hides a server that hangs for an hour."""
    for answers, stream, poll in (
        ({}, 45, 30),
        ({"idle-timeout-s": 20}, 30, 21),
        ({"load-balancer": "gcp-lb"}, 45, 30),
    ):
        assert timing(answers, RULES, "sse")["read_timeout_s"] == stream
        assert timing(answers, RULES, "websocket")["read_timeout_s"] == stream
        assert timing(answers, RULES, "long-polling")["read_timeout_s"] == poll
    assert "3 heartbeats" in timing({}, RULES, "sse")["binding"]["read_timeout_s"]
    assert "the hold and 5 s" in timing({}, RULES, "long-polling")["binding"]["read_timeout_s"]


def test_where_nothing_fits_the_two_lines_are_named():
    (conflict,) = timing({"idle-timeout-s": 1}, RULES, "sse")["conflicts"]
    assert conflict["between"] == [
        "idle limit of 1 s, your answer to idle-timeout-s",
        "at most one heartbeat per second",
    ]
    assert conflict["text"]
    named = timing({"max-connection-s": 0.5}, RULES, "websocket")["conflicts"]
    assert [c["between"][1] for c in named] == ["reconnects spread over 1000 ms"]


@pytest.mark.parametrize("limit", [{"idle-timeout-s": 1}, {"max-connection-s": 0.5}, {"platform": "cloud-run"}])
def test_who_polls_is_not_told_to_poll_or_to_reconnect(limit):
    slow = {"latency-need-ms": 1_800_000, "server-msg-rate-per-s": 0.0001, **limit}
    feature = Judge(RULES).feature("one", slow)
    assert feature["primary"] == "short-polling"
    assert [*words.conflicts(feature), *words.hard_ends(feature, RULES)] == []


def test_a_stated_idle_limit_replaces_settings_but_no_fixed_limit():
    stated = timing({"idle-timeout-s": 600, "reverse-proxy": "nginx", "platform": "heroku"}, RULES)
    ids = [limit["id"] for limit in stated["limits"]]
    assert "nginx-read" not in ids
    assert {"idle-timeout-s", "heroku-idle"} <= set(ids)


@pytest.mark.parametrize(
    ("answers", "hold"),
    [
        ({"platform": "heroku"}, 25),
        ({"load-balancer": "aws-api-gateway"}, 24),
        ({"reverse-proxy": "envoy"}, 12),
        ({"cdn": "fastly"}, 12),
        ({"cdn": "cloudfront"}, 25),
        ({"reverse-proxy": "nginx"}, 25),
    ],
)
def test_the_hold_ends_before_the_shortest_limit_on_a_pending_request(answers, hold):
    assert timing(answers, RULES)["hold_s"] == hold


def test_only_the_limits_of_the_pattern_count():
    answers = {"load-balancer": "aws-api-gateway"}
    sockets = {limit["id"] for limit in timing(answers, RULES, "websocket")["limits"]}
    streams = {limit["id"] for limit in timing(answers, RULES, "grpc-web")["limits"]}
    assert sockets == {"aws-api-gateway-socket-idle", "aws-api-gateway-socket-life"}
    assert streams == {"aws-api-gateway-stream-idle", "aws-api-gateway-stream-life"}


def test_reconnects_are_spread_wider_the_more_clients_an_instance_has():
    few, many = ({"concurrent-clients": n, "instances": 1} for n in (10, 5000))
    assert timing(few, RULES)["retry_ms"] == 1000
    assert timing(many, RULES)["retry_ms"] == 5000
    assert timing(many | {"instances": 5}, RULES)["retry_ms"] == 1000
    assert timing({"concurrent-clients": 1e308}, RULES)["retry_ms"] == FIGURES["retry-limit-ms"]


@pytest.mark.parametrize(("platform", "drain"), [("kubernetes", 10), ("fly", 4), (UNKNOWN, 10), (Other("Nomad"), 10)])
def test_the_drain_ends_before_the_process_is_killed(platform, drain):
    assert timing({"platform": platform}, RULES)["drain_s"] == drain


def test_every_time_says_what_binds_it():
    solved = timing({}, RULES)
    assert set(solved["binding"]) == {name for name in solved if name.endswith(("_s", "_ms"))}
    assert all(solved["binding"].values())


def test_every_limit_stands_at_an_answer_that_exists_and_has_its_source():
    for limit in TABLE:
        for fact, answer in limit.at:
            assert answer in RULES.questions[fact].options, (limit.id, fact, answer)
        assert limit.source.startswith("https://"), limit.id
        assert limit.as_of[:2] == "20", limit.id
        assert limit.kind in {"idle", "first-byte", "total", "lifetime", "grace", "rate"}, limit.id
        assert set(limit.channels) <= set(CHANNELS), limit.id
        assert limit.up_to is None or limit.up_to >= limit.seconds, limit.id
        assert (limit.change == "fixed") == (limit.up_to == limit.seconds), limit.id
        assert limit.confidence in {"high", "medium", "low"}, limit.id
    assert len({limit.id for limit in TABLE}) == len(TABLE)


def test_every_figure_has_evidence():
    for name, figure in RULES.tables["timing"]["figures"].items():
        assert figure["evidence"], name
        assert figure["title"], name
        assert figure["unit"], name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    value: 15\n", "", "figures.heartbeat-s.value: is missing"),
        ("    value: 15\n", "    value: soon\n", "figures.heartbeat-s.value: Input should be a valid number"),
        ("    unit: s\n", "    units: s\n", "figures.heartbeat-s.units: is not a known key here; did you mean unit?"),
    ],
)
def test_what_is_wrong_with_a_figure_is_named_with_its_place(tmp_path, old, new, message):
    shutil.copytree(data("rules"), tmp_path / "rules")
    path = tmp_path / "rules" / "timing.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(tmp_path / "rules")
    assert any(p.file == "rules/timing.yaml" and p.line > 1 and message in p.message for p in caught.value.problems)
