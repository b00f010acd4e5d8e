"""Pieces of SVG as text: elements with quoted attributes, and lines of text that cannot become markup."""

from __future__ import annotations

import textwrap
from html import escape

from advisor.base.text import visible


def tag(name: str, *inside: str, **attributes: object) -> str:
    """One element. `inside` is markup; attributes are quoted, `_` becomes `-` (`class_`: class), None omits one."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{said}>{''.join(inside)}</{name}>"


def text(words: str, x: float, y: float, **attributes: object) -> str:
    """One line of text with its baseline at (x, y)."""
    return tag("text", escape(visible(words)), x=x, y=y, **attributes)


def lines(words: str, columns: int) -> list[str]:
    """The words in lines of at most `columns` characters; a longer word is cut, since a drawing has an edge."""
    return textwrap.wrap(visible(words), columns) or [""]


def drawing(*inside: str, width: float, height: float, title: str, described: str, name: str) -> str:
    """A drawing of `width` x `height` units that screen readers hear as one image; `name` is unique on its page."""
    label, desc = f"{name}-title", f"{name}-desc"
    return tag(
        "svg",
        tag("title", escape(visible(title)), id=label),
        tag("desc", escape(visible(described)), id=desc),
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        aria_labelledby=f"{label} {desc}",
    )
