"""Sets of cases as boxes, and the primitive behind every proof: find a case in one box and outside of others.

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
    """Whether the case is in the box."""
    for variable, mask in box.items():  # noqa: SIM110  # `all` with a generator takes three times as long
        if not mask >> case[variable] & 1:
            return False
    return True


def covers(outer: Box, inner: Box) -> bool:
    """Whether every case of `inner` is in `outer` (whose masks each leave out some value)."""
    for variable, mask in outer.items():  # noqa: SIM110  # the same
        if inner.get(variable, -1) & ~mask:
            return False
    return True


def find(box: Box, minus: Iterable[Box], full: Sequence[int]) -> dict[int, int] | None:
    """A part of `box` that is outside every box of `minus`, or None if `minus` covers it all.

    `full[v]` is the mask of all values of variable v. The answer is itself a box, as wide as the search left it: every
    case in it is a witness. The work is exponential at worst and tiny in practice: a rule names few variables.
    """
    return _find(dict(box), list(minus), full)


def _find(  # noqa: C901, PLR0912  # the inner loop of every proof: a call for each box would double its time
    box: dict[int, int], minus: list[Box], full: Sequence[int]
) -> dict[int, int] | None:
    """`find`, with a box that may be modified: if only one way leads around another box, it is taken at once."""
    while True:
        touching: list[Box] = []
        around: Box = {}  # the box that leaves the fewest ways around it
        fewest = 0
        cut = False
        for other in minus:
            ways = only = 0
            for variable, mask in other.items():
                here = box.get(variable, full[variable])
                if not here & mask:
                    break  # it does not overlap
                if here & ~mask:
                    ways += 1
                    only = variable
            else:
                if not ways:
                    return None
                if ways == 1:
                    box[only] = box.get(only, full[only]) & ~other[only]
                    cut = True
                else:
                    touching.append(other)
                    if not fewest or ways < fewest:
                        fewest, around = ways, other
        if not touching:
            return box
        if not cut:
            break
        minus = touching
    for variable, mask in around.items():
        here = box.get(variable, full[variable])
        if here & ~mask:
            found = _find({**box, variable: here & ~mask}, touching, full)
            if found is not None:
                return found
            box[variable] = here & mask
    return None


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
