"""What each line of the other proxies' configurations is there for; with the line changed or gone, its check is red."""

from __future__ import annotations

import re
import signal
import socket
import subprocess

import httpx
import pytest
from support import proxy_lab
from support.kit_lab import free_port
from support.proxy_checks import (
    HOST,
    PROTO,
    becomes_true,
    changed,
    dead_server_means_retry,
    ends_in_time,
    events_come_in_time,
    full_server_means_retry,
    half_a_request_is_cut,
    held_poll_is_answered,
    held_poll_lives,
    hung,
    lives,
    made_up_address_is_not_believed,
    page_header,
    plain_request_gets_an_error,
    read_until,
    retry_is_not_cached,
    second_stream_of_an_address_is_429,
    server_learns_that_a_client_has_left,
    silent_socket_is_ended,
    silent_socket_lives,
    silent_stream_is_ended,
    silent_stream_lives,
    socket_opens,
    soft_stop_ends_in_time,
    upgraded,
    upstream_header,
)
from support.proxy_lab import FRAMES, PROXIES, environment, kit_for

HANGS = {"heartbeat_s": 1, "hold_s": 1}  # with these a proxy waits 3 s for a stream and 6 s for a poll


def hung_server_means_retry(e):
    answer = hung(e, "/events", 5)
    return answer is not None and (answer.status_code, answer.text[:6]) == (200, "retry:")


def hung_server_means_an_error(e):
    answer = hung(e, "/events", 8)
    return answer is not None and answer.status_code in {502, 504}


TO_A_HUNG_ONE = {
    silent_stream_is_ended, silent_socket_is_ended, held_poll_is_answered, hung_server_means_retry,
    hung_server_means_an_error,
}  # fmt: skip


def four_streams_open(e, count=4):
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", e.port), timeout=2))
            opened[-1].sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            if b"data: 1" not in read_until(opened[-1], b"data: 1"):
                return False
    except OSError:
        return False
    finally:
        e.up.end.set()
        for connection in opened:
            connection.close()
    return True


def forty_streams_open(e):
    """More than any machine has processors: each of Envoy's workers may always have one connection."""
    return four_streams_open(e, 40)


def graceful_stop_ends_in_time(e):
    return ends_in_time(e, signal.SIGWINCH, 16)


def sockets_outlive_a_reload(e):
    connection, line = upgraded(e)
    assert b" 101 " in line
    text = (e.folder / "caddy/Caddyfile").read_text(encoding="utf-8")
    (e.folder / "caddy/Caddyfile").write_text(text + "\n# another version\n", encoding="utf-8")
    command = "reload --config caddy/Caddyfile --adapter caddyfile --force --address"
    address = re.search(r"localhost:\d+", text)[0]
    subprocess.run(
        [PROXIES["caddy"].binary(), *command.split(), address], cwd=e.folder, env=environment(e.folder), check=True,
        capture_output=True,
    )  # fmt: skip
    return lives(e, connection)


def last_address_is_the_proxys_own_finding(e):
    said = e.get("/config", headers={"x-forwarded-for": "6.6.6.6"}).json()["headers"].get("x-forwarded-for", "")
    return said != "" and not said.endswith("6.6.6.6")


def draining_server_gets_nothing_new(e):
    e.other.mode = "drains"

    def passed_over():
        before = sum(seen["path"] == "/config" for seen in e.other.requests)
        answers = {e.get("/config").status_code for _ in range(30)}  # some proxies choose by chance
        return answers == {200} and sum(seen["path"] == "/config" for seen in e.other.requests) == before

    return becomes_true(passed_over, 5)


def server_that_refuses_is_passed_over(e):
    return {e.get("/config").status_code for _ in range(12)} == {200}


def full_server_is_left_alone(e):
    e.other.mode, statuses = "full", []
    for _ in range(20):
        with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=5) as response:
            statuses.append(response.status_code)
    return 200 in statuses and statuses.count(503) < 4  # one a second


CSP = page_header("content-security-policy", FRAMES)
FORWARDED = upstream_header("x-forwarded-for", "127.0.0.1")

# (proxy, what the kit's file has, what stands there instead ("" = the line goes), the check, a change made for both)
LINES = [
    ("haproxy", "timeout server 3s", "", silent_stream_is_ended, None),
    ("haproxy", "timeout server 3s", "", hung_server_means_retry, None),
    ("haproxy", "set-timeout server 6s", "", held_poll_is_answered, None),
    ("haproxy", "timeout tunnel 3s", "", silent_socket_is_ended, None),
    ("haproxy", "timeout server 2s", "", plain_request_gets_an_error, ("timeout server 60s", "timeout server 2s")),
    ("haproxy", "option http-no-delay", "", events_come_in_time, None),
    ("haproxy", "option abortonclose", "", server_learns_that_a_client_has_left, None),
    ("haproxy", "maxconn 1762", "maxconn 3", four_streams_open, None),
    ("haproxy", "hard-stop-after 1s", "", soft_stop_ends_in_time, ("stop-after 20s", "stop-after 1s")),
    ("haproxy", "timeout http-request 1s", "", half_a_request_is_cut, ("http-request 10s", "http-request 1s")),
    ("haproxy", "http-error status 503", "", dead_server_means_retry, None),
    ("haproxy", "http-after-response set-status 200", "", dead_server_means_retry, None),
    ("haproxy", "http-response return status 503", "", full_server_means_retry, None),
    ("haproxy", "http-after-response set-header Cache-Control no-store", "", retry_is_not_cached, None),
    ("haproxy", "http-request set-header X-Forwarded-For", "", FORWARDED, None),
    ("haproxy", "http-request set-header X-Forwarded-For", "", made_up_address_is_not_believed, None),
    ("haproxy", "http-request set-header X-Forwarded-Proto", "", PROTO, None),
    ("haproxy", "http-request track-sc0", "", second_stream_of_an_address_is_429, ("gt 250", "gt 1")),
    ("haproxy", "http-request deny deny_status 429", "", second_stream_of_an_address_is_429, ("gt 250", "gt 1")),
    ("haproxy", "http-response set-header Content-Security-Policy", "", CSP, None),
    ("caddy", "stream_close_delay 20s", "", sockets_outlive_a_reload, None),
    ("caddy", "read_timeout 3s", "", silent_stream_is_ended, None),
    ("caddy", "read_timeout 3s", "", silent_socket_is_ended, None),
    ("caddy", "read_timeout 3s", "", hung_server_means_retry, None),
    ("caddy", "response_header_timeout 6s", "", held_poll_is_answered, None),
    ("caddy", "response_header_timeout 2s", "", plain_request_gets_an_error, ("timeout 60s", "timeout 2s")),
    ("caddy", "status 502 503 504", "status 599", full_server_means_retry, None),
    ("caddy", "handle_errors 502 503 504", "handle_errors 599", dead_server_means_retry, None),
    ("caddy", "header Content-Type text/event-stream", "", dead_server_means_retry, None),
    ("caddy", "header Cache-Control no-store", "", retry_is_not_cached, None),
    ("caddy", "header Content-Security-Policy", "", CSP, None),
    ("traefik", "writeTimeout: 0s", "writeTimeout: 1s", events_come_in_time, None),
    ("traefik", "readTimeout: 1s", "readTimeout: 60s", half_a_request_is_cut, ("readTimeout: 60s", "readTimeout: 1s")),
    ("traefik", "{responseHeaderTimeout: 6s}", "{responseHeaderTimeout: 0s}", held_poll_is_answered, None),
    ("traefik", "{responseHeaderTimeout: 6s}", "{responseHeaderTimeout: 0s}", hung_server_means_an_error, None),
    ("traefik", "{responseHeaderTimeout: 2s}", "{responseHeaderTimeout: 0s}", plain_request_gets_an_error,
     ("Timeout: 60s", "Timeout: 2s")),
    ("traefik", "amount: 1,", "amount: 9,", second_stream_of_an_address_is_429, ("amount: 250,", "amount: 1,")),
    ("traefik", "middlewares: [headers]", "", CSP, None),
    ("envoy", "timeout: 0s # hard-duration-limit: stock", "timeout: 1s # stock", silent_stream_lives, None),
    ("envoy", "idle_timeout: 3s # idle-timeout-heartbeat: the heartbeat", "", silent_stream_is_ended, None),
    ("envoy", "idle_timeout: 3s # idle-timeout-heartbeat: a ping", "", silent_socket_is_ended, None),
    ("envoy", ", SI]", "]", hung_server_means_retry, None),
    ("envoy", "timeout: 30s}", "timeout: 1s}", held_poll_lives, None),
    ("envoy", "upgrade_configs:", "", socket_opens, None),
    ("envoy", "max_requests: 1762", "max_requests: 3", four_streams_open, None),
    ("envoy", "max_connections: 1762", "max_connections: 1", forty_streams_open, None),
    ("envoy", "status_code: 200", "", dead_server_means_retry, None),
    ("envoy", "content_type: text/event-stream", "", dead_server_means_retry, None),
    ("envoy", "headers_to_add: [{header: {key: cache-control, value: no-store}}]", "", retry_is_not_cached, None),
    ("envoy", "use_remote_address: true", "", last_address_is_the_proxys_own_finding, None),
    ("envoy", "request_headers_timeout: 1s", "", half_a_request_is_cut,
     ("headers_timeout: 10s", "headers_timeout: 1s")),
    ("envoy", "{header: {key: content-security-policy,", "", CSP, None),
    ("apache", "\nTimeout 6\n", "\n", silent_socket_is_ended, None),
    ("apache", "\nProxyTimeout 3\n", "\nTimeout 60\n", silent_stream_is_ended, ("ProxyTimeout 6", "ProxyTimeout 3")),
    ("apache", "ProxyTimeout 6", "", held_poll_is_answered, ("\nTimeout 6\n", "\nTimeout 60\n")),
    ("apache", " upgrade=websocket", " ", socket_opens, None),
    ("apache", "ProxyPreserveHost On", "", HOST, None),
    ("apache", "RequestHeader unset X-Forwarded-For early", "", made_up_address_is_not_believed, None),
    ("apache", "RequestHeader set X-Forwarded-Proto", "", PROTO, None),
    ("apache", "RequestReadTimeout header=1 body=10", "", half_a_request_is_cut,
     ("header=10-20,MinRate=500 body=10,MinRate=500", "header=1 body=10")),
    ("apache", "MaxRequestWorkers 1344", "MaxRequestWorkers 3", four_streams_open,
     ("ThreadsPerChild 64", "ThreadsPerChild 1")),
    ("apache", "GracefulShutdownTimeout 1", "", graceful_stop_ends_in_time, ("Timeout 20", "Timeout 1")),
    ("apache", "Header always set Content-Security-Policy", "", CSP, None),
    ("varnish", "first_byte_timeout = 3s", "", hung_server_means_retry, None),
    ("varnish", "between_bytes_timeout = 3s", "", silent_stream_is_ended, None),
    ("varnish", "first_byte_timeout = 6s", "", held_poll_is_answered, None),
    ("varnish", "first_byte_timeout = 2s", "", plain_request_gets_an_error, ("timeout = 60s", "timeout = 2s")),
    ("varnish", "pipe_timeout=3", "", silent_socket_is_ended, None),
    ("varnish", "return (pipe); # proxy-upgrade-config", "return (pass);", socket_opens, None),
    ("varnish", "set bereq.http.Upgrade = ", "", socket_opens, None),
    ("varnish", "set bereq.http.Connection = ", "", socket_opens, None),
    ("varnish", "return (error(beresp.status));", "", full_server_means_retry, None),
    ("varnish", "set beresp.status = 200;", "", dead_server_means_retry, None),
    ("varnish", "set beresp.http.Content-Type = ", "", dead_server_means_retry, None),
    ("varnish", "set beresp.http.Cache-Control = ", "", retry_is_not_cached, None),
    ("varnish", "set req.http.X-Forwarded-For = ", "", made_up_address_is_not_believed, None),
    ("varnish", "set resp.http.Content-Security-Policy", "", CSP, None),
]  # fmt: skip

SEVERAL = [  # the same for lines of a kit for several instances
    ("haproxy", "option redispatch 1", "", server_that_refuses_is_passed_over, (" check inter 1s fall 2 rise 1", " ")),
    ("haproxy", " check inter 1s fall 2 rise 1", " ", draining_server_gets_nothing_new, None),
    ("haproxy", "option httpchk GET /healthz", "", draining_server_gets_nothing_new, None),
    ("caddy", "lb_try_duration 2s", "", server_that_refuses_is_passed_over, ("health_uri /healthz", "")),
    ("caddy", "health_uri /healthz", "", draining_server_gets_nothing_new, None),
    ("traefik", "healthCheck:", "", draining_server_gets_nothing_new, None),
    ("envoy", "http_health_check: {path: /healthz}", "http_health_check: {path: /}", draining_server_gets_nothing_new,
     None),
    ("envoy", "no_traffic_interval: 1s", "", draining_server_gets_nothing_new, None),
    ("apache", " failonstatus=503", " ", full_server_is_left_alone, None),
    ("varnish", ".probe =", "", draining_server_gets_nothing_new, None),
]  # fmt: skip

# What a comment claims about a value that could seem to cut a stream.
CLAIMS = [
    ("haproxy", "timeout client 60s", "timeout client 1s", silent_stream_lives),
    ("haproxy", "timeout client 60s", "timeout client 1s", held_poll_lives),
    ("haproxy", "timeout http-request 10s", "timeout http-request 1s", silent_socket_lives),
    ("traefik", "readTimeout: 60s", "readTimeout: 1s", silent_stream_lives),
    ("traefik", "readTimeout: 60s", "readTimeout: 1s", silent_socket_lives),
    ("traefik", "readTimeout: 60s", "readTimeout: 1s", held_poll_lives),
    ("envoy", "request_headers_timeout: 10s", "request_headers_timeout: 1s", silent_socket_lives),
]


def holds(check, name, folder, *changes, instances=1):
    proxy = PROXIES[name]
    times = HANGS if check in TO_A_HUNG_ONE else {}
    files, found = kit_for(name, instances=instances, times=times), {old: False for old, _ in changes}

    def edit(text):
        for old, new in changes:
            found[old] |= old in text
            text = changed(text, old, new)
        return re.sub(r"\b8082\b", str(second), text)

    with proxy_lab.upstream() as up, proxy_lab.upstream() as other:
        away = check in {dead_server_means_retry, retry_is_not_cached}
        port = free_port() if away else up.port
        second = free_port() if check is server_that_refuses_is_passed_over else other.port
        with proxy_lab.running(proxy, files, folder, port, edit) as e:
            assert all(found.values()), found
            e.up, e.other = up, other
            return check(e)


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize(
    ("instances", "name", "line", "instead", "check", "both"),
    [(1, *row) for row in LINES] + [pytest.param(2, *row, marks=pytest.mark.alone) for row in SEVERAL],
    ids=[f"{n} {line} {c.__name__}" for n, line, _, c, _ in LINES + SEVERAL],
)
def test_each_line_does_what_it_is_there_for_and_without_it_the_check_is_red(
    instances, name, line, instead, check, both, tmp_path
):
    first = [both] if both else []
    assert holds(check, name, tmp_path / "kit", *first, instances=instances)
    assert not holds(check, name, tmp_path / "without", *first, (line, instead), instances=instances)


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.parametrize(("name", "line", "instead", "check"), CLAIMS)
def test_what_cuts_no_stream_as_the_comment_says(name, line, instead, check, tmp_path):
    assert holds(check, name, tmp_path / "kit", (line, instead))
