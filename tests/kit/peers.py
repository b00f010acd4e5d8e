"""Clients that share no code with the kit's: `websockets` for the socket, httpx for polling; both keep a cursor."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
from lab import Got, until
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@contextlib.contextmanager
def following(follow: Callable[..., None], url: str, *times: float, **options: Any) -> Iterator[Got]:
    """`follow` in a thread, already greeted."""
    got, end = Got(), threading.Event()
    thread = threading.Thread(target=follow, args=(url, got, end, *times), kwargs=options)
    thread.start()
    try:
        until(lambda: "hello" in got.names, "the independent client is greeted")
        yield got
    finally:
        end.set()
        thread.join()
