"""The nginx configuration of a kit: the intended tree, loaded by real nginx, each line with its check."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import time
from pathlib import Path

import crossplane
import httpx
import pytest
from support import nginx_lab
from support.hand_made_kits import TEMPLATES, conf
from support.hostile_names import NAMES
from support.kit_lab import nginx_version, until
from support.proxy_checks import (
    dead_server_means_retry,
    events_come_at_once,
    full_server_means_retry,
    held,
    page_header,
    retry_is_not_cached,
    second_stream_of_an_address_is_429,
    socket_opens,
    upgraded,
    upstream_header,
)

from advisor.kit import version_gates
from advisor.kit.manifest import load
from advisor.ruleset import cache

VERSIONS = ["1.22", "1.22.1", "1.24.0", "1.25.0", "1.25.1", "1.27.2", "1.27.3", "1.29.6", "1.29.7", "1.30.4", "1.31.3"]


# --- the tree ---------------------------------------------------------------------------------------------------------


def tree(text, tmp_path):
    """What crossplane reads: [directive, arguments, block or None], comments left out."""
    path = tmp_path / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    read = crossplane.parse(str(path), strict=False)
    assert read["status"] == "ok", read["errors"]

    def plain(block):
        return [[d["directive"], d["args"], plain(d["block"]) if "block" in d else None] for d in block]

    return plain(read["config"][0]["parsed"])


WS, LONG, SHORT = ("websocket", "sse", "long-polling"), ("long-polling",), ("short-polling",)
STREAM = ("sse", "long-polling")
LOGGED = '$remote_addr [$time_iso8601] "$request_method $uri" $status $body_bytes_sent $request_time'
TEMPORARY = {"client_body": "body", "proxy": "proxy", "fastcgi": "fastcgi", "uwsgi": "uwsgi", "scgi": "scgi"}
KITS = {"sse": STREAM, "websocket": WS, "long-polling": LONG, "short-polling": SHORT}


def intended(version, *, tls, behind, clients=1000, transports=STREAM, instances=1):
    """The tree as it is meant, written down a second time without the template."""
    old, several = version < (1, 29, 7), instances > 1
    capacity = -(-5 * clients // 4)
    connections = capacity + 512 if transports == SHORT else 2 * capacity + 512
    stream, socket = "sse" in transports, "websocket" in transports
    send, ticket = ("send|", "ticket|") if socket else ("", "")

    def d(name, *args, block=None):
        return [name, list(args), block]

    def some(condition, *lines):
        return list(lines) if condition else []

    listen = [d("listen", "127.0.0.1:8080")]
    if tls:
        listen = (
            [d("listen", "8443", "ssl", "http2")]
            if version < (1, 25, 1)
            else [d("listen", "8443", "ssl"), d("http2", "on")]
        )
        listen += [
            d("ssl_certificate", "tls/fullchain.pem"),
            d("ssl_certificate_key", "tls/privkey.pem"),
            *some(version < (1, 27, 3), d("ssl_protocols", "TLSv1.2", "TLSv1.3")),
        ]
    forwarded = [
        d("proxy_set_header", "Host", "$http_host"),
        d("proxy_set_header", "X-Forwarded-For", "$proxy_add_x_forwarded_for" if behind else "$remote_addr"),
        *some(not behind, d("proxy_set_header", "X-Forwarded-Proto", "$scheme")),
    ]
    limit = some(not behind, d("limit_conn", "address", str(max(100, capacity // 5))))
    server = [
        *listen,
        d("root", "client"),
        d("client_header_timeout", "10s"),
        d("client_max_body_size", "65536"),
        d("client_body_buffer_size", "65536"),
        *some(old, d("proxy_http_version", "1.1"), d("proxy_set_header", "Connection", "")),
        *some(several, d("proxy_next_upstream", "error", "timeout", "http_503"), d("proxy_connect_timeout", "2s")),
        *forwarded,
        d("location", "/", block=[
            d("add_header", "Content-Security-Policy", "frame-ancestors 'none'"),
            d("add_header", "X-Content-Type-Options", "nosniff"),
            d("add_header", "Cache-Control", "no-cache"),
        ]),
        *some(stream, d("location", "=", "/events", block=[
            d("proxy_pass", "http://event_server"),
            d("proxy_buffering", "off"),
            d("proxy_read_timeout", "75s"),
            *limit,
            d("proxy_intercept_errors", "on"),
            d("error_page", "502", "503", "504", "=200", "@retry"),
        ]),
        d("location", "@retry", block=[
            d("default_type", "text/event-stream"),
            d("add_header", "Cache-Control", "no-store"),
            d("return", "200", r"retry: $retry_ms\n\n"),
        ])),
        *some(socket, d("location", "=", "/ws", block=[
            d("proxy_pass", "http://event_server"),
            d("proxy_set_header", "Upgrade", "$http_upgrade"),
            d("proxy_set_header", "Connection", "$connection_upgrade"),
            *forwarded,
            d("proxy_read_timeout", "75s"),
            *some(not several, d("proxy_next_upstream", "off")),
            *limit,
        ])),
        d("location", "=", "/poll", block=[
            d("proxy_pass", "http://event_server"),
            d("proxy_buffering", "off"),
            *some("long-polling" in transports, d("proxy_read_timeout", "30s")),
            *limit,
        ]),
        d("location", "~", f"^/(publish|{send}snapshot|config|session|{ticket}healthz)$", block=[
            d("proxy_pass", "http://event_server"),
        ]),
    ]  # fmt: skip
    http = [
        d("server_tokens", "off"),
        *(d(f"{kind}_temp_path", f"var/tmp/{name}") for kind, name in TEMPORARY.items()),
        d("types", block=[
            d("text/html", "html"), d("text/css", "css"), d("text/javascript", "js"),
        ]),
        d("log_format", "without_query", LOGGED),
        d("access_log", "var/nginx-access.log", "without_query"),
        *some(
            not behind,
            d("limit_conn_zone", "$binary_remote_addr", "zone=address:10m"),
            d("limit_conn_status", "429"),
        ),
        d("upstream", "event_server", block=[
            *(d("server", f"127.0.0.1:{8081 + i}", *(["max_fails=0"] if several else [])) for i in range(instances)),
            *some(old, d("keepalive", "32")),
        ]),
        *some(stream, d("split_clients", "$request_id", "$retry_ms", block=[
            d("25%", "1000"), d("25%", "2000"), d("25%", "3000"), d("*", "4000"),
        ])),
        *some(socket, d("map", "$http_upgrade", "$connection_upgrade", block=[
            d("default", "upgrade"), d("", ""),
        ])),
        d("server", block=server),
    ]  # fmt: skip
    return [
        d("worker_processes", "auto"),
        d("worker_rlimit_nofile", str(2 * connections)),
        d("worker_shutdown_timeout", "20s"),
        d("pid", "var/nginx.pid"),
        d("error_log", "var/nginx-error.log", "warn"),
        d("events", block=[d("worker_connections", str(connections))]),
        d("http", block=http),
    ]


@pytest.mark.grid
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize("pattern", KITS)
def test_crossplane_reads_back_the_intended_tree(version, tls, behind, pattern, instances, tmp_path):
    answers = {"load_balancer": "aws-alb"} if behind else {"load_balancer": "none", "cdn": "none"}
    answers["instances"] = instances
    text = conf("nginx-tls" if tls else "nginx", nginx_version=version, patterns=(pattern,), **answers)
    wanted = intended(
        version_gates.parse_version(version), tls=tls, behind=behind, transports=KITS[pattern], instances=instances
    )
    assert tree(text, tmp_path) == wanted


def test_features_over_different_transports_have_one_location_for_each(tmp_path):
    for patterns, transports in {
        ("sse", "short-polling"): (*STREAM, "short-polling"),
        ("short-polling", "websocket"): (*WS, "short-polling"),
    }.items():
        text = conf(features=("a", "b"), patterns=patterns)
        assert tree(text, tmp_path) == intended(
            (1, 30, 4), tls=False, behind=False, transports=transports, clients=2000
        )


@pytest.mark.parametrize("clients", [0, 1, 999, 12_345, 40_000, 48_000])
def test_the_numbers_follow_from_the_clients(clients, tmp_path):
    at_least = max(clients, 80)  # room for 100
    assert tree(conf(concurrent_clients=clients), tmp_path) == intended(
        (1, 30, 4), tls=False, behind=False, clients=at_least
    )


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:30] for name in NAMES])
def test_no_name_changes_the_tree(name, tmp_path):
    for which in ("nginx", "nginx-tls"):
        text = conf(which, project=name, features=(name, "second"), patterns=("websocket",))
        assert tree(text, tmp_path) == intended(
            (1, 30, 4), tls=which == "nginx-tls", behind=False, transports=WS, clients=2000
        )


@pytest.mark.long
def test_no_line_that_measurement_found_useless_or_harmful():
    useless = ["chunked_transfer_encoding", "proxy_cache", "gzip", "X-Accel", "proxy_send_timeout", "max_fails"]
    for version in VERSIONS:
        for pattern in KITS:
            text = conf(nginx_version=version, patterns=(pattern,))
            for word in useless + (["pgrade"] if pattern != "websocket" else ['Connection "upgrade"', "close;"]):
                assert word not in text


def test_every_caveat_in_a_comment_is_one_of_the_vocabulary():
    known = {"conn-scale-tuning", "reconnect-storm", "h1-connection-limit", "sse-buffering", "idle-timeout-heartbeat",
             "proxy-upgrade-config", "long-poll-timeout-below-proxy"}  # fmt: skip
    text = conf("nginx-tls", nginx_version="1.22.1", patterns=("websocket",))
    assert set(re.findall(r"# ([a-z0-9]+(?:-[a-z0-9]+)+)(?=$|:)", text, re.MULTILINE)) == known
    assert known <= cache.load().caveats.keys()


# --- gates ------------------------------------------------------------------------------------------------------------


def nginx_gates():
    return next(option.gates for option in load(TEMPLATES)["edge"] if option.name == "nginx")


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.22", (1, 22, 0)), ("1.22.1", (1, 22, 1)), (" 1.30.4 ", (1, 30, 4)), ("1", None), ("1.22.1.1", None),
     ("v1.22", None), ("1.22-ubuntu", None), ("1.2x", None), ("", None), ("latest", None), ("1.22\n", (1, 22, 0)),
     ("\u0661.\u0662", None), ("1.99999", None), ("-1.2", None), ("1. 22", None)],
)  # fmt: skip
def test_versions_are_read_strictly(text, version):
    assert version_gates.parse_version(text) == version


def test_gates_open_and_close_at_their_versions():
    at = {
        text: nginx_gates().open(version_gates.parse_version(text)) for text in ("1.25.0", "1.25.1", "1.29.6", "1.29.7")
    }
    assert [g["http2_directive"] for g in at.values()] == [False, True, True, True]
    assert [g["old_upstream_defaults"] for g in at.values()] == [True, True, True, False]


@pytest.mark.parametrize("answer", [None, "", "newest", "1.30.4; daemon on", {"other": "x"}])
def test_without_a_version_the_current_stable_one_is_taken_and_said(answer):
    written, version, (note,) = version_gates.choose(nginx_gates(), answer)
    assert (written, version) == ("1.30.4", (1, 30, 4))
    assert "1.30.4" in note


@pytest.mark.parametrize("text", ["1.18.0", "1.31.4", "2.0"])
def test_a_version_outside_the_tested_ones_is_said(text):
    written, _, (note,) = version_gates.choose(nginx_gates(), text)
    assert written == text
    assert "1.22.0 to 1.31.3" in note


def test_a_tested_version_needs_no_note():
    assert version_gates.choose(nginx_gates(), "1.22.1") == ("1.22.1", (1, 22, 1), [])


def test_every_gate_is_used_and_has_evidence():
    import yaml

    folder = TEMPLATES / "edge/nginx"
    data = yaml.safe_load((folder / "gates.yaml").read_text(encoding="utf-8"))
    used = set(re.findall(r"needs\.(\w+)", (folder / "nginx.conf.j2").read_text(encoding="utf-8")))
    assert used == {name.replace("-", "_") for name in data["gates"]}
    for gate in data["gates"].values():
        assert gate["evidence"]
        assert gate["says"]


# --- real nginx: loads ------------------------------------------------------------------------------------------------


@pytest.mark.lab
@pytest.mark.parametrize("which", ["nginx", "nginx-tls"])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("pattern", KITS)
def test_nginx_loads_it_without_a_warning(nginx, which, behind, pattern, tmp_path):
    answers = {"load_balancer": "aws-alb"} if behind else {}
    (tmp_path / "nginx").mkdir()
    nginx_lab.certificate(tmp_path)
    for instances in (1, 3):
        answers["instances"] = instances
        text = conf(which, nginx_version=nginx_version(nginx), patterns=(pattern,), **answers)
        (tmp_path / "nginx/x.conf").write_text(text, encoding="utf-8")
        code, said = nginx_lab.check(nginx, tmp_path, "nginx/x.conf")
        assert code == 0, said
        assert "[" not in said, said


@pytest.mark.long
@pytest.mark.lab
def test_nginx_loads_it_under_every_hostile_name(any_nginx, tmp_path):
    (tmp_path / "nginx").mkdir()
    for name in NAMES:
        text = conf(project=name, nginx_version="1.22.1")
        (tmp_path / "nginx/x.conf").write_text(text, encoding="utf-8")
        code, said = nginx_lab.check(any_nginx, tmp_path, "nginx/x.conf")
        assert code == 0, (name, said)


@pytest.mark.lab
def test_the_default_loads_on_every_nginx_that_is_tested(nginx, tmp_path):
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx/x.conf").write_text(conf(), encoding="utf-8")
    assert nginx_lab.check(nginx, tmp_path, "nginx/x.conf")[0] == 0


# --- real nginx: what each line is for; without it, the check is red --------------------------------------------------


def upstream_version(e):
    return e.get("/config").json()["version"] == "HTTP/1.1"


def upstream_reused(e):
    before = e.up.connections
    for _ in range(5):
        e.get("/config")
    return e.up.connections - before == 1


def silence_is_cut_after_a_second(e):
    e.up.mode = "silent"
    try:
        with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=3) as response:
            return [*response.iter_bytes()] == []
    except httpx.ReadTimeout:
        return False
    except httpx.RemoteProtocolError:
        return True
    finally:
        e.up.end.set()


def large_body_is_refused_before_the_server(e):
    seen = len(e.up.requests)
    return e.post("/publish", b"x" * 70_000).status_code == 413 and len(e.up.requests) == seen


def half_a_request_is_ended_after_a_second(e):
    with socket.create_connection(("127.0.0.1", e.port), timeout=4) as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n")
        try:
            return connection.recv(100) == b""
        except TimeoutError:
            return False


def large_event_needs_no_file(e):
    e.post("/publish", b"x" * 60_000)
    return "buffered to a temporary file" not in (e.folder / "var" / "nginx-error.log").read_text("utf-8")


def version_is_not_told(e):
    return e.get("/").headers["server"] == "nginx"


def page_is_served(e):
    return e.get("/").text == "<p>page"


def type_of(path, wanted):
    return lambda e: e.get(path).headers["content-type"].startswith(wanted)


def query_is_not_logged(e):
    e.get("/config?ticket=secret")
    path = e.folder / "var/nginx-access.log"
    text, end = "", time.monotonic() + 2
    while time.monotonic() < end and "/config" not in text:
        time.sleep(0.02)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    return "/config" in text and "secret" not in text


def old_workers_go_after_a_reload(e):
    with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=5):
        old = set(e.workers())
        e.process.send_signal(signal.SIGHUP)
        until(lambda: set(e.workers()) - old, "new workers")
        end = time.monotonic() + 3
        while time.monotonic() < end and (left := [pid for pid in old if Path(f"/proc/{pid}").exists()]):
            time.sleep(0.05)
        e.up.end.set()
        return not left


def workers_may_open(count):
    def check(e):
        limits = Path(f"/proc/{e.workers()[0]}/limits").read_text(encoding="ascii")
        return re.search(r"Max open files\s+(\d+)", limits)[1] == str(count)

    return check


def carries_300_streams(e):
    """Each needs two connections of one worker; nginx's own default is 512."""
    open_ones, e.up.mode = [], "stream"
    try:
        for _ in range(300):
            connection = socket.create_connection(("127.0.0.1", e.port), timeout=2)
            open_ones.append(connection)
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            if connection.recv(12)[9:12] != b"200":
                return False
    except OSError:
        return False
    finally:
        e.up.end.set()
        for connection in open_ones:
            connection.close()
    return True


# --- the same for the lines of /ws and /poll --------------------------------------------------------------------------


def socket_header(name, wanted):
    return lambda e: e.get("/ws").json()["headers"].get(name) == (wanted and wanted.format(port=e.port))


def silent_socket_is_cut_after_a_second(e):
    connection, _ = upgraded(e, 3)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    finally:
        e.up.end.set()
        connection.close()


def failed_handshake_is_not_repeated(e):
    e.get("/ws")  # nginx would repeat only what fails on a connection that it had kept, for this location
    e.up.mode = "drop"
    return e.get("/ws").status_code == 502 and len(e.up.requests) == 2


def second_socket_of_an_address_is_429(e):
    first, _ = upgraded(e)
    second, line = upgraded(e)
    e.up.end.set()
    first.close()
    second.close()
    return b" 429 " in line


def held_poll_is_cut_after_a_second(e):
    with held(e) as connection:
        connection.settimeout(3)
        try:
            return b" 504 " in connection.recv(4096)
        except TimeoutError:
            return False
        finally:
            e.up.end.set()


def second_poll_of_an_address_is_429(e):
    with held(e), socket.create_connection(("127.0.0.1", e.port), timeout=0.5) as second:
        second.sendall(b"GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            return b" 429 " in second.recv(4096)
        except TimeoutError:
            return False
        finally:
            e.up.end.set()


def long_answer_needs_no_file(e):
    e.up.mode = "large"
    with socket.create_connection(("127.0.0.1", e.port), timeout=5) as slow:
        slow.sendall(b"GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.7)
    return "buffered to a temporary file" not in e.log("nginx-error.log")


def send_reaches_the_server(e):
    return e.post("/send", b"{}").status_code == 200


# --- and for the lines that every other test needs --------------------------------------------------------------------


def reaches_the_server(path):
    def check(e):
        e.up.end.set()
        e.get(path)
        return path in {seen["path"] for seen in e.up.requests}

    return check


def says_when_to_come_back(e):
    """And not to all pages the same."""
    return {e.get("/events").text for _ in range(60)} == {f"retry: {ms}\n\n" for ms in (1000, 2000, 3000, 4000)}


def is_made(name):
    return lambda e: (e.folder / "var" / name).exists()


def each_core_has_a_worker(e):
    return len(e.workers()) == (os.cpu_count() or 1)


def adds_its_client(path):
    def check(e):
        sent = e.get(path, headers={"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}).json()["headers"]
        return (sent["x-forwarded-for"], sent["x-forwarded-proto"]) == ("203.0.113.9, 127.0.0.1", "https")

    return check


FRAMES = "frame-ancestors 'none'"
LINES = [
    ("proxy_http_version 1.1;", upstream_version),
    ('proxy_set_header Connection "";', upstream_reused),
    ("keepalive 32;", upstream_reused),
    ("proxy_set_header Host $http_host;", upstream_header("host", "127.0.0.1:{port}")),
    ("proxy_set_header X-Forwarded-For $remote_addr;", upstream_header("x-forwarded-for", "127.0.0.1")),
    ("proxy_set_header X-Forwarded-Proto $scheme;", upstream_header("x-forwarded-proto", "http")),
    ("proxy_buffering off;", events_come_at_once),
    ("proxy_read_timeout 1s;", silence_is_cut_after_a_second),
    ("proxy_intercept_errors on;", full_server_means_retry),
    ("error_page 502 503 504 =200 @retry;", dead_server_means_retry),
    ("default_type text/event-stream;", dead_server_means_retry),
    ("add_header Cache-Control no-store;", retry_is_not_cached),
    ("limit_conn address 1;", second_stream_of_an_address_is_429),
    ("limit_conn_status 429;", second_stream_of_an_address_is_429),
    ("client_header_timeout 1s;", half_a_request_is_ended_after_a_second),
    ("client_max_body_size 65536;", large_body_is_refused_before_the_server),
    ("client_body_buffer_size 65536;", large_event_needs_no_file),
    ("server_tokens off;", version_is_not_told),
    (f'add_header Content-Security-Policy "{FRAMES}";', page_header("content-security-policy", FRAMES)),
    ("add_header X-Content-Type-Options nosniff;", page_header("x-content-type-options", "nosniff")),
    ("add_header Cache-Control no-cache;", page_header("cache-control", "no-cache")),
    ("root client;", page_is_served),
    ("text/html html;", type_of("/", "text/html")),
    ("text/javascript js;", type_of("/app.js", "text/javascript")),
    ("text/css css;", type_of("/style.css", "text/css")),
    ("access_log var/nginx-access.log without_query;", query_is_not_logged),
    ("worker_shutdown_timeout 1s;", old_workers_go_after_a_reload),
    ("worker_rlimit_nofile 3012;", workers_may_open(3012)),
    ("worker_connections 1506;", carries_300_streams),
]  # fmt: skip
NEEDS_A_DEAD_SERVER = {dead_server_means_retry, retry_is_not_cached}
FOR_POLLS_TOO = {"proxy_buffering off;", "proxy_read_timeout 1s;", "limit_conn address 1;"}  # WS_LINES has those
GATED = {"proxy_http_version 1.1;", 'proxy_set_header Connection "";', "keepalive 32;"}


WS_LINES = [  # (the block that the line is in, the line, its check)
    ("map $http_upgrade", "default upgrade;", socket_opens),
    ("map $http_upgrade", "'' '';", socket_header("connection", None)),
    ("location = /ws", "proxy_set_header Upgrade $http_upgrade;", socket_opens),
    ("location = /ws", "proxy_set_header Connection $connection_upgrade;", socket_opens),
    ("location = /ws", "proxy_set_header Host $http_host;", socket_header("host", "127.0.0.1:{port}")),
    ("location = /ws", "proxy_set_header X-Forwarded-For $remote_addr;", socket_header("x-forwarded-for", "127.0.0.1")),
    ("location = /ws", "proxy_set_header X-Forwarded-Proto $scheme;", socket_header("x-forwarded-proto", "http")),
    ("location = /ws", "proxy_read_timeout 1s;", silent_socket_is_cut_after_a_second),
    ("location = /ws", "proxy_next_upstream off;", failed_handshake_is_not_repeated),
    ("location = /ws", "limit_conn address 1;", second_socket_of_an_address_is_429),
    ("location = /poll", "proxy_buffering off;", long_answer_needs_no_file),
    ("location = /poll", "proxy_read_timeout 1s;", held_poll_is_cut_after_a_second),
    ("location = /poll", "limit_conn address 1;", second_poll_of_an_address_is_429),
    ("", "send|", send_reaches_the_server),
]


REFUSED = None  # nginx does not load the configuration without the line
REST = [  # like WS_LINES, for lines that a configuration cannot do without
    ("", "pid var/nginx.pid;", is_made("nginx.pid")),
    ("", "error_log var/nginx-error.log warn;", is_made("nginx-error.log")),
    ("", "worker_processes auto;", each_core_has_a_worker),
    *(("http {", f"{kind}_temp_path var/tmp/{name};", is_made(f"tmp/{name}")) for kind, name in TEMPORARY.items()),
    ("http {", f"log_format without_query '{LOGGED}';", REFUSED),
    ("http {", "limit_conn_zone $binary_remote_addr zone=address:10m;", REFUSED),
    ("upstream event_server", "server 127.0.0.1:8081;", REFUSED),
    *(("split_clients", line, says_when_to_come_back) for line in ("25% 1000;", "25% 2000;", "25% 3000;", "* 4000;")),
    ("location = /events", "proxy_pass http://event_server;", reaches_the_server("/events")),
    ("location = /ws", "proxy_pass http://event_server;", reaches_the_server("/ws")),
    ("location = /poll", "proxy_pass http://event_server;", reaches_the_server("/poll")),
    ("location ~ ^/", "proxy_pass http://event_server;", reaches_the_server("/config")),
    ("location @retry", 'return 200 "retry: $retry_ms\\n\\n";', says_when_to_come_back),
]  # fmt: skip
BEHIND = [  # where another proxy is in front of nginx
    ("server {", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", adds_its_client("/config")),
    ("location = /ws", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", adds_its_client("/ws")),
]
TLS = [
    ("server {", "ssl_certificate tls/fullchain.pem;", REFUSED),
    ("server {", "ssl_certificate_key tls/privkey.pem;", REFUSED),
]
NEEDS_A_DEAD_SERVER.add(says_when_to_come_back)
# Every test that starts nginx waits until it listens; test_tls_offers_... has its words http2, and the other two lines;
# test_several.py has those for several servers.
ELSEWHERE = {"listen 127.0.0.1:8080;", "listen 8443 ssl;", "listen 8443 ssl http2;", "http2 on;",
             "ssl_protocols TLSv1.2 TLSv1.3;", "proxy_next_upstream error timeout http_503;",
             "proxy_connect_timeout 2s;", *(f"server 127.0.0.1:{8081 + i} max_fails=0;" for i in range(3))}  # fmt: skip


def test_every_line_of_every_configuration_has_its_check(tmp_path):
    tables = [("", line, check) for line, check in LINES] + WS_LINES + REST + BEHIND + TLS
    numbers = re.compile(r"(?<=[ =])\d+s?(?=;)")  # they follow from the answers
    known = {(block.removesuffix(" {"), numbers.sub("N", line)) for block, line, _ in tables}

    def lines(block, inside):
        for one in block:
            if "block" in one:
                yield from lines(one["block"], " ".join([one["directive"], *one["args"]]))
            else:
                yield inside, text.splitlines()[one["line"] - 1].partition(" #")[0].strip()

    for version in ("1.22.1", "1.31.3"):
        for pattern in KITS:
            for which in ("nginx", "nginx-tls"):
                for answers in ({}, {"load_balancer": "aws-alb"}, {"instances": 3}):
                    text = conf(which, nginx_version=version, patterns=(pattern,), **answers)
                    (tmp_path / "x.conf").write_text(text, encoding="utf-8")
                    (read,) = crossplane.parse(str(tmp_path / "x.conf"), strict=False)["config"]
                    for inside, line in lines(read["parsed"], ""):
                        bare = numbers.sub("N", line)
                        assert line in ELSEWHERE or any(
                            inside.startswith(block) and bare.startswith(known_line) for block, known_line in known
                        ), (inside, line)


def prepared(binary, line, pattern="sse", which="nginx", **answers):
    """The kit's configuration for this nginx with small numbers, so that a check need not wait or fill it."""
    version = nginx_version(binary)
    text = conf(which, nginx_version=version, concurrent_clients=397, patterns=(pattern,), **answers)
    text = text.replace("worker_shutdown_timeout 20s", "worker_shutdown_timeout 1s")
    if line != "worker_processes auto;":
        text = text.replace("worker_processes auto", "worker_processes 1")
    if line.startswith("proxy_read_timeout"):
        text = re.sub(r"proxy_read_timeout \d+s", "proxy_read_timeout 1s", text)
    if line.startswith("client_header_timeout"):
        text = text.replace("client_header_timeout 10s", "client_header_timeout 1s")
    if line.startswith("limit_conn"):
        text = text.replace("limit_conn address 100;", "limit_conn address 1;")
    if line.startswith("worker_connections"):
        text = text.replace("limit_conn address 100;", "limit_conn address 1000;")
    return text


def holds(check, binary, text, folder):
    for name, content in {"index.html": "<p>page", "app.js": "1", "style.css": "a{}"}.items():
        (folder / "client").mkdir(parents=True, exist_ok=True)
        (folder / "client" / name).write_text(content, encoding="utf-8")
    with nginx_lab.upstream() as up:
        port = nginx_lab.free_port() if check in NEEDS_A_DEAD_SERVER else up.port
        with nginx_lab.running(binary, text, folder, port) as e:
            e.up = up
            return check(e)


@pytest.mark.grid
@pytest.mark.lab
@pytest.mark.parametrize(("line", "check"), LINES, ids=[line for line, _ in LINES])
def test_each_line_does_what_it_is_there_for_and_without_it_the_check_is_red(nginx, line, check, tmp_path):
    text = prepared(nginx, line)
    if line in GATED and line not in text:
        assert version_gates.parse_version(nginx_version(nginx)) >= (1, 29, 7)
        assert holds(check, nginx, text, tmp_path / "kit")
        return
    assert text.count(line) == (2 if line in FOR_POLLS_TOO else 1)  # that of /events is the first
    assert holds(check, nginx, text, tmp_path / "kit")
    assert not holds(check, nginx, text.replace(line, "", 1), tmp_path / "without")


@pytest.mark.grid
@pytest.mark.lab
@pytest.mark.parametrize(
    ("block", "line", "check", "answers"),
    [(*row, {}) for row in WS_LINES]
    + [pytest.param(*row, {}, marks=pytest.mark.long) for row in REST]
    + [pytest.param(*row, {"load_balancer": "aws-alb"}, marks=pytest.mark.long) for row in BEHIND]
    + [pytest.param(*row, {"which": "nginx-tls"}, marks=pytest.mark.long) for row in TLS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_line_of_socket_and_poll_and_all_others_have_their_checks_too(
    nginx, block, line, check, answers, tmp_path
):
    text = prepared(nginx, line, "websocket", **answers)
    start = text.index(block)
    at = text.index(line, start)
    assert not block or text.count("{", start, at) > text.count("}", start, at), "the line is in the block"
    without = text[:at] + text[at + len(line) :]
    if check is REFUSED:
        nginx_lab.certificate(tmp_path)
        (tmp_path / "nginx").mkdir(exist_ok=True)
        for version, status in ((text, 0), (without, 1)):
            (tmp_path / "nginx/x.conf").write_text(version, encoding="utf-8")
            assert nginx_lab.check(nginx, tmp_path, "nginx/x.conf")[0] == status
        return
    assert holds(check, nginx, text, tmp_path / "kit")
    assert not holds(check, nginx, without, tmp_path / "without")


@pytest.mark.lab
def test_a_dead_server_stays_a_502_for_everything_but_the_stream(any_nginx, tmp_path):
    with nginx_lab.running(any_nginx, conf(), tmp_path, nginx_lab.free_port()) as e:
        assert {e.get(path).status_code for path in ("/config", "/healthz", "/snapshot")} == {502}
        assert e.post("/publish", b"{}").status_code == 502


def shake(port, version):
    """(TLS version, protocol) of a handshake that allows this version only; None if it fails."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.minimum_version = client.maximum_version = version
    client.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        try:
            with client.wrap_socket(raw) as wrapped:
                return wrapped.version(), wrapped.selected_alpn_protocol()
        except ssl.SSLError:
            return None


@pytest.mark.lab
@pytest.mark.parametrize("without", ["", "http2 on;", " http2;", "ssl_protocols TLSv1.2 TLSv1.3;"])
def test_tls_offers_http2_and_tls_1_3_and_no_longer_without_their_lines(nginx, without, tmp_path):
    nginx_lab.certificate(tmp_path)
    text = conf("nginx-tls", nginx_version=nginx_version(nginx))
    if without not in text:
        assert without in conf("nginx-tls", nginx_version="1.22.1") + conf(
            "nginx-tls"
        )  # another version needs the line
        return
    text = text.replace(without, ";" if without == " http2;" else "")
    with nginx_lab.running(nginx, text, tmp_path, nginx_lab.free_port()) as e:
        shaken = shake(e.port, ssl.TLSVersion.TLSv1_2), shake(e.port, ssl.TLSVersion.TLSv1_3)
    protocol = "http/1.1" if "http2" in without else "h2"
    assert shaken == (("TLSv1.2", protocol), None if "ssl" in without else ("TLSv1.3", protocol))
