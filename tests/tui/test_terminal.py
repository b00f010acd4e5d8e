"""The program in a real terminal: start, answer, quit, go on, see the result; and what happens without a terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pty_driver import Driven

from advisor.answers import read
from advisor.portfolio import recommend

COMMAND = f"{sys.executable} -m advisor"


def test_without_a_terminal_it_says_what_to_do_instead_and_never_loads_textual(tmp_path):
    code = (
        "import sys; from advisor.cli import main; code = main(['a.yaml']);"
        "print(code, [m for m in ('textual', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
        cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": Path.cwd()},
    )  # fmt: skip
    assert done.stdout == "2 []\n"
    assert "advisor recommend --answers FILE" in done.stderr


@pytest.fixture
def terminal(tmp_path):
    """A tmux server of its own; `terminal(keys)` types, waits for a text, and gives back the screen."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    sockets = []  # a server each time: one that is going away refuses the next session

    def tmux(*words):
        return subprocess.run(["tmux", "-S", sockets[-1], *words], capture_output=True, text=True, check=True).stdout

    class Terminal:
        def start(self, command, size="120x32"):
            sockets.append(tmp_path / f"tmux-{len(sockets)}")
            width, height = size.split("x")
            env = f"env PYTHONPATH={Path.cwd()} XDG_STATE_HOME={tmp_path} ADVISOR_DEBUG=1"
            line = f"cd {tmp_path} && {env} {command}; echo ended with $?; exec sleep 600"
            tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, line)

        def keys(self, *keys, until):
            for key in keys:
                tmux("send-keys", key)
                time.sleep(0.05)
            return self.wait(until)

        def wait(self, until, seconds=20):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                shown = tmux("capture-pane", "-p")
                if until in shown:
                    return shown
                time.sleep(0.1)
            raise AssertionError(f"{until!r} never came:\n{shown}")

        def resize(self, width, height):
            tmux("resize-window", "-x", str(width), "-y", str(height))

        def kill(self):
            tmux("kill-server")

    yield Terminal()
    for socket in sockets:
        subprocess.run(["tmux", "-S", socket, "kill-server"], capture_output=True, check=False)


@pytest.mark.lab
def test_a_bug_of_ours_ends_at_once_and_loses_no_answer(terminal, tmp_path):
    """The second answer meets a bug; the first one is there again in the next run."""
    code = (
        "import sys, advisor.interview as i; from advisor.cli import main; real = i.Session.answer\n"
        "def answer(self, fact, value):\n"
        "    assert fact != 'background-delivery', 'planted'\n"
        "    return real(self, fact, value)\n"
        "i.Session.answer = answer; sys.exit(main(['orders.yaml']))"
    )
    (tmp_path / "planted.py").write_text(code)
    terminal.start(f"env -u ADVISOR_DEBUG {sys.executable} planted.py")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="live sound")
    terminal.keys("2", until="1 answered")
    shown = terminal.keys("2", until="ended with")
    assert "this is a bug of ours: AssertionError: planted" in shown
    assert "answers so far are kept" in shown
    assert "ended with 70" in shown
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("never saved")


@pytest.mark.lab
def test_start_answer_quit_go_on_and_see_the_result(terminal, tmp_path, base):
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("C-u", "order status", "Enter", until="live sound or video")
    terminal.keys("2", until="app or the page is closed")
    terminal.keys("2", until="What kinds of client")
    terminal.keys("1", "Enter", until="already use")
    shown = terminal.keys("q", until="ended with 0")
    assert "order status: Server-Sent Events" in shown
    assert "Answers saved in orders.yaml. Go on with: advisor orders.yaml" in shown
    project = read(tmp_path / "orders.yaml", base)
    assert project.features[0].facts == {"media": False, "background-delivery": False, "clients": ("browser",)}
    terminal.kill()

    terminal.start(f"{COMMAND} orders.yaml", "80x24")
    shown = terminal.wait("already use")
    assert "3 answered" in shown
    terminal.resize(60, 18)
    terminal.keys("r", until="[1 Result]")
    decided = recommend(project, base)["features"][0]
    terminal.wait(base.patterns[decided["primary"]].title)
    terminal.keys("b", until="already use")
    terminal.keys("q", until="ended with 0")


@pytest.mark.lab
def test_a_terminal_that_goes_away_loses_nothing(terminal, tmp_path):
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="live sound or video")
    terminal.keys("2", until="app or the page is closed")
    terminal.kill()
    assert not (tmp_path / "orders.yaml").exists()
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("never saved")
    assert "1 answered" in terminal.keys("1", until="app or the page is closed")


@pytest.mark.lab
def test_the_mistakes_of_a_file_are_said_at_their_places(terminal, tmp_path):
    (tmp_path / "bad.yaml").write_text("features:\n  - name: a\n    medai: no\n")
    terminal.start(f"{COMMAND} bad.yaml")
    terminal.wait("has 1 mistake")
    shown = terminal.keys("2", until="ended with 2")
    assert "bad.yaml:3:5:" in shown
    assert "media" in shown


@pytest.mark.lab
@pytest.mark.parametrize("way", ["TERM=dumb", "ACCESSIBLE=1"])
def test_a_simple_terminal_gets_the_plain_twin_by_itself(terminal, way):
    terminal.start(f"{way} {COMMAND} plain.yaml")
    terminal.wait("plain prompts")
    terminal.keys("chat", "Enter", until="Does this feature carry live sound or video?")
    terminal.keys("2", "Enter", "q", "Enter", until="ended with 0")


@pytest.mark.lab
def test_the_last_words_can_be_redirected_and_the_program_still_fills_the_terminal(terminal, tmp_path):
    (tmp_path / "a.yaml").write_text("features: [{name: call, media: yes}]\n")
    terminal.start(f"{COMMAND} a.yaml > said.txt", "120x32")
    terminal.wait("Caveats so far")  # the side pane, which narrow terminals do not have
    terminal.keys("q", until="ended with 0")
    assert (tmp_path / "said.txt").read_text().startswith("call: WebRTC (high confidence)\n")


@pytest.mark.lab
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_with_every_screen_opened_it_holds_less_than_90_mb(tmp_path):
    (tmp_path / "three.yaml").write_text(
        "features: [{name: a, clients: [browser]}, {name: b, kind: chat}, {name: c}]\n"
    )
    driven = Driven(["-m", "advisor", "three.yaml"], tmp_path)
    try:
        driven.settle(until="Still possible")
        for key in (
            "0",
            "0",
            "f",
            "b",
            "a",
            "b",
            "r",
            "2",
            "enter",
            "escape",
            "3",
            "4",
            "5",
            "down",
            "down",
            "6",
            "b",
            "e",
        ):
            driven.key(key)
        assert driven.memory() < 90e6
    finally:
        driven.end()
