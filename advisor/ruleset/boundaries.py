"""The boundary cases of rules/boundaries/: read, and what of them the rules do not keep.

They are read by `rules check` and by tests alone; a verdict needs none of them, so they are not in the rule base.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from advisor.base.text import did_you_mean
from advisor.engine.decision import accepted, decide, excluding, lead_case, offered, with_pattern
from advisor.model.rulebase import Caveat, Example, Place, RuleBase
from advisor.model.values import Value
from advisor.ruleset import schema
from advisor.ruleset.examples import Failure, instead
from advisor.ruleset.reader import Reader

NOTHING = "nothing"  # instead of a fallback


class DecisionCase(NamedTuple):
    """A case of the decision, and the patterns that must and must not come out of it."""

    about: str
    given: dict[str, Value]
    primary: str | None
    rule: str | None
    fallback: str | None  # a pattern, or NOTHING
    acceptable: tuple[str, ...]
    unacceptable: tuple[str, ...]
    excluded: tuple[str, ...]
    place: Place


class Boundaries(NamedTuple):
    """The cases of every caveat by its id, and those of the decision."""

    caveats: dict[str, tuple[Example, ...]]
    decisions: tuple[DecisionCase, ...]


def read(folder: Path, base: RuleBase) -> Boundaries:
    """The boundary cases of a rules folder; a folder may have none. Raises RuleBaseError."""
    reader = Reader(folder)
    reader.questions, reader.patterns = base.questions, base.patterns
    caveats: dict[str, tuple[Example, ...]] = {}
    decisions: list[DecisionCase] = []
    for path in sorted(folder.glob("boundaries/*.yaml")):
        file, model = reader.read(f"boundaries/{path.name}", schema.Boundaries)
        for caveat, sides in model.caveats.items():
            if caveat not in base.caveats:
                message = f"no caveat {caveat!r}{did_you_mean(caveat, base.caveats)}"
                reader.problem(file, ("caveats", caveat), message)
            cases = [
                Example(dict(reader.given(file, at, given)), side, file.place(at))
                for side, found in (("raised", sides.raised), ("silent", sides.silent))
                for i, given in enumerate(found)
                for at in [("caveats", caveat, side, i)]
            ]
            caveats[caveat] = (*caveats.get(caveat, ()), *cases)
        for i, case in enumerate(model.decisions):
            for key in ("primary", "fallback", "acceptable", "unacceptable", "excluded"):
                named = getattr(case, key) or ()
                named = () if key == "fallback" and named == NOTHING else named
                reader.known_patterns(file, ("decisions", i, key), [named] if isinstance(named, str) else named)
            given = dict(reader.given(file, ("decisions", i, "given"), case.given))
            lists = (tuple(case.acceptable), tuple(case.unacceptable), tuple(case.excluded))
            place = file.place(("decisions", i))
            decisions.append(DecisionCase(case.about, given, case.primary, case.rule, case.fallback, *lists, place))
    reader.stop()
    return Boundaries(caveats, tuple(decisions))


def failures(cases: Boundaries, base: RuleBase) -> Iterator[Failure]:
    """Every case that the rules do not keep, and every caveat whose boundary no case shows."""
    for caveat, known in base.caveats.items():
        yield from caveat_failures(known, cases.caveats.get(caveat, ()), base)
        missing = _missing((*known.examples, *cases.caveats.get(caveat, ())))
        if missing:
            sentence = f"{caveat} has {missing}: add it to its `examples`, or to a file of rules/boundaries/"
            yield "NO_BOUNDARY", caveat, known.place, sentence
    for case in cases.decisions:
        for wrong in decision_failures(case, base):
            yield "BOUNDARY", _at(case.place), case.place, f"{case.about}: {wrong}"


def caveat_failures(caveat: Caveat, cases: tuple[Example, ...], base: RuleBase) -> Iterator[Failure]:
    """The cases of one caveat that do not come out."""
    for case in cases:
        got = instead(caveat, case, base)
        if got:
            yield "BOUNDARY", _at(case.place), case.place, f"{caveat.id} should be {case.expect} here: it is {got}"


def decision_failures(case: DecisionCase, base: RuleBase) -> Iterator[str]:
    """What of a case of the decision does not come out."""
    at = lead_case(case.given, base)
    decided = decide(at, base)
    primary = decided.primary
    if case.rule is not None and (decided.rule is None or decided.rule.id != case.rule):
        yield f"it is not {case.rule} that decides the case"
    if case.primary is not None and primary != case.primary:
        yield f"the case gives {primary}, not {case.primary}"
    if case.fallback is not None and primary is not None:
        found = next((p for p in base.patterns[primary].fallbacks if offered(p, at, base)), NOTHING)
        if found != case.fallback:
            yield f"{primary} falls back to {found}, not to {case.fallback}"
    fine = {primary}
    if primary is not None:
        fine |= {pattern for pattern, _ in accepted(with_pattern(at, primary, base), primary, base)}
    for pattern in case.acceptable:
        if pattern not in fine:
            yield f"{pattern} should be acceptable beside {primary}"
    for pattern in case.unacceptable:
        if pattern in fine:
            yield f"{pattern} should not be acceptable beside {primary}"
    for pattern in case.excluded:
        if excluding(pattern, at, base) is None:
            yield f"{pattern} should be excluded"


def _missing(cases: tuple[Example, ...]) -> str:
    """What a caveat lacks to show its boundary; empty where a raised and a silent case differ in one fact."""
    raised, silent = ([case.given for case in cases if case.expect == side] for side in ("raised", "silent"))
    if not raised:
        return "no case in which it is raised"
    if not silent:
        return "no case in which it is silent"
    if any(_differences(one, other) == 1 for one in raised for other in silent):
        return ""
    return "no raised and silent case that differ in one fact"


def _differences(one: dict[str, Value], other: dict[str, Value]) -> int:
    """In how many facts two cases differ; a fact that one of them does not give counts as one."""
    return sum(one.get(fact) != other.get(fact) for fact in one.keys() | other.keys())


def _at(place: Place) -> str:
    return f"{Path(place.file).stem}@{place.line}"
