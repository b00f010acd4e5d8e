"""The kits for other proxies than nginx: loaded by the real program, and streams through each."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support import peer_clients, proxy_lab
from support.hand_made_kits import often, rendered
from support.hostile_names import NAMES
from support.kit_lab import Started, followed, following, nginx_conf, nginx_version, publish_through, until
from support.proxy_lab import ALONE, BEHIND, FRAMES, PROXIES, kit_for

from advisor.engine import timing
from advisor.ruleset import cache

KITS = {
    "sse": ("sse",),
    "websocket": ("websocket",),
    "long-polling": ("long-polling",),
    "short-polling": ("short-polling",),
}


@pytest.fixture(params=PROXIES)
def proxy(request):
    return PROXIES[request.param]


# Traefik has no such command: the tests with streams start it, and test_render has the names for its YAML.
with_check = pytest.mark.parametrize("name", [name for name, proxy in PROXIES.items() if proxy.checks])


# --- the files --------------------------------------------------------------------------------------------------------


def test_a_proxy_has_its_own_files_and_none_of_nginx(proxy):
    files = rendered(patterns=("websocket",), reverse_proxy=proxy.name)
    assert {f"{proxy.name}/{file}" for file in proxy.files} | {"edge.json"} <= files.keys()
    assert not [name for name in files if "nginx" in name or name == "compose.yaml"]
    readme = files["README.md"].decode()
    assert "Compose" not in readme
    assert [line.partition(" ")[2][:21] for line in readme.splitlines() if "nginx" in line] == ["A client that stops r"]


def test_every_caveat_in_a_comment_is_one_of_the_rules():
    known, used = cache.load().caveats.keys(), set()
    for name in PROXIES:
        for file, content in kit_for(name).items():
            if file.startswith(f"{name}/"):
                used |= set(re.findall(r"# ([a-z0-9]+(?:-[a-z0-9]+)+)(?=:|$)", content.decode(), re.MULTILINE))
    assert used <= known, used - known
    assert {"conn-scale-tuning", "reconnect-storm", "idle-timeout-heartbeat", "sse-buffering"} <= used


@pytest.mark.grid
def test_hostile_names_change_nothing_but_the_comment(proxy):
    plain = kit_for(proxy.name, project="plain")
    for name in NAMES:
        made = kit_for(proxy.name, project=name)
        for file in plain:
            if file.startswith(f"{proxy.name}/"):
                strip = [line for line in made[file].decode().splitlines() if not line.startswith("#")]
                assert strip == [line for line in plain[file].decode().splitlines() if not line.startswith("#")]


ROOM = {  # what bounds the streams of a proxy, and how many of them there are
    "haproxy": (r"maxconn (\d+)", 1),
    "envoy": (r"max_(?:connections|requests|pending_requests): (\d+)", 1),
    "apache": (r"MaxRequestWorkers (\d+)", 1),
    "varnish": (r"thread_pool_max=(\d+)", 2),
}


@pytest.mark.parametrize("instances", [1, 2, 3, 9])
@pytest.mark.parametrize("name", ROOM)
def test_a_proxy_has_room_for_the_streams_of_all_instances(name, instances):
    text = b"".join(kit_for(name, instances=instances, concurrent_clients=8000).values()).decode()
    line, count = ROOM[name]
    rooms = [count * int(room) for room in re.findall(line, text)]
    assert rooms
    assert all(10_000 < room < 11_000 for room in rooms), rooms


@pytest.mark.long
@pytest.mark.lab
@with_check
@pytest.mark.parametrize("instances", [1, pytest.param(3, marks=pytest.mark.long)])
def test_the_program_loads_every_file_without_a_warning(name, instances, tmp_path):
    proxy = PROXIES[name]
    proxy_lab.certificate(proxy, tmp_path)
    for pattern in KITS:
        for way in (ALONE, BEHIND):
            proxy_lab.lay(proxy, kit_for(proxy.name, pattern, instances=instances, **way), tmp_path)
            for file in proxy.files:
                code, said = proxy_lab.check(proxy, tmp_path, file)
                assert code == 0, said
                assert not re.search(r"\[WARNING\]|\[warn|AH\d+.*warn", said), said


@pytest.mark.long
@pytest.mark.lab
@with_check
def test_the_program_loads_a_file_with_every_hostile_name_in_its_comments(name, tmp_path):
    proxy = PROXIES[name]
    comments = {kit_for(proxy.name, project=name)[f"{proxy.name}/{proxy.files[0]}"] for name in NAMES}
    heads = "".join(line + "\n" for text in comments for line in text.decode().splitlines()[:2] if line.startswith("#"))
    files = kit_for(proxy.name)
    proxy_lab.lay(proxy, files, tmp_path, lambda text: text.replace("# Acme orders\n", heads))
    code, said = proxy_lab.check(proxy, tmp_path, proxy.files[0])
    assert code == 0, said


@pytest.mark.lab
@pytest.mark.parametrize("file", ["httpd.conf", "httpd-tls.conf"])
def test_apache_takes_its_modules_from_another_place_as_the_file_says(file, tmp_path):
    """An option that is read after the file comes too late for it."""
    proxy = PROXIES["apache"]
    proxy_lab.certificate(proxy, tmp_path)
    proxy_lab.lay(proxy, kit_for("apache"), tmp_path)
    option = re.search(r'(-\w) "Define modules ', (tmp_path / "apache" / file).read_text(encoding="utf-8"))[1]
    (tmp_path / "elsewhere").symlink_to("/usr/lib/apache2/modules")
    for place, status in (("elsewhere", 0), ("nowhere", 1)):
        words = [proxy.binary(), option, f"Define modules {tmp_path}/{place}", "-d", ".", "-f", f"apache/{file}", "-t"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert status == 0 or f"{tmp_path}/{place}/" in done.stderr


# --- streams through the real thing, started by start.py -------------------------------------------------------------


@pytest.fixture
def through(make_lab):
    """through(proxy, **answers) -> a Lab whose server and proxy run, started by start.py on free ports."""
    started = []

    def start(proxy, **settings):
        binary = proxy.binary() if proxy else ""
        lab = make_lab(run=False, **peer_clients.WS | settings)
        times = {name: settings[name] for name in ("heartbeat_s", "hold_s") if name in settings}
        files = kit_for(proxy.name if proxy else "none", times=times)
        for name, content in files.items():
            if name == "edge.json" or (proxy and name.startswith(f"{proxy.name}/")):
                (lab.folder / name).parent.mkdir(exist_ok=True)
                (lab.folder / name).write_bytes(content)
        started.append(Started(lab, path=f"{binary.rpartition('/')[0]}:/usr/sbin:/usr/bin:/bin"))
        started[-1].ready()
        lab.through = f"http://127.0.0.1:{lab.edge}"
        return lab

    yield start
    for one in started:
        one.end()


def arrive(got, lab, count=6):
    ids = publish_through(lab, count, 20)
    until(lambda: len(got.ids) >= count, "the events arrive")
    assert got.ids == ids
    return statistics.median(got.lags_ms)


@pytest.mark.long
@pytest.mark.lab
@pytest.mark.parametrize("name", often(["none", *PROXIES], "none", "haproxy"))
def test_start_py_runs_every_transport_also_across_kill_9(name, through):
    lab = through(PROXIES.get(name))
    page = lab.http.get(lab.url)
    assert (page.status_code, "<!doctype html>" in page.text.lower()) == (200, True)
    assert (page.headers.get("content-security-policy") == FRAMES) == (name != "none")
    with following(lab.url) as got:
        assert arrive(got, lab) < 150  # HAProxy without its line: 200
    with followed(peer_clients.follow_socket, lab.url) as got:
        assert arrive(got, lab) < 150
    with peer_clients.opened(lab.url, origin=lab.url) as opened:
        opened.send(json.dumps({"type": "send", "feature": "order-status", "data": {"up": 1}, "key": "k-1"}))
        assert peer_clients.told(opened, "sent", "refused")["type"] == "sent"
    with followed(peer_clients.follow_polls, lab.url, 3) as got:
        assert arrive(got, lab) < 150
    began = time.monotonic()
    cursor = lab.http.get(f"{lab.url}/poll").json()["cursor"]
    held_back = lab.http.get(f"{lab.url}/poll", params={"cursor": cursor, "wait": 2})
    assert (held_back.status_code, time.monotonic() - began > 1.9) == (200, True)
    with following(lab.url) as got:
        ids = publish_through(lab, 3, 20)
        os.kill(int((lab.folder / "var/server.lock").read_text(encoding="ascii")), signal.SIGKILL)
        ids += publish_through(lab, 3, 20)
        until(lambda: got.ids[-1:] == ids[-1:], "the last event arrives")
        assert (got.ids, got.connects > 1) == (ids, True)


SILENT_S = 66


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.timeout(300)
def test_what_is_silent_for_longer_than_the_stock_limits_lives(through, make_lab, any_nginx):
    """nginx, Apache and Varnish as installed end what is silent for 60 s, Envoy any response after 15 s."""
    times = {"heartbeat_s": 200, "hold_s": 25}  # a busy machine takes its time with six proxies
    labs = {name: through(proxy, **times) for name, proxy in PROXIES.items()}
    labs["nginx"] = make_lab(**peer_clients.WS | times)
    waits = timing.waits(*times.values(), cache.load())
    labs["nginx"].start_nginx(any_nginx, nginx_conf(nginx_version(any_nginx), labs["nginx"].settings | waits))
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(len(labs)))
        streams = {name: stack.enter_context(silent_stream(lab)) for name, lab in labs.items()}
        sockets = {
            name: stack.enter_context(peer_clients.opened(lab.url, origin=lab.url, ping_interval=None))
            for name, lab in labs.items()
        }
        began = time.monotonic()
        held = {name: pool.submit(poll_held, lab, times["hold_s"]) for name, lab in labs.items()}
        assert {name: answer.result() for name, answer in held.items()} == dict.fromkeys(labs, (200, []))
        time.sleep(began + SILENT_S - time.monotonic())
        for name, lab in labs.items():
            (made,) = publish_through(lab, 1, 20)
            told = [json.loads(sockets[name].recv(timeout=10)) for _ in range(2)]
            assert [(one["type"], one["id"]) for one in told[1:]] == [("event", made)], name
            assert told[0]["type"] == "hello", name
            seen = read_until(streams[name], made.encode())
            assert b"heartbeat" not in seen.replace(b"heartbeat_s", b""), name


@contextlib.contextmanager
def silent_stream(lab):
    """A socket on which the response of /events has begun."""
    url = httpx.URL(lab.url)
    with socket.create_connection((url.host, url.port), timeout=10) as raw:
        raw.sendall(f"GET /events HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n\r\n".encode())
        read_until(raw, b"hello")
        yield raw


def read_until(raw, wanted):
    seen = b""
    while wanted not in seen:
        seen += (more := raw.recv(65536))
        assert more, "the stream has ended"
    return seen


def poll_held(lab, hold_s):
    cursor = lab.http.get(f"{lab.url}/poll").json()["cursor"]
    with httpx.Client(timeout=hold_s + 20) as client:
        answer = client.get(f"{lab.url}/poll", params={"cursor": cursor, "wait": hold_s})
    return answer.status_code, answer.json()["events"] if answer.status_code == 200 else answer.text


# --- over TLS ---------------------------------------------------------------------------------------------------------


def comes(client, url):
    """Traefik refuses every handshake until it has read its certificate."""
    with contextlib.suppress(httpx.ConnectError):
        return client.get(url).status_code == 200
    return False


# What makes the file for production speak HTTP/2; Caddy and Traefik do by themselves.
HTTP2 = {"haproxy": " alpn h2,http/1.1", "envoy": "alpn_protocols: [h2, http/1.1]", "apache": "Protocols h2 http/1.1"}


@pytest.mark.long
@pytest.mark.lab
@pytest.mark.parametrize("name", often((name for name, proxy in PROXIES.items() if len(proxy.files) > 1), "haproxy"))
def test_over_tls_the_page_and_its_stream_come_with_http_2_and_a_socket_opens(name, make_lab, tmp_path):
    lab, proxy = make_lab(**peer_clients.WS), PROXIES[name]
    trusted, for_socket = (proxy_lab.certificate(proxy, tmp_path / "kit") for _ in "12")
    for_socket.set_alpn_protocols(["http/1.1"])  # as a browser asks for one
    with (
        proxy_lab.running(proxy, proxy.over_tls(kit_for(name)), tmp_path / "kit", lab.port) as e,
        httpx.Client(http2=True, verify=trusted) as client,
    ):
        url = f"https://127.0.0.1:{e.port}"
        until(lambda: comes(client, url), "the page comes")
        assert client.get(url).http_version == "HTTP/2"
        with (
            following(url, headers={"origin": url}, http2=True, verify=trusted) as stream,
            followed(peer_clients.follow_socket, url, origin=url, ssl=for_socket) as socket,
        ):
            ids = publish_through(lab, 6, 20)
            for got in (stream, socket):
                until(lambda got=got: got.ids == ids, "the events arrive")
                assert statistics.median(got.lags_ms) < 150


@pytest.mark.lab
@pytest.mark.parametrize("name", often(HTTP2, "haproxy"))
def test_without_its_words_there_is_no_http_2(name, tmp_path):
    proxy, words = PROXIES[name], HTTP2[name]
    trusted = proxy_lab.certificate(proxy, tmp_path)
    files = proxy.over_tls(kit_for(name))
    assert words.encode() in files[f"{name}/{proxy.files[0]}"]
    with (
        proxy_lab.upstream() as up,
        proxy_lab.running(proxy, files, tmp_path, up.port, lambda text: text.replace(words, "")) as e,
        httpx.Client(http2=True, verify=trusted) as client,
    ):
        assert client.get(f"https://127.0.0.1:{e.port}/config").http_version == "HTTP/1.1"
