"""Every screen as text: reviewed in the diff, drawn at every size, of characters that are one column wide."""

from __future__ import annotations

import unicodedata

import pytest

LONG = pytest.mark.long
SIZES = [(20, 6), (60, 18), (200, 60), *(pytest.param(s, marks=LONG) for s in ((40, 12), (80, 24), (120, 32)))]


@pytest.mark.grid
@pytest.mark.parametrize(
    ("name", "keys", "size"),
    [
        ("question-wide", (), (120, 32)),
        ("question-80x24", (), (80, 24)),
        ("question-60x18", (), (60, 18)),
        ("number-wide", ("@payload-bytes", "down"), (120, 32)),
        ("list-80x24", ("3",), (80, 24)),
        ("list-wide", ("3",), (120, 32)),
        ("settled-80x24", ("3", "y", "?", "?", "?"), (80, 24)),
        ("several-80x24", ("@clients", "3", "6"), (80, 24)),
        ("answers-80x24", ("a",), (80, 24)),
        ("help-80x24", ("f1",), (80, 24)),
        ("result-wide", ("r",), (120, 32)),
        ("why-80x24", ("r", "2"), (80, 24)),
        ("rule-80x24", ("r", "2", *["down"] * 15, "enter"), (80, 24)),
        ("caveats-60x18", ("r", "3"), (60, 18)),
        ("palette-80x24", ("ctrl+p", *"costs"), (80, 24)),
        ("changes-80x24", ("r", "4"), (80, 24)),
        ("costs-wide", ("r", "6"), (120, 32)),
        ("features-80x24", ("f",), (80, 24)),
    ],
)
def test_the_screen_is_the_reviewed_one(drive, golden, name, keys, size):
    golden(name, drive(*keys, size=size).shown)


def test_the_first_screen_says_what_the_program_is_for_and_asks_for_a_name(drive, golden):
    golden("first-80x24", drive(size=(80, 24), text=None).shown)


ALL = ("look", "f1", "look", "escape", "a", "look", "escape", "r", "look", "3", "look", "5", "look", "6", "look",
       "2", "look", "enter", "look", "escape", "4", "look", "escape", "f", "look", "escape", "n", "look", "escape",
       "e", "look", "escape", "ctrl+p", "look", "escape", "?", "look")  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen_can_be_drawn_and_uses_no_character_of_uncertain_width(drive, size):
    app = drive(*ALL, size=size)
    assert app.return_code in (None, 0)
    assert app._exception is None
    for shown in app.seen:
        assert shown.strip()
        uncertain = {c for c in shown if unicodedata.east_asian_width(c) in "AWF"}
        assert not uncertain, uncertain


@pytest.mark.grid
@pytest.mark.parametrize(
    "keys",
    [(), ("r", "2", "enter"), ("r", "5"), ("f",)]
    + [pytest.param(keys, marks=LONG) for keys in (("a",), ("r", "3"), ("f1",), ("n",), ("e",), ("ctrl+p",))],
)
def test_every_screen_survives_being_resized(drive, keys):
    app = drive(*keys, (20, 6), "look", (200, 60), "look", (60, 18), "look", (96, 12), "look", size=(120, 32))
    assert app._exception is None
    assert len(app.seen) == 4


@pytest.mark.grid
@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 32)])
def test_the_choices_and_the_question_are_on_the_screen_at_useful_sizes(drive, size):
    app = drive(size=size)
    flat = " ".join(app.shown.split())
    assert "describes the feature best?" in flat
    assert "1 notifications" in flat
    assert "f1 help" in flat
