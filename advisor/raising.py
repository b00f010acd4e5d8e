"""Which caveats a case raises: for certain, possibly, or only if something that is not known turns out so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.boxes import Box, find, meet
from advisor.decision import Known
from advisor.figures import filled
from advisor.regions import Region, regions
from advisor.rulebase import PATTERN, Caveat, Evidence, RuleBase
from advisor.space import cannot_occur, realise, unreachable
from advisor.values import plain

SEVERITIES = ("breaks", "degrades", "note")


def raised(readings: list[Known], primary: str, times: dict[str, Any], base: RuleBase) -> list[dict[str, Any]]:
    """The caveats of every reading of the answers, those told first at the top, then by severity.

    What only the second reading raises, where an unlisted answer counts as not known, is possible and no more.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, known in enumerate(readings):
        for caveat in _caveats(known, primary, times, base):
            before = found.get(caveat["id"])
            if before is None or ("certainty" in caveat and "certainty" not in before):
                doubtful = {"certainty": "possible"} if number and "certainty" in caveat else {}
                found[caveat["id"]] = {**caveat, **doubtful}
    caveats = base.caveats
    return sorted(found.values(), key=lambda c: (not caveats[c["id"]].first, SEVERITIES.index(c["severity"])))


def _caveats(known: Known, primary: str, times: dict[str, Any], base: RuleBase) -> Iterator[dict[str, Any]]:
    """Those that hold for every completion (certain), for some and worth a warning (possible), and the others.

    Completions are those that keep the primary: a caveat speaks about the pattern that is recommended. A situation
    that asks for a stated fact is one of the others while the fact is only assumed.
    """
    variable = base.index[PATTERN]
    bit = 1 << base.variables[variable].values.index(primary)
    inside = [r for r in regions(base, known.box) if r.pattern == primary]
    limits = _limits(known, base)
    for caveat in base.caveats.values():
        about = [
            ({v: m for v, m in box.items() if v != variable}, [f for f in stated if f not in known.stated])
            for box, stated in zip(caveat.boxes, caveat.stated, strict=True)
            if box.get(variable, bit) & bit and meet({variable: bit}, box) is not None
        ]
        boxes = [box for box, missing in about if not missing]
        raising = next((w for box in boxes if (w := _some(box, inside, limits, base)) is not None), None)
        certain = raising and all(find(r.box, [*r.minus, *boxes, *limits], base.full) is None for r in inside)
        if raising and (certain or caveat.warn_unknown):
            yield {**told(caveat, known, times, base), "certainty": "certain" if certain else "possible"}
            continue
        waiting = (m for box, m in about if m and _some(box, inside, limits, base) is not None)
        only_if = _if(caveat, *raising, known, base) if raising else _once_stated(next(waiting, []), known)
        if raising or only_if:
            yield {"id": caveat.id, "severity": caveat.severity, "title": caveat.title, "if": only_if}


def _once_stated(missing: list[str], known: Known) -> dict[str, object]:
    """The answers that would raise a caveat if they were stated: those that are assumed."""
    return {fact: plain(known.answers[fact]) for fact in missing}


def _limits(known: Known, base: RuleBase) -> list[Box]:
    """What to leave out of the completions. Stated answers that contradict each other are decided all the same."""
    limits = list(cannot_occur(base))
    if find(known.box, limits, base.full) is None:
        limits = [box for key in base.derived for box in unreachable(key, base)]
    for derived in base.derived.values():
        if any(fact in known.open for fact in derived.factors):
            numbers = {
                f: n for f in derived.factors if f not in known.open and isinstance(n := known.answers[f], int | float)
            }
            limits += unreachable(derived.id, base, tuple(numbers.items()))
    return limits


def told(caveat: Caveat, known: Known, times: dict[str, Any], base: RuleBase) -> dict[str, Any]:
    """A caveat as the verdict has it, without how certain it is."""
    return {
        "id": caveat.id,
        "severity": caveat.severity,
        "title": caveat.title,
        "why": caveat.why,
        "do": caveat.do,
        "figures": filled(caveat.figures, known.stated, times, base),
        "evidence": [evidence(e) for e in caveat.evidence],
    }


def _some(box: Box, inside: list[Region], limits: list[Box], base: RuleBase) -> tuple[Box, list[Box]] | None:
    """Where the condition can hold with this primary: a box, and what to leave out of it."""
    for region in inside:
        both = meet(box, region.box)
        without = [*region.minus, *limits]
        if both is not None and find(both, without, base.full) is not None:
            return both, without
    return None


def _if(caveat: Caveat, where: Box, without: list[Box], known: Known, base: RuleBase) -> dict[str, object]:
    """The open answers under which it is raised: as few as possible that are not those of the headline."""
    for fact in known.open:
        closer = meet(where, {v: 1 << known.lead[v] for v in base.of_fact[fact]})
        if closer is not None and find(closer, without, base.full) is not None:
            where = closer
    found = find(where, without, base.full) or {}
    point = {v: 1 << known.lead[v] if mask >> known.lead[v] & 1 else mask & -mask for v, mask in found.items()}
    answers = {f: v for f, v in (realise(point, base, known.answers) or {}).items() if f in known.open}
    moved = {fact: plain(value) for fact, value in answers.items() if value != known.answers[fact]}
    read = {base.variables[v].fact for box in caveat.boxes for v in box}
    return moved or {fact: plain(value) for fact, value in answers.items() if fact in read}


def evidence(item: Evidence) -> dict[str, str]:
    """Evidence as JSON carries it."""
    return {"kind": item.kind, "text": item.text, "where": item.where, "url": item.url, "as_of": item.as_of}
