"""The numbers in a caveat's text: their names, and the sentences whose numbers are all known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from advisor.base.text import number
from advisor.model.platforms import capacity
from advisor.model.rulebase import RuleBase
from advisor.model.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.verdict import TimeKey, Timing

PLACE: Final = re.compile(r"\{([a-z0-9-]+)\}")
SENTENCE: Final = re.compile(r"(?<=[.!?]) +(?=[A-Z{])")
TIMES: Final[dict[str, TimeKey]] = {
    "heartbeat-s": "heartbeat_s",
    "hold-s": "hold_s",
    "retry-ms": "retry_ms",
    "retry-max-ms": "retry_max_ms",
    "drain-s": "drain_s",
    "connect-patience-ms": "connect_patience_ms",
    "read-timeout-s": "read_timeout_s",
}
# The shortest limit of a kind that a platform on the path sets; `held` is any limit on a waiting request.
KINDS: Final = ("idle", "first-byte", "total", "lifetime", "grace", "held")
# The limit itself, also only where it is fixed or only where it is a stock value; the most that it can be raised to.
PARTS: Final = ("platform", "limit-s", "fixed-s", "stock-s", "setting", "most-s")
# What holds the fewest connections, in all or on one instance, and how many.
CAPACITIES: Final = {
    f"{name}-{part}": (per, part)
    for name, per in (("capacity", "all"), ("instance-capacity", "instance"))
    for part in ("platform", "places")
}
LIMITS: Final = {f"{at}{kind}-{part}": (at, kind, part) for at in ("", "cdn-") for kind in KINDS for part in PARTS}


def names(base: RuleBase) -> set[str]:
    """Every name that may be in braces."""
    facts = {q.id for q in base.questions.values() if q.type in ("number", "one-of")}
    hourly = {f"{name.removesuffix('s')}h" for name in base.derived if name.endswith("-per-s")}
    return {*TIMES, *LIMITS, *CAPACITIES, *base.derived, *facts, *hourly}


def places(text: str) -> Iterator[str]:
    """The names in braces in a text."""
    return (match[1] for match in PLACE.finditer(text))


def filled(text: str, stated: dict[str, Value], times: Timing, base: RuleBase, pattern: str = "") -> str | None:
    """The sentences all of whose numbers are known, with them filled in; None where there is no such sentence.

    `pattern` is the recommended one: what cannot hold its connections counts, and nothing else.
    """
    said = (_sentence(part, stated, times, base, pattern) for part in SENTENCE.split(text))
    return " ".join(s for s in said if s) or None


def _sentence(text: str, stated: dict[str, Value], times: Timing, base: RuleBase, pattern: str) -> str:
    values = {
        name: _capacity(name, stated, base, pattern) if name in CAPACITIES else _value(name, stated, times, base)
        for name in places(text)
    }
    if None in values.values():
        return ""
    return PLACE.sub(lambda match: values[match[1]] or "", text)


def _value(name: str, stated: dict[str, Value], times: Timing, base: RuleBase) -> str | None:
    if name in TIMES:
        return figure(times[TIMES[name]])
    if name in LIMITS:
        return _of_limit(name, times)
    by_second = f"{name.removesuffix('h')}s"
    if name.endswith("-per-h") and by_second in base.derived:
        rate = base.number(base.derived[by_second], stated)
        return None if rate is None else figure(rate * 3600)
    if name in base.derived:
        derived = base.number(base.derived[name], stated)
        return None if derived is None else figure(derived)
    value = stated.get(name)
    if isinstance(value, str):  # a one-of, by its name; "none" is not mentioned
        return base.questions[name].options.get(value) if value != "none" else None
    return figure(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _capacity(name: str, stated: dict[str, Value], base: RuleBase, pattern: str) -> str | None:
    per, part = CAPACITIES[name]
    found = capacity(base, stated, per, base.patterns[pattern].channel) if pattern else None
    if found is None:
        return None
    card, row = found
    return card.name if part == "platform" else figure(float(row.value))


def _of_limit(name: str, times: Timing) -> str | None:
    """A part of the shortest limit of a kind that a platform on the path sets."""
    at, kind, part = LIMITS[name]
    for limit in times["limits"]:  # shortest first
        fits = limit["kind"] == kind or (kind == "held" and limit["kind"] != "grace")
        if fits and limit["platform"] and (not at or "cdn" in limit["at"]):
            break
    else:
        return None
    if part == "platform":
        return str(limit["platform"])
    fixed = limit["change"] == "fixed"
    if part == "setting":
        return limit["setting"] or ("on request" if limit["change"] == "quota" else None)
    if part == "most-s":
        return None if limit["up_to"] is None or fixed else figure(limit["up_to"])
    stock = limit["seconds"] != limit["up_to"]  # else it is fixed, or more was stated than it allows
    return None if (part == "fixed-s" and not fixed) or (part == "stock-s" and not stock) else figure(limit["seconds"])


def figure(value: float) -> str:
    """A computed number as people say it: whole from 100 on, three digits below."""
    return number(round(value)) if 100 <= value < 1e15 else number(value, 3)
