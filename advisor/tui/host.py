"""What the screens need of the app that shows them. They import this instead of the app, which imports them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from textual.message_pump import MessagePump
from textual.screen import Screen

from advisor.answers.draft import Draft
from advisor.interview.session import Session

if TYPE_CHECKING:
    from advisor.interview.export import Part

Given = TypeVar("Given")


class Host(Protocol):
    """The app, as its screens, dialogs and commands see it."""

    draft: Draft
    session: Session | None  # None: the first feature has no name yet
    saved: bool  # whether the file has all answers
    failure: Exception | None  # printed when the screen is closed; it gives the exit code

    @property
    def file_words(self) -> str:
        """The file's name, and a star while it lacks answers."""

    def push_screen(self, screen: Screen[Given], callback: Callable[[Given | None], object] | None = None) -> object:
        """Show a screen in front; what it gives back goes to `callback`."""

    def exit(self, *, return_code: int = 0) -> None:
        """End the program."""

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """A line for the person."""

    def change(self, operation: Callable[[Session], Session]) -> bool:
        """Apply an operation to the session; whether it was accepted."""

    def show_all(self) -> None:
        """Redraw the screens that show the session."""

    # --- saving -------------------------------------------------------------------------------------------------------

    def still_saved(self, session: Session) -> bool:
        """Whether the file on the disk has these answers now."""

    def write(self, part: Part) -> list[str]:
        """Write one part of an export; return messages to show. Raises OutputError."""

    # --- going somewhere ----------------------------------------------------------------------------------------------

    def export(self) -> None:
        """Show everything that can be written."""

    def action_help(self) -> None:
        """Show the help of the current screen."""

    def action_change_theme(self) -> None:
        """Let the person choose a theme."""

    def switch_theme(self) -> None:
        """Light to dark, dark to light."""

    async def act(self, action: str) -> None:
        """Do an action of the interview, from any screen."""

    def jump(self, where: tuple[str, str] | None) -> None:
        """Where the list of all answers led: an operation of the session and a question."""

    def ask(self, fact: str, feature: int | None = None) -> None:
        """Go to a question of a feature, from any screen."""

    def open_feature(self, index: int) -> None:
        """Go to a feature's questions, from any screen."""

    def open_tab(self, index: int) -> None:
        """Open a tab of the result, from any screen."""


def host(shown: MessagePump) -> Host:
    """The app that shows this screen."""
    return cast("Host", shown.app)
