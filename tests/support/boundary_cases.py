"""Whether a rule base keeps the boundary cases of rules/boundaries/."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from advisor.base.data import data
from advisor.model.rulebase import RuleBase
from advisor.ruleset.boundaries import Boundaries, caveat_failures, decision_failures, read
from advisor.ruleset.cache import load


@lru_cache(maxsize=1)
def cases() -> Boundaries:
    return read(data("rules"), load())


def broken(base: RuleBase, only: str = "") -> Iterator[str]:
    """Every case that the rule base does not keep, with what came out instead. `only` names one caveat."""
    for caveat, examples in cases().caveats.items():
        if only in ("", caveat) and caveat in base.caveats:
            yield from (sentence for *_, sentence in caveat_failures(base.caveats[caveat], examples, base))
        elif only in ("", caveat):  # a mutant without it
            yield from (f"{caveat} is gone" for case in examples if case.expect == "raised")
    for case in () if only else cases().decisions:
        yield from (f"{case.about}: {wrong}" for wrong in decision_failures(case, base))
