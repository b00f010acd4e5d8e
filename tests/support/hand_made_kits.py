"""Kits from a hand-written verdict: what kit.build reads of a project, a verdict and a rule base, and nothing more."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from advisor.base import data
from advisor.kit import build as kit
from advisor.kit import manifest
from advisor.kit import values as kit_values
from advisor.kit.member import Member
from advisor.ruleset import cache

TEMPLATES = data.data("templates")
OPTIONS = functools.cache(lambda: manifest.load(TEMPLATES))
RULES = functools.cache(cache.load)
KITS = functools.cache(lambda: {pattern: kit for pattern, kit in manifest.kits(TEMPLATES).items() if kit["layers"]})
TITLES = {
    "websocket": "WebSocket",
    "sse": "Server-Sent Events",
    "long-polling": "long polling",
    "short-polling": "short polling",
}
TIMING = {"heartbeat_s": 25, "retry_ms": 1000, "retry_max_ms": 30_000, "drain_s": 20}
VERDICT: dict[str, Any] = {
    "primary": "sse",
    "acceptable": [{"id": "sse", "why": "Events go one way.", "evidence": []}],
    "timing": TIMING,
    "costs": {"inputs": {"concurrent-clients": {"value": 1000, "assumed": True}}},
}


def often(values: Iterable[str], *always: str) -> list[Any]:
    """Parameters of a test: `always` (by default the first) with each run, the others with --long."""
    every = list(values)
    return [value if value in (always or every[:1]) else pytest.param(value, marks=pytest.mark.long) for value in every]


@dataclass
class Title:
    title: str


@dataclass(eq=False)
class Base:
    """The part of a rule base that a kit's values come from."""

    version: str = "1"
    sha256: str = "ab" * 32
    patterns: dict[str, Title] = field(default_factory=lambda: {p: Title(t) for p, t in TITLES.items()})
    platforms: str = field(default_factory=lambda: RULES().platforms)
    tables: dict[str, Any] = field(default_factory=lambda: RULES().tables)
    questions: dict[str, Any] = field(default_factory=lambda: RULES().questions)


def rendered(
    project: str = "Acme orders",
    features: tuple[str, ...] = ("order status",),
    patterns: tuple[str, ...] = ("sse",),
    **answers: Any,
) -> dict[str, bytes]:
    """The files of the kit that come from templates. Underscores in a fact's name stand for "-"."""
    values, chosen, _ = context(project, features, patterns, **answers)
    return dict(kit.rendered(chosen, values))


def context(
    project: str = "Acme orders",
    features: tuple[str, ...] = ("order status",),
    patterns: tuple[str, ...] = ("sse",),
    times: dict[str, int] | None = None,
    **answers: Any,
) -> tuple[dict[str, Any], list[manifest.Option], list[str]]:
    """(values, options, notes) for features that all have these answers.

    `patterns` are theirs, in turn; `times` what their verdicts have for the times.
    """
    facts = {fact.replace("_", "-"): value for fact, value in answers.items()}
    notes: list[str] = []
    kits, base = KITS(), Base()
    members = []
    for name, pattern in zip(features, itertools.cycle(patterns), strict=False):
        acceptable = [{"id": pattern, "why": "Events go one way."}]
        verdict = VERDICT | {"primary": pattern, "acceptable": acceptable, "timing": VERDICT["timing"] | (times or {})}
        members.append(Member(name, facts, verdict, kits[pattern]))
    chosen, kept = kit.choose(members, OPTIONS(), base, notes)
    assert kept == members, notes
    return kit_values.context(project, kept, base, chosen, notes), chosen, notes


def conf(which="nginx", **answers):
    return rendered(**answers)[f"nginx/{which}.conf"].decode()
