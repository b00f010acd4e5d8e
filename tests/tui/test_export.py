"""Exporting: what would be written, how it differs from the disk, and that nothing is replaced unseen."""

from __future__ import annotations

import re

import pytest

from advisor.answers.file import read


def flat(shown):
    return " ".join(shown.split())


@pytest.mark.long
def test_export_shows_everything_as_new_and_writes_it(drive, home, base):
    app = drive("3", "e", "look", "enter", "look", "escape", "look")
    assert "1 [x] answers file    answers.yaml  differs" in app.seen[0]  # the answer that was just given
    assert "2 [x] decision record DECISION.md  new" in app.seen[0]
    assert re.search(r"kit  (\d+) files: \1 new", app.seen[0])
    assert "+    kind: dashboard" in app.seen[1]
    assert "1 file would be replaced" in app.seen[1]
    assert not (home / "kit").exists()
    assert "kind" not in read(home / "answers.yaml", base).features[0].facts


@pytest.mark.long
def test_after_the_difference_was_seen_everything_is_written_and_then_the_same(drive, home, base):
    app = drive("3", "e", "enter", "y", "look", "escape", "look")
    assert "Start it with: python3 kit/start.py" in flat(app.seen[0])
    assert "answers.yaml  same" in app.seen[1]
    assert re.search(r"kit  (\d+) files: \1 same", app.seen[1])
    assert read(home / "answers.yaml", base).features[0].facts["kind"] == "dashboard"
    assert (home / "DECISION.md").read_text().startswith("---\nstatus: proposed")
    assert (home / "kit" / "start.py").is_file()
    assert app.saved


@pytest.mark.long
def test_a_changed_file_of_the_kit_is_listed_first_shown_and_left_if_wanted(drive, home):
    drive("e", "enter")
    (home / "kit" / "README.md").write_text("mine\n")
    app = drive("e", "look", "enter", "look", "n", fresh=False)
    assert re.search(r"kit  \d+ files: 1 differs, \d+ same", app.seen[0])
    rows = app.seen[0].splitlines()
    assert rows[6].split() == ["differs", "README.md"]
    assert "-mine" in app.seen[1]
    assert (home / "kit" / "README.md").read_text() == "mine\n"
    one = drive("e", *["down"] * 5, "enter", fresh=False)
    assert "README.md (differs)" in one.shown
    drive("e", "enter", "y", fresh=False)
    assert (home / "kit" / "README.md").read_text() != "mine\n"


@pytest.mark.long
def test_parts_are_left_out_and_put_elsewhere(drive, home):
    drive("e", "1", "3", "down", "down", "p", "=notes/adr.md", "enter", "w")
    assert not (home / "DECISION.md").exists()
    assert not (home / "kit").exists()
    drive("e", "1", "3", "down", "down", "p", "=adr.md", "enter", "w")
    assert (home / "adr.md").is_file()
    drive("e", "down", "space", "down", "space", "down", "p", "=sub kit", "enter", "w")
    assert (home / "sub kit" / "start.py").is_file()
    again = drive("e", "down", "down", "down", "p", "=sub kit", "enter", "w", "y", size=(60, 18))
    assert "Start it with: python3 'sub kit/start.py'" in flat(again.shown)
    nothing = drive("e", "1", "2", "3", "w")
    assert "Nothing is ticked" in nothing.shown


@pytest.mark.long
def test_what_changed_after_it_was_shown_is_not_replaced(drive, home):
    (home / "DECISION.md").write_text("old\n")

    async def meddle(pilot):
        await pilot.press("e", "1", "3", "enter")
        await pilot.pause()
        (home / "DECISION.md").write_text("newer\n")
        await pilot.press("y")
        await pilot.pause()

    app = drive(then=meddle)
    assert "has changed since it was compared" in flat(app.shown)
    assert (home / "DECISION.md").read_text() == "newer\n"


@pytest.mark.long
def test_where_there_is_no_kit_or_no_file_it_is_said(drive, home):
    app = drive("e", text="features: [{name: call, media: yes}]\n")
    assert "3 [ ] starter kit     kit  there is no kit for these answers" in app.shown
    (home / "DECISION.md").mkdir()
    blocked = drive("e")
    assert "is not a file that can be replaced; choose another name" in blocked.shown
    narrow = drive("e", "down", "down", "enter", size=(60, 18))  # where the line has no room for it
    assert "decision record: DECISION.md is not a file that can be replaced; choose another name" in flat(narrow.shown)


@pytest.mark.long
def test_without_a_kit_it_is_said_what_to_do_next(drive):
    text = "features: [{name: call, media: yes}]\n"
    none = flat(drive("e", "enter", "look", text=text).seen[0])
    assert "no template for WebRTC yet" in none
    assert "Next: DECISION.md lists what to do first." in none
    answers = flat(drive("?", "e", "2", "enter", "y", text=text, file="my answers.yaml").shown)
    assert "advisor recommend --answers 'my answers.yaml' prints what to do first." in answers
    left_out = flat(drive("e", "3", "enter", "y").shown)
    assert "The starter kit was not written; press 3 to tick it." in left_out


@pytest.mark.long
def test_the_screens_to_export_are_the_reviewed_ones(drive, golden):
    text = "features:\n  - name: call  # with video\n    media: yes\n"  # outside: no kit whose files may become more
    keys = ("a", "o", "enter", "?", "e")
    golden("export-80x24", drive(*keys, size=(80, 24), text=text).shown)
    golden("export-difference-80x24", drive(*keys, "enter", size=(80, 24), text=text).shown)
    golden("export-done-80x24", drive(*keys, "enter", "y", size=(80, 24), text=text).shown)
