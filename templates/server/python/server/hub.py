"""Hands every committed event to every open stream: one log, one cursor for each client, no queues.

A client that keeps up is written to straight from the publisher. One whose socket is full would have to wait: it leaves
the room for a catch-up task of its own that reads the log from its cursor, and comes back when it has seen everything.
So one stalled reader neither stops the others nor costs memory beyond one chunk.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from types import coroutine
from typing import Any

from server import ids
from server.log import Event, EventLog
from server.settings import Settings

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
CHUNK_BYTES = 256 * 1024  # replay is written in pieces of about this size


class Stream:
    """One open connection: what it has been sent so far (`cursor`), and its catch-up task if it is behind."""

    __slots__ = ("cursor", "pump", "send")

    def __init__(self, send: Send, cursor: int) -> None:
        self.send = send
        self.cursor = cursor
        self.pump: asyncio.Task[None] | None = None


class Hub:
    """All open streams of this process. Every method runs on the event loop."""

    def __init__(self, log: EventLog, settings: Settings) -> None:
        self._log = log
        self._settings = settings
        self._reader = ThreadPoolExecutor(1, "log-reader")
        self._live: set[Stream] = set()  # have seen everything; written to by `deliver`
        self._streams: set[Stream] = set()  # these and the ones that are catching up
        self._tail: deque[tuple[int, bytes]] = deque(maxlen=settings.per_client_queue)
        self.epoch = log.epoch
        self.latest = log.latest  # what has been delivered; the log may be ahead of it for a moment
        self.draining = False
        for event in log.after(self.latest - settings.per_client_queue, settings.per_client_queue, 1 << 62):
            self._tail.append((event.n, self._frame(event)))

    @property
    def full(self) -> bool:
        """One more stream would be too many."""
        return len(self._streams) >= self._settings.max_clients

    def __len__(self) -> int:
        return len(self._streams)

    def join(self, send: Send, cursor: str) -> Stream:
        """Greet a client, tell it if its cursor is of no use, and start feeding it. "" = from now on."""
        n = ids.place(cursor, self.epoch, self._log.oldest, self.latest) if cursor else self.latest
        stream = Stream(send, self.latest if isinstance(n, str) else n)
        greeting = f"retry: {self._settings.retry_ms}\n".encode()
        # The id makes a connection that breaks before its first event resume from here, not from "now".
        facts = {"types": self._settings.slugs, "heartbeat_s": self._settings.heartbeat_s}
        greeting += self._control("hello", stream.cursor, **facts)
        if isinstance(n, str):
            greeting += self._reset(n)
        self._streams.add(stream)
        stream.pump = asyncio.create_task(self._catch_up(stream, send(_body(greeting))))
        return stream

    def leave(self, stream: Stream) -> None:
        """Forget a client that is gone."""
        self._streams.discard(stream)
        self._live.discard(stream)
        if stream.pump is not None:
            stream.pump.cancel()

    def deliver(self, events: list[Event]) -> None:
        """Send newly committed events, in the order of the log, to all who are up to date."""
        frames = [(event.n, self._frame(event)) for event in events]
        self._tail.extend(frames)
        self.latest = events[-1].n
        self._broadcast(b"".join(frame for _, frame in frames), self.latest)

    def heartbeat(self) -> None:
        """A named event, since comments never reach the page; it carries no id, so no cursor moves."""
        self._broadcast(self._control("heartbeat", None), self.latest)

    def drain(self) -> None:
        """Say goodbye to all and end their streams; each is told its own delay, so that they do not return at once."""
        self.draining = True
        for stream in list(self._streams):
            self.leave(stream)
            low = self._settings.retry_ms
            delay = random.randint(low, max(low, min(4 * low, self._settings.retry_max_ms)))
            frame = f"retry: {delay}\n".encode() + self._control("drain", None, retry_ms=delay)
            _step(stream.send(_body(frame, more=False)))  # who cannot take it now will see the connection close

    async def read(self, query: Callable[..., list[Event]], *args: object) -> list[Event]:
        """Run one of the log's queries in the thread that owns its reading connection."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, query, *args)

    def _broadcast(self, chunk: bytes, cursor: int) -> None:
        message = _body(chunk)
        for stream in list(self._live):
            stream.cursor = cursor
            rest = _step(stream.send(message))
            if rest is not None:
                self._live.discard(stream)
                stream.pump = asyncio.create_task(self._catch_up(stream, rest))

    async def _catch_up(self, stream: Stream, pending: Awaitable[None]) -> None:
        """Finish a pending write, then feed a stream from the log until it has seen everything."""
        try:
            await pending
            while stream.cursor < self.latest:
                chunk, cursor = await self._next_chunk(stream.cursor)
                await stream.send(_body(chunk))
                stream.cursor = cursor
        except sqlite3.Error:
            await stream.send(_body(b"", more=False))  # the client connects again; it must not wait here for ever
            raise
        # No await since the comparison: nothing was delivered in between, so nothing is missed.
        self._live.add(stream)

    async def _next_chunk(self, cursor: int) -> tuple[bytes, int]:
        """What follows `cursor`: (bytes, new cursor). From memory if it is near, else from the disk, else a reset."""
        first = self._tail[0][0]
        limit = self._settings.per_client_queue
        if cursor + 1 >= first:
            frames = list(islice(self._tail, cursor + 1 - first, None))
        else:
            events = await self.read(self._log.after, cursor, limit, CHUNK_BYTES)
            if not events or events[0].n != cursor + 1:
                return self._reset("trimmed"), self.latest
            frames = [(event.n, self._frame(event)) for event in events if event.n <= self.latest]
        chunk = bytearray()
        for n, frame in frames:
            chunk += frame
            cursor = n
            if len(chunk) > CHUNK_BYTES:
                break
        return bytes(chunk), cursor

    def _frame(self, event: Event) -> bytes:
        """The bytes of one event. JSON has no bare newline, so one data line is enough and nothing can be injected."""
        name = ids.make(self.epoch, event.n)
        return f'id: {name}\nevent: {event.type}\ndata: {{"at":{event.at},"data":{event.data}}}\n\n'.encode()

    def _control(self, name: str, cursor: int | None, **fields: object) -> bytes:
        latest = ids.make(self.epoch, self.latest)
        data = json.dumps({"at": time.time_ns() // 1_000_000, "latest": latest, **fields}, separators=(",", ":"))
        head = "" if cursor is None else f"id: {ids.make(self.epoch, cursor)}\n"
        return f"{head}event: {name}\ndata: {data}\n\n".encode()

    def _reset(self, reason: str) -> bytes:
        """Tells the client to fetch /snapshot: what it has seen cannot be continued without a gap."""
        oldest = ids.make(self.epoch, self._log.oldest)
        return self._control("reset", self.latest, reason=reason, oldest=oldest)


def _body(chunk: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


def _step(write: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a write as far as it goes without waiting. None = done; else await what is left of it.

    This saves a task for each client and event (what a task with eager_start does from Python 3.12 on).
    """
    try:
        waiting_for = write.send(None)
    except StopIteration:
        return None
    except OSError:  # ASGI 2.4 servers raise it for a client that is gone; its `http.disconnect` follows
        return None
    return _rest(write, waiting_for)


@coroutine
def _rest(write: Coroutine[Any, Any, None], waiting_for: Any) -> Generator[Any, Any, None]:
    try:
        yield waiting_for
    except BaseException:
        write.close()
        raise
    yield from write
