"""Each transport through a real nginx, plain and over TLS with HTTP/1.1 and HTTP/2, beside a direct connection."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from support import kit_lab, nginx_lab
from support.hand_made_kits import conf, often
from support.kit_lab import followed, nginx_version, publish_through, until
from support.peer_clients import LONG, SHORT, WS, follow_polls, follow_socket

pytestmark = pytest.mark.lab
POLL_S = 0.2
TRANSPORTS = {  # settings, client that shares no code with the kit's, its times, and the longest lag by design in ms
    "sse": ({}, kit_lab.follow, (), 0),
    "websocket": (WS, follow_socket, (), 0),
    "long-polling": (LONG, follow_polls, (), 0),
    "short-polling": (SHORT | {"poll_s": POLL_S}, follow_polls, (0, POLL_S), POLL_S * 1000),
}


def options(transport, url, trusted=None, version=1):
    """For a client of this transport: its page's Origin, whom it trusts, and which HTTP it speaks."""
    if transport != "websocket":
        return {"headers": {"origin": url}, "http2": version == 2} | ({"verify": trusted} if trusted else {})
    if version == 2:  # nginx carries no WebSocket over HTTP/2: a browser opens a connection of its own with this ALPN
        trusted.set_alpn_protocols(["http/1.1"])
    return {"origin": url} | ({"ssl": trusted} if trusted else {})


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.alone
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_events_arrive_one_by_one_in_less_than_100_ms_plain_and_over_tls(make_lab, nginx, transport, tmp_path):
    settings, follow, times, design_ms = TRANSPORTS[transport]
    kit = make_lab(**settings)
    kit.start_nginx(nginx)
    ways = {"direct": (kit.direct, None, 1), "plain": (kit.url, None, 1)}
    trusted = [nginx_lab.certificate(tmp_path) for _ in "12"]
    text = conf("nginx-tls", nginx_version=nginx_version(nginx), patterns=(transport,))
    with nginx_lab.running(nginx, text, tmp_path, kit.port) as tls, ExitStack() as stack:
        secure = f"https://127.0.0.1:{tls.port}"
        ways |= {"TLS, HTTP/1.1": (secure, trusted[0], 1), "TLS, HTTP/2": (secure, trusted[1], 2)}
        got = {
            way: stack.enter_context(followed(follow, url, *times, **options(transport, url, *rest)))
            for way, (url, *rest) in ways.items()
        }
        with httpx.Client(http2=True, verify=nginx_lab.certificate(tmp_path)) as client:
            assert client.get(f"{secure}/healthz").http_version == "HTTP/2"
        published = []
        for _ in range(3):  # what is slow once is a busy machine; what is slow each time is the kit or the proxy
            before = len(published)
            published += publish_through(kit, 12, per_s=10)
            last = published[-1:]
            for way, client in got.items():
                until(lambda client=client, last=last: client.ids[-1:] == last, f"the last event arrives: {way}")
            lags = {way: max(client.lags_ms[before:]) for way, client in got.items()}
            bound = design_ms + 100 + max(0, lags["direct"] - design_ms - 20)  # 100 ms on a quiet machine
            if max(lags.values()) < bound:
                break
    assert all(client.ids == published for client in got.values())
    assert max(lags.values()) < bound, lags
    if follow is not follow_polls:
        assert {client.connects for client in got.values()} == {1}


def test_red_control_a_socket_opens_over_http_1_1_only(make_lab, nginx, tmp_path):
    """nginx does not know RFC 8441: a client that insists on HTTP/2 gets no WebSocket."""
    kit = make_lab(**WS)
    text = conf("nginx-tls", nginx_version=nginx_version(nginx), patterns=("websocket",))
    trusted = nginx_lab.certificate(tmp_path)
    with nginx_lab.running(nginx, text, tmp_path, kit.port) as tls:
        with httpx.Client(http2=True, verify=trusted) as client:
            answer = client.get(f"https://127.0.0.1:{tls.port}/ws")
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 426)


def reload(kit):
    """As `nginx -s reload`; returns when new workers serve."""
    old = set(nginx_lab.workers(kit.nginx))
    kit.nginx.send_signal(signal.SIGHUP)
    until(lambda: set(nginx_lab.workers(kit.nginx)) - old, "new workers")


@pytest.mark.long
@pytest.mark.parametrize("transport", often(TRANSPORTS))
def test_a_reload_of_nginx_loses_and_doubles_nothing(make_lab, nginx, transport):
    settings, follow, times, _ = TRANSPORTS[transport]
    kit = make_lab(**settings, drain_s=1)  # as long as the old workers may stay
    kit.start_nginx(nginx)
    with followed(follow, kit.url, *times) as got, ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, kit, 150, 50)
        for _ in range(2):
            time.sleep(0.5)
            reload(kit)
        published = publishing.result()
        until(lambda: got.ids[-1:] == published[-1:], "the last event arrives")
    assert got.ids == published
    assert "reset" not in got.names
    if follow is not follow_polls:
        assert 2 <= got.connects <= 3, "a stream stays until its worker's time is up"
