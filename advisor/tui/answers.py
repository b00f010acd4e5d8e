"""The screen of all answers: answered, open and kept aside; Enter opens a question."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from advisor.base.text import clipped, plural
from advisor.interview.overview import Row
from advisor.interview.session import Session
from advisor.model.answers_in_words import labelled
from advisor.tui.turns import Once
from advisor.tui.widgets import Keys

Jump = tuple[str, str] | None  # "goto" or "clear", and the question


class AnswersScreen(Once, ModalScreen[Jump]):
    """Returns which question to open, or which answer to remove."""

    HELP = "Every question with its answer. x answered, ? open, - kept aside: has no effect now, but is kept."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("enter", "jump", "go to it"),
        Binding("x", "clear", "remove the answer"),
        Binding("o", "open", "first open question"),
        Binding("b,escape,a,q", "dismiss(None)", "back", key_display="b"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        order = {"answered": 0, "open": 1, "parked": 2, "skipped": 3}
        self.rows = sorted(session.rows, key=lambda row: order[row.state])
        self.at = session.question.id if session.question else ""

    def compose(self) -> ComposeResult:
        """A head, the list, the keys."""
        counts = [sum(row.state == state for row in self.rows) for state in ("answered", "open", "parked")]
        words = f"{plural(counts[0], 'answer')}, {counts[1]} open, {counts[2]} kept aside; ctrl+p finds one by words"
        yield Static(Content.assemble(("All answers", "bold"), f"   {words}"), markup=False)
        yield OptionList(id="list", markup=False, compact=True)
        yield Keys(id="keys", markup=False)

    def on_mount(self) -> None:
        """Begin at the current question."""
        self.query_one(OptionList).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the columns out for this width."""
        listed = self.query_one(OptionList)
        at = listed.highlighted
        if at is None:
            at = next((i for i, row in enumerate(self.rows) if row.question.id == self.at), 0)
        listed.set_options([Option(line(row, event.size.width)) for row in self.rows])
        listed.highlighted = at

    @property
    def row(self) -> Row:
        """The highlighted row."""
        return self.rows[self.query_one(OptionList).highlighted or 0]

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        event.stop()
        self.action_jump()

    def action_jump(self) -> None:
        """Go to the question."""
        self.dismiss(("goto", self.row.question.id))

    def action_clear(self) -> None:
        """Take the answer away."""
        if self.row.value is not None:
            self.dismiss(("clear", self.row.question.id))

    def action_open(self) -> None:
        """Move to the first question that is open."""
        first = next((i for i, row in enumerate(self.rows) if row.state == "open"), None)
        if first is not None:
            self.query_one(OptionList).highlighted = first


def line(row: Row, width: int) -> Content:
    """One question in columns: its state, its answer, the number of patterns ruled out, and its text."""
    question = row.question
    mark = {"answered": "x", "open": "?", "parked": "-", "skipped": " "}[row.state]
    answer = labelled(question, row.value) if row.value is not None else NOTES[row.state]
    column = 14 if width < 80 else 24
    effect = f"rules out {row.ruled_out}" if row.ruled_out else NOTES["parked"] if row.state == "parked" else ""
    style = "dim" if row.state in ("parked", "skipped") else ""
    parts: list[tuple[str, str]] = [(f"{mark} ", "bold"), (f"{clipped(answer, column):{column}}  ", "bold")]
    if width >= 80:
        parts.append((f"{effect:12}  ", "dim"))
    where = {"feature": "", "path": "path: ", "app": "servers: "}[question.scope]
    room = width - sum(len(text) for text, _ in parts) - 1  # the column of the scroll bar
    return Content.assemble(*parts, (clipped(f"{where}{question.ask}", room), style))


NOTES = {"open": "open", "skipped": "not needed", "parked": "kept aside"}
