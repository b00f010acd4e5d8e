"""The event log in Redis streams, for several instances: one order of events, and ids that are valid on each of them.

PREFIX:log            hash: epoch, n (the last event), and what tells that Redis has started again (run, kept)
PREFIX:events:EPOCH   stream: event n has the id n-0
PREFIX:keys           hash: idempotency key -> "n digest"; PREFIX:keys:order is the list of them, oldest first
PREFIX:recent:TYPE    list: the newest n of one type, newest first

A 2xx promises what Redis promises. With `appendonly yes` and `appendfsync always` the event is on its disk. With
`everysec` a power cut takes about the last second, and Redis cannot say whether it did: so after each start of such a
Redis, and after a replica took over, the epoch is a new one. Clients then get a `reset` and load the snapshot, since an
id that they have seen might otherwise be given to another event.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.events import KEYS_KEPT, Appended, Event, LogAway, NewEvent, Receiver

RECENT_KEPT = 100  # of each type, for the snapshot
CONNECTIONS = 8
TIMEOUT_S = 3.0  # without an answer for this long Redis is away
BLOCK_MS = 1000  # so a new epoch is noticed within a second
PAUSE_S = 0.2  # from a failure to the next try
TELL_S = 1.0  # a publish is answered this much after the event was kept, even if it is not yet on the streams here
FIRST_READ = 32  # events; the next reads are sized by what these weigh
AT_ONCE = 100  # events that are read while following
AWAY = (RedisError, OSError, RuntimeError)  # the last is uvloop's, for a connection that has just been closed
OLDEST_REDIS = 7  # the first whose scripts may write after they have looked at the clock

# n counts in the same step that appends, so ids have no gap and no order but one. Nothing is appended for a Redis that
# has started again until SETTLE has looked at it.
APPEND = """
local prefix, keep, keys_kept, recent_kept = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local log = redis.call('HMGET', prefix .. ':log', 'run', 'epoch', 'n')
if log[1] ~= string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') then return {} end
local n, events = tonumber(log[3]), prefix .. ':events:' .. log[2]
local keys, order = prefix .. ':keys', prefix .. ':keys:order'
local now = redis.call('TIME')
local at = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
local answer = {log[2], at}
for i = 5, #ARGV, 4 do
  local kind, data, key, digest = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local known = key ~= '' and redis.call('HGET', keys, key)
  if known then
    local m, body = string.match(known, '^(%d+) (%x+)$')
    answer[#answer + 1] = body == digest and '=' .. m or '!'
  else
    n = n + 1
    local name = string.format('%.0f', n)
    redis.call('XADD', events, name .. '-0', 'type', kind, 'at', at, 'data', data)
    redis.call('LPUSH', prefix .. ':recent:' .. kind, name)
    redis.call('LTRIM', prefix .. ':recent:' .. kind, 0, recent_kept - 1)
    if key ~= '' then
      redis.call('HSET', keys, key, name .. ' ' .. digest)
      redis.call('RPUSH', order, key)
    end
    answer[#answer + 1] = '+' .. name
  end
end
redis.call('HSET', prefix .. ':log', 'n', string.format('%.0f', n))
redis.call('XTRIM', events, 'MAXLEN', keep)
while redis.call('LLEN', order) > keys_kept do redis.call('HDEL', keys, redis.call('LPOP', order)) end
return answer
"""

# Find the log, or make one. A new epoch where events may be missing that somebody has seen; what is left stays readable.
SETTLE = """
local prefix, fresh, kept, promoted, seen_epoch, seen = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local log = redis.call('HMGET', prefix .. ':log', 'run', 'epoch', 'n', 'kept')
local epoch, n = log[2], tonumber(log[3] or '0')
local started_again = log[1] ~= run and (log[4] ~= '1' or promoted == '1')
if not epoch or started_again or (epoch == seen_epoch and n < seen) then
  local old = prefix .. ':events:' .. (epoch or '')
  epoch = fresh
  if redis.call('EXISTS', old) == 1 then redis.call('RENAME', old, prefix .. ':events:' .. epoch) end
end
redis.call('HSET', prefix .. ':log', 'run', run, 'epoch', epoch, 'n', string.format('%.0f', n), 'kept', kept)
local first = redis.call('XRANGE', prefix .. ':events:' .. epoch, '-', '+', 'COUNT', 1)
return {epoch, string.format('%.0f', n), first[1] and first[1][1] or ''}
"""

RECENT = """
local prefix, epoch, kind, upto, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HGET', prefix .. ':log', 'epoch') ~= epoch then return nil end
local found = {}
for _, n in ipairs(redis.call('LRANGE', prefix .. ':recent:' .. kind, 0, -1)) do
  local entry = tonumber(n) <= upto and redis.call('XRANGE', prefix .. ':events:' .. epoch, n .. '-0', n .. '-0')[1]
  if entry then found[#found + 1] = entry[2] table.insert(entry[2], n) end
  if #found == limit then break end
end
return found
"""


class StreamLog:
    """The log as one instance sees it. `latest` is what it has told its hub; Redis may be ahead of that."""

    def __init__(self, url: str, socket: Path, prefix: str, keep: int, size: int) -> None:
        """`url` of Redis, or "" for the one at `socket`; `size` is how many events a tail holds. Raises ValueError."""
        self.keep = keep
        self.epoch = ""
        self.latest = 0
        self.away = ""
        self._url = url
        self._socket = os.path.relpath(socket)  # the kernel takes 107 bytes
        self._prefix = prefix
        self._size = size
        self._first = 1
        self._newest: list[Event] = []
        self._up = asyncio.Event()
        self._connect()

    @property
    def oldest(self) -> int:
        """The first event that is still there, as far as this instance knows."""
        return max(self._first, self.latest - self.keep + 1)

    async def open(self) -> None:
        """Find or make the log, and read the newest events. Raises LogAway or TooOld."""
        try:
            with self._asking():
                version = (await self._redis.info("server"))["redis_version"]
            if int(str(version).partition(".")[0]) < OLDEST_REDIS:
                raise TooOld(f"this is Redis {version}; {OLDEST_REDIS} is the oldest that will do")
            with self._asking():
                await self._settle(None)
        finally:
            await self._redis.aclose()
            self._connect()  # connections belong to the loop that has opened them

    def newest(self, count: int) -> list[Event]:
        """The last `count` events that `open` has read."""
        return self._newest[-count:]

    async def last(self) -> int:
        """What Redis says."""
        with self._asking():
            return int(await self._redis.hget(f"{self._prefix}:log", "n") or 0)

    async def commit(self, batch: list[NewEvent], hub: Receiver) -> list[Appended]:
        """One script for all; then wait until they have come back over the stream. Raises LogAway."""
        words: list[Any] = [self._prefix, self.keep, max(self.keep, KEYS_KEPT), RECENT_KEPT]
        for new in batch:
            words += [new.type, new.data, new.key or "", new.digest.hex() if new.key else ""]
        with self._asking():
            answer = await self._append(args=words)
        if not answer:
            raise LogAway("Redis has started again and is looked at first; nothing was kept")
        epoch, at = answer[0].decode(), int(answer[1])
        outcomes = [outcome(word.decode(), new, at) for word, new in zip(answer[2:], batch, strict=True)]
        try:
            async with asyncio.timeout(TELL_S):
                await hub.reach(epoch, max((o.n for o in outcomes if o.n), default=0))
        except TimeoutError:
            if hub.epoch != epoch:
                raise LogAway("the epoch changes") from None
        return outcomes

    async def fetch_after(self, n: int, limit: int, max_bytes: int) -> list[Event]:
        """At most `limit` events that follow `n`, in order; about `max_bytes` of them. Raises LogAway."""
        events: list[Event] = []
        size, count = 0, min(FIRST_READ, limit)
        with self._asking():
            while count > 0:
                start = f"({events[-1].n if events else n}-0"
                found = list(map(event, await self._redis.xrange(self._stream, start, "+", count)))
                events += found
                size += sum(len(one.data) for one in found)
                if len(found) < count or size > max_bytes:
                    break
                average = size // len(events) + 1
                count = min(limit - len(events), (max_bytes - size) // average + 1)
        return events

    async def fetch_recent(self, slug: str, upto: int, limit: int) -> list[Event]:
        """The newest `limit` events of one type that are not after `upto`, oldest first. Raises LogAway."""
        with self._asking():
            found = await self._recent(args=[self._prefix, self.epoch, slug, upto, limit])
        if found is None:
            raise LogAway("the epoch changes")
        return [Event(int(n), kind.decode(), int(at), data.decode()) for _, kind, _, at, _, data, n in found][::-1]

    async def follow(self, hub: Receiver) -> None:
        """Tell the hub of all events, from where it is; through the ends of connections, and of Redis."""
        while True:
            try:
                await self._settle(hub)
                if self.away:
                    sys.stderr.write("server: Redis is back\n")
                self.away = ""
                self._up.set()
                while await self._next(hub):
                    pass
            except AWAY as error:
                if not self.away:
                    sys.stderr.write(f"server: Redis is away: {error}\n")
                self.away = str(error) or type(error).__name__
                self._up.clear()
                with suppress(*AWAY):
                    await self._redis.connection_pool.disconnect(inuse_connections=False)  # they may be broken as well
                await asyncio.sleep(PAUSE_S)

    async def available(self) -> None:
        """Wait until Redis answers again."""
        await asyncio.sleep(PAUSE_S)
        await self._up.wait()

    def close(self) -> None:
        """Connections end with the process."""

    async def _next(self, hub: Receiver) -> bool:
        """Wait for events and pass them on. False: the epoch is another one."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.xread({self._stream: f"{hub.latest}-0"}, count=AT_ONCE, block=BLOCK_MS)
            pipe.hget(f"{self._prefix}:log", "epoch")
            found, epoch = await pipe.execute()
        if epoch is None or epoch.decode() != self.epoch:
            return False
        events = [event(entry) for _, entries in found for entry in entries]
        if not events:
            return True
        if events[0].n == hub.latest + 1:
            self.latest = events[-1].n
            hub.deliver(events)
        else:  # this instance was away for longer than the history reaches
            await self._settle(hub, gap=True)
        return True

    async def _settle(self, hub: Receiver | None, *, gap: bool = False) -> None:
        """Look whether this is still the log that we know, and read its newest events if not."""
        kept, promoted = await self._promises()
        words = [self._prefix, secrets.token_hex(6), kept, promoted, self.epoch, self.latest]
        epoch, n, first = (word.decode() for word in await self._find(args=words))
        if epoch == self.epoch and not gap:
            return
        newest = await self._redis.xrevrange(f"{self._prefix}:events:{epoch}", count=self._size)
        self.epoch = epoch  # from here on without an await: a try that failed half-way would look like one that is done
        self._newest = list(map(event, newest))[::-1]
        self.latest = self._newest[-1].n if self._newest else int(n)
        self._first = int(first.partition("-")[0]) if first else self.latest + 1
        if hub is not None:
            hub.renew(epoch, self.latest, self._newest)

    async def _promises(self) -> tuple[int, int]:
        """(whether a start of this Redis loses nothing that it has acknowledged, whether it was a replica before)."""
        facts = await self._redis.info("everything")
        promoted = str(facts.get("master_replid2", 0)).strip("0") != ""
        try:
            sync = (await self._redis.config_get("appendfsync")).get("appendfsync")
        except RedisError:  # hosted ones do not tell
            sync = None
        return int(facts.get("aof_enabled") == 1 and sync in {"always", b"always"}), int(promoted)

    @property
    def _stream(self) -> str:
        return f"{self._prefix}:events:{self.epoch}"

    def _connect(self) -> None:
        # No automatic retry: a repeated command could append twice.
        options: dict[str, Any] = {
            "retry": Retry(NoBackoff(), 0), "socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S,
            "protocol": 2, "max_connections": CONNECTIONS, "timeout": TIMEOUT_S,
        }  # fmt: skip
        if self._url:
            pool = BlockingConnectionPool.from_url(self._url, **options)
        else:
            pool = BlockingConnectionPool(connection_class=UnixDomainSocketConnection, path=self._socket, **options)
        self._redis = Redis.from_pool(pool)
        self._append = self._redis.register_script(APPEND)
        self._find = self._redis.register_script(SETTLE)
        self._recent = self._redis.register_script(RECENT)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except AWAY as error:
            raise LogAway("Redis is away") from error  # clients are not told where it is


class TooOld(Exception):
    """A Redis on which the scripts do not run."""


def event(entry: tuple[bytes, dict[bytes, bytes]]) -> Event:
    """An entry of the stream."""
    name, fields = entry
    return Event(int(name[:-2]), fields[b"type"].decode(), int(fields[b"at"]), fields[b"data"].decode())


def outcome(word: str, new: NewEvent, at: int) -> Appended:
    """What APPEND says of one event: "+n" is new, "=n" was there, "!" has a key with another body."""
    if word == "!":
        return Appended(None)
    n = int(word[1:])
    return Appended(n, Event(n, new.type, at, new.data) if word[0] == "+" else None)
