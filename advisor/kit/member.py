"""One feature of a kit: its answers, its verdict, and its pattern's entry in kits.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from advisor.model.values import UNKNOWN, Unknown, Value


@dataclass(frozen=True, slots=True)
class Member:
    """A feature that has a kit: its answers, its verdict, and its pattern's entry in kits.yaml."""

    name: str
    answers: Mapping[str, Value]
    verdict: Mapping[str, Any]
    entry: Mapping[str, Any]

    def answered(self, fact: str) -> bool:
        """Whether there is something: an answer that is neither "unknown" nor "none"."""
        value = self.answers.get(fact, UNKNOWN)
        return not isinstance(value, Unknown) and value != "none"
