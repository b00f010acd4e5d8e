"""GET /poll: what came after a cursor, as JSON; at once, or held until something comes (long polling).

An answer holds all that is there, up to BATCH events. Held requests are answered at most once in PACE_S, so that a busy
room does not make one request per event per client: the first event after a pause goes out at once, and what follows
it within PACE_S goes out together. With many clients the pace is slower: ANSWERS_PER_S for all of them.
"""

from __future__ import annotations

import asyncio
import json
import math
from urllib.parse import parse_qs

from server import formats, ids, trouble
from server.hub import Hub, step
from server.settings import Settings
from server.wire import NO_STORE, Headers, HttpError, Receive, Send, answer, answer_json

BATCH = 500  # events in one answer
PACE_S = 0.06  # an event waits this long at most while few are connected
ANSWERS_PER_S = 3000  # to all clients together; about a quarter of what one core can do
PAGES = 16  # answers that are kept for those who ask next; each may have hub.CHUNK_BYTES


class Held:
    """A request that waits for the next event."""

    __slots__ = ("cross", "cursor", "epoch", "send", "timer")

    def __init__(self, send: Send, epoch: str, cursor: int, cross: Headers) -> None:
        self.send = send
        self.epoch = epoch
        self.cursor = cursor
        self.cross = cross
        self.timer: asyncio.TimerHandle | None = None


class Polls:
    """The polls that are held, and how each is answered. Like a stream, a held poll costs no task."""

    def __init__(self, hub: Hub, settings: Settings) -> None:
        self._hub = hub
        self._settings = settings
        self._short = "short-polling" in settings.transports
        self._most_s = settings.hold_s if "long-polling" in settings.transports else 0.0
        self._tail = hub.tail(formats.Objects(hub.epoch))
        self._held: set[Held] = set()
        self._writing: set[asyncio.Future[None]] = set()
        self._next: asyncio.TimerHandle | None = None  # while events wait for the next time to answer
        self._answered_at = -math.inf
        self._answered_to = hub.latest  # who has seen less is behind, and need not wait for the pace
        self._pace_s = PACE_S
        self._pages: dict[int, tuple[bytes, int]] = {}  # by cursor, while `latest` stays: clients have the same few
        hub.on_change.append(self._changed)

    async def ask(self, query: str, receive: Receive, send: Send, headers: Headers, cross: Headers) -> None:
        """The endpoint. Raises HttpError 400 or 503."""
        fields = parse_qs(query)
        cursor = fields.get("cursor", [""])[0]
        wait_s = min(self._most_s, seconds(fields.get("wait", ["0"])[0]))
        hub = self._hub
        await hub.meet(cursor)
        if hub.draining:
            raise HttpError(503, "the server ends", retry_after=str(-(-hub.delay() // 1000)))
        place = hub.place(cursor) if cursor else hub.latest
        if isinstance(place, str):
            await self._reset(send, place, cross)
        elif cursor and wait_s and (place == hub.latest or (self._next and place >= self._answered_to)):
            if hub.full:
                raise HttpError(503, "no room for one more poll", retry_after=str(-(-self._settings.retry_ms // 1000)))
            await self._hold(Held(send, hub.epoch, place, cross), wait_s, receive)
        elif place == hub.latest and not wait_s and etag(place, hub.epoch) in tags(headers.get("if-none-match", "")):
            await answer(send, 304, b"", self._headers(place) | cross)
        else:
            await self._page(send, place, cross)

    async def _hold(self, held: Held, wait_s: float, receive: Receive) -> None:
        """Returns when the answer was written, or the client has left."""
        held.timer = asyncio.get_running_loop().call_later(wait_s, self._answer, held)
        self._held.add(held)
        self._hub.polls += 1
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._hub.polls -= 1
            held.timer.cancel()
            self._held.discard(held)

    def _changed(self) -> None:
        """Answer what is held: now, or when the pace allows it."""
        self._pages.clear()
        loop = asyncio.get_running_loop()
        due = self._answered_at + self._pace_s
        if self._hub.draining or loop.time() >= due:
            self._answer_all()
        elif self._next is None:
            self._next = loop.call_at(due, self._answer_all)

    def _answer_all(self) -> None:
        if self._next:
            self._next.cancel()
            self._next = None
        self._answered_at = asyncio.get_running_loop().time()
        self._answered_to = self._hub.latest
        self._pace_s = max(PACE_S, len(self._held) / ANSWERS_PER_S)
        for held in list(self._held):
            self._answer(held)

    def _answer(self, held: Held) -> None:
        if held not in self._held:
            return
        self._held.discard(held)
        rest = step(self._finish(held))
        if rest is not None:
            task = asyncio.ensure_future(rest)
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _finish(self, held: Held) -> None:
        """The answer to a held poll. This task is never awaited, so it must not raise."""
        doing = "answering a poll"
        try:
            if held.epoch == self._hub.epoch:
                await self._page(held.send, held.cursor, held.cross)
            else:
                await self._reset(held.send, "epoch", held.cross)
        except OSError:  # the client is gone
            pass
        except Exception as reason:
            error = trouble.answer_to(doing, reason)
            try:
                await answer_json(held.send, error.status, {"error": str(error)}, error.headers | held.cross)
            except OSError:
                pass
            except Exception as second:  # a part of the answer was out already
                trouble.say(doing, second)

    async def _page(self, send: Send, cursor: int, cross: Headers) -> None:
        """Answer with what follows `cursor`, or with nothing. Raises LogAway or sqlite3.Error."""
        found = self._pages.get(cursor)
        if found is None:
            latest, epoch = self._hub.latest, self._hub.epoch
            if cursor == latest:
                found = (b"", cursor)
            else:
                after = await self._hub.after(self._tail, cursor, BATCH)
                if after is None or epoch != self._hub.epoch:
                    await self._reset(send, "trimmed" if epoch == self._hub.epoch else "epoch", cross)
                    return
                found = (b",".join(after[0]), after[1])
            if latest == self._hub.latest and len(self._pages) < PAGES:
                self._pages[cursor] = found
        await self._write(send, *found, cross)

    async def _reset(self, send: Send, reason: str, cross: Headers) -> None:
        """Tell the client that what it has seen cannot be continued."""
        reset: dict[str, object] = {"reason": reason} | self._hub.where()
        await self._write(send, b"", self._hub.latest, cross, reset=reset)

    async def _write(
        self, send: Send, events: bytes, cursor: int, cross: Headers, reset: dict[str, object] | None = None
    ) -> None:
        hub = self._hub
        fields: dict[str, object] = {
            "reset": reset,
            "retry_ms": hub.delay() if hub.draining else self._settings.retry_ms,
        }
        if cursor < hub.latest:
            fields["more"] = True  # this answer was full: ask again at once
        if self._short:
            fields["poll_s"] = self._settings.poll_s
        name = ids.make(hub.epoch, cursor)
        rest = json.dumps(fields, separators=(",", ":"))[1:].encode()
        body = b'{"cursor":"%b","events":[%b],%b\n' % (name.encode(), events, rest)
        await answer(send, 200, body, {"content-type": "application/json"} | self._headers(cursor) | cross)

    def _headers(self, cursor: int) -> Headers:
        headers = NO_STORE | {"etag": etag(cursor, self._hub.epoch)}
        if self._short:
            headers["retry-after"] = str(math.ceil(self._settings.poll_s))
        return headers


def seconds(text: str) -> float:
    """A length of time in a query. Raises HttpError 400."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise HttpError(400, "wait: must be a number of seconds, 0 or more")
    return value


def etag(cursor: int, epoch: str) -> str:
    """The entity tag of an answer that leads to this cursor."""
    return f'"{ids.make(epoch, cursor)}"'


def tags(header: str) -> set[str]:
    """The entity tags of If-None-Match, which are compared without their W/ (a proxy that compresses adds it)."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
