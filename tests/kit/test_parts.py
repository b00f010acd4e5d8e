"""The parts of the kit's server by themselves: log, ids, hub, settings, and the app without a socket."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from server import formats, ids, security, settings
from server.app import App
from server.events import KEYS_KEPT, Event, NewEvent
from server.hub import CHUNK_BYTES, Hub
from server.log import EventLog
from server.poll import PAGES
from server.rate import Rate
from server.wire import HttpError, Line
from support.kit_lab import SETTINGS
from support.log_events import new

# --- the formats of an event ------------------------------------------------------------------------------------------


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.sampled_from([0, 1, 125, 126, 65_535, 70_000])
)
def test_a_frame_is_read_back_by_another_implementation(text, more):
    from websockets.frames import Frame, Opcode
    from websockets.streams import StreamReader

    reader = StreamReader()
    reader.feed_data(formats.frame(text.encode() + b"x" * more))
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    read = done.value.value
    assert (read.opcode, read.fin, read.data) == (Opcode.TEXT, True, text.encode() + b"x" * more)
    assert not reader.buffer


def test_every_format_carries_the_same_event():
    event = Event(7, "order-status", 1234, '{"text":"a\\nb \u00e9"}')
    ways = [
        formats.Sse("e" * 12).event(event),
        formats.Frames("e" * 12).event(event),
        formats.Objects("e" * 12).event(event),
    ]
    sse, socket, poll = ways
    data = {"text": "a\nb \u00e9"}
    assert json.loads(sse.partition(b"data: ")[2]) == {"at": 1234, "data": data}
    assert json.loads(socket[2:]) == {
        "type": "event", "id": f"{'e' * 12}-7", "event": "order-status", "at": 1234, "data": data,
    }  # fmt: skip
    assert json.loads(poll) == {"id": f"{'e' * 12}-7", "type": "order-status", "at": 1234, "data": data}


# --- how much a viewer may send ---------------------------------------------------------------------------------------


def taken(rate, viewer, now):
    try:
        rate.take(viewer, now)
    except HttpError:
        return False
    return True


def test_a_ticket_ends_after_thirty_seconds_and_with_the_key_that_signed_it():
    own = {"origin": "https://app.example.com"}
    ticket = security.new_ticket(own, "key", now=1000.9)
    security.check_ticket(ticket, own, "key", now=1030)
    for when, key, status in [(1030.1, "key", 401), (1000, "other", 403), (9000, "other", 403)]:
        with pytest.raises(HttpError) as refused:
            security.check_ticket(ticket, own, key, now=when)
        assert refused.value.status == status


@given(st.text(max_size=80))
def test_no_text_is_a_ticket(text):
    with pytest.raises(HttpError):
        security.check_ticket(text, {"origin": "https://app.example.com"}, "key")


def test_the_mark_of_a_viewer_is_the_same_for_the_same_sign_in_only():
    ways = [{}, {"cookie": "a=1; session=x"}, {"cookie": "session=y"}, {"authorization": "Bearer x"}]
    marks = [security.viewer_mark(headers, "key") for headers in ways]
    assert len({*marks, security.viewer_mark({}, "other key")}) == 5
    assert security.viewer_mark({"cookie": "session=x; b=2"}, "key") == marks[1]


def test_a_viewer_may_send_a_burst_and_then_as_many_as_the_rate_allows():
    rate = Rate(per_s=10, burst=20)
    assert [taken(rate, "a", 0) for _ in range(22)] == [True] * 20 + [False] * 2
    assert taken(rate, "b", 0)
    assert [taken(rate, "a", 0.15) for _ in range(2)] == [True, False]
    assert sum(taken(rate, "a", 0.15 + step / 100) for step in range(1, 1001)) in range(99, 102)


def test_refused_messages_do_not_push_the_limit_away():
    rate = Rate(per_s=10, burst=1)
    taken(rate, "a", 0)
    assert not any(taken(rate, "a", step / 1000) for step in range(1, 99))
    assert taken(rate, "a", 0.1001)


def test_the_viewers_that_are_remembered_are_bounded_and_the_quietest_is_forgotten():
    rate = Rate(per_s=1, burst=1, buckets=3)
    for viewer in "abcabd":
        taken(rate, viewer, 0)
    assert list(rate._buckets) == ["a", "b", "d"]


@given(st.text())
def test_any_cursor_gets_a_place_or_a_reason(text):
    assert ids.place(text, "0" * 12, 3, 7) in {"malformed", "epoch"}


@pytest.mark.parametrize(
    ("cursor", "place"),
    [("3", "trimmed"), ("4", 4), ("5", 5), ("9", 9), ("10", "future"), ("05", "malformed"), ("-5", "malformed"),
     ("5\n", "malformed"), ("9" * 19, "malformed"), ("\u0665", "malformed")],
)  # fmt: skip
def test_a_cursor_is_placed_against_what_the_log_still_has(cursor, place):
    assert ids.place(f"aaaaaaaaaaaa-{cursor}", "a" * 12, oldest=5, latest=9) == place
    assert ids.place(f"bbbbbbbbbbbb-{cursor}", "a" * 12, oldest=5, latest=9) in {"epoch", "malformed"}


def test_the_log_is_bounded_and_numbers_without_a_gap(log):
    for start in range(0, 330, 30):
        log.append(new(30, start))
    assert (log.oldest, log.latest) == (231, 330)
    assert [event.n for event in log.after(0, 1000, 1 << 30)] == list(range(231, 331))


def test_the_log_goes_on_where_it_was_after_a_restart(tmp_path, log):
    log.append(new(130))
    again = EventLog(tmp_path / "events.sqlite3", keep=100)
    assert (again.epoch, again.oldest, again.latest) == (log.epoch, 31, 130)
    again.close()


def test_reading_stops_at_the_limit_and_at_the_bytes(log):
    log.append([NewEvent("order-status", "1" * 1000) for _ in range(10)])
    assert len(log.after(0, 4, 1 << 30)) == 4
    assert len(log.after(0, 10, 2500)) == 3


def test_a_repeated_key_appends_once_also_inside_one_batch(log):
    event = NewEvent("order-status", "1", "key")
    first, second = log.append([event, event])
    (third,) = log.append([event])
    assert [first.n, second.n, third.n] == [1, 1, 1]
    assert [bool(outcome.event) for outcome in (first, second, third)] == [True, False, False]
    assert log.append([NewEvent("order-status", "2", "key")])[0].n is None
    assert log.latest == 1


@pytest.mark.long
def test_keys_outlive_a_short_history_and_are_bounded(log):
    log.append([NewEvent("order-status", "1", "old")])
    log.append([NewEvent("order-status", "1", f"key {number}") for number in range(KEYS_KEPT - 1)])
    assert log.append([NewEvent("order-status", "1", "old")])[0].n == 1
    log.append(new(1))
    assert log.append([NewEvent("order-status", "1", "old")])[0].event is not None
    assert log._write.execute("SELECT count(*) FROM keys").fetchone()[0] <= KEYS_KEPT


def test_a_full_disk_keeps_nothing_of_the_batch_and_the_log_stays_usable(log):
    pages = log._write.execute("PRAGMA page_count").fetchone()[0]
    log._write.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        log.append([NewEvent("order-status", "1" * 50_000, "key"), *new(1)])
    assert log.latest == 0
    assert log.append([NewEvent("order-status", "1", "key")])[0].n == 1


def test_an_error_inside_a_batch_keeps_nothing_of_it_and_the_log_stays_usable(log):
    with pytest.raises(sqlite3.IntegrityError):
        log.append([*new(1), NewEvent(None, "1")])
    assert [outcome.n for outcome in log.append(new(2))] == [1, 2]


def test_the_newest_events_of_a_type_end_where_the_snapshot_ends(log):
    log.append([*new(5), NewEvent("stock-alerts", "1"), *new(5)])
    assert [event.n for event in log.recent("order-status", 8, 3)] == [5, 7, 8]


def test_a_commit_is_synced_to_the_disk(log):
    assert log._write.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert log._write.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


class Client(Line):
    """A client whose socket is full now and then: `send` then waits, as uvicorn's does, and a line stops."""

    def __init__(self):
        self.room = asyncio.Event()
        self.room.set()
        self.seen = []
        self.ended = False
        self.writes = 1 << 62  # until the socket is full
        self.transport = self

    async def send(self, message):
        await self.drained()
        self.read(message["frames"] if message["type"] == "websocket.send" else message["body"])

    async def drained(self):
        while not self.room.is_set():
            await self.room.wait()
        if self.ended:
            raise BrokenPipeError

    def write(self, chunk):
        assert self.room.is_set(), "it has stopped"
        self.read(chunk)
        self.writes -= 1
        if self.writes == 0:
            self.fill()

    def fill(self):
        self.room.clear()
        self.stop()

    def read(self, chunk):
        events = re.findall(rb'"type":"event","id":"\w+-(\d+)"|id: \w+-(\d+)\nevent: order-status\n', chunk)
        self.seen += [int(frame or block) for frame, block in events]


@pytest.mark.long
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_every_stream_gets_every_event_once_and_in_order_whatever_stalls(tmp_path_factory, seed, count):
    """Over SSE and WebSocket, side by side."""
    chance = random.Random(seed)
    log = EventLog(tmp_path_factory.mktemp("log") / "events.sqlite3", keep=1000)
    log.append(new(chance.randrange(50)))

    async def run():
        both = {"transports": ["websocket", "sse"], "per_client_queue": 16, "history_events": 1000}
        hub = Hub(log, settings._settings(SETTINGS | both))
        clients = [Client() for _ in range(count)]
        starts = [chance.randint(0, log.latest) for _ in clients]
        for client, start in zip(clients, starts, strict=True):
            ways = {"line": client} if chance.random() < 0.7 else {}
            hub.join(client.send, ids.make(log.epoch, start), chance.choice(["sse", "websocket"]), **ways)
        for _ in range(30):
            outcomes = log.append(new(chance.randint(1, 5)))
            hub.deliver([outcome.event for outcome in outcomes])
            for client in clients:
                (client.room.set if chance.random() < 0.5 else client.fill)()
                client.writes = chance.randint(1, 4)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
        for client in clients:
            client.writes = 1 << 62
            client.room.set()
        for client, start in zip(clients, starts, strict=True):
            for _ in range(1000):
                if client.seen and client.seen[-1] == log.latest:
                    break
                await asyncio.sleep(0.001)
            assert client.seen == list(range(start + 1, log.latest + 1))

    asyncio.run(run())
    log.close()


def test_a_line_that_takes_no_more_is_written_to_no_more_and_the_others_go_on(log):
    async def run():
        hub = Hub(log, settings._settings(SETTINGS | {"history_events": 100}))
        gone, full, _ = clients = [Client() for _ in range(3)]
        streams = [hub.join(client.send, "", "sse", client) for client in clients]
        await asyncio.sleep(0)

        def deliver(count):
            hub.deliver([outcome.event for outcome in log.append(new(count))])

        deliver(1)
        gone.ended = True
        gone.stop()
        full.writes = 1
        deliver(2)
        deliver(3)
        assert [client.seen for client in clients] == [[1], [1, 2, 3], [1, 2, 3, 4, 5, 6]]
        await asyncio.sleep(0.01)
        deliver(1)
        full.room.set()
        await asyncio.sleep(0.01)
        assert [client.seen[-1] for client in clients] == [1, 7, 7]
        assert set(hub._rooms["sse"].direct) == set(streams[1:]), "who has caught up is written to straight again"
        deliver(1)
        assert [client.seen for client in clients] == [[1], [*range(1, 9)], [*range(1, 9)]]
        for stream in streams:
            hub.leave(stream)
        assert [client.on_stop for client in clients] == [None] * 3

    asyncio.run(run())


def test_after_a_gap_in_what_the_hub_is_told_a_line_goes_on_where_it_was(log):
    async def run():
        hub = Hub(log, settings._settings(SETTINGS | {"history_events": 100}))
        client = Client()
        hub.join(client.send, "", "sse", client)
        await asyncio.sleep(0)
        hub.deliver([outcome.event for outcome in log.append(new(5))])
        log.append(new(3))
        hub.renew(log.epoch, log.latest, log.newest(2))
        await asyncio.sleep(0.1)
        assert client.seen == [*range(1, 9)]

    asyncio.run(run())


def test_a_stream_that_falls_out_of_the_history_gets_a_reset(tmp_path):
    log = EventLog(tmp_path / "events.sqlite3", keep=100)
    written = []

    async def run():
        hub = Hub(log, settings._settings(SETTINGS | {"per_client_queue": 16, "history_events": 100}))
        client = Client()
        send = client.send
        hub.join(lambda message: (written.append(message["body"].decode()), send(message))[1], "")
        await asyncio.sleep(0)
        client.room.clear()
        for _ in range(30):
            hub.deliver([outcome.event for outcome in log.append(new(10))])
        client.room.set()
        await asyncio.sleep(0.1)
        hub.deliver([log.append(new(1))[0].event])

    asyncio.run(run())
    log.close()
    assert "event: reset" in written[-2]
    assert '"reason":"trimmed"' in written[-2]
    assert f"id: {log.epoch}-300" in written[-2]
    assert f"id: {log.epoch}-301" in written[-1]


def test_replay_is_written_in_bounded_chunks_from_memory_and_from_the_disk(tmp_path):
    log = EventLog(tmp_path / "events.sqlite3", keep=100)
    log.append([NewEvent("order-status", '"' + "x" * 100_000 + '"') for _ in range(40)])
    sizes = []

    async def send(message):
        sizes.append(len(message["body"]))

    async def run():
        hub = Hub(log, settings._settings(SETTINGS | {"per_client_queue": 16, "history_events": 100}))
        hub.join(send, ids.make(log.epoch, 0))
        while sum(sizes) < 4_000_000:  # noqa: ASYNC110 - the hub has no event for it
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(run(), 10))
    log.close()
    assert max(sizes) < CHUNK_BYTES + 101_000


def test_a_client_that_leaves_while_it_is_behind_is_fed_no_more(log):
    async def run():
        hub = Hub(log, settings._settings(SETTINGS | {"history_events": 100}))
        client = Client()
        stream = hub.join(client.send, "")
        await asyncio.sleep(0)
        client.room.clear()
        hub.deliver([outcome.event for outcome in log.append(new(3))])
        hub.leave(stream)
        client.room.set()
        await asyncio.sleep(0.01)
        assert (client.seen, len(hub), len(hub._rooms["sse"].live)) == ([], 0, 0)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("change", "words"),
    [({"colour": 1}, "unknown key 'colour'"), ({"auth": "basic"}, "auth: must be one of"),
     ({"heartbeat_s": 0}, "heartbeat_s: must be a number from 0.2 to 300"), ({"retry_ms": True}, "retry_ms"),
     ({"retry_ms": 200.5}, "whole number"), ({"retry_max_ms": 100}, "retry_max_ms: must be a whole number from 200"),
     ({"features": []}, "features"), ({"features": [{"name": "x", "slug": "reset"}]}, "slug 'reset'"),
     ({"features": [{"name": "x", "slug": "a\nb"}]}, "slug"), ({"features": SETTINGS["features"][:1] * 2}, "same slug"),
     ({"origins": ["https://app.example.com/"]}, "no Origin"), ({"origins": ["*"]}, "no Origin"),
     ({"ports": {"edge": 0, "server": 1}}, "edge"), ({"project": 1}, "project: must be text"),
     ({"transports": []}, "transports: must be a list"), ({"transports": ["sse", "sse"]}, "each once"),
     ({"transports": ["sse", "carrier-pigeon"]}, "'carrier-pigeon' is not one of"),
     ({"transports": [["sse"]]}, "not one of"),
     ({"two_way": "yes"}, "two_way: must be true or false"), ({"hold_s": 0}, "hold_s"), ({"poll_s": 1e6}, "poll_s"),
     ({"connect_patience_ms": 1.5}, "connect_patience_ms: must be a whole number"),
     ({"features": [{"name": "x", "slug": "x", "two_way": True}]}, "two_way of 'x'"),
     ({"instances": 0}, "instances: must be a whole number from 1 to 64"), ({"instances": True}, "instances"),
     ({"redis_url": "http://x"}, 'redis_url: must be "", or an address like redis://'),
     ({"redis_url": None}, "redis_url"),
     ({"redis_prefix": "a b"}, "redis_prefix: must be 1 to 100 of"), ({"redis_prefix": ""}, "redis_prefix")],
)  # fmt: skip
def test_settings_that_are_not_understood_are_refused_by_name(tmp_path, change, words):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(SETTINGS | change))
    with pytest.raises(settings.SettingsError, match=r"settings\.json") as error:
        settings.load(path)
    assert words in str(error.value)


def test_an_address_with_a_password_is_not_repeated_in_the_message(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(SETTINGS | {"redis_url": "redis:/user:secret@host"}))
    with pytest.raises(settings.SettingsError) as error:
        settings.load(path)
    assert "secret" not in str(error.value)


def test_settings_without_a_key_are_refused(tmp_path):
    for key in SETTINGS:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({name: value for name, value in SETTINGS.items() if name != key}))
        with pytest.raises(settings.SettingsError, match=key):
            settings.load(path)


@pytest.fixture
def app(tmp_path, log):
    (tmp_path / "index.html").touch()
    return App(settings._settings(SETTINGS), log, tmp_path, "token", "")


async def get(app, path):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kit") as client:
        return await client.get(path)


def test_the_snapshot_holds_back_what_is_committed_but_not_yet_delivered(app, log):
    log.append(new(3))
    assert asyncio.run(get(app, "/snapshot")).json()["events"]["order-status"] == []


def test_the_answers_to_polls_that_are_kept_are_bounded(tmp_path, log):
    log.append(new(100))
    (tmp_path / "index.html").touch()
    app = App(settings._settings(SETTINGS | {"transports": ["long-polling"]}), log, tmp_path, "token", "")
    for n in range(100):
        answer = asyncio.run(get(app, f"/poll?cursor={ids.make(log.epoch, n)}"))
        assert answer.json()["events"][0]["id"] == ids.make(log.epoch, n + 1)
    assert len(app._polls._pages) == PAGES


def test_a_draining_server_says_so_and_takes_no_more_streams(app):
    app.hub.draining = True

    assert asyncio.run(get(app, "/healthz")).json()["status"] == "draining"
    assert [asyncio.run(get(app, path)).status_code for path in ("/healthz", "/events", "/config")] == [503, 503, 200]
