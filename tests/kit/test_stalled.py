"""A client that stops reading: the others are not held up, the server's memory stays, and the client loses nothing."""

from __future__ import annotations

import http.client
import json
import statistics
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from socket import SO_LINGER, SOL_SOCKET
from socket import create_connection as connect

import httpx
import pytest
from httpx_sse import EventSource
from support import kit_lab, peer_clients
from support.kit_lab import until
from support.raw_websocket import raw
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.lab
ALL = {"transports": ["websocket", "sse", "long-polling"]}
EVENTS, FILL = 400, "x" * 40_000  # 16 MB: more than the kernel's buffers hold


# Each: a context that is open and reads nothing; what it gives reads on, one (what, id) after another.


@contextmanager
def stream(url, cursor):
    with (
        httpx.Client(timeout=5) as client,
        client.stream("GET", f"{url}/events", params={"cursor": cursor}) as response,
    ):
        yield ((event.event, event.id) for event in EventSource(response).iter_sse())


@contextmanager
def socket(url, cursor):
    with peer_clients.opened(url, cursor, max_queue=1, ping_interval=None, close_timeout=0.1) as connection:

        def read():
            try:
                for message in map(json.loads, connection):
                    yield message["type"], message.get("id", message.get("latest"))
            except ConnectionClosed:
                return

        yield read()


@contextmanager
def poll(url, cursor):
    at = httpx.URL(url)
    connection = http.client.HTTPConnection(at.host, at.port, timeout=10)
    connection.request("GET", f"/poll?cursor={cursor}&wait=20")

    def read():
        cursor = None
        while True:
            body = json.loads(connection.getresponse().read())
            yield from (("event", event["id"]) for event in body["events"])
            if body["reset"]:
                yield "reset", body["cursor"]
            cursor = body["cursor"]
            connection.request("GET", f"/poll?cursor={cursor}&wait=20")

    try:
        yield read()
    finally:
        connection.close()


CLIENTS = {  # how it stalls, how many of them, and an independent client that reads
    "sse": (stream, 1, kit_lab.follow),
    "websocket": (socket, 1, peer_clients.follow_socket),
    "long-polling": (poll, 30, peer_clients.follow_polls),
}


def seen(reading, latest):
    """Numbers of the events up to `latest` or the connection's end; "reset" if it gets one because it missed some."""
    found = []
    try:
        for what, name in reading:
            if what == "reset":
                return [*found, what]
            if what not in {"hello", "heartbeat", "drain"}:
                found.append(int(name.rpartition("-")[2]))
                if name == latest:
                    return found
    except httpx.HTTPError:
        pass  # cut
    return found


@pytest.mark.long
@pytest.mark.parametrize("transport", CLIENTS)
@pytest.mark.parametrize("history", [2000, pytest.param(100, marks=pytest.mark.long)])
def test_a_stalled_reader_holds_up_nobody_is_bounded_and_goes_on_or_is_told(make_lab, any_nginx, transport, history):
    stalls, count, follow = CLIENTS[transport]
    kit = make_lab(**ALL, history_events=history)
    if history == 100:
        kit.start_nginx(any_nginx)

    def publish(number):
        answer = kit.publish({"number": number, "fill": FILL, "sent_ms": time.time() * 1000})
        assert answer.status_code == 201
        return answer.json()["id"]

    first = httpx.get(f"{kit.direct}/snapshot").json()["latest"]
    with kit_lab.followed(follow, kit.url) as got:
        for number in range(50):
            first = publish(number)
        until(lambda: len(got.ids) == 50, "the reader has all")
        quiet_ms, before = statistics.median(got.lags_ms), kit.rss_kb()
        kept = [stalls(kit.url, first) for _ in range(count)]
        reading = [one.__enter__() for one in kept]
        until(lambda: kit.streams() >= count, "they are open")
        for number in range(50, 50 + EVENTS):
            last = publish(number)
        until(lambda: got.ids[-1:] == [last], "the reader gets everything")
        grown = kit.rss_kb() - before
    assert [payload["number"] for payload in got.payloads] == list(range(50 + EVENTS))
    assert statistics.median(got.lags_ms[50:]) < 5 * quiet_ms + 50
    assert grown < 10_000, f"{grown} kB for {count} that stall, of {EVENTS * 40} kB sent"
    for one in kept[3:]:
        one.__exit__(None, None, None)
    for one, rest in zip(kept[:3], reading, strict=False):
        found = seen(rest, last)
        one.__exit__(None, None, None)
        if found[-1:] not in ([50 + EVENTS], ["reset"]):  # cut: as every client does, it comes back with its cursor
            cursor = f"{first.partition('-')[0]}-{found[-1] if found else 50}"
            with stalls(kit.url, cursor) as again:
                found += seen(again, last)
        told = [n for n in found if n != "reset"]
        assert told == list(range(51, 51 + len(told))), "no gap"
        assert found[-1] == ("reset" if history == 100 else 50 + EVENTS)


@pytest.mark.long
def test_clients_that_end_while_events_are_written_disturb_nobody(make_lab):
    kit = make_lab(**ALL)
    reset = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST
    with kit_lab.followed(peer_clients.follow_socket, kit.direct) as got, ThreadPoolExecutor(1) as pool:
        sockets = [raw(kit) for _ in range(40)]
        for _ in range(40):
            sockets.append(connect(("127.0.0.1", kit.port), timeout=10))
            sockets[-1].sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: kit.streams() == 81, "they are open")
        published = pool.submit(kit_lab.publish_through, kit, 300, 500)
        for number, one in enumerate(sockets):
            time.sleep(0.005)
            if number % 2:
                one.setsockopt(SOL_SOCKET, SO_LINGER, reset)
            elif number < 40:
                one.sendall(b"\x88\x80\0\0\0\0")  # a close frame
            one.close()
        until(lambda: got.ids[-1:] == published.result()[-1:], "the other gets everything")
        assert got.ids == published.result()
        until(lambda: kit.streams() == 1, "they are gone")
    assert kit.output() == ""
