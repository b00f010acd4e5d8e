"""A real nginx with a given configuration, and an upstream that tells what nginx sent and misbehaves when told to."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pwd
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from support.hand_made_kits import rendered
from support.kit_lab import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Edge:
    """A running nginx."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    up: Upstream | None = None
    other: Upstream | None = None  # a second one, of a kit for several instances

    def get(self, path: str, **options: object) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10, **options)

    def post(self, path: str, content: bytes) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", content=content, timeout=10)

    def workers(self) -> list[int]:
        return workers(self.process)

    def log(self, name: str) -> str:
        return (self.folder / "var" / name).read_text(encoding="utf-8")


def command(binary: str, folder: Path, conf: str = "nginx/nginx.conf") -> list[str]:
    """How start.py calls nginx; as root its workers would else run as nobody, who cannot read the folder."""
    extra = "daemon off;"
    if os.geteuid() == 0:
        extra += f" user {pwd.getpwuid(0).pw_name};"
    return [binary, "-p", f"{folder}/", "-c", conf, "-e", "stderr", "-g", extra]


def check(binary: str, folder: Path, conf: str = "nginx/nginx.conf") -> tuple[int, str]:
    """`nginx -t`: (exit code, what it says)."""
    (folder / "var/tmp").mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*command(binary, folder, conf), "-t"], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def workers(nginx: subprocess.Popen[bytes]) -> list[int]:
    """Process ids of nginx's workers."""
    children = Path(f"/proc/{nginx.pid}/task/{nginx.pid}/children").read_text(encoding="ascii")
    return [int(pid) for pid in children.split()]


@functools.cache
def _development_certificate() -> dict[str, bytes]:
    """What the command of a kit's README makes, by file name."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl here (apt install openssl)")
    found = re.search(r"^ +(mkdir -p nginx/tls && openssl .*\\\n.*)$", rendered()["README.md"].decode(), re.MULTILINE)
    assert found
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["bash", "-c", found[1]], cwd=folder, check=True, capture_output=True)
        return {file.name: file.read_bytes() for file in (Path(folder) / "nginx/tls").iterdir()}


def certificate(folder: Path) -> ssl.SSLContext:
    """Put the development certificate into a kit's folder; a client's context that trusts it and nothing else."""
    tls = folder / "nginx/tls"
    tls.mkdir(parents=True, exist_ok=True)
    for name, content in _development_certificate().items():
        (tls / name).write_bytes(content)
    return ssl.create_default_context(cafile=tls / "fullchain.pem")


@contextlib.contextmanager
def running(binary: str, conf: str, folder: Path, upstream: int = 8081) -> Iterator[Edge]:
    """nginx with `conf` on a free port instead of 8080 (or 8443), its upstream port 8081 replaced."""
    port = free_port()
    for name in ("nginx", "var/tmp", "client"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    text = re.sub(r"(listen [^;]*?)\b(?:8080|8443)\b", rf"\g<1>{port}", conf)
    text = text.replace("127.0.0.1:8081", f"127.0.0.1:{upstream}")
    (folder / "nginx/nginx.conf").write_text(text, encoding="utf-8")
    with (folder / "var/out").open("wb") as out:
        process = subprocess.Popen(command(binary, folder), cwd=folder, stdout=out, stderr=out)
    edge = Edge(process, port, folder)
    try:
        until(lambda: process.poll() is not None or _listens(port), "nginx listens")
        assert process.poll() is None, edge.log("out")
        yield edge
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
        return True
    return False


@dataclass
class Upstream:
    """What the upstream has seen; `mode` says how /events, /poll and /ws behave: stream, silent, full, large, drop."""

    port: int = 0
    mode: str = "stream"
    connections: int = 0
    requests: list[dict[str, object]] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked, or behaves as `state.mode` says."""

    state: Upstream
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.state.connections += 1

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        seen = {
            "version": self.request_version,
            "path": self.path,
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }
        self.state.requests.append(seen)
        if self.path.startswith("/events"):
            self.events()
        elif self.path.startswith("/ws"):
            self.socket(seen)
        elif self.path.startswith("/poll"):
            self.poll()
        elif self.state.mode == "drop":
            self.close_connection = True
        else:
            self.tell(seen)

    do_POST = do_GET  # noqa: N815 - http.server finds it by this name

    def events(self) -> None:
        if self.state.mode == "full":
            self.answer(503, "text/plain", b"full")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: 1\n\n" if self.state.mode == "stream" else b"")
        self.close_connection = True
        self.state.end.wait(20)

    def socket(self, seen: dict[str, object]) -> None:
        asked = self.headers.get("upgrade"), self.headers.get("connection", "").lower(), self.request_version
        if self.state.mode != "drop" and asked != ("websocket", "upgrade", "HTTP/1.1"):
            self.tell(seen)
            return
        self.close_connection = True
        if self.state.mode != "drop":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.state.end.wait(20)

    def poll(self) -> None:
        if self.state.mode == "large":
            with contextlib.suppress(OSError):
                self.answer(200, "application/json", b"x" * 20_000_000)
        else:
            self.close_connection = True
            self.state.end.wait(20)

    def tell(self, seen: dict[str, object]) -> None:
        self.answer(200, "application/json", json.dumps(seen).encode())

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def upstream(handler: type[Handler] = Handler, port: int = 0) -> Iterator[Upstream]:
    """A plain HTTP/1.1 server on this port, or a free one.

    Its event stream has no length and no chunks: it ends when it closes.
    """
    state = Upstream()

    with ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (handler,), {"state": state})) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            state.end.set()
            server.shutdown()
            thread.join()
