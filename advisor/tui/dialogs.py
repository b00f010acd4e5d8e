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

from advisor.tui.panes import HIGH
from advisor.tui.turns import Once
from advisor.tui.widgets import Choice, Line, Numbered


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
        self.question, self.text, self.note, self.check, self.escape = question, text, note, check, escape

    def compose(self) -> ComposeResult:
        """A question, a line, what is wrong with it."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(self.question, "bold"), markup=False)
            yield Line("line", self.text, replace=True)
            yield Static(self.note, id="note", markup=False)
            yield Static(f"Enter takes it, Escape {self.escape}, F1 helps", classes="keys", markup=False)

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
    ]

    def __init__(self, question: str, choices: list[tuple[str, object]], note: str = "") -> None:
        super().__init__()
        self.question, self.note = question, note
        self.choices = [Choice(str(i), label, value) for i, (label, value) in enumerate(choices, 1)]

    def compose(self) -> ComposeResult:
        """A question and its choices."""
        with Vertical(classes="dialog"):
            yield Static(Content.styled(self.question, "bold"), markup=False)
            if self.note.count("\n") > 2:
                with VerticalScroll(can_focus=False):
                    yield Static(self.note, markup=False)
            elif self.note:
                yield Static(self.note, markup=False)
            yield Numbered("choices")
            yield Static("Enter or a number chooses, Escape goes back, F1 helps", classes="keys", markup=False)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(Numbered).fill(self.choices, self.question)

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
