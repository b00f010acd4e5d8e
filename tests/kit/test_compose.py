"""compose.yaml: who owns the network that the containers share, and that a crash of any of them takes nobody along.

No engine runs here. The laws are read from the file. What they are for is shown with the kernel's own network
namespaces, all that an engine has for this: each service's program runs in the namespace that the file gives it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
import yaml
from support import kit_lab, nginx_lab
from support.hand_made_kits import rendered
from support.kit_lab import until

GRACE = {"condition": "service_started", "restart": True}
KITS = [(1, "sse"), (1, "websocket"), (3, "sse"), (3, "websocket")]


def services(instances=1, pattern="websocket", **answers):
    made = rendered(instances=instances, patterns=(pattern,), **answers)
    return yaml.safe_load(made["compose.yaml"])["services"]


def owner(compose):
    """The one service whose network the others join."""
    (name,) = {joined.partition(":")[2] for s in compose.values() if (joined := s.get("network_mode"))}
    return name


@pytest.mark.parametrize(("instances", "pattern"), KITS)
def test_one_container_that_does_nothing_owns_the_network_and_the_published_ports(instances, pattern):
    compose = services(instances, pattern)
    holder = compose.pop(owner(compose))
    assert {s["network_mode"] for s in compose.values()} == {"service:net"}
    assert [name for name, s in compose.items() if "ports" in s] == []
    assert holder.pop("ports") == ["443:8443"]
    assert holder.pop("image") in {s.get("image") for s in compose.values()}  # nothing more to pull
    assert holder == {"entrypoint": ["sleep", "infinity"], "init": True, "restart": "unless-stopped"}


@pytest.mark.parametrize(("instances", "pattern"), KITS)
def test_what_ends_comes_back_and_a_new_network_brings_everything_along(instances, pattern):
    """Compose adds what a shared network implies only where depends_on does not name the service itself."""
    compose = services(instances, pattern)
    assert {s["restart"] for s in compose.values()} == {"unless-stopped"}
    net = owner(compose)
    for name, service in compose.items():
        wanted = service.get("depends_on", {})
        assert wanted.get(net) == (None if name == net else GRACE), name
        # A restart of what is not the network, on purpose too, takes nothing else along.
        assert [other for other, how in wanted.items() if how.get("restart") and other != net] == [], name
        assert set(wanted) <= compose.keys()


@pytest.mark.parametrize(("instances", "pattern"), KITS)
def test_a_stop_reaches_proxy_and_servers_at_once_and_the_network_last(instances, pattern):
    """Compose stops what depends on something before it. A proxy that went first would cut the servers' goodbyes."""
    compose = services(instances, pattern)
    wanted = {name: set(service.get("depends_on", {})) for name, service in compose.items()}
    assert wanted["edge"] == {"net"}
    servers = {name for name in compose if name.startswith("server")}
    assert len(servers) == instances
    assert {frozenset(wanted[name]) for name in servers} == {frozenset({"net", "redis"} if instances > 1 else {"net"})}
    assert wanted["net"] == set()


@pytest.mark.lab
def test_a_configuration_for_an_old_nginx_works_in_the_image_of_the_current_one(any_nginx, tmp_path):
    """The image is a supported one (1.30 or newer), whatever version nginx/nginx-tls.conf is written for."""
    made = rendered(nginx_version="1.22.1", patterns=("websocket", "sse", "long-polling"), features=("a", "b", "c"))
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx/nginx-tls.conf").write_bytes(made["nginx/nginx-tls.conf"])
    nginx_lab.certificate(tmp_path)
    code, said = nginx_lab.check(any_nginx, tmp_path, "nginx/nginx-tls.conf")
    warned = [line for line in said.splitlines() if "[" in line]
    assert (code, [line for line in warned if "listen ... http2" not in line]) == (0, []), said


# --- with real namespaces ---------------------------------------------------------------------------------------------


class Engine:
    """Each service's program in a namespace of its own, or in that of the one it joins, as the file says."""

    def __init__(self, compose, commands, folder):
        self.compose, self.commands, self.folder, self.running = compose, commands, folder, {}

    def start(self, name):
        joined = self.compose[name].get("network_mode", "").partition(":")[2]
        enter = ["nsenter", "-t", str(self.running[joined].pid), "-n"] if joined else ["unshare", "-n"]
        words = [*enter, "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *self.commands[name]]
        with (self.folder / f"var/{name}.out").open("ab") as out:
            self.running[name] = subprocess.Popen(
                words, cwd=self.folder, stdout=out, stderr=out, start_new_session=True
            )

    def up(self):
        """In the order of depends_on."""
        while left := [name for name in self.compose if name not in self.running]:
            ready = [name for name in left if set(self.compose[name].get("depends_on", ())) <= self.running.keys()]
            for name in ready:
                self.start(name)
            assert ready, left

    def crash(self, name):
        """And what the engine does then, by the service's restart policy. depends_on is nothing that it knows."""
        os.killpg(self.running[name].pid, signal.SIGKILL)  # a container ends with its first process
        self.running[name].wait()
        assert self.compose[name]["restart"] == "unless-stopped"
        self.start(name)

    def get(self, path, port=8443):
        """Over the published port: it leads into the namespace of the service that publishes it."""
        (name,) = [name for name, service in self.compose.items() if "ports" in service]
        at = ["nsenter", "-t", str(self.running[name].pid), "-n", "--"]
        ask = "import ssl, sys, urllib.request as u; c = ssl._create_unverified_context()\n"
        ask += "with u.urlopen(sys.argv[1], timeout=3, context=c) as a: print(a.read1(4096).decode())"
        url = f"https://127.0.0.1:{port}{path}"
        return subprocess.run([*at, sys.executable, "-c", ask, url], capture_output=True, text=True, check=False)

    def down(self):
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def up(compose, binary, folder):
    """The kit for one instance, with this compose.yaml."""
    allowed = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0
    if not allowed or not shutil.which("nsenter"):
        pytest.skip("no network namespaces here (they need root and util-linux)")
    folder.mkdir()
    kit = kit_lab.assemble(folder)
    (folder / "nginx").mkdir()
    nginx_lab.certificate(folder)
    files = rendered(patterns=("sse",), nginx_version=kit_lab.nginx_version(binary))
    conf = compose["edge"]["command"][compose["edge"]["command"].index("-c") + 1]
    (folder / conf).write_bytes(files[conf])
    image = files["deploy/Dockerfile"].decode()
    commands = {name: [*service.get("entrypoint", ())] for name, service in compose.items()}
    commands["edge"] = nginx_lab.command(binary, folder, conf)
    commands["server"] = [sys.executable, *json.loads(image.rpartition("CMD ")[2])[1:]]
    running = Engine(compose, commands, kit.folder)
    try:
        running.up()
        until(lambda: running.get("/config").returncode == 0, "the kit answers")
        yield running
    finally:
        running.down()


def answers_within(engine, seconds):
    with contextlib.suppress(AssertionError):
        until(lambda: engine.get("/config").returncode == 0, "the kit answers", seconds)
        return "event: hello" in engine.get("/events").stdout
    return False


@pytest.mark.grid
@pytest.mark.lab
@pytest.mark.parametrize("name", ["server", "edge"])
def test_after_a_crash_of_the_server_or_the_proxy_the_kit_answers_again(name, any_nginx, tmp_path):
    with up(services(1, "sse"), any_nginx, tmp_path / "kit") as engine:
        others = {other: process.pid for other, process in engine.running.items() if other != name}
        engine.crash(name)
        assert answers_within(engine, 15)
        assert {other: process.pid for other, process in engine.running.items() if other != name} == others


@pytest.mark.long
@pytest.mark.lab
def test_in_a_network_of_the_server_s_own_the_proxy_would_be_left_behind(any_nginx, tmp_path):
    compose = services(1, "sse")
    net = compose.pop("net")
    compose["server"] = {**compose["server"], "ports": net["ports"], "depends_on": {}}
    compose["edge"] = {**compose["edge"], "network_mode": "service:server", "depends_on": {"server": GRACE}}
    del compose["server"]["network_mode"]
    with up(compose, any_nginx, tmp_path / "kit") as engine:
        engine.crash("server")
        assert not answers_within(engine, 5)
