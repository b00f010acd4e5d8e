"""The dialogs that add, choose, rename, copy and remove features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.facts import wrong_text
from advisor.text import visible
from advisor.tui.dialogs import AskText, Choose
from advisor.tui.panes import NAME

if TYPE_CHECKING:
    from advisor.interview import Session
    from advisor.tui.app import AdvisorApp


def add(app: AdvisorApp) -> None:
    """Ask for the next feature's name and go to its first question."""

    def take(name: str | None) -> None:
        if name is not None:
            app.change(lambda session: session.add_feature(name))

    count = len(_session(app).project.features) + 1
    note = "It shares the path and the servers with the others."
    app.push_screen(AskText("What is the next feature called?", f"feature {count}", note, wrong_text), take)


def manage(app: AdvisorApp) -> None:
    """Offer what can be done with the features."""
    session = _session(app)
    names = [visible(feature.name, NAME) for feature in session.project.features]
    here = names[session.current]
    listed: list[tuple[str, object]] = [(f"go to {name}", i) for i, name in enumerate(names)]
    listed += [(f"rename {here}", "rename_feature"), (f"copy {here}", "duplicate_feature")]
    listed += [(f"remove {here} (u brings it back)", "remove")] if len(names) > 1 else []

    def take(chosen: object) -> None:
        if isinstance(chosen, int):
            app.change(lambda session: session.select(chosen))
        elif chosen == "remove":
            app.change(lambda session: session.remove_feature())
        elif isinstance(chosen, str):
            name(app, chosen)

    app.push_screen(Choose("Features", listed, at=session.current), take)


def name(app: AdvisorApp, operation: str) -> None:
    """Ask for a name and do the operation (rename_feature or duplicate_feature) with it."""

    def take(name: str | None) -> None:
        if name is not None:
            app.change(lambda session: getattr(session, operation)(name))

    app.push_screen(AskText("What is it to be called?", _session(app).feature.name, check=wrong_text), take)


def _session(app: AdvisorApp) -> Session:
    assert app.session is not None
    return app.session
