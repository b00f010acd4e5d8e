"""Recovers what it can from a YAML text with mistakes: it leaves out a line that cannot be parsed and starts again."""

from __future__ import annotations

import re

from advisor.base.errors import Problem
from advisor.base.textfile import place_after
from advisor.yamlio.nodes import FORBIDDEN, Map, Node, Source, attempt, forbidden

MOST_SUSPECTS = 16  # that are tried for one mistake
MOST_READ = 2_000_000  # characters that are read in all, again and again
_LINE = re.compile("[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NOTHING = Map({}, {}, 1, 1)


def salvage(text: str, name: str) -> tuple[Node, Source]:
    """The nodes that can be read, and the problems: none is raised, and each line has one at most."""
    text = text.removeprefix("\ufeff")
    source = Source(name, text.splitlines(), patient=True)
    if found := FORBIDDEN.search(text):
        source.add(*place_after(text[: found.start()]), forbidden(found[0]))
        text = FORBIDDEN.sub("\ufffd", text)
    lines = _LINE.findall(text)
    node, problems, began = attempt(text, name)
    read = 0
    while node is None and read < MOST_READ:
        _note(source, problems[-1:])
        tries = []
        for first, last in _suspects(lines, problems[-1].line, began):
            rest = [*lines[: first - 1], *["\n"] * (last - first + 1), *lines[last:]]
            tried = attempt("".join(rest), name)
            end = len(lines) + 1 if tried[0] is not None else tried[1][-1].line
            tries.append((end - (last - first + 1), rest, tried))  # the lines that could be read
            read += len(text)
        if not tries:
            break
        _, lines, (node, problems, began) = max(tries, key=lambda tried: tried[0])
    if node is None:  # the part before the last mistake
        node, problems, _ = attempt("".join(lines[: max(problems[-1].line - 1, 0)]), name)
    if node is not None:
        _note(source, problems)
    return node or _NOTHING, source


def _suspects(lines: list[str], end: int, began: int) -> list[tuple[int, int]]:
    """The stretches of lines one of which is to blame for an end of the reading in line `end`, the shortest first.

    They are the line itself, the line before, the line where the broken part begins, and the parents of these lines;
    each alone, with its children, and (the line itself) with everything that follows at its depth.
    """
    depth = [len(line) - len(line.lstrip(" ")) if line.strip() else 10_000 for line in lines]
    heads = {number for number in (end, end - 1, began) if 0 < number <= len(lines)}
    for number in sorted(heads):
        parent = number
        for above in range(number - 1, max(number - 200, 0), -1):
            if depth[above - 1] < depth[parent - 1]:
                parent = above
                heads.add(above)
    found = set()
    for number in heads:
        if depth[number - 1] == 10_000:
            continue
        found |= {(number, number), (number, _under(depth, number, depth[number - 1] + 1))}
        if number == end:
            found.add((number, _under(depth, number, depth[number - 1])))
    return sorted(found, key=lambda stretch: (stretch[1] - stretch[0], -stretch[0]))[:MOST_SUSPECTS]


def _under(depth: list[int], number: int, least: int) -> int:
    """The last of the lines after this one that are at least so deep."""
    last = number
    while last < len(depth) and depth[last] >= least:
        last += 1
    return last


def _note(source: Source, problems: list[Problem]) -> None:
    """Keep the problems of lines that have none yet, with the line as it is in the file."""
    told = {problem.line for problem in source.problems}
    for problem in problems:
        if problem.line not in told:
            source.add(problem.line, problem.column, problem.message)
