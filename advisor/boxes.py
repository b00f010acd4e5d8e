"""Sets of cases as boxes, and the one primitive that every proof rests on: find a case in a box and outside others.

A *case* gives one value to every variable: a tuple of value numbers. A *box* limits some variables: a mapping from the
variable's number to a bit mask in which bit v is set where value v is allowed; a variable that is absent is free. A
variable never has an empty mask inside a box: where a meet would make one, there is no box (None).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Box: TypeAlias = Mapping[int, int]


def meet(a: Box, b: Box) -> dict[int, int] | None:
    """The cases in both boxes, or None where there are none."""
    if len(a) < len(b):
        a, b = b, a
    both = dict(a)
    for variable, mask in b.items():
        left = both.get(variable, mask) & mask
        if not left:
            return None
        both[variable] = left
    return both


def contains(box: Box, case: Sequence[int]) -> bool:
    """Whether the case lies in the box."""
    return all(mask >> case[variable] & 1 for variable, mask in box.items())


def covers(outer: Box, inner: Box) -> bool:
    """Whether every case of `inner` lies in `outer` (whose masks each leave out some value)."""
    return all(inner.get(variable, -1) & ~mask == 0 for variable, mask in outer.items())


def find(box: Box, minus: Iterable[Box], full: Sequence[int]) -> dict[int, int] | None:
    """A part of `box` that lies outside every box of `minus`, or None where `minus` covers it all.

    `full[v]` is the mask of all values of variable v. The answer is itself a box, as wide as the search left it: every
    case in it is a witness. The work is exponential at worst and tiny in practice: a rule names few variables.
    """
    return _find(dict(box), [m for m in minus if _touches(box, m)], full)


def _find(box: dict[int, int], minus: list[Box], full: Sequence[int]) -> dict[int, int] | None:
    if not minus:
        return box
    # Split on the box with the fewest ways around it: with none, it covers everything that is left.
    best: list[tuple[int, int, int]] | None = None
    chosen = minus[0]
    for candidate in minus:
        ways = []
        for variable, mask in candidate.items():
            inside = box.get(variable, full[variable])
            if inside & ~mask:
                ways.append((variable, inside & ~mask, inside & mask))
        if not ways:
            return None
        if best is None or len(ways) < len(best):
            best, chosen = ways, candidate
            if len(ways) == 1:
                break
    assert best is not None
    rest = [m for m in minus if m is not chosen]
    inner = dict(box)
    for variable, outside, inside in best:
        inner[variable] = outside
        found = _find(dict(inner), [m for m in rest if _touches(inner, m)], full)
        if found is not None:
            return found
        inner[variable] = inside
    return None


def _touches(a: Box, b: Box) -> bool:
    if len(b) < len(a):
        a, b = b, a
    for variable, mask in a.items():
        other = b.get(variable)
        if other is not None and not other & mask:
            return False
    return True


def complement(box: Box, full: Sequence[int]) -> list[dict[int, int]]:
    """Disjoint boxes that together hold every case outside `box`."""
    parts: list[dict[int, int]] = []
    before: dict[int, int] = {}
    for variable, mask in box.items():
        outside = full[variable] & ~mask
        if outside:
            parts.append({**before, variable: outside})
        before[variable] = mask
    return parts


def bits(mask: int) -> list[int]:
    """The numbers of the set bits, lowest first."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
