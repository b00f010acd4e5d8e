"""The command line runs wherever Python does: without what only Unix has, in any encoding, with any name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from advisor.base import folder
from advisor.base.text import shell_word
from advisor.kit.build import build

ROOT = Path(__file__).resolve().parent.parent
NOTIFICATIONS = ROOT / "rules" / "examples" / "notifications.yaml"
WITHOUT_UNIX = ROOT / "tests" / "support" / "as_on_windows.py"
CHINESE = "project: 中文 → café\nfeatures:\n  - name: 订单 “état”\n    bidirectional-realtime: no\n"
NAMES = ("CON", "NUL", "con.txt", "a:b", "COM1", "aux.", "trailing ", "dot.", "x/../y", "a\\b", "q?*<>|")


def started(command: list[str], at: Path, given: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "XDG_STATE_HOME": str(at / "state"), "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(
        [sys.executable, *command], input=given, capture_output=True, timeout=90, cwd=at, env=environment, check=False
    )


def ours(*words: str, at: Path, given: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    return started(["-m", "advisor", *words], at, given, **more)


def elsewhere(*words: str, at: Path, given: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    """The same on a system without what only Unix has."""
    return started([str(WITHOUT_UNIX), *words], at, given, **more)


def content(kit: Path) -> dict[str, bytes]:
    return {path.relative_to(kit).as_posix(): path.read_bytes() for path in kit.rglob("*") if path.is_file()}


# --- without Unix -----------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["explain", "sse-buffering"],
        ["new", "-"],
        ["rules", "check"],
        ["rules", "graph"],
        ["rules", "schema"],
        ["rules", "stale", "--today", "2026-11-24"],
        *(["recommend", "--answers", str(NOTIFICATIONS), "--format", f] for f in ("text", "markdown", "json", "html")),
    ],
    ids=lambda words: "-".join(words[:2]) + words[-1][-8:],
)
def test_a_command_says_the_same_without_unix(words: list[str], tmp_path: Path) -> None:
    here, there = ours(*words, at=tmp_path), elsewhere(*words, at=tmp_path)
    assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)
    assert there.stdout


@pytest.mark.long
def test_a_kit_is_written_and_replaced_without_unix(tmp_path: Path) -> None:
    words = ("recommend", "--answers", str(NOTIFICATIONS), "--kit")
    assert ours(*words, "here", at=tmp_path).returncode == 0
    (tmp_path / "there").mkdir()  # Windows does not rename onto it
    for _ in range(2):
        ran = elsewhere(*words, "there", at=tmp_path)
        assert ran.returncode == 0, ran.stderr.decode()
        assert content(tmp_path / "there") == content(tmp_path / "here")
    assert b"of the kit are in there" in ran.stderr
    (tmp_path / "there" / "README.md").write_text("mine")
    (tmp_path / "there" / "var").mkdir()
    (tmp_path / "there" / "var" / "token").write_text("secret")
    ran = elsewhere(*words, "there", at=tmp_path)
    assert (ran.returncode, b"README.md (changed)" in ran.stderr) == (2, True)
    ran = elsewhere(*words, "there", "--force", at=tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    assert content(tmp_path / "there") == {**content(tmp_path / "here"), "var/token": b"secret"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there"]


@pytest.mark.long
def test_the_interview_saves_and_recovers_without_unix(tmp_path: Path) -> None:
    assert elsewhere("new", "blank.yaml", at=tmp_path).returncode == 0
    ran = elsewhere("--plain", "a.yaml", at=tmp_path, given=b"orders\n2\nleave\n")
    assert (ran.returncode, (tmp_path / "a.yaml").exists()) == (0, False)
    assert (tmp_path / ".a.yaml.recovery").exists()
    ran = elsewhere("--plain", "a.yaml", at=tmp_path, given=b"1\nq\n")
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"Found unsaved answers from an earlier interview." in ran.stdout
    assert "kind: live-feed" in (tmp_path / "a.yaml").read_text("utf-8")
    assert not (tmp_path / ".a.yaml.recovery").exists()
    ran = elsewhere("--plain", "a.yaml", at=tmp_path, given=b"record D.md\nremove\nu\nq\n")
    assert ran.returncode == 0, ran.stderr.decode()
    assert (tmp_path / "D.md").exists()


@pytest.mark.grid
@pytest.mark.parametrize("path", ["start.py", "server/__main__.py"])
def test_a_kit_says_in_one_line_what_it_needs(path: str, tmp_path: Path) -> None:
    assert ours("recommend", "--answers", str(NOTIFICATIONS), "--kit", "kit", at=tmp_path).returncode == 0
    code = f"import as_on_windows, runpy; as_on_windows.take_away(); runpy.run_path({path!r}, run_name='__main__')"
    ran = started(["-c", code], tmp_path / "kit", PYTHONPATH=f"{WITHOUT_UNIX.parent}{os.pathsep}.")
    assert ran.returncode != 0
    (said,) = ran.stderr.decode().splitlines()
    assert "needs Linux or macOS" in said
    readme = (tmp_path / "kit" / "README.md").read_text("utf-8")
    assert [line for line in readme.splitlines() if "Linux or macOS" in line and "Python 3.11" in line]


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8", "cp437"])
@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_letters_that_the_output_lacks_are_escaped(form: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CHINESE, "utf-8")
    ran = ours("recommend", "--answers", "a.yaml", "--format", form, at=tmp_path, PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (0, b"")
    said = ran.stdout.decode("utf-8" if form in ("json", "html") else encoding)  # both are ASCII, whatever is asked
    wanted = {"json": '"\\u8ba2\\u5355 \\u201c\\u00e9tat\\u201d"', "html": "&#35746;&#21333;"}
    known = "é" if encoding != "ascii" else "\\xe9"
    other = "订单" if encoding == "utf-8" else "\\u8ba2\\u5355"
    assert wanted.get(form, other) in said
    assert form in wanted or f"{known}tat" in said


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_what_is_typed_in_another_encoding_is_an_answer_or_refused(encoding: str, tmp_path: Path) -> None:
    given = b"caf\xe9\norders\n2\nq\n"  # "café" in cp1252, and nothing in the others
    ran = ours("--plain", "a.yaml", at=tmp_path, given=given, PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (0, b"")
    saved = (tmp_path / "a.yaml").read_text("utf-8")
    assert ("café" if encoding == "cp1252" else "orders") in saved
    assert (b"contains \\udce9" in ran.stdout) == (encoding != "cp1252")
    (tmp_path / "b.yaml").write_text(CHINESE, "utf-8")
    ran = ours("--plain", "b.yaml", at=tmp_path, given=b"?\nq\n", PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_an_answers_file_in_another_encoding_is_refused_with_its_place(tmp_path: Path) -> None:
    ran = ours("recommend", "--answers", "-", at=tmp_path, given=b"features:\n  - name: caf\xe9\n")
    assert ran.returncode == 2
    assert b"<stdin>:2:14: the byte 0xe9 is not UTF-8" in ran.stderr


@pytest.mark.grid
@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "TERM": "xterm"}])
def test_no_colour_where_none_is_wanted(more: dict[str, str], tmp_path: Path) -> None:
    words = ("recommend", "--answers", str(NOTIFICATIONS))
    assert b"\x1b[" in ours(*words, at=tmp_path, FORCE_COLOR="1", TERM="xterm", NO_COLOR="").stdout
    assert b"\x1b" not in ours(*words, at=tmp_path, FORCE_COLOR="1", **more).stdout


# --- names and paths --------------------------------------------------------------------------------------------------


def test_no_name_of_a_project_becomes_the_name_of_a_file(tmp_path: Path) -> None:
    import advisor

    base = advisor.load_rules()
    files = set()
    for name in ("plain", *NAMES):
        path = tmp_path / "a.yaml"
        path.write_text(json.dumps({"project": name, "features": [{"name": name, "bidirectional-realtime": False}]}))
        project = advisor.read_answers(path, base)
        files.add(tuple(build(project, advisor.recommend(project, base), base).files))
    (names,) = files
    assert all(map(folder._inside, names))
    assert not any(map(folder._inside, NAMES))


def test_a_folder_holds_no_name_that_some_system_lacks(tmp_path: Path) -> None:
    for name in ("nul", "sub/Con.txt", "a /b", "a./b", "lpt1", "aux .x", "a?"):
        with pytest.raises(folder.OutputError, match="is not a valid name for a file inside the folder"):
            folder.write({name: b""}, tmp_path / "kit")
    assert folder.write({"console": b"", "com/x": b"", ".dot": b"", "nullable.py": b""}, tmp_path / "kit") == "written"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (PureWindowsPath("C:/Users/ann/answers.yaml"), r"C:\Users\ann\answers.yaml"),
        (PureWindowsPath("C:/Users/Ann Lee/a.yaml"), '"C:\\Users\\Ann Lee\\a.yaml"'),
        (PureWindowsPath("//server/share/it's & that.yaml"), '"\\\\server\\share\\it\'s & that.yaml"'),
        ("", '""'),
    ],
)
def test_a_path_of_windows_can_be_copied_into_its_shell(path: object, word: str) -> None:
    assert shell_word(str(path), windows=True) == word


@pytest.mark.long
def test_a_path_with_a_space_can_be_copied_from_every_message(tmp_path: Path) -> None:
    name = "my answers.yaml"
    assert b"recommend 'my answers.yaml'" in ours("new", name, at=tmp_path).stderr
    assert b"python3 'my kit/start.py'" in ours("recommend", "--answers", name, "--kit", "my kit", at=tmp_path).stderr
    assert b"advisor 'my answers.yaml'" in ours("--plain", name, at=tmp_path, given=b"q\n").stdout
