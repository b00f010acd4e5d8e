#!/usr/bin/env python3
"""Starts the kit on this machine without Docker: `python3 start.py`. Ctrl-C ends it.

It installs what the event server needs (once; for Python the packages of requirements.txt, into .venv, if they cannot
be imported already), starts the event server and the proxy, waits until a request gets through both, and starts again
whichever of them dies. How each is run is in programs.py, server.json and edge.json.
The proxy is nginx, or what edge.json names; a kit with neither is served directly. Where settings.json has several
instances it starts as many servers, and a Redis or Valkey for them if it names none.
Everything that it writes is in .venv and var; nothing is left running when it ends, however it ends.
Needs Linux or macOS (on Windows: WSL) and Python 3.11 or newer. For production see deploy/ instead.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn, TextIO

try:
    import fcntl
except ImportError:
    sys.exit("start.py: this needs Linux or macOS; on Windows start it inside WSL")

sys.dont_write_bytecode = True  # the kit's folder stays clean
sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where Python does not look beside a script (-I)
import programs
from programs import KIT, VAR, fail, say

READY_S = 15.0  # from start to the first answer through the proxy
NO_RESTART = (2, 3)  # exit codes of the server that another start would only repeat: bad settings, port in use
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Start, say where, watch until a signal comes."""
    os.chdir(KIT)
    options = arguments()
    settings = programs.read("settings.json")
    edge = options.port or settings["ports"]["edge"]
    proxy = None if options.no_proxy else programs.read_proxy()
    servers = server_ports(settings, options.server_port)
    behind = list(servers.values()) if proxy else [edge, *list(servers.values())[1:]]
    for number in SIGNALS:
        signal.signal(number, stop)
    for port in sorted({edge, *behind}):
        check_port(port)
    VAR.mkdir(mode=0o700, exist_ok=True)
    held = lock()
    (VAR / "tmp").mkdir(exist_ok=True)  # nginx makes its own folders, but only one level
    stages = stages_of(settings, proxy, {settings["ports"]["edge"]: edge} | servers, behind)
    children = [child for stage in stages for child in stage]
    try:
        for child in children:
            child.start()
        for port in [*behind, edge]:
            wait_until_ready(port, children)
        announce(edge, settings["features"][0]["slug"], proxy is None)
        while True:
            time.sleep(0.2)
            for child in children:
                child.restart_if_dead()
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave a process behind
        for stage in reversed(stages):  # the servers first: their goodbyes go through the proxy
            end(stage)
        held.close()


def stages_of(
    settings: dict[str, Any], proxy: dict[str, Any] | None, moved: dict[int, int], behind: list[int]
) -> list[list[Child]]:
    """What runs, in the order in which it is started: Redis, the proxy, the servers on the ports `behind`.

    `moved`: the ports of the files, {as written: as wanted}.
    """
    server = programs.read("server.json")
    needs_store = len(behind) > 1 and not settings.get("redis_url") and not os.environ.get("REDIS_URL")
    python = programs.python_with_packages(server, several=len(behind) > 1, store=needs_store)
    stages = [[Child("redis", programs.store_command(python), 10)]] if needs_store else []
    if proxy:
        nginx = proxy["folder"] == "nginx"
        command = programs.nginx_command if nginx else functools.partial(programs.proxy_command, proxy)
        stages.append([Child(proxy["folder"], command(python, moved), 2)])
    run = programs.server_command(server, python)
    names = {port: "server" if len(behind) == 1 else f"server-{port}" for port in behind}
    patience_s = settings["drain_s"] + 2
    stages.append([Child(name, [*run, "--port", str(port)], patience_s) for port, name in names.items()])
    return stages


def lock() -> TextIO:
    """Hold the kit for this process alone: another one, on other ports, would write over what this one's proxy reads."""
    file = (VAR / "start.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel lets go of it however this process ends
    except OSError:
        file.seek(0)
        fail(f"another start.py (process {file.read().strip()}) runs this kit; stop it first, or use a copy of the kit")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


class Child:
    """One process: started, started again when it dies, ended."""

    def __init__(self, name: str, command: list[str], patience_s: float) -> None:
        self.name = name
        self.command = command
        self.patience_s = patience_s
        self.output = VAR / f"{name}.out"
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.delay = 0.5

    def start(self) -> None:
        """Its own session keeps a Ctrl-C in this terminal away from it: it is ended in order, by `end`."""
        self.started = time.monotonic()
        environment = os.environ | {
            "PYTHONPYCACHEPREFIX": str(VAR / "pycache"),  # the kit's folders stay clean, and the home folder too
            "XDG_DATA_HOME": str(VAR / "data"), "XDG_CONFIG_HOME": str(VAR / "data"),
        }  # fmt: skip
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=KIT,  # the current folder is gone if a new kit has replaced this one
                start_new_session=True, preexec_fn=end_with_parent,
            )  # fmt: skip

    def dead(self) -> bool:
        """Whether it has ended without being stopped."""
        return self.process is not None and self.process.poll() is not None

    def restart_if_dead(self) -> None:
        """Start it again, later each time it dies young. Does not return if that cannot help."""
        if not self.dead():
            return
        assert self.process is not None
        code = self.process.returncode
        if self.name.startswith("server") and code in NO_RESTART:
            fail(f"the {self.name} will not run:\n{self.last_words()}")
        if time.monotonic() - self.started > 30:
            self.delay = 0.5
        say(f"{self.name} ended (exit code {code}); starting it again in {self.delay:g} s")
        time.sleep(self.delay)
        self.delay = min(10, self.delay * 2)
        self.start()

    def last_words(self) -> str:
        """The end of what it has written."""
        return "\n".join(self.output.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])


def end(stage: list[Child]) -> None:
    """Ask all of them to end, and kill those that do not."""
    running = [(child, child.process) for child in stage if child.process is not None]
    for _, process in running:
        process.terminate()
    for child, process in running:
        try:
            process.wait(child.patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Starts the kit on this machine without Docker; Ctrl-C ends it.")
    parser.add_argument("--port", type=int, help="where the browser goes (default: ports.edge of settings.json)")
    parser.add_argument("--server-port", type=int, help="where the proxy finds the server (default: ports.server)")
    parser.add_argument("--no-proxy", "--no-nginx", action="store_true", help="serve directly, without a proxy")
    return parser.parse_args()


def server_ports(settings: dict[str, Any], first: int | None) -> dict[int, int]:
    """Where the servers listen: {as the files say: as wanted}. From `first` on if that is wanted."""
    count = settings.get("instances", 1)
    if not isinstance(count, int) or not 1 <= count <= 64:
        count = 1  # the server says what is wrong with it
    written = settings["ports"]["server"]
    return {written + i: (first or written) + i for i in range(count)}


def check_port(port: int) -> None:
    """End with a clear line if somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            fail(f"port {port}: {error.strerror}; stop what uses it, or give another: --port, --server-port")


def wait_until_ready(port: int, children: list[Child]) -> None:
    """Return once /healthz answers 200 through everything."""
    end = time.monotonic() + READY_S
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy
    while time.monotonic() < end:
        try:
            with opener.open(f"http://127.0.0.1:{port}/healthz", timeout=2) as response:
                if response.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
        for child in children:
            if child.dead():
                fail(f"{child.name} did not start:\n{child.last_words()}")
    fail(f"no answer on port {port} after {READY_S:g} s; see {VAR}/*.out")


def announce(port: int, slug: str, direct: bool) -> None:
    """The one thing on standard output."""
    sys.stdout.write(
        f"\n  The kit runs: http://localhost:{port}/   (Ctrl-C ends it{'; without a proxy' if direct else ''})\n\n"
        f"  Send an event from another terminal, in {KIT}:\n\n"
        f"    curl http://localhost:{port}/publish \\\n"
        f'      -H "Authorization: Bearer $(cat var/token)" \\\n'
        f'      -H "Content-Type: application/json" \\\n'
        f"""      -d '{{"type":"{slug}","data":{{"text":"hello"}}}}'\n\n"""
    )
    if (VAR / "viewer-key").exists():
        sys.stdout.write("  The page asks for the viewers' key: cat var/viewer-key\n\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    """In the child: the kernel ends it if this script is killed without a chance to end it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def stop(*_: object) -> NoReturn:
    """A signal came: run the `finally` of main, exit 0."""
    sys.exit(0)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - people start this with whatever python3 is
        fail("this needs Python 3.11 or newer")
    main()
