"""Hands every committed event to every open stream: one log, one cursor for each client, no queues.

A client that keeps up is written to straight from the publisher. One whose socket is full would have to wait: it leaves
the room for a catch-up task of its own that reads the log from its cursor, and comes back when it has seen everything.
So one stalled reader neither stops the others nor costs memory beyond one chunk.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from functools import partial
from itertools import islice
from types import coroutine
from typing import Any

from server import formats, ids, trouble
from server.events import Event, Log, LogAway
from server.formats import Format, Message, Writes
from server.settings import Settings
from server.streams import Room, Send, Stream, Tail
from server.wire import Line

CHUNK_BYTES = 256 * 1024  # replay is written in pieces of about this size
AHEAD_S = 3.0  # a client may come from an instance that is this much ahead


class Hub:
    """All open streams of this process. Every method runs on the event loop."""

    def __init__(self, log: Log, settings: Settings) -> None:
        self._log = log
        self._settings = settings
        self._streams: set[Stream] = set()  # the live ones of all rooms, and the ones that are catching up
        self._tails: list[Tail] = []
        self.epoch = log.epoch
        self.latest = log.latest  # what has been delivered; the log may be ahead of it for a moment
        self.draining = False
        self.polls = 0  # requests that poll.py holds
        self.on_change: list[Callable[[], None]] = []  # called when `latest` has moved, and when the drain begins
        written: dict[str, Callable[[str], Format]] = {"sse": formats.Sse, "websocket": formats.Frames}
        self._rooms: dict[str, Room] = {}
        for name in written.keys() & set(settings.transports):
            form = written[name](log.epoch)
            self._rooms[name] = Room(form, self.tail(form))

    def tail(self, form: Writes) -> Tail:
        """A tail that is kept up to date from now on."""
        size = self._settings.per_client_queue
        self._tails.append(Tail(form, size, self._log.newest(size)))
        return self._tails[-1]

    @property
    def full(self) -> bool:
        """One more stream would be too many."""
        return len(self) >= self._settings.max_clients

    def __len__(self) -> int:
        return len(self._streams) + self.polls

    def join(self, send: Send, cursor: str, transport: str = "sse", line: Line | None = None) -> Stream:
        """Greet a client, tell it if its cursor is of no use, and start feeding it. "" = from now on.

        `line`: a shorter way to the socket, if the server that this runs in has one (wire.line).
        """
        room = self._rooms[transport]
        n = self.place(cursor) if cursor else self.latest
        stream = Stream(room, send, line, self.epoch, self.latest if isinstance(n, str) else n)
        # The id makes a connection that breaks before its first event resume from here, not from "now".
        facts = {"types": self._settings.slugs, "heartbeat_s": self._settings.heartbeat_s}
        greeting = self._control(room, "hello", stream.cursor, facts, retry_ms=self._settings.retry_ms)
        if isinstance(n, str):
            greeting += self._reset(room, n)
        self._streams.add(stream)
        if line is not None:
            line.on_stop = partial(self._stopped, stream)
        self._feed(stream, send(room.format.message(greeting)))
        return stream

    def leave(self, stream: Stream) -> None:
        """Forget a client that is gone."""
        if stream not in self._streams:
            return
        self._streams.remove(stream)
        stream.room.live.discard(stream)
        stream.room.direct.pop(stream, None)
        if stream.line is not None:
            stream.line.on_stop = None
        if stream.pump is not None:
            stream.pump.cancel()

    def deliver(self, events: list[Event]) -> None:
        """Send newly committed events, in the order of the log, to all who are up to date."""
        self.latest = events[-1].n
        chunks = {tail: tail.extend(events) for tail in self._tails}
        for room in self._rooms.values():
            self._broadcast(room, chunks[room.tail])
        for changed in self.on_change:
            changed()

    def renew(self, epoch: str, latest: int, events: list[Event]) -> None:
        """The log is a new one, or has a gap here: clients that have seen events of the old one get a reset."""
        seen = self.latest
        self.epoch, self.latest = epoch, latest
        for tail in self._tails:
            tail.form.epoch = epoch
            tail.frames.clear()
            tail.extend(events)
        for room in self._rooms.values():
            for stream in room.direct:
                stream.cursor = seen
            behind = [*room.direct, *room.live]
            room.direct.clear()
            room.live.clear()
            for stream in behind:
                self._feed(stream, None)
        for changed in self.on_change:
            changed()

    async def meet(self, cursor: str) -> None:
        """Catch up with a client that has seen more on another instance. Raises LogAway."""
        n = ids.number(cursor, self.epoch)
        if n is None or n <= self.latest or n > await self._log.last():
            return  # not committed, so not an event: `place` refuses it
        try:
            async with asyncio.timeout(AHEAD_S):
                await self.reach(self.epoch, n)
        except TimeoutError:
            raise LogAway("this instance is behind the others") from None

    async def reach(self, epoch: str, n: int) -> None:
        """Wait until event `n` of this epoch has been delivered."""
        moved = asyncio.Event()
        self.on_change.append(moved.set)
        try:
            while self.epoch != epoch or self.latest < n:
                await moved.wait()
                moved.clear()
        finally:
            self.on_change.remove(moved.set)

    def heartbeat(self) -> None:
        """A message that a page can see; it carries no id, so no cursor moves."""
        for room in self._rooms.values():
            self._broadcast(room, self._control(room, "heartbeat", None, {}))

    def drain(self) -> None:
        """Say goodbye to all and end their streams; each gets its own delay, so that they do not all return at once."""
        self.draining = True
        for stream in list(self._streams):
            self.leave(stream)
            delay = self.delay()
            farewell = self._control(stream.room, "drain", None, {"retry_ms": delay}, retry_ms=delay)
            # Who cannot take it now will see the connection close.
            step(_all(stream.send, stream.room.format.end(farewell, formats.GOING_AWAY)))
        for changed in self.on_change:
            changed()

    def delay(self) -> int:
        """A delay before reconnecting, in ms, drawn for each client."""
        low = self._settings.retry_ms
        return random.randint(low, max(low, min(4 * low, self._settings.retry_max_ms)))

    def place(self, cursor: str) -> int | str:
        """Where a client with this cursor goes on, or why it cannot (ids.place)."""
        return ids.place(cursor, self.epoch, self._log.oldest, self.latest)

    def where(self) -> dict[str, object]:
        """The ends of the log, for a reset."""
        return {"oldest": ids.make(self.epoch, self._log.oldest), "latest": ids.make(self.epoch, self.latest)}

    async def after(self, tail: Tail, cursor: int, most: int = 1 << 62) -> tuple[list[bytes], int] | None:
        """At most `most` events (or about CHUNK_BYTES) that follow `cursor`, which must be less than `latest`.

        (their bytes, new cursor): from memory if they are near, else from the log. None = the next one is lost.
        Raises LogAway.
        """
        first = tail.frames[0][0] if tail.frames else self.latest + 1
        if cursor + 1 >= first:
            frames: Iterable[tuple[int, bytes]] = islice(tail.frames, cursor + 1 - first, None)
        else:
            limit = min(most, self._settings.per_client_queue)
            events = await self._log.fetch_after(cursor, limit, CHUNK_BYTES)
            if not events or events[0].n != cursor + 1:
                return None
            frames = [(event.n, tail.form.event(event)) for event in events if event.n <= self.latest]
        found: list[bytes] = []
        size = 0
        for n, frame in islice(frames, most):
            found.append(frame)
            cursor = n
            size += len(frame)
            if size > CHUNK_BYTES:
                break
        return found, cursor

    def _broadcast(self, room: Room, chunk: bytes) -> None:
        ready = room.format.wire(chunk)
        for write in list(room.direct.values()):  # no Python function per client (tests/benchmarks/fanout)
            write(ready)
        message = room.format.message(chunk)
        for stream in list(room.live):
            stream.cursor = self.latest
            rest = step(stream.send(message))
            if rest is not None:
                room.live.discard(stream)
                self._feed(stream, rest)

    def _stopped(self, stream: Stream) -> None:
        """Its socket has taken what was written, but is full now, or ends."""
        if stream.room.direct.pop(stream, None) is not None:
            stream.cursor = self.latest
            self._feed(stream, None)

    def _feed(self, stream: Stream, pending: Awaitable[None] | None) -> None:
        stream.pump = asyncio.create_task(self._fed(stream, pending))

    async def _fed(self, stream: Stream, pending: Awaitable[None] | None) -> None:
        """`_catch_up`, never awaited. A stream that cannot be fed ends: its client must not wait for ever."""
        try:
            await self._catch_up(stream, pending)
        except OSError:  # the client is gone
            pass
        except Exception as error:
            trouble.say("feeding a stream", error)
            try:
                await _all(stream.send, stream.room.format.end(b"", formats.INTERNAL_ERROR))
            except Exception as second:
                if not isinstance(second, OSError):
                    trouble.say("ending a stream", second)

    async def _catch_up(self, stream: Stream, pending: Awaitable[None] | None) -> None:
        """Finish a pending write, then feed a stream from the log until it has seen everything."""
        room = stream.room
        line = stream.line
        if pending is not None:
            await pending
        while True:
            while stream.epoch != self.epoch or stream.cursor < self.latest:
                chunk, cursor = await self._next(stream)
                stream.epoch = self.epoch
                await stream.send(room.format.message(chunk))
                stream.cursor = cursor
            if line is None:
                break
            await line.drained()
            if stream.epoch == self.epoch and stream.cursor == self.latest:
                break
        # No await since the comparison: nothing was delivered in between, so nothing is missed.
        if line is None:
            room.live.add(stream)
        else:
            room.direct[stream] = line.transport.write

    async def _next(self, stream: Stream) -> tuple[bytes, int]:
        """What a stream that is behind gets next, and where it is then."""
        room = stream.room
        while stream.epoch == self.epoch:
            try:
                found = await self.after(room.tail, stream.cursor)
            except LogAway:  # the stream stays, and goes on when the log is back
                await self._log.available()
                continue
            if stream.epoch == self.epoch:  # else it has changed meanwhile
                return (self._reset(room, "trimmed"), self.latest) if found is None else _joined(*found)
        return self._reset(room, "epoch"), self.latest

    def _control(
        self, room: Room, name: str, cursor: int | None, fields: dict[str, Any], *, retry_ms: int | None = None
    ) -> bytes:
        every = {"at": time.time_ns() // 1_000_000, "latest": ids.make(self.epoch, self.latest)} | fields
        return room.format.control(name, None if cursor is None else ids.make(self.epoch, cursor), every, retry_ms)

    def _reset(self, room: Room, reason: str) -> bytes:
        """Tells the client to fetch /snapshot: what it has seen cannot be continued without a gap."""
        return self._control(room, "reset", self.latest, {"reason": reason} | self.where())


def _joined(frames: list[bytes], cursor: int) -> tuple[bytes, int]:
    return b"".join(frames), cursor


async def _all(send: Send, messages: list[Message]) -> None:
    for message in messages:
        await send(message)


def step(write: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
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
