"""F1 everywhere, and every command by its name."""

from __future__ import annotations

import pytest

from advisor.tui.commands import ACTIONS
from advisor.tui.interview import InterviewScreen


@pytest.mark.long
def test_help_shows_the_question_in_full_and_the_keys(drive):
    app = drive("f1", "look", "escape", size=(120, 60))
    assert "Find out: " in app.seen[0]
    assert "undo the last change, whatever it was" in app.seen[0]
    assert "describes the feature best?" in app.shown


@pytest.mark.long
def test_help_calls_a_question_mark_unknown_and_never_0(drive):
    async def go(pilot):
        pilot.app.change(lambda session: session.goto("concurrent-clients"))
        await pilot.press("f1")
        await pilot.pause()

    typed, chosen = drive(then=go, size=(120, 90)).shown, drive("f1", size=(120, 90)).shown
    assert "takes what you typed" in typed
    for shown in (typed, chosen):
        assert '0 means "I don' not in shown
    assert '?                 means "I don\'t know"' in chosen


def flat(shown):
    return " ".join(shown.split())


SCREENS = {"question": (), "answers": ("a",), "result": ("r",), "features": ("f",), "export": ("e",), "line": ("n",)}


@pytest.mark.long
@pytest.mark.parametrize("name", SCREENS)
def test_f1_helps_on_every_screen_and_names_its_keys(drive, name):
    app = drive(*SCREENS[name], "f1", "look", size=(120, 90))
    assert "Keys" in app.seen[0]
    screen = app.stack[-2]
    for binding in screen.BINDINGS:
        assert flat(binding.tooltip or binding.description) in flat(app.seen[0]), binding
    assert "Escape goes back" in app.seen[0]
    assert type(drive(*SCREENS[name], "f1", "escape").last) is type(screen)


@pytest.mark.long
def test_no_key_needs_alt_or_cmd(drive):
    for keys in SCREENS.values():
        for binding in drive(*keys).last.BINDINGS:
            assert not any(part in binding.key for part in ("alt", "super", "meta", "cmd")), binding


@pytest.mark.long
def test_f1_helps_in_the_palette_and_escape_goes_back_to_it(drive):
    async def go(pilot):
        await pilot.press("ctrl+p", "f1")
        await pilot.pause()

    app = drive(then=go, size=(120, 60))
    assert "Every command, question, feature and tab by name" in flat(app.shown)
    assert "Escape goes back" in app.shown
    back = drive("ctrl+p", "f1", "escape")
    assert type(back.last).__name__ == "Palette"


async def chosen(pilot, words):
    await pilot.press("ctrl+p")
    await pilot.pause(0.1)
    await pilot.press(*words)
    await pilot.pause(0.4)
    await pilot.press("enter")
    await pilot.pause(0.1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "sign"),
    [
        ("Show the result so far", "[1 Recommendation]"),
        ("Result: Costs", "[6 Costs]"),
        ("Feature: order status", "describes the feature best?"),
        ("Question: Are the messages binary", "Are the messages binary"),
        ("all features side", "All features of Acme orders"),
        ("Export", "Write what is ticked"),
    ],
)
def test_the_palette_reaches_every_kind_of_place_from_any_screen(drive, words, sign):
    async def go(pilot):
        await pilot.press("r", "6")
        await chosen(pilot, words)

    assert sign in drive(then=go).shown


@pytest.mark.long
def test_the_palette_switches_between_light_and_dark(drive):
    async def go(pilot):
        await chosen(pilot, "light and dark")

    assert drive(then=go).theme == "advisor-light"


def test_every_action_of_the_interview_is_a_command():
    bound = {binding.action for binding in InterviewScreen.BINDINGS}
    assert bound - set(ACTIONS) <= {"list", "scroll_text(1)", "scroll_text(-1)"}
    assert set(ACTIONS) <= bound
