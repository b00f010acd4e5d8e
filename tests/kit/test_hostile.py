"""Hostile input on every endpoint and transport: refused with the right code, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import httpx
import pytest
from httpx_sse import connect_sse
from support import nginx_lab, peer_clients
from support.hand_made_kits import conf
from support.kit_lab import followed, nginx_version, publish_through, until
from support.raw_websocket import closed_with, message, raw, refused, rest_of

pytestmark = pytest.mark.lab
ALL = {"transports": ["websocket", "sse", "long-polling"], "two_way": True}
OWN = "https://app.example.com"


def tricks(own):
    """Origins that look like `own` and are not."""
    scheme, _, host = own.partition("://")
    bare = host.partition(":")[0]
    return [
        "https://evil.example", "null", "", "*", "file://", own.upper(), own + "/", own + ".", own + ".evil.example",
        f"{scheme}://evil{host}", f"{scheme}://{bare}:1", f"{scheme}://{bare}@evil.example", f"{scheme}://x@{host}",
        f"{scheme}://{host}@evil.example", f"{own}#@evil.example", f"{own}?.evil.example", f"{own} https://evil.example",
        f"{own},https://evil.example", f"ftp://{host}", host,
        own.replace(".", "\u3002"), own.replace("a", "\u0430") + "\u200b",
    ]  # fmt: skip


ENDPOINTS = [
    ("GET", "/events"), ("GET", "/poll"), ("GET", "/snapshot"), ("GET", "/config"), ("GET", "/healthz"),
    ("POST", "/publish"), ("POST", "/send"), ("POST", "/session"), ("POST", "/ticket"), ("OPTIONS", "/send"),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("listed", [True, False], ids=["allow-list", "own origin"])
def test_no_trick_with_the_origin_passes_any_endpoint(make_lab, any_nginx, listed):
    kit = make_lab(**ALL, origins=[OWN] if listed else [])
    kit.start_nginx(any_nginx)
    good = {"authorization": f"Bearer {kit.token}", "content-type": "application/json"}
    with httpx.Client() as client:
        for url in (kit.direct, kit.url):
            own = OWN if listed else url
            for origin in tricks(own):
                for method, path in ENDPOINTS:
                    body = b'{"type":"order-status","data":1}' if method == "POST" else None
                    answer = client.request(
                        method, url + path, headers=good | {"origin": origin.encode()}, content=body
                    )
                    assert answer.status_code == 403, (origin, method, path)
                    assert "access-control-allow-origin" not in answer.headers
                if origin.isascii():
                    assert refused(url, Origin=origin) == 403, origin
            with peer_clients.opened(url, origin=own) as opened:
                assert peer_clients.told(opened)["type"] == "hello"
    assert httpx.get(f"{kit.direct}/snapshot").json()["latest"].endswith("-0"), "nothing was published"


def cursors(epoch):
    """Cursors of other logs, and the reason of the reset that the client gets."""
    return {
        "malformed": [
            "x", "-", "-1", f"{epoch}-", f"{epoch}--1", f"{epoch}-+1", f"{epoch}-1_0", f"{epoch}-0x1", f"{epoch}-1.0",
            f"{epoch}-\u0661", f"{epoch}-\u00b2", f"{epoch}-1\x00", f"\x00{epoch}-1", f"{epoch}-1 ", f" {epoch}-1",
            f"{epoch}-1\n", f"{epoch.upper()}-1x", f"{epoch}-1-1", f"{epoch}-9223372036854775808",
            f"{epoch}-{'9' * 400}", "\U0001f600", "' OR 1=1 --", "../../etc/passwd", "x" * 4000,
        ],
        "future": [f"{epoch}-4", f"{epoch}-999999999999"],
        "epoch": ["0" * 12 + "-1", "f" * 12 + "-3"],
    }  # fmt: skip


def test_an_id_that_is_none_gets_a_reset_on_every_transport(make_lab):
    kit = make_lab(**ALL)
    last = publish_through(kit, 3, 1000)[-1]
    epoch = last.partition("-")[0]

    with httpx.Client(timeout=5) as client:

        def events(**options):
            with connect_sse(client, "GET", f"{kit.direct}/events", **options) as source:
                return list(islice(source.iter_sse(), 2))[1].json()

        def sockets(cursor):
            with peer_clients.opened(kit.direct, str(httpx.QueryParams({"c": cursor}))[2:]) as opened:
                peer_clients.told(opened, "hello")
                return peer_clients.told(opened)

        ways = {
            "poll": lambda c: client.get(f"{kit.direct}/poll", params={"cursor": c, "wait": 5}).json()["reset"],
            "sse": lambda c: events(params={"cursor": c}),
            "header": lambda c: events(headers={"last-event-id": c.encode()}),
            "websocket": sockets,
        }
        for reason, names in cursors(epoch).items():
            for name in names:
                for way, told in ways.items():
                    if way == "header" and (name != name.strip() or not name.isprintable()):
                        continue  # HTTP itself forbids it
                    assert told(name)["reason"] == reason, (way, name)
    assert "Traceback" not in kit.output()


@pytest.mark.long
def test_a_body_that_would_inflate_or_is_one_byte_too_large_is_refused(make_lab, any_nginx):
    kit = make_lab(**ALL)
    kit.start_nginx(any_nginx)
    bomb = gzip.compress(b'{"type":"order-status","data":"' + b"x" * 10_000_000 + b'"}')
    assert len(bomb) < 65_536
    before = kit.rss_kb()
    frame = len(json.dumps({"type": "order-status", "data": ""}))
    for url in (kit.direct, kit.url):
        headers = {"authorization": f"Bearer {kit.token}", "content-type": "application/json", "origin": url}
        for path in ("/publish", "/send"):
            for coding in ("gzip", "deflate", "br", "zstd", "GZIP", "gzip, gzip", "x"):
                answer = httpx.post(url + path, headers=headers | {"content-encoding": coding}, content=bomb)
                assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity"), (path, coding)
            assert httpx.post(url + path, headers=headers, content=bomb).status_code == 400
            for size, status in ((65_536, 201), (65_537, 413)):
                body = json.dumps({"type": "order-status", "data": "x" * (size - frame)}).encode()
                assert len(body) == size
                assert httpx.post(url + path, headers=headers, content=body).status_code == status, (path, size)
        with peer_clients.opened(url) as opened:
            opened.send(message("k", "x" * (65_536 - len(message("k", "")))))
            assert peer_clients.told(opened, "sent", "refused")["type"] == "sent"
            opened.send(message("k", "x" * (65_537 - len(message("k", "")))))
            assert closed_with(opened) == 1009
    assert kit.rss_kb() - before < 15_000
    assert "Traceback" not in kit.output()


# Frames that RFC 6455 forbids, masked with zeros, and the code that the connection is closed with.
FRAMES = {
    "compressed": (b"\xc1\xfd\0\0\0\0" + b"x" * 125, 1002),
    "second reserved bit": (b"\xa1\x81\0\0\0\0x", 1002),
    "third reserved bit": (b"\x91\x81\0\0\0\0x", 1002),
    "unmasked": (b"\x81\x01x", 1002),
    "reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "reserved control opcode": (b"\x8b\x80\0\0\0\0", 1002),
    "ping in pieces": (b"\x09\x81\0\0\0\0x", 1002),
    "close in pieces": (b"\x08\x82\0\0\0\0\x03\xe8", 1002),
    "long ping": (b"\x89\xfe\0\x7e\0\0\0\0" + b"x" * 126, 1002),
    "close of one byte": (b"\x88\x81\0\0\0\0\x03", 1002),
    "close with a code that none may send": (b"\x88\x82\0\0\0\0\x03\xed", 1002),
    "continuation of nothing": (b"\x80\x81\0\0\0\0x", 1002),
    "new message within a message": (b"\x01\x81\0\0\0\0x\x81\x81\0\0\0\0x", 1002),
    "huge": (b"\x81\xff" + (1 << 62).to_bytes(8) + b"\0\0\0\0", 1009),
    "length with its highest bit": (b"\x81\xff" + (1 << 63).to_bytes(8) + b"\0\0\0\0", 1009),
    "huge in small pieces": (b"\x01\xfe\xff\xff\0\0\0\0" + b"x" * 65_535 + b"\x00\x82\0\0\0\0xx", 1009),
    "not utf-8": (b"\x81\x81\0\0\0\0\xff", 1007),
    "half a character": (b"\x81\x82\0\0\0\0\xf0\x9f", 1007),
    "half a character, then the end in pieces": (b"\x01\x81\0\0\0\0\xf0\x80\x81\0\0\0\0x", 1007),
    "surrogate": (b"\x81\x83\0\0\0\0\xed\xa0\x80", 1007),
    "binary": (b"\x82\x81\0\0\0\0x", 1003),
}


@pytest.mark.long
def test_frames_against_rfc_6455_are_closed_and_never_inflated(make_lab):
    kit = make_lab(**ALL)
    with followed(peer_clients.follow_socket, kit.direct) as got, ThreadPoolExecutor(len(FRAMES)) as pool:

        def answered(frame):
            with raw(kit, b"Sec-WebSocket-Extensions: permessage-deflate\r\n") as connection:
                until(lambda: b'"hello"' in connection.recv(65_536, socket.MSG_PEEK), "it is greeted")
                connection.sendall(frame)
                return rest_of(connection)

        answers = dict(zip(FRAMES, pool.map(answered, [frame for frame, _ in FRAMES.values()]), strict=True))
        for name, (_, code) in FRAMES.items():
            assert b"permessage-deflate" not in answers[name]
            closes = re.findall(rb"\x88[\x02-\x7d](..)", answers[name], re.DOTALL)
            assert [int.from_bytes(found) for found in closes[-1:]] == [code], (name, answers[name][-60:])
        until(lambda: kit.streams() == 1, "they are gone")
        kit.publish(1)
        until(lambda: len(got.ids) == 1, "the others go on")
    assert got.connects == 1
    assert "Traceback" not in kit.output()


HALVES = [
    b"", b"G", b"GET /events HTTP/1.1\r\nHost: x\r\n", b"POST /publish HTTP/1.1\r\nHost: x\r\nContent-Le",
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHo",  # after a whole one
    b"POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
]  # fmt: skip


@pytest.mark.long
def test_hundreds_of_half_requests_are_ended_in_time_and_the_others_are_served(make_lab, any_nginx, tmp_path):
    kit = make_lab(**ALL, auth="cookie", run=False)
    for file, name in (("__main__", "HEAD_S = 10.0"), ("wire", "BODY_S = 30.0")):  # so that nobody waits for the test
        source = kit.folder / f"server/{file}.py"
        assert name in source.read_text()
        source.write_text(source.read_text().replace(name, f"{name.partition(' ')[0]} = 2.0"))
    kit.start_server()
    text = conf(nginx_version=nginx_version(any_nginx), patterns=("websocket",))
    text = text.replace("client_header_timeout 10s", "client_header_timeout 2s").replace(
        "client_max_body", "client_body_timeout 2s; client_max_body", 1
    )
    with nginx_lab.running(any_nginx, text, tmp_path, kit.port) as proxy, contextlib.ExitStack() as stack:
        sockets = []
        for port in (kit.port, proxy.port):
            for number in range(40 * len(HALVES)):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
                connection.sendall(HALVES[number % len(HALVES)])
                sockets.append(connection)
        began = time.monotonic()
        for url in (kit.direct, f"http://127.0.0.1:{proxy.port}"):
            for _ in range(5):
                assert httpx.get(f"{url}/healthz", timeout=5).status_code == 200
        slow = [sockets[2], sockets[-5]]  # a header that never ends: a line now and then does not help
        while slow:
            for connection in slow[:]:
                try:
                    connection.sendall(b"a: b\r\n")
                except OSError:
                    slow.remove(connection)
            time.sleep(0.2)
        for connection in sockets:
            rest_of(connection)
        assert time.monotonic() - began < 20
        assert kit.answers(kit.direct)
    assert "Traceback" not in kit.output()


def test_10_000_messages_of_one_socket_are_stopped_by_the_rate_and_delay_nobody(make_lab):
    kit = make_lab(**ALL)
    reads_on = {"max_queue": None}  # else it stops reading after 16 answers, and a reset hides the close frame
    with followed(peer_clients.follow_socket, kit.direct) as got, peer_clients.opened(kit.direct, **reads_on) as greedy:
        with contextlib.suppress(peer_clients.WebSocketException):
            for number in range(10_000):
                greedy.send(message(f"k{number}", number))
        assert closed_with(greedy) == 1008
        last = kit.publish("of another").json()["id"]
        until(lambda: last in got.ids, "the others go on")
    assert 20 <= len(got.ids) < 100
    assert got.payloads == [*range(len(got.ids) - 1), "of another"]
    assert got.connects == 1


async def burst(kit, count, connections=50):
    """`count` publishes of one client, those of a connection sent at once; (status, id) of each, by connection."""
    head = (
        f"POST /publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {kit.token}\r\nContent-Type: application/json\r\n"
    )

    async def publish(first):
        reader, writer = await asyncio.open_connection("127.0.0.1", kit.port)
        bodies = [json.dumps({"type": "order-status", "data": n}) for n in range(first, count, connections)]
        writer.write("".join(f"{head}Content-Length: {len(body)}\r\n\r\n{body}" for body in bodies).encode())
        answers = []
        for _ in bodies:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(re.search(r"(?i)content-length: (\d+)", answer)[1])
            answers.append((int(answer.split()[1]), json.loads(await reader.readexactly(length))["id"]))
        writer.close()
        return answers

    return await asyncio.gather(*(publish(first) for first in range(connections)))


@pytest.mark.long
def test_a_burst_of_10_000_publishes_keeps_its_order_and_starves_nobody(make_lab):
    kit = make_lab(**ALL, history_events=20_000)
    with followed(peer_clients.follow_socket, kit.direct) as got, ThreadPoolExecutor(1) as pool:
        storm = pool.submit(lambda: asyncio.run(burst(kit, 10_000)))
        until(lambda: len(got.ids) > 100, "the storm has begun")
        mine = [kit.publish(f"mine {number}") for number in range(20)]
        assert not storm.done(), "what others publish is taken meanwhile"
        lists = storm.result()
        until(lambda: len(got.ids) == 10_020, "every event arrives", 60)
    assert {status for answers in lists for status, _ in answers} == {201}
    assert {answer.status_code for answer in mine} == {201}
    assert [int(name.rpartition("-")[2]) for name in got.ids] == list(range(1, 10_021))
    for answers in lists:
        numbers = [int(name.rpartition("-")[2]) for _, name in answers]
        assert numbers == sorted(numbers)
