"""GET /ws: the stream over a WebSocket; where viewers may send, their messages come in on it.

Client to server: {"type": "send", "feature": slug, "data": any JSON, "key": text}. Answer: {"type": "sent", "key",
"id"} or {"type": "refused", "key", "error"}. No answer means that the outcome is unknown: repeat it with the same key.
Closed with 1001: the server ends; 1003: a binary message; 1008: no such message, too many, or data that is nested too
deeply (the close says which); 1009: too large; 1011: no pong in time.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from server import formats, ids, publish
from server.hub import Hub
from server.publish import Writer
from server.rate import Rate
from server.settings import Settings
from server.wire import HttpError, Receive, Scope, Send, line

UNSUPPORTED, POLICY = 1003, 1008  # close codes, RFC 6455 section 7.4.1
REASON_BYTES = 123  # the longest reason of a close; those of this server are ASCII


class Sockets:
    """The endpoint, once the request is known to be allowed."""

    def __init__(self, hub: Hub, writer: Writer, rate: Rate, settings: Settings) -> None:
        self._hub = hub
        self._writer = writer
        self._rate = rate
        self._settings = settings

    async def serve(self, scope: Scope, receive: Receive, send: Send, viewer: str) -> None:
        """From the handshake to the end of the connection. Raises HttpError 503 or LogAway before the handshake."""
        hub = self._hub
        cursor = parse_qs(scope["query_string"].decode("latin-1")).get("cursor", [""])[0]
        await hub.meet(cursor)
        if hub.draining or hub.full:
            raise HttpError(503, "no room for one more stream", retry_after=str(-(-self._settings.retry_ms // 1000)))
        await send({"type": "websocket.accept"})
        stream = hub.join(send, cursor, "websocket", line(scope))
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                code, reason = await self._take(message.get("text"), send, viewer)
                if code:
                    await send({"type": "websocket.close", "code": code, "reason": reason[:REASON_BYTES]})
                    return
        except OSError:  # the client is gone
            pass
        finally:
            hub.leave(stream)

    async def _take(self, text: str | None, send: Send, viewer: str) -> tuple[int, str]:
        """Answer one message; (close code, why) if it is none that may come here, else (0, "")."""
        if text is None:
            return UNSUPPORTED, "messages are text"
        if not self._settings.two_way:
            return POLICY, "nothing may be sent here"
        try:
            self._rate.take(viewer)
            message = publish.read_json(text, "the message")
        except HttpError as error:
            return POLICY, str(error)
        if not isinstance(message, dict) or message.keys() != {"type", "feature", "data", "key"}:
            return POLICY, "a message has type, feature, data and key, and nothing else"
        key = message["key"]
        if message["type"] != "send" or not isinstance(key, str) or not publish.KEY.match(key):
            return POLICY, 'the type must be "send", and the key 1 to 128 visible ASCII characters'
        try:
            name = await self._append(message["feature"], message["data"], key)
        except HttpError as error:
            if error.status < 500:
                await _reply(send, {"type": "refused", "key": key, "error": str(error)})
        else:
            await _reply(send, {"type": "sent", "key": key, "id": name})
        return 0, ""

    async def _append(self, feature: object, data: object, key: str) -> str:
        event = publish.new_event(feature, data, self._settings.sendable, publish.viewers_key(key))
        outcome = await self._writer.append(event)
        if outcome.n is None:
            raise HttpError(422, "this key belongs to a message with a different content")
        return ids.make(self._hub.epoch, outcome.n)


async def _reply(send: Send, value: dict[str, object]) -> None:
    await send({"type": "websocket.send", "frames": formats.text_frame(value)})
