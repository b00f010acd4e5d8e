"""Edits of a YAML text in place: values, entries of mappings and items of lists, in block and in flow style.

Positions are those of the text as it was. Everything outside the edits stays to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.yamlio.positions import Spot

_BREAK = re.compile("\r\n|\r|\n")
_COMMENT = re.compile("[ \t]*(#[^\r\n]*)?")
_GAP = re.compile("(?:[ \t\r\n]|#[^\r\n]*)*")


class OverlapError(Exception):
    """Two edits want the same place."""


class Edits:
    """A text and what is to be changed in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.made: list[tuple[int, int, str]] = []
        found = _BREAK.search(text)
        self.newline = found[0] if found else "\n"

    # --- places -------------------------------------------------------------------------------------------------------

    def line_start(self, at: int) -> int:
        """Where the line of this place begins."""
        at -= self.text[max(at - 1, 0) : at + 1] == "\r\n"
        return max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1

    def line_end(self, at: int) -> int:
        """Where the line of this place ends, before its line break."""
        found = _BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def next_line(self, at: int) -> int:
        """Where the line after this place begins; the end of the text where there is none."""
        found = _BREAK.search(self.text, at)
        return found.end() if found else len(self.text)

    def column(self, at: int) -> int:
        """Characters of the line before this place."""
        return at - self.line_start(at)

    def leads(self, at: int) -> bool:
        """Whether only spaces are before this place in its line."""
        return not self.text[self.line_start(at) : at].strip()

    def blank(self, at: int) -> bool:
        """Whether the line that begins here is empty."""
        return not self.text[at : self.line_end(at)].strip()

    def indent(self, at: int) -> int:
        """The spaces before a line that begins here."""
        line = self.text[at : self.line_end(at)]
        return len(line) - len(line.lstrip(" "))

    def block_end(self, at: int, column: int) -> int:
        """The end of the last line of a block; comments that follow it to the right of `column` belong to it."""
        end, at = self.line_end(at), self.next_line(at)
        while at < len(self.text):
            if not self.blank(at):
                if self.text[at + self.indent(at)] != "#" or self.indent(at) <= column:
                    break
                end = self.line_end(at)
            at = self.next_line(at)
        return end

    # --- changes ------------------------------------------------------------------------------------------------------

    def put(self, start: int, end: int, text: str) -> None:
        """Replace the text from start to end by this text."""
        self.made.append((start, end, text))

    def lines_after(self, at: int, lines: Sequence[str]) -> None:
        """These lines after the line of this place."""
        after = self.next_line(at)
        if after > self.line_end(at):
            self.put(after, after, "".join(line + self.newline for line in lines))
        else:  # the last line has no line break, and the new one must not have one
            self.put(after, after, "".join(self.newline + line for line in lines))

    def drop_lines(self, start: int, end: int) -> None:
        """Without the lines from that of `start` to that of the character before `end`."""
        self.put(self.line_start(start), self.next_line(end), "")

    def done(self) -> str:
        """The changed text. Raises OverlapError."""
        parts, at = [], 0
        for start, end, text in sorted(self.made, key=lambda edit: edit[:2]):
            if start < at and text:
                raise OverlapError
            parts += [self.text[at:start], text]
            at = max(at, end)
        new = "".join([*parts, self.text[at:]])
        if not self.text.endswith(("\n", "\r")) and new.endswith(self.newline):
            return new.removesuffix(self.newline)  # the last line is gone, and had no line break
        return new

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, key: Spot, value: Spot, new: str) -> None:
        """Another value for a key, written in one line."""
        if value.style == "?":
            self.put(key.end, key.end, f": {new}")
        elif value.empty:
            self.put(value.start, value.start, f" {new}")
        elif value.kind != "scalar" and not value.flow:
            colon = self.text.index(":", key.end) + 1
            self.put(colon, colon, f" {new}")
            self.drop_lines(value.start, value.end)
        else:
            self.put(value.start, value.end, f"{' ' * (self.text[value.start - 1] == ':')}{new}")

    # --- block style --------------------------------------------------------------------------------------------------

    def drop_entry(self, key: Spot, value: Spot) -> None:
        """Remove this entry from a block mapping; a dash before it in its line stays."""
        end = max(key.end, value.end)
        line = self.line_start(key.start)
        before = self.text[line : key.start].rstrip().removesuffix("?").rstrip()
        if before:
            self.put(line + len(before), self.line_end(end), "")
        else:
            self.drop_lines(key.start, end)

    def dash(self, item: Spot, column: int) -> int:
        """The place of the dash before an item of a block list whose dashes are in this column."""
        at = item.start
        while True:
            start = self.line_start(at)
            if self.text[start : start + column + 1] == " " * column + "-" and start + column < item.start:
                return start + column
            if not start:
                raise OverlapError
            at = start - 1

    # --- flow style ---------------------------------------------------------------------------------------------------

    def flow(
        self, node: Spot, parts: Sequence[tuple[int, int]], drop: set[int], new: Sequence[tuple[int, str]]
    ) -> None:
        """A collection in brackets without some of its `parts`, and with new ones, each after the part of a number.

        A comment stays in the line of the part before it; commas are added and removed as needed.
        """
        bounds, commas = self._bounds(node, parts)
        final = [
            (i, text)
            for i in range(-1, len(parts))
            for text in ([""] if i >= 0 and i not in drop else []) + [text for after, text in new if after == i]
        ]
        trailing = bool(commas) and commas[-1] is not None
        own_lines = bool(parts) and self.line_start(parts[0][0]) > node.start
        for i in drop:
            end = bounds[i + 1]
            if not own_lines and i + 1 < len(parts) and i + 1 not in drop and drop.issuperset(range(i)):
                end = parts[i + 1][0]  # the first part that stays moves up to the bracket
            self.put(bounds[i], end, "")
        for place, (i, text) in enumerate(final):
            last = place == len(final) - 1
            if text:
                comma = "" if last and not trailing else ","
                self.put(bounds[i + 1], bounds[i + 1], self._part(bounds[i + 1], text + comma, parts, own=own_lines))
                continue
            if last and not trailing and commas[i] is not None:
                self.put(commas[i], commas[i] + 1, "")  # type: ignore[operator,arg-type]  # it is there
            elif not last and commas[i] is None:
                self.put(parts[i][1], parts[i][1], ",")

    def _part(self, at: int, text: str, parts: Sequence[tuple[int, int]], *, own: bool) -> str:
        """A new part with the space around it."""
        if own:
            indent = " " * self.column(parts[0][0])
            return f"{indent}{text}{self.newline}" if self.text[at - 1] in "\r\n" else f"{self.newline}{indent}{text}"
        if self.text[at - 1] in "[{":
            return f"{text} " if text.endswith(",") and not self.text[at].isspace() else text
        return f" {text}"

    def _bounds(self, node: Spot, parts: Sequence[tuple[int, int]]) -> tuple[list[int], list[int | None]]:
        """Where the stretch of each part begins (and the last one ends), and the place of the comma behind each."""
        bounds, commas = [self._past_comment(node.start + 1)], []
        for i, (_, end) in enumerate(parts):
            limit = parts[i + 1][0] if i + 1 < len(parts) else node.end - 1
            at = _GAP.match(self.text, end, limit).end()  # type: ignore[union-attr]  # it matches everywhere
            comma = at if at < limit and self.text[at] == "," else None
            commas.append(comma)
            bounds.append(self._past_comment(end if comma is None else comma + 1))
        return bounds, commas

    def _past_comment(self, at: int) -> int:
        """The beginning of the next line where only a comment follows in this one, else the same place."""
        end = _COMMENT.match(self.text, at).end()  # type: ignore[union-attr]  # it matches everywhere
        return self.next_line(end) if end < len(self.text) and self.text[end] in "\r\n" else at
