"""How deep an event may be nested, on every way in; and that nothing which is kept ends the snapshot."""

from __future__ import annotations

import json
import random
import sqlite3

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from server import publish
from server.wire import HttpError
from support.peer_clients import WS, opened, told
from support.raw_websocket import message
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.lab

HOSTILE = st.text(st.sampled_from('[]{}"\\,: a\n\u2028\u00e9\U0001f600'), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | HOSTILE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4),
    max_leaves=40,
)


def levels(value):
    """The depth of a value, counted on the value."""
    if isinstance(value, dict | list):
        return 1 + max(map(levels, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def nested(value, times, seed=0):
    """`value` inside `times` arrays and objects."""
    draw = random.Random(seed)
    for _ in range(times):
        value = draw.choice([lambda v: [v], lambda v: {"[{": v}, lambda v: ["]]\\", v, "{"]])(value)
    return value


@pytest.mark.long
@given(VALUES, st.integers(0, 80), st.integers(0, 99), st.booleans(), st.sampled_from([None, 1]))
def test_the_depth_of_any_json_is_that_of_its_value(value, times, seed, ascii_only, indent):
    value = nested(value, times, seed)
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    depth = levels(value)
    assert publish.deeper(text, depth) is False
    assert depth == 0 or publish.deeper(text, depth - 1) is True


@given(st.text(st.sampled_from('[]{}"\\,:a1 '), max_size=200), st.integers(0, 5))
@example('"' + "[" * 100, 5)
@example('"\\"' + "[" * 100 + '"', 5)
@example('"\\\\"' + "[" * 100, 5)
def test_what_is_no_json_never_gets_a_parser_deeper_than_allowed(text, most):
    """A parser that counts, character by character, up to the first character that no JSON has there."""
    depth = reached = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside, escaped = escaped or character != '"', character == "\\" and not escaped
        elif character == '"':
            inside, escaped = True, False
        elif character in "[{":
            depth += 1
            reached = max(reached, depth)
        elif character in "]}":
            depth -= 1
            if depth < 0:
                break
    if reached > most:
        assert publish.deeper(text, most)


def test_the_limit_holds_to_the_level_and_is_named():
    for value in (nested(0, 64), nested("[" * 900, 64, 7)):
        assert publish.read_json(json.dumps({"type": "x", "data": value}), "the body")["data"] == value
    for times in (65, 66, 978, 980, 1490, 9991, 200_000):
        with pytest.raises(HttpError, match="the body is nested too deeply: an event's data may have 64 levels") as no:
            publish.read_json('{"type":"x","data":' + "[" * times + "]" * times + "}", "the body")
        assert no.value.status == 400


def test_every_way_in_refuses_what_is_too_deep_and_the_snapshot_stays(make_lab):
    kit = make_lab(**WS)
    origin = {"origin": kit.direct}
    for times in (64, 65, 950, 978, 980, 1487, 9988):
        value = "[" * times + "]" * times
        body = '{"type":"order-status","data":' + value + "}"
        bearer = {"authorization": f"Bearer {kit.token}"}
        for path, headers in (("/publish", bearer), ("/send", origin)):
            kind = {"content-type": "application/json"}
            answer = httpx.post(f"{kit.direct}{path}", content=body, headers=headers | kind)
            assert answer.status_code == (201 if times == 64 else 400), (path, times)
            assert times == 64 or "64 levels" in answer.json()["error"]
        with opened(kit.direct) as socket:
            told(socket, "hello")
            socket.send(message("k", "DEEP").replace('"DEEP"', value))
            if times == 64:
                assert told(socket, "sent", "refused")["type"] == "sent"
            else:
                with pytest.raises(ConnectionClosed) as closed:
                    told(socket, "sent", "refused")
                assert closed.value.rcvd.code == 1008
                assert "64 levels" in closed.value.rcvd.reason
        assert httpx.get(f"{kit.direct}/snapshot").status_code == 200
    assert len(httpx.get(f"{kit.direct}/snapshot").json()["events"]["order-status"]) == 3
    assert "Traceback" not in kit.output()


def test_what_an_old_log_holds_is_sent_as_it_was_kept(make_lab):
    """Older servers took up to what their interpreter could parse, and kept the line ends of Unicode as they were."""
    kit = make_lab(transports=["sse", "long-polling"])
    first = kit.publish(0).json()["id"]
    kit.close_server()
    kept = ["[" * 9_990 + "]" * 9_990, '"a\u2028b\u2029c\u0085d"', '{"fine": [1.50, 1E2]}']
    with sqlite3.connect(kit.folder / "var/events.sqlite3") as log:
        for n, text in enumerate(kept, 2):
            log.execute("INSERT INTO events VALUES (?, 'order-status', 1, ?)", (n, text))
    kit.start_server()
    for path in ("/snapshot", f"/poll?cursor={first}"):
        answer = httpx.get(f"{kit.direct}{path}")
        assert answer.status_code == 200
        for text in kept:
            assert f'"data":{text}}}' in answer.text
    assert "Traceback" not in kit.output()


def test_line_ends_of_unicode_leave_the_server_escaped(make_lab):
    kit = make_lab(transports=["sse", "long-polling"])
    first = kit.publish(0).json()["id"]
    text = "a\u2028b\u2029c\u0085d\\u2028 \\\u2028"
    assert kit.publish({text: text}, "key").status_code == 201
    assert kit.publish({text: text}, "key").status_code == 200
    answer = httpx.get(f"{kit.direct}/poll?cursor={first}")
    assert answer.json()["events"][0]["data"] == {text: text}
    assert not set(answer.text) & {"\u2028", "\u2029", "\u0085"}
