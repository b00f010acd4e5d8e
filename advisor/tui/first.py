"""The first screen: what the program is for, the name of the first feature, and an example to look at."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from advisor.answers.file import read
from advisor.answers.read_fact import wrong_text
from advisor.base.data import data
from advisor.interview.session import Session
from advisor.tui.dialogs import AskText
from advisor.tui.host import host
from advisor.tui.results import NEXT, ResultsScreen

EXAMPLE = "notifications.yaml"


class FirstName(AskText):
    """Asks for the name of the first feature; F2 shows what comes out, with the answers of an example."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("f2", "example", "look at an example first"),
        Binding("enter", "take", "accept the name"),
        Binding("escape", "dismiss(None)", "quit"),
    ]

    def __init__(self, note: str) -> None:
        super().__init__("What is the name of the first feature?", "feature 1", note, wrong_text, "quits")
        self.keys = "Enter takes it, F2 shows an example first, Escape quits, F1 helps"

    def action_example(self) -> None:
        """Show the result of an example."""
        base = host(self).draft.base
        self.app.push_screen(
            ExampleScreen(Session.from_project(read(data("rules") / "examples" / EXAMPLE, base), base))
        )


class ExampleScreen(ResultsScreen):
    """The result of answers that somebody else gave. Nothing of it can be changed or exported."""

    HELP = "What comes out for an example, an order page's notifications. b goes back to your first feature."
    BINDINGS: ClassVar[list[BindingType]] = [
        binding
        for binding in ResultsScreen.BINDINGS
        if not isinstance(binding, Binding) or binding.action not in ("export", "feature", "leave")
    ]
    hints: ClassVar[tuple[str, ...]] = (
        "2 shows why, 3 what to watch, 4 what would change it, 5 the starter kit, 6 what it costs.",
        *NEXT[1:3],
        "Up and down move. With your own feature, Enter goes to the question.",
        "Up and down choose a file of the starter kit; page down scrolls it; c copies it, s saves it.",
        "Up and down scroll. Numbers marked as assumed become yours when you answer their questions.",
    )
    ELSEWHERE = "This is an example; b goes back, and Enter there begins with your own feature."

    @property
    def heading(self) -> Content:
        """What the screen shows."""
        return Content.assemble(("Example", "bold"), "   b goes back to your own feature")

    def follow(self, leads: str) -> None:
        """Show where a block leads. Questions of an example cannot be answered."""
        if leads.startswith("question:"):
            self.owner.tell(self.ELSEWHERE)
        else:
            super().follow(leads)

    def action_export(self) -> None:
        """Nothing of an example is written."""
        self.owner.tell(self.ELSEWHERE)

    def action_leave(self) -> None:
        """The first screen quits."""
        self.owner.tell(self.ELSEWHERE)
