"""The servers of the story (story.py), each a process of its own that counts its database queries.

    python story_server.py PORT FOLDER naive    what one writes first: every request asks the database
    python story_server.py PORT FOLDER kit      the kit's own server, as it is, in FOLDER

The naive one is the article's: GET /poll?channel=&after=&wait= selects what is new and, with `wait`, holds the request
until something comes. It wakes everybody who waits for a channel at every message. Both count from SIGUSR1 on and write
FOLDER/queries.json at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs

COUNTED: Counter[str] = Counter()
connect = sqlite3.connect


def counting(*args, **options):
    """A connection that counts what is executed on it, by its first word."""
    made = connect(*args, **options)
    made.set_trace_callback(lambda statement: COUNTED.update([statement.split(None, 1)[0].upper()]))
    return made


class Naive:
    """One ASGI app: POST /publish?channel= and GET /poll."""

    def __init__(self, file: Path) -> None:
        self.db = counting(file, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("CREATE TABLE events(n INTEGER PRIMARY KEY, channel TEXT, data TEXT)")
        self.db.execute("CREATE INDEX by_channel ON events(channel, n)")
        self.waiting: dict[str, set[asyncio.Future[list[tuple[int, str]]]]] = {}

    async def __call__(self, scope, receive, send):
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        if scope["method"] == "POST":
            body = (await receive()).get("body", b"").decode()
            row = self.db.execute("INSERT INTO events(channel, data) VALUES (?, ?)", (query["channel"], body)).lastrowid
            for waiter in self.waiting.pop(query["channel"], ()):
                if not waiter.done():
                    waiter.set_result([(row, body)])
            found = []
        elif scope["path"] == "/poll":
            found = await self.poll(query["channel"], int(query.get("after", 0)), float(query.get("wait", 0)))
        else:
            found = []
        body = json.dumps(found).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def poll(self, channel: str, after: int, wait: float) -> list[tuple[int, str]]:
        sql = "SELECT n, data FROM events WHERE channel = ? AND n > ? ORDER BY n"
        found = self.db.execute(sql, (channel, after)).fetchall()
        if found or not wait:
            return found
        waiter: asyncio.Future[list[tuple[int, str]]] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(channel, set()).add(waiter)
        try:
            return await asyncio.wait_for(waiter, wait)
        except TimeoutError:
            self.waiting.get(channel, set()).discard(waiter)
            return []


def main(port: str, folder: str, which: str) -> None:
    os.chdir(folder)
    signal.signal(signal.SIGUSR1, lambda *_: COUNTED.clear())  # the story begins
    try:
        if which == "kit":
            sqlite3.connect = counting
            sys.path.insert(0, folder)
            from server.__main__ import main as serve

            sys.argv = ["server", "--port", port]
            serve()
        else:
            import uvicorn

            signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when it is done
            uvicorn.run(
                Naive(Path("story.db")), host="127.0.0.1", port=int(port), lifespan="off", access_log=False,
                log_level="critical", timeout_keep_alive=75, timeout_graceful_shutdown=1,
            )  # fmt: skip
    finally:
        Path("queries.json").write_text(json.dumps(COUNTED), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
