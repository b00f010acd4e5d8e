"""The space of cases: which combinations cannot occur, and concrete answers for a case that can.

Numbers that follow from others make combinations of bands that no numbers produce (fewer than 1,000 clients once a
minute never make 10,000 messages a second). They are left out of every proof, and a witness is turned into real
numbers before anybody sees it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

from advisor.model.arithmetic import multiply, power
from advisor.model.boxes import Box, bits
from advisor.model.boxes import find as find_box
from advisor.model.conditions import LEAST
from advisor.model.rulebase import PATTERN, Band, Derived, Question, RuleBase, band_of
from advisor.model.values import Other, Value

TINY = 1e-9  # means "just below" in a band that is open above a value
ROUNDING = 1e-12  # room for what division loses; every result is checked by multiplication

Span: TypeAlias = tuple[float, float, bool]  # from, to, and whether the upper end belongs to it
Wanted: TypeAlias = list[tuple[Derived, int]]  # derived numbers with the bands that have to come out


def cannot_occur(base: RuleBase, named: Iterable[Box] | None = None) -> list[Box]:
    """The boxes of impossible.yaml, and those of bands that no numbers produce.

    With `named`, only the derived facts that these boxes limit, and those that impossible.yaml names, bring theirs:
    a derived number that no box limits has some band, whatever its sources are.
    """
    boxes: list[Box] = [box for item in base.impossible for box in item.boxes]
    near = None if named is None else [*named, *boxes]
    for key in base.derived:
        variable = base.index[key]
        if near is None or any(variable in box for box in near):
            boxes += unreachable(key, base)
    return boxes


@lru_cache(maxsize=256)
def unreachable(key: str, base: RuleBase, given: tuple[tuple[str, float], ...] = ()) -> tuple[Box, ...]:
    """For every combination of the sources' bands, the bands of the derived number that it cannot give.

    Sources in `given` have that very number, and are left out of the boxes.
    """
    derived = base.derived[key]
    exact: dict[str, Span] = {fact: (value, value, True) for fact, value in given}
    free = [fact for fact in derived.factors if fact not in exact]
    boxes: list[Box] = []
    for bands in itertools.product(*(base.questions[fact].bands for fact in free)):
        pairs = list(zip(free, bands, strict=True))
        spans = {fact: _span([band], base.questions[fact]) for fact, band in pairs}
        low, high, reached = _product(derived, {**spans, **exact})
        mask = 0
        for i, band in enumerate(derived.bands):
            if low >= band.high < math.inf or high < band.low or (low < high == band.low and not reached):
                mask |= 1 << i
        if mask:
            box = {base.index[fact]: 1 << base.questions[fact].bands.index(band) for fact, band in pairs}
            boxes.append({**box, base.index[key]: mask})
    return tuple(boxes)


def _span(bands: list[Band], question: Question) -> Span:
    """From the least to the greatest legal number of these bands, and whether the greatest is legal itself."""
    low, high = max(bands[0].low, question.minimum), bands[-1].high
    if question.whole:
        return math.ceil(low), high if math.isinf(high) else math.ceil(high) - 1, True
    return low, high, False


def _product(derived: Derived, spans: Mapping[str, Span], but: str = "") -> Span:
    """The span of the derived number, if its sources (all `but` one) are in these spans."""
    low, high, reached = 1.0, 1.0, True
    for fact, exponent in derived.factors.items():
        if fact == but:
            continue
        least, most, last = spans[fact]
        if exponent < 0:
            least, most, last = most, least, True
        low, high = multiply(low, power(least, exponent)), multiply(high, power(most, exponent))
        reached = reached and last
    return low, high, reached


def realise(
    case: Box, base: RuleBase, prefer: Mapping[str, Value] | None = None, but: Container[str] | None = None
) -> dict[str, Value] | None:
    """Answers in the box, or None where no numbers are in it. `prefer` is kept wherever the box allows it.

    With `but`, every preferred number except those of these facts is kept wherever that leaves a way. Only variables
    that the box limits are answered. Numbers are searched so that every derived band that the box asks for comes out.
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
    numbers = _numbers(case, ranges, base, prefer or {}, but)
    return None if numbers is None else {**answers, **numbers}


def _numbers(
    case: Box,
    bands: dict[str, list[Band]],
    base: RuleBase,
    prefer: Mapping[str, Value],
    but: Container[str] | None,
) -> dict[str, Value] | None:
    """Numbers in these bands (and of the sources) from which every derived band of the case comes out, or None."""
    wanted = [(d, mask) for v, mask in case.items() if (d := base.derived.get(base.variables[v].fact)) is not None]
    for derived, _ in wanted:
        for fact in derived.factors:
            bands.setdefault(fact, list(base.questions[fact].bands))
    kept = {} if but is None else {fact: prefer[fact] for fact in bands if fact in prefer and fact not in but}
    found = _search(kept, bands, wanted, base, prefer) if kept else None
    return _search({}, bands, wanted, base, prefer) if found is None else found


def _search(
    chosen: dict[str, Value], bands: dict[str, list[Band]], wanted: Wanted, base: RuleBase, prefer: Mapping[str, Value]
) -> dict[str, Value] | None:
    """Choose number after number, each where the ones before it leave room."""
    spans = _room(chosen, bands, wanted, base)
    if spans is None:
        return None
    fact = next((fact for fact in bands if fact not in chosen), None)
    if fact is None:
        return chosen if all(_comes_out(derived, mask, chosen, base) for derived, mask in wanted) else None
    fine = any(fact in derived.factors for derived, _ in wanted)
    for value in _choices(bands[fact], base.questions[fact], spans[fact], prefer.get(fact), fine=fine):
        found = _search({**chosen, fact: value}, bands, wanted, base, prefer)
        if found is not None:
            return found
    return None


def _comes_out(derived: Derived, mask: int, chosen: dict[str, Value], base: RuleBase) -> bool:
    number = base.number(derived, chosen)
    return number is not None and bool(mask >> band_of(derived.bands, number) & 1)


def _room(
    chosen: Mapping[str, Value], bands: Mapping[str, list[Band]], wanted: Wanted, base: RuleBase
) -> dict[str, Span] | None:
    """The span that the ends of all other numbers leave to each number; None where one has none."""
    spans = {fact: _span(listed, base.questions[fact]) for fact, listed in bands.items()}
    for fact, value in chosen.items():
        assert isinstance(value, int | float)
        spans[fact] = (value, value, True)
    for _ in range(
        3
    ):  # the ends narrow each other; what they still leave too wide, the last check of the search refuses
        for derived, mask in wanted:
            ends = [derived.bands[i] for i in bits(mask)]
            bottom, top = ends[0].low, ends[-1].high
            for fact, exponent in derived.factors.items():
                low, high, _ = _product(derived, spans, but=fact)
                least, most = (
                    (_least(bottom, high), _most(top, low)) if exponent > 0 else (_least(low, top), _most(high, bottom))
                )
                root = 1 / abs(exponent)
                least, most = least**root * (1 - ROUNDING), most**root * (1 + ROUNDING)
                if math.isinf(least) or least > spans[fact][1] or most < spans[fact][0]:
                    return None
                spans[fact] = (max(least, spans[fact][0]), min(most, spans[fact][1]), True)
    return spans


def _least(part: float, rest: float) -> float:
    """The least x with x times `rest` no less than `part`."""
    if part == 0 or math.isinf(rest):
        return 0.0
    return math.inf if rest == 0 else part / rest


def _most(part: float, rest: float) -> float:
    """The greatest x with x times `rest` no more than `part`."""
    return math.inf if rest == 0 or math.isinf(part) else part / rest


def _choices(
    bands: list[Band], question: Question, span: Span, preferred: Value | None, *, fine: bool
) -> list[int | float]:
    """Values worth trying: the preferred one, typical ones and, if `fine`, a spread over the magnitudes of the span."""
    low, high, _ = span
    values: list[float] = [preferred] if isinstance(preferred, int | float) and not isinstance(preferred, bool) else []
    values += [value for band in bands if (value := typical(band, question)) is not None]
    if fine and question.whole and high - low < 100:
        values += range(math.ceil(low), math.floor(high) + 1)
    elif fine:
        bottom = low if low > LEAST else max(min(high or 1.0, 1.0) / 1e6, LEAST)
        top = max(bottom, 1.0) * 1e9 if math.isinf(high) else high
        values += [low, *(bottom * (top / bottom) ** (i / 12) for i in range(13)), top * (1 - TINY)]
    values = [math.floor(v) if question.whole or v == int(v) else v for v in values]
    return [v for v in dict.fromkeys(values) if low <= v <= high and any(b.low <= v < b.high for b in bands)]


def typical(band: Band, question: Question) -> int | float | None:
    """A number that a person would write for the band: its lower end; zero or half of the upper end where that is tiny.

    None where the band holds no legal number.
    """
    value = band.low if band.low > 0.001 or band.high <= 0.001 else band.high / 2
    value = max(value, question.minimum)
    if question.whole or value == int(value):
        value = math.ceil(value) if math.ceil(value) < band.high else math.floor(value)
    return value if max(band.low, question.minimum) <= value < band.high else None


def occurs(box: Box, minus: Iterable[Box], base: RuleBase) -> dict[int, int] | None:
    """A part of `box` outside `minus` that holds cases which can really occur, or None where there is none.

    Derived numbers that share a source can be impossible together though each alone is possible, and between two bounds
    there need not be a whole number: such a part is set aside and the search goes on.
    """
    avoid = list(minus)
    avoid += cannot_occur(base, (box, *avoid))
    while True:
        found = find_box(box, avoid, base.full)
        if found is None or not any(base.index[key] in found for key in base.derived):
            return found
        point = {v: mask & -mask for v, mask in found.items()}
        if realise(point, base) is not None:
            return point
        numeric = _numeric(base)
        avoid.append({v: m for v, m in point.items() if v in numeric})


def witness(box: Box, minus: Iterable[Box], base: RuleBase) -> dict[str, Value] | None:
    """Answers for a case of `box` outside `minus` that can really occur, or None where there is none."""
    found = occurs(box, minus, base)
    if found is None:
        return None
    answers = realise({v: mask & -mask for v, mask in found.items()}, base)
    assert answers is not None
    return answers


@lru_cache(maxsize=16)
def _numeric(base: RuleBase) -> frozenset[int]:
    facts = {*base.derived, *(fact for d in base.derived.values() for fact in d.factors)}
    return frozenset(i for i, v in enumerate(base.variables) if v.fact in facts)
