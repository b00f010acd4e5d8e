"""What all screens of the interview have in common: the app that they belong to, and the keys that lead out of them."""

from __future__ import annotations

from textual.screen import Screen

from advisor.interview.session import Session
from advisor.tui import files
from advisor.tui.host import Host, host
from advisor.tui.turns import Once
from advisor.tui.widgets import Keys


class Ours(Once, Screen[None]):
    """A full screen of the app."""

    @property
    def owner(self) -> Host:
        """The app, which has the session."""
        return host(self)

    def on_screen_suspend(self) -> None:
        """Another screen is in front: the keys belong to that one."""
        for keys in self.query(Keys):
            keys.on_resize()

    def on_screen_resume(self) -> None:
        """Nothing is in front of it any more."""
        self.on_screen_suspend()

    def action_export(self) -> None:
        """Everything that can be written."""
        self.owner.export()

    def action_leave(self) -> None:
        """Save and quit."""
        files.leave(self.owner)


class Shows(Ours):
    """A screen that shows the current session; it is redrawn after every change."""

    @property
    def session(self) -> Session:
        """The interview as it is now."""
        assert self.owner.session is not None
        return self.owner.session

    def show(self) -> None:
        """Everything, after the session or the size has changed."""
        raise NotImplementedError

    def action_undo(self) -> None:
        """Undo the last change."""
        past = self.session.past
        if self.owner.change(lambda session: session.undo()):
            self.owner.tell(f"Undone: {past[-1].change}")
