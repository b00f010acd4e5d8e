"""How often an answer is another one than the other answers make likely, by kind of feature: rules/shares.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from advisor.model.values import Value, from_plain

OTHER = "other"  # a kind that no rule knows, or that nobody stated
LIKE = 6  # so many features like the average of all kinds count beside those of a kind: few kinds have many


class Surprise(NamedTuple):
    """An answer that was another one than the other answers made likely: in how many features of which kind."""

    fact: str
    value: Value
    seen: Mapping[str, int]


class Shares(NamedTuple):
    """Counts over described features: how many there are of each kind, and which answers surprised."""

    features: Mapping[str, int]
    surprises: tuple[Surprise, ...]

    def share(self, item: Surprise, kind: str) -> float:
        """The share of the features of this kind with this surprise; where they are few, nearer to that of all."""
        everywhere = sum(item.seen.values()) / sum(self.features.values())
        return (item.seen.get(kind, 0) + LIKE * everywhere) / (self.features.get(kind, 0) + LIKE)


def from_data(data: Mapping[str, Any]) -> Shares:
    """The shares from what JSON carried."""
    surprises = (Surprise(s["fact"], from_plain(s["value"]), s["seen"]) for s in data["surprises"])
    return Shares(data["features"], tuple(surprises))
