"""The dialogs that add, rename and copy features."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from advisor.answers.check import RefusedError
from advisor.tui.dialogs import AskText
from advisor.tui.host import Host

if TYPE_CHECKING:
    from advisor.interview.session import Session


def add(app: Host, after: Callable[[], object] | None = None) -> None:
    """Ask for the next feature's name and go to its first question."""

    def take(name: str | None) -> None:
        if name is not None and app.change(lambda session: session.add_feature(name)) and after is not None:
            after()

    count = len(_session(app).project.features) + 1
    note = "It shares the path and the servers with the other features, so you are not asked about them again."
    app.push_screen(
        AskText("What is the name of the next feature?", f"feature {count}", note, refusal(app, "add_feature")), take
    )


def name(app: Host, operation: str, text: str) -> None:
    """Ask for a name and do the operation (rename_feature, duplicate_feature, rename_project) with it."""

    def take(name: str | None) -> None:
        if name is not None:
            app.change(lambda session: getattr(session, operation)(name))

    what = {
        "rename_feature": "What is the new name of the feature?",
        "duplicate_feature": "What is the name of the copy?",
        "rename_project": "What is the name of the project?",
    }
    app.push_screen(AskText(what[operation], text, check=refusal(app, operation)), take)


def refusal(app: Host, operation: str) -> Callable[[str], str]:
    """Why a name would be refused, for a message while it can still be changed; "" if it is accepted."""

    def check(text: str) -> str:
        try:
            getattr(_session(app), operation)(text)
        except RefusedError as refused:
            return str(refused)
        return ""

    return check


def copy_name(session: Session) -> str:
    """A name for a copy that nothing has yet."""
    taken = {feature.name for feature in session.project.features}
    return next(name for i in range(2, len(taken) + 3) if (name := f"{session.feature.name} {i}") not in taken)


def unfinished(session: Session) -> int | None:
    """The first other feature that has open questions; None where there is none."""
    others = (i for i in range(len(session.project.features)) if i != session.current)
    return next((i for i in others if session.select(i).open), None)


def _session(app: Host) -> Session:
    assert app.session is not None
    return app.session
