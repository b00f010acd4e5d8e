"""The log in Redis by itself, on a real Valkey: the contract of the SQLite log, and when an epoch ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
from pathlib import Path

import pytest
from server import settings, stream_log
from server.events import LogAway, NewEvent
from server.hub import Hub
from server.log import EventLog
from server.stream_log import StreamLog, TooOld
from server.wire import Line
from support.hand_made_kits import rendered
from support.kit_lab import SETTINGS, until

pytestmark = pytest.mark.lab
KEEP = 100


def opened(store, prefix="p", keep=KEEP, size=64):
    """A log, and what it says when it has looked at its Redis."""
    made = StreamLog(f"redis://127.0.0.1:{store.port}", Path("unused"), prefix, keep, size)
    asyncio.run(made.open())
    return made


class Told:
    """A hub that only remembers."""

    def __init__(self, of):
        self.epoch, self.latest, self.events, self.renewed = of.epoch, of.latest, [], []

    def deliver(self, events):
        assert events[0].n == self.latest + 1
        self.events += events
        self.latest = events[-1].n

    def renew(self, epoch, latest, events):
        self.renewed.append((epoch, latest, [event.n for event in events]))
        self.epoch, self.latest = epoch, latest

    async def reach(self, epoch, n):
        while self.epoch != epoch or self.latest < n:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def followed(of):
    """A hub that gets the events as long as the block runs."""
    hub = Told(of)
    task = asyncio.create_task(of.follow(hub))
    try:
        yield hub
    finally:
        task.cancel()
        await of._redis.aclose()


def shown(outcomes):
    return [(outcome.n, outcome.event is not None) for outcome in outcomes]


def plain(events):
    return [(event.n, event.type, event.data) for event in events]


def test_it_gives_the_same_answers_as_the_log_in_sqlite(make_store, tmp_path):
    store, chance = make_store(), random.Random(7)
    one, other = EventLog(tmp_path / "events.sqlite3", KEEP), opened(store)

    def event():
        key = chance.choice([None, None, f"key {chance.randrange(30)}"])
        return NewEvent(chance.choice("ab"), json.dumps(chance.choice(["x", "\u00e9\n\U0001f600" * 50, 7])), key)

    async def run():
        async with followed(other) as hub:
            for _ in range(60):
                batch = [event() for _ in range(chance.randint(1, 8))]
                assert shown(one.append(batch)) == shown(await other.commit(batch, hub))
                assert (one.oldest, one.latest) == (other.oldest, other.latest) == (other.oldest, await other.last())
                n, limit = chance.randint(one.oldest - 1, one.latest), chance.randint(1, 120)
                assert plain(one.after(n, limit, 1 << 30)) == plain(await other.fetch_after(n, limit, 1 << 30))
                found = await other.fetch_recent("a", n, limit % 20)
                assert plain(one.recent("a", n, limit % 20)) == plain(found)
            assert [event.n for event in hub.events] == list(range(1, one.latest + 1))
            assert one.oldest > 1

    asyncio.run(run())
    again = opened(store)
    assert (again.epoch, again.oldest, again.latest) == (other.epoch, one.oldest, one.latest)
    assert plain(again.newest(64)) == plain(one.newest(64))
    one.close()


def test_keys_outlive_a_short_history_and_are_bounded(make_store, monkeypatch):
    monkeypatch.setattr(stream_log, "KEYS_KEPT", 150)
    store = make_store()
    made = opened(store)

    async def run():
        async with followed(made) as hub:
            await made.commit([NewEvent("a", "1", "old")], hub)
            await made.commit([NewEvent("a", "1", f"key {number}") for number in range(149)], hub)
            assert shown(await made.commit([NewEvent("a", "1", "old")], hub)) == [(1, False)]
            await made.commit([NewEvent("a", "1", "one more")], hub)
            assert shown(await made.commit([NewEvent("a", "1", "old")], hub)) == [(152, True)]
            redis = made._redis
            assert await redis.hlen("p:keys") == await redis.llen("p:keys:order") == 150
            assert await redis.xlen(f"p:events:{made.epoch}") == KEEP
            assert await redis.llen("p:recent:a") == stream_log.RECENT_KEPT

    asyncio.run(run())


def test_reading_stops_at_the_limit_and_about_at_the_bytes(make_store):
    made = opened(make_store())

    async def run():
        async with followed(made) as hub:
            await made.commit([NewEvent("a", "1" * 1000) for _ in range(100)], hub)
            assert len(await made.fetch_after(0, 4, 1 << 30)) == 4
            assert len(await made.fetch_after(0, 90, 1 << 30)) == 90
            assert len(await made.fetch_after(0, 90, 2500)) == stream_log.FIRST_READ
            assert len(await made.fetch_after(0, 90, 50_500)) in {50, 51}
            assert await made.fetch_after(100, 5, 1) == []

    asyncio.run(run())


def test_two_writers_get_numbers_without_a_gap_and_both_are_told_the_same_order(make_store):
    store = make_store()
    one, other = opened(store, keep=2000), opened(store, keep=2000)

    async def write(made, hub, name):
        numbers = []
        for number in range(100):
            batch = [NewEvent("a", json.dumps(f"{name} {number}"), f"key {number}"), NewEvent("a", "0")]
            numbers.append([outcome.n for outcome in await made.commit(batch, hub)])
        return numbers

    async def run():
        async with followed(one) as first, followed(other) as second:
            found = await asyncio.gather(write(one, first, "x"), write(other, second, "y"))
            for hub in (first, second):
                await hub.reach(one.epoch, 300)
            assert [event.n for event in first.events] == list(range(1, 301))
            assert plain(first.events) == plain(second.events)
            keyed = [[n for n, _ in numbers] for numbers in found]
            for x, y in zip(*keyed, strict=True):  # one of the two had the key first; the other one is refused
                assert (x is None) != (y is None)

    asyncio.run(run())


# --- when an epoch ends -----------------------------------------------------------------------------------------------


def filled(store, count=5):
    made = opened(store)

    async def run():
        async with followed(made) as hub:
            await made.commit([NewEvent("a", str(number), f"key {number}") for number in range(count)], hub)

    asyncio.run(run())
    return made


def test_a_redis_that_loses_nothing_starts_again_in_the_same_epoch(make_store):
    store = make_store("always")
    made = filled(store)
    store.kill()
    store.start()
    again = opened(store)
    assert (again.epoch, again.latest, again.oldest) == (made.epoch, 5, 1)


def test_after_a_start_that_may_lose_a_second_ids_are_new(make_store):
    store = make_store("everysec")
    made = filled(store)
    assert opened(store).epoch == made.epoch  # another instance that starts is no reason
    store.kill()
    store.start()
    again = opened(store)
    assert again.epoch != made.epoch
    assert (again.latest, again.oldest) == (5, 1)
    assert plain(again.newest(5)) == [(n, "a", str(n - 1)) for n in range(1, 6)]
    assert opened(store).epoch == again.epoch


def test_an_emptied_redis_is_a_new_epoch_from_1(make_store):
    store = make_store()
    made = filled(store)
    store.ask("FLUSHALL")
    again = opened(store)
    assert again.epoch != made.epoch
    assert (again.latest, again.oldest, again.newest(5)) == (0, 1, [])


def test_a_log_that_is_behind_what_an_instance_has_told_is_a_new_epoch(make_store):
    """A backup was put back while the instances ran."""
    store = make_store()
    made = filled(store)
    before = made.epoch
    store.ask("HSET p:log n 3")
    store.ask(f"XTRIM p:events:{before} MAXLEN 0")
    assert opened(store).epoch == before  # one that has told nothing cannot know
    asyncio.run(made.open())
    assert made.epoch != before
    assert made.latest == 3


def test_after_a_backup_the_readmes_command_makes_a_new_epoch(make_store):
    readme = rendered(instances=2)["README.md"].decode()
    command = re.search(r"`redis-cli (HDEL) '(realtime:\{acme-orders\}:log)' ([a-z ]+)`", readme)
    store = make_store()
    made = filled(store)
    store.ask(f"{command[1]} p:log {command[3]}")
    again = opened(store)
    assert again.epoch != made.epoch
    assert plain(again.newest(9)) == [(n, "a", str(n - 1)) for n in range(1, 6)]

    async def run():
        async with followed(again) as hub:
            batch = [NewEvent("a", "0", "key 0"), NewEvent("b", "6")]
            assert shown(await again.commit(batch, hub)) == [(1, False), (6, True)]
            assert plain(await again.fetch_recent("a", 6, 20)) == plain(again.newest(9))

    asyncio.run(run())


def test_a_replica_that_takes_over_is_a_new_epoch(make_store):
    first, second = make_store(), make_store()
    made = filled(first)
    second.ask(f"REPLICAOF 127.0.0.1 {first.port}")
    until(lambda: b"master_link_status:up" in second.ask("INFO replication"), "it is a copy")
    until(lambda: made.epoch.encode() in second.ask("HGET p:log epoch"), "with the log")
    first.kill()
    second.ask("REPLICAOF NO ONE")
    again = opened(second)
    assert again.epoch != made.epoch
    assert again.latest == 5


def test_nothing_is_appended_to_a_redis_that_started_again_until_it_was_looked_at(make_store):
    store = make_store("everysec")
    made = filled(store)
    store.kill()
    store.start()

    async def run():
        with pytest.raises(LogAway, match="nothing was kept"):
            await made.commit([NewEvent("a", "1")], Told(made))
        assert await made.last() == 5
        await made._redis.aclose()

    asyncio.run(run())


def test_a_connection_that_ends_while_a_new_epoch_is_looked_at_costs_one_try(make_store, monkeypatch):
    store = make_store()
    made = filled(store)
    read = made._redis.xrevrange

    async def cut(*_args, **_options):
        monkeypatch.setattr(made._redis, "xrevrange", read)
        raise ConnectionError("cut")

    monkeypatch.setattr(made._redis, "xrevrange", cut)

    async def run():
        before = made.epoch
        store.ask("HDEL p:log run kept")
        async with followed(made) as hub:
            async with asyncio.timeout(10):
                while hub.epoch == before:  # noqa: ASYNC110 - nothing tells it
                    await asyncio.sleep(0.01)
            assert hub.renewed == [(made.epoch, 5, [1, 2, 3, 4, 5])]
            assert shown(await made.commit([NewEvent("a", "1")], hub)) == [(6, True)]

    asyncio.run(run())


def test_an_old_redis_is_refused_by_its_version(make_store, monkeypatch):
    store = make_store()
    monkeypatch.setattr(stream_log, "OLDEST_REDIS", 99)
    with pytest.raises(TooOld, match=r"this is Redis \d+\.\d+.*; 99 is the oldest"):
        opened(store)


# --- the hub when an epoch ends ---------------------------------------------------------------------------------------


class Client(Line):
    """Takes messages when it likes; remembers (epoch, n) of events, and "reset"."""

    def __init__(self):
        self.room, self.seen = asyncio.Event(), []
        self.room.set()
        self.transport = self

    async def drained(self):
        while not self.room.is_set():
            await self.room.wait()

    async def send(self, message):
        await self.room.wait()
        self.read(message["body"])

    def write(self, chunk):
        assert self.room.is_set(), "it has stopped"
        self.read(chunk)

    def read(self, chunk):
        for block in chunk.decode().split("\n\n"):
            fields = dict(line.partition(": ")[::2] for line in block.split("\n"))
            if fields.get("event") == "reset":
                self.seen.append("reset")
            elif fields.get("event") == "order-status":
                epoch, _, n = fields["id"].partition("-")
                self.seen.append((epoch, int(n)))


def judged(seen, epoch, latest):
    """Gaps and changes of the epoch have a reset between, nothing comes twice, and the end is the end of the log."""
    last = None
    for item in seen:
        if item != "reset" and last not in {None, "reset"}:
            assert item == (last[0], last[1] + 1), seen
        last = item
    return last in ("reset", (epoch, latest))


@pytest.mark.parametrize("seed", range(12))
def test_whoever_has_seen_something_of_an_old_epoch_gets_a_reset_before_anything_new(tmp_path, seed):
    chance = random.Random(seed)
    made = EventLog(tmp_path / "events.sqlite3", keep=1000)
    made._write.execute("PRAGMA synchronous = OFF")
    changes = {"per_client_queue": 16, "history_events": 1000, "transports": ["sse"]}

    async def run():
        hub = Hub(made, settings._settings(SETTINGS | changes))
        clients = [Client() for _ in range(4)]
        for number, client in enumerate(clients):
            hub.join(client.send, "", "sse", client if number % 2 else None)
        for _ in range(40):
            if chance.random() < 0.1:
                made.epoch = f"{chance.randrange(16**12):012x}"
                made._write.execute("DELETE FROM events")
                made.latest = chance.choice([0, 0, made.latest])
                made.oldest = made.latest + 1
                # Not `newest`: a thread may be reading with that connection, which is then in the past.
                kept = made.append([NewEvent("order-status", "1") for _ in range(chance.randrange(40))])
                hub.renew(made.epoch, made.latest, [outcome.event for outcome in kept][-16:])
            else:
                events = [NewEvent("order-status", "1") for _ in range(chance.randint(1, 9))]
                hub.deliver([outcome.event for outcome in made.append(events)])
            for client in clients:
                if chance.random() < 0.6:
                    client.room.set()
                else:
                    client.room.clear()
                    client.stop()
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
        for client in clients:
            client.room.set()
        for _ in range(2000):
            if all(len(room.live) + len(room.direct) == 4 for room in hub._rooms.values()):
                break
            await asyncio.sleep(0.001)
        hub.deliver([made.append([NewEvent("order-status", "1")])[0].event])
        await asyncio.sleep(0)
        for client in clients:
            assert client.seen[-1] == (made.epoch, made.latest)
            assert judged(client.seen, made.epoch, made.latest)

    asyncio.run(run())
    made.close()
