"""The WebSocket of a kit: alone and through a real nginx, seen by a client that shares no code with it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from urllib.parse import quote

import httpx
import pytest
from support.kit_lab import followed, following, publish_through, until
from support.peer_clients import WS, address, follow_polls, follow_socket, opened, told
from support.raw_websocket import closed_with, message, raw, refused, rest_of
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.lab
OWN = "https://app.example.com"


# --- events through nginx ---------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_same_events_have_the_same_ids_on_every_transport(make_lab, any_nginx):
    kit = make_lab(**WS)
    kit.start_nginx(any_nginx)
    with (
        followed(follow_socket, kit.url) as socket,
        following(kit.url) as stream,
        followed(follow_polls, kit.url) as polls,
    ):
        published = publish_through(kit, 40, per_s=100)
        for got in (socket, stream, polls):
            until(lambda got=got: got.ids[-1:] == published[-1:], "the last event arrives")
    assert socket.ids == stream.ids == polls.ids == published
    assert socket.payloads == stream.payloads == polls.payloads


def test_sigterm_closes_with_1001_in_time_and_the_goodbye_gets_through(make_lab, nginx):
    kit = make_lab(**WS, drain_s=3)
    kit.start_nginx(nginx)
    with opened(kit.url) as one, opened(kit.url) as two:
        told(one, "hello")
        told(two, "hello")
        began = time.monotonic()
        kit.server.terminate()
        drains = [told(one, "drain"), told(two, "drain")]
        assert [closed_with(one), closed_with(two)] == [1001, 1001]
        assert kit.server.wait(6) == 0
        assert time.monotonic() - began < 2
    assert all(200 <= drain["retry_ms"] <= 1000 for drain in drains)
    assert "Traceback" not in kit.output()


def test_the_own_origin_passes_the_proxy_and_others_do_not(make_lab, nginx):
    kit = make_lab(**WS)
    kit.start_nginx(nginx)
    with opened(kit.url, origin=kit.url) as socket:
        assert told(socket)["type"] == "hello"
    for origin in ("https://evil.example", "null", "http://127.0.0.1", f"{kit.url}.evil.example", kit.url.upper()):
        assert refused(kit.url, Origin=origin) == 403, origin


def test_the_server_notices_at_once_that_a_client_has_left(make_lab, nginx):
    kit = make_lab(**WS, heartbeat_s=60)
    kit.start_nginx(nginx)
    with opened(kit.url) as socket:
        told(socket, "hello")
        assert kit.streams() == 1
    until(lambda: kit.streams() == 0, "the stream is gone", seconds=2)


@pytest.mark.long
def test_too_large_and_binary_messages_are_closed_with_their_codes(make_lab, nginx):
    kit = make_lab(**WS)
    kit.start_nginx(nginx)
    for url in (kit.direct, kit.url):
        for sent, code in (("x" * 65_537, 1009), (b"binary", 1003)):
            with opened(url) as socket:
                told(socket, "hello")
                socket.send(sent)
                assert closed_with(socket) == code
        with opened(url) as socket:  # in pieces: no piece is too large, the message is
            told(socket, "hello")
            with contextlib.suppress(ConnectionClosed):  # the server need not wait for the last piece
                socket.send(["x" * 30_000] * 3)
            assert closed_with(socket) == 1009
    assert "Traceback" not in kit.output()


# --- the server by itself ---------------------------------------------------------------------------------------------


def test_hello_comes_first_and_a_heartbeat_after_it_and_nothing_is_compressed(make_lab):
    kit = make_lab(**WS)
    with opened(kit.direct) as socket:
        hello = told(socket)
        assert (hello["type"], hello["heartbeat_s"]) == ("hello", 1)
        assert hello["types"] == ["order-status", "stock-alerts"]
        assert hello["id"].endswith("-0")
        assert told(socket)["type"] == "heartbeat"
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.grid
@pytest.mark.parametrize("size", [1, 60, 120, 200, 60_000, 66_000])
def test_events_of_every_length_are_framed_as_the_rfc_says(make_lab, size):
    kit = make_lab(**WS, max_payload_bytes=100_000)
    with opened(kit.direct) as socket:
        kit.publish("x" * size)
        assert told(socket, "event")["data"] == "x" * size
        kit.publish("\u00e9\U0001f600" * 3)
        assert told(socket, "event")["data"] == "\u00e9\U0001f600" * 3


def test_a_socket_goes_on_after_its_cursor_and_an_impossible_one_gets_a_reset(make_lab):
    kit = make_lab(**WS)
    made = [kit.publish({"a": number}).json()["id"] for number in range(5)]
    with opened(kit.direct, made[1]) as socket:
        assert [told(socket)["id"] for _ in range(4)] == [made[1], *made[2:]]
    epoch = made[0].partition("-")[0]
    for cursor, reason in {f"{epoch}-99": "future", "0" * 12 + "-5": "epoch", "%22": "malformed"}.items():
        with opened(kit.direct, cursor) as socket:
            hello, reset = told(socket), told(socket)
            assert (reset["type"], reset["reason"]) == ("reset", reason)
            assert hello["id"] == reset["latest"] == made[-1]
            assert reset["oldest"] == made[0]


@pytest.mark.long
def test_a_socket_needs_the_viewers_cookie_or_header(make_lab):
    kit = make_lab(**WS, auth="cookie")
    key = (kit.folder / "var/viewer-key").read_text().strip()
    assert refused(kit.direct) == 401
    assert refused(kit.direct, Cookie="session=x") == 401
    cookie = httpx.post(f"{kit.direct}/session", content=key).headers["set-cookie"].partition(";")[0]
    with opened(kit.direct, additional_headers={"Cookie": cookie}) as socket:
        assert told(socket)["type"] == "hello"
    kit = make_lab(**WS, auth="bearer-header")
    key = (kit.folder / "var/viewer-key").read_text().strip()
    with opened(kit.direct, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
        assert told(socket)["type"] == "hello"


TICKETS = WS | {"auth": "bearer-header"}


def ticket_of(url, key, origin):
    """A ticket, as a page of this origin would get it."""
    answer = httpx.post(f"{url}/ticket", headers={"Authorization": f"Bearer {key}", "Origin": origin})
    assert (answer.status_code, answer.headers["cache-control"], answer.json()["expires_s"]) == (200, "no-store", 30)
    return answer.json()["ticket"]


def refused_ticket(url, ticket, **headers):
    with pytest.raises(InvalidStatus) as refusal, connect(
        f"{address(url)}?ticket={quote(ticket, safe='')}", additional_headers=headers, proxy=None
    ):  # fmt: skip
        pass
    return refusal.value.response.status_code


def test_a_ticket_opens_a_socket_behind_nginx_and_its_address_is_in_no_log(make_lab, nginx):
    kit = make_lab(**TICKETS)
    kit.start_nginx(nginx)
    key = (kit.folder / "var/viewer-key").read_text().strip()
    ticket = ticket_of(kit.url, key, kit.url)
    for _ in range(2):  # nothing is stored: it works until it expires
        with connect(f"{address(kit.url)}?ticket={ticket}&cursor=", origin=kit.url, proxy=None) as socket:
            assert json.loads(socket.recv(timeout=5))["type"] == "hello"
    other = make_lab(run=False, **TICKETS)  # another instance, which has never heard of it
    shutil.copy(kit.folder / "var/viewer-key", other.folder / "var/viewer-key")
    other.settings["origins"] = [kit.url]
    (other.folder / "settings.json").write_text(json.dumps(other.settings))
    other.start_server()
    with connect(f"{address(other.url)}?ticket={ticket}", origin=kit.url, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=5))["type"] == "hello"
    kit.nginx.terminate()
    kit.nginx.wait()
    logs = "".join(file.read_text() for file in (kit.folder / "var").glob("*.log")) + kit.output() + other.output()
    assert "/ws" in logs
    assert ticket not in logs


@pytest.mark.long
def test_a_ticket_is_given_to_a_viewer_with_the_key_and_an_origin_and_to_nobody_else(make_lab):
    kit = make_lab(**TICKETS)
    key = (kit.folder / "var/viewer-key").read_text().strip()
    own, right = {"Origin": kit.url}, {"Authorization": f"Bearer {key}"}
    for headers, status in [
        (own | right, 200), (right, 403), (own, 401), (own | {"Authorization": f"Bearer {key}x"}, 401),
        ({"Origin": "https://evil.example"} | right, 403), ({"Origin": "null"} | right, 403),
    ]:  # fmt: skip
        assert httpx.post(f"{kit.url}/ticket", headers=headers).status_code == status, headers
    assert httpx.get(f"{kit.url}/ticket", headers=own | right).status_code == 405
    for settings in (WS, WS | {"auth": "cookie"}, TICKETS | {"transports": ["sse"]}):
        without = make_lab(**settings)
        assert httpx.post(f"{without.url}/ticket", headers={"Origin": without.url} | right).status_code == 404


def test_a_ticket_that_is_forged_or_for_another_origin_is_refused_before_the_upgrade(make_lab):
    kit = make_lab(**TICKETS, origins=[OWN, "https://b.example"])
    key = (kit.folder / "var/viewer-key").read_text().strip()
    ticket = ticket_of(kit.url, key, OWN)
    expires, _, signature = ticket.partition(".")
    later = f"{int(expires) + 3600}.{signature}"
    short = ticket[:-1] + ("0" if ticket[-1] != "0" else "1")
    tricks = [later, short, ticket.upper(), f"{ticket}0", f" {ticket}", f"0{ticket}", f"{expires}.", signature, ".",
              "..", "\x00", "\u0663.x", "x" * 5000, key, f"{expires}.{signature.encode().hex()}"]  # fmt: skip
    for trick in tricks:
        assert refused_ticket(kit.url, trick, Origin=OWN) == 403, trick
    assert refused_ticket(kit.url, ticket, Origin="https://b.example") == 403  # may read, but has not asked for it
    assert refused_ticket(kit.url, ticket, Origin="https://evil.example") == 403
    assert refused_ticket(kit.url, ticket) == 403  # no Origin
    assert refused_ticket(kit.url, "", Origin=OWN) == 401
    assert refused(kit.url, Origin=OWN) == 401
    with connect(f"{address(kit.url)}?ticket={ticket}", origin=OWN, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=5))["type"] == "hello"


def test_a_ticket_is_no_key_for_anything_else_and_kits_that_use_none_ignore_it(make_lab):
    kit = make_lab(**TICKETS)
    key = (kit.folder / "var/viewer-key").read_text().strip()
    ticket = ticket_of(kit.url, key, kit.url)
    for path in (f"/snapshot?ticket={ticket}", f"/poll?ticket={ticket}", f"/events?ticket={ticket}"):
        assert httpx.get(kit.url + path, headers={"Origin": kit.url}).status_code == 401, path
    assert httpx.get(f"{kit.url}/snapshot", headers={"Authorization": f"Bearer {ticket}"}).status_code == 401
    cookies = make_lab(**WS, auth="cookie")
    shutil.copy(kit.folder / "var/viewer-key", cookies.folder / "var/viewer-key")
    assert refused_ticket(cookies.url, ticket, Origin=cookies.url) == 401


def test_what_is_no_handshake_is_refused_and_a_kit_without_a_socket_has_none(make_lab):
    kit = make_lab(**WS, max_clients=1)
    assert httpx.get(f"{kit.direct}/ws").status_code == 426
    with pytest.raises(InvalidStatus, match="404"), connect(kit.direct.replace("http", "ws") + "/events", proxy=None):
        pass
    with opened(kit.direct) as socket:
        told(socket, "hello")
        assert refused(kit.direct) == 503
    other = make_lab()
    assert httpx.get(f"{other.direct}/ws").status_code == 404
    with pytest.raises(InvalidStatus, match="404"), opened(other.direct):
        pass


def test_a_client_that_answers_no_ping_is_closed_after_its_deadline(make_lab):
    kit = make_lab(**WS, heartbeat_s=0.5)
    began = time.monotonic()
    with raw(kit) as connection:
        read = rest_of(connection)
    assert 0.9 < time.monotonic() - began < 3.5
    assert b"\x88" in read
    assert (1011).to_bytes(2) in read
    until(lambda: kit.streams() == 0, "the stream is gone")


@pytest.mark.long
def test_a_client_that_reads_nothing_is_bounded_and_then_cut_and_delays_nobody(make_lab):
    kit = make_lab(**WS, history_events=2000, heartbeat_s=2)
    with followed(follow_socket, kit.direct) as got, raw(kit) as stuck:
        until(lambda: kit.streams() == 2, "both are open")
        kit.publish({"fill": "x" * 15_000})
        before = kit.rss_kb()
        for number in range(800):
            kit.publish({"number": number, "fill": "x" * 15_000})
        until(lambda: len(got.ids) == 801, "the other client gets everything")
        assert kit.rss_kb() - before < 10_000
        until(lambda: kit.streams() == 1, "the stalled one is cut")
        stuck.settimeout(0.1)
    assert got.connects == 1


@pytest.mark.long
def test_a_client_that_reads_nothing_delays_the_end_by_the_drain_time_at_most(make_lab):
    kit = make_lab(**WS, drain_s=2, per_client_queue=1000, heartbeat_s=60)
    with raw(kit):
        until(lambda: kit.streams() == 1, "the stream is open")
        for _ in range(200):
            kit.publish("x" * 60_000)
        began = time.monotonic()
        kit.server.terminate()
        assert kit.server.wait(6) == 0
    assert time.monotonic() - began < 3
    assert "Traceback" not in kit.output()


@pytest.mark.long
def test_a_slow_reader_catches_up_from_the_log_and_misses_nothing(make_lab):
    kit = make_lab(**WS, history_events=2000, heartbeat_s=20)
    with opened(kit.direct, max_queue=1) as socket:
        told(socket, "hello")
        for number in range(700):
            kit.publish({"number": number, "fill": "x" * 15_000})
        numbers = [told(socket, "event")["data"]["number"] for _ in range(700)]
    assert numbers == list(range(700))


def test_pings_of_a_client_that_does_not_read_cost_no_memory(make_lab):
    kit = make_lab(**WS, heartbeat_s=60)
    before = kit.rss_kb()
    with raw(kit) as connection:
        until(lambda: kit.streams() == 1, "it is open")
        ping = b"\x89\xfd\0\0\0\0" + b"x" * 125
        with pytest.raises(OSError, match=r"reset|pipe|timed"):  # noqa: PT012 - any of the writes may be the one
            for _ in range(300):
                connection.sendall(ping * 1000)
    assert kit.rss_kb() - before < 10_000
    until(lambda: kit.streams() == 0, "it is cut")


def test_only_a_kit_with_a_socket_needs_the_package_for_it(make_lab, monkeypatch, tmp_path):
    (tmp_path / "websockets.py").write_text("raise ModuleNotFoundError('no', name='websockets')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert make_lab(transports=["sse", "long-polling"]).publish(1).status_code == 201
    kit = make_lab(**WS, run=False)
    ended = subprocess.run(
        [sys.executable, "-m", "server"], cwd=kit.folder, capture_output=True, text=True, timeout=10, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == "server: the package websockets is missing: pip install -r requirements.txt\n"


# --- sending ----------------------------------------------------------------------------------------------------------


def test_a_message_is_sent_once_whatever_its_sender_repeats(make_lab, nginx):
    kit = make_lab(**WS)
    kit.start_nginx(nginx)
    with followed(follow_socket, kit.url) as got, opened(kit.url) as socket:
        socket.send(message("k1", {"a": 1}))
        first = told(socket, "sent", "refused")
        socket.send(message("k1", {"a": 1}))
        again = told(socket, "sent", "refused")
        socket.send(message("k1", {"a": 2}))
        other = told(socket, "sent", "refused")
        posted = httpx.post(
            f"{kit.url}/send", json={"type": "order-status", "data": {"a": 1}},
            headers={"origin": kit.url, "idempotency-key": "k1"},
        )  # fmt: skip
        until(lambda: got.ids, "it arrives")
        time.sleep(0.2)
    assert first == again == {"type": "sent", "key": "k1", "id": got.ids[0]}
    assert (other["type"], other["key"]) == ("refused", "k1")
    assert (posted.status_code, posted.json()["id"]) == (200, got.ids[0])
    assert got.payloads == [{"a": 1}]


def test_a_viewers_key_is_not_a_publishers(make_lab):
    kit = make_lab(**WS)
    with opened(kit.direct) as socket:
        socket.send(message("k1", 1))
        first = told(socket, "sent")["id"]
    assert (kit.publish(2, "k1").status_code, first.endswith("-1")) == (201, True)


@pytest.mark.grid
@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"x"', "{}", '{"type":"send"}', message("", 1), message("a b", 1), message("x" * 129, 1),
     message("k", 1).replace("send", "publish"), message("k", 1)[:-1] + ',"more":1}', "[" * 30_000,
     message(["k"], 1)],
)  # fmt: skip
def test_what_is_no_message_of_the_protocol_is_closed_with_1008(make_lab, text):
    kit = make_lab(**WS)
    with opened(kit.direct) as socket:
        told(socket, "hello")
        socket.send(text)
        assert closed_with(socket) == 1008
    assert httpx.get(f"{kit.direct}/snapshot").json()["latest"].endswith("-0")
    assert "Traceback" not in kit.output()


def test_a_message_that_cannot_be_taken_is_refused_and_the_socket_stays_open(make_lab):
    features = [{"name": "chat", "slug": "chat"}, {"name": "status", "slug": "status", "two_way": False}]
    kit = make_lab(**WS, features=features)
    with opened(kit.direct) as socket:
        for feature in ("nope", "status", ["chat"], None):
            socket.send(message("k", 1, feature))
            assert told(socket, "sent", "refused")["type"] == "refused", feature
        socket.send(message("k", "\ud800", "chat"))
        assert told(socket, "sent", "refused")["type"] == "refused"
        socket.send(message("k", 1, "chat"))
        assert told(socket, "sent", "refused")["type"] == "sent"


def test_a_one_way_kit_takes_nothing(make_lab):
    kit = make_lab(transports=["websocket"])
    assert httpx.post(f"{kit.direct}/send", json={}, headers={"origin": kit.direct}).status_code == 404
    with opened(kit.direct) as socket:
        told(socket, "hello")
        socket.send(message("k", 1))
        assert closed_with(socket) == 1008


def test_too_many_messages_are_closed_and_answered_with_429(make_lab):
    kit = make_lab(**WS)
    headers = {"origin": kit.direct, "x-forwarded-for": "192.0.2.1"}
    with opened(kit.direct) as socket, httpx.Client() as client:
        for number in range(100):
            with contextlib.suppress(ConnectionClosed):
                socket.send(message(f"k{number}", 1))
        assert closed_with(socket) == 1008
        answers = [
            client.post(f"{kit.direct}/send", json={"type": "order-status", "data": 1}, headers=headers)
            for _ in range(60)
        ]
        assert {a.status_code for a in answers} == {201, 429}
        assert all(a.headers["retry-after"] == "1" for a in answers if a.status_code == 429)
        other = client.post(
            f"{kit.direct}/send", json={"type": "order-status", "data": 1}, headers={"origin": kit.direct}
            | {"x-forwarded-for": "192.0.2.2"},
        )  # fmt: skip
        assert other.status_code == 201
    assert int(httpx.get(f"{kit.direct}/snapshot").json()["latest"].rpartition("-")[2]) < 80


@pytest.mark.long
def test_send_needs_origin_and_sign_in_and_json(make_lab):
    kit = make_lab(**WS, auth="cookie", origins=[OWN])
    key = (kit.folder / "var/viewer-key").read_text().strip()
    cookie = httpx.post(f"{kit.direct}/session", content=key).headers["set-cookie"].partition(";")[0]
    good = {"origin": OWN, "cookie": cookie, "content-type": "application/json"}
    body = '{"type":"order-status","data":1}'

    def status(body=body, **changes):
        headers = {name: value for name, value in (good | changes).items() if value is not None}
        return httpx.post(f"{kit.direct}/send", content=body, headers=headers).status_code

    assert status() == 201
    assert status(cookie=None) == 401
    assert status(origin=None) == 403
    for origin in ("https://evil.example", "null", f"{OWN}.evil.example", OWN.upper()):
        assert status(origin=origin) == 403
    assert status(**{"content-type": "text/plain"}) == 415
    assert status("{") == 400
    assert status('{"type":"nope","data":1}') == 422
    assert status('{"type":"order-status","data":"' + "x" * 66_000 + '"}') == 413
    assert status(**{"idempotency-key": "a b"}) == 400
    asked = httpx.options(f"{kit.direct}/send", headers={"origin": OWN})
    assert asked.status_code == 204
    for header in ("content-type", "idempotency-key", "if-none-match"):
        assert header in asked.headers["access-control-allow-headers"]
