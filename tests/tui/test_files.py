"""The answers file under the screens: with mistakes, changed by others, written by any keys."""

from __future__ import annotations

from random import Random

import pytest

from advisor.answers.file import read
from advisor.base.errors import InputError
from advisor.engine.portfolio import recommend

BROKEN = "# ours\nfeatures:\n  - name: chat\n    medai: no\n    clients: [browser]\n   kind: chat\n"
WHOLE = "# ours\nfeatures:\n  - name: chat   # first\n    media: no\n"
THEIRS = "# theirs\nfeatures: [{name: theirs}]\n"
RECOVERY = ".answers.yaml.recovery"


def files(home):
    return sorted(path.name for path in home.iterdir() if path.is_file())


@pytest.mark.grid
@pytest.mark.parametrize("size", [(120, 32), (60, 18), (20, 6)])
def test_a_file_with_mistakes_opens_with_them_and_stays_until_the_person_agrees(drive, home, size):
    app = drive("look", "1", "look", "q", text=BROKEN, size=size)
    if size[0] >= 60:
        assert "answers.yaml could be read except for 2 mistakes" in app.seen[0]
        assert "continue with what could be read" in app.seen[0]
    if size[0] > 60:
        assert "answers.yaml:4:5:" in app.seen[0]
        assert "did you mean media?" in app.seen[0]
        assert "answers.yaml:6:4:" in app.seen[0]
    assert app.session.answers == {"clients": ("browser",)}
    assert not app.is_running
    assert (home / "answers.yaml").read_text() == BROKEN
    assert files(home) == ["answers.yaml"]


@pytest.mark.long
def test_a_file_with_mistakes_is_written_anew_beside_its_old_text(drive, home, base):
    app = drive("1", "@media", "2", "q", "look", "1", text=BROKEN)
    assert "would have to be rewritten" in app.seen[0].replace("\n", " ").replace("  ", " ")
    assert not app.saved
    assert (home / "answers.yaml").read_text() == BROKEN
    drive("1", "q", "3", text=None, fresh=False)  # go on with what that run left; into a file beside
    assert (home / "answers.yaml").read_text() == BROKEN
    assert read(home / "answers-2.yaml", base).features[0].facts == {"media": False, "clients": ("browser",)}
    drive("1", "@media", "2", "q", "2", text=None)
    assert read(home / "answers.yaml", base).features[0].facts == {"media": False, "clients": ("browser",)}
    assert (home / "answers.yaml.bak").read_text() == BROKEN
    assert files(home) == ["answers-2.yaml", "answers.yaml", "answers.yaml.bak"]


@pytest.mark.long
def test_a_person_who_does_not_go_on_gets_the_mistakes_printed(drive):
    app = drive("2", text=BROKEN)
    assert not app.is_running
    assert isinstance(app.failure, InputError)
    assert app.return_code == 2


def test_a_file_without_features_asks_for_a_name_and_keeps_the_rest(drive):
    app = drive("1", "enter", text="project: Acme\npath: {cdn: none}\nfeatures:\n")
    assert app.session.project.name == "Acme"
    assert app.session.answers == {"cdn": "none"}
    assert app.session.feature.name == "feature 1"


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ("1", THEIRS),
        ("2", "# theirs\nfeatures: [{name: chat, media: no, background-delivery: no}]\n"),
        ("3", THEIRS),
        ("4", THEIRS),
    ],
)
def test_a_file_that_changes_meanwhile_is_noticed_and_the_person_decides(drive, home, choice, text):
    async def meddle(pilot):
        (home / "answers.yaml").write_text(THEIRS)
        pilot.app.change(lambda session: session.goto("background-delivery"))
        await pilot.pause()
        await pilot.press("2")
        await pilot.pause()
        assert "Another program has changed answers.yaml" in str(pilot.app.screen.query_one("#effect").content)
        await pilot.press("q")
        await pilot.pause()
        await pilot.press(choice)
        await pilot.pause()

    app = drive(text=WHOLE, then=meddle)
    assert (home / "answers.yaml").read_text() == text
    if choice == "1":
        assert not app.saved
        assert (home / RECOVERY).is_file()
    if choice == "3":
        assert app.session.feature.name == "theirs"
        assert app.session.undo().answers == {"media": False, "background-delivery": False}
    if choice == "4":
        assert (home / "answers-2.yaml").read_text() == WHOLE.rstrip("\n") + "\n    background-delivery: no\n"


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
def test_saved_answers_that_another_program_wrote_over_are_not_called_saved(drive, home, base, key):
    async def meddle(pilot):
        (home / "answers.yaml").write_text(THEIRS)
        await pilot.press(key)
        await pilot.pause()
        if key == "q":
            assert "has been changed by another program" in pilot.app.screen.question
            await pilot.press("1", "ctrl+q")
            await pilot.pause()

    app = drive(text=WHOLE, then=meddle)
    assert not app.saved
    assert (home / "answers.yaml").read_text() == THEIRS
    assert read(home / RECOVERY, base).features[0].facts == {"media": False}


def test_a_second_interview_on_a_file_takes_nothing_from_the_first(drive, home, base):
    from advisor.answers.draft import open_draft

    (home / "answers.yaml").write_text(WHOLE)
    first, project = open_draft("answers.yaml", base)
    first.keep(project)
    app = drive("look", "@background-delivery", "2", text=None, fresh=False)
    assert "Another advisor is also working on answers.yaml" in app.seen[0]
    assert read(home / RECOVERY, base) == project
    assert read(home / f"{RECOVERY}-2", base).features[0].facts == {"media": False, "background-delivery": False}
    first.forget()


def test_what_the_person_wrote_stays_after_answers_and_quitting(drive, home):
    drive("@background-delivery", "2", "@clients", "1", "enter", "q", text=WHOLE)
    assert (home / "answers.yaml").read_text() == WHOLE + "    background-delivery: no\n    clients: [browser]\n"
    assert files(home) == ["answers.yaml"]


KEYS = [
    *["1", "2", "3", "?", "enter"] * 4, "space", "up", "down", "left", "right", "b", "u", "a", "r", "f", "n", "x", "o",
    "question_mark", "f1", "escape", "escape", "tab", "pagedown", "home", "end", "ctrl+p", "ctrl+c", "5", "backspace",
    "left_square_bracket", (20, 6), (60, 18), (200, 60), (120, 32), "=[red]", "=\u202e", "=1000", "=\U0001f600",
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_after_any_keys_the_answers_are_on_disk_and_recommend_agrees(drive, home, base, seed):
    rng = Random(seed)

    async def walk(pilot):
        for key in rng.choices(KEYS, k=40):
            if isinstance(key, tuple):
                await pilot.resize_terminal(*key)
            elif key.startswith("="):
                if hasattr(pilot.app.focused, "value"):
                    pilot.app.focused.value = key[1:]
            else:
                await pilot.press(key)
            await pilot.pause()
            session = pilot.app.session
            if not pilot.app.saved:
                assert read(home / RECOVERY, base) == session.project
        for _ in range(8):
            await pilot.press("escape")
        await pilot.pause()

    app = drive(text=WHOLE, then=walk)
    saved = app.draft.save(app.session.project)
    assert read(home / "answers.yaml", base) == app.session.project
    assert recommend(read(home / "answers.yaml", base), base) == app.session.verdict
    assert saved.seen.startswith("# ours\n")
