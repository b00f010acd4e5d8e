"""What a proxy has to do for streams, sockets and polls: checks that are red where a line of its file is missing."""

from __future__ import annotations

import contextlib
import signal
import socket
import statistics
import time

import httpx

from support.kit_lab import until


def upstream_header(name, wanted):
    return lambda e: e.get("/config").json()["headers"].get(name) == wanted.format(port=e.port)


def events_come_at_once(e):
    try:
        with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=1.5) as response:
            return next(response.iter_bytes()) == b"data: 1\n\n"
    except httpx.ReadTimeout:
        return False
    finally:
        e.up.end.set()


def dead_server_means_retry(e):
    answer = e.get("/events")
    told = answer.status_code, answer.headers.get("content-type")
    return told == (200, "text/event-stream") and "retry:" in answer.text


def full_server_means_retry(e):
    e.up.mode = "full"
    return dead_server_means_retry(e)


def retry_is_not_cached(e):
    return e.get("/events").headers.get("cache-control") == "no-store"


def second_stream_of_an_address_is_429(e):
    with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=5):
        status = e.get("/events").status_code if limited(e) else 200
        e.up.end.set()
    return status == 429


def limited(e):
    """A request that nginx answers at once (and does not hold open) shows that there is a limit."""
    with socket.create_connection(("127.0.0.1", e.port), timeout=0.5) as connection:
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        return connection.recv(12)[9:12] != b"200"


def page_header(name, value):
    return lambda e: e.get("/").headers.get(name) == value


def upgraded(e, seconds=5.0):
    """A connection on which a WebSocket was asked for, and the first line of the answer."""
    connection = socket.create_connection(("127.0.0.1", e.port), timeout=seconds)
    connection.sendall(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    return connection, read_until(connection, b"\r\n\r\n").partition(b"\r\n")[0]


def read_until(connection, what):
    got = b""
    while what not in got and (more := connection.recv(4096)):
        got += more
    return got


def socket_opens(e):
    connection, line = upgraded(e)
    e.up.end.set()
    connection.close()
    return b" 101 " in line


def held(e):
    """A connection on which a poll waits."""
    e.up.mode = "silent"
    seen = len(e.up.requests)
    connection = socket.create_connection(("127.0.0.1", e.port), timeout=5)
    connection.sendall(b"GET /poll HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: len(e.up.requests) > seen, "the poll is held")
    return connection


def lives(e, connection, seconds=3):
    """Whether nobody ends it, or answers on it, for so long."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b"never"
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False
    finally:
        e.up.end.set()
        connection.close()


def silent_stream_lives(e, seconds=3):
    """In chunks, as the kit's server sends it (HAProxy takes a stream without them for a tunnel)."""
    e.up.mode = "watch"
    connection = socket.create_connection(("127.0.0.1", e.port), timeout=5)
    connection.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    got = read_until(connection, b"data: 1\n\n")
    if b"chunked" in got and not got.endswith(b"\r\n"):
        connection.recv(2)  # the end of the chunk
    return lives(e, connection, seconds)


def silent_socket_lives(e, seconds=3):
    connection, line = upgraded(e)
    assert b" 101 " in line, line
    return lives(e, connection, seconds)


def held_poll_lives(e, seconds=3):
    return lives(e, held(e), seconds)


def silent_stream_is_ended(e, seconds=5):
    return not silent_stream_lives(e, seconds)


def silent_socket_is_ended(e, seconds=8):
    """Apache takes the larger of its two limits, which is that for polls."""
    return not silent_socket_lives(e, seconds)


def held_poll_is_answered(e, seconds=8):
    return not held_poll_lives(e, seconds)


def hung(e, path, seconds):
    """The answer about a server that takes the connection and says nothing; None where there is none in time."""
    e.up.mode = "hangs"
    try:
        return httpx.get(f"http://127.0.0.1:{e.port}{path}", timeout=seconds)
    except httpx.ReadTimeout:
        return None
    finally:
        e.up.end.set()


def plain_request_gets_an_error(e):
    answer = hung(e, "/config", 5)
    return answer is not None and answer.status_code in {502, 503, 504}


def events_come_in_time(e):
    """Seven events, 0.3 s apart."""
    e.up.mode, lags = "ticks", []
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=10) as response,
    ):
        for line in response.iter_lines():
            lags += [time.time() - float(line[6:])] if line.startswith("data: ") else []
    return len(lags) == 7 and statistics.median(lags) < 0.15


def server_learns_that_a_client_has_left(e):
    e.up.mode = "watch"
    with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=5) as response:
        assert next(response.iter_lines()) == "data: 1"
    return becomes_true(lambda: e.up.mode == "left")


def becomes_true(condition, seconds=3.0):
    end = time.monotonic() + seconds
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return bool(true)


def half_a_request_is_cut(e):
    with socket.create_connection(("127.0.0.1", e.port), timeout=6) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        try:
            return connection.recv(4096)[:12] in {b"", b"HTTP/1.1 408", b"HTTP/1.1 400"}
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True


def ends_in_time(e, number, seconds):
    """With a stream open; the line says one second."""
    with httpx.stream("GET", f"http://127.0.0.1:{e.port}/events", timeout=20) as response:
        next(response.iter_bytes())
        e.process.send_signal(number)
        return becomes_true(lambda: e.process.poll() is not None, seconds)


def soft_stop_ends_in_time(e):
    return ends_in_time(e, signal.SIGUSR1, 5)


def made_up_address_is_not_believed(e):
    said = e.get("/config", headers={"x-forwarded-for": "6.6.6.6"}).json()["headers"]["x-forwarded-for"]
    return said == "127.0.0.1"


PROTO = upstream_header("x-forwarded-proto", "http")


HOST = upstream_header("host", "127.0.0.1:{port}")


def changed(text, old, new):
    """With the line that holds `old` gone, or `new` in its place; a block that the line opens keeps its braces."""
    if new:
        return text.replace(old, new)
    return "".join(line for line in text.splitlines(keepends=True) if old not in line)
