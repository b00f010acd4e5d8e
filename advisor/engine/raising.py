"""Which caveats a case raises: for certain, possibly, or only if something that is not known turns out so."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from advisor.engine.decision import Known
from advisor.engine.regions import Region, regions
from advisor.engine.space import cannot_occur, realise, unreachable
from advisor.model.boxes import Box, find, meet
from advisor.model.caveat_figures import filled
from advisor.model.rulebase import PATTERN, Caveat, RuleBase
from advisor.model.values import plain

if TYPE_CHECKING:
    from advisor.model.verdict import Answer, CaveatIf, RaisedCaveat, Timing

SEVERITIES = ("breaks", "degrades", "note")


Raised: TypeAlias = "tuple[list[RaisedCaveat], list[CaveatIf]]"


def raised(readings: list[Known], primary: str, times: Timing, base: RuleBase) -> Raised:
    """The caveats of every reading of the answers: what is raised, and what would be if something turned out so.

    Those that are told first come first, then by severity. What only the second reading raises, where an unlisted
    answer counts as not known, is possible and no more.
    """
    found: dict[str, RaisedCaveat] = {}
    waiting: dict[str, CaveatIf] = {}
    for number, known in enumerate(readings):
        here, only_if = _caveats(known, primary, times, base)
        for caveat in here:
            found.setdefault(caveat["id"], {**caveat, "certainty": "possible"} if number else caveat)
        for other in only_if:
            waiting.setdefault(other["id"], other)

    def order(caveat: RaisedCaveat | CaveatIf) -> tuple[bool, int]:
        return not base.caveats[caveat["id"]].first, SEVERITIES.index(caveat["severity"])

    left = [caveat for name, caveat in waiting.items() if name not in found]
    return sorted(found.values(), key=order), sorted(left, key=order)


def _caveats(known: Known, primary: str, times: Timing, base: RuleBase) -> Raised:
    """Those that hold for every completion (certain) or for some and worth a warning (possible), and the others.

    Completions are those that keep the primary: a caveat speaks about the pattern that is recommended. A situation
    that asks for a stated fact is one of the others while the fact is only assumed.
    """
    variable = base.index[PATTERN]
    bit = 1 << base.variables[variable].values.index(primary)
    inside = [r for r in regions(base, known.box) if r.pattern == primary]
    limits = _limits(known, base)
    found: list[RaisedCaveat] = []
    others: list[CaveatIf] = []
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
            found.append(told(caveat, known, times, base, certain=bool(certain), pattern=primary))
            continue
        waiting = (m for box, m in about if m and _some(box, inside, limits, base) is not None)
        only_if = _if(caveat, *raising, known, base) if raising else _once_stated(next(waiting, []), known)
        if raising or only_if:
            others.append({"id": caveat.id, "severity": caveat.severity, "title": caveat.title, "if": only_if})
    return found, others


def _once_stated(missing: list[str], known: Known) -> dict[str, Answer]:
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


def told(
    caveat: Caveat, known: Known, times: Timing, base: RuleBase, *, certain: bool, pattern: str = ""
) -> RaisedCaveat:
    """A caveat as the verdict has it."""
    return {
        "id": caveat.id,
        "severity": caveat.severity,
        "certainty": "certain" if certain else "possible",
        "title": caveat.title,
        "why": caveat.why,
        "do": caveat.do,
        "figures": filled(caveat.figures, known.stated, times, base, pattern),
        "evidence": [e.data() for e in caveat.evidence],
    }


def _some(box: Box, inside: list[Region], limits: list[Box], base: RuleBase) -> tuple[Box, list[Box]] | None:
    """Where the condition can hold with this primary: a box, and what to leave out of it."""
    for region in inside:
        both = meet(box, region.box)
        without = [*region.minus, *limits]
        if both is not None and find(both, without, base.full) is not None:
            return both, without
    return None


def _if(caveat: Caveat, where: Box, without: list[Box], known: Known, base: RuleBase) -> dict[str, Answer]:
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
