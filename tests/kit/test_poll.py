"""Long and short polling of a kit: alone and through a real nginx, seen by a client that shares no code with it."""

from __future__ import annotations

import re
import socket as sockets
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from server.poll import PACE_S
from support.kit_lab import followed, publish_through, until
from support.peer_clients import LONG, SHORT, follow_polls

pytestmark = pytest.mark.lab


def poll(kit, cursor="", wait=None, url=None, **headers):
    fields = {"cursor": cursor} | ({} if wait is None else {"wait": wait})
    return httpx.get(f"{url or kit.direct}/poll", params=fields, headers=headers, timeout=10)


def held(kit, count=1):
    until(lambda: kit.streams() == count, f"{count} polls are held")


# --- through nginx ----------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_in_a_busy_room_several_events_share_an_answer(make_lab, any_nginx):
    kit = make_lab(**LONG)
    kit.start_nginx(any_nginx)
    with followed(follow_polls, kit.url) as got:
        before, began = got.connects, time.monotonic()
        published = publish_through(kit, 300, per_s=300)
        until(lambda: got.ids[-1:] == published[-1:], "the last event arrives")
        took, requests = time.monotonic() - began, got.connects - before
    assert got.ids == published
    # One answer in PACE_S at most, however long 300 durable publishes take on this machine; without it there are 300.
    assert requests < took / PACE_S + 5, (requests, took)
    assert requests < 150


def test_the_server_notices_at_once_that_a_client_has_left(make_lab, nginx):
    kit = make_lab(**LONG, hold_s=60)
    kit.start_nginx(nginx)
    cursor = poll(kit).json()["cursor"]
    with sockets.create_connection(("127.0.0.1", kit.edge)) as client:
        client.sendall(f"GET /poll?cursor={cursor}&wait=60 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        held(kit)
    until(lambda: kit.streams() == 0, "the poll is gone", seconds=2)


def test_sigterm_answers_what_is_held_and_ends_in_time(make_lab, nginx):
    kit = make_lab(**LONG, hold_s=60, drain_s=3)
    kit.start_nginx(nginx)
    cursor = poll(kit).json()["cursor"]
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(poll, kit, cursor, 60, kit.url) for _ in range(8)]
        held(kit, 8)
        began = time.monotonic()
        kit.server.terminate()
        answers = [future.result() for future in waiting]
        assert kit.server.wait(6) == 0
        assert time.monotonic() - began < 1.5
    assert [(a.status_code, a.json()["events"], a.json()["cursor"]) for a in answers] == [(200, [], cursor)] * 8
    delays = [a.json()["retry_ms"] for a in answers]
    assert all(200 <= delay <= 800 for delay in delays)
    assert len(set(delays)) > 3
    assert "Traceback" not in kit.output()


@pytest.mark.long
def test_a_long_answer_to_a_client_that_does_not_read_is_bounded(make_lab, nginx):
    kit = make_lab(**LONG, history_events=2000, per_client_queue=2000)
    kit.start_nginx(nginx)
    first = poll(kit).json()["cursor"]
    for number in range(100):
        kit.publish({"number": number, "fill": "x" * 15_000})
    before = kit.rss_kb()
    request = f"GET /poll?cursor={first} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    clients = [sockets.create_connection(("127.0.0.1", kit.edge)) for _ in range(50)]
    for client in clients:
        client.sendall(request)
    time.sleep(1)
    assert kit.rss_kb() - before < 10_000
    assert len(poll(kit, first, url=kit.url).json()["events"]) < 20
    for client in clients:
        client.close()


# --- the server by itself ---------------------------------------------------------------------------------------------


def test_without_a_cursor_it_says_where_the_log_is_and_nothing_more(make_lab):
    kit = make_lab(**LONG)
    made = kit.publish({"a": 1}).json()["id"]
    began = time.monotonic()
    answer = poll(kit, wait=5)
    assert time.monotonic() - began < 1
    assert answer.json() == {"cursor": made, "events": [], "reset": None, "retry_ms": 200}
    assert answer.headers["etag"] == f'"{made}"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.long
def test_it_answers_at_once_with_what_is_there_and_else_after_the_wait(make_lab):
    kit = make_lab(**LONG, hold_s=2)
    made = [kit.publish({"a": number}).json()["id"] for number in range(4)]
    answer = poll(kit, made[1], wait=5).json()
    assert [event["id"] for event in answer["events"]] == made[2:]
    assert answer["events"][0].keys() == {"id", "type", "at", "data"}
    assert (answer["events"][0]["data"], answer["cursor"]) == ({"a": 2}, made[3])
    for wait, least, most in ((0, 0, 0.5), (0.7, 0.65, 1.5), (600, 1.9, 3)):
        began = time.monotonic()
        answer = poll(kit, made[3], wait)
        assert least <= time.monotonic() - began < most
        assert (answer.status_code, answer.json()["events"], answer.json()["cursor"]) == (200, [], made[3])
    until(lambda: kit.streams() == 0, "nothing is held")


def test_one_event_answers_everybody_who_waits(make_lab):
    kit = make_lab(**LONG)
    cursor = poll(kit).json()["cursor"]
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(poll, kit, cursor, 5) for _ in range(20)]
        held(kit, 20)
        made = kit.publish({"a": 1}).json()["id"]
        answers = [future.result().json() for future in waiting]
    assert [[event["id"] for event in answer["events"]] for answer in answers] == [[made]] * 20


@pytest.mark.long
def test_more_than_500_events_come_in_batches_from_memory_and_from_the_disk(make_lab):
    for queue in (16, 2000):
        kit = make_lab(**LONG, history_events=2000, per_client_queue=queue)
        cursor = poll(kit).json()["cursor"]
        made = publish_through(kit, 700, 100_000)
        got, sizes = [], []
        while len(got) < 700:
            answer = poll(kit, cursor).json()
            got += [event["id"] for event in answer["events"]]
            sizes.append(len(answer["events"]))
            cursor = answer["cursor"]
        assert got == made
        assert max(sizes) <= 500
        kit.close()


def test_an_answer_is_bounded_in_bytes(make_lab):
    kit = make_lab(**LONG)
    cursor = poll(kit).json()["cursor"]
    for _ in range(20):
        kit.publish("x" * 60_000)
    assert len(poll(kit, cursor).content) < 256 * 1024 + 70_000


def test_nothing_new_is_a_304_without_a_body(make_lab, nginx):
    kit = make_lab(**SHORT)
    kit.start_nginx(nginx)
    made = kit.publish({"a": 1}).json()["id"]
    for url in (kit.direct, kit.url):
        for tag in (f'"{made}"', f'W/"{made}"', f'"x", "{made}"'):
            answer = poll(kit, made, 0, url, **{"if-none-match": tag})
            assert (answer.status_code, answer.content) == (304, b"")
            assert (answer.headers["etag"], answer.headers["retry-after"]) == (f'"{made}"', "1")
        for tag in ('"x"', made, "*x", f'"{made[:-1]}0"'):
            assert poll(kit, made, 0, url, **{"if-none-match": tag}).status_code == 200
    later = kit.publish({"a": 2}).json()["id"]
    answer = poll(kit, made, 0, **{"if-none-match": f'"{made}"'})
    assert (answer.status_code, [event["id"] for event in answer.json()["events"]]) == (200, [later])


def test_short_polling_says_when_to_ask_again_and_holds_nothing(make_lab):
    kit = make_lab(**SHORT, poll_s=2.5)
    answer = poll(kit)
    assert (answer.json()["poll_s"], answer.headers["retry-after"]) == (2.5, "3")
    began = time.monotonic()
    assert poll(kit, answer.json()["cursor"], wait=5).json()["events"] == []
    assert time.monotonic() - began < 0.5
    assert "retry-after" not in poll(make_lab(**LONG)).headers


def test_a_cursor_that_cannot_be_continued_gets_a_reset_that_says_why(make_lab):
    kit = make_lab(**LONG, history_events=100)
    first = kit.publish(0).json()["id"]
    epoch = first.partition("-")[0]
    publish_through(kit, 110, 1000)
    cases = {first: "trimmed", f"{epoch}-9999": "future", "0" * 12 + "-5": "epoch", "x'; DROP TABLE": "malformed"}
    for cursor, reason in cases.items():
        body = poll(kit, cursor, wait=5).json()
        assert body["reset"] == {"reason": reason, "oldest": f"{epoch}-12", "latest": f"{epoch}-111"}
        assert (body["cursor"], body["events"]) == (f"{epoch}-111", [])
    assert poll(kit, f"{epoch}-11").json()["events"][0]["id"] == f"{epoch}-12"


@pytest.mark.grid
@pytest.mark.parametrize("wait", ["", "x", "-1", "nan", "inf", "1e999", "1,5"])
def test_a_wait_that_is_no_time_is_refused(make_lab, wait):
    kit = make_lab(**LONG)
    cursor = poll(kit).json()["cursor"]
    answer = httpx.get(f"{kit.direct}/poll?cursor={cursor}&wait={wait}")
    assert answer.status_code == (200 if wait == "" else 400)


@pytest.mark.long
def test_one_poll_too_many_is_told_to_come_back(make_lab):
    kit = make_lab(**LONG, max_clients=2)
    cursor = poll(kit).json()["cursor"]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(poll, kit, cursor, 1.5) for _ in range(2)]
        held(kit, 2)
        answer = poll(kit, cursor, 5)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert poll(kit, cursor, 0).status_code == 200
        assert [future.result().status_code for future in waiting] == [200, 200]


def test_polls_are_under_the_origin_check_and_the_sign_in(make_lab):
    own = "https://app.example.com"
    kit = make_lab(**LONG, auth="cookie", origins=[own])
    key = (kit.folder / "var/viewer-key").read_text().strip()
    assert poll(kit).status_code == 401
    cookie = httpx.post(f"{kit.direct}/session", content=key).headers["set-cookie"].partition(";")[0]
    good = poll(kit, cookie=cookie, origin=own)
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, own)
    assert good.headers["access-control-expose-headers"] == "etag, retry-after"
    for origin in ("https://evil.example", "null", f"{own}.evil.example", own.upper(), ""):
        assert poll(kit, cookie=cookie, origin=origin).status_code == 403


def test_other_transports_are_not_there(make_lab):
    kit = make_lab(**SHORT)
    assert {httpx.get(f"{kit.direct}{path}").status_code for path in ("/events", "/ws", "/send")} == {404}
    assert httpx.head(f"{kit.direct}/poll").status_code == 405
    assert httpx.get(f"{make_lab().direct}/poll").status_code == 404
    config = httpx.get(f"{kit.direct}/config").json()
    assert (config["transports"], config["two_way"], config["poll_s"]) == (["short-polling"], False, 1)
    assert re.fullmatch(r"[0-9a-f]{12}-0", poll(kit).json()["cursor"])
