"""One kind of cost as bars, a pattern each: as an SVG drawing, and as a Mermaid chart for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.report import svg
from advisor.report.bars import length

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, ROW, BAR = 290, 36, 10  # units of the drawing
ROOM = 1000  # steps of the longest bar


def chart(rows: Sequence[tuple[str, float, str]], chosen: str, title: str, name: str) -> str:
    """Bars for rows of (name, value, value in words); the row `chosen` is highlighted, and marked in words as well."""
    most = max(value for _, value, _ in rows)
    parts = []
    for i, (label, value, said) in enumerate(rows):
        top = i * ROW
        mark, emphasis = (" (chosen)", " chosen") if label == chosen else ("", "")
        long = WIDTH * length(value, most, ROOM) / ROOM
        parts += [
            svg.text(f"{label}{mark}", 0, top + 13, class_=f"label{emphasis}"),
            svg.text(said, WIDTH, top + 13, class_="value", text_anchor="end"),
            svg.tag("rect", x=0, y=top + 19, width=WIDTH, height=BAR, rx=3, class_="track"),
            svg.tag("rect", x=0, y=top + 19, width=f"{long:g}", height=BAR, rx=3, class_=f"bar{emphasis}"),
        ]
    told = "; ".join(f"{label} {said}" for label, _, said in rows)
    return svg.drawing(*parts, width=WIDTH, height=len(rows) * ROW, title=title, described=f"{told}.", name=name)


def mermaid(rows: Sequence[tuple[str, float, str]], title: str, unit: str) -> str:
    """The same as a Mermaid chart (`xychart-beta`), the numbers in thousands, millions, ... of `unit`."""
    most = max(value for _, value, _ in rows)
    step = next((i for i in range(len(PREFIXES) - 1) if most < 1000 ** (i + 1)), len(PREFIXES) - 1)
    names = ", ".join(f'"{label}"' for label, _, _ in rows)
    values = ", ".join(_decimal(value / 1000**step, 12) for _, value, _ in rows)
    return "\n".join(
        [
            "xychart-beta horizontal",
            f'    title "{title}"',
            f"    x-axis [{names}]",
            f'    y-axis "{PREFIXES[step]}{unit}" 0 --> {_decimal(1.05 * most / 1000**step, 3)}',
            f"    bar [{values}]",
        ]
    )


def _decimal(value: float, digits: int) -> str:
    """A number to so many digits, without an exponent: Mermaid reads none."""
    short = f"{value:.{digits}g}"
    return f"{float(short):.18f}".rstrip("0").rstrip(".") if "e" in short else short


PREFIXES = ("", "k", "M", "G", "T", "P", "E")
