"""What is left to ask after some answers, kept: a question that is gone back to has been asked before."""

from __future__ import annotations

from functools import lru_cache

from advisor.engine import asking as ordering
from advisor.engine import relevance as weighing
from advisor.engine.asking import Asking
from advisor.engine.relevance import Relevance
from advisor.model.rulebase import RuleBase
from advisor.model.values import Value


@lru_cache(maxsize=512)
def standing(items: tuple[tuple[str, Value], ...], base: RuleBase, several: bool) -> dict[str, Value]:
    """The answers that count, walked in the order of the questions: each has to matter beside those before it.

    Kept, since an answer changes little of what came before it.
    """
    if not items:
        return {}
    before = standing(items[:-1], base, several)
    fact, value = items[-1]
    return {**before, fact: value} if weighing.matters(fact, before, base, several=several) else before


@lru_cache(maxsize=64)
def relevance(items: tuple[tuple[str, Value], ...], base: RuleBase, several: bool) -> Relevance:
    """What can still come out and which questions matter, after these answers."""
    return weighing.relevance(dict(items), base, several=several)


@lru_cache(maxsize=64)
def asking(items: tuple[tuple[str, Value], ...], left: Relevance, base: RuleBase) -> Asking:
    """The open questions by what they are for."""
    return ordering.asking(dict(items), left, base)
