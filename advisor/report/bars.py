"""Bars: how long a number is beside the longest one, in characters or in the units of a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAST = 8  # below so many columns for the longest bar, bars say nothing


def length(value: float, most: float, room: int) -> int:
    """The bar's length of at most `room`: 0 for nothing, at least 1 for anything, so that what is there is seen."""
    return max(1, round(room * (value / most))) if value and most else 0


def bars(rows: Sequence[tuple[str, float, str]], width: int, *, indent: int = 2, mark: str = "#") -> Iterator[str]:
    """One line a row of (name, value, value in words), in at most `width` columns; nothing where there is no room."""
    label = max(len(name) for name, _, _ in rows)
    room = width - indent - label - 2 - max(len(shown) for _, _, shown in rows)
    most = max(value for _, value, _ in rows)
    if room < LEAST or not most:
        return
    for name, value, shown in rows:
        bar = mark * length(value, most, room)
        yield f"{' ' * indent}{name:{label}} {bar}{' ' if bar else ''}{shown}"
