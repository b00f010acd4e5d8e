"""The small screens in front of others: a text, a decision, a list to choose from, help."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from advisor.tui import panes
from advisor.tui.panes import HIGH
from advisor.tui.turns import Once
from advisor.tui.widgets import Choice, Line, Numbered

WIDTH, PADDING = 76, 2  # of a dialog, in columns
ROUND = 7  # rows of a dialog besides its question, text and choices: padding, gaps, two lines of keys
CHOOSE = "Enter or a number chooses, Escape goes back, F1 helps"


class AskText(Once, ModalScreen[str | None]):
    """Asks for one line. Escape gives None."""

    HELP = "One line of text. It is checked when you press Enter; a message explains what is wrong."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("enter", "take", "accept it"),
        Binding("escape", "dismiss(None)", "go back and discard it"),
    ]

    def __init__(
        self,
        question: str,
        text: str = "",
        note: str = "",
        check: Callable[[str], str] | None = None,
        escape: str = "goes back",
    ) -> None:
        super().__init__()
        self.question, self.text, self.note, self.check = question, text, note, check
        self.keys = f"Enter takes it, Escape {escape}, F1 helps"

    def compose(self) -> ComposeResult:
        """A question, a line, what is wrong with it."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(self.question, "bold"), markup=False)
            yield Line("line", self.text, replace=True)
            yield Static(self.note, id="note", markup=False)
            yield Static(self.keys, classes="keys", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show at once what is wrong with the line; an empty line is not wrong yet."""
        event.stop()
        wrong = self.check(event.value) if self.check and event.value else ""
        self.say(wrong)

    def say(self, wrong: str) -> None:
        """Show what is wrong with the line, or the note."""
        self.query_one("#note", Static).update(Content.styled(wrong, "bold $text-error") if wrong else self.note)

    def on_line_entered(self, event: Line.Entered) -> None:
        """Take the line."""
        event.stop()
        self.action_take()

    def action_take(self) -> None:
        """Accept the line, or show what is wrong with it."""
        text = self.query_one(Line).value
        wrong = self.check(text) if self.check else ""
        if wrong:
            self.say(wrong)
        else:
            self.dismiss(text.strip())


class Choose(Once, ModalScreen[object]):
    """Asks for one of a few things, each with a number. Escape gives None."""

    HELP = "Choose one: press its number, or move to it and press Enter."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("escape", "dismiss(None)", "go back without a choice"),
        Binding("pagedown", "scroll(1)", "scroll the text", priority=True),
        Binding("pageup", "scroll(-1)", "scroll it back", priority=True),
    ]

    def __init__(self, question: str, choices: list[tuple[str, object]], note: str = "") -> None:
        super().__init__()
        self.question, self.note = question, note
        self.choices = [Choice(str(i), label, value) for i, (label, value) in enumerate(choices, 1)]

    def compose(self) -> ComposeResult:
        """A question and its choices."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(self.question, "bold"), markup=False)
            if self.note:
                with VerticalScroll(can_focus=False):
                    yield Static(self.note, markup=False)
            yield Numbered("choices")
            yield Static(CHOOSE, id="choose", classes="keys", markup=False)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(Numbered).fill(self.choices, self.question)
        self.limit()

    def on_resize(self) -> None:
        """Leave room for the choices at the new size."""
        self.limit()

    def limit(self) -> None:
        """Scroll the text where it would push the choices off the screen, and say so."""
        if not self.note:
            return
        columns, rows = min(WIDTH, self.app.size.width) - 2 * PADDING, self.app.size.height
        around = panes.height(Content(self.question), columns) + len(self.choices) + ROUND
        most = max(rows - around, 1)
        self.query_one(VerticalScroll).styles.max_height = most
        longer = panes.height(Content(self.note), columns - 1) > most
        self.query_one("#choose", Static).update(f"Page down shows more of the text. {CHOOSE}" if longer else CHOOSE)

    def action_scroll(self, direction: int) -> None:
        """Move the text."""
        for text in self.query(VerticalScroll):
            text.scroll_relative(y=direction * max(text.size.height - 1, 1), animate=False)

    def on_numbered_picked(self, event: Numbered.Picked) -> None:
        """Return the chosen value."""
        event.stop()
        self.dismiss(event.choice.value)


class Help(Once, ModalScreen[None]):
    """Text to read. Any of its keys goes back."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (HIGH, "-high")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter,b", "dismiss(None)", "Back")]

    def __init__(self, text: Content) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        """The text, and how to leave."""
        with Vertical(classes="dialog tall"):
            with VerticalScroll():
                yield Static(self.text, markup=False)
            yield Static("Up and down scroll, Escape goes back", classes="keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll the text."""
        self.query_one(VerticalScroll).focus()
