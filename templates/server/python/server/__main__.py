"""Starts the server, `python -m server [--host HOST] [--port PORT] [--var DIR]`, and ends it in good order.

SIGTERM or SIGINT: stop accepting, say goodbye to every stream, cut after drain_s what is left, exit 0.
Exit 1: it may go better the next time (no Redis yet). Exit 2: it will not start before somebody changes something
(settings.json, a secret that is empty, a second server on the same log).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from socket import socket
from typing import Any, NoReturn, TextIO

try:
    import fcntl
except ImportError:
    sys.exit("server: this needs Linux or macOS; on Windows start it inside WSL")

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected

from server import security, trouble
from server.app import App
from server.events import Log, LogAway
from server.log import EventLog
from server.settings import Settings, SettingsError, load
from server.wire import Line

KIT = Path(__file__).resolve().parent.parent
HEAD_BYTES = 64 * 1024  # request line and headers together
HEAD_S = 10.0  # from a connection's first moment, or a request's first byte, to the end of its headers
NAME, SOCKET = "events.sqlite3", "redis.sock"  # of the log, in var
REDIS_S = 10.0  # how long a start waits for Redis


class BoundedHttp(HttpToolsProtocol, Line):
    """uvicorn's HTTP/1.1, with an end to how much, and for how long, a client may send before its headers are complete."""

    _unused = 0  # bytes since the parser last had something to tell
    _deadline: asyncio.TimerHandle | None = None  # for the headers that are being waited for

    def connection_made(self, transport: Any) -> None:
        """A client is there."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._expect_nothing()
        self.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes from the socket."""
        self._unused += len(data)
        super().data_received(data)
        if self._unused > HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """The parser has the first byte of a request."""
        super().on_message_begin()
        self._expect()

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def on_headers_complete(self) -> None:
        """The parser has a request; it gets its wire.Line for the hub."""
        self._unused = 0
        self._expect_nothing()
        super().on_headers_complete()
        self.scope["extensions"] = {"kit.line": self}

    def pause_writing(self) -> None:
        """The socket is full."""
        super().pause_writing()
        self.stop()

    async def drained(self) -> None:
        """As wire.Line has it."""
        while self.flow.write_paused:
            await self.flow.drain()
        if self.transport.is_closing():
            raise ClientDisconnected

    def on_body(self, body: bytes) -> None:
        """The parser has a piece of a body; the endpoint bounds those."""
        self._unused = 0
        super().on_body(body)


class Server(uvicorn.Server):
    """uvicorn alone waits for ever on SIGTERM while one stream is open."""

    def __init__(self, config: uvicorn.Config, app: App, log: Log, settings: Settings) -> None:
        super().__init__(config)
        self._app = app
        self._log = log
        self._settings = settings
        self._background: list[asyncio.Task[None]] = []
        self.failed = False

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start what runs beside the requests, then listen."""
        beside = (self._app.writer.run(), self._log.follow(self._app.hub), self._beat())
        self._background = list(map(asyncio.create_task, beside))
        for task in self._background:
            task.add_done_callback(self._ended)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Runs on the first signal."""
        for server in self.servers:
            server.close()
        self._app.hub.drain()
        asyncio.get_running_loop().call_later(self._settings.drain_s, self._cut)
        await super().shutdown(sockets)  # waits until the last connection is closed
        for task in self._background:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A server whose writer is gone must not look alive: end, and let the supervisor start a new one."""
        if not task.cancelled():
            self.failed = self.should_exit = True
            trouble.say("a background task", task.exception() or RuntimeError("it returned"))

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_s)
            self._app.hub.heartbeat()


def lock(var: Path) -> TextIO:
    """Hold the log for this process alone: two writers would both hand out the next id. Exits 2 if it is held."""
    file = (var / "server.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel lets go of it however this process ends
    except OSError:
        file.seek(0)
        refuse(f"another server (process {file.read().strip()}) uses {var}; stop it, or give this one its own --var")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def refuse(reason: str) -> NoReturn:
    """Say why and exit 2."""
    sys.stderr.write(f"server: {reason}\n")
    sys.exit(2)


def socket_protocol(settings: Settings) -> Any:
    """The protocol for uvicorn's WebSockets; "none" where the kit serves none. Exits 2 if its package is missing."""
    if "websocket" not in settings.transports:
        return "none"
    try:
        from server.socket_protocol import Socket
    except ModuleNotFoundError as error:
        refuse(f"the package {error.name} is missing: pip install -r requirements.txt")
    return Socket


def shared_log(settings: Settings, var: Path) -> Log:
    """The log in Redis. Exits 1 if there is none after REDIS_S, 2 if it will not do."""
    try:
        from server.stream_log import StreamLog, TooOld
    except ModuleNotFoundError as error:
        if error.name == "server.stream_log":
            refuse("this kit was made for one instance: let advisor make it again, with the answer `instances`")
        refuse(f"the package {error.name} is missing: pip install -r requirements.txt")
    url = settings.redis_url or os.environ.get("REDIS_URL", "")
    try:
        log = StreamLog(url, var / SOCKET, settings.redis_prefix, settings.history_events, settings.per_client_queue)
    except ValueError:  # its text would repeat a part of the address, which may hold a password
        refuse("redis_url of settings.json, or REDIS_URL, is no address like redis://host:6379/0")
    end = time.monotonic() + REDIS_S
    while True:
        try:
            asyncio.run(log.open())
        except LogAway as error:
            if time.monotonic() > end:
                sys.stderr.write(f"server: {error}: {error.__cause__}\n")
                sys.exit(1)
            time.sleep(0.1)
        except TooOld as error:
            refuse(str(error))
        else:
            return log


def main() -> None:
    """Run until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m server", description="The kit's event server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, help="port to listen on (default: ports.server of settings.json)")
    parser.add_argument("--var", type=Path, default=KIT / "var", help="folder of log and secrets (default: var)")
    options = parser.parse_args()
    try:
        settings = load(KIT / "settings.json")
    except SettingsError as error:
        refuse(str(error))
    options.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        token = security.secret(options.var / "token")
        viewer_key = security.secret(options.var / "viewer-key") if settings.auth != "none" else ""
    except security.SecretError as error:
        refuse(str(error))
    several = settings.instances > 1
    held = None if several else lock(options.var)
    log = shared_log(settings, options.var) if several else EventLog(options.var / NAME, settings.history_events)
    app = App(settings, log, KIT / "client", token, viewer_key)
    config = uvicorn.Config(
        app, options.host, options.port or settings.server_port, http=BoundedHttp, ws=socket_protocol(settings),
        ws_max_size=settings.max_payload_bytes, ws_per_message_deflate=False,  # a context for each client costs 40 kB
        ws_ping_interval=settings.heartbeat_s, ws_ping_timeout=settings.heartbeat_s, lifespan="off",
        log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=75,  # longer than the proxy keeps its side open, so that no request meets a closing socket
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises the signal again when it is done: exit 0 instead
        signal.signal(number, lambda *_: None)
    server = Server(config, app, log, settings)
    server.run()
    log.close()
    if held:
        held.truncate(0)  # no stale process id stays
        held.close()
    sys.exit(1 if server.failed else 0)


if __name__ == "__main__":
    main()
