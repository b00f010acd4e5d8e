"""Lists old statements of the rule base: values of platform cards, and the evidence of everything else.

Values that were written from memory are listed with any date, because they were not checked against a source.
"""

from __future__ import annotations

import re
import time
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.errors import UsageError
from advisor.base.text import quoted
from advisor.model.platforms import LIMITS, cards, day, months_between
from advisor.model.rulebase import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import Caveat, Pattern, Rule, RuleBase

Day = tuple[int, int, int]


class Dated(NamedTuple):
    """One statement with its date; `months` is its age. `unread`: written from memory and not checked."""

    place: Place
    what: str
    as_of: str
    months: int
    says: str
    url: str
    unread: bool


def older_than(base: RuleBase, months: int, today: Day) -> tuple[list[Dated], int]:
    """The statements that are older, oldest first, and how many have a date at all."""
    found = _dated(base, today)
    old = [statement for statement in found if statement.months >= months]
    return sorted(old, key=lambda s: (-s.months, s.place, s.what)), len(found)


def never_read(base: RuleBase, today: Day) -> list[Dated]:
    """The values of platform cards that were written from memory, whatever their date."""
    return [statement for statement in _dated(base, today) if statement.unread]


def _dated(base: RuleBase, today: Day) -> list[Dated]:
    return [
        Dated(place, what, as_of, months_between(then, today), says, url, unread)
        for place, what, as_of, says, url, unread in _statements(base)
        if (then := day(as_of)) is not None
    ]


def _statements(base: RuleBase) -> Iterator[tuple[Place, str, str, str, str, bool]]:
    for card in cards(base).values():
        for group, rows in card.groups.items():
            for row in rows:
                what = row.id if group == LIMITS else f"{card.id}, {group} {row.id}"
                yield row.place, what, row.as_of, row.says, row.source, row.checked == "memory"
    items: list[Rule | Caveat | Pattern] = [*base.patterns.values(), *base.excludes, *base.withholds]
    items += [*base.accepts, *(r for step in (*base.steps, *base.article) for r in step.rules), *base.caveats.values()]
    for item in items:
        yield from ((item.place, item.id, e.as_of, e.text, e.url, False) for e in item.evidence)
    for table in ("costs", "timing"):
        said = base.tables.get(table, {})
        for name, item in [*said.get("figures", {}).items(), *said.get("formulas", {}).items()]:
            for e in item.get("evidence", ()):
                says = e.get("says") or e.get("measured") or ""
                yield Place(*item["place"]), name, str(e.get("as-of", "")), says, e.get("source", ""), False


def months_of(text: str) -> int:
    """A span such as 12m or 2y in months. Raises UsageError."""
    found = re.fullmatch(r"(\d{1,4})([my])", text.strip())
    if not found:
        raise UsageError(f"--older-than: {quoted(text)} is not a time span; write 12m (months) or 2y (years)")
    return int(found[1]) * (12 if found[2] == "y" else 1)


def today_of(text: str | None) -> Day:
    """The day given as 2026-11-24, or today. Raises UsageError."""
    if text is None:
        now = time.localtime()
        return now.tm_year, now.tm_mon, now.tm_mday
    try:
        given = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--today: {quoted(text)} is not a date; write it like 2026-11-24") from None
    return given.year, given.month, given.day
