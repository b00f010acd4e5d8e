"""start.py as the kit's user meets it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest
from support.kit_lab import (
    TEMPLATES,
    Lab,
    Started,
    following,
    free_port,
    nginx_conf,
    nginx_version,
    processes_of,
    publish_through,
    until,
)

from advisor import cli

pytestmark = pytest.mark.lab


@pytest.mark.long
def test_the_kit_of_a_shipped_example_runs_as_its_readme_says(tmp_path, nginx, capsys):
    folder = tmp_path / "kit"
    example = TEMPLATES.parent / "rules/examples/notifications.yaml"
    assert cli.main(["recommend", "--answers", str(example), "--kit", str(folder)]) == 0
    capsys.readouterr()
    kit = Lab(folder, json.loads((folder / "settings.json").read_text()))
    slug = kit.settings["features"][0]["slug"]
    (tmp_path / "nginx").symlink_to(nginx)
    run = Started(kit, path=f"{tmp_path}:{os.environ['PATH']}")
    try:
        run.ready()
        kit.through = f"http://127.0.0.1:{kit.edge}"
        assert kit.settings["auth"] == "cookie"
        key = (folder / "var/viewer-key").read_text().strip()
        cookie = kit.http.post(f"{kit.url}/session", content=key, headers={"origin": kit.url}).headers["set-cookie"]
        with following(kit.url, headers={"cookie": cookie.partition(";")[0]}) as got, ThreadPoolExecutor(1) as pool:
            calm = publish_through(kit, 20, 10, slug)
            until(lambda: got.ids == calm, "the first events arrive")
            assert median(got.lags_ms) < 100, sorted(got.lags_ms)  # one of a busy machine may be late
            publishing = pool.submit(publish_through, kit, 40, 20, slug)
            time.sleep(0.5)
            os.kill(int((folder / "var/server.lock").read_text()), signal.SIGKILL)
            published = calm + publishing.result()
            until(lambda: got.ids[-1:] == published[-1:], "the last event arrives")
            assert got.ids == published
            began = time.monotonic()
            run.process.terminate()
            assert run.process.wait(kit.settings["drain_s"] + 5) == 0
            assert time.monotonic() - began < kit.settings["drain_s"] + 1
        assert processes_of(kit) == []
    finally:
        run.end()
        kit.http.close()


@pytest.mark.long
def test_a_running_kit_uses_new_files_after_a_crash(tmp_path, nginx, capsys):
    folder = tmp_path / "kit"
    example = TEMPLATES.parent / "rules/examples/notifications.yaml"
    assert cli.main(["recommend", "--answers", str(example), "--kit", str(folder)]) == 0
    assert "is running" not in capsys.readouterr().err
    kit = Lab(folder, json.loads((folder / "settings.json").read_text()))
    (tmp_path / "nginx").symlink_to(nginx)
    run = Started(kit, path=f"{tmp_path}:{os.environ['PATH']}")
    try:
        run.ready()
        token = kit.token
        (tmp_path / "other.yaml").write_text(example.read_text().replace("Acme orders", "Other orders"))
        other = ["recommend", "--answers", str(tmp_path / "other.yaml"), "--kit", str(folder)]
        assert cli.main(other) == 0
        assert f"the kit in {folder} is running; restart it to use the new files" in capsys.readouterr().err
        assert cli.main(other) == 0
        assert "is running" not in capsys.readouterr().err  # nothing was replaced
        url = f"http://127.0.0.1:{kit.edge}"
        for process in ("server", "nginx"):
            pid = "var/server.lock" if process == "server" else "var/nginx.pid"
            os.kill(int((folder / pid).read_text()), signal.SIGKILL)
            until(lambda process=process: f"{process} ended (exit code -9)" in run.text(), f"{process} is missed")
            until(lambda: kit.answers(url), f"{process} is started again")
        assert kit.token == token
        assert kit.http.get(f"{url}/config").json()["project"] == "Other orders"
        run.process.terminate()
        assert run.process.wait(kit.settings["drain_s"] + 5) == 0
    finally:
        run.end()
        kit.http.close()


@pytest.fixture
def start(make_lab, nginx, tmp_path):
    """start(*options) -> (kit, Started), with the wanted nginx first on PATH."""
    runs, kits = [], []
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "nginx").symlink_to(nginx)

    def run(*options, **settings):
        kit = make_lab(run=False, **settings)
        (kit.folder / "nginx").mkdir()
        (kit.folder / "nginx/nginx.conf").write_text(nginx_conf(nginx_version(nginx), kit.settings))
        kits.append(kit)
        runs.append(Started(kit, *options, path=f"{tools}:{os.environ['PATH']}"))
        return kit, runs[-1]

    yield run
    for one in runs:
        one.end()
    for kit in kits:  # none, unless the test has failed
        for pid in processes_of(kit):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.long
def test_one_command_starts_the_kit_and_prints_the_command_that_sends_an_event(start):
    kit, run = start()
    run.ready()
    command = re.search(r"curl [\s\S]*?'\n", run.text())[0]
    url = f"http://127.0.0.1:{kit.edge}"
    with following(url) as got:
        sent = subprocess.run(
            ["sh", "-ec", command.replace("curl ", "curl -sS ")],
            cwd=kit.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        until(lambda: got.ids, "the event arrives")
    assert got.ids[0] in sent.stdout
    assert "app.js" in kit.http.get(url).text  # also where the kit's folder is its owner's alone
    assert kit.token not in run.text()
    run.process.terminate()
    assert run.process.wait(10) == 0
    assert processes_of(kit) == []
    assert not (kit.folder / "var/nginx.pid").exists()
    assert (kit.folder / "var/server.lock").read_text() == ""
    assert not list(kit.folder.glob("server/**/*.pyc"))


@pytest.mark.long
def test_a_server_that_is_killed_is_started_again_and_nothing_is_lost(start):
    kit, run = start()
    run.ready()
    kit.through = f"http://127.0.0.1:{kit.edge}"
    with following(kit.url) as got, ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish_through, kit, 60, 30)
        time.sleep(0.5)
        os.kill(int((kit.folder / "var/server.lock").read_text()), signal.SIGKILL)
        published = publishing.result()
        until(lambda: got.ids[-1:] == published[-1:], "the last event arrives")
    assert got.ids == published
    assert "server ended (exit code -9); starting it again in 0.5 s" in run.text()


@pytest.mark.long
def test_ctrl_c_lets_streams_say_goodbye_through_nginx(start):
    kit, run = start()
    run.ready()
    with following(f"http://127.0.0.1:{kit.edge}") as got:
        os.killpg(run.process.pid, signal.SIGINT)  # as a terminal does: to the whole group
        assert run.process.wait(10) == 0
        until(lambda: "drain" in got.names, "the stream is told")
    assert processes_of(kit) == []


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_nothing_is_left_when_start_py_itself_is_killed(start):
    kit, run = start()
    run.ready()
    run.process.kill()
    run.process.wait()
    until(lambda: processes_of(kit) == [], "server and nginx end", seconds=5)


def test_a_port_in_use_is_named_before_anything_starts(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        kit, run = start("--port", str(port))
        assert run.process.wait(10) == 2
    assert f"port {port}" in run.text()
    assert "Traceback" not in run.text()
    assert processes_of(kit) == []
    assert not (kit.folder / "var/token").exists()


@pytest.mark.long
def test_a_second_start_py_on_other_ports_is_refused_before_it_writes_anything(start):
    kit, first = start("--port", str(free_port()))
    first.ready()
    before = (kit.folder / "var/nginx.conf").read_bytes()
    second = Started(kit, "--port", str(free_port()), "--server-port", str(free_port()))
    assert second.process.wait(20) == 2
    assert f"another start.py (process {first.process.pid}) runs this kit" in second.text()
    assert (kit.folder / "var/nginx.conf").read_bytes() == before
    first.process.kill()
    first.process.wait()
    until(lambda: processes_of(kit) == [], "server and nginx end")
    third = Started(kit, "--port", str(free_port()))
    third.ready()
    for run in (second, third):
        run.end()


@pytest.mark.long
def test_bad_settings_end_start_py_with_the_servers_words(start):
    kit, run = start(history_events=5)
    assert run.process.wait(20) == 2
    assert "history_events: must be a whole number from 100" in run.text()
    assert processes_of(kit) == []


@pytest.mark.long
def test_a_server_that_will_not_start_again_is_not_tried_for_ever(start):
    kit, run = start()
    run.ready()
    (kit.folder / "settings.json").write_text("{}")
    os.kill(int((kit.folder / "var/server.lock").read_text()), signal.SIGKILL)
    assert run.process.wait(10) == 2
    assert "the server will not run" in run.text()
    assert "'project' is missing" in run.text()
    assert processes_of(kit) == []


def test_a_broken_nginx_conf_is_shown_with_nginx_own_words(start):
    kit, run = start()
    run.end()
    (kit.folder / "nginx/nginx.conf").write_text((kit.folder / "nginx/nginx.conf").read_text() + "nonsense;\n")
    again = Started(kit)
    assert again.process.wait(20) == 2
    assert 'unknown directive "nonsense"' in again.text()
    assert processes_of(kit) == []
    again.end()


@pytest.mark.long
def test_without_nginx_the_server_answers_on_the_same_port(start):
    kit, run = start("--no-nginx")
    run.ready()
    assert kit.http.get(f"http://127.0.0.1:{kit.edge}/").text.startswith("<!doctype html>")
    assert not Lab.listens(kit.port)


def test_a_machine_without_nginx_gets_told_what_to_do(make_lab):
    kit = make_lab(run=False)
    program = (
        "import shutil, programs; shutil.which = lambda *a, **k: None; programs.nginx_command('/nowhere/python', {})"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=kit.folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "python3 start.py --no-nginx" in ended.stderr


@pytest.mark.long
def test_a_bare_python_gets_its_packages_into_a_venv_of_the_kit(make_lab):
    kit = make_lab(run=False)
    bare = Path(sys.base_prefix) / "bin/python3"
    out = (kit.folder / "start.out").open("w+")
    run = subprocess.Popen(
        [bare, "-I", "start.py", "--no-nginx", "--port", str(kit.edge)], cwd=kit.folder, stdout=out, stderr=out
    )
    try:
        until(lambda: kit.answers(f"http://127.0.0.1:{kit.edge}") or run.poll() is not None, "the kit starts", 150)
        assert run.poll() is None, (kit.folder / "start.out").read_text()
        assert (kit.folder / ".venv/installed").exists()
    finally:
        run.terminate()
        run.wait(10)
        out.close()
