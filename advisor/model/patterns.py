"""What patterns are to each other: their order, which of them are shared, compared and costed, and whose times hold.

A pattern's own properties are fields that rules/patterns.yaml explains. No module of the program lists ids of patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.model.rulebase import CostedAs, Pattern, RuleBase


def core(base: RuleBase) -> list[str]:
    """The article's four, as tables list them: from the plainest to the strongest."""
    return [p.id for p in reversed(base.patterns.values()) if p.group == "core"]


def costed(base: RuleBase) -> list[str]:
    """Those whose costs are computed: the core ones, then the extended ones."""
    return core(base) + [p.id for p in reversed(base.patterns.values()) if p.group == "extended"]


def costed_as(way: CostedAs, base: RuleBase) -> str:
    """The core pattern whose costs are computed this way; the check of the rules sees to it that there is one."""
    return next(name for name in core(base) if base.patterns[name].costed_as == way)


def compared(base: RuleBase) -> tuple[str, ...]:
    """Those among which the article's steps choose: what holds something open. Short polling is its baseline."""
    return tuple(p.id for p in base.patterns.values() if p.group == "core" and p.holds != "nothing")


def shareable(base: RuleBase) -> tuple[str, ...]:
    """Those whose connection can carry a second feature, the strongest first."""
    return tuple(p.id for p in base.patterns.values() if p.shareable)


def timed(pattern: str | None, base: RuleBase) -> Pattern | None:
    """The pattern whose channel and times a verdict gives: itself; outside the article its nearest core pattern."""
    if pattern is None:
        return None
    found = base.patterns[pattern]
    return base.patterns[found.nearest_core] if found.group == "outside" else found
