"""Clients that share no code with the kit's: `websockets` for the socket, httpx for polling; both keep a cursor."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from support.kit_lab import Got, Lab, follow, followed, publish_through, until

if TYPE_CHECKING:
    from collections.abc import Iterator

WS = {"transports": ["websocket", "sse", "long-polling"], "two_way": True}
LONG = {"transports": ["long-polling"]}
SHORT = {"transports": ["short-polling"]}


def address(url: str, cursor: str = "") -> str:
    """Of the socket, for the kit at `url`."""
    return f"{url.replace('http', 'ws', 1)}/ws" + (f"?cursor={cursor}" if cursor else "")


def opened(url: str, cursor: str = "", **options: Any) -> Any:
    """A context: an open socket."""
    return connect(address(url, cursor), max_size=None, proxy=None, **options)


def told(socket: Any, *kinds: str, seconds: float = 5) -> dict[str, Any]:
    """The next message of one of these types."""
    end = time.monotonic() + seconds
    while True:
        message = json.loads(socket.recv(timeout=max(0.01, end - time.monotonic())))
        if not kinds or message["type"] in kinds:
            return message


def note(got: Got, name: str, at: int, data: Any) -> None:
    """An event of the kit's has arrived."""
    sent = data.get("sent_ms") if isinstance(data, dict) else None
    got.lags_ms.append(time.time() * 1000 - (sent or at))
    got.ids.append(name)
    got.payloads.append(data)


def follow_socket(url: str, got: Got, end: threading.Event, **options: Any) -> None:
    """Until `end`: connect with the last id, read, connect again."""
    last = ""
    while not end.is_set():
        try:
            with opened(url, last, **options) as socket:
                got.connects += 1
                while not end.is_set():
                    with contextlib.suppress(TimeoutError):
                        message = json.loads(socket.recv(timeout=0.3))
                        last = message.get("id", last)
                        got.names.append(message["type"])
                        if message["type"] == "event":
                            note(got, message["id"], message["at"], message["data"])
        except (WebSocketException, OSError, EOFError):
            end.wait(0.1)


def follow_polls(
    url: str, got: Got, end: threading.Event, wait_s: float = 1, pause_s: float = 0, **options: Any
) -> None:
    """Until `end`: ask again with the last cursor. `connects` counts requests."""
    cursor = ""
    with httpx.Client(timeout=10, **options) as client:
        while not end.is_set():
            try:
                answer = client.get(f"{url}/poll", params={"cursor": cursor, "wait": wait_s})
            except httpx.HTTPError:
                end.wait(0.1)
                continue
            got.connects += 1
            if answer.status_code != 200:
                end.wait(0.1)
                continue
            body = answer.json()
            got.names += ["hello"] if not cursor else ["reset"] if body["reset"] else []
            for event in body["events"]:
                note(got, event["id"], event["at"], event["data"])
            cursor = body["cursor"]
            end.wait(0 if body.get("more") else pause_s)  # "more": the answer was full


CLIENTS = {"sse": follow, "websocket": follow_socket, "long-polling": follow_polls, "short-polling": follow_polls}


@contextlib.contextmanager
def all_followed(url: str, wait_s: float = 0.5, pause_s: float = 0.05) -> Iterator[dict[str, Got]]:
    """A client of each transport."""
    times = {"long-polling": [wait_s], "short-polling": [0, pause_s]}
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(followed(by, url, *times.get(name, []))) for name, by in CLIENTS.items()}


def all_get(clients: dict[str, Got], published: list[str], seconds: float = 20) -> None:
    """All events reach all clients, once and in order."""
    for name, got in clients.items():
        until(lambda got=got: got.ids[-1:] == published[-1:], f"the last event arrives: {name}", seconds)
        assert got.ids == published, name


def number(name: str) -> int:
    """The n of an event's id."""
    return int(name.rpartition("-")[2])


def publish_at_once(lab: Lab, count: int, publishers: int, per_s: float = 1e9) -> list[str]:
    """By several publishers, each at this rate; the ids in the order of the log."""
    with ThreadPoolExecutor(publishers) as pool:
        sides = list(pool.map(lambda _: publish_through(lab, count // publishers, per_s), range(publishers)))
    for ids in sides:
        assert ids == sorted(ids, key=number), "each publisher's events keep their order"
    return sorted((name for ids in sides for name in ids), key=number)
