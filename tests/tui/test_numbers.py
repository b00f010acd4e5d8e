"""A line for a number: what is typed is shown, and refused in words where it is no number. Nothing of it vanishes."""

from __future__ import annotations

import pytest
from support.keystrokes import at_once
from textual import events

from advisor.answers import typed
from advisor.answers.check import RefusedError
from advisor.model.values import UNKNOWN
from advisor.tui.interview import LETTERS, InterviewScreen
from advisor.tui.widgets import Keys, Line

FACT = "latency-need-ms"
WRONG = ["3m", "2kB", "1,5", "0,5", "05", "5 moments", "2 a minute", "1_000", "1 000", "-1", "0x10", "true", "1e999",
         "3?", "\u0661\u0662", "\uff13", "x", ".inf", "\u22125", "5u", "7n"]  # fmt: skip


def answering(drive, go, fact=FACT, **more):
    """The program at the question for a number, with `go` at its keys."""

    async def then(pilot):
        pilot.app.change(lambda session: session.goto(fact))
        await pilot.pause()
        await go(pilot)

    return drive(then=then, **more)


def line(pilot):
    return pilot.app.screen.query_one(Line).value


def effect(pilot):
    return str(pilot.app.screen.query_one("#effect").content)


@pytest.mark.long
def test_what_is_no_plain_number_is_shown_and_refused(drive):
    async def go(pilot):
        for text in WRONG:
            await at_once(pilot, *text)
            assert line(pilot) == text
            assert type(pilot.app.screen) is InterviewScreen
            before = pilot.app.session
            await at_once(pilot, "enter")
            assert pilot.app.session is before, text
            assert line(pilot) == text
            assert effect(pilot).strip(), text
            await pilot.press("ctrl+u")

    assert FACT not in answering(drive, go).session.feature.facts


@pytest.mark.grid
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3m", '"m" is not a unit of a time; write one of ms, s, min, h or d.'),
        ("1,5", '"1,5" can mean 1.5 or 15; write 1.5 or 15.'),
        ("0,5", '"0,5" can mean 0.5 or 5; write 0.5 or 5.'),
        ("5 k", '"5 k" is not a number; write 5000.'),
        ("05", '"05" is not a number; write 5.'),
        ("\uff13", '"\uff13" is not a number; write the number (in ms), 2 s for 2,000, or '),
    ],
)
def test_the_refusal_is_the_same_on_the_screen_and_in_the_plain_twin(drive, base, text, said):
    async def go(pilot):
        await at_once(pilot, *text)
        while_typed = effect(pilot)
        await at_once(pilot, "enter")
        for shown in (while_typed, effect(pilot)):
            assert shown.startswith(said)

    answering(drive, go)
    with pytest.raises(RefusedError) as refused:
        typed.answer(text, base.questions[FACT], str)
    assert str(refused.value).startswith(said)


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize(
    ("text", "value"),
    [("250", 250), ("0", 0), ("2.5", 2.5), (".5", 0.5), ("1e3", 1000), ("+7", 7), ("3s", 3000), ("1,000", 1000)],
)
def test_a_number_is_taken_as_in_the_plain_twin(drive, base, text, value):
    async def go(pilot):
        await at_once(pilot, *text, "enter")

    assert answering(drive, go).session.feature.facts[FACT] == value
    assert typed.answer(text, base.questions[FACT], str) == value


@pytest.mark.grid
@pytest.mark.parametrize(("text", "shown"), [("3m", "3m"), ("1,5\n", "1,5"), ("5\n6", "5 6"), ("a", "a"), ("\n", "")])
def test_what_is_pasted_is_shown_whole(drive, text, shown):
    async def go(pilot):
        pilot.app.post_message(events.Paste(text))
        await at_once(pilot)
        assert line(pilot) == shown
        assert type(pilot.app.screen) is InterviewScreen
        await at_once(pilot, "enter")

    assert FACT not in answering(drive, go).session.feature.facts


@pytest.mark.long
@pytest.mark.parametrize("key", sorted(LETTERS))
def test_letters_are_keys_of_the_screen_until_something_is_typed(drive, key):
    async def go(pilot):
        start = (pilot.app.session, pilot.app.screen)
        await at_once(pilot, "1", key)
        assert line(pilot) == f"1{key}"
        assert (pilot.app.session, pilot.app.screen) == start
        await at_once(pilot, "backspace", "backspace")
        await pilot.press("question_mark" if key == "?" else key)
        changed = (pilot.app.session, pilot.app.screen) != start
        assert changed or not pilot.app.is_running or "nothing to undo" in effect(pilot)

    answering(drive, go)


def test_the_letters_are_the_one_letter_keys_of_the_screen():
    keys = {key for binding in InterviewScreen.BINDINGS for key in binding.key.split(",")}
    assert {
        "?" if key == "question_mark" else key for key in keys if len(key) == 1 or key == "question_mark"
    } == LETTERS


@pytest.mark.long
def test_an_answer_is_shown_in_its_empty_line_and_letters_are_keys_beside_it(drive):
    async def go(pilot):
        await at_once(pilot, *"250", "enter")
        pilot.app.change(lambda session: session.goto(FACT))
        await pilot.pause()
        assert line(pilot) == ""
        assert pilot.app.screen.query_one(Line).placeholder == "250 ms"
        await pilot.press("b")
        assert pilot.app.session.question.id != FACT
        pilot.app.change(lambda session: session.goto(FACT))
        await pilot.pause()
        await at_once(pilot, *"2 a minute")
        assert line(pilot) == "2 a minute"
        await pilot.press("enter")
        assert pilot.app.session.answers[FACT] == 250

    answering(drive, go)


def test_the_last_line_shows_the_keys_that_work(drive):
    async def go(pilot):
        keys = pilot.app.screen.query_one(Keys)
        assert "b back" in str(keys.content)
        await at_once(pilot, "3")
        assert str(keys.content) == "f1 help  esc leave the line"
        assert "Enter takes it; Escape leaves the line." in effect(pilot)
        await at_once(pilot, "escape")
        assert "b back" in str(keys.content)

    answering(drive, go)


def test_a_question_mark_is_i_do_not_know_where_nothing_is_typed(drive):
    async def go(pilot):
        await at_once(pilot, "3", "?")
        assert line(pilot) == "3?"
        await at_once(pilot, "backspace", "backspace", "?")

    assert answering(drive, go).session.feature.facts[FACT] is UNKNOWN
