"""uvicorn's WebSocket, made fit for a broadcast: ready frames are written as they are, and nothing grows without bound.

The only module that needs the package `websockets`; a kit without a WebSocket does not import it.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.wire import Line

GOODBYE_S = 1.0  # how long the other side has to read why it is closed


class Socket(WebSocketsSansIOProtocol, Line):
    """One connection. `frames` in a websocket.send message are whole frames, as formats.Frames makes them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = GOODBYE_S

    async def run_asgi(self) -> None:
        """With its wire.Line for the hub."""
        self.scope["extensions"]["kit.line"] = self
        await super().run_asgi()

    def pause_writing(self) -> None:
        """The socket is full."""
        super().pause_writing()
        self.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.stop()
        super().connection_lost(exc)

    async def drained(self) -> None:
        """As wire.Line has it."""
        while not self.writable.is_set():  # it may be full again before this goes on
            await self.writable.wait()
        if self.close_sent or self.disconnected or self.transport.is_closing():
            raise ClientDisconnected

    async def send(self, message: Any) -> None:
        """Waits while the socket is full, like uvicorn's. Raises ClientDisconnected, an OSError."""
        frames = message.get("frames")
        if frames is None:
            if self.close_sent:
                raise ClientDisconnected
            await super().send(message)
            self.__dict__.pop("request", None)  # not read after the handshake
            self.__dict__.pop("response", None)
            return
        await self.drained()
        self.transport.write(frames)

    def data_received(self, data: bytes) -> None:
        """After our close frame only the other side's matters; after a bad frame nothing can be read any more."""
        if self.conn.parser_exc is None:
            super().data_received(data)

    def send_receive_event_to_app(self) -> None:
        """Text that is not UTF-8 closes with 1007: it is the client's error, so no traceback is logged."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, unless this client pings and does not read: its pongs would fill our memory."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

    def keepalive_timeout(self) -> None:
        """No pong in time. A close alone would wait for ever for a client that does not read."""
        self.stop()
        super().keepalive_timeout()
        self.loop.call_later(GOODBYE_S, self.transport.abort)

    def handle_parser_exception(self) -> None:
        """Too large, or not RFC 6455. Closing at once could lose the close frame: what still comes would reset it."""
        self.stop()
        close = self.conn.close_sent
        assert close is not None
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(GOODBYE_S, self.transport.close)
