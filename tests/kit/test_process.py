"""The kit's server as a process: limits, one log one server, signals, stalled readers."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support import kit_lab as the_lab
from support.kit_lab import first_events, until

pytestmark = pytest.mark.lab


def test_unknown_paths_and_methods_and_traversal_are_refused(make_lab):
    kit = make_lab()
    for path in ("/nope", "/settings.json", "/var/token", "/../settings.json", "/%2e%2e/settings.json", "//etc/passwd"):
        assert httpx.get(f"{kit.direct}{path}").status_code == 404, path
    assert httpx.get(f"{kit.direct}/publish").headers["allow"] == "POST"
    assert httpx.head(f"{kit.direct}/events").status_code == 405
    assert httpx.put(f"{kit.direct}/events").status_code == 405
    assert httpx.head(f"{kit.direct}/").status_code == 200
    page = httpx.get(f"{kit.direct}/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "javascript" in httpx.get(f"{kit.direct}/stream.js").headers["content-type"]


def test_headers_without_an_end_are_cut_off(make_lab):
    kit = make_lab()
    for piece in (b"x" * 1000, b"a: b\r\n" * 100):
        with socket.create_connection(("127.0.0.1", kit.port)) as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nlong: ")
            with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 - the server may cut at any of the writes
                for _ in range(1000):
                    sock.sendall(piece)
                    time.sleep(0.001)
    assert kit.answers(kit.direct)


def test_a_body_that_comes_slowly_is_not_taken_for_endless_headers(make_lab):
    kit = make_lab(max_payload_bytes=1_048_576)
    assert kit.publish("x" * 900_000).status_code == 201


def test_a_second_server_on_one_log_is_refused_and_the_first_goes_on(make_lab):
    kit = make_lab()
    second = subprocess.run(
        [sys.executable, "-m", "server", "--port", str(the_lab.free_port())],
        cwd=kit.folder, capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert f"another server (process {kit.server.pid})" in second.stderr
    assert kit.publish(1).status_code == 201


def test_bad_settings_end_the_server_with_one_line(make_lab):
    kit = make_lab(run=False, heartbeat_s=-1)
    ended = subprocess.run(
        [sys.executable, "-m", "server"], cwd=kit.folder, capture_output=True, text=True, timeout=10, check=False
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "heartbeat_s" in ended.stderr


@pytest.mark.grid
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_open_streams_with_a_goodbye_and_exit_code_0(make_lab, number):
    kit = make_lab(drain_s=3, retry_ms=500, retry_max_ms=60_000)
    with ThreadPoolExecutor(10) as pool:
        goodbyes = [pool.submit(lambda: [*first_events(kit.direct, 99)][-1]) for _ in range(10)]
        until(lambda: kit.streams() == 10, "ten streams are open")
        began = time.monotonic()
        kit.server.send_signal(number)
        assert kit.server.wait(5) == 0
        took = time.monotonic() - began
        last = [future.result() for future in goodbyes]
        delays = [event.json()["retry_ms"] for event in last]
    assert [event.retry for event in last] == delays
    assert took < 1.5
    assert len(set(delays)) > 5
    assert all(500 <= delay <= 2000 for delay in delays)
    assert "Traceback" not in kit.output()


@pytest.mark.long
def test_a_client_that_reads_nothing_delays_the_end_by_the_drain_time_at_most(make_lab):
    kit = make_lab(drain_s=2, per_client_queue=1000)
    with socket.create_connection(("127.0.0.1", kit.port)) as stuck:
        stuck.sendall(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n")
        until(lambda: kit.streams() == 1, "the stream is open")
        for _ in range(200):
            kit.publish("x" * 60_000)
        began = time.monotonic()
        kit.server.terminate()
        assert kit.server.wait(6) == 0
    assert 1.5 < time.monotonic() - began < 3
    assert "Traceback" not in kit.output()


def test_a_server_whose_writer_dies_ends_instead_of_looking_alive(make_lab):
    kit = make_lab(run=False)
    program = (
        "import server.publish as p\n"
        "async def run(self): raise RuntimeError('boom')\n"
        "p.Writer.run = run\n"
        "from server.__main__ import main\n"
        "main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "--port", str(kit.port)],
        cwd=kit.folder, capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.count("RuntimeError: boom") == 1


@pytest.mark.long
def test_a_log_that_cannot_be_written_says_503_and_recovers(make_lab):
    kit = make_lab()
    blocker = sqlite3.connect(kit.folder / "var/events.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    answer = httpx.post(
        f"{kit.direct}/publish", timeout=20, content=b'{"type":"order-status","data":1}',
        headers={"authorization": f"Bearer {kit.token}", "content-type": "application/json"},
    )  # fmt: skip
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"] == "the log cannot be written"
    assert kit.output().count("OperationalError: database is locked") == 1
    blocker.execute("ROLLBACK")
    blocker.close()
    assert kit.publish(2).json()["id"].endswith("-1")


def test_heartbeats_come_in_time_on_a_quiet_stream(make_lab):
    kit = make_lab(heartbeat_s=0.3)
    began = time.monotonic()
    names = [event.event for event in first_events(kit.direct, 5)]
    assert names == ["hello", *["heartbeat"] * 4]
    assert 0.9 < time.monotonic() - began < 2.5
