"""The other proxies of a kit: one running on free ports, and an upstream that ticks, keeps silent, or is full."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from advisor.kit import build
from support import nginx_lab
from support.hand_made_kits import context
from support.kit_lab import (
    Lab,
    free_port,
    until,
)
from support.nginx_lab import Edge

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"  # wheels put programs beside Python


@dataclass(frozen=True)
class Proxy:
    """`checks`: how the program checks a file without running it; `files`: those that it is given."""

    name: str
    program: str
    checks: str
    files: tuple[str, ...]
    missing: str = "the lab extra brings it"

    def over_tls(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The kit's files with the one for production in place of the other, on the other's port."""
        plain, tls = (f"{self.name}/{file}" for file in self.files)
        return {**files, plain: files[tls].replace(b"8443", b"8080")}

    def binary(self) -> str:
        """Where the program is; skips the test where it is missing."""
        found = shutil.which(self.program, path=PATH)
        if not found:
            pytest.skip(f"no {self.program} here ({self.missing})")
        return found


PROXIES = {
    "haproxy": Proxy(
        "haproxy", "haproxy", "-c -f {conf}", ("haproxy.cfg", "haproxy-tls.cfg"), "apt install haproxy"
    ),
    "caddy": Proxy(
        "caddy", "caddy", "validate --config {conf} --adapter caddyfile", ("Caddyfile", "Caddyfile-tls")
    ),
    "traefik": Proxy("traefik", "traefik", "", ("traefik.yaml", "traefik-tls.yaml")),
    "envoy": Proxy("envoy", "envoy", "--mode validate -c {conf}", ("envoy.yaml", "envoy-tls.yaml")),
    "apache": Proxy(
        "apache", "apache2", "-d . -f {conf} -t", ("httpd.conf", "httpd-tls.conf"), "apt install apache2"
    ),
    "varnish": Proxy("varnish", "varnishd", "-j none -C -f {folder}/{conf}", ("realtime.vcl",), "apt install varnish"),
}  # fmt: skip


def lay(proxy: Proxy, files: Mapping[str, bytes], folder: Path, edit: Callable[[str], str] = str) -> None:
    """The proxy's own files into `folder`, each through `edit`."""
    (folder / "var").mkdir(parents=True, exist_ok=True)
    (folder / proxy.name).mkdir(exist_ok=True)
    for name, content in files.items():
        if name.startswith(f"{proxy.name}/"):
            (folder / name).write_text(edit(content.decode()), encoding="utf-8")


def certificate(proxy: Proxy, folder: Path) -> ssl.SSLContext:
    """edge.certificate, where this proxy looks for it."""
    trusted = nginx_lab.certificate(folder)
    tls = folder / proxy.name / "tls"
    tls.mkdir(parents=True, exist_ok=True)
    for file in (folder / "nginx/tls").iterdir():
        file.replace(tls / file.name)
    (tls / "site.pem").write_bytes((tls / "fullchain.pem").read_bytes() + (tls / "privkey.pem").read_bytes())
    return trusted


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PATH": PATH, "XDG_DATA_HOME": str(folder / "var"), "XDG_CONFIG_HOME": str(folder / "var")}


def check(proxy: Proxy, folder: Path, file: str) -> tuple[int, str]:
    """(exit code, what it says) of the program's own check of its file."""
    words = proxy.checks.format(conf=f"{proxy.name}/{file}", folder=folder).split()
    command = [proxy.binary(), *words]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def running(
    proxy: Proxy, files: Mapping[str, bytes], folder: Path, upstream: int, edit: Callable[[str], str] = str
) -> Iterator[Edge]:
    """The proxy, run as nginx_lab.json says, on a free port in place of 8080, its upstream in place of 8081."""
    binary, port, admin = proxy.binary(), free_port(), free_port()

    def ports(text: str) -> str:
        text = edit(text).replace("localhost:2019", f"localhost:{admin}")
        return re.sub(r"\b8081\b", str(upstream), re.sub(r"\b8080\b", str(port), text))

    lay(proxy, files, folder, ports)
    command = [word.format(program=binary, folder=proxy.name) for word in json.loads(files["edge.json"])["command"]]
    with (folder / "var/out").open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=out, stderr=out)
    here = Edge(process, port, folder)
    try:
        until(lambda: process.poll() is not None or Lab.listens(port), f"{proxy.name} listens", 30)
        assert process.poll() is None, here.log("out")
        if b"/dynamic.yaml" in files.get("traefik/traefik.yaml", b""):  # Traefik listens before it has read its routes
            until(lambda: here.get("/").status_code != 404, "traefik has its routes", 30)
        yield here
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], patience_s: float = 3) -> bool:
    """Whether a polite request was enough."""
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


class Handler(nginx_lab.Handler):
    """A whole WebSocket handshake, since some proxies look at it, and four modes more.

    "ticks" sends the time in chunks, "watch" keeps silent and notes when it is left, both for /events; "drains" says so
    at /healthz; "hangs" answers nothing.
    """

    def do_GET(self) -> None:  # noqa: N802 - http.server finds it by this name
        if self.state.mode == "hangs":
            self.close_connection = True
            self.state.end.wait(20)
        else:
            super().do_GET()

    do_POST = do_GET  # noqa: N815 - http.server finds it by this name

    def send_header(self, keyword: str, value: str) -> None:
        super().send_header(keyword, value)
        if (keyword, value) == ("Upgrade", "websocket"):
            key = self.headers.get("sec-websocket-key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            super().send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())

    def events(self) -> None:
        if self.state.mode not in {"ticks", "watch"}:
            super().events()
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.state.mode == "watch":
            self.chunk("data: 1\n\n")
            until(lambda: select.select([self.connection], [], [], 0.05)[0] or self.state.end.is_set(), "left", 30)
            self.state.mode = "left"
            return
        for _ in range(7):
            self.chunk(f"data: {time.time()}\n\n")
            time.sleep(0.3)
        self.chunk("")

    def tell(self, seen: dict[str, object]) -> None:
        if (self.state.mode, self.path) == ("drains", "/healthz"):
            self.answer(503, "text/plain", b"draining")
        else:
            super().tell(seen)

    def chunk(self, text: str) -> None:
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())


@contextlib.contextmanager
def upstream() -> Iterator[nginx_lab.Upstream]:
    """edge.upstream with this Handler."""
    with nginx_lab.upstream(Handler) as state:
        yield state


FRAMES = "frame-ancestors 'none'"


ALONE, BEHIND = {"load_balancer": "none", "cdn": "none"}, {"load_balancer": "aws-alb"}


def kit_for(name, pattern="websocket", **answers):
    """The files of the proxy alone."""
    values, chosen, _ = context(patterns=(pattern,), **{"reverse_proxy": name, **ALONE, **answers})
    return dict(build.rendered([option for option in chosen if option.layer == "edge"], values))
