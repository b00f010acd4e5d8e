"""How one event, and each message of the protocol, is written for one transport; made once and sent to every client."""

from __future__ import annotations

import json
from typing import Any, Protocol

from server import ids
from server.events import Event

Message = dict[str, Any]  # of ASGI
GOING_AWAY, INTERNAL_ERROR = 1001, 1011  # close codes, RFC 6455 section 7.4.1


class Writes(Protocol):
    """What writes events for a transport."""

    epoch: str

    def event(self, event: Event) -> bytes:
        """The bytes of one event; several of them may be joined."""


class Format(Writes, Protocol):
    """What the hub needs of a transport that stays open."""

    def control(self, name: str, id_: str | None, fields: dict[str, object], retry_ms: int | None = None) -> bytes:
        """The bytes of hello, heartbeat, reset or drain."""

    def message(self, chunk: bytes) -> Message:
        """An ASGI message that carries these bytes."""

    def wire(self, chunk: bytes) -> bytes:
        """The same as it goes on the wire, for wire.Line."""

    def end(self, chunk: bytes, code: int) -> list[Message]:
        """The ASGI messages that send these last bytes and end the connection."""


class Sse:
    """text/event-stream."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch

    def event(self, event: Event) -> bytes:
        """JSON has no bare newline, so one data line is enough and nothing can be injected."""
        name = ids.make(self.epoch, event.n)
        return f'id: {name}\nevent: {event.type}\ndata: {{"at":{event.at},"data":{event.data}}}\n\n'.encode()

    def control(self, name: str, id_: str | None, fields: dict[str, object], retry_ms: int | None = None) -> bytes:
        """A named event, since comments never reach the page."""
        head = "" if retry_ms is None else f"retry: {retry_ms}\n"
        head += "" if id_ is None else f"id: {id_}\n"
        return f"{head}event: {name}\ndata: {json.dumps(fields, separators=(',', ':'))}\n\n".encode()

    def message(self, chunk: bytes) -> Message:
        """A piece of the response's body."""
        return {"type": "http.response.body", "body": chunk, "more_body": True}

    def wire(self, chunk: bytes) -> bytes:
        """A chunk of HTTP/1.1, RFC 9112 section 7.1."""
        return b"%x\r\n%b\r\n" % (len(chunk), chunk)

    def end(self, chunk: bytes, code: int) -> list[Message]:  # noqa: ARG002 - a response has no close code
        """The last piece."""
        return [{"type": "http.response.body", "body": chunk, "more_body": False}]


class Frames:
    """WebSocket: text frames, whole as they go on the wire (a server's are not masked, so they suit every client)."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch

    def event(self, event: Event) -> bytes:
        """`event` holds the feature's slug, `type` the kind of message."""
        name = ids.make(self.epoch, event.n)
        head = f'{{"type":"event","id":"{name}","event":"{event.type}"'
        return frame(f'{head},"at":{event.at},"data":{event.data}}}'.encode())

    def control(self, name: str, id_: str | None, fields: dict[str, object], retry_ms: int | None = None) -> bytes:  # noqa: ARG002 - only SSE has that line
        """A JSON object; the time to come back is one of `fields`."""
        return text_frame({"type": name} | ({} if id_ is None else {"id": id_}) | fields)

    def message(self, chunk: bytes) -> Message:
        """`frames` is this kit's own: Socket.send in socket_protocol.py writes them as they are."""
        return {"type": "websocket.send", "frames": chunk}

    def wire(self, chunk: bytes) -> bytes:
        """Frames are that already."""
        return chunk

    def end(self, chunk: bytes, code: int) -> list[Message]:
        """The last frames, then a close frame."""
        close = {"type": "websocket.close", "code": code}
        return [self.message(chunk), close] if chunk else [close]


class Objects:
    """Polling: JSON objects, which poll.py puts into one array."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch

    def event(self, event: Event) -> bytes:
        """One element of `events`."""
        name = ids.make(self.epoch, event.n)
        return f'{{"id":"{name}","type":"{event.type}","at":{event.at},"data":{event.data}}}'.encode()


def frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented text frame, RFC 6455 section 5.2."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


def text_frame(value: object) -> bytes:
    """A JSON value in a text frame."""
    return frame(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
