"""The screen of the result: six tabs for one feature, each made when it is opened."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from advisor.errors import AdvisorError
from advisor.interview import Session
from advisor.text import visible
from advisor.tui import pages, panes

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp

TABS = ("Recommendation", "Why", "Caveats", "What would change it", "Configs", "Costs")
LANGUAGES = {
    ".py": "python", ".conf": "nginx", ".yaml": "yaml", ".js": "javascript", ".md": "markdown", ".html": "html",
    ".css": "css", ".json": "json", ".lock": "json", ".service": "ini", ".toml": "toml",
}  # fmt: skip


class Tabs(Static):
    """One line of numbered tabs; the open one stands in brackets."""

    def show(self, at: int) -> None:
        """Mark the open one. Every tab can be clicked."""
        parts = []
        for i, name in enumerate(TABS):
            label = f"[{i + 1} {name}]" if i == at else f" {i + 1} {name} "
            style = "bold reverse" if i == at else ""
            parts.append(Content.styled(label, style).stylize(f"@click=screen.tab({i})"))
        self.update(Content("").join(parts))


class ResultsScreen(Screen[None]):
    """The verdict on the session's answers as they are."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-wide")]  # noqa: RUF012  # as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("b,escape,r", "back", "Back", key_display="b"),
        Binding("right", "turn(1)", "Next tab"),
        Binding("left", "turn(-1)", "Tab before", show=False),
        Binding("f", "feature", "Next feature"),
        Binding("e", "export", "Export"),
        Binding("c", "copy", "Copy"),
        Binding("q", "leave", "Quit"),
        *(Binding(str(i + 1), f"tab({i})", name, show=False) for i, name in enumerate(TABS)),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.at, self.feature = 0, session.current
        self.kit: dict[str, bytes] | None = None
        self.notes: list[str] = []
        self.drawn: tuple[int, int, int] | None = None

    @property
    def owner(self) -> AdvisorApp:
        """The app, which exports and quits."""
        return self.app  # type: ignore[return-value]  # only AdvisorApp shows this screen

    def compose(self) -> ComposeResult:
        """A head, the tabs, a page, and the files beside their text."""
        with Horizontal(id="head"):
            head = "Result so far" if self.session.open else "Result"
            yield Static(Content.styled(head, "bold"), id="file", markup=False)
            yield Static(id="feature", markup=False)
        yield Tabs(id="tabs", markup=False)
        with VerticalScroll(id="page"):
            yield Static(id="text", markup=False)
        with Horizontal(id="configs"):
            yield OptionList(id="files", markup=False, compact=True)
            with VerticalScroll(id="code"):
                yield Static(id="content", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Open the first tab."""
        self.call_after_refresh(self.open)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the page anew."""
        del event
        self.call_after_refresh(self.open)

    def open(self) -> None:
        """Fill the open tab, if that has not been done for this width yet."""
        page = self.query_one("#page", VerticalScroll)
        configs = TABS[self.at] == "Configs"
        page.display, self.query_one("#configs").display = not configs, configs
        names = self.session.project.features
        of = f"  ({self.feature + 1} of {len(names)}; f shows the next)" if len(names) > 1 else ""
        name = visible(names[self.feature].name, panes.NAME)
        self.query_one("#feature", Static).update(Content.assemble("feature: ", (name, "bold"), of))
        self.query_one(Tabs).show(self.at)
        width = self.size.width - 3
        if self.drawn == (self.at, self.feature, width):
            return
        self.drawn = (self.at, self.feature, width)
        if configs:
            self.open_configs()
        else:
            content = pages.build(TABS[self.at], width, self.session.verdict, self.feature, self.session.base)
            self.query_one("#text", Static).update(content)
            page.scroll_home(animate=False)
            page.focus()

    # --- configs ------------------------------------------------------------------------------------------------------

    def open_configs(self) -> None:
        """The kit's files, built when they are first asked for."""
        if self.kit is None:
            from advisor.kit import build

            try:
                made = build(self.session.project, self.session.verdict, self.session.base)
            except AdvisorError as error:
                self.kit, self.notes = {}, [str(error)]
            else:
                self.kit, self.notes = dict(made.files), list(made.notes)
        listed = self.query_one("#files", OptionList)
        listed.set_options([Option(Content(name)) for name in ["notes", *self.kit]])
        listed.highlighted = 0
        listed.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the highlighted file."""
        event.stop()
        from textual.highlight import highlight

        assert self.kit is not None
        name = ["notes", *self.kit][event.option_index]
        if name == "notes":
            text = "\n\n".join([*self.notes, "The kit is for all features of the project together."])
            content = Content(text if self.kit else f"{text}\n\nThere is no kit for these answers.")
        else:
            code = self.kit[name].decode("utf-8", "replace").expandtabs(4)
            content = highlight(code, language=LANGUAGES.get(PurePosixPath(name).suffix, "text"))
        self.query_one("#content", Static).update(content)
        self.query_one("#code", VerticalScroll).scroll_home(animate=False)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_tab(self, index: int) -> None:
        """Open a tab."""
        self.at = index
        self.open()

    def action_turn(self, by: int) -> None:
        """Open the next tab."""
        self.action_tab((self.at + by) % len(TABS))

    def action_feature(self) -> None:
        """Show the next feature."""
        self.feature = (self.feature + 1) % len(self.session.project.features)
        self.open()

    def action_copy(self) -> None:
        """Copy the open tab whole, by the terminal's own means (OSC 52)."""
        name = "#content" if TABS[self.at] == "Configs" else "#text"
        self.app.copy_to_clipboard(str(self.query_one(name, Static).content))
        self.owner.tell("Handed to the terminal's clipboard; some terminals ignore that, so e writes files.")

    def action_export(self) -> None:
        """Write the answers file and the kit."""
        self.owner.export()

    def action_help(self) -> None:
        """The keys."""
        self.owner.help(None)

    def action_back(self) -> None:
        """To the questions."""
        self.dismiss()

    def action_leave(self) -> None:
        """Save and quit."""
        self.owner.leave()
