"""Which combinations of bands really occur, found by trying numbers: the yardstick for the engine's own reasoning.

Band edges are powers of four, so that a lattice of quarter powers meets every cell that the edges cut, and products on
an edge are exact.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

EDGES = (1.0, 4.0, 16.0)
DERIVED_EDGES = (0.25, 1.0, 4.0, 16.0, 64.0)
LATTICE = (0.0, *(4.0 ** (k / 4) for k in range(-16, 25)))
COUNTS = (*range(80), 1024, 1025, 4096)  # whole numbers that meet every combination of those edges


@lru_cache(maxsize=4096)
def combinations(
    sources: tuple[tuple[tuple[float, ...], bool, float, float | None], ...],
    derived: tuple[tuple[tuple[int, ...], tuple[float, ...]], ...],
) -> frozenset[tuple[int, ...]]:
    """The combinations (bands of the sources, then of the derived numbers) that some numbers give, by trying them.

    A source is (edges, whole, minimum, its number if there is but one), a derived number (exponent per source, edges).
    """
    found = set()

    def extend(values: tuple[float, ...]) -> None:
        if len(values) < len(sources):
            for value in _worth_trying(values, sources, derived):
                extend((*values, value))
            return
        products = (_product(values, exponents) for exponents, _ in derived)
        found.add(
            (
                *(_band(edges, value) for (edges, *_), value in zip(sources, values, strict=True)),
                *(_band(edges, product) for (_, edges), product in zip(derived, products, strict=True)),
            )
        )

    extend(())
    return frozenset(found)


def _worth_trying(values: tuple[float, ...], sources: Any, derived: Any) -> list[float]:
    edges, whole, minimum, exact = sources[len(values)]
    if exact is not None:
        return [exact]
    if whole:
        return [v for v in COUNTS if v >= minimum]
    mine = [d for d in derived if d[0][len(values)]]
    last = all(not any(exponents[len(values) + 1 :]) for exponents, _ in mine)
    critical = {*edges, 4.0**-4, 4.0**6}
    for exponents, ends in mine:
        others = _product(values, exponents[: len(values)])
        if last and 0 < others < math.inf:
            critical |= {(end / others) ** (1 / exponents[len(values)]) for end in ends}
    marks = sorted(critical)
    tries = [*marks, *(math.sqrt(a * b) for a, b in itertools.pairwise(marks)), marks[0] / 2, marks[-1] * 2, 0.0]
    return [v for v in dict.fromkeys([*tries, *(() if last else LATTICE)]) if v >= minimum]


def _product(values: tuple[float, ...], exponents: tuple[int, ...]) -> float:
    factors = []
    for value, exponent in zip(values, exponents, strict=True):
        if exponent:
            factors.append(math.inf if value == 0 and exponent < 0 else value**exponent)
    return 0.0 if 0 in factors else math.prod(factors)


def _band(edges: tuple[float, ...], value: float) -> int:
    return sum(value >= edge for edge in edges)
