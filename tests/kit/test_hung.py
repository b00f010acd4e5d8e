"""A server that hangs (SIGSTOP: it takes connections and says nothing) behind each real proxy, and healthy silence.

What is open ends, and what is new gets an answer, within about three heartbeats; what is healthy lives.
"""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support import nginx_lab, peer_clients, proxy_lab
from support.hand_made_kits import rendered
from support.kit_lab import nginx_version
from support.proxy_checks import read_until
from support.proxy_lab import PROXIES, kit_for
from support.server_instances import on_ports
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.lab
TIMES = {"heartbeat_s": 3, "hold_s": 2}  # a pong that is later than a heartbeat ends a socket
STREAM_S, POLL_S = 9, 7  # three heartbeats; the hold and 5 s
LATE_S = 6  # by which a busy machine may be late
ALL = ["nginx", *PROXIES]
WITHOUT_RETRY = {"traefik": 504, "apache": 502}  # the others answer a new stream with when to come back


@contextlib.contextmanager
def in_front(name, nginx, folder, port):
    """The URL of this proxy, with the kit's own file for these times, in front of the server."""
    folder.mkdir()
    if name == "nginx":
        text = rendered(patterns=("websocket",), times=TIMES, nginx_version=nginx_version(nginx))["nginx/nginx.conf"]
        running = nginx_lab.running(nginx, text.decode(), folder, port)
    else:
        running = proxy_lab.running(PROXIES[name], kit_for(name, times=TIMES), folder, port)
    with running as e:
        yield f"http://127.0.0.1:{e.port}"


class Ends:
    """When a connection that a thread reads has ended, by the clock; None while it lives."""

    def __init__(self, pool, read):
        self.at = None
        self.task = pool.submit(self._run, read)

    def _run(self, read):
        with contextlib.suppress(OSError, ConnectionClosed):
            read()
        self.at = time.monotonic()


@contextlib.contextmanager
def stream_at(url):
    """A socket on which the response of /events has begun."""
    at = httpx.URL(url)
    with socket.create_connection((at.host, at.port), timeout=10) as raw:
        raw.sendall(f"GET /events HTTP/1.1\r\nHost: {at.host}:{at.port}\r\n\r\n".encode())
        read_until(raw, b"hello")
        yield raw


def read_stream(raw):
    raw.settimeout(60)
    while raw.recv(4096):
        pass


def read_socket(opened):
    while True:
        opened.recv(timeout=60)


def asked(url, path):
    """(status, content type, seconds) of a new request."""
    began = time.monotonic()
    with httpx.stream("GET", f"{url}{path}", timeout=60) as answer:
        return answer.status_code, answer.headers.get("content-type", ""), time.monotonic() - began


@pytest.mark.long
@pytest.mark.timeout(200)
@pytest.mark.parametrize("names", [["nginx"], pytest.param(ALL, marks=pytest.mark.long)], ids=["nginx", "all"])
def test_what_hangs_is_found_after_three_heartbeats_and_what_is_healthy_lives(names, make_lab, nginx, tmp_path):
    lab = make_lab(**peer_clients.WS | TIMES)
    with contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(in_front(name, nginx, tmp_path / name, lab.port)) for name in names}
        pool = stack.enter_context(ThreadPoolExecutor(8 * len(names)))
        stack.callback(lab.server.send_signal, signal.SIGCONT)
        ends = {}
        for name, url in urls.items():
            raw = stack.enter_context(stream_at(url))
            opened = stack.enter_context(peer_clients.opened(url, origin=url, ping_interval=None))
            ends[name, "stream"] = Ends(pool, lambda raw=raw: read_stream(raw))
            ends[name, "socket"] = Ends(pool, lambda opened=opened: read_socket(opened))
        time.sleep(3 * STREAM_S + 1)
        assert [which for which, end in ends.items() if end.at] == []

        lab.server.send_signal(signal.SIGSTOP)
        hung = time.monotonic()
        paths = ("/events", "/poll?wait=2")
        new = {name: [pool.submit(asked, url, path) for path in paths] for name, url in urls.items()}
        for name, (stream, poll) in new.items():
            status, kind, seconds = stream.result()
            assert (status, "event-stream" in kind) == (WITHOUT_RETRY.get(name, 200), name not in WITHOUT_RETRY), name
            assert STREAM_S - 1 < seconds < max(STREAM_S, POLL_S) + LATE_S, (name, seconds)
            status, _, seconds = poll.result()
            assert status in {502, 503, 504}, (name, status)
            assert seconds < POLL_S + LATE_S, (name, seconds)
        time.sleep(max(0.0, hung + STREAM_S + LATE_S - time.monotonic()))
        alive = {which for which, end in ends.items() if end.at is None}
        assert alive == {(name, kind) for name, kind in ends if name == "traefik"}, ends
        lab.server.send_signal(signal.SIGCONT)
        assert {httpx.get(f"{url}/config").status_code for url in urls.values()} == {200}


# --- several servers --------------------------------------------------------------------------------------------------


def greeted(url):
    """Seconds until a new stream is greeted, or None where it is not within the bound."""
    began = time.monotonic()
    with (
        contextlib.suppress(httpx.TransportError),
        httpx.stream("GET", f"{url}/events", timeout=STREAM_S + LATE_S) as answer,
    ):
        if "event: hello" in answer.iter_lines():
            return time.monotonic() - began
    return None


@pytest.mark.long
@pytest.mark.parametrize("line", ["", f"proxy_read_timeout {STREAM_S}s;"], ids=["as written", "with an hour"])
def test_of_three_servers_one_hangs_and_nginx_asks_the_next_one(line, make_several, any_nginx, tmp_path):
    kits = make_several(3, **TIMES).kits
    answers = {"load_balancer": "aws-alb", "nginx_version": nginx_version(any_nginx)}
    made = rendered(instances=3, patterns=("websocket",), times=TIMES, **answers)
    text = made["nginx/nginx.conf"].decode()
    assert line in text
    if line:
        text = text.replace(line, "proxy_read_timeout 3600s;")
    text = on_ports(text, [kit.port for kit in kits])
    with nginx_lab.running(any_nginx, text, tmp_path / "nginx") as e, ThreadPoolExecutor(30) as pool:
        url = f"http://127.0.0.1:{e.port}"
        assert greeted(url) < STREAM_S
        kits[1].server.send_signal(signal.SIGSTOP)
        try:
            took = list(pool.map(greeted, [url] * 30))
        finally:
            kits[1].server.send_signal(signal.SIGCONT)
    hanging = took.count(None)
    assert (hanging > 4) if line else (hanging == 0), took
    assert line or sum(seconds > STREAM_S - 1 for seconds in took) > 4  # that many had been given to the one that hangs


CHECKS = ["haproxy", "caddy", "traefik", "envoy", "varnish"]  # that ask each server now and then whether it is well


@pytest.mark.long
@pytest.mark.timeout(200)
def test_a_proxy_that_asks_its_servers_gives_a_hung_one_nothing_new(make_several, tmp_path):
    one, other = make_several(2, **TIMES).kits

    def second(text):
        return re.sub(r"\b8082\b", str(other.port), text)

    with contextlib.ExitStack() as stack:
        urls = {}
        for name in CHECKS:
            files = kit_for(name, instances=2, times=TIMES, load_balancer="aws-alb")
            (tmp_path / name).mkdir()
            running = proxy_lab.running(PROXIES[name], files, tmp_path / name, one.port, second)
            urls[name] = f"http://127.0.0.1:{stack.enter_context(running).port}"
        stack.callback(other.server.send_signal, signal.SIGCONT)
        assert [name for name, url in urls.items() if greeted(url) is None] == []
        other.server.send_signal(signal.SIGSTOP)
        time.sleep(STREAM_S + LATE_S)
        took = {name: [greeted(url) for _ in range(6)] for name, url in urls.items()}
        slow = {name: seconds for name, seconds in took.items() if None in seconds or max(seconds) > 2}
        assert slow == {}
