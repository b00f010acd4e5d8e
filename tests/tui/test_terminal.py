"""The program in a real terminal: start, answer, quit, go on, see the result; and what happens without a terminal."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from httpx_sse import connect_sse
from support.pty_driver import Driven
from tmux import Terminal

from advisor.answers.file import read
from advisor.answers.read_fact import wrong_text
from advisor.engine.portfolio import recommend
from advisor.interview.session import Session

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
    assert "advisor recommend FILE" in done.stderr


@pytest.fixture
def terminal(tmp_path):
    """A terminal to type into; its servers end with the test."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    made = Terminal(tmp_path)
    yield made
    made.end()


@pytest.mark.long
@pytest.mark.lab
def test_a_bug_of_ours_ends_at_once_and_loses_no_answer(terminal, tmp_path):
    """The second answer meets a bug; the first one is there again in the next run."""
    code = (
        "import sys; from advisor.interview import session as i; from advisor.cli import main\n"
        "real = i.Session.answer\n"
        "def answer(self, fact, value):\n"
        "    assert fact != 'concurrent-clients', 'planted'\n"
        "    return real(self, fact, value)\n"
        "i.Session.answer = answer; sys.exit(main(['orders.yaml']))"
    )
    (tmp_path / "planted.py").write_text(code)
    terminal.start(f"env -u ADVISOR_DEBUG {sys.executable} planted.py")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="describes the feature best")
    terminal.keys("3", until="1 answered")
    terminal.keys("?", until="How many clients are connected")
    shown = terminal.keys("?", until="ended with")
    assert "internal error: AssertionError: planted" in shown
    assert "Your answers are kept" in shown
    assert "ended with 70" in shown
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("Found unsaved answers")


@pytest.mark.lab
def test_start_answer_quit_go_on_and_see_the_result(terminal, tmp_path, base):
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("order status", "Enter", until="describes the feature best")
    terminal.keys("3", until="usually has these answers")
    terminal.keys("y", until="How many clients are connected")
    terminal.keys("2", "0", "Enter", until="occupy a thread")
    shown = terminal.keys("q", until="ended with 0")
    assert "order status: Server-Sent Events" in shown
    assert "Answers saved in orders.yaml. To continue: advisor orders.yaml" in shown
    project = read(tmp_path / "orders.yaml", base)
    confirmed = Session.new(base, "a").answer("kind", "dashboard").confirm()
    assert project.features[0].facts == {**confirmed.feature.facts, "concurrent-clients": 20}
    terminal.kill()

    terminal.start(f"{COMMAND} orders.yaml", "80x24")
    shown = terminal.wait("occupy a thread")
    assert f"{len(project.answers(project.features[0]))} answered" in shown
    terminal.resize(60, 18)
    terminal.keys("r", until="[1 Result]")
    decided = recommend(project, base)["features"][0]
    terminal.wait(base.patterns[decided["primary"]].title)
    terminal.keys("b", until="occupy a thread")
    terminal.keys("q", until="ended with 0")


@pytest.mark.lab
@pytest.mark.long
def test_a_terminal_that_goes_away_loses_nothing(terminal, tmp_path):
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="describes the feature best")
    terminal.keys("3", until="usually has these answers")
    terminal.kill()
    assert not (tmp_path / "orders.yaml").exists()
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("Found unsaved answers")
    assert "1 answered" in terminal.keys("1", until="usually has these answers")


@pytest.mark.lab
def test_the_mistakes_of_a_file_are_said_at_their_places(terminal, tmp_path):
    (tmp_path / "bad.yaml").write_text("features:\n  - name: a\n    medai: no\n")
    terminal.start(f"{COMMAND} bad.yaml")
    terminal.wait("could be read except for 1 mistake")
    shown = terminal.keys("2", until="ended with 2")
    assert "bad.yaml:3:5:" in shown
    assert "media" in shown


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.lab
@pytest.mark.parametrize("way", ["TERM=dumb", "ACCESSIBLE=1"])
def test_a_simple_terminal_gets_the_plain_twin_by_itself(terminal, way):
    terminal.start(f"{way} {COMMAND} plain.yaml")
    terminal.wait("plain prompts")
    terminal.keys("chat", "Enter", until="Use the name that your team uses")
    terminal.keys("2", "Enter", "q", "Enter", until="ended with 0")


@pytest.mark.long
@pytest.mark.lab
def test_the_last_words_can_be_redirected_and_the_program_still_fills_the_terminal(terminal, tmp_path):
    (tmp_path / "a.yaml").write_text("features: [{name: call, media: yes}]\n")
    terminal.start(f"{COMMAND} a.yaml > said.txt", "120x32")
    terminal.wait("Caveats so far")  # the side pane, which narrow terminals do not have
    terminal.keys("q", until="ended with 0")
    assert (tmp_path / "said.txt").read_text().startswith("call: WebRTC (medium confidence)\n")


@pytest.mark.long
@pytest.mark.lab
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_with_every_screen_opened_it_holds_less_than_90_mb(tmp_path):
    (tmp_path / "three.yaml").write_text(
        "features: [{name: a, clients: [browser]}, {name: b, kind: chat}, {name: c}]\n"
    )
    warm = [sys.executable, "-m", "advisor", "recommend", "--answers", "three.yaml", "--kit", "kit"]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    subprocess.run(warm, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True)  # fills the cache
    driven = Driven(["-m", "advisor", "three.yaml"], tmp_path)
    try:
        driven.settle(until="Still possible")
        driven.settle(limit=1)  # a key before the whole picture would be dropped
        for key in (
            "?",
            "?",
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


def two_free_ports():
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@pytest.mark.long
@pytest.mark.lab
def test_the_whole_way_from_nothing_to_an_event_that_flows_through_the_exported_kit(terminal, tmp_path, base):
    """Start, answer, quit, go on, export, start the kit in the same terminal, subscribe, publish what it says."""
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("orders", "Enter", until="describes the feature best")
    terminal.keys("3", until="usually has these answers")
    terminal.keys("y", until="How many clients are connected")
    terminal.keys("q", until="ended with 0")
    with (tmp_path / "orders.yaml").open("a") as file:
        file.write("# kept\n")
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("How many clients are connected")
    terminal.keys("2", "0", "Enter", until="occupy a thread")
    terminal.keys("e", until="decision record")
    terminal.keys("w", until="would be replaced")
    terminal.keys("y", until="Start it with: python3")
    terminal.keys("Escape", until="decision record")
    terminal.wait("Start it with", gone=True)
    terminal.keys("Escape", until="occupy a thread")
    terminal.keys("q", until="ended with 0")
    text = (tmp_path / "orders.yaml").read_text()
    assert "    concurrent-clients: 20\n" in text
    assert text.endswith("\n# kept\n")
    assert read(tmp_path / "orders.yaml", base).features[0].facts["concurrent-clients"] == 20
    assert (tmp_path / "DECISION.md").is_file()

    port, behind = two_free_ports()
    terminal.start(f"{sys.executable} kit/start.py --no-proxy --port {port} --server-port {behind}")
    shown = terminal.wait("The kit runs")
    url = f"http://localhost:{port}"
    kind = re.search(r'"type":"([^"]+)"', shown)[1]
    token, key = ((tmp_path / "kit/var" / name).read_text().strip() for name in ("token", "viewer-key"))
    with httpx.Client(base_url=url, timeout=30) as client:
        assert client.post("/session", content=key, headers={"origin": url}).is_success
        with connect_sse(client, "GET", "/events") as source:
            events = source.iter_sse()
            assert next(events).event == "hello"
            body = {"type": kind, "data": {"text": "it flows"}}
            headers = {"authorization": f"Bearer {token}"}
            assert httpx.post(f"{url}/publish", json=body, headers=headers, timeout=30).is_success
            got = next(event for event in events if event.data and "it flows" in event.data)
            assert got.json()["data"] == {"text": "it flows"}
    terminal.keys("C-c", until="ended with 0")


# --- what may happen to a terminal ------------------------------------------------------------------------------------


def left_behind(tmp_path, base):
    """The answers of the one feature in the recovery file."""
    return read(tmp_path / ".orders.yaml.recovery", base).features[0].facts


@pytest.mark.long
@pytest.mark.lab
@pytest.mark.parametrize("plain", ["", pytest.param("--plain ", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "sent", [signal.SIGHUP, *(pytest.param(sent, marks=pytest.mark.long) for sent in (signal.SIGTERM, signal.SIGKILL))]
)
def test_a_hang_up_and_a_kill_lose_nothing(terminal, tmp_path, base, plain, sent):
    enter = ["Enter"] if plain else []
    terminal.start(f"{COMMAND} {plain}orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="Use the name that your team uses")
    terminal.keys("3", *enter, until="usually has these answers")
    (running,) = terminal.processes()
    os.kill(running, sent)
    terminal.wait("ended with")
    assert not (tmp_path / "orders.yaml").exists()
    assert left_behind(tmp_path, base) == {"kind": "dashboard"}
    terminal.kill()
    terminal.start(f"{COMMAND} {plain}orders.yaml")
    terminal.wait("Found unsaved answers")
    assert "1 answered" in terminal.keys("1", *enter, until="usually has these answers")
    terminal.keys("q", *enter, until="ended with 0")
    assert [path.name for path in tmp_path.glob("*orders*")] == ["orders.yaml"]


@pytest.mark.long
@pytest.mark.lab
def test_stopped_brought_back_and_killed_it_loses_nothing(terminal, tmp_path, base):
    """Under a shell with job control, as people have it."""
    terminal.start("true", after="env PS1='ready> ' bash --norc -i")
    terminal.wait("ready>")
    terminal.type(f"PYTHONPATH={Path.cwd()} XDG_STATE_HOME={tmp_path} {COMMAND} orders.yaml")
    terminal.keys("Enter", until="feature 1")
    terminal.keys("Enter", until="describes the feature best")
    terminal.keys("3", until="usually has these answers")
    terminal.keys("C-z", until="Stopped")
    assert left_behind(tmp_path, base) == {"kind": "dashboard"}
    terminal.resize(90, 30)
    terminal.type("fg")
    terminal.keys("Enter", until="usually has these answers")
    terminal.keys("y", until="How many clients are connected")
    terminal.keys("C-z", until="Stopped")
    terminal.type("kill -9 %1; wait; echo it is gone")
    terminal.keys("Enter", until="\nit is gone")
    confirmed = Session.new(base, "a").answer("kind", "dashboard").confirm()
    assert left_behind(tmp_path, base) == confirmed.feature.facts


@pytest.mark.long
@pytest.mark.lab
def test_ctrl_c_does_not_end_it_and_ctrl_q_keeps_the_answers_for_the_next_run(terminal, tmp_path, base):
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="describes the feature best")
    terminal.keys("3", until="usually has these answers")
    terminal.keys("C-c", until="usually has these answers")
    assert terminal.processes()
    shown = terminal.keys("C-q", until="ended with 0")
    assert "not saved in a file; the next" in shown
    assert left_behind(tmp_path, base) == {"kind": "dashboard"}


@pytest.mark.lab
@pytest.mark.long
def test_ctrl_c_in_the_plain_twin_saves_and_exits_130(terminal, tmp_path, base):
    terminal.start(f"{COMMAND} --plain orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="Use the name that your team uses")
    terminal.keys("3", "Enter", until="usually has these answers")
    terminal.keys("C-c", until="ended with 130")
    assert read(tmp_path / "orders.yaml", base).features[0].facts == {"kind": "dashboard"}


HOSTILE = ["[red]boom[/red]", "\u202eevil", "\U0001f469\u200d\U0001f4bb app", "e\u0301 \u4e16\u754c", "'; rm -rf ~ #"]


@pytest.mark.long
@pytest.mark.lab
def test_a_pasted_megabyte_and_hostile_names_are_text_or_refused_in_words(terminal, tmp_path, base):
    """Pasted into the field for a name; what stands there then is what was pasted, or nothing and the reason."""
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.paste("x" * 1_000_000)
    terminal.keys("Enter", until="the maximum is 200")
    terminal.keys("C-u", until="name of the first feature")
    terminal.type("orders")
    terminal.keys("Enter", until="describes the feature best")
    taken = ["orders"]
    for name in HOSTILE:
        terminal.keys("n", until="name of the next feature")
        terminal.paste(name)  # over the name that is offered
        if wrong_text(name):
            terminal.keys("Enter", until="write one line")
            terminal.keys("Escape", until="n new  q quit")
            terminal.wait("name of the next feature", gone=True)
        else:
            taken.append(name)
            terminal.keys("Enter", until=f"({len(taken)} of {len(taken)})")
    terminal.keys("q", until="ended with 0")
    assert [feature.name for feature in read(tmp_path / "orders.yaml", base).features] == taken


@pytest.mark.lab
@pytest.mark.long
def test_every_screen_survives_every_size_while_it_is_open(terminal):
    terminal.start(f"{COMMAND} orders.yaml")
    terminal.wait("feature 1")
    terminal.keys("Enter", until="describes the feature best")
    screens = [("a", "All answers", "Escape"), ("r", "Recommendation", "b"), ("F1", "Up and down scroll", "Escape"),
               ("n", "name of the next feature", "Escape"), ("f", "All features of", "Escape"),
               ("C-p", "Undo the last", "Escape"), ("e", "answers file", "Escape")]  # fmt: skip
    for opening, text, closing in screens:
        terminal.keys(opening, until=text)
        for width, height in ((20, 6), (200, 60), (60, 18), (120, 32)):
            terminal.resize(width, height)
            time.sleep(0.2)
        terminal.wait(text)
        terminal.keys(closing, until="n new  q quit")
        terminal.wait(text, gone=True)
    terminal.keys("3", until="usually has these answers")
    terminal.keys("q", until="ended with 0")


@pytest.mark.lab
@pytest.mark.long
def test_a_file_with_mistakes_is_shown_with_them_and_mended_in_the_terminal(terminal, tmp_path, base):
    text = "features:\n  - name: a\n    medai: no\n    clients: [browser]\n"
    (tmp_path / "bad.yaml").write_text(text)
    terminal.start(f"{COMMAND} bad.yaml")
    assert "bad.yaml:3:5:" in terminal.wait("did you mean media?")
    terminal.keys("1", until="describes the feature best")
    terminal.keys("3", until="usually has these answers")
    terminal.keys("q", until="rewrite it")
    assert (tmp_path / "bad.yaml").read_text() == text
    terminal.keys("2", until="ended with 0")
    assert read(tmp_path / "bad.yaml", base).features[0].facts == {"kind": "dashboard", "clients": ("browser",)}
    assert (tmp_path / "bad.yaml.bak").read_text() == text


@pytest.mark.lab
def test_what_is_no_text_is_refused_before_anything_is_drawn(terminal, tmp_path):
    (tmp_path / "photo.yaml").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    terminal.start(f"{COMMAND} photo.yaml")
    assert "photo.yaml:1:1: the byte 0x89 is not UTF-8" in terminal.wait("ended with 2")
