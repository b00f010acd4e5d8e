"""The cost formulas against the article's arithmetic, against measurements, and at the edges of what a float holds."""

from __future__ import annotations

import copy
import json
import math
import re
import sys
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shipped import shipped

from advisor.base.text import number
from advisor.engine.costs import (
    NUMBERS,
    costs,
    exchange_overhead_bytes,
    frame_header_bytes,
    load,
    long_poll_requests_per_h,
    poll_requests_per_h,
    pushed_overhead_bytes,
)
from advisor.model.rulebase import CostedAs
from advisor.model.values import UNKNOWN, Other
from advisor.report import cost_tables
from advisor.report.explain import catalogue

RULES = shipped()
FIGURES = load(RULES.tables["costs"])
ARTICLE = {"concurrent-clients": 100, "poll-interval-s": 5}
# research: 100 users for 120 s, one message per user per minute, polls every 5 s, long polls of 25 s, on loopback
MEASURED = {"poll": 71_910, "long poll, own channels": 19_110, "long poll, one room": 603_000}


def test_the_articles_arithmetic_comes_out():
    row = costs(ARTICLE, RULES)["patterns"]["short-polling"]
    assert row["requests_per_client_per_h"] == 720
    assert row["requests_per_h"] == row["queries_per_h"] == 72_000
    assert row["worst_delay_s"] == 5


def test_a_push_saves_the_articles_95_percent_of_queries_and_more():
    rows = costs(ARTICLE, RULES)["patterns"]
    for pattern in ("sse", "websocket"):
        assert rows[pattern]["queries_per_h"] < 0.05 * rows["short-polling"]["queries_per_h"]


def test_short_polling_is_what_was_measured():
    assert 100 * poll_requests_per_h(5) == pytest.approx(MEASURED["poll"], rel=0.01)


def test_long_polling_on_own_channels_is_what_was_measured():
    steady = 100 * long_poll_requests_per_h(1 / 60, 25, 0)
    assert steady == pytest.approx(MEASURED["long poll, own channels"], rel=0.10)
    # The window of 120 s began with every client's first request; renewal theory says how much that adds.
    rate, hold, window = 1 / 60, 25.0, 120.0
    mean = -math.expm1(-rate * hold) / rate
    second = 2 / rate**2 * (1 - math.exp(-rate * hold) * (1 + rate * hold))
    started = 1 + window / mean + (second - 2 * mean**2) / (2 * mean**2)
    assert 100 * started * 3600 / window == pytest.approx(MEASURED["long poll, own channels"], rel=0.02)


def test_long_polling_in_one_room_is_what_was_measured_and_worse_than_polling():
    room = 100 * long_poll_requests_per_h(100 / 60, 25, 0)
    assert room == pytest.approx(MEASURED["long poll, one room"], rel=0.01)
    assert room > 8 * 100 * poll_requests_per_h(5)
    with_round_trip = costs({**ARTICLE, "server-msg-rate-per-s": 100 / 60}, RULES)["patterns"]["long-polling"]
    assert with_round_trip["requests_per_h"] == pytest.approx(MEASURED["long poll, one room"], rel=0.10)


def test_streams_ask_nothing_in_the_steady_state():
    rows = costs({**ARTICLE, "server-msg-rate-per-s": 1 / 60}, RULES)["patterns"]
    for pattern in ("sse", "websocket", "fetch-stream", "grpc-web"):
        assert rows[pattern]["requests_per_h"] == rows[pattern]["queries_per_h"] == 0
        assert rows[pattern]["held_connections"] == 100


def test_the_bytes_are_the_measured_ones():
    without_tls = FIGURES | {"tls-record-bytes": 0}
    assert exchange_overhead_bytes(without_tls, "exchange") == pytest.approx(933, rel=0.01)  # empty poll
    assert exchange_overhead_bytes(without_tls, "delivery") == pytest.approx(
        1_060 - 100, rel=0.01
    )  # long poll, 100 bytes
    assert pushed_overhead_bytes(FIGURES["event-bytes"], without_tls) == 226 - 100
    assert pushed_overhead_bytes(frame_header_bytes(100, FIGURES), without_tls) == 206 - 100


@pytest.mark.parametrize(("payload", "header"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (1e308, 10)])
def test_a_frame_header_is_as_long_as_rfc_6455_says(payload, header):
    assert frame_header_bytes(payload, FIGURES) == header


def test_the_heartbeat_event_is_as_long_as_the_figure_says():
    assert len(b"event: heartbeat\ndata:\n\n") <= FIGURES["heartbeat-event-bytes"]


@given(
    rate=st.floats(0, 1e6, allow_nan=False),
    hold=st.floats(1, 3600),
    round_trip=st.floats(0.001, 10),
)
def test_long_poll_requests_stay_between_one_a_hold_and_one_a_round_trip(rate, hold, round_trip):
    requests = long_poll_requests_per_h(rate, hold, round_trip)
    assert 3600 / (hold + round_trip) * (1 - 1e-9) <= requests <= 3600 / round_trip * (1 + 1e-9)
    assert requests <= 3600 * (rate + 1 / hold) * (1 + 1e-9)


EDGES = st.one_of(
    st.sampled_from([0, 0.0, 5e-324, 1, 1e308, sys.float_info.max, 10**400]),
    st.floats(0, allow_nan=False, allow_infinity=False),
)


@given(answers=st.dictionaries(st.sampled_from(NUMBERS), EDGES), scale=st.sampled_from([0, 1, 10, 1e308]))
def test_any_legal_numbers_give_finite_costs_that_json_carries(answers, scale):
    given_back = costs(answers, RULES, scale)
    json.dumps(given_back, allow_nan=False)
    for key in ("patterns", "at_ten_times"):
        for row in given_back[key].values():
            assert all(value is None or 0 <= value <= sys.float_info.max for value in row.values())


@given(clients=st.integers(0, 10**6), interval=st.floats(0.1, 1e5), rate=st.floats(0, 100))
def test_ten_times_the_clients_cost_ten_times_as_much(clients, interval, rate):
    answers = {"concurrent-clients": clients, "poll-interval-s": interval, "server-msg-rate-per-s": rate}
    given_back = costs(answers, RULES)
    assert given_back["at_ten_times"] == costs({**answers, "concurrent-clients": 10 * clients}, RULES)["patterns"]
    assert given_back["at_ten_times"] == costs(answers, RULES, 10)["patterns"]


def test_nobody_costs_nothing_however_often_they_would_ask():
    rows = costs({"concurrent-clients": 0, "poll-interval-s": 0}, RULES)["patterns"]
    assert rows["short-polling"]["requests_per_h"] == 0
    assert all(row["overhead_bytes_per_h"] == row["held_connections"] == 0 for row in rows.values())


def test_a_proxied_stream_takes_two_descriptors_and_none_without_a_proxy():
    behind = costs({**ARTICLE, "reverse-proxy": "nginx"}, RULES)["patterns"]
    assert behind["sse"]["proxy_descriptors"] == 200
    assert costs({**ARTICLE, "reverse-proxy": Other("Pound")}, RULES)["patterns"]["sse"]["proxy_descriptors"] == 200
    bare = costs({**ARTICLE, "reverse-proxy": "none"}, RULES)["patterns"]
    assert {row["proxy_descriptors"] for row in bare.values()} == {None}


def test_what_was_not_stated_is_marked_assumed():
    inputs = costs({**ARTICLE, "server-msg-rate-per-s": UNKNOWN, "payload-bytes": 64}, RULES, stated=ARTICLE)["inputs"]
    assert not inputs["concurrent-clients"]["assumed"]
    assert inputs["server-msg-rate-per-s"] == {
        "value": RULES.questions["server-msg-rate-per-s"].lead,
        "assumed": True,
    }
    assert inputs["payload-bytes"] == {"value": 64, "assumed": True}  # filled in by somebody else


def test_a_client_that_need_not_send_counts_as_sending_nothing():
    assert costs(ARTICLE, RULES)["patterns"]["sse"]["uplink_requests_per_h"] == 0
    chatty = costs({**ARTICLE, "bidirectional-realtime": True, "client-msg-rate-per-s": 2}, RULES)["patterns"]
    assert chatty["sse"]["uplink_requests_per_h"] == 720_000
    assert chatty["websocket"]["uplink_requests_per_h"] == 0
    assert chatty["websocket"]["overhead_bytes_per_h"] < chatty["sse"]["overhead_bytes_per_h"]


def test_binary_costs_an_event_stream_a_third_more():
    answers = {**ARTICLE, "server-msg-rate-per-s": 1, "payload-bytes": 3000}
    text, binary = (costs({**answers, "binary": b}, RULES)["patterns"]["sse"] for b in (False, True))
    assert binary["overhead_bytes_per_h"] - text["overhead_bytes_per_h"] == 100 * 3600 * 1000


def test_every_figure_has_evidence_and_is_used():
    table = RULES.tables["costs"]["figures"]
    for name, figure in table.items():
        assert figure["evidence"], name
        for item in figure["evidence"]:
            kind = next(iter(item))
            assert kind in {"article", "source", "measured", "judgement"}, name
            assert kind not in {"source", "measured"} or item["as-of"], name
    changed = {}
    for name in table:
        other = FIGURES | {name: FIGURES[name] * 3 + 1}
        tables = {"costs": {"figures": {n: {"value": v} for n, v in other.items()}}, "timing": RULES.tables["timing"]}
        answers = {
            "concurrent-clients": 100_000,
            "poll-interval-s": 60,
            "client-msg-rate-per-s": 1,
            "server-msg-rate-per-s": 1,
            "held-connection-billed": True,
        }
        changed[name] = costs(answers, _with_tables(tables))["patterns"] != costs(answers, RULES)["patterns"]
    assert [name for name, differs in changed.items() if not differs] == ["keep-alive-s"]  # 75 s and 226 s both keep 60
    assert costs({**ARTICLE, "poll-interval-s": 76}, RULES)["patterns"]["short-polling"]["proxy_descriptors"] == 0


def _with_tables(tables):
    return RULES.replaced(tables=tables)


def test_all_patterns_that_hold_events_are_there():
    """Those of the article from the plainest to the strongest, then the extended ones."""
    core, extended = ["short-polling", "long-polling", "sse", "websocket"], ["fetch-stream", "grpc-web"]
    assert list(costs({}, RULES)["patterns"]) == core + extended


# --- the formulas in words --------------------------------------------------------------------------------------------

COSTS = RULES.tables["costs"]
CALLS = {"exp": math.exp, "ceil": math.ceil}
WHOLE = ("worker_connections", "upstream_addresses")  # a last bit of a float can make the next whole number another
LOADS = st.fixed_dictionaries(
    {
        "concurrent-clients": st.integers(0, 10**6),
        "poll-interval-s": st.floats(0.1, 200),
        "server-msg-rate-per-s": st.floats(0.001, 100),
        "client-msg-rate-per-s": st.floats(0, 100),
        "payload-bytes": st.integers(0, 10**6),
        "listeners-per-event": st.integers(0, 10**5),
        "instances": st.integers(1, 50),
        "binary": st.booleans(),
        "bidirectional-realtime": st.just(True),
        "held-connection-billed": st.just(True),
        "reverse-proxy": st.sampled_from(["nginx", "none"]),
    }
)


def _evaluated(name, pattern, numbers):
    """A formula of rules/costs.yaml as Python reads it, its names replaced by numbers, formulas by their own value."""
    if name in numbers:
        return numbers[name]
    arithmetic = COSTS["formulas"][name]["is"]
    if isinstance(arithmetic, dict):
        arithmetic = arithmetic[RULES.patterns[pattern].costed_as]
    text = re.sub(
        r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*",
        lambda m: m[0] if m[0] in CALLS else repr(_evaluated(m[0], pattern, numbers)),
        str(arithmetic),
    )
    return eval(text, {"__builtins__": {}}, CALLS)  # our own file's arithmetic, in a test


@pytest.mark.long
@given(answers=LOADS)
def test_the_program_computes_what_the_formulas_say(answers):
    made = costs(answers, RULES)
    numbers = FIGURES | {fact: given["value"] for fact, given in made["inputs"].items()}
    numbers |= {"reverse-proxy": answers["reverse-proxy"], "none": "none"}
    for pattern, row in made["patterns"].items():
        for key, value in row.items():
            said = _evaluated(key.replace("_", "-"), pattern, numbers)
            rounded = 1 if key in WHOLE else 0.51 if said >= 100 else 0.00051  # `tidy` keeps three decimals below 100
            assert value is None or value == pytest.approx(said, rel=1e-9, abs=rounded), (pattern, key)
    assert made["fanout_per_s"] == pytest.approx(_evaluated("fanout-per-s", "sse", numbers), rel=1e-9, abs=0.51)


def test_every_cost_has_a_formula_and_every_formula_is_a_cost_or_part_of_one():
    keys = {key.replace("_", "-") for key in costs(ARTICLE, RULES)["patterns"]["sse"]} | {"fanout-per-s"}
    named = re.findall(r"[a-z][a-z0-9-]*[a-z0-9]", json.dumps([f["is"] for f in COSTS["formulas"].values()]))
    assert keys <= set(COSTS["formulas"])
    assert set(COSTS["formulas"]) - keys <= set(named)
    assert set(COSTS["figures"]) <= set(named)
    known = {name for _, name, _ in catalogue(RULES, (2026, 11, 24))} | {"none", *get_args(CostedAs), *CALLS}
    assert set(named) <= known, "`advisor explain` says that it knows each name"


@pytest.mark.parametrize(
    ("interval", "rate", "why"),
    [
        (5, 1, "every message makes every client that it reaches ask again"),
        (60, 1, "every message makes every client that it reaches ask again"),
        (20, 0.03, "every message makes every client that it reaches ask again"),
        (60, 0.0001, "a request is held for 25 s at most, and a poll comes every 60 s"),
        (60, 0, "a request is held for 25 s at most, and a poll comes every 60 s"),
        (25, 0, None),
        (5, 0.01, None),
    ],
)
def test_why_long_polling_asks_more_often_is_said_as_it_is(interval, rate, why):
    made = costs({**ARTICLE, "poll-interval-s": interval, "server-msg-rate-per-s": rate}, RULES)
    said = [line for line in cost_tables.sentences({"costs": made}, RULES) if "more often" in line]
    assert said == ([f"Long polling asks more often than short polling here: {why}."] if why else [])


def test_the_ports_that_are_named_are_those_of_the_figure():
    """They were typed into the sentence: a change of costs.yaml made it untrue."""
    other = copy.deepcopy(RULES.tables)
    other["costs"]["figures"]["ephemeral-ports"]["value"] = 64_000
    made = costs({"concurrent-clients": 100_000, "instances": 2, "reverse-proxy": "nginx"}, RULES)
    for base, ports in ((RULES, number(FIGURES["ephemeral-ports"])), (RULES.replaced(tables=other), "64,000")):
        said = list(cost_tables.sentences({"costs": made}, base))
        assert [line for line in said if line.endswith(f"each pair has {ports} ports.")]


def test_what_is_held_is_counted_where_it_is_held():
    big = {"concurrent-clients": 100_000, "instances": 2, "reverse-proxy": "nginx"}
    row = costs(big, RULES)["patterns"]["sse"]
    assert (row["held_connections"], row["held_per_instance"], row["upstream_ports"]) == (100_000, 50_000, 50_000)
    assert row["upstream_addresses"] == 4  # 28,232 ports for each
    assert row["worker_connections"] == 220_000  # two for each stream, and a tenth
    envoy = costs({**big, "reverse-proxy": "envoy"}, RULES)["patterns"]["sse"]
    assert envoy["worker_connections"] is None
    assert envoy["proxy_descriptors"] == 200_000
    bare = costs({**big, "reverse-proxy": "none"}, RULES)["patterns"]["sse"]
    assert bare["upstream_ports"] is bare["proxy_memory_bytes"] is None
    assert bare["server_memory_bytes"] - row["server_memory_bytes"] == 100_000 * 28 * 1024  # TLS ends there then


def test_time_is_billed_only_where_the_platform_bills_it():
    assert costs(ARTICLE, RULES)["patterns"]["sse"]["billed_hours_per_h"] is None
    rows = costs({**ARTICLE, "held-connection-billed": True}, RULES)["patterns"]
    assert rows["sse"]["billed_hours_per_h"] == rows["long-polling"]["billed_hours_per_h"] == 100
    assert rows["short-polling"]["billed_hours_per_h"] == 1  # 72,000 requests of 50 ms
