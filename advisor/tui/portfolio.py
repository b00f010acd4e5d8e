"""The screen of all features side by side: their patterns, what they share, and what conflicts."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList

from advisor.base.text import visible
from advisor.tui import features, panes
from advisor.tui.screens import Shows
from advisor.tui.shared import HEADS, columns, common, row
from advisor.tui.widgets import Hint, Keys, Rows, Text

NEXT = "Enter opens a feature's questions; n adds a feature; r shows the result; e exports answers, record and kit."


class PortfolioScreen(Shows):
    """Shows the features of the session; the app makes every change and then redraws this screen."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (panes.HIGH, "-high")]  # noqa: RUF012  # as Textual declares it
    HELP = "All features of the project. They share the servers and the path to them; each feature has its own needs."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("b,escape,f", "back", "back", key_display="b"),
        Binding("n", "add", "new"),
        Binding("d", "copy", "copy", tooltip="duplicate it"),
        Binding("m", "rename", "rename"),
        Binding("x", "remove", "remove"),
        Binding("u", "undo", "undo"),
        Binding("r", "result", "result"),
        Binding("q", "leave", "quit"),
        Binding("e", "export", "write", tooltip="write the answers, the decision record, the kit"),
        Binding("p", "project", "project", tooltip="name the project"),
        Binding("pagedown", "scroll(1)", "scroll the text", show=False, priority=True),
        Binding("pageup", "scroll(-1)", "scroll the text", show=False, priority=True),
    ]
    drawn = 0

    def compose(self) -> ComposeResult:
        """A head, the features, what they share, what to do next."""
        yield Text("head", wraps=False)
        yield Text("columns", wraps=False)
        yield Rows("features")
        with VerticalScroll(id="shared", can_focus=False):
            yield Text("common")
        yield Hint(NEXT)
        yield Keys(id="keys", markup=False)

    @property
    def listed(self) -> Rows:
        """The list of features."""
        return self.query_one(Rows)

    def on_mount(self) -> None:
        """Show it, the highlight at the feature that is asked about."""
        self.listed.focus()
        self.drawn = self.app.size.width
        self.show()

    def on_resize(self, event: events.Resize) -> None:
        """Draw the columns for the new size."""
        if event.size.width != self.drawn:
            self.drawn = event.size.width
            self.show()

    def show(self) -> None:
        """Everything, after the session or the size has changed."""
        session, width = self.session, self.drawn - 2
        name = visible(session.project.name, panes.NAME)
        left = Content.assemble(("All features of ", "bold"), (name, "bold"))
        self.query_one("#head", Text).put(panes.between(left, Content(self.owner.file_words), width))
        self.query_one("#columns", Text).put(Content.styled(f"  {columns(width - 4, HEADS)}", "dim"))
        self.query_one("#common", Text).put(common(session, width - 1))
        self.query_one(Hint).rest()
        rows = [row(session, i) for i in range(len(session.project.features))]
        self.listed.fill([Content(columns(width - 4, cells)) for cells in rows], session.current)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def at(self) -> None:
        """Make the highlighted feature the current one."""
        index = self.listed.highlighted
        if index is not None and index != self.session.current:
            self.owner.change(lambda session: session.select(index))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click: its questions."""
        event.stop()
        self.at()
        self.dismiss()

    def action_scroll(self, direction: int) -> None:
        """Move the text under the list."""
        self.query_one("#shared", VerticalScroll).scroll_relative(y=4 * direction, animate=False)

    def action_add(self) -> None:
        """One more feature, and to its first question."""
        features.add(self.owner, self.dismiss)

    def action_copy(self) -> None:
        """A copy of the highlighted feature."""
        self.at()
        features.name(self.owner, "duplicate_feature", features.copy_name(self.session))

    def action_rename(self) -> None:
        """Another name for it."""
        self.at()
        features.name(self.owner, "rename_feature", self.session.feature.name)

    def action_project(self) -> None:
        """Another name for the whole."""
        features.name(self.owner, "rename_project", self.session.project.name)

    def action_remove(self) -> None:
        """Remove it; undo restores it."""
        self.at()
        if self.owner.change(lambda session: session.remove_feature()):
            self.owner.tell("Removed; u restores it.")

    def action_result(self) -> None:
        """The result of the highlighted feature."""
        from advisor.tui.results import ResultsScreen

        self.at()
        self.app.push_screen(ResultsScreen(self.session))

    def action_back(self) -> None:
        """To the questions of the highlighted feature."""
        self.at()
        self.dismiss()
