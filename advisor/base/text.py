"""Text for people: values without terminal control codes, numbers, line breaks, "did you mean"."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from difflib import get_close_matches

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str, limit: int = 0, *, lines: bool = False) -> str:
    r"""Replace every invisible character by an escape such as \x1b or \u202e.

    Unicode calls these characters not printable: controls, bidirectional and zero-width marks, lone surrogates, odd
    spaces. `lines` keeps line feeds; `limit` (characters, 0 = none) shortens longer text, which then ends with "...".
    """
    if limit and len(text) > limit:
        text = text[: max(limit - 3, 0)] + "..."
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (lines and c == "\n") else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str, limit: int = 60) -> str:
    """A value for use inside a sentence: visible, short, in quotes."""
    return f'"{visible(text, limit)}"'


def shell_word(text: str, *, windows: bool = os.name == "nt") -> str:
    """A word of a command that people copy, such as a path: visible, and quoted where the system's shell needs it."""
    word = visible(text)
    if windows:  # both of its shells take double quotes, which no path can hold
        return word if all(c.isalnum() or c in "_.:\\/-" for c in word) and word else f'"{word}"'
    from shlex import quote

    return quote(word)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or "". Case, spaces and underscores do not count as differences."""
    if len(word) > 80:
        return ""
    by_form = {_form(candidate): candidate for candidate in known}
    form = _form(word)
    if form in by_form:
        return by_form[form]
    found = get_close_matches(form, by_form, 1, 0.7)
    return by_form[found[0]] if found else ""


def _form(word: str) -> str:
    return "-".join(word.replace("_", " ").replace("-", " ").casefold().split())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The ending "did you mean X?" with the nearest known word; empty if none is near."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def number(value: float, digits: int = 6) -> str:
    """A number for people: 1000 -> "1,000", 0.2 -> "0.2", 1e308 -> "1e308".

    Fractions are rounded to `digits` significant ones; whole numbers below 10^15 are exact.
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    if abs(value) >= 1e15:
        return _short_exponent(f"{float(value):.{digits}g}")
    if value == int(value) or abs(value) >= 10 ** (digits - 1):
        return f"{round(value):,}"
    return _short_exponent(f"{value:,.{digits}g}")


def _short_exponent(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else text


def plural(count: float, one: str, many: str = "") -> str:
    """The count with its noun: "1 feature", "2,000 features", "3 queries" where `many` is given."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> str:
    """The words of `text` in lines of at most `width` columns; `first` replaces the indent of the first line.

    A word that is longer than a line stays whole, so that addresses can be copied.
    """
    lines: list[str] = []
    line, empty = indent if first is None else first, True
    for word in text.split():
        if not empty and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, empty = indent, True
        line += word if empty else f" {word}"
        empty = False
    return "\n".join([*lines, line] if not empty else lines)


def clipped(text: str, width: int) -> str:
    """The text in at most so many characters."""
    return text if len(text) <= width else f"{text[: max(width - 2, 0)]}.."
