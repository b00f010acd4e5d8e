"""An answer is laid out and drawn once, and what does not fit can still be scrolled."""

from __future__ import annotations

import pytest
from textual._compositor import Compositor
from textual.screen import Screen

from advisor.tui.widgets import Numbered

TWO = "features: [{name: order status, media: no, background-delivery: no, clients: [browser]}]\n"


def counted(monkeypatch, owner, name):
    calls = []
    real = getattr(owner, name)

    def count(self, *args, **kwargs):
        calls.append(name)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, count)
    return calls


@pytest.mark.long
def test_an_answer_is_laid_out_and_drawn_once(drive, monkeypatch):
    """Where all of it fits; a scroll bar that comes or goes takes a second time."""
    layouts, drawn = counted(monkeypatch, Screen, "_refresh_layout"), counted(monkeypatch, Compositor, "render_update")
    found = {}

    async def go(pilot):
        for key in "?ub?":
            await pilot.pause(0.3)
            layouts.clear()
            drawn.clear()
            await pilot.press(key)
            await pilot.pause(0.3)
            found[len(found), key] = (len(layouts), len(drawn))

    drive(size=(200, 60), text=TWO, then=go)
    assert set(found.values()) == {(1, 1)}, found


def test_a_list_that_does_not_fit_has_a_scroll_bar_and_shows_the_highlighted_choice(drive):
    seen = []

    async def go(pilot):
        for fact in ("kind", "media", "clients", "reverse-proxy"):
            pilot.app.change(lambda session, fact=fact: session.goto(fact))
            await pilot.pause(0.1)
            listed = pilot.app.screen.query_one(Numbered)
            seen.append((listed.show_vertical_scrollbar, listed.virtual_size.height > listed.size.height))
            if fact == "reverse-proxy":
                assert "nginx" in pilot.app.screen.query_one(Numbered).choice.label

    app = drive(then=go, size=(60, 14))
    assert all(bar == needed for bar, needed in seen), seen
    assert {bar for bar, _ in seen} == {True, False}
    assert any(line.startswith(" >") and "nginx" in line for line in app.shown.splitlines()), app.shown
