"""The screen of the result: six tabs for one feature, each made when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from advisor.base.errors import AdvisorError
from advisor.base.text import visible
from advisor.interview.session import Session
from advisor.tui import cards, files, pages, panes
from advisor.tui.dialogs import Help
from advisor.tui.screens import Ours
from advisor.tui.widgets import Hint, Keys, Rows, Text

TABS = ("Recommendation", "Why", "Caveats", "What would change it", "Configs", "Costs")
SHORT = ("Result", "Why", "Caveats", "Changes", "Configs", "Costs")  # where the long names do not fit
NEXT = (
    "2 shows why, 3 what to watch, 4 what would change it, 5 the starter kit if there is one; e exports.",
    "x decides, - does not apply, . is not reached. Enter opens the rule with its conditions and evidence.",
    "Up and down move; Enter opens the caveat: why, how to see it, and the evidence.",
    "Up and down move; Enter goes to the question, to answer it differently.",
    "Up and down choose a file of the starter kit; page down scrolls it; c copies it, s saves it, e exports all.",
    "Up and down scroll. Numbers marked as assumed become yours when you answer their questions (b goes back).",
)
LANGUAGES = {
    ".py": "python", ".conf": "nginx", ".yaml": "yaml", ".js": "javascript", ".md": "markdown", ".html": "html",
    ".css": "css", ".json": "json", ".lock": "json", ".service": "ini", ".toml": "toml",
}  # fmt: skip
NO_KIT = "There is no kit for these answers; e exports the answers and the decision record."
MOST_COPIED = 70_000  # bytes; some terminals drop a longer OSC 52


class Tabs(Static):
    """One line of numbered tabs; the open one is in brackets."""

    def show(self, at: int, width: int) -> None:
        """Mark the open one. Every tab can be clicked."""
        parts = []
        for i, name in enumerate(TABS if width > len("  ".join(TABS)) + 4 * len(TABS) else SHORT):
            label = f"[{i + 1} {name}]" if i == at else f" {i + 1} {name} "
            parts.append(Content.styled(label, "bold reverse" if i == at else "").stylize(f"@click=screen.tab({i})"))
        self.update(Content("").join(parts))


class ResultsScreen(Ours):
    """The verdict on the session's answers as they are."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (panes.WIDE, "-wide")]  # noqa: RUF012  # as Textual declares it
    HELP = "What the answers so far lead to, one feature at a time. Unanswered questions are assumed and listed."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("b,escape,r", "back", "back", key_display="b"),
        Binding("right", "turn(1)", "next", key_display="right", tooltip="next tab"),
        Binding("e", "export", "write", tooltip="write the answers, the decision record, the kit"),
        Binding("c", "copy", "copy", tooltip="copy the tab"),
        Binding("s", "save", "save", tooltip="save the tab in a file"),
        Binding("f", "feature", "feature", tooltip="next feature"),
        Binding("q", "leave", "quit"),
        Binding("left", "turn(-1)", "previous tab", show=False),
        Binding("pagedown", "scroll(1)", "scroll", show=False, priority=True),
        Binding("pageup", "scroll(-1)", "scroll", show=False, priority=True),
        *(Binding(str(i + 1), f"tab({i})", name, show=False) for i, name in enumerate(TABS)),
    ]

    hints: ClassVar[tuple[str, ...]] = NEXT

    def __init__(self, session: Session, tab: int = 0) -> None:
        super().__init__()
        self.session = session
        self.at, self.feature = tab, session.current
        self.kit: dict[str, bytes] | None = None
        self.notes: list[str] = []
        self.blocks: list[cards.Block] = []
        self.drawn: tuple[int, int, int] | None = None

    def compose(self) -> ComposeResult:
        """A head, the tabs, a page to read or blocks to move through, and the files beside their text."""
        yield Text("head", wraps=False)
        yield Tabs(id="tabs", markup=False)
        with VerticalScroll(id="page"):
            yield Static(id="text", markup=False)
        yield Rows("blocks")
        with Horizontal(id="configs"):
            yield Rows("files")
            with VerticalScroll(id="code"):
                yield Static(id="content", markup=False)
        yield Hint(NEXT[0])
        yield Keys(id="keys", markup=False)

    def on_mount(self) -> None:
        """Open the first tab."""
        self.open(self.app.size.width)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the page for the new size."""
        self.open(event.size.width)

    def open(self, width: int) -> None:
        """Fill the open tab, if that has not been done for this width yet."""
        if self.drawn == (self.at, self.feature, width):
            return
        self.drawn = (self.at, self.feature, width)
        features = self.session.project.features
        of = f"  ({self.feature + 1} of {len(features)}; f shows the next)" if len(features) > 1 else ""
        name = visible(features[self.feature].name, panes.NAME)
        right = Content.assemble("feature: ", (name, "bold"), of)
        self.query_one("#head", Text).put(panes.between(self.heading, right, width - 2))
        self.query_one(Tabs).show(self.at, width)
        hint = self.query_one(Hint)
        hint.text = self.hints[self.at]
        hint.rest()
        kind = {0: "page", 4: "configs", 5: "page"}.get(self.at, "blocks")
        for pane in ("page", "blocks", "configs"):
            self.query_one(f"#{pane}").display = pane == kind
        {"page": self.open_page, "blocks": self.open_blocks, "configs": self.open_configs}[kind](width)

    @property
    def heading(self) -> Content:
        """What the screen shows."""
        return Content.styled("Result so far" if self.session.open else "Result", "bold")

    def open_page(self, width: int) -> None:
        """A page to read."""
        verdict, base = self.session.verdict, self.session.base
        if self.at:
            content = pages.costs(width - 3, verdict["features"][self.feature], base)
        else:
            content = pages.recommendation(width - 3, verdict, self.feature, base)
        self.query_one("#text", Static).update(content)
        page = self.query_one("#page", VerticalScroll)
        page.scroll_home(animate=False)
        page.focus()

    def open_blocks(self, width: int) -> None:
        """Blocks to move through."""
        verdict, base = self.session.verdict, self.session.base
        feature = verdict["features"][self.feature]
        made: dict[int, Callable[[], list[cards.Block]]] = {
            1: lambda: cards.why(width - 5, feature, base),
            2: lambda: cards.caveats(width - 5, verdict, feature, base),
            3: lambda: cards.changes(width - 5, feature, base),
        }
        self.blocks = made[self.at]()
        listed = self.query_one("#blocks", Rows)
        heads = {i for i, block in enumerate(self.blocks) if not block.leads}
        listed.fill([block.content for block in self.blocks], heads=heads)
        listed.scroll_home(animate=False)
        listed.focus()

    # --- configs ------------------------------------------------------------------------------------------------------

    @property
    def files(self) -> list[str]:
        """What the list shows."""
        return ["notes", *(self.kit or {})]

    def open_configs(self, width: int) -> None:
        """The kit's files, built when they are first asked for."""
        del width
        if self.kit is None:
            from advisor.kit.build import build

            try:
                made = build(self.session.project, self.session.verdict, self.session.base)
            except AdvisorError as error:
                self.kit, self.notes = {}, [str(error)]
            else:
                self.kit, self.notes = dict(made.files), list(made.notes)
        if not self.kit:
            hint = self.query_one(Hint)
            hint.text = NO_KIT
            hint.rest()
        listed = self.query_one("#files", Rows)
        if len(listed.blocks) != len(self.files):
            listed.fill([Content(name) for name in self.files])
        listed.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the highlighted file."""
        event.stop()
        if event.option_list.id != "files" or self.kit is None:
            return
        from textual.highlight import highlight

        name = self.files[event.option_index]
        if name == "notes":
            text = "\n\n".join([*self.notes, "The kit is for all features of the project together."])
            content = Content(text if self.kit else f"{text}\n\nThere is no kit for these answers.")
        else:
            code = self.kit[name].decode("utf-8", "replace").expandtabs(4)
            content = highlight(code, language=LANGUAGES.get(PurePosixPath(name).suffix, "text"))
        self.query_one("#content", Static).update(content)
        self.query_one("#code", VerticalScroll).scroll_home(animate=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click on a block: its card, or its question."""
        event.stop()
        if event.option_list.id != "blocks":
            return
        self.follow(self.blocks[event.option_index].leads)

    def follow(self, leads: str) -> None:
        """Show where a block leads."""
        kind, _, name = leads.partition(":")
        if kind == "question":
            self.owner.ask(name, self.feature)
        else:
            verdict, width = self.session.verdict, min(self.size.width, 76) - 6
            feature = verdict["features"][self.feature]
            self.app.push_screen(Help(cards.card(leads, width, verdict, feature, self.session.base)))

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_tab(self, index: int) -> None:
        """Open a tab."""
        self.at = index
        self.open(self.size.width)

    def action_turn(self, by: int) -> None:
        """Open the next tab."""
        self.action_tab((self.at + by) % len(TABS))

    def action_scroll(self, direction: int) -> None:
        """Scroll the open tab by a page."""
        if self.at in (0, 4, 5):
            pane = self.query_one("#code" if self.at == 4 else "#page", VerticalScroll)
            pane.scroll_relative(y=direction * max(pane.size.height - 2, 1), animate=False)
        else:
            listed = self.query_one("#blocks", Rows)
            move = listed.action_page_down if direction > 0 else listed.action_page_up
            move()  # type: ignore[no-untyped-call]  # Textual's own

    def action_feature(self) -> None:
        """Show the next feature."""
        if not self.session.several:
            self.owner.tell("There is only this feature; b goes back, and n there adds another.", wrong=True)
            return
        self.feature = (self.feature + 1) % len(self.session.project.features)
        self.open(self.size.width)

    def shown(self) -> tuple[str, str]:
        """A name for the content of the open tab, and the whole content as text."""
        if self.at == 4:
            name = self.files[self.query_one("#files", Rows).highlighted or 0]
            if self.kit and name != "notes":
                return PurePosixPath(name).name, self.kit[name].decode("utf-8", "replace")
            return "notes.txt", f"{self.query_one('#content', Static).content}\n"
        if self.at in (0, 5):
            return f"{SHORT[self.at].lower()}.txt", f"{self.query_one('#text', Static).content}\n"
        return f"{SHORT[self.at].lower()}.txt", plain(self.blocks)

    def action_copy(self) -> None:
        """Copy the open tab (in Configs: the file) whole, by the terminal's own means (OSC 52)."""
        name, text = self.shown()
        self.app.copy_to_clipboard(text)
        size = len(text.encode())
        if size > MOST_COPIED:
            said = f"{name} has {size:,} bytes, which is too much for some terminals; s saves it in a file."
            self.owner.tell(said, wrong=True)
        else:
            self.owner.tell(f"{name} was sent to the terminal's clipboard. Some terminals ignore this; s saves a file.")

    def action_save(self) -> None:
        """Save the open tab (in Configs: the file) in a file."""
        name, text = self.shown()
        files.save_text(self.owner, Path(name), text)

    def action_back(self) -> None:
        """Back to the previous screen."""
        self.dismiss()


def plain(blocks: Iterable[cards.Block]) -> str:
    """All blocks as text."""
    return "\n".join(block.content.plain for block in blocks) + "\n"
