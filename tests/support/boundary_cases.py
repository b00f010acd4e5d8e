"""The boundary cases of rules/boundaries/*.yaml, and whether a rule base keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from advisor.engine.decision import accepted, decide, excluding, know, with_pattern
from advisor.model.boxes import contains
from advisor.model.rulebase import Caveat, RuleBase
from advisor.ruleset.example_value import value
from advisor.yamlio import nodes

FOLDER = Path(__file__).resolve().parent.parent.parent / "rules" / "boundaries"


@lru_cache(maxsize=1)
def files() -> tuple[tuple[str, Any], ...]:
    read = [(path, nodes.parse(path.read_text("utf-8"), path.name)) for path in sorted(FOLDER.glob("*.yaml"))]
    return tuple((path.stem, nodes.plain(node)) for path, node in read)


def broken(base: RuleBase, only: str = "") -> Iterator[str]:
    """Every case that the rule base does not keep, with what came out instead. `only` names one caveat."""
    for _, content in files():
        for caveat, sides in content.get("caveats", {}).items():
            if not only or caveat == only:
                yield from _caveat(caveat, sides, base)
        for case in () if only else content.get("decisions", ()):
            yield from _decision(case, base)


def lead(given: dict[str, Any], base: RuleBase) -> tuple[int, ...]:
    return know({fact: value(base.questions[fact], raw) for fact, raw in given.items()}, base).lead


def _caveat(caveat: str, sides: dict[str, list[dict[str, Any]]], base: RuleBase) -> Iterator[str]:
    for side, cases in sides.items():
        for given in cases:
            case = lead(given, base)
            primary = decide(case, base).primary
            there = primary is not None and caveat in base.caveats
            raised = there and _raised(base.caveats[caveat], with_pattern(case, primary or "", base), given)
            if raised != (side == "raised"):
                yield f"{caveat} should be {side} for {given} (the pattern is {primary})"


def _raised(caveat: Caveat, case: tuple[int, ...], given: dict[str, Any]) -> bool:
    situations = zip(caveat.boxes, caveat.stated, strict=True)
    return any(contains(box, case) and given.keys() >= set(stated) for box, stated in situations)


def _decision(case: dict[str, Any], base: RuleBase) -> Iterator[str]:
    at = lead(case["given"], base)
    primary = decide(at, base).primary
    about = f"{case['about']}: {case['given']}"
    if "primary" in case and primary != case["primary"]:
        yield f"{about} gives {primary}, not {case['primary']}"
    fine = {primary}
    if primary is not None:
        fine |= {pattern for pattern, _ in accepted(with_pattern(at, primary, base), primary, base)}
    for pattern in case.get("acceptable", ()):
        if pattern not in fine:
            yield f"{about}: {pattern} should be acceptable beside {primary}"
    for pattern in case.get("unacceptable", ()):
        if pattern in fine:
            yield f"{about}: {pattern} should not be acceptable beside {primary}"
    for pattern in case.get("excluded", ()):
        if excluding(pattern, at, base) is None:
            yield f"{about}: {pattern} should be excluded"
