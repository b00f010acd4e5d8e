"""Evidence as authors write it, turned into the noun of the rule base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model import rulebase as rb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.ruleset import schema


def evidence(items: Iterable[schema.Evidence]) -> tuple[rb.Evidence, ...]:
    """Each piece with its kind."""
    made = []
    for e in items:
        if e.article is not None:
            made.append(rb.Evidence("article", e.says or "", where=e.article))
        elif e.source is not None:
            made.append(rb.Evidence("source", e.says or "", url=e.source, as_of=e.as_of or "", review=e.review or ""))
        elif e.measured is not None:
            made.append(rb.Evidence("measured", e.measured, as_of=e.as_of or "", review=e.review or ""))
        else:
            made.append(rb.Evidence("judgement", e.judgement or ""))
    return tuple(made)
