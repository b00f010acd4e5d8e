"""Events, and what the server needs of a log of them: SQLite for one instance (log.py), Redis for several."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

KEYS_KEPT = 10_000  # idempotency keys outlive a short history: a publisher may retry minutes later


@dataclass(frozen=True, slots=True)
class Event:
    """One committed event. `at` is milliseconds since 1970 when it was accepted; `data` is JSON on one line."""

    n: int
    type: str
    at: int
    data: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What a publisher wants appended; a repeated `key` (if any) must not append again."""

    type: str
    data: str
    key: str | None = None

    @property
    def digest(self) -> bytes:
        """Tells a retry (same body) from a key that is used for something else."""
        return hashlib.sha256(f"{self.type}\n{self.data}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Appended:
    """The outcome for one NewEvent: `event` if it is new; `n` is None if its key belongs to a different body."""

    n: int | None
    event: Event | None = None


class LogAway(Exception):
    """The log cannot be asked just now. For a commit: it is unknown whether its events were kept."""


class Receiver(Protocol):
    """What receives committed events: the hub."""

    epoch: str
    latest: int

    def deliver(self, events: list[Event]) -> None:
        """Events that follow `latest`, without a gap."""

    def renew(self, epoch: str, latest: int, events: list[Event]) -> None:
        """The delivered events cannot be continued. Go on from `latest`; `events` are the newest, and end there."""

    async def reach(self, epoch: str, n: int) -> None:
        """Wait until event `n` of this epoch has been delivered."""


class Log(Protocol):
    """What the server needs of a log: the one of log.py, or of stream_log.py where several instances share one."""

    epoch: str
    away: str  # why the log cannot be asked just now; "" = it can

    @property
    def oldest(self) -> int:
        """The first event that it still has."""

    @property
    def latest(self) -> int:
        """The last event that this process knows of."""

    async def last(self) -> int:
        """The last event that any process has committed. Raises LogAway."""

    async def commit(self, batch: list[NewEvent], hub: Receiver) -> list[Appended]:
        """Returns when the batch is kept and the hub has it; stream_log.py waits at most a second for that.

        Raises sqlite3.Error (nothing is kept) or LogAway.
        """

    async def fetch_after(self, n: int, limit: int, max_bytes: int) -> list[Event]:
        """At most `limit` events that follow `n`, in order; fewer if they pass `max_bytes`. Raises LogAway."""

    async def fetch_recent(self, slug: str, upto: int, limit: int) -> list[Event]:
        """The newest `limit` events of one type that are not after `upto`, oldest first. Raises LogAway."""

    def newest(self, count: int) -> list[Event]:
        """The last `count` events; asked before the first request comes."""

    async def follow(self, hub: Receiver) -> None:
        """Tell the hub what other processes commit; runs beside the requests and never returns."""

    async def available(self) -> None:
        """Wait until the log can be asked again."""

    def close(self) -> None:
        """The process ends."""
