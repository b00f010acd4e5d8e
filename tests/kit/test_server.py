"""The kit's server as a process: publishing, cursors, snapshot, and who may read."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support import kit_lab as the_lab
from support.kit_lab import first_events, following, until

pytestmark = pytest.mark.lab


# --- publish ----------------------------------------------------------------------------------------------------------


def test_a_repeated_publish_gets_the_same_id_and_is_delivered_once(make_lab):
    kit = make_lab()
    with following(kit.direct) as got:
        first, again = kit.publish({"a": 1}, "key-1"), kit.publish({"a": 1}, "key-1")
        other = kit.publish({"a": 2}, "key-1")
        last = kit.publish({"a": 3})
        until(lambda: last.json()["id"] in got.ids, "the last event arrives")
    assert [first.status_code, again.status_code, other.status_code, last.status_code] == [201, 200, 422, 201]
    assert first.json() == again.json()
    assert got.ids == [first.json()["id"], last.json()["id"]]


def test_many_publishers_at_once_get_ids_without_a_gap_and_one_key_one_id(make_lab):
    kit = make_lab()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: kit.publish({"a": number % 40}, f"key-{number % 40}"), range(120)))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert sorted(int(a.json()["id"].rpartition("-")[2]) for a in answers if a.status_code == 201) == list(range(1, 41))


HOSTILE_BODIES = [
    (b"", 400), (b"{", 400), (b"\xff\xfe{}", 400), (b'{"type":"order-status","data":NaN}', 400),
    (b'{"type":"order-status","data":1e999}', 400), (b'{"type":"order-status","data":"\\ud800"}', 400),
    (b'{"type":"order-status","data":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
    (b'{"type":"order-status","data":' + b"9" * 5000 + b"}", 400),
    (b"[]", 422), (b'"x"', 422), (b'{"type":"order-status"}', 422), (b'{"type":"order-status","data":1,"id":"x"}', 422),
    (b'{"type":"heartbeat","data":1}', 422), (b'{"type":["x"],"data":1}', 422),
    (b'{"type":"order-status\\nid: x","data":1}', 422),
    (b'{"type":"order-status","data":"' + b"x" * 70_000 + b'"}', 413),
]  # fmt: skip


@pytest.mark.long
def test_hostile_bodies_are_refused_and_nothing_of_them_is_stored(make_lab):
    kit = make_lab()
    headers = {"authorization": f"Bearer {kit.token}", "content-type": "application/json"}
    for body, status in HOSTILE_BODIES:
        answer = httpx.post(f"{kit.direct}/publish", headers=headers, content=body)
        assert answer.status_code == status, body[:60]
        assert answer.json()["error"], body[:60]
    chunked = httpx.post(f"{kit.direct}/publish", headers=headers, content=(b"x" * 10_000 for _ in range(10)))
    assert chunked.status_code == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""):
        assert kit.publish(1, **{"content-type": kind}).status_code == 415
    for key in ("", "a b", "x" * 129, "\u00e9"):
        assert kit.publish(1, **{"idempotency-key": key.encode()}).status_code == 400
    assert httpx.get(f"{kit.direct}/snapshot").json()["latest"].endswith("-0")
    assert kit.publish(1).status_code == 201
    assert "Traceback" not in kit.output()


def test_text_with_line_ends_cannot_forge_fields_of_the_stream(make_lab):
    kit = make_lab()
    payload = {"sent_ms": 0, "text": "a\n\nid: 666\nevent: reset\ndata: x\r\r\u2028\x00\x7f\U0001f600"}
    with following(kit.direct) as got:
        kit.publish(payload)
        until(lambda: got.payloads, "the event arrives")
    assert got.payloads == [payload]
    assert "reset" not in got.names


def test_publishing_needs_the_token_of_the_file_that_only_its_owner_reads(make_lab):
    kit = make_lab()
    for value in (
        "",
        "Bearer",
        "Bearer x",
        f"Basic {kit.token}",
        f"Bearer {kit.token}x",
        kit.token,
        "Bearer \u00e9".encode(),
    ):
        answer = kit.publish(1, authorization=value)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), value
    assert stat.S_IMODE((kit.folder / "var/token").stat().st_mode) == 0o600
    token = kit.token
    assert len(token) >= 43
    kit.close()
    kit.start_server()
    assert kit.token == token
    assert token not in kit.output()


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_stream_starts_with_retry_and_hello_and_forbids_caching(make_lab):
    kit = make_lab(retry_ms=333)
    with httpx.stream("GET", f"{kit.direct}/events") as response:
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        assert next(response.iter_text()).startswith("retry: 333\nid: ")
    hello, beat = first_events(kit.direct, 2)
    assert (hello.event, beat.event) == ("hello", "heartbeat")
    assert hello.json()["types"] == ["order-status", "stock-alerts"]
    assert hello.json()["heartbeat_s"] == 1


def test_a_stream_goes_on_after_its_cursor_and_the_header_wins_over_the_address(make_lab):
    kit = make_lab()
    made = [kit.publish({"a": number}).json()["id"] for number in range(5)]
    assert [event.id for event in first_events(kit.direct, 4, params={"cursor": made[1]})] == [made[1], *made[2:]]
    both = first_events(kit.direct, 2, params={"cursor": made[0]}, headers={"last-event-id": made[3]})
    assert [event.id for event in both] == [made[3], made[4]]


def test_a_connection_that_breaks_before_its_first_event_loses_nothing(make_lab):
    kit = make_lab()
    kit.publish(1)
    (hello,) = first_events(kit.direct, 1)
    missed = kit.publish(2).json()["id"]
    assert [e.id for e in first_events(kit.direct, 2, headers={"last-event-id": hello.id})] == [hello.id, missed]


def test_a_cursor_that_cannot_be_continued_gets_a_reset_that_says_why(make_lab):
    kit = make_lab(history_events=100)
    first = kit.publish(0).json()["id"]
    epoch = first.partition("-")[0]
    the_lab.publish_through(kit, 110, 1000)
    cases = {
        first: "trimmed",
        f"{epoch}-9999": "future",
        "0" * 12 + "-5": "epoch",
        "x'; DROP TABLE events": "malformed",
    }
    for cursor, reason in cases.items():
        hello, reset = first_events(kit.direct, 2, headers={"last-event-id": cursor})
        assert (reset.event, reset.json()["reason"]) == ("reset", reason)
        assert hello.id == reset.id == reset.json()["latest"] == f"{epoch}-111"
        assert reset.json()["oldest"] == f"{epoch}-12"
    edge = first_events(kit.direct, 2, headers={"last-event-id": f"{epoch}-11"})
    assert edge[1].id == f"{epoch}-12"


def test_a_new_log_is_a_new_epoch(make_lab):
    kit = make_lab()
    old = kit.publish(1).json()["id"]
    kit.close()
    for file in (kit.folder / "var").glob("events.sqlite3*"):
        file.unlink()
    kit.start_server()
    kit.publish(1)
    assert first_events(kit.direct, 2, params={"cursor": old})[1].json()["reason"] == "epoch"


def test_the_snapshot_and_the_stream_after_it_meet_without_a_gap(make_lab):
    kit = make_lab()
    made = [kit.publish({"a": number}, slug="stock-alerts").json()["id"] for number in range(30)]
    snapshot = httpx.get(f"{kit.direct}/snapshot").json()
    assert [event["id"] for event in snapshot["events"]["stock-alerts"]] == made[-20:]
    assert snapshot["events"]["order-status"] == []
    assert snapshot["events"]["stock-alerts"][-1]["data"] == {"a": 29}
    following_id = kit.publish({"a": 30}).json()["id"]
    assert first_events(kit.direct, 2, params={"cursor": snapshot["latest"]})[1].id == following_id


def test_one_client_too_many_is_told_to_come_back(make_lab):
    kit = make_lab(max_clients=2)
    with following(kit.direct), following(kit.direct):
        answer = httpx.get(f"{kit.direct}/events")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert kit.publish(1).status_code == 201
    until(lambda: kit.streams() == 0, "the server notices that both have left")
    assert first_events(kit.direct, 1)[0].event == "hello"


# --- who may read -----------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_only_exact_origins_may_read(make_lab):
    kit = make_lab(origins=["https://app.example.com"])
    own = "https://app.example.com"
    tricks = [f"{own}.evil.example", f"{own}:443", f"{own}/", own.upper(), own.replace("https", "http"), "null", ""]
    refused = ["https://evil.example", kit.direct, *tricks]
    for path in ("/events", "/snapshot", "/config", "/healthz"):
        for origin in refused:
            answer = httpx.get(f"{kit.direct}{path}", headers={"origin": origin})
            assert answer.status_code == 403, (path, origin)
            assert "access-control-allow-origin" not in answer.headers
    assert kit.publish(1, origin="https://evil.example").status_code == 403
    good = httpx.get(f"{kit.direct}/snapshot", headers={"origin": "https://app.example.com"})
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, "https://app.example.com")
    assert (good.headers["vary"], good.headers["access-control-allow-credentials"]) == ("Origin", "true")
    assert httpx.get(f"{kit.direct}/snapshot").status_code == 200


@pytest.mark.long
def test_without_a_list_the_pages_own_origin_may_read_and_no_other(make_lab):
    kit = make_lab()
    for headers, status in [
        ({"origin": kit.direct}, 200), ({}, 200), ({"origin": "http://127.0.0.1"}, 403), ({"origin": "null"}, 403),
        ({"origin": "http://localhost:1"}, 403), ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ]:  # fmt: skip
        assert httpx.get(f"{kit.direct}/snapshot", headers=headers).status_code == status, headers
    twice = httpx.get(f"{kit.direct}/snapshot", headers=[("origin", kit.direct), ("origin", "https://evil.example")])
    assert twice.status_code == 400


def test_cookie_auth_reads_after_sign_in_only(make_lab):
    kit = make_lab(auth="cookie", origins=["https://app.example.com"])
    key = (kit.folder / "var/viewer-key").read_text().strip()
    for path in ("/events", "/snapshot"):
        assert httpx.get(f"{kit.direct}{path}", headers={"cookie": "session=x"}).status_code == 401
    assert httpx.post(f"{kit.direct}/session", content="wrong").status_code == 401
    signed = httpx.post(f"{kit.direct}/session", content=key, headers={"origin": "https://app.example.com"})
    cookie = signed.headers["set-cookie"]
    assert "HttpOnly; SameSite=Strict; Path=/; Secure" in cookie
    assert key not in cookie
    assert httpx.head(f"{kit.direct}/snapshot", headers={"cookie": "session=x"}).status_code == 401
    with httpx.Client(headers={"cookie": f"a=b; {cookie.partition(';')[0]}"}) as client:  # one connection
        answers = [client.request(method, f"{kit.direct}/snapshot") for method in ("HEAD", "GET", "HEAD", "GET")]
    assert [(answer.status_code, len(answer.content) > 0) for answer in answers] == [(200, False), (200, True)] * 2
    assert answers[0].headers["content-length"] == "0", "it has not asked the log"
    assert "Secure" not in httpx.post(f"{kit.direct}/session", content=key).headers["set-cookie"]


def test_bearer_auth_reads_with_the_header_only_and_answers_the_preflight(make_lab):
    kit = make_lab(auth="bearer-header", origins=["https://app.example.com"])
    key = (kit.folder / "var/viewer-key").read_text().strip()
    assert httpx.get(f"{kit.direct}/events").status_code == 401
    assert httpx.get(f"{kit.direct}/snapshot", headers={"authorization": f"Bearer {key}x"}).status_code == 401
    assert first_events(kit.direct, 1, headers={"authorization": f"Bearer {key}"})[0].event == "hello"
    refused = httpx.get(f"{kit.direct}/snapshot", headers={"origin": "https://app.example.com"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://app.example.com")
    assert httpx.post(f"{kit.direct}/session", content=key).status_code == 404
    asked = httpx.options(f"{kit.direct}/events", headers={"origin": "https://app.example.com"})
    assert (asked.status_code, "authorization" in asked.headers["access-control-allow-headers"]) == (204, True)
