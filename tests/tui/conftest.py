"""Driving the program without a terminal: press keys, look at the screen as text, compare it with a golden file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.keystrokes import patient
from textual.app import App

from advisor.answers.draft import open_draft
from advisor.ruleset.cache import load
from advisor.tui.app import AdvisorApp

SCREENS = Path(__file__).parent / "screens"
FILE = """\
project: Acme orders
path: {reverse-proxy: nginx, nginx-version: "1.22.1", http2-to-browser: yes}
features:
  - name: order status
    media: no
    background-delivery: no
    clients: [browser]
    existing-stack: []
"""


def screen(app: App[None]) -> str:
    """The text on the screen, line by line."""
    rows = app.screen._compositor.render_strips()  # private, in this one place
    return "\n".join("".join(s.text for s in row).rstrip() for row in rows) + "\n"


@pytest.fixture(scope="session")
def base():
    return load()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working folder and state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("TEXTUAL_THEME", raising=False)
    monkeypatch.delenv("COLORFGBG", raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


async def pressed(pilot, key):
    """One key, or `look`, a size to resize to, `=TEXT` typed in one go, `@FACT` to go to a question."""
    app = pilot.app
    if key == "look":
        await pilot.pause()
        app.seen.append(screen(app))
    elif isinstance(key, tuple):
        await pilot.resize_terminal(*key)
        await pilot.pause()
    elif key.startswith("="):
        app.focused.value = key[1:]
    elif key.startswith("@") and len(key) > 1:
        app.change(lambda session: session.goto(key[1:]))
        await pilot.pause()
    elif app.is_running:
        await pilot.press(key)


@pytest.fixture
def drive(base, home):
    """Run the program on a file, press keys, and give back the app; `seen` has the screens of every "look"."""

    def run(*keys, size=(120, 32), text=FILE, file="answers.yaml", then=None, fresh=True):
        for left in [*home.glob(".*.recovery"), *home.parent.glob("state/advisor/*")] if fresh else []:
            left.unlink()
        if text is not None and file is not None:
            (home / file).write_text(text)
        app = AdvisorApp(*open_draft(file, base, mend=True))
        app.seen = []

        async def go():
            async with app.run_test(size=size) as pilot:
                patient(pilot)
                await pilot.pause()
                for key in keys:
                    await pressed(pilot, key)
                if then is not None:
                    await then(pilot)
                if app.is_running:
                    await pilot.pause()
                    app.shown, app.last, app.stack = screen(app), app.screen, list(app.screen_stack)

        try:
            asyncio.run(go())
        finally:
            app.draft.recovery.release()  # as the end of the process would
        return app

    return run


@pytest.fixture
def golden(accept):
    """Compare a screen with its golden file; with --accept, write it."""

    def compare(name, shown):
        file = SCREENS / f"{name}.txt"
        if accept:
            file.parent.mkdir(exist_ok=True)
            file.write_text(shown, "utf-8")
        assert file.is_file(), f"{file.name} is missing; run with --accept and review it"
        assert shown == file.read_text("utf-8"), f"{file.name} differs; run with --accept and review the diff"

    return compare
