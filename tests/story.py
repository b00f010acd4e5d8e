"""The article's own story on real processes: `python tests/story.py` prints it beside the formulas, in half a minute.

A hundred users, a message per user per minute. First a server as one writes it first (story_server.py): every request
asks SQLite; users poll it every 5 s, then with held requests of 25 s, each on a channel of its own, then all in one
room. Then the kit's own server, as it is: all in one room, over Server-Sent Events and over WebSocket, with clients
that share no code with it. What is counted are requests that left the clients and statements that reached SQLite.

Time runs faster: intervals, holds and gaps between messages are divided by a factor, and what is counted is converted
back to an hour of the story. A delay that comes from waiting for the next poll is multiplied by the factor as well. A
delay that comes from the machine (the push patterns have no other) is printed as it was, since no factor makes the
machine faster. The time between an answer and the next request matters where messages are many: the formula is given
the delay that was measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from support import kit_lab  # noqa: E402  # found through the path above
from websockets.asyncio.client import connect  # noqa: E402  # after it, as the sorting has it

from advisor.engine.costs import long_poll_requests_per_h, poll_requests_per_h  # noqa: E402  # the same
from advisor.report.words import delay  # noqa: E402  # the same

USERS = 100
RATE = 1 / 60  # messages per second per user
INTERVAL_S, HOLD_S = 5.0, 25.0


@dataclass
class Scene:
    """One run: who waits for whom over what, `factor` times faster, for `window_s` seconds of the clock."""

    title: str
    server: str  # naive | kit
    kind: str  # poll | held | sse | websocket
    room: bool  # everybody gets everybody's messages
    factor: float
    window_s: float
    requests: int = 0  # in the window
    opened: int = 0  # requests that opened a stream
    delays_s: list[float] = field(default_factory=list)  # from publishing to arrival, of the clock
    sent: int = 0
    queries: int = 0

    @property
    def received_per_s(self) -> float:
        """The rate at which one user receives, in the story."""
        return RATE * (USERS if self.room else 1)

    @property
    def per_h(self) -> float:
        """From a count in the window to an hour of the story."""
        return 3600 / (self.window_s * self.factor)

    def delay_s(self, share: float) -> float:
        """A quantile of the delays, in seconds of the story where the pattern's waiting makes them."""
        found = statistics.quantiles(self.delays_s, n=1000)[round(share * 1000) - 1]
        return found * (self.factor if self.kind == "poll" else 1)

    @property
    def expected(self) -> float:
        """Requests an hour of the story, by the formulas of advisor/engine/costs.py."""
        if self.kind == "poll":
            return USERS * poll_requests_per_h(INTERVAL_S)
        if self.kind != "held":
            return 0.0
        between = statistics.fmean(self.delays_s) * self.factor
        opening = USERS * self.per_h / 2  # the window begins with a request of everybody, on average half a cycle early
        return USERS * long_poll_requests_per_h(self.received_per_s, HOLD_S, between) + opening


def scenes(speed: float = 1) -> list[Scene]:
    """All of them; `speed` below 1 takes longer, for a loaded machine."""
    return [
        Scene("Polling every 5 s", "naive", "poll", room=False, factor=20 * speed, window_s=6 / speed),
        Scene("Long polling, own channels", "naive", "held", room=False, factor=20 * speed, window_s=6 / speed),
        Scene("Long polling, one room", "naive", "held", room=True, factor=2 * speed, window_s=6 / speed),
        Scene("Server-Sent Events, one room", "kit", "sse", room=True, factor=8 * speed, window_s=3 / speed),
        Scene("WebSocket, one room", "kit", "websocket", room=True, factor=8 * speed, window_s=3 / speed),
    ]


# --- clients ----------------------------------------------------------------------------------------------------------


class Line:
    """One HTTP/1.1 connection that is kept: a request, its answer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, target: str, body: bytes = b"", head: str = "") -> bytes:
        """The answer's body. AssertionError where it is no 2xx."""
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        start = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(start.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split(b" ", 2)[1].startswith(b"2"), answer
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await reader.readexactly(int(length.partition(b":")[2]))

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()


def arrived(scene: Scene, sent: float) -> None:
    scene.delays_s.append(time.time() - sent)


async def poll(scene: Scene, port: int, user: int, end: float) -> None:
    """On a timer, as setInterval does it, each user beginning somewhere in the interval."""
    line, every, last = Line(port), INTERVAL_S / scene.factor, 0
    due = time.monotonic() + random.random() * every
    while due < end:
        await asyncio.sleep(due - time.monotonic())
        found = json.loads(await line.ask("GET", f"/poll?channel=u{user}&after={last}"))
        scene.requests += 1
        for number, data in found:
            last = number
            arrived(scene, json.loads(data)["sent"])
        due += every
    line.close()


async def hold(scene: Scene, port: int, user: int, end: float) -> None:
    """Ask, wait for the answer, ask again."""
    line, last = Line(port), 0
    channel = "room" if scene.room else f"u{user}"
    try:
        while time.monotonic() < end:
            scene.requests += 1
            target = f"/poll?channel={channel}&after={last}&wait={HOLD_S / scene.factor}"
            for number, data in json.loads(await line.ask("GET", target)):
                last = number
                arrived(scene, json.loads(data)["sent"])
    finally:
        line.close()


async def stream(scene: Scene, port: int, user: int, end: float) -> None:
    """One event stream, read line by line."""
    del user, end  # it is ended from outside
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    scene.opened += 1
    try:
        name = ""
        async for raw in reader:
            text = raw.decode().rstrip("\r\n")
            if text.startswith("event:"):
                name = text[6:].strip()
            elif text.startswith("data:") and name == "story":
                arrived(scene, json.loads(text[5:])["data"]["sent"])
    finally:
        writer.close()


async def socket(scene: Scene, port: int, user: int, end: float) -> None:
    """One WebSocket."""
    del user, end
    async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None, compression=None) as opened:
        scene.opened += 1
        async for raw in opened:
            message = json.loads(raw)
            if message["type"] == "event":
                arrived(scene, message["data"]["sent"])


async def publish(scene: Scene, port: int, token: str, end: float) -> None:
    """Everybody's messages: as many as the rate gives in the window, each at a random time."""
    line = Line(port)
    count = round(USERS * RATE * scene.window_s * scene.factor)
    began = time.monotonic()
    for at in sorted(random.random() * (end - began) for _ in range(count)):
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        sent = {"sent": time.time()}
        if scene.server == "kit":
            head = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            await line.ask("POST", "/publish", json.dumps({"type": "story", "data": sent}).encode(), head)
        else:
            channel = "room" if scene.room else f"u{random.randrange(USERS)}"
            await line.ask("POST", f"/publish?channel={channel}", json.dumps(sent).encode())
        scene.sent += 1
    line.close()


CLIENTS: dict[str, Callable[[Scene, int, int, float], Awaitable[None]]] = {
    "poll": poll, "held": hold, "sse": stream, "websocket": socket,
}  # fmt: skip


# --- one scene --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def server(scene: Scene, folder: Path) -> Iterator[tuple[int, str, Callable[[], None]]]:
    """The scene's server in its own process: its port, the token for publishing, what makes it count from now on."""
    port = kit_lab.free_port()
    kit = kit_lab.assemble(folder, features=[{"name": "Story", "slug": "story"}], transports=["websocket", "sse"])
    program = [sys.executable, str(HERE / "support" / "story_server.py"), str(port), str(folder), scene.server]
    with (folder / "out").open("wb") as out, subprocess.Popen(program, stdout=out, stderr=out) as process:
        try:
            kit_lab.until(
                lambda: kit.answers(f"http://127.0.0.1:{port}") or process.poll() is not None, "it answers", 30
            )
            assert process.poll() is None, (folder / "out").read_text("utf-8")
            yield port, kit.token if scene.server == "kit" else "", lambda: process.send_signal(signal.SIGUSR1)
        finally:
            process.terminate()
            process.wait(20)
            kit.http.close()
    scene.queries = json.loads((folder / "queries.json").read_text("utf-8")).get("SELECT", 0)


async def play(scene: Scene, port: int, token: str, begin: Callable[[], None]) -> None:
    """Everybody joins, then messages come for the window; `begin` is called when it begins."""
    open_first = scene.kind in ("sse", "websocket")
    begin()
    end = time.monotonic() + scene.window_s
    users = [asyncio.ensure_future(CLIENTS[scene.kind](scene, port, user, end)) for user in range(USERS)]
    if open_first:
        while scene.opened < USERS:  # noqa: ASYNC110  # two clients of different make count; looking is simpler
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)  # what was opened last has its greeting
        begin()
        end = time.monotonic() + scene.window_s
    await publish(scene, port, token, end)
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    await asyncio.sleep(0.3)  # what was sent last may still arrive
    if scene.kind != "poll":
        for user in users:
            user.cancel()
    for outcome in await asyncio.gather(*users, return_exceptions=True):
        assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome


def run(scene: Scene) -> Scene:
    """Play a scene on a fresh server."""
    with tempfile.TemporaryDirectory() as folder, server(scene, Path(folder)) as given:
        asyncio.run(play(scene, *given))
    return scene


# --- what is printed --------------------------------------------------------------------------------------------------

HEADS = ("", "requests/h", "formula", "queries/h", "p50", "p99", "time")


def row(scene: Scene) -> tuple[str, ...]:
    """One line of the table."""
    return (
        scene.title,
        f"{scene.requests * scene.per_h:,.0f}",
        f"{scene.expected:,.0f}",
        f"{scene.queries * scene.per_h:,.0f}",
        delay(scene.delay_s(0.5)),
        delay(scene.delay_s(0.99)),
        f"x{scene.factor:g}",
    )


def story(played: list[Scene]) -> str:
    """The table, and what it says in words."""
    table = [HEADS, *map(row, played)]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(HEADS))]
    lines = [
        f"{cells[0]:{widths[0]}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(cells[1:], widths[1:], strict=True))
        for cells in table
    ]
    poll, _, room, sse, _ = played
    ratio = room.requests * room.per_h / (poll.requests * poll.per_h)
    lines += [
        "",
        f"{USERS} users, one message per user per minute; per hour of the story. A stream is opened once: {sse.opened}",
        f"requests, none after that. In one room naive long polling makes {ratio:.1f} times the requests of polling.",
        "The delay of polling is in seconds of the story, that of the others as it was on this machine.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(story([run(scene) for scene in scenes(float(sys.argv[1]) if len(sys.argv) > 1 else 1)]))
