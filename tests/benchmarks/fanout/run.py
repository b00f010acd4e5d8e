"""Fan-out and idle memory of the kits beside their peers (extra: bench; a C compiler).

    python tests/benchmarks/fanout/run.py

Each server is one process on a free port of this machine, started by its own command. The kits are those that `advisor
recommend --kit` writes, with all their defences, and they answer a publish when it is durable. One load client (loop.c)
for all opens the connections and counts; a run ends when every delivery has arrived. Ratios hold within one run.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from support.kit_lab import Lab, free_port, until  # noqa: E402  # found through the path above

PAYLOAD = {"order": "A-1047", "state": "on its way", "note": "left at the neighbours'", "mark": "^"}
ANSWERS = """\
project: Benchmark
app: {{instances: 1}}
features:
  - name: news
    bidirectional-realtime: {two_way}
    server-msg-rate-per-s: 5
    client-msg-rate-per-s: {up}
    latency-need-ms: 500
    concurrent-clients: 6000
    clients: [browser]
    auth: none
"""


class Server(NamedTuple):
    """A running server: where it listens, which process does the work, how an event is published."""

    port: int
    pid: int
    headers: dict[str, str]
    body: str


class Result(NamedTuple):
    """deliveries a second; server CPU in microseconds for a delivery."""

    per_s: float
    cpu_us: float


@contextmanager
def running(command: list[str], port: int, cwd: Path = HERE) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens on `port` in the block, and is ended after it."""
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: Lab.listens(port) or process.poll() is not None, f"{command} listens", 30)
            assert process.poll() is None, f"{command} has ended"
            yield process
        finally:
            process.terminate()


@contextmanager
def kit(transport: str) -> Iterator[Server]:
    """The kit that the program writes, started by its own command; the load goes to its server without nginx."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        two_way = transport == "ws"
        (folder / "answers.yaml").write_text(ANSWERS.format(two_way="yes" if two_way else "no", up=5 if two_way else 0))
        made = [sys.executable, "-m", "advisor", "recommend", "--answers", "answers.yaml", "--kit", "kit"]
        subprocess.run(made, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        port = free_port()
        start = [sys.executable, "start.py", "--no-proxy", "--port", str(port)]
        with running(start, port, folder / "kit"):
            pid = int((folder / "kit/var/server.lock").read_text())
            token = (folder / "kit/var/token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            yield Server(port, pid, headers, json.dumps({"type": "news", "data": PAYLOAD}))


@contextmanager
def peer() -> Iterator[Server]:
    """sse-starlette and FastAPI on the same uvicorn, without compression, which the kit does not do either."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "peers:app", "--port", str(port), "--no-access-log", "--log-level", "warning",
        "--ws-per-message-deflate", "false",
    ]  # fmt: skip
    with running(command, port) as process:
        yield Server(port, process.pid, {}, json.dumps(PAYLOAD))


@contextmanager
def bare(program: Path) -> Iterator[Server]:
    """The epoll loop in C: the limit."""
    port = free_port()
    with running([str(program), "serve", str(port)], port) as process:
        yield Server(port, process.pid, {}, json.dumps(PAYLOAD))


def cpu_s(pid: int) -> float:
    """Seconds of processor time that the threads of a process have used."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory_kb(pid: int) -> int:
    """What belongs to a process alone, and its share of the rest (PSS)."""
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])  # type: ignore[index]


@contextmanager
def loaded(
    program: Path, server: Server, transport: str, clients: int, deliveries: int
) -> Iterator[subprocess.Popen[str]]:
    """The load client, with all its connections open."""
    path = "/ws" if transport == "ws" else "/events"
    command = [str(program), "load", str(server.port), path, transport, str(clients), str(deliveries)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdout
        try:
            if load.stdout.readline() != "open\n":
                raise SystemExit("the load client could not open all connections")
            yield load
        finally:
            load.terminate()


def fan_out(program: Path, server: Server, transport: str, clients: int, events: int) -> Result:
    """`events` events to `clients` clients, each when the last has reached all: no two can be joined into one write."""
    deliveries = clients * events
    with loaded(program, server, transport, clients, deliveries) as load:
        assert load.stdout
        time.sleep(0.5)  # greetings are not deliveries
        before = cpu_s(server.pid)
        headers = {
            "Host": f"127.0.0.1:{server.port}",
            "Content-Length": str(len(server.body.encode())),
        } | server.headers
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = f"POST /publish HTTP/1.1\r\n{head}\r\n{server.body}".encode()  # in one piece: loop.c wants it so
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as publisher:
            for _ in range(events):
                publisher.sendall(request)
                answer = http.client.HTTPResponse(publisher, method="POST")
                answer.begin()
                answer.read()
                if answer.status not in {200, 201}:
                    raise SystemExit(f"/publish answered {answer.status}")
                load.stdout.readline()  # it has reached all
        seconds = float(load.stdout.readline().split()[1])
        return Result(deliveries / seconds, (cpu_s(server.pid) - before) / deliveries * 1e6)


def idle_kb(program: Path, server: Server, transport: str, clients: int) -> float:
    """What one silent connection costs, in kB."""
    before = memory_kb(server.pid)
    with loaded(program, server, transport, clients, 1):
        time.sleep(1)
        return (memory_kb(server.pid) - before) / clients


def build(folder: Path) -> Path:
    """loop.c, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("no C compiler (cc) here: the load client is written in C")
    subprocess.run([compiler, "-O2", "-o", folder / "loop", HERE / "loop.c"], check=True)
    return folder / "loop"


def rows(program: Path, transport: str, options: argparse.Namespace) -> Iterator[tuple[str, Result, float | None]]:
    """(who, its best run, kB for an idle connection): the limit first, then the kit, then its peer."""
    makers: dict[str, Callable[[], AbstractContextManager[Server]]] = {"epoll loop in C": partial(bare, program)}
    makers["kit"] = partial(kit, transport)
    if options.peers:
        makers["sse-starlette" if transport == "sse" else "FastAPI, loop over its sockets"] = peer
    for who, make in makers.items():
        with make() as server:
            runs = [fan_out(program, server, transport, options.clients, options.events) for _ in range(options.rounds)]
        memory = None
        if options.idle and make is not makers["epoll loop in C"]:
            with make() as server:
                memory = idle_kb(program, server, transport, options.idle)
        yield who, min(runs, key=lambda run: run.cpu_us), memory


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000, help="listeners of each event")
    parser.add_argument("--events", type=int, default=100, help="events in one run")
    parser.add_argument("--idle", type=int, default=5000, help="connections for the memory; 0 = do not measure it")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server; the one with least CPU counts")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="the kit and the limit only")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    packages = ["uvicorn", *(["sse-starlette", "fastapi"] if options.peers else [])]
    print(
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(*(f"{package} {version(package)}" for package in packages), sep=", ")
    print(f"{options.events} events to {options.clients:,} clients, everything delivered; best of {options.rounds}\n")
    print("| | deliveries/s | server CPU a delivery | share of the C loop | idle connection |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        program = build(Path(name))
        for transport, title in (("sse", "SSE"), ("ws", "WebSocket")):
            limit = 0.0
            for who, best, memory in rows(program, transport, options):
                limit = limit or best.cpu_us
                kilobytes = "" if memory is None else f"{memory:.1f} kB"
                print(f"| {title}: {who} | {best.per_s:,.0f} | {best.cpu_us:.1f} us ", end="")
                print(f"| {limit / best.cpu_us:.2f} | {kilobytes} |", flush=True)


if __name__ == "__main__":
    main()
