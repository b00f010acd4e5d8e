"""The endpoints, as one ASGI callable.

GET  /events     the stream as Server-Sent Events; cursor from Last-Event-ID or ?cursor=
GET  /ws         the same over a WebSocket (ws.py)
GET  /poll       what came after ?cursor=, at once or held for ?wait= seconds (poll.py)
GET  /snapshot   where the log is, and the last events of each type
POST /publish    append one event (bearer token)
POST /send       append one event of a viewer
POST /session    sign in (auth: cookie only)
POST /ticket     what opens /ws instead of a header (auth: bearer-header only)
GET  /config     what the page needs to know
GET  /healthz    200, or 503 while draining or without its log
GET  /           the page, so that the kit can be shown without nginx

/events, /ws, /poll, /send and /ticket exist only if settings.json enables what they serve.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

from server import formats, ids, publish, security, trouble, wire
from server.events import Log, LogAway
from server.hub import Hub
from server.poll import Polls
from server.rate import Rate
from server.settings import Settings
from server.wire import Headers, HttpError, Receive, Scope, Send
from server.ws import Sockets

SNAPSHOT_EVENTS = 20  # of each type
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
STREAM_HEADERS = {
    "content-type": "text/event-stream",  # always UTF-8; any other charset makes browsers abort
    "cache-control": "no-store",  # a cache would play one client's stream to the next
    "x-accel-buffering": "no",  # for an nginx that buffers although its configuration here does not
}
READING = "reading the log"
ALLOWED_HEADERS = "authorization, last-event-id, if-none-match, content-type, idempotency-key"

Endpoint = Callable[[Scope, Receive, Send, Headers, Headers], Awaitable[None]]


class App:
    """Routes a request, and turns HttpError into a response."""

    def __init__(self, settings: Settings, log: Log, client: Path, token: str, viewer_key: str) -> None:
        self.hub = Hub(log, settings)
        self.writer = publish.Writer(log, self.hub)
        self._settings = settings
        self._log = log
        self._token = token
        self._viewer_key = viewer_key
        self._rate = Rate()
        self._routes: dict[tuple[str, str], Endpoint] = {
            ("GET", "/snapshot"): self._snapshot,
            ("POST", "/publish"): self._publish,
            ("POST", "/session"): self._session,
            ("GET", "/config"): self._config,
            ("GET", "/healthz"): self._healthz,
        }
        serves = set(settings.transports)
        if "sse" in serves:
            self._routes["GET", "/events"] = self._events
        if serves & {"long-polling", "short-polling"}:
            self._polls = Polls(self.hub, settings)
            self._routes["GET", "/poll"] = self._poll
        self._sockets = Sockets(self.hub, self.writer, self._rate, settings) if "websocket" in serves else None
        if self._sockets:
            self._routes["GET", "/ws"] = self._no_socket
            if settings.auth == "bearer-header":
                self._routes["POST", "/ticket"] = self._ticket
        if settings.two_way:
            self._routes["POST", "/send"] = self._send
        self._files = {f"/{file.name}": file for file in sorted(client.iterdir()) if file.suffix in TYPES}
        self._files["/"] = self._files["/index.html"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        upgrade = scope["type"] == "websocket"
        try:
            await (self._socket if upgrade else self._route)(scope, receive, send)
        except (HttpError, LogAway, sqlite3.Error) as reason:
            error = trouble.answer_to(READING, reason)
            answering = wire.before_upgrade(send) if upgrade else send
            await wire.answer_json(answering, error.status, {"error": str(error)}, error.headers)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page of another site can open a WebSocket with the viewer's cookie: only the Origin check stops it."""
        await receive()  # websocket.connect
        if self._sockets is None or scope["path"] != "/ws":
            raise HttpError(404, "no such path")
        headers = wire.headers_of(scope)
        security.allowed_origin(headers, self._settings.origins)
        ticket = parse_qs(scope["query_string"].decode("latin-1")).get("ticket")
        if ticket and self._settings.auth == "bearer-header":
            security.check_ticket(ticket[0], headers, self._viewer_key)
        else:
            self._check_viewer(headers)
        await self._sockets.serve(scope, receive, send, security.viewer_of(headers, wire.address(scope)))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], "GET" if scope["method"] == "HEAD" else scope["method"]
        headers = wire.headers_of(scope)
        if method == "GET" and path in self._files:
            file = self._files[path]
            kind = f"{TYPES[file.suffix]}; charset=utf-8"
            await wire.answer(send, 200, file.read_bytes(), {"content-type": kind, "cache-control": "no-cache"})
            return
        origin = security.allowed_origin(headers, self._settings.origins)
        cross: Headers = {}
        if origin is not None:
            cross = {
                "access-control-allow-origin": origin,
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": "etag, retry-after",
                "vary": "Origin",
            }
        if method == "OPTIONS" and cross:  # the browser asks first, because of the Authorization header
            cross["access-control-allow-headers"] = ALLOWED_HEADERS
            await wire.answer(send, 204, b"", cross)
            return
        try:
            await self._endpoint(method, path)(scope, receive, send, headers, cross)
        except (HttpError, LogAway, sqlite3.Error) as reason:
            error = trouble.answer_to(READING, reason)
            error.headers |= cross  # without it, a page of another origin cannot tell a 401 from a broken line
            raise error from None

    def _endpoint(self, method: str, path: str) -> Endpoint:
        endpoint = self._routes.get((method, path))
        if endpoint is None:
            known = [other for other, place in self._routes if place == path]
            raise HttpError(405, f"use {known[0]}", allow=known[0]) if known else HttpError(404, "no such path")
        return endpoint

    async def _events(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        self._check_viewer(headers)
        if scope["method"] == "HEAD":
            raise HttpError(405, "use GET", allow="GET")
        # A browser that reconnects on its own sends the header; the address then still has the older cursor.
        query = parse_qs(scope["query_string"].decode("latin-1"))
        cursor = headers.get("last-event-id") or query.get("cursor", [""])[0]
        await self.hub.meet(cursor)
        if self.hub.draining or self.hub.full:
            raise HttpError(503, "no room for one more stream", retry_after=str(-(-self._settings.retry_ms // 1000)))
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in (STREAM_HEADERS | cross).items()]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        stream = self.hub.join(send, cursor, "sse", wire.line(scope))
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self.hub.leave(stream)

    async def _poll(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        self._check_viewer(headers)
        if scope["method"] == "HEAD":
            raise HttpError(405, "use GET", allow="GET")
        await self._polls.ask(scope["query_string"].decode("latin-1"), receive, send, headers, cross)

    async def _no_socket(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        raise HttpError(426, "this is a WebSocket", upgrade="websocket", connection="upgrade")

    async def _send(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        if "origin" not in headers:  # browsers always send it with a POST
            raise HttpError(403, "this needs the Origin of a page")
        self._check_viewer(headers)
        publish.check_content_type(headers)
        self._rate.take(security.viewer_of(headers, wire.address(scope)))
        body = await wire.read_body(receive, headers, self._settings.max_payload_bytes)
        outcome = await self.writer.append(publish.parse(headers, body, self._settings.sendable, viewer=True))
        status, value = publish.reply(outcome, self.hub.epoch)
        await wire.answer_json(send, status, value, cross)

    async def _snapshot(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        self._check_viewer(headers)
        if scope["method"] == "HEAD":  # a page asks whether its viewer may still read
            await wire.answer(send, 200, b"", cross)
            return
        latest = self.hub.latest  # events that come while we read are on the stream, after this cursor
        epoch = self.hub.epoch
        written = formats.Objects(epoch)  # the text of each event as it was kept: nothing in it can fail here
        lists = []
        for slug in self._settings.slugs:
            found = await self._log.fetch_recent(slug, latest, SNAPSHOT_EVENTS)
            lists.append(b'"%b":[%b]' % (slug.encode(), b",".join(map(written.event, found))))
        place = {"epoch": epoch, "latest": ids.make(epoch, latest), "oldest": ids.make(epoch, self._log.oldest)}
        place["viewer"] = security.viewer_mark(headers, self._viewer_key)
        await wire.answer_json(send, 200, place, cross, b'"events":{%b}' % b",".join(lists))

    async def _publish(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        security.check_bearer(headers, self._token)
        publish.check_content_type(headers)
        body = await wire.read_body(receive, headers, self._settings.max_payload_bytes)
        outcome = await self.writer.append(publish.parse(headers, body, self._settings.slugs))
        status, value = publish.reply(outcome, self.hub.epoch)
        await wire.answer_json(send, status, value, cross)

    async def _session(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        if self._settings.auth != "cookie":
            raise HttpError(404, "no such path")
        given = (await wire.read_body(receive, headers, 1024)).decode("latin-1").strip()
        cookie = security.session_cookie(headers, given, self._viewer_key)
        await wire.answer_json(send, 200, {}, {"set-cookie": cookie} | cross)

    async def _ticket(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        self._check_viewer(headers)
        ticket = security.new_ticket(headers, self._viewer_key)
        await wire.answer_json(send, 200, {"ticket": ticket, "expires_s": security.TICKET_S}, cross)

    async def _config(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        await wire.answer_json(send, 200, self._settings.public(), cross)

    async def _healthz(self, scope: Scope, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        state = "draining" if self.hub.draining else "without its log" if self._log.away else "ok"
        await wire.answer_json(send, 200 if state == "ok" else 503, {"status": state, "streams": len(self.hub)}, cross)

    def _check_viewer(self, headers: Headers) -> None:
        if not security.viewer_allowed(self._settings.auth, headers, self._viewer_key):
            raise HttpError(401, "sign in first")
