"""POST /publish: check one event, commit it together with its neighbours, then say 2xx."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from itertools import accumulate
from typing import Any

from server import trouble
from server.events import Appended, Log, LogAway, NewEvent
from server.hub import Hub
from server.wire import Headers, HttpError

KEY = re.compile(r"[\x21-\x7e]{1,128}\Z")
BATCH = 256  # events in one commit
WAITING = 4096  # publishes that may wait for a commit; the next one gets 503
DEPTH = 64  # of arrays and objects in an event's data: every reader's parser has a limit, and none below this
STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
NO_BRACKETS = bytes(set(range(256)) - STEPS.keys())
LINE_ENDS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
ENDED = "the server ends; repeat it with the same Idempotency-Key"

Waiting = tuple[NewEvent, asyncio.Future[Appended]]


class Writer:
    """The single writer of this process. Publishes that arrive during a commit share the next one (group commit)."""

    def __init__(self, log: Log, hub: Hub) -> None:
        self._log = log
        self._hub = hub
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._ended = False

    async def append(self, event: NewEvent) -> Appended:
        """Returns when the event is kept and the hub has it (Log.commit). Raises HttpError 503."""
        if self._ended:
            raise HttpError(503, ENDED, retry_after="1")
        if len(self._waiting) >= WAITING:
            raise HttpError(503, "too many publishes are waiting for the log", retry_after="1")
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """The loop that commits; the server runs it as a task for as long as it lives, and ends when it ends."""
        try:
            while True:
                await self._wake.wait()
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                if not self._waiting:
                    self._wake.clear()
                await self._commit(batch)
        finally:
            self._ended = True
            refuse(self._waiting, ENDED, "1")

    async def _commit(self, batch: list[Waiting]) -> None:
        try:
            outcomes = await self._log.commit([event for event, _ in batch], self._hub)
        except sqlite3.Error as error:  # disk full, disk gone: nothing of the batch was kept
            trouble.say("writing the log", error)
            refuse(batch, "the log cannot be written", "5")
        except LogAway as error:  # perhaps it was kept: only with a key is a repetition safe
            refuse(batch, f"{error}; repeat it with the same Idempotency-Key", "1")
        except BaseException:  # the same is true here, and nothing else would answer those that wait
            refuse(batch, ENDED, "1")
            raise
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():  # else the publisher has left
                    future.set_result(outcome)


def refuse(batch: list[Waiting], why: str, retry_after: str) -> None:
    """Answer all of a batch with 503."""
    for _, future in batch:
        if not future.done():
            future.set_exception(HttpError(503, why, retry_after=retry_after))


def parse(headers: Headers, body: bytes, slugs: tuple[str, ...], *, viewer: bool = False) -> NewEvent:
    """The event in a request's body, `{"type": slug, "data": any JSON}`. Raises HttpError 400 or 422."""
    key = headers.get("idempotency-key")
    if key is not None and not KEY.match(key):
        raise HttpError(400, "Idempotency-Key: must be 1 to 128 visible ASCII characters")
    event = read_json(body.decode("utf-8", "surrogateescape"), "the body")
    if not isinstance(event, dict) or event.keys() != {"type", "data"}:
        raise HttpError(422, 'the body must be {"type": ..., "data": ...} and nothing else')
    return new_event(event["type"], event["data"], slugs, viewers_key(key) if viewer and key else key)


def read_json(text: str, what: str) -> Any:
    """The value in `text`, which may hold an event's data one level down. Raises HttpError 400."""
    try:
        text.encode()  # half a surrogate pair is no text
        if deeper(text, DEPTH + 1):
            raise HttpError(400, f"{what} is nested too deeply: an event's data may have {DEPTH} levels")
        return json.loads(text)
    except ValueError as error:
        raise HttpError(400, f"{what} is not valid JSON: {error}") from error


def deeper(text: str, levels: int) -> bool:
    """Whether more than this many arrays and objects of a JSON text are open at once, seen before anything parses it.

    A parser's own limit is the interpreter's, and differs from one place in the program to the next. A text that is not
    JSON is looked at up to where a parser would stop, and perhaps further.
    """
    if text.count("[") + text.count("{") <= levels:  # usual
        return False
    brackets = STRING.sub("", text).encode().translate(None, NO_BRACKETS)
    return max(accumulate(map(STEPS.__getitem__, brackets)), default=0) > levels


def new_event(slug: object, data: object, slugs: tuple[str, ...], key: str | None) -> NewEvent:
    """An event that may be appended. Raises HttpError 400 or 422.

    Its text goes to every client as it is made here. JSON allows the line ends of Unicode unescaped, and clients
    that split lines with more than CR and LF break on them: so they are escaped, once.
    """
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))  # Python reads NaN
        text.encode()  # half a surrogate pair is legal JSON, but no text
    except ValueError as error:
        raise HttpError(400, f"the data is not valid JSON: {error}") from error
    for raw, escaped in LINE_ENDS.items():
        text = text.replace(raw, escaped)
    if slug not in slugs:
        raise HttpError(422, f"unknown type; known are {', '.join(slugs)}")
    return NewEvent(str(slug), text, key)


def viewers_key(key: str) -> str:
    """A viewer's idempotency key, which must never be one of a publisher's: those have no spaces."""
    return f"send {key}"


def check_content_type(headers: Headers) -> None:
    """Raise HttpError 415 unless the body is declared as plain JSON (a form of another site cannot do that)."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HttpError(415, "the Content-Type must be application/json")
    if headers.get("content-encoding", "identity").lower() != "identity":  # a few bytes may inflate to gigabytes
        raise HttpError(415, "the body must come without a Content-Encoding", accept_encoding="identity")


def reply(outcome: Appended, epoch: str) -> tuple[int, dict[str, Any]]:
    """(status, body): 201 for a new event, 200 for a repeated key, with the same id. Raises HttpError 422."""
    if outcome.n is None:
        raise HttpError(422, "this Idempotency-Key belongs to an event with a different body")
    return (200 if outcome.event is None else 201), {"id": f"{epoch}-{outcome.n}"}
