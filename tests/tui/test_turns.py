"""Keys that arrive together: one question is answered and one dialog closed, those that were on the screen before."""

from __future__ import annotations

import asyncio

import pytest
from support.keystrokes import at_once, unknown_to_the_end
from textual import constants, events
from textual.drivers import linux_driver

from advisor.model.values import UNKNOWN
from advisor.tui.commands import Palette
from advisor.tui.dialogs import AskText, Choose, Help
from advisor.tui.interview import InterviewScreen
from advisor.tui.widgets import Line, Numbered


def together(drive, *keys, before=(), **more):
    """The program after these keys in one read."""

    async def go(pilot):
        await at_once(pilot, *keys)

    return drive(*before, then=go, **more)


def facts(app):
    return app.session.feature.facts


# --- questions --------------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize("keys", [("3", "3"), ("3", "enter"), ("3", "?", "?", "question_mark"), ("3", "down", "space")])
def test_two_keys_answer_one_question(drive, keys):
    app = together(drive, *keys)
    assert facts(app) == {"media": False, "background-delivery": False, "clients": ("browser",), "existing-stack": (),
                          "kind": "dashboard"}  # fmt: skip
    assert app.session.question.id != "kind"


@pytest.mark.grid
@pytest.mark.parametrize("key", ["3", "a", "u", "x", "q", "e", "f1", "escape"])
def test_a_key_behind_an_answer_does_nothing_to_what_comes_then(drive, key):
    app = together(drive, "3", key)
    assert facts(app)["kind"] == "dashboard"
    assert type(app.last) is InterviewScreen
    assert app.session.question.id not in app.session.answers


@pytest.mark.long
def test_a_double_press_on_the_last_question_leads_to_the_end_and_no_further(drive, base):
    text = "features: [{name: a, media: yes}]\n"
    app = together(drive, "?", "?", before=unknown_to_the_end(text, base)[:-1], text=text)
    assert app.session.question is None
    assert '"a" is decided: WebRTC.' in app.shown
    assert type(app.last) is InterviewScreen


@pytest.mark.long
def test_a_digit_typed_too_early_is_not_in_the_line_of_a_number(drive):
    """It was meant for the list before; the person would type the number behind it."""

    async def go(pilot):
        while pilot.app.session.forward().question and pilot.app.session.question.type != "number":
            before = pilot.app.session
            await at_once(pilot, "?", "4", "4")
            passed = {} if before.pause else {before.question.id: UNKNOWN}
            assert pilot.app.session.answers == before.answers | passed
        assert pilot.app.screen.query_one(Line).has_focus
        assert pilot.app.screen.query_one(Line).value == ""
        await at_once(pilot, *"12", "enter", "7")
        assert 12 in facts(pilot.app).values()
        assert 7 not in facts(pilot.app).values()

    drive(then=go)


def test_a_key_that_is_understood_late_does_not_answer_what_was_drawn_after_its_read(drive):
    """ESC and Enter in one read may be the beginning of a longer sequence: they come when nothing has followed."""

    async def go(pilot):
        app, parser = pilot.app, linux_driver.XTermParser()
        before, asked = app.session, app.session.question.id
        for event in parser.feed("b\x1b\r"):
            app.post_message(event)
        await at_once(pilot)
        drawn = app.session.question.id
        assert drawn != asked, "the question before is drawn"
        await asyncio.sleep(2 * constants.ESCAPE_DELAY)
        late = list(parser.tick())
        assert [event.key for event in late][-1] == "enter"
        for event in late:
            app.post_message(event)
        await at_once(pilot)
        assert app.session.project == before.project
        assert app.session.question.id == drawn, "which Enter would answer and leave"

    drive(then=go)


def test_what_was_picked_or_typed_for_another_question_is_dropped(drive):
    async def go(pilot):
        app, before = pilot.app, pilot.app.session
        listed = app.screen.query_one(Numbered)
        await pilot.press("3")
        listed.post_message(Numbered.Picked(listed.choices[0], before))
        listed.post_message(Numbered.Done((), before))
        listed.post_message(Line.Entered("8", before))
        await pilot.pause()

    app = drive(then=go)
    assert app.session.question.id not in app.session.answers
    assert len(app.session.past) == 1


def test_a_key_before_the_picture_is_dropped_and_one_after_it_is_taken(drive):
    async def go(pilot):
        app = pilot.app
        app.change(lambda session: session.goto("media"))
        await at_once(pilot, "1")
        assert facts(app)["media"] is False
        await at_once(pilot, "1")
        assert facts(app)["media"] is True

    drive(then=go)


def test_ctrl_q_is_never_too_early(drive):
    assert not together(drive, "3", "ctrl+q").is_running


def pressed(kind, x, y):
    return kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)


def test_a_double_click_answers_one_question(drive):
    async def go(pilot):
        place = pilot.app.screen.query_one(Numbered).region
        for kind in (events.MouseDown, events.MouseUp) * 2:
            pilot.app.post_message(pressed(kind, place.x + 4, place.y + 2))
        await at_once(pilot)

    app = drive(then=go)
    assert facts(app)["kind"] == "dashboard"
    assert app.session.question.id not in app.session.answers


# --- dialogs ----------------------------------------------------------------------------------------------------------


def test_the_first_dialog_closes_once(drive):
    app = together(drive, "enter", "enter", text=None)
    assert app.session.feature.name == "feature 1"
    assert facts(app) == {}
    assert len(app.stack) == 1


CLOSING = {
    "new feature": ("n", "enter"),
    "all answers": ("a", "enter"),
    "answers, x": ("b a", "x"),
    "palette": ("ctrl+p", "enter"),
    "palette, escape": ("ctrl+p", "escape"),
    "help": ("f1", "escape"),
    "help in the palette": ("ctrl+p f1", "escape"),
    "result": ("r", "b"),
    "card": ("r 2", "enter"),
    "features": ("f", "enter"),
    "export": ("e", "escape"),
    "replace": ("3 e w", "n"),
    "another place": ("e down p", "enter"),
    "save a text": ("r s", "escape"),
    "something else": ("2 5", "escape"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", CLOSING)
def test_a_key_pressed_twice_does_what_it_does_pressed_once(drive, name):
    before, key = CLOSING[name]
    once, twice = (together(drive, *[key] * times, before=before.split()) for times in (1, 2))
    assert [type(screen) for screen in twice.stack] == [type(screen) for screen in once.stack]
    assert twice.session.project == once.session.project


def test_the_dialog_on_quitting_closes_once(drive, home):
    app = together(drive, "enter", "enter", before=("enter", "3", "q"), text=None, file=None)
    assert not app.is_running
    assert (home / "answers.yaml").is_file()


@pytest.mark.long
def test_the_choice_of_what_an_earlier_run_left_is_made_once(drive):
    drive("3")
    app = together(drive, "1", "1", text=None, fresh=False)
    assert facts(app)["kind"] == "dashboard"
    assert app.session.question.id not in app.session.answers


def test_a_screen_that_is_closed_or_behind_another_closes_nothing(drive):
    async def go(pilot):
        await pilot.press("a", "f1")
        answers = pilot.app.screen_stack[-2]
        answers.dismiss(("clear", "clients"))
        await pilot.pause()
        assert type(pilot.app.screen) is Help
        await pilot.press("escape", "escape")
        answers.dismiss(("clear", "clients"))
        await pilot.pause()

    app = drive(then=go)
    assert "clients" in facts(app)
    assert len(app.stack) == 1


@pytest.mark.long
def test_there_is_one_palette_at_most(drive):
    for keys in (("ctrl+p", "f1", "ctrl+p"), ("ctrl+p", "ctrl+p"), ("ctrl+p", "f1", "ctrl+p", "f1", "ctrl+p")):
        app = drive(*keys)
        assert [type(screen) for screen in app.stack] == [InterviewScreen, Palette]
    assert type(together(drive, "ctrl+p", "f1", "ctrl+p").last) is Palette


# --- text -------------------------------------------------------------------------------------------------------------


def test_a_name_typed_fast_is_whole_and_enter_takes_it(drive):
    app = together(drive, *"live chat", "enter", before=("n",))
    assert app.session.feature.name == "live chat"
    assert "kind" not in facts(app)


@pytest.mark.long
def test_letters_typed_ahead_of_a_dialog_are_kept_and_enter_is_not(drive):
    async def go(pilot):
        await at_once(pilot, "n", *"lived", "backspace", "enter")
        assert type(pilot.app.screen) is AskText
        assert pilot.app.focused.value == "live"
        await pilot.press("escape")
        await at_once(pilot, "ctrl+p", *"costs", "enter")
        assert type(pilot.app.screen) is Palette
        assert pilot.app.focused.value == "costs"

    drive(then=go)


def test_a_text_pasted_behind_the_key_that_opens_a_dialog_is_kept(drive):
    async def go(pilot):
        pilot.app.post_message(events.Key("n", "n"))
        pilot.app.post_message(events.Paste("live chat"))
        await at_once(pilot)
        assert pilot.app.focused.value == "live chat"

    drive(then=go)


def test_a_choice_is_not_made_in_a_dialog_that_nobody_has_seen(drive, home):
    (home / "answers.yaml").write_text("features: [{name: mine}]\n")
    before = ("enter", "3", "q")
    app = together(drive, "enter", "2", before=before, text=None, file=None)
    assert type(app.last) is Choose
    assert "mine" in (home / "answers.yaml").read_text()
