"""What some networks have between a page and its server: a TCP proxy that cuts connections soon after they open."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

REQUEST = re.compile(rb"GET (/[^ ?]*)")


@dataclass
class Box:
    """Passes bytes on to `upstream`. A connection that asks for a path in `cuts` ends within those seconds after it."""

    upstream: int
    port: int = 0
    cuts: dict[str, tuple[float, float]] = field(default_factory=dict)
    opened: dict[str, list[float]] = field(default_factory=dict)  # path -> when it was asked for
    open: set[asyncio.WriteTransport] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def run(self, ready: threading.Event, end: asyncio.Event) -> None:
        """Serve until `end`."""
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await end.wait()
        for transport in self.open:
            transport.abort()
        await asyncio.sleep(0.05)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            above_reader, above_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:  # the server is away
            writer.transport.abort()
            return
        ends = {writer.transport, above_writer.transport}
        self.open |= ends

        def cut() -> None:
            for transport in ends:
                transport.abort()

        async def there() -> None:
            while data := await reader.read(65_536):
                if asked := REQUEST.match(data):
                    path = asked[1].decode()
                    self.opened.setdefault(path, []).append(time.monotonic())
                    if path in self.cuts:
                        asyncio.get_running_loop().call_later(random.uniform(*self.cuts[path]), cut)
                above_writer.write(data)

        async def back() -> None:
            while data := await above_reader.read(65_536):
                writer.write(data)

        tasks = [asyncio.create_task(there()), asyncio.create_task(back())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # what was written last is being sent
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in ends:
            transport.close()
        self.open -= ends


@contextlib.contextmanager
def box(upstream: int, **cuts: tuple[float, float]) -> Iterator[Box]:
    """A box that runs; `ws=(0.1, 0.5)` cuts /ws after 100 to 500 ms."""
    made = Box(upstream, cuts={f"/{path}": times for path, times in cuts.items()})
    ready, end = threading.Event(), asyncio.Event()
    with ThreadPoolExecutor(1) as pool, asyncio.Runner() as runner:
        loop = runner.get_loop()
        running = pool.submit(runner.run, made.run(ready, end))
        assert ready.wait(5)
        try:
            yield made
        finally:
            loop.call_soon_threadsafe(end.set)
            running.result()
