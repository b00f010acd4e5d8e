"""Pressing keys as a person does, who looks before the next one, or all at once, as a slow line hands them over."""

from __future__ import annotations

import asyncio
import math

from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.pilot import Pilot

from advisor.answers.file import parse
from advisor.interview.session import Session
from advisor.model.rulebase import RuleBase


async def looked(app: App[None]) -> None:
    """Wait until the program has drawn what it asks: a person looks before the next key."""
    for _ in range(5000):
        if not app.is_running or app._exception or not (app.busy or app.inbox or app.seen_at == math.inf):
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it was never drawn, or a key is still under way")


def patient(pilot: Pilot[None]) -> None:
    """Make `press` look before every key and after the last."""
    press = pilot.press

    async def one_by_one(*keys: str) -> None:
        for key in keys:
            await looked(pilot.app)
            await press(key)
        await looked(pilot.app)

    pilot.press = one_by_one


async def at_once(pilot: Pilot[None], *keys: str) -> None:
    """Keys that arrive in one read, and what comes of them."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        pilot.app.post_message(events.Key(name, {"enter": "\r"}.get(key, key if len(key) == 1 else None)))
    for _ in range(3):
        await pilot.pause()
        await looked(pilot.app)


def unknown_to_the_end(text: str, base: RuleBase) -> list[str]:
    """As many ? as there are questions and pauses when nothing is known but these answers."""
    session, keys = Session.from_project(parse(text, "answers.yaml", base), base), []
    while session.question is not None:
        session = session.go_on() if session.pause else session.unknown(session.question.id)
        keys.append("?")
    return keys
