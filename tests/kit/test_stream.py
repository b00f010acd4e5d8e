"""The kit through a real nginx, seen by a client that shares no code with it."""

from __future__ import annotations

import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support import nginx_lab
from support.kit_lab import (
    STOCK_NGINX,
    following,
    nginx_binary,
    nginx_version,
    publish_through,
    until,
)

pytestmark = pytest.mark.lab


@pytest.mark.long
def test_red_control_a_stock_nginx_1_22_holds_back_what_does_not_opt_out(make_lab):
    binary = nginx_binary("debian")
    if binary is None or not nginx_version(binary).startswith("1.22."):
        pytest.skip("no nginx 1.22 here (Debian 12: apt install nginx)")
    # The same two ingredients that the kit has more than once, all of them taken away: HTTP/1.1 and no buffering.
    kit = make_lab(run=False)
    source = kit.folder / "server/app.py"
    source.write_text(re.sub(r'    "x-accel-buffering".*\n', "", source.read_text()))
    kit.start_server()
    kit.start_nginx(binary, STOCK_NGINX.replace("proxy_pass", "gzip on; gzip_types text/event-stream; proxy_pass"))
    with ThreadPoolExecutor(1) as pool:

        def read():
            with httpx.stream("GET", f"{kit.url}/events", headers={"accept-encoding": "gzip"}, timeout=2) as response:
                return next(response.iter_raw())

        held = pool.submit(read)
        time.sleep(0.3)
        publish_through(kit, 5, per_s=10)
        with pytest.raises(httpx.ReadTimeout):
            held.result()


def test_the_first_bytes_come_at_once_and_not_with_the_first_event(make_lab, nginx):
    kit = make_lab(heartbeat_s=60)
    kit.start_nginx(nginx)
    began = time.monotonic()
    with httpx.stream("GET", f"{kit.url}/events", timeout=2) as response:
        assert b"hello" in next(response.iter_raw())
    assert time.monotonic() - began < 0.5


def test_red_control_without_keys_a_retry_after_the_kill_doubles(make_lab):
    kit = make_lab()
    assert kit.publish({"number": 1}).json() != kit.publish({"number": 1}).json()


@pytest.mark.long
def test_a_second_client_does_not_get_a_recorded_stream(make_lab, nginx):
    kit = make_lab()
    kit.start_nginx(nginx)
    with following(kit.url) as first:
        published = publish_through(kit, 5, per_s=20)
        until(lambda: first.ids == published, "the first client gets them")
    with following(kit.url) as second:
        later = publish_through(kit, 3, per_s=20)
        until(lambda: second.ids[-1:] == later[-1:], "the later events arrive")
    assert second.ids == later
    assert not set(second.ids) & set(published)


def test_the_server_notices_at_once_that_a_client_has_left(make_lab, nginx):
    kit = make_lab(heartbeat_s=60)
    kit.start_nginx(nginx)
    with following(kit.url):
        assert kit.streams() == 1
    until(lambda: kit.streams() == 0, "the stream is gone", seconds=2)


def test_while_the_server_is_away_streams_get_a_delay_and_others_a_502(make_lab, nginx):
    kit = make_lab()
    kit.start_nginx(nginx)
    kit.kill_server()
    away = httpx.get(f"{kit.url}/events")
    assert (away.status_code, away.headers["content-type"]) == (200, "text/event-stream")
    assert re.fullmatch(r"retry: \d+\n\n", away.text)
    assert kit.http.get(f"{kit.url}/snapshot").status_code == 502
    kit.start_server()
    assert kit.http.get(f"{kit.url}/snapshot").status_code == 200


def test_sigterm_ends_streams_through_the_proxy_in_time_and_the_goodbye_gets_through(make_lab, nginx):
    kit = make_lab(drain_s=3)
    kit.start_nginx(nginx)
    with following(kit.url) as one, following(kit.url) as two:
        began = time.monotonic()
        kit.server.terminate()
        assert kit.server.wait(6) == 0
        took = time.monotonic() - began
        until(lambda: "drain" in one.names and "drain" in two.names, "both are told")
    assert took < 1.5


def test_the_own_origin_passes_the_proxy_and_others_do_not(make_lab, nginx):
    kit = make_lab()
    kit.start_nginx(nginx)
    assert kit.http.get(f"{kit.url}/snapshot", headers={"origin": kit.url}).status_code == 200
    for origin in ("https://evil.example", "null", "http://127.0.0.1", f"{kit.url}.evil.example"):
        assert kit.http.get(f"{kit.url}/snapshot", headers={"origin": origin}).status_code == 403
        assert kit.http.get(f"{kit.url}/events", headers={"origin": origin}).status_code == 403


def test_nginx_serves_the_page_and_nothing_else_of_the_kit(make_lab, nginx):
    kit = make_lab()
    kit.start_nginx(nginx)
    assert "app.js" in kit.http.get(f"{kit.url}/").text
    assert "javascript" in kit.http.get(f"{kit.url}/stream.js").headers["content-type"]
    for path in ("/settings.json", "/../settings.json", "/%2e%2e/var/token", "/server/app.py", "/var/token"):
        assert kit.http.get(f"{kit.url}{path}").status_code in {400, 404}, path


@pytest.mark.long
def test_a_stalled_reader_behind_the_proxy_fills_no_disk_and_no_memory(make_lab, nginx):
    kit = make_lab(history_events=2000)
    kit.start_nginx(nginx)
    with following(kit.url) as got, socket.create_connection(("127.0.0.1", kit.edge)) as stuck:
        stuck.sendall(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n")
        until(lambda: kit.streams() == 2, "both streams are open")
        kit.publish({"fill": "x" * 15_000})
        before = kit.rss_kb()
        for number in range(1400):  # 21 MB; the kernel's buffers hold less than half of it
            kit.publish({"number": number, "fill": "x" * 15_000})
        until(lambda: len(got.ids) == 1401, "the other client gets everything")
        assert kit.rss_kb() - before < 10_000
        held = sum(size(pid) for pid in nginx_lab.workers(kit.nginx))
        assert held == 0, "nginx keeps the stalled stream in a file"


def size(pid):
    """Bytes of deleted files that a process holds open (nginx unlinks its temporary files at once)."""
    total = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if "var/tmp" in os.readlink(link):  # noqa: PTH115 - a deleted file has no Path to resolve
                total += link.stat().st_size
        except OSError:
            continue
    return total
