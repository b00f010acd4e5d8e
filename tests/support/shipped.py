"""The shipped rules for tests: compiled once in each process, since nothing changes a rule base."""

from __future__ import annotations

from functools import lru_cache

from advisor.base.data import data
from advisor.model.rulebase import RuleBase
from advisor.ruleset.compile import compile_folder


@lru_cache(maxsize=1)
def shipped() -> RuleBase:
    """The rule base of this checkout."""
    return compile_folder(data("rules"))
