"""The space of cases: which combinations cannot occur, and concrete answers for a case that can.

Numbers that follow from others make combinations of bands that no numbers produce (fewer than 1,000 clients once a minute
never make 10,000 messages a second). They are left out of every proof, and a witness is turned into real numbers before
anybody sees it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

from advisor.boxes import Box, bits
from advisor.boxes import find as find_box
from advisor.rulebase import PATTERN, Band, Derived, RuleBase, band_of, multiply, power
from advisor.values import Other, Value

TINY = 1e-9  # stands for "just below" in a band that is open above a value


def cannot_occur(base: RuleBase, named: Iterable[int] | None = None) -> list[Box]:
    """The boxes of impossible.yaml, and those of bands that no numbers produce.

    With `named` (variable numbers), only the derived facts among them bring theirs: whatever the sources are, a derived
    number that nobody asks about has some band.
    """
    boxes: list[Box] = [box for item in base.impossible for box in item.boxes]
    wanted = (
        base.derived if named is None else [v.fact for i in set(named) if (v := base.variables[i]).fact in base.derived]
    )
    for key in wanted:
        boxes += unreachable(key, base)
    return boxes


@lru_cache(maxsize=256)
def unreachable(key: str, base: RuleBase) -> tuple[Box, ...]:
    """For every combination of the sources' bands, the bands of the derived number that it cannot give."""
    derived = base.derived[key]
    boxes: list[Box] = []
    facts = list(derived.factors)
    own = base.index[derived.id]
    for combination in itertools.product(*(enumerate(base.questions[fact].bands) for fact in facts)):
        low = high = 1.0
        for fact, (_, band) in zip(facts, combination, strict=True):
            exponent = derived.factors[fact]
            least = max(band.low, base.questions[fact].minimum)
            ends = (power(least, exponent), power(band.high, exponent))
            low, high = multiply(low, min(ends)), _upper(high, max(ends))
        mask = sum(1 << i for i, band in enumerate(derived.bands) if not _reaches(band, low, high))
        if mask:
            box = {base.index[fact]: 1 << i for fact, (i, _) in zip(facts, combination, strict=True)}
            boxes.append({**box, own: mask})
    return tuple(boxes)


def _upper(a: float, b: float) -> float:
    return math.inf if math.isinf(a) or math.isinf(b) else a * b


def _reaches(band: Band, low: float, high: float) -> bool:
    """Whether [low, high] and [band.low, band.high) meet in more than an excluded end."""
    return low < band.high and (high > band.low or low == high == band.low)


def realise(case: Box, base: RuleBase, prefer: Mapping[str, Value] | None = None) -> dict[str, Value] | None:
    """Answers that lie in the box, or None where no numbers do. `prefer` is kept wherever the box allows it.

    Only variables that the box limits are answered. Numbers are searched so that every derived band that the box asks
    for comes out.
    """
    answers: dict[str, Value] = {}
    ranges: dict[str, list[Band]] = {}
    for variable, mask in case.items():
        v = base.variables[variable]
        if v.fact == PATTERN or v.fact in base.derived:
            continue
        question = base.questions[v.fact]
        names = [v.values[i] for i in bits(mask)]
        preferred = (prefer or {}).get(v.fact)
        if question.type == "number":
            ranges[v.fact] = [band for band in question.bands if band.id in names]
        elif question.type == "some-of":
            current = answers.get(v.fact, ())
            assert isinstance(current, tuple)
            kept = isinstance(preferred, tuple) and v.element in preferred
            yes = "yes" in names and (kept or "no" not in names)
            answers[v.fact] = (*current, v.element) if yes else current
        elif question.type == "yes-no":
            answers[v.fact] = (
                preferred if isinstance(preferred, bool) and ("no", "yes")[preferred] in names else names[0] == "yes"
            )
        else:
            name = "other" if isinstance(preferred, Other) else preferred
            answers[v.fact] = preferred if preferred is not None and name in names else (
                Other("something else") if names[0] == "other" else names[0])  # fmt: skip
    numbers = _numbers(case, ranges, base, prefer or {})
    return None if numbers is None else {**answers, **numbers}


def _numbers(
    case: Box, ranges: dict[str, list[Band]], base: RuleBase, prefer: Mapping[str, Value]
) -> dict[str, Value] | None:
    wanted = []
    for variable, mask in case.items():
        derived = base.derived.get(base.variables[variable].fact)
        if derived is not None:
            wanted.append((derived, mask))
            for fact in derived.factors:
                ranges.setdefault(fact, list(base.questions[fact].bands))
    facts = sorted(ranges, key=lambda fact: sum(fact in d.factors for d, _ in wanted))
    choices = {
        fact: _choices(ranges[fact], base.questions[fact].whole, prefer.get(fact), wanted != []) for fact in facts
    }
    return _search(facts, choices, {}, wanted)


def _search(
    facts: list[str], choices: dict[str, list[float]], chosen: dict[str, Value], wanted: list[tuple[Derived, int]]
) -> dict[str, Value] | None:
    ready = [(d, mask) for d, mask in wanted if all(fact in chosen for fact in d.factors)]
    for derived, mask in ready:
        product = 1.0
        for fact, exponent in derived.factors.items():
            value = chosen[fact]
            assert isinstance(value, int | float)
            product = multiply(product, power(float(value), exponent))
        if not mask >> band_of(derived.bands, product) & 1:
            return None
    if len(chosen) == len(facts):
        return chosen
    fact = facts[len(chosen)]
    for value in choices[fact]:
        found = _search(facts, choices, {**chosen, fact: int(value) if value == int(value) else value}, wanted)
        if found is not None:
            return found
    return None


def _choices(bands: list[Band], whole: bool, preferred: Value | None, fine: bool) -> list[float]:
    """Values worth trying in these bands: the preferred one, the plain ones, and (if `fine`) a spread over magnitudes."""
    values: list[float] = []
    if isinstance(preferred, int | float) and not isinstance(preferred, bool):
        values += [preferred] if any(b.low <= preferred < b.high for b in bands) else []
    for band in bands:
        values.append(_plain(band))
        if fine:
            low, high = max(band.low, 1e-4), min(band.high, 1e9)
            ratio = high / low
            values += [low * ratio ** (i / 12) for i in range(12)] + [band.low, high * (1 - TINY)]
    return [v for v in dict.fromkeys(float(math.floor(v)) if whole else v for v in values) if any(
        b.low <= v < b.high for b in bands)]  # fmt: skip


def _plain(band: Band) -> float:
    """A number that a person would write for the band: its lower end; zero, or half of the upper end, in the first."""
    if band.low > 0:
        return band.low
    return band.high / 2 if band.high > 0.001 else 0.0


def occurs(box: Box, minus: Iterable[Box], base: RuleBase) -> dict[int, int] | None:
    """A part of `box` outside `minus` that holds cases which can really occur, or None where there is none.

    Two derived numbers that share a source can be impossible together though each pair of bands is possible: such a
    part is set aside and the search goes on.
    """
    avoid = list(minus)
    named = {variable for part in (box, *avoid) for variable in part}
    avoid += cannot_occur(base, named)
    for _ in range(1000):
        found = find_box(box, avoid, base.full)
        if found is None:
            return None
        derived = [v for v in found if base.variables[v].fact in base.derived]
        if len(derived) < 2:
            return found
        point = narrow(found, avoid, base)
        if realise(point, base) is not None:
            return point
        numeric = _numeric(base)
        avoid.append({v: m for v, m in point.items() if v in numeric})
    return None


def witness(box: Box, minus: Iterable[Box], base: RuleBase) -> dict[str, Value] | None:
    """Answers for a case of `box` outside `minus` that can really occur, or None where there is none."""
    minus = list(minus)
    found = occurs(box, minus, base)
    if found is None:
        return None
    answers = realise(narrow(found, [*minus, *cannot_occur(base)], base), base)
    assert answers is not None
    return answers


@lru_cache(maxsize=16)
def _numeric(base: RuleBase) -> frozenset[int]:
    facts = {*base.derived, *(fact for d in base.derived.values() for fact in d.factors)}
    return frozenset(i for i, v in enumerate(base.variables) if v.fact in facts)


def narrow(box: Box, minus: Iterable[Box], base: RuleBase) -> dict[int, int]:
    """One value for each variable that the box limits, still outside `minus`."""
    minus = list(minus)
    point = dict(box)
    for variable in box:
        for value in bits(point[variable]):
            attempt = {**point, variable: 1 << value}
            if find_box(attempt, minus, base.full) is not None:
                point = attempt
                break
    return point
