"""What the hub keeps of the streams: one of each connection, what those of a transport share, and the newest events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from server.events import Event
from server.formats import Format, Message, Writes
from server.wire import Line

Send = Callable[[Message], Coroutine[Any, Any, None]]


class Tail:
    """The newest events as the bytes of one transport, so that a client that is a little behind needs no disk."""

    __slots__ = ("form", "frames")

    def __init__(self, form: Writes, size: int, events: list[Event]) -> None:
        self.form = form
        self.frames: deque[tuple[int, bytes]] = deque(maxlen=size)
        self.extend(events)

    def extend(self, events: list[Event]) -> bytes:
        """Add newly committed events; returns their bytes."""
        frames = [(event.n, self.form.event(event)) for event in events]
        self.frames.extend(frames)
        return b"".join(frame for _, frame in frames)


class Room:
    """What all streams of one transport share, and those that have seen everything, which `deliver` writes to.

    `direct`: what writes straight to the socket of each that has a wire.Line; `live`: the others.
    """

    __slots__ = ("direct", "format", "live", "tail")

    def __init__(self, form: Format, tail: Tail) -> None:
        self.format = form
        self.tail = tail
        self.direct: dict[Stream, Callable[[bytes], None]] = {}
        self.live: set[Stream] = set()


class Stream:
    """One open connection: what it has been sent so far (`cursor`), and its catch-up task if it is behind.

    The cursor of a direct one is not updated: it is `Hub.latest`.
    """

    __slots__ = ("cursor", "epoch", "line", "pump", "room", "send")

    def __init__(self, room: Room, send: Send, line: Line | None, epoch: str, cursor: int) -> None:
        self.room = room
        self.send = send
        self.line = line
        self.epoch = epoch
        self.cursor = cursor
        self.pump: asyncio.Task[None] | None = None
