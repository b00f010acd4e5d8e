"""A failure in a task that is not awaited is printed once, and the clients that wait get an answer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from server import ids, publish, settings, trouble
from server.app import App
from server.events import LogAway
from server.wire import HttpError
from support.kit_lab import SETTINGS, until
from support.log_events import new

pytestmark = pytest.mark.lab

FAULTS = [
    sqlite3.OperationalError("disk I/O error in /srv/inside"),
    RuntimeError("a bug in /srv/inside"),
    MemoryError("of /srv/inside"),
]


@pytest.fixture(autouse=True)
def _nothing_was_said_before():
    trouble._said.clear()


@pytest.fixture
def app(tmp_path, log):
    (tmp_path / "index.html").touch()
    changes = {"transports": ["sse", "long-polling"], "per_client_queue": 16, "history_events": 1000}
    return App(settings._settings(SETTINGS | changes), log, tmp_path, "token", "")


class Request:
    """A GET of the app without a server around it; the client leaves when its answer is complete."""

    def __init__(self, app, path, query=""):
        self.sent = []
        self.done = asyncio.Event()
        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
        self.task = asyncio.create_task(app(scope, self.receive, self.send))

    async def receive(self):
        await self.done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if message["type"] == "http.response.body" and not message["more_body"]:
            self.done.set()

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)


def failing(error):
    async def fetch(*_):
        raise error

    return fetch


def burst(app, log, count=40):
    """More events than a tail holds, committed and delivered at once: who was up to date now needs the log."""
    events = [outcome.event for outcome in log.append(new(count))]
    app.hub.deliver(events)


@pytest.mark.parametrize("fault", [*FAULTS, LogAway("the log is away")], ids=lambda fault: type(fault).__name__)
def test_held_polls_whose_log_fails_are_answered_with_503_and_it_is_said_once(app, log, capfd, fault):
    log.append(new(1))
    app.hub.latest = 1

    async def play():
        unseen = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        polls = [Request(app, "/poll", f"cursor={ids.make(log.epoch, 1)}&wait=5") for _ in range(20)]
        await asyncio.sleep(0.05)
        assert len(app.hub) == 20
        log.fetch_after = failing(fault)
        burst(app, log)
        async with asyncio.timeout(2):
            await asyncio.gather(*(poll.task for poll in polls))
        return polls, unseen

    polls, unseen = asyncio.run(play())
    assert len(app.hub) == 0
    assert {poll.status for poll in polls} == {503}
    for poll in polls:
        assert json.loads(poll.body)["error"]
        assert b"inside" not in poll.body
        assert (b"retry-after", b"1") in poll.sent[0]["headers"]
    said = capfd.readouterr().err
    assert said.count(f"{type(fault).__name__}: {fault}") == (0 if isinstance(fault, LogAway) else 1), said
    assert unseen == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_stream_that_cannot_be_fed_ends_and_it_is_said_once(app, log, capfd, fault):
    log.append(new(40))
    app.hub.latest = 40
    log.fetch_after = failing(fault)

    async def play():
        streams = [Request(app, "/events", f"cursor={ids.make(log.epoch, 1)}") for _ in range(20)]
        async with asyncio.timeout(2):
            await asyncio.gather(*(stream.task for stream in streams))
        return streams

    streams = asyncio.run(play())
    assert len(app.hub) == 0
    for stream in streams:
        assert b"event: hello" in stream.body
        assert b"inside" not in stream.body
    assert capfd.readouterr().err.count(f"{type(fault).__name__}: {fault}") == 1


@pytest.mark.parametrize("path", ["/snapshot", "/poll"])
def test_a_request_whose_log_fails_says_503_without_what_is_inside(app, log, capfd, path):
    log.append(new(40))
    app.hub.latest = 40
    log.fetch_after = log.fetch_recent = failing(FAULTS[0])

    async def play():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kit") as client:
            return [await client.get(path, params={"cursor": ids.make(log.epoch, 1)}) for _ in range(3)]

    for answer in asyncio.run(play()):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "inside" not in answer.text
    assert capfd.readouterr().err.count("OperationalError: disk I/O error in /srv/inside") == 1


def test_publishers_get_an_answer_from_a_writer_that_dies(app, log):
    async def play():
        writer = app.writer
        log.commit = failing(FAULTS[1])
        waiting = [asyncio.create_task(writer.append(one)) for one in new(publish.BATCH + 5)]
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="a bug"):
            await writer.run()
        outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
        with pytest.raises(HttpError) as late:
            await asyncio.wait_for(writer.append(new(1)[0]), 1)
        return [*outcomes, late.value]

    outcomes = asyncio.run(play())
    assert {(type(outcome), outcome.status, str(outcome)) for outcome in outcomes} == {(HttpError, 503, publish.ENDED)}


def test_a_publisher_who_has_given_up_does_not_end_the_writer(app):
    async def play():
        running = asyncio.create_task(app.writer.run())
        gone, stays = (asyncio.create_task(app.writer.append(one)) for one in new(2))
        await asyncio.sleep(0)
        gone.cancel()
        outcome = await asyncio.wait_for(stays, 2)
        assert not running.done()
        running.cancel()
        return outcome.n

    assert asyncio.run(play()) == 2


def test_a_server_whose_writer_fails_answers_before_it_ends(make_lab):
    kit = make_lab(run=False, drain_s=10)
    program = (
        "import server.log as l\n"
        "async def commit(self, batch, hub): raise RuntimeError('boom')\n"
        "l.EventLog.commit = commit\n"
        "from server.__main__ import main\n"
        "main()"
    )
    with (kit.folder / "var/server.out").open("wb") as out:
        kit.server = subprocess.Popen(
            [sys.executable, "-c", program, "--port", str(kit.port)], cwd=kit.folder, stdout=out, stderr=out
        )
    until(lambda: kit.answers(kit.direct), "the server answers")
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(kit.publish, number) for number in range(8)]
        found = [answer.exception() or answer.result() for answer in answers]
    told = [answer for answer in found if isinstance(answer, httpx.Response)]
    assert told, found
    assert {(answer.status_code, "boom" in answer.text) for answer in told} == {(503, False)}
    assert kit.server.wait(5) == 1
    assert kit.output().count("RuntimeError: boom") == 1


def test_an_error_is_said_again_after_a_while_and_what_is_remembered_is_bounded(capfd, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(trouble.time, "monotonic", lambda: clock[0])
    for now, said in ((0.0, True), (59.0, False), (61.0, True)):
        clock[0] = now
        trouble.say("reading", ValueError("x"))
        assert ("ValueError: x" in capfd.readouterr().err) == said
    for number in range(1000):
        trouble.say("reading", ValueError(str(number)))
    assert len(trouble._said) <= trouble.KINDS
