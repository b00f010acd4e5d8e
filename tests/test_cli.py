"""The command line: what goes to which stream, and which exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.ruleset import editor_schema

ROOT = Path(__file__).resolve().parent.parent
NOTIFICATIONS = ROOT / "rules" / "examples" / "notifications.yaml"


def advisor(*words: str, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    given = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run(
        [sys.executable, "-m", "advisor", *words],
        input=given,
        capture_output=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )


def test_version_and_help_are_data() -> None:
    from advisor import __version__

    assert advisor("--version").stdout.decode() == f"advisor {__version__}\n"
    asked = advisor("--help")
    assert (asked.returncode, asked.stderr) == (0, b"")
    assert b"recommend   recommend a pattern" in asked.stdout


@pytest.mark.parametrize("command", ["recommend", "check", "diff", "new", "explain", "rules", "completion"])
def test_every_command_has_help(command: str) -> None:
    asked = advisor(command, "--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith(f"usage: advisor {command}".encode())


def test_recommend_writes_data_only_to_stdout() -> None:
    ran = advisor("recommend", "--answers", str(NOTIFICATIONS), "--format", "json")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert json.loads(ran.stdout)["features"][0]["primary"] == "sse"


def test_recommend_reads_standard_input() -> None:
    ran = advisor("recommend", "--answers", "-", "--format", "json", stdin=NOTIFICATIONS.read_bytes())
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["project"] == "Acme orders"


@pytest.mark.long
def test_same_answers_give_the_same_bytes() -> None:
    for form in ("text", "markdown", "json", "html"):
        one, two = (
            advisor("recommend", "--answers", str(NOTIFICATIONS), "--format", form, PYTHONHASHSEED=seed)
            for seed in ("1", "2")
        )
        assert one.stdout == two.stdout


@pytest.mark.long
def test_without_a_cache_the_result_is_the_same(tmp_path: Path) -> None:
    words = ("recommend", "--answers", str(NOTIFICATIONS), "--format", "json")
    cached = advisor(*words, ADVISOR_CACHE=str(tmp_path))
    again = advisor(*words, ADVISOR_CACHE=str(tmp_path))
    bare = advisor(*words, ADVISOR_CACHE="")
    assert cached.stdout == again.stdout == bare.stdout
    assert list(tmp_path.rglob("*.json"))


@pytest.mark.long
def test_a_broken_cache_is_ignored(tmp_path: Path) -> None:
    words = ("recommend", "--answers", str(NOTIFICATIONS), "--format", "json")
    good = advisor(*words, ADVISOR_CACHE=str(tmp_path))
    for path in tmp_path.rglob("*.json"):
        path.write_text('{"version": 1}')
    assert advisor(*words, ADVISOR_CACHE=str(tmp_path)).stdout == good.stdout


@pytest.mark.grid
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["recomend"], "unknown command 'recomend'; did you mean recommend?"),
        (["recommend"], "name the answers file, for example: advisor recommend answers.yaml"),
        (["recommend", "--answers", "x", "--fromat", "json"], "did you mean --format?"),
        (["recommend", "--answers", str(NOTIFICATIONS), "--format", "jsn"], "did you mean json?"),
        (["rules", "chek"], "did you mean check?"),
        (["rules", "schema", "answer"], "did you mean answers?"),
        (["rules", "check", "--folder", "/nowhere"], "/nowhere is not a folder"),
        (["explain", "caveat:sse-bufering"], "no caveat is called"),
        (["recommend", "--answers", "missing.yaml"], "missing.yaml: cannot be read"),
        (["recommend", "--answers", "."], "folder"),
    ],
)
def test_wrong_words_are_explained(words: list[str], says: str) -> None:
    ran = advisor(*words)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert says in ran.stderr.decode()
    assert b"Traceback" not in ran.stderr


def test_bad_answers_name_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("features:\n  - name: x\n    binray: yes\n    payload-bytes: -1\n")
    ran = advisor("recommend", "--answers", str(path), "--kit", str(tmp_path / "kit"))
    assert ran.returncode == 2
    lines = ran.stderr.decode().splitlines()
    assert any(line.startswith(f"{path}:3:5: ") and "binary" in line for line in lines)
    assert any(line.startswith(f"{path}:4:20: ") for line in lines)
    assert not (tmp_path / "kit").exists()


@pytest.mark.long
def test_no_pattern_is_exit_3(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    decision = (rules / "decision.yaml").read_text()
    start = decision.index("  - step: one-way\n")
    (rules / "decision.yaml").write_text(decision[:start] + decision[decision.index("accepts:\n") :])
    code = (
        "import os, sys; import advisor.ruleset.cache as k;"
        "k.shipped = lambda kind: os.environ['RULES']; from advisor.cli import main; sys.exit(main())"
    )
    words = ["recommend", "--answers", str(NOTIFICATIONS), "--format", "json"]
    for more in ([], ["--kit", str(tmp_path / "kit")]):  # that there is no kit either changes nothing
        ran = subprocess.run(
            [sys.executable, "-c", code, *words, *more],
            capture_output=True,
            check=False,
            cwd=ROOT,
            timeout=60,
            env={**os.environ, "RULES": str(rules)},
        )
        assert ran.returncode == 3, ran.stderr
        assert json.loads(ran.stdout)["features"][0]["primary"] is None


def test_no_terminal_is_refused_before_textual_is_loaded() -> None:
    code = (
        "import sys; from advisor.cli import main; code = main([]);"
        "print([m for m in ('textual', 'rich', 'pydantic', 'yaml', 'jinja2') if m in sys.modules]); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], input=b"", capture_output=True, check=False, cwd=ROOT, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (2, b"[]\n")
    assert b"advisor recommend FILE" in ran.stderr


def test_a_closed_pipe_ends_quietly() -> None:
    line = f"{sys.executable} -m advisor rules schema decision | head -n 1"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, check=False, cwd=ROOT, timeout=60)
    assert (ran.stdout, ran.stderr) == (b"{\n", b"")


def test_interrupt_is_130(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with subprocess.Popen(
        [sys.executable, "-m", "advisor", "recommend", "--answers", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        time.sleep(1.5)  # it waits for its standard input by now
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"Traceback" not in said


def test_new_writes_a_valid_file_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    assert advisor("new", str(path)).returncode == 0
    assert advisor("recommend", "--answers", str(path)).returncode == 0
    before = path.read_bytes()
    again = advisor("new", str(path))
    assert again.returncode == 2
    assert b"already exists and was not changed" in again.stderr
    assert path.read_bytes() == before
    assert advisor("new", "-").stdout == before


def test_rules_check_is_clean_and_counts_waivers() -> None:
    ran = advisor("rules", "check")
    assert ran.returncode == 0, ran.stdout.decode()
    assert "0 findings, " in ran.stdout.decode()
    assert "waived" in ran.stdout.decode()


@pytest.mark.long
def test_rules_check_shows_place_and_witness(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    path = rules / "decision.yaml"
    path.write_text(path.read_text().replace("when: {media: yes}", "when: {media: yes, binary: yes}", 1))
    ran = advisor("rules", "check", "--folder", str(rules))
    assert ran.returncode == 1
    assert "EXAMPLE" in ran.stdout.decode()
    assert "rules/decision.yaml:" in ran.stdout.decode()


@pytest.mark.grid
@pytest.mark.parametrize("name", editor_schema.NAMES)
def test_schemas_are_valid_and_fit_the_shipped_files(name: str) -> None:
    from jsonschema import Draft202012Validator

    from advisor.yamlio import nodes

    schema = json.loads(advisor("rules", "schema", name).stdout)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    files = {
        "answers": sorted((ROOT / "rules" / "examples").glob("*.yaml")),
        "boundaries": sorted((ROOT / "rules" / "boundaries").glob("*.yaml")),
        "caveats": sorted((ROOT / "rules" / "caveats").glob("*.yaml")),
        "platforms": sorted((ROOT / "rules" / "platforms").glob("*.yaml")),
        "verdict": [],
    }.get(name, [ROOT / "rules" / f"{name}.yaml"])
    for path in files:
        data = nodes.plain(nodes.parse(path.read_text("utf-8"), path.name))
        errors = [f"{'.'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(data)]
        assert errors == [], path.name


def test_the_schema_of_a_rules_file_is_printed_while_the_rules_have_a_mistake(tmp_path):
    """Somebody who writes a card wrongly asks for the keys that it may have."""
    rules = shutil.copytree(ROOT / "rules", tmp_path / "rules")
    (rules / "platforms" / "mine.yaml").write_text("name: Mine\nlimits: {buffering: {value: no}}\n")
    ran = advisor("rules", "schema", "platforms", "--folder", str(rules))
    assert (ran.returncode, "buffering" in json.loads(ran.stdout)["properties"]) == (0, True)
    assert b"the rules have mistakes" in ran.stderr
    ran = advisor("rules", "schema", "answers", "--folder", str(rules))
    assert (ran.returncode != 0, ran.stdout) == (True, b"")


def test_an_editor_schema_underlines_a_wrong_fact() -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads(advisor("rules", "schema", "decision").stdout)
    rule = {
        "id": "x", "exclude": "sse", "when": {"binray": "yes"}, "because": "b",
        "evidence": [{"judgement": "j"}], "examples": [{"given": {}, "expect": "sse"}],
    }  # fmt: skip
    bad = {"excludes": [rule], "steps": [{"step": "s", "title": "t"}], "accepts": []}
    assert list(Draft202012Validator(schema).iter_errors(bad))
    rule["when"] = {"binary": "yes"}
    assert not list(Draft202012Validator(schema).iter_errors(bad))
    for without in ({**rule, "evidence": []}, {k: v for k, v in rule.items() if k != "evidence"}):
        assert list(Draft202012Validator(schema).iter_errors({**bad, "excludes": [without]}))
