"""The widgets: a text, the line of keys, a numbered list, and a line for numbers and texts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from rich.text import Text as RichText
from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.scrollbar import ScrollBarRender
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from advisor.tui.calm import Calm, CalmList


class PlainBars(ScrollBarRender):
    """Scroll bars of blanks: the usual eighths of a block have no certain width in East Asian terminals."""

    VERTICAL_BARS = [" "] * 8
    HORIZONTAL_BARS = [" "] * 8


class Text(Calm, Static):
    """Text with a new layout only if its height may have changed, and none if it is the same."""

    def __init__(self, widget_id: str, *, wraps: bool = True) -> None:
        super().__init__(id=widget_id, markup=False)
        self.wraps = wraps  # else every line comes as wide as it is shown
        self.shown = Content("")

    def put(self, text: Content | str) -> None:
        """Show this."""
        content = text if isinstance(text, Content) else Content(text)
        if content.is_same(self.shown):
            return
        before, self.shown = self.shown, content
        self.update(content, layout=self.wraps or before.plain.count("\n") != content.plain.count("\n"))


class Hint(Text):
    """What to do next on a screen; a message replaces it until the screen shows something new."""

    def __init__(self, text: str) -> None:
        super().__init__("hint")
        self.text = text

    def on_mount(self) -> None:
        """Show what to do next."""
        self.rest()

    def rest(self) -> None:
        """Back to what to do next."""
        self.put(Content.styled(self.text, "dim"))

    def tell(self, text: str, *, wrong: bool) -> None:
        """Show this message."""
        self.put(Content.styled(text, "bold $text-warning" if wrong else "bold"))


class Keys(Static):
    """The keys of a screen in one line, the most useful ones first; `..` where not all fit. Each can be clicked."""

    typing = reactive(False, layout=False)  # a line takes the letters for its text: they are no keys of the screen now

    def watch_typing(self) -> None:
        """Draw others."""
        if self.is_attached:
            self.on_resize()

    def on_mount(self) -> None:
        """Draw them."""
        self.on_resize()

    def on_resize(self) -> None:
        """Draw those that fit, none while a dialog is in front: its line takes letters. F1 has them all."""
        in_front = self.app.screen is self.screen
        self.update(self.line(self.size.width or self.app.size.width) if in_front else "", layout=False)

    def line(self, room: int) -> Content:
        """The line at this width."""
        parts: list[Content] = []
        for binding in self.screen.BINDINGS:
            if not isinstance(binding, Binding) or not binding.show:
                continue
            key = binding.key_display or binding.key.partition(",")[0]
            if len(key) == 1 if self.typing else key == "esc":
                continue
            part = Content.assemble((key, "bold $text-accent"), f" {binding.description}")
            parts.append(part.stylize(f"@click=screen.{binding.action}"))
        whole = Content("  ").join(parts)
        while whole.cell_length > room and len(parts) > 1:
            parts.pop()
            whole = Content("  ").join([*parts, Content("..")])
        return whole


class Rows(OptionList):
    """Blocks of text to move through, with a mark before the current one: colour alone must not carry meaning."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id, markup=False, compact=True)
        self.blocks: list[Content] = []
        self.marked = -1

    def fill(self, blocks: list[Content], at: int = 0, *, heads: Collection[int] = ()) -> None:
        """Show other blocks. Those in `heads` are passed over."""
        self.blocks = blocks
        if at in heads:
            at = next((i for i in range(len(blocks)) if i not in heads), -1)
        self.marked = min(at, len(blocks) - 1)
        self.set_options([Option(self.prompt(i), disabled=i in heads) for i in range(len(blocks))])
        self.highlighted = self.marked if self.marked >= 0 else None

    def prompt(self, index: int) -> Content:
        """A block with its mark; its further lines as far to the right as the first."""
        first, *rest = self.blocks[index].split("\n", allow_blank=True)
        mark = Content.styled("> " if index == self.marked else "  ", "bold")
        return Content("\n").join([mark + first, *(Content("  ") + line for line in rest)])

    def watch_highlighted(self, highlighted: int | None) -> None:
        """Move the mark."""
        super().watch_highlighted(highlighted)
        if highlighted is not None and highlighted != self.marked and self.blocks:
            before, self.marked = self.marked, highlighted
            for index in {before, highlighted}:
                if 0 <= index < len(self.blocks):
                    self.replace_option_prompt_at_index(index, self.prompt(index))


KEYS = frozenset("0123456789?y")


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a numbered list. `key` is typed for it, `value` means something to the owner.

    Some are ticked; one that `rests` is highlighted where others are taken at once, and taken with Enter.
    """

    key: str
    label: str
    value: object
    ticks: bool = False
    rests: bool = False


class Numbered(CalmList):
    """Choices that a typed number takes at once. Those that are ticked wait for Enter."""

    BINDINGS = [Binding("space", "tick", "Tick", show=False)]  # noqa: RUF012  # as Textual declares it

    class Picked(Message):
        """A choice was made of those that answer `asked`."""

        def __init__(self, choice: Choice, asked: object) -> None:
            super().__init__()
            self.choice, self.asked = choice, asked

    class Done(Message):
        """Several were ticked of those that answer `asked`, and that is all."""

        def __init__(self, values: tuple[object, ...], asked: object) -> None:
            super().__init__()
            self.values, self.asked = values, asked

    class Moved(Message):
        """The highlight moved or a tick changed: time for another preview."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id, markup=False, compact=True)
        self.choices: list[Choice] = []
        self.asked: object = None  # what they answer
        self.ticked: list[object] = []
        self.typed = ""
        self.marked = -1

    def fill(self, choices: list[Choice], asked: object, *, ticked: tuple[object, ...] = (), at: int = 0) -> None:
        """Show the choices that answer `asked`, the highlight at one of them."""
        self.choices, self.asked, self.ticked, self.typed = choices, asked, list(ticked), ""
        self.marked = min(at, len(choices) - 1)
        self.set_lines([self.prompt(choice) for choice in choices])
        self.highlighted = self.marked if choices else None

    def prompt(self, choice: Choice) -> Content:
        """The line of a choice: its number, its tick, its label."""
        tick = ""
        if choice.ticks:
            tick = "[x] " if choice.value in self.ticked else "[ ] "
        mark = ">" if 0 <= self.marked < len(self.choices) and choice is self.choices[self.marked] else " "
        return Content.assemble((f"{mark}{choice.key:>2} ", "bold"), tick, choice.label)

    @property
    def waits(self) -> str:
        """What is to be done where a number was typed that may go on; else nothing."""
        if not self.typed:
            return ""
        longer = ", ".join(choice.key for choice in self.choices if choice.key.startswith(self.typed))
        return f"{longer}: a further digit or Enter decides."

    @property
    def choice(self) -> Choice | None:
        """The highlighted choice."""
        return self.choices[self.highlighted] if self.highlighted is not None and self.choices else None

    async def on_key(self, event: events.Key) -> None:
        """Digits take a choice as soon as no longer number could be meant."""
        if event.character is None or event.character not in KEYS or not self.choices:
            return
        keys = [choice.key for choice in self.choices]
        before, self.typed = self.typed, ""
        typed = before + event.character
        if typed not in keys:
            if before and self.choices[keys.index(before)].ticks:
                self.take(self.choices[keys.index(before)])  # 1 and then 2, where there is no 12
            typed = event.character
        if typed not in keys:
            return
        event.stop()
        choice = self.choices[keys.index(typed)]
        waits = any(key != typed and key.startswith(typed) for key in keys)
        if (
            waits or choice.ticks or choice.rests
        ):  # a choice that is taken at once is gone before a highlight would be seen
            self.highlighted = keys.index(typed)
        if waits:
            self.typed = typed  # 1 may become 12: a further digit or Enter decides
            self.post_message(self.Moved())
        elif not choice.rests:
            self.take(choice)

    def take(self, choice: Choice) -> None:
        """Tick the choice, or make it."""
        if choice.ticks:
            gone = choice.value in self.ticked
            self.ticked = [v for v in self.ticked if v != choice.value] if gone else [*self.ticked, choice.value]
            self.replace_option_prompt_at_index(self.choices.index(choice), self.prompt(choice))
            self.post_message(self.Moved())
        else:
            self.post_message(self.Picked(choice, self.asked))

    def action_tick(self) -> None:
        """Space ticks where several may hold, and takes the choice elsewhere."""
        self.typed = ""
        if self.choice is not None and not self.choice.rests:
            self.take(self.choice)

    def action_select(self) -> None:
        """Enter takes what is ticked (or else the highlighted line), and elsewhere the choice."""
        pending, self.typed = self.typed, ""
        chosen = self.choice
        if chosen is None:
            return
        if not chosen.ticks:
            self.post_message(self.Picked(chosen, self.asked))
            return
        if (pending or not self.ticked) and chosen.value not in self.ticked:
            self.take(chosen)
        self.post_message(self.Done(tuple(self.ticked), self.asked))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Keep the list's own message inside, and say that it moved."""
        event.stop()
        if self.marked == event.option_index:
            return  # `fill` has drawn it so
        before, self.marked = self.marked, event.option_index
        for index in {before, self.marked}:
            if 0 <= index < len(self.choices):
                self.replace_option_prompt_at_index(index, self.prompt(self.choices[index]))
        self.post_message(self.Moved())

    async def _on_click(self, event: events.Click) -> None:
        """A click takes the choice under it."""
        event.prevent_default()
        index = event.style.meta.get("option")
        if isinstance(index, int):
            self.highlighted = index
            self.take(self.choices[index])


@dataclass(frozen=True, slots=True)
class Ask:
    """The value of the choice "something else": a text has to be asked for."""


@dataclass(frozen=True, slots=True)
class Next:
    """The value of a choice that answers nothing: something to do."""

    do: Callable[[], object]


class Line(Input):
    """A line for a number or a text. `commands` stay keys of the screen as long as it is empty."""

    class Entered(Message):
        """A text was typed as the answer to `asked`."""

        def __init__(self, text: str, asked: object) -> None:
            super().__init__()
            self.text, self.asked = text, asked

    def __init__(self, widget_id: str, text: str = "", *, replace: bool = False) -> None:
        super().__init__(text, id=widget_id, compact=True, select_on_focus=replace)  # what is selected is typed over
        self.asked: object = None  # what the line answers
        self.commands: Collection[str] = ()

    def fill(self, text: str, placeholder: str, asked: object, commands: Collection[str]) -> None:
        """Show another text to edit, which answers `asked`; the placeholder is shown while it is empty."""
        self.asked, self.commands = asked, commands
        self.placeholder = placeholder
        self.value = text
        self.cursor_position = len(text)

    @property
    def _value(self) -> RichText:
        """What is shown: a reversed ? for each character that cannot be seen or that a terminal would obey."""
        shown = "".join(c if c.isprintable() else "?" for c in self.value)
        text = RichText(shown, no_wrap=True, overflow="ignore", end="")
        for i, character in enumerate(self.value if shown != self.value else ""):
            if not character.isprintable():
                text.stylize("bold reverse", i, i + 1)
        return text

    @property
    def typed(self) -> bool:
        """Whether somebody has typed something: every character belongs to the line then."""
        return self.value.strip() != ""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """What the line keeps for itself instead of handing it to the bindings of the screen."""
        return super().check_consume_key(key, character) and (self.typed or character not in self.commands)

    async def action_submit(self) -> None:
        """Enter."""
        self.post_message(self.Entered(self.value, self.asked))

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        """A text of several lines becomes one; Textual would drop all but the first."""
        event.prevent_default()
        event.stop()
        text = " ".join(event.text.strip("\r\n").splitlines())
        if text:
            self.replace(text, *sorted(self.selection))
