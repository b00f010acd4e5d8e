"""The plain twin: numbered prompts, one line out, one line in; whatever ends it, the answers are safe."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from advisor.answers.file import read
from advisor.base.errors import InputError, OutputError
from advisor.base.text import visible
from advisor.engine.portfolio import recommend
from advisor.interview.plain import ask
from advisor.model.values import UNKNOWN, Other
from advisor.report.record import record as decision_record
from advisor.ruleset.cache import load


@pytest.fixture(scope="module")
def base():
    return load()


@pytest.fixture
def talk(base, monkeypatch, capsys, tmp_path):
    """Type lines into an interview; give back the exit code, the screen and the project in the file."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    file = tmp_path / "answers.yaml"

    def run(*lines, file=file):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = ask(base, str(file) if file else None)
        return code, capsys.readouterr().out, read(file, base) if file and file.exists() else None

    run.file = file
    return run


@pytest.mark.long
def test_a_question_mark_at_the_first_prompt_is_help_and_no_name(talk):
    """A feature was called "?": nobody means that."""
    code, said, project = talk("?", "orders", "q")
    assert "A feature is one part of your product" in said
    assert said.count("What is the name of the first feature?") == 2
    assert [feature.name for feature in project.features] == ["orders"]
    assert code == 0


@pytest.mark.long
def test_answers_are_numbers_words_lists_and_texts(talk):
    code, shown, project = talk(
        "order status",
        "g media",
        "2",
        "g background-delivery",
        "no",
        "g clients",
        "1, ios other: pager",
        "g existing-stack",
        "none",
        "g kind",
        "1",
        "g prototype",
        "y",
        "g bounded-job",
        "?",
        "g client-msg-rate-per-s",
        "0.05",
        "g payload-bytes",
        "unknown",
        "q",
    )
    assert code == 0
    facts = project.features[0].facts
    assert project.features[0].name == "order status"
    assert facts["media"] is False
    assert facts["background-delivery"] is False
    assert facts["clients"] == ("browser", "ios", Other("pager"))
    assert facts["existing-stack"] == ()
    assert facts["kind"] == "notifications"
    assert facts["prototype"] is True
    assert facts["bounded-job"] is UNKNOWN
    assert facts["client-msg-rate-per-s"] == 0.05
    assert "Does this feature carry live audio or video?" in shown
    assert "Why: " in shown
    assert "Find out: " in shown
    assert shown.rstrip().endswith(f"--answers {talk.file} --kit kit")
    assert "\x1b" not in shown


@pytest.mark.long
def test_it_ends_with_the_verdict_that_recommend_gives_on_the_file(talk, base):
    _, shown, project = talk("a feature", *["unknown"] * 90, "q")
    decided = recommend(project, base)["features"][0]
    title = base.patterns[decided["primary"]].title
    assert f'"a feature" is decided: {title}.' in shown
    assert f"a feature: {title} ({decided['confidence']} confidence)" in shown


def test_what_does_not_fit_is_said_and_asked_again(talk):
    _, shown, project = talk(
        "a", "g media", "maybe", "3", "2", "g clients", "pager", "browzer", "99", "1", "25", "Other", "1e999", "q"
    )
    for said in (
        "Type 1 for yes, 2 for no, or ? for I don't know.",
        '"pager" is not one of the choices.',
        '"browzer" is not one of the choices; did you mean browser?',
        '"99" is not one of the choices.',
    ):
        assert said in shown
    assert project.features[0].facts["clients"] == ("browser",)
    assert project.features[0].facts["kind"] == Other("Other")


@pytest.mark.long
def test_numbers_are_checked_and_texts_need_a_colon_before_commands(talk):
    _, shown, project = talk(
        "a", "g concurrent-clients", "many", "-1", "1.5", "1e999", "1000", "g page", "b", "g page", ":b", ":q"
    )
    for said in ('"many" is not a number', "negative", "not a whole number", "finite"):
        assert said in shown
    assert project.features[0].facts == {"page": "b", "concurrent-clients": 1000}


@pytest.mark.long
def test_back_undo_clear_goto_list_and_help(talk):
    _, shown, project = talk(
        "a",
        "g media",
        "2",
        "g background-delivery",
        "2",
        "b",
        "1",
        "u",
        "a",
        "x media",
        "g nowhere",
        "help",
        "u",
        "u",
        "b",
        "q",
    )
    assert shown.count("[background-delivery]") >= 3
    assert "  media: no (ruled out 1 pattern)\n" in shown
    assert "  background-delivery: no (ruled out" in shown
    assert 'There is no question "nowhere".' in shown
    assert "save and quit" in shown
    assert project.features[0].facts == {"media": False}


def test_several_features_share_the_path(talk):
    _, shown, project = talk(
        "chat", "g media", "2", "g cdn", "none", "n queue", "g media", "1", "n CHAT", "s chat", "s 9", "s nobody", "q"
    )
    assert [f.name for f in project.features] == ["chat", "queue"]
    assert project.path == {"cdn": "none"}
    assert project.features[1].facts == {"media": True}
    assert 'A feature named "CHAT" already exists' in shown
    assert "There is no such feature." in shown
    assert 'no feature "nobody"; there are: chat, queue' in shown


def test_the_result_so_far_is_the_report(talk):
    _, shown, _ = talk("a", "g media", "1", "r", "q")
    assert "a: WebRTC (webrtc)" in shown


def test_a_file_is_continued_and_what_the_person_wrote_in_it_stays(talk):
    text = "# ours\nproject: Acme   # for Friday\nfeatures:\n  - name: chat\n    media: no\n"
    talk.file.write_text(text)
    code, shown, project = talk("g background-delivery", "2", "q")
    assert code == 0
    assert "[kind]" in shown
    assert "[media]" not in shown
    assert project.name == "Acme"
    assert project.features[0].facts == {"media": False, "background-delivery": False}
    assert talk.file.read_text() == text + "    background-delivery: no\n"
    assert [path.name for path in talk.file.parent.iterdir() if path.is_file()] == ["answers.yaml"]


def test_the_end_of_input_saves_and_is_no_error(talk):
    code, shown, project = talk("a", "g media", "2")
    assert code == 0
    assert project.features[0].facts == {"media": False}
    assert "Answers saved in" in shown
    assert not list(talk.file.parent.glob(".*.recovery"))


def test_an_empty_input_writes_nothing(talk):
    code, _, project = talk()
    assert (code, project) == (0, None)


@pytest.mark.long
def test_without_a_file_the_answers_wait_for_the_next_run(talk):
    code, shown, _ = talk("a", "2", file=None)
    assert code == 0
    assert "the next `advisor` offers to continue" in shown
    _, again, _ = talk("1", "2", "q", file=None)
    assert "Found unsaved answers from an earlier interview" in again
    assert "1 answered" in again
    _, fresh, _ = talk("2", "other name", "q", file=None)
    assert '"other name" [kind]\n  0 answered' in fresh
    assert "other name" in talk("1", "q", file=None)[1]


def test_names_are_shown_and_not_executed(talk):
    _, shown, project = talk("a\x1b[31mb", "[red]", "q")
    assert "contains" in shown
    assert r"\x1b" in shown
    assert "\x1b" not in shown
    assert project.features[0].name == "[red]"


def test_export_writes_answers_and_kit_and_replaces_nothing(talk, tmp_path):
    lines = ["orders", "2", "2", "1", "none", "1", "e", str(tmp_path / "kit")]
    _, shown, _ = talk(*lines, "q")
    assert (tmp_path / "kit" / "start.py").is_file()
    assert (tmp_path / "kit" / "answers.yaml").read_text() == talk.file.read_text()
    assert "Start it with: python3" in shown
    (tmp_path / "kit" / "README.md").write_text("mine")
    _, again, _ = talk("no", "e", str(tmp_path / "kit"), "q")
    assert "README.md" in again
    assert (tmp_path / "kit" / "README.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["orders.yaml", ""])
def test_export_without_a_file_asks_for_one_and_writes_the_kit(talk, tmp_path, name):
    lines = ["orders", "2", "2", "1", "none", "1", "e", name, str(tmp_path / "kit")]
    _, shown, _ = talk(*lines, "q", file=None)
    assert ("Answers written to orders.yaml." in shown) == bool(name)
    assert Path("orders.yaml").exists() == bool(name)
    assert (tmp_path / "kit" / "start.py").is_file()


def test_a_file_that_somebody_else_changed_is_left_alone(talk, base, monkeypatch, capsys):
    talk.file.write_text("features:\n  - name: chat\n")

    class Typing(io.StringIO):
        def readline(self, *args):
            talk.file.write_text("features:\n  - name: theirs\n")
            return super().readline(*args)

    monkeypatch.setattr("sys.stdin", Typing("g media\n2\nq\n"))
    assert ask(base, str(talk.file)) == 2
    shown = capsys.readouterr().out
    assert "has been changed by another program" in shown
    assert read(talk.file, base).features[0].name == "theirs"
    assert read(talk.file.with_name(".answers.yaml.recovery"), base).features[0].facts == {"media": False}


def test_wrong_files_are_said_before_anything_is_asked(talk, base, tmp_path):
    talk.file.write_text("features: []\n")
    with pytest.raises(InputError, match="no features"):
        ask(base, str(talk.file))
    with pytest.raises(InputError, match="is a folder"):
        ask(base, str(tmp_path))
    with pytest.raises(OutputError, match="does not exist; create it first"):
        ask(base, str(tmp_path / "nowhere" / "a.yaml"))


# --- as a program -----------------------------------------------------------------------------------------------------


def started(tmp_path, *args):
    return subprocess.Popen(
        [sys.executable, "-m", "advisor", "--plain", *args],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": Path.cwd()},
    )  # fmt: skip


def test_ctrl_c_saves_and_exits_130(tmp_path, base):
    process = started(tmp_path, "a.yaml")
    process.stdin.write("orders\ng media\n2\n")
    process.stdin.flush()
    shown = ""
    while shown.count("[kind]") < 2:
        shown += process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == ""
    assert "Answers saved in a.yaml" in out
    assert read(tmp_path / "a.yaml", base).features[0].facts == {"media": False}


@pytest.mark.long
def test_a_killed_interview_goes_on_where_it_was(tmp_path, base):
    process = started(tmp_path, "a.yaml")
    process.stdin.write("orders\ng media\n2\ng background-delivery\n2\n")
    process.stdin.flush()
    shown = ""
    while shown.count("[kind]") < 3:
        shown += process.stdout.readline()
    process.kill()
    process.communicate(timeout=20)
    assert not (tmp_path / "a.yaml").exists()
    again = started(tmp_path, "a.yaml")
    out, _ = again.communicate("1\nq\n", timeout=20)
    assert "2 answered" in out
    assert read(tmp_path / "a.yaml", base).features[0].facts == {"media": False, "background-delivery": False}


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    command = f"printf 'a\\n2\\n2\\n1\\n' | {sys.executable} -m advisor --plain a.yaml | head -2"
    env = {**os.environ, "PYTHONPATH": Path.cwd()}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False, env=env)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        (">&-", 2, "standard output is closed"),
        ("> /dev/full", 2, "standard output cannot be written: No space left on device"),
        ("<&- > out.txt", 0, ""),
    ],
)
def test_closed_and_full_streams_are_said_in_a_line(tmp_path, ending, code, said):
    command = f"printf 'a\\n2\\n' | {{ {sys.executable} -m advisor --plain a.yaml {ending}; }}"
    env = {**os.environ, "PYTHONPATH": Path.cwd(), "XDG_STATE_HOME": tmp_path}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False, env=env)
    assert (done.returncode, done.stderr.count("\n")) == (code, int(bool(said)))
    assert said in done.stderr


# --- a person at the keyboard -----------------------------------------------------------------------------------------


class Keyboard(io.StringIO):
    """Typed lines of a person, each of which may come with something that happens meanwhile."""

    def __init__(self, *lines):
        super().__init__()
        self.lines = list(lines)

    def isatty(self):
        return True

    def readline(self, *_):
        while self.lines and callable(self.lines[0]):
            self.lines.pop(0)()
        return f"{self.lines.pop(0)}\n" if self.lines else ""


@pytest.fixture
def sit(base, monkeypatch, capsys, talk):
    """Type lines as a person at a terminal; give back the exit code and the screen."""

    def run(*lines, file=talk.file):
        monkeypatch.setattr("sys.stdin", Keyboard(*lines))
        code = ask(base, str(file))
        return code, capsys.readouterr().out

    return run


def test_a_file_with_mistakes_opens_with_them_and_is_kept_until_agreed(sit, talk, base):
    text = "# ours\nfeatures:\n  - name: chat\n    medai: no\n    clients: [browser]\n"
    talk.file.write_text(text)
    code, shown = sit("1", "q")
    assert code == 0
    assert "answers.yaml could be read except for 1 mistake" in shown
    assert f'{talk.file}:4:5: unknown key "medai"; did you mean media?' in shown
    assert "      medai: no\n" in shown
    assert "Nothing was written to" in shown
    assert talk.file.read_text() == text
    code, shown = sit("1", "g media", "2", "q", "3")
    assert "1 mistake and would have to be rewritten" in shown
    assert talk.file.read_text() == text
    code, shown = sit("1", "q", "1")  # what was answered is in the recovery file, and can now be written
    assert read(talk.file, base).features[0].facts == {"media": False, "clients": ("browser",)}
    assert talk.file.with_name("answers.yaml.bak").read_text() == text
    assert sorted(p.name for p in talk.file.parent.iterdir() if p.is_file()) == ["answers.yaml", "answers.yaml.bak"]


def test_a_person_who_does_not_go_on_with_a_wrong_file_gets_its_mistakes_and_exit_2(sit, talk):
    talk.file.write_text("- a\n")
    with pytest.raises(InputError, match="an answers file needs the key features:"):
        sit("2")
    assert talk.file.read_text() == "- a\n"


def test_a_file_without_features_asks_for_a_name_and_keeps_the_rest(sit, talk, base):
    talk.file.write_text("project: Acme\npath: {cdn: none}\nfeatures:\n")
    _, shown = sit("1", "chat", "g media", "2", "q", "2")
    beside = read(talk.file.with_name("answers-2.yaml"), base)
    assert (beside.name, beside.path, beside.features[0].facts) == ("Acme", {"cdn": "none"}, {"media": False})
    assert "Answers saved in " in shown


@pytest.mark.long
def test_a_file_changed_meanwhile_is_noticed_at_the_next_answer(sit, talk):
    text = "features:\n  - name: chat\n"
    theirs = "# theirs\nfeatures:\n  - name: chat\n    media: yes\n"

    def meddle():
        talk.file.write_text(theirs)

    talk.file.write_text(text)
    code, shown = sit(meddle, "g media", "2", "q", "3")
    assert "Another program has changed" in shown
    assert talk.file.read_text() == theirs
    talk.file.write_text(text)
    code, shown = sit("1", meddle, "g background-delivery", "2", "q", "1")
    assert (code, talk.file.read_text()) == (
        0, "# theirs\nfeatures:\n  - name: chat\n    media: no\n    background-delivery: no\n",
    )  # fmt: skip
    talk.file.write_text(text)
    code, shown = sit("g media", "2", meddle, "g background-delivery", "2", "save", "4", "u", "save", "q")
    assert "read it again; u restores your answers" in shown
    assert talk.file.read_text() == "# theirs\nfeatures:\n  - name: chat\n    media: no\n    background-delivery: no\n"
    assert [p.name for p in talk.file.parent.iterdir() if p.is_file()] == ["answers.yaml"]


def test_a_file_that_becomes_unreadable_meanwhile_keeps_nobody_from_answering(sit, talk):
    talk.file.write_text("features:\n  - name: chat\n")
    code, shown = sit(
        "g media",
        "2",
        lambda: talk.file.write_bytes(b"\x89PNG\r\n\0"),
        "g background-delivery",
        "2",
        "g clients",
        "1",
        "q",
    )
    assert code == 2
    assert "Another program has changed" in shown
    assert "3 answered" in shown
    assert "offers to continue with them" in shown
    assert talk.file.read_bytes() == b"\x89PNG\r\n\0"
    talk.file.unlink()
    assert "3 answered" in sit("1", "q")[1]


def test_answers_overwritten_by_another_program_are_not_called_saved(sit, talk, base):
    theirs = "features:\n  - name: theirs\n"
    talk.file.write_text("features:\n  - name: chat\n")
    _, shown = sit("g media", "2", "save", lambda: talk.file.write_text(theirs), "q", "3")
    assert "has been changed by another program" in shown
    assert "Answers saved in" not in shown
    assert talk.file.read_text() == theirs
    assert "Answers saved in" in sit("1", "q", "1")[1]
    assert read(talk.file, base).features[0].facts == {"media": False}
    _, shown = sit("2", "save", lambda: talk.file.write_text(theirs), "leave")
    assert "not saved in a file" in shown


def test_leaving_keeps_the_answers_for_the_next_run_and_touches_nothing(sit, talk):
    talk.file.write_text("features:\n  - name: chat\n")
    _, shown = sit("g media", "2", "leave")
    assert "not saved in a file; the next" in shown
    assert talk.file.read_text() == "features:\n  - name: chat\n"
    _, shown = sit("1", "save", "leave")
    assert "Answers saved in" in shown
    assert talk.file.read_text() == "features:\n  - name: chat\n    media: no\n"


def test_a_kit_with_files_of_the_person_is_replaced_only_if_the_person_says_so(sit, tmp_path):
    kit = tmp_path / "kit"
    sit("orders", "2", "2", "1", "e", str(kit), "q")
    (kit / "README.md").write_text("mine")
    _, shown = sit("e", str(kit), "2", "q")
    assert "README.md:\n@@" in shown
    assert "\n-mine\n" in shown
    assert "Nothing was written." in shown
    assert (kit / "README.md").read_text() == "mine"
    sit("e", str(kit), "1", "q")
    assert (kit / "README.md").read_text() != "mine"


def test_the_decision_record_is_written_and_not_over_another_text(talk, sit, tmp_path, base):
    record = tmp_path / "adr.md"
    talk("orders", "2", f"record {record}", "q")
    written = record.read_text()
    assert written == decision_record(recommend(read(talk.file, base), base), base, talk.file.name)
    assert f"    advisor recommend {talk.file.name} --full\n" in written
    record.write_text("mine")
    _, shown, _ = talk(f"record {record}", "q")
    assert "already exists; nothing was written" in shown
    sit(f"record {record}", "2", "q")
    assert record.read_text() == "mine"
    sit(f"record {record}", "1", "q")
    assert record.read_text() == written


# --- what the screens can do, the twin can do -------------------------------------------------------------------------


def test_previews_standing_and_cards_are_there_as_lines(talk):
    _, shown, _ = talk("a", "g media", "p", "2", "w", "explain", "g concurrent-clients", "p 5", "p x", "q")
    assert "   1 yes: rules out Server-Sent Events, Long polling, Short polling, " in shown
    assert "\n   2 no: rules out WebRTC\n   ? I don't know: rules out no pattern\n" in shown
    assert "Still possible, 12 of 13: WebSocket" in shown
    assert "bring it back if you changed it:\n  - WebRTC: media: no.\n" in shown
    assert "  1 Does the client have to send in real time?: not known yet" in shown
    assert "kind (question about the feature, one-of)" in shown
    assert "That answer: rules out" in shown
    assert '"x" is not a number' in shown


def test_an_answer_that_makes_a_pattern_possible_again_says_so(talk):
    _, shown, _ = talk("a", "g media", "2", "b", "p 1", "q")
    assert "rules out" in shown
    assert "would bring back WebRTC" in " ".join(shown.split())


def test_features_are_renamed_copied_removed_and_listed_and_the_whole_has_a_name(talk):
    _, shown, project = talk(
        "chat", "g media", "2", "rename talk", "copy talk 2", "copy talk", "n third", "features", "remove", "u",
        "remove", "project Acme", "undo", "project Acme & Co", "save other.yaml", "q", file=talk.file,
    )  # fmt: skip
    assert 'A feature named "talk" already exists' in shown
    assert "  3 third (this one): " in shown
    assert project is None
    saved = read("other.yaml", load())
    assert [f.name for f in saved.features] == ["talk", "talk 2"]
    assert saved.features[1].facts == {"media": False}
    assert saved.name == "Acme & Co"


LINES = (
    "1|2|3|0|unknown|none|0.5|1000|-1|b|f|u|a|w|p|x|r|e|kit|save|features|remove|explain|?|:b|1 2|1, other: x|"
    "other: [red]|p 1|x media|g clients|g cdn|g page|:q no|n more|n [red]|s 1|s more|rename z|copy y|project P: 1|"
    "explain sse||\x1b[31m|\u202e|\U0001f600"
)
WORDS = [*LINES.split("|"), "x" * 5000]


@pytest.mark.grid
@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 30))])
def test_any_lines_leave_a_file_whose_recommendation_is_the_one_that_was_shown(talk, base, seed, tmp_path):
    rng = Random(seed)
    talk.file.write_text("# mine\nfeatures:\n  - name: chat   # first\n")
    lines = [str(tmp_path / "kit") if word == "kit" else word for word in rng.choices(WORDS, k=40)]
    code, shown, project = talk(*lines, "q", "")
    assert code == 0
    assert "bug of ours" not in shown
    assert "\x1b" not in shown
    for feature in recommend(project, base)["features"]:
        title = base.patterns[feature["primary"]].title if feature["primary"] else "no pattern fits these answers"
        assert f"{visible(feature['name'])}: {title}" in shown.rpartition("\n\n")[2]
    assert talk.file.read_text().startswith("# mine\n")
