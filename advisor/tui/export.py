"""The screen that writes answers file, decision record and kit, and shows first how each differs from the disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from advisor.answers.read_fact import wrong_text
from advisor.base.errors import OutputError
from advisor.base.text import clipped, plural, visible
from advisor.interview import export
from advisor.interview.export import COMMITTED, TITLES, Item, Kind, Part
from advisor.tui import panes
from advisor.tui.dialogs import AskText, Help
from advisor.tui.screens import Ours
from advisor.tui.turns import Once
from advisor.tui.widgets import Hint, Keys, Rows, Text

MARKS = {"+": "$text-success", "-": "$text-error", "@": "dim"}
NEXT = "Enter on the first line writes what is ticked; on a file it shows the changes. 1 to 4 tick; p sets the path."


class ExportScreen(Ours):
    """Compares with the disk when it opens and after every change; writes only what was shown."""

    HELP = "Files that can be written. Existing files are compared first; nothing is replaced without asking."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("b,escape,e", "dismiss(None)", "back", key_display="b"),
        Binding("w", "write", "write"),
        Binding("space", "tick", "tick"),
        Binding("p", "place", "set the path"),
        Binding("q", "leave", "quit"),
        *(Binding(str(i), f"tick({i})", f"tick {title}", show=False) for i, title in enumerate(TITLES.values(), 1)),
    ]

    def __init__(self, beside: Path | None) -> None:
        super().__init__()
        file = beside or Path("answers.yaml")
        self.where: dict[Kind, Path] = {
            "answers": file, "record": file.with_name("DECISION.md"), "kit": file.with_name("kit"),
            "page": file.with_name("report.html"),
        }  # fmt: skip
        self.ticked: set[Kind] = set(COMMITTED)
        self.parts: list[Part] = []
        self.rows: list[
            Part | Item | None
        ] = []  # the part or file of each line of the list; None: the line that writes

    def compose(self) -> ComposeResult:
        """A head, the list, what to do next."""
        yield Text("head", wraps=False)
        yield Rows("plan")
        yield Hint(NEXT)
        yield Keys(id="keys", markup=False)

    def on_mount(self) -> None:
        """Look once the screen is there: making the kit takes a moment."""
        self.query_one(Rows).focus()
        self.query_one("#head", Text).put(Content.styled("Export", "bold"))
        self.call_after_refresh(self.look)

    def on_resize(self, event: events.Resize) -> None:
        """Draw the list for the new size."""
        if self.parts:
            self.show(event.size.width)

    def look(self) -> None:
        """Compare with the disk."""
        session, draft = self.owner.session, self.owner.draft
        assert session is not None
        self.parts = [export.plan(session, draft, kind, where) for kind, where in self.where.items()]
        self.ticked -= {part.kind for part in self.parts if part.trouble}
        self.show(self.size.width)

    def show(self, width: int) -> None:
        """The list: the line that writes, the parts, the files of the kit."""
        self.rows = [None]
        lines = [Content.styled("Write what is ticked" if self.ticked else "Nothing is ticked", "bold")]
        for number, part in enumerate(self.parts, 1):
            tick = "[x]" if part.kind in self.ticked else "[ ]"
            self.rows.append(part)
            start = f"{number} {tick} {TITLES[part.kind]:15} {visible(str(part.where), 60)}  "
            lines.append(Content.assemble(clipped(start, max(width - 14, 10)), (part.words, "bold")))
        for part in self.parts:
            for item in part.items if part.kind == "kit" else ():
                self.rows.append(item)
                style = "" if item.state == "same" else "bold"
                lines.append(Content.assemble(f"      {item.state:8} ", (item.name, style)))
        listed = self.query_one(Rows)
        at = min(max(listed.marked, 0), len(lines) - 1)
        listed.fill(lines, at)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click: write, or show what would change."""
        event.stop()
        row = self.rows[event.option_index]
        if row is None:
            self.action_write()
        elif isinstance(row, Item):
            self.app.push_screen(Help(shown([row])))
        else:
            about = [f"{TITLES[row.kind]}: {row.trouble}"] if row.trouble else []
            changed = [item for item in row.items if item.state == "differs"] or row.items[:1]
            said = [Content(text) for text in (*about, *row.notes)]
            self.app.push_screen(Help(Content("\n\n").join([*said, shown(changed)])))

    def action_tick(self, number: int = 0) -> None:
        """Take a part in or leave it out: by its number, or the highlighted one."""
        row = self.parts[number - 1] if 0 < number <= len(self.parts) else self.at
        if isinstance(row, Part) and not row.trouble:
            self.ticked ^= {row.kind}
            self.show(self.size.width)

    @property
    def at(self) -> Part | Item | None:
        """What the highlight is on."""
        index = self.query_one(Rows).highlighted
        return self.rows[index] if index is not None and index < len(self.rows) else None

    def action_place(self) -> None:
        """Ask for the path of the highlighted part."""
        row = self.at
        if isinstance(row, Item):
            row = next(part for part in self.parts if part.kind == "kit")
        if not isinstance(row, Part):
            self.owner.tell("First move to one of the four; p then asks for its path.", wrong=True)
            return
        kind = row.kind

        def take(name: str | None) -> None:
            if name:
                self.where[kind] = Path(name)
                self.ticked.add(kind)
                self.look()

        what = "folder" if kind == "kit" else "file"
        self.app.push_screen(
            AskText(f"Which {what} should the {TITLES[kind]} be written to?", str(row.where), "", wrong_text), take
        )

    def action_write(self) -> None:
        """Write what is ticked; before anything is replaced, show the difference and ask."""
        chosen = [part for part in self.parts if part.kind in self.ticked]
        changed = [item for part in chosen for item in part.items if item.state == "differs"]
        if not chosen:
            self.owner.tell("Nothing is ticked: press 1, 2, 3 or 4 to tick.", wrong=True)
        elif changed:
            self.app.push_screen(Replace(changed), lambda sure: self.write(chosen) if sure else None)
        else:
            self.write(chosen)

    def write(self, chosen: list[Part]) -> None:
        """Write these parts and show the result."""
        said: list[str] = []
        try:
            for part in chosen:
                said += self.owner.write(part)
        except OutputError as error:
            said.append(f"Stopped: {error}.")
        else:
            said += export.next_steps(self.parts, {part.kind for part in chosen})
        self.look()
        self.app.push_screen(Help(Content("\n\n".join(said))))


class Replace(Once, ModalScreen[bool]):
    """The difference of every file that would be replaced, and the question whether it may be."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (panes.HIGH, "-high")]  # noqa: RUF012  # as Textual declares it
    HELP = "The lines that would change, file by file. Nothing has been written yet."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("y,enter", "dismiss(True)", "replace", key_display="y"),
        Binding("n,escape,b", "dismiss(False)", "keep them", key_display="n"),
    ]

    def __init__(self, items: list[Item]) -> None:
        super().__init__()
        self.items = items

    def compose(self) -> ComposeResult:
        """The differences, and how to answer."""
        head = f"{plural(len(self.items), 'file')} would be replaced. - is removed, + is added."
        with Vertical(classes="dialog tall"):
            with VerticalScroll():
                yield Static(Content.assemble((head, "bold"), "\n\n", shown(self.items)), markup=False)
            yield Static("y or Enter replaces the files, n or Escape keeps them", classes="keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one(VerticalScroll).focus()


def shown(items: Iterable[Item]) -> Content:
    """Differences with their files' names, each line marked by its sign and its colour."""
    parts: list[Content] = []
    for item in items:
        parts.append(Content.styled(f"{visible(item.name)} ({item.state})", "bold"))
        parts += [Content.styled(line, MARKS.get(line[:1], "")) for line in export.difference(item)]
        parts.append(Content(""))
    return Content("\n").join(parts)
