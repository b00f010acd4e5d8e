"""The little HTTP that the endpoints need on top of ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
Headers = dict[str, str]
BODY_S = 30.0  # a body must be there by then
NO_STORE = {"cache-control": "no-store"}


class HttpError(Exception):
    """Ends a request with a status and a JSON body that says what is wrong."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def headers_of(scope: Scope) -> Headers:
    """Request headers by lower-case name. Twice the same is refused where proxies disagree on which one counts."""
    found: Headers = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1")
        if name in found and name in ONLY_ONCE:
            raise HttpError(400, f"the header {name} is there twice")
        found[name] = value.decode("latin-1")
    return found


ONLY_ONCE = frozenset(
    {"authorization", "content-type", "cookie", "host", "idempotency-key", "last-event-id", "origin", "sec-fetch-site"}
)


def address(scope: Scope) -> str:
    """The address at the other end of the connection: nginx's, where there is one."""
    return scope["client"][0] if scope.get("client") else ""


class Line:
    """A connection that takes bytes as they go on the wire. This kit's two protocols are one; any ASGI server does without.

    The code that sets `on_stop` may call `transport.write` until it is called: then the socket is full or closing.
    """

    transport: Any
    on_stop: Callable[[], None] | None = None

    def stop(self) -> None:
        """The protocol calls it."""
        if self.on_stop is not None:
            self.on_stop()

    async def drained(self) -> None:
        """Returns at once while the socket has room, or when it has. Raises OSError if it takes no more."""
        raise NotImplementedError


def line(scope: Scope) -> Line | None:
    """The line of a request whose answer has begun."""
    found: Line | None = scope.get("extensions", {}).get("kit.line")
    return found


def before_upgrade(send: Send) -> Send:
    """A `send` for an HTTP response in place of a WebSocket handshake."""

    async def sends(message: dict[str, Any]) -> None:
        await send(message | {"type": f"websocket.{message['type']}"})

    return sends


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The request's body. Raises HttpError 413 as soon as it is known to pass `limit` bytes, 408 if it takes too long."""
    too_large = HttpError(413, f"the body is larger than {limit} bytes", connection="close")
    if int(headers.get("content-length", "0")) > limit:  # digits only: the parser has refused anything else
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise HttpError(400, "the body is incomplete")
                body += message["body"]
                if len(body) > limit:
                    raise too_large
                if not message["more_body"]:
                    return bytes(body)
    except TimeoutError:
        raise HttpError(408, "the body came too slowly", connection="close") from None


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """A whole response."""
    every = {"content-length": str(len(body)), "x-content-type-options": "nosniff"} | headers
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer_json(
    send: Send, status: int, value: dict[str, Any], headers: Headers | None = None, ready: bytes = b""
) -> None:
    """A whole JSON response that no cache keeps. `ready`: a last member of the object that is JSON text already."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    body = (b"%b,%b}" % (body[:-1], ready) if ready else body) + b"\n"
    await answer(send, status, body, {"content-type": "application/json"} | NO_STORE | (headers or {}))
