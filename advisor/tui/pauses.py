"""The choices at a pause of the interview: to confirm the usual answers or change one, to go on once it is settled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.content import Content

from advisor.engine.asking import Part
from advisor.interview import pausing
from advisor.interview.session import Session
from advisor.tui.host import Host
from advisor.tui.widgets import Choice, Next


def text(session: Session) -> Content:
    """What the pause is about."""
    return Content("\n").join(
        [Content.styled(pausing.headline(session), "bold"), *map(Content, pausing.paragraphs(session))]
    )


def doing(session: Session) -> str:
    """What the keys do."""
    if session.pause == "list":
        return "y or Enter confirms; a number changes that answer; ? asks them one by one."
    return "Press its number, or move to it and press Enter; ? goes on."


def choices(session: Session, app: Host, result: Callable[[], object], width: int) -> list[Choice]:
    """Each with what it does."""

    def go_on(part: Part | None = None) -> None:
        app.change(lambda now: now.go_on(part))

    if session.pause == "list":
        confirm = Choice("y", "yes, all of these are right", Next(lambda: app.change(lambda now: now.confirm())))
        rows = [
            Choice(str(i), pausing.row(session, item, width - 5), Next(partial(app.ask, item.fact)))
            for i, item in enumerate(session.listing, 1)
        ]
        return [confirm, *rows, Choice("?", "I don't know  (each is asked when it matters)", Next(go_on))]
    made = [
        Choice(str(i), way.label, Next(result if way.part is None else partial(go_on, way.part)))
        for i, way in enumerate(pausing.onward(session), 1)
    ]
    return [*made, Choice("?", "go to the next question", Next(go_on))]
