"""The words of the command line: files in their place, one look at a what-if, differences, completion, help."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import man_page
import pytest
from support.cli_run import advisor

from advisor.commands import COMMANDS
from advisor.commands.completion import words_of

ROOT = Path(__file__).resolve().parent.parent
NOTIFICATIONS = "rules/examples/notifications.yaml"
TWO = """\
project: two
features:
  - name: prices
    bidirectional-realtime: no
    server-msg-rate-per-s: 2
    clients: [browser]
  - name: chat
    kind: chat
    bidirectional-realtime: yes
"""


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(TWO, encoding="utf-8")
    return path


def decided(*words):
    ran = advisor("recommend", *words, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    return {feature["name"]: feature["primary"] for feature in json.loads(ran.stdout)["features"]}


def test_the_file_is_a_word_of_its_own_or_follows_answers(two):
    assert decided(str(two)) == decided("--answers", str(two)) == {"prices": "sse", "chat": "websocket"}
    for words in ([], [str(two), "--answers", str(two)]):
        ran = advisor("recommend", *words)
        assert ran.returncode == 2
        assert "name the answers file" in ran.stderr
        assert "advisor recommend answers.yaml" in ran.stderr


def test_a_what_if_holds_for_all_features_or_for_the_named_one(two):
    late = "latency-need-ms=300000"
    assert decided(str(two), "--set", late, "--set", "bidirectional-realtime=no") == {
        "prices": "short-polling",
        "chat": "short-polling",
    }
    assert decided(str(two), "--set", "bidirectional-realtime=yes", "--feature", "Prices") == {"prices": "websocket"}
    assert decided(str(two)) == {"prices": "sse", "chat": "websocket"}  # the file is as it was


@pytest.mark.grid
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "latency-need-ms"], "write FACT=VALUE"),
        (["--set", "latency-ned-ms=5"], "did you mean latency-need-ms?"),
        (["--set", "latency-need-ms=fast"], "--set latency-need-ms:1:1"),
        (["--set", "clients=[browser"], "--set clients:1:"),
        (["--feature", "price"], "did you mean prices?"),
        (["--feature", "zzz"], 'the features are "prices", "chat"'),
        (["--format", "pdf"], "'pdf' is not one of text, markdown, json, html"),
    ],
)
def test_wrong_words_are_refused_with_what_to_write(two, words, said):
    ran = advisor("recommend", str(two), *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr


@pytest.mark.long
def test_a_report_goes_into_a_file_and_a_kit_without_a_report(two, tmp_path):
    printed = advisor("recommend", str(two), "--format", "markdown").stdout
    ran = advisor("recommend", str(two), "--format", "markdown", "-o", str(tmp_path / "x.md"))
    assert (ran.returncode, ran.stdout) == (0, "")
    assert (tmp_path / "x.md").read_text(encoding="utf-8") == printed
    ran = advisor("recommend", str(two), "--quiet", "--kit", str(tmp_path / "kit"))
    assert (ran.returncode, ran.stdout) == (0, "")
    assert (tmp_path / "kit/start.py").exists()
    ran = advisor("recommend", str(two), "-o", str(tmp_path / "no/such/x.md"))
    assert ran.returncode == 2
    assert "cannot be written" in ran.stderr


def test_check_reads_and_decides_nothing(two, tmp_path):
    ran = advisor("check", str(two), NOTIFICATIONS)
    assert (ran.returncode, ran.stdout, ran.stderr.count("no mistake")) == (0, "", 2)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(TWO.replace("kind: chat", "kind: chatt"), encoding="utf-8")
    ran = advisor("check", str(wrong), str(two))
    assert ran.returncode == 2
    assert f"{wrong}:8:11: kind:" in ran.stderr


# --- diff -------------------------------------------------------------------------------------------------------------


def test_diff_says_which_pattern_caveats_and_files_change(two, tmp_path):
    assert (advisor("diff", str(two), str(two)).returncode, advisor("diff", str(two), str(two)).stdout) == (0, "")
    other = tmp_path / "other.yaml"
    other.write_text(TWO.replace("bidirectional-realtime: yes", "bidirectional-realtime: no") + "  - name: new\n")
    ran = advisor("diff", str(two), str(other))
    assert ran.returncode == 1
    lines = ran.stdout.splitlines()
    assert "chat: WebSocket -> Server-Sent Events" in lines
    assert any(line.startswith("new: new: ") for line in lines)
    assert any(line.startswith("chat: no longer: ") for line in lines)
    assert any(re.match(r"kit: \d+ files? (changed|no longer): ", line) for line in lines)
    assert "answers.yaml" not in ran.stdout  # it holds the answers, which are what was changed
    assert "new: removed" in advisor("diff", str(other), str(two)).stdout.splitlines()


@pytest.mark.long
def test_diff_compares_two_versions_of_the_rules(two, tmp_path):
    old = shutil.copytree(ROOT / "rules", tmp_path / "rules")
    assert advisor("diff", str(two), str(two), "--rules", str(old), "--rules", str(ROOT / "rules")).returncode == 0
    decision = old / "decision.yaml"
    text = decision.read_text(encoding="utf-8")
    assert text.count("    when: {buffering-intermediary: yes}\n") == 1  # the exclusion of held-back streams
    decision.write_text(
        text.replace("when: {buffering-intermediary: yes}\n", "when: {buffering-intermediary: no}\n"), "utf-8"
    )
    ran = advisor("diff", NOTIFICATIONS, NOTIFICATIONS, "--rules", str(old), "--rules", str(ROOT / "rules"))
    assert ran.returncode == 1, ran.stderr
    assert "order notifications: none -> Server-Sent Events" in ran.stdout.splitlines()  # no rule asks for another
    assert advisor("diff", str(two), str(two), "--rules", "no-such").returncode == 2


# --- help, completion, the pager --------------------------------------------------------------------------------------


@pytest.mark.long
def test_every_command_has_help_with_an_example_that_starts_with_it():
    summary = advisor("--help").stdout
    for command in COMMANDS:
        assert f"  {command} " in summary
        shown = advisor("help", command).stdout
        assert shown == advisor(command, "--help").stdout
        examples = import_module(f"advisor.commands.{command}").parser().examples
        assert examples
        assert all(example in shown and "advisor " in example for example in examples)
    assert advisor("-V").stdout == advisor("--version").stdout


def test_bash_completes_commands_options_values_and_ids(tmp_path):
    script = tmp_path / "advisor.bash"
    script.write_text(advisor("completion", "bash").stdout, encoding="utf-8")

    def completed(*words):
        code = f"source {script}; COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; _advisor; "
        ran = subprocess.run(
            ["bash", "-c", code + 'printf "%s\\n" "${COMPREPLY[@]}"'],
            capture_output=True, text=True, check=True, timeout=20, cwd=tmp_path,
        )  # fmt: skip
        return ran.stdout.split()

    assert set(COMMANDS) <= set(completed("advisor", ""))
    assert completed("advisor", "reco") == ["recommend"]
    assert completed("advisor", "recommend", "--form") == ["--format"]
    assert completed("advisor", "recommend", "--format", "m") == ["markdown"]
    assert "sse-buffering" in completed("advisor", "explain", "sse-b")
    (tmp_path / "answers.yaml").touch()
    assert completed("advisor", "recommend", "ans") == ["answers.yaml"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completions_name_every_command_and_option_and_parse(shell, tmp_path):
    script = tmp_path / f"advisor.{shell}"
    script.write_text(advisor("completion", shell).stdout, encoding="utf-8")
    text = script.read_text(encoding="utf-8")
    for command in COMMANDS:
        assert command in text
        for word in words_of(command):
            assert not word.name or word.name.removeprefix("--") in text
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(script)], check=True, timeout=20)


@pytest.mark.grid
@pytest.mark.parametrize(("more", "pager"), [([], ""), (["--no-pager"], ""), ([], "less '")])
def test_a_long_report_goes_through_the_pager_on_a_terminal_only(tmp_path, more, pager):
    """PAGER marks what passes it; a terminal has 24 lines."""
    marking = tmp_path / "marking"
    marking.write_text("#!/bin/sh\nsed 's/^/PAGED /'\n")
    marking.chmod(0o755)
    answers, screen = pty.openpty()
    command = [sys.executable, "-m", "advisor", "recommend", NOTIFICATIONS, "--color", "never", *more]
    environment = {**os.environ, "PAGER": pager or str(marking), "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=screen, stderr=subprocess.DEVNULL, cwd=ROOT, env=environment)
    os.close(screen)
    shown = b""
    while True:
        try:
            part = os.read(answers, 1 << 16)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(answers)
    assert process.wait(30) == 0
    assert (b"PAGED " in shown) == (not more and not pager)
    assert b"order notifications" in shown
    assert b"PAGED" not in subprocess.run(
        command, capture_output=True, cwd=ROOT, env=environment, timeout=60, check=True
    ).stdout  # fmt: skip


def test_the_manual_page_is_fresh_and_has_every_option():
    text = man_page.PAGE.read_text(encoding="utf-8")
    assert text == man_page.page(), "run: python tests/man_page.py"
    plain = text.replace("\\-", "-")
    for command in COMMANDS:
        assert command.upper() in text
        assert all(word.name in plain for word in words_of(command))
    if shutil.which("groff"):
        ran = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-z", str(man_page.PAGE)],
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        assert ran.stderr == ""


# --- graphs -----------------------------------------------------------------------------------------------------------


def test_the_graph_of_answers_shows_each_feature_with_its_deciding_rule(two):
    drawn = advisor("rules", "graph", "--answers", str(two)).stdout
    verdict = json.loads(advisor("recommend", str(two), "--format", "json").stdout)
    assert drawn.startswith("flowchart TD\n")
    assert drawn.count("subgraph") == len(verdict["features"])
    for feature in verdict["features"]:
        rule = next(step["rule"] for step in feature["steps"] if step["state"] == "decided")
        assert rule in drawn
    assert len(drawn.splitlines()) < 60


def test_a_step_is_drawn_alone():
    whole = advisor("rules", "graph").stdout
    part = advisor("rules", "graph", "one-way").stdout
    assert part.startswith("flowchart TD\n")
    assert len(part.splitlines()) < len(whole.splitlines()) / 4
    ran = advisor("rules", "graph", "one-wy")
    assert (ran.returncode, "did you mean one-way?" in ran.stderr) == (2, True)
