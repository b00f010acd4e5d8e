"""The cost formulas against the article's arithmetic, against measurements, and at the edges of what a float holds."""

from __future__ import annotations

import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.compile import compile_folder
from advisor.costs import (
    NUMBERS,
    PATTERNS,
    costs,
    exchange_overhead_bytes,
    frame_header_bytes,
    load,
    long_poll_requests_per_h,
    poll_requests_per_h,
    pushed_overhead_bytes,
)
from advisor.data import data
from advisor.values import UNKNOWN, Other

RULES = compile_folder(data("rules"))
FIGURES = load(RULES.tables["costs"])
ARTICLE = {"concurrent-clients": 100, "poll-interval-s": 5}
# research: 100 users for 120 s, one message a user and minute, polls every 5 s, long polls of 25 s, on loopback
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
            "concurrent-clients": 100,
            "poll-interval-s": 60,
            "client-msg-rate-per-s": 1,
            "server-msg-rate-per-s": 1,
        }
        changed[name] = costs(answers, _with_tables(tables))["patterns"] != costs(answers, RULES)["patterns"]
    assert [name for name, differs in changed.items() if not differs] == ["keep-alive-s"]  # 75 s and 226 s both keep 60
    assert costs({**ARTICLE, "poll-interval-s": 76}, RULES)["patterns"]["short-polling"]["proxy_descriptors"] == 0


def _with_tables(tables):
    return RULES.replaced(tables=tables)


def test_all_patterns_that_hold_events_are_there():
    assert tuple(costs({}, RULES)["patterns"]) == PATTERNS
