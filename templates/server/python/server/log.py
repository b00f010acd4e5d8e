"""The durable, bounded event log in SQLite: what was committed survives kill -9 and a power cut."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from server.events import KEYS_KEPT, Appended, Event, NewEvent, Receiver

SCHEMA = """
CREATE TABLE IF NOT EXISTS log(epoch TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events(n INTEGER PRIMARY KEY, type TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_type ON events(type, n);
CREATE TABLE IF NOT EXISTS keys(key TEXT PRIMARY KEY, n INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_n ON keys(n);
"""


class EventLog:
    """One writer and one reader thread use it at the same time, each through its own connection."""

    away = ""

    def __init__(self, path: Path, keep: int) -> None:
        self.keep = keep
        self._writer = ThreadPoolExecutor(1, "log-writer")
        self._reader = ThreadPoolExecutor(1, "log-reader")
        self._write = _connect(path)
        with _transaction(self._write):
            for statement in SCHEMA.split(";"):
                self._write.execute(statement)
            row = self._write.execute("SELECT epoch FROM log").fetchone()
            if row is None:
                row = (secrets.token_hex(6),)
                self._write.execute("INSERT INTO log VALUES (?)", row)
        self._read = _connect(path)
        self.epoch: str = row[0]
        # n has no gaps, so two numbers describe the whole log; an empty one is oldest = 1, latest = 0.
        sql = "SELECT coalesce(min(n), 1), coalesce(max(n), 0) FROM events"
        self.oldest, self.latest = self._write.execute(sql).fetchone()

    def append(self, batch: list[NewEvent]) -> list[Appended]:
        """Commit a batch as one transaction, with one sync of the disk. On sqlite3.Error nothing of it is kept."""
        latest = self.latest
        outcomes = []
        with _transaction(self._write):
            for new in batch:
                outcome = self._append(new, latest + 1)
                if outcome.event is not None:
                    latest += 1
                outcomes.append(outcome)
            self._write.execute("DELETE FROM events WHERE n <= ?", (latest - self.keep,))
            self._write.execute("DELETE FROM keys WHERE n <= ?", (latest - max(self.keep, KEYS_KEPT),))
        self.latest = latest
        self.oldest = max(self.oldest, latest - self.keep + 1)
        return outcomes

    def _append(self, new: NewEvent, n: int) -> Appended:
        if new.key is not None:
            row = self._write.execute("SELECT n, body FROM keys WHERE key = ?", (new.key,)).fetchone()
            if row is not None:
                return Appended(row[0] if row[1] == new.digest else None)
            self._write.execute("INSERT INTO keys VALUES (?, ?, ?)", (new.key, n, new.digest))
        event = Event(n, new.type, time.time_ns() // 1_000_000, new.data)
        self._write.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (event.n, event.type, event.at, event.data))
        return Appended(n, event)

    def after(self, n: int, limit: int, max_bytes: int) -> list[Event]:
        """At most `limit` events that follow `n`, in order; it stops early once they pass `max_bytes`."""
        events: list[Event] = []
        size = 0
        rows = self._read.execute("SELECT n, type, at, data FROM events WHERE n > ? ORDER BY n LIMIT ?", (n, limit))
        for row in rows:
            events.append(Event(*row))
            size += len(row[3])
            if size > max_bytes:
                break
        rows.close()  # ends the read transaction; an open one would keep the WAL file growing
        return events

    def recent(self, slug: str, upto: int, limit: int) -> list[Event]:
        """The newest `limit` events of one type that are not after `upto`, oldest first."""
        sql = "SELECT n, type, at, data FROM events WHERE type = ? AND n <= ? ORDER BY n DESC LIMIT ?"
        return [Event(*row) for row in self._read.execute(sql, (slug, upto, limit)).fetchall()][::-1]

    async def last(self) -> int:
        """The last event that was committed; the hub may not have delivered it yet."""
        return self.latest

    async def commit(self, batch: list[NewEvent], hub: Receiver) -> list[Appended]:
        """`append` in its thread, then tell the hub."""
        outcomes = await asyncio.get_running_loop().run_in_executor(self._writer, self.append, batch)
        if events := [outcome.event for outcome in outcomes if outcome.event is not None]:
            hub.deliver(events)
        return outcomes

    async def fetch_after(self, n: int, limit: int, max_bytes: int) -> list[Event]:
        """`after` in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self.after, n, limit, max_bytes)

    async def fetch_recent(self, slug: str, upto: int, limit: int) -> list[Event]:
        """`recent` in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self.recent, slug, upto, limit)

    def newest(self, count: int) -> list[Event]:
        """The last `count` events."""
        return self.after(self.latest - count, count, 1 << 62)

    async def follow(self, hub: Receiver) -> None:  # noqa: ARG002 - `commit` has passed on everything
        """No other process writes here."""
        await asyncio.Event().wait()

    async def available(self) -> None:
        """It always is."""

    def close(self) -> None:
        """Checkpoint and close."""
        self._read.close()
        self._write.close()


def _connect(path: Path) -> sqlite3.Connection:
    # Used by one thread at a time (its executor has one), which is not the thread that opens it.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")  # readers do not wait for the writer
    db.execute("PRAGMA synchronous = FULL")  # WAL with NORMAL can lose the last commits in a power cut: 2xx means kept
    return db


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
