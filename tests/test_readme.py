"""The README tells the truth: its commands, its transcript, its example and its list of commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def block(marker: str) -> str:
    found = re.search(rf"<!-- {marker} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found is not None, marker
    return found[1]


def recommend(*words: str) -> str:
    command = [sys.executable, "-m", "advisor", "recommend", *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    return ran.stdout


def test_the_transcript_is_what_the_first_command_prints() -> None:
    """Lines of the transcript are in the real output, in this order; `[...]` marks what was left out."""
    printed = iter(recommend("--answers", "rules/examples/notifications.yaml").splitlines())
    shown = [line for line in block("transcript").splitlines() if line.strip() != "[...]"]
    missing = [line for line in shown if line not in printed]
    assert missing == []
    assert len(shown) > 20


def test_the_first_command_names_the_shipped_example() -> None:
    assert "--answers rules/examples/notifications.yaml --kit my-kit" in block("first-command")


def test_the_test_command_installs_what_the_tests_need() -> None:
    assert "'.[test,lab]'" in block("test-command")
    assert block("test-command").rstrip().endswith("-m pytest -n auto")


def test_the_answers_file_of_the_readme_is_valid(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert example is not None
    path = tmp_path / "answers.yaml"
    path.write_text(example[1])
    assert "order status" in recommend("--answers", str(path))


def test_every_command_stands_in_the_readme() -> None:
    from advisor.commands import COMMANDS

    for command in COMMANDS:
        assert f"`advisor {command}" in README


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target
