"""Widgets that are laid out once for a change, not a second time because the first layout gave them another size.

Textual lays a screen out again, and draws it again some 16 ms later, whenever a layout has changed a widget's size or
an option list was filled at its old size. Where only a scroll bar can depend on it, whose column is kept free anyway
(`scrollbar-gutter: stable`), the second time gives the same picture. Private methods of Textual are changed in this one
place; tests/tui/test_calm.py counts the layouts.
"""

from __future__ import annotations

from textual import events
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Calm:
    """A widget whose new size asks for no further layout; one that needs a scroll bar now, or none, still does.

    No widget itself: Textual follows the first base that is one for its styles.
    """

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        del layout
        sized: bool = super()._size_updated(size, virtual_size, container_size, layout=False)  # type: ignore[misc]  # of the widget beside it
        return sized


class CalmVertical(Calm, Vertical):
    """Widgets below each other."""


class CalmScroll(Calm, VerticalScroll):
    """The same, with a scroll bar where they do not fit."""


class CalmList(Calm, OptionList):
    """A list of options that scrolls when its new size is known, not while it is filled."""

    width = 0  # the width of its lines
    filling = False

    def set_lines(self, lines: list[Content]) -> None:
        """Show other options; its height follows in the next layout."""
        self.filling = True
        self.set_options([Option(line) for line in lines])

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if self.filling:
            self.filling = False
            self._refresh_scrollbars()
            self.scroll_to_highlight()
        return changed

    def _refresh_scrollbars(self) -> None:
        if not self.filling:
            super()._refresh_scrollbars()

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Show the highlighted option, as soon as it is known how many fit."""
        if not self.filling:
            super().scroll_to_highlight(top)

    def _on_resize(self, event: events.Resize) -> None:  # type: ignore[override]  # Textual hands the event over where it is taken
        """Another height leaves every line as it is."""
        if event.size.width == self.width:
            event.prevent_default()
        self.width = event.size.width
