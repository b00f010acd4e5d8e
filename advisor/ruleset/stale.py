"""Lists the dated statements of the rule base that are to be read again: values of platform cards, and evidence.

Each has a review time: its own (`review`), or that of its kind. Standards and measurements are timeless: an edition of
a standard does not change, and what was measured was so. A page of a vendor may say something else next year.
"""

from __future__ import annotations

import re
import time
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from advisor.base.errors import UsageError
from advisor.base.text import quoted
from advisor.model.platforms import LIMITS, cards, day, months_between
from advisor.model.rulebase import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from advisor.model.rulebase import Caveat, Evidence, Pattern, Rule, RuleBase

Day = tuple[int, int, int]
TIMELESS: Final = "timeless"
PAGE: Final = "2y"  # a page, and a platform card, which says what a product does
# Where editions are published that do not change any more: standards, and a printed book.
EDITIONS: Final = (
    "www.rfc-editor.org", "datatracker.ietf.org", "docs.oasis-open.org", "html.spec.whatwg.org",
    "websockets.spec.whatwg.org", "hpbn.co",
)  # fmt: skip


class Dated(NamedTuple):
    """One statement with its date and its review time; `months` is its age.

    `due` is the day from which it is to be read again, None if never. `unread`: written from memory and not checked.
    """

    place: Place
    what: str
    as_of: str
    months: int
    says: str
    url: str
    unread: bool
    due: Day | None


def overdue(statements: Iterable[Dated], today: Day) -> list[Dated]:
    """The statements whose review time has come, the longest overdue first."""
    found = [(s.due, s.place, s.what, s) for s in statements if s.due is not None and s.due <= today]
    return [statement for *_, statement in sorted(found)]


def older_than(statements: Iterable[Dated], months: int) -> list[Dated]:
    """The statements that are older, whatever their review time, oldest first."""
    old = [statement for statement in statements if statement.months >= months]
    return sorted(old, key=lambda s: (-s.months, s.place, s.what))


def dated(base: RuleBase, today: Day) -> list[Dated]:
    """Every statement with a date."""
    return [
        Dated(place, what, as_of, months_between(then, today), says, url, unread, due(then, review))
        for place, what, as_of, says, url, unread, review in _statements(base)
        if (then := day(as_of)) is not None
    ]


def due(then: Day, review: str) -> Day | None:
    """The day of a review: `timeless`, a span after the date, or a day. A month without that day ends before it."""
    if review == TIMELESS:
        return None
    if review[-1] not in "my":
        return day(review)
    months = then[0] * 12 + then[1] - 1 + _span(review)
    return months // 12, months % 12 + 1, then[2]


def review_of(kind: str, url: str, own: str) -> str:
    """The review time of evidence: its own, or that of its kind."""
    site = url.partition("://")[2].partition("/")[0]
    return own or (TIMELESS if kind == "measured" or site in EDITIONS else PAGE)


def _statements(base: RuleBase) -> Iterator[tuple[Place, str, str, str, str, bool, str]]:
    for card in cards(base).values():
        for group, rows in card.groups.items():
            for row in rows:
                what = row.id if group == LIMITS else f"{card.id}, {group} {row.id}"
                review = review_of("card", row.source, row.review)
                yield row.place, what, row.as_of, row.says, row.source, row.checked == "memory", review
    items: list[Rule | Caveat | Pattern] = [*base.patterns.values(), *base.excludes, *base.withholds]
    items += [*base.accepts, *(r for step in (*base.steps, *base.article) for r in step.rules), *base.caveats.values()]
    for item in items:
        yield from ((item.place, item.id, *_evidence(e)) for e in item.evidence)
    for table in ("costs", "timing"):
        said = base.tables.get(table, {})
        for name, item in [*said.get("figures", {}).items(), *said.get("formulas", {}).items()]:
            for e in item.get("evidence", ()):
                url, kind = e.get("source", ""), "source" if "source" in e else "measured"
                review = review_of(kind, url, str(e.get("review") or ""))
                says = e.get("says") or e.get("measured") or ""
                yield Place(*item["place"]), name, str(e.get("as-of", "")), says, url, False, review


def _evidence(e: Evidence) -> tuple[str, str, str, bool, str]:
    return e.as_of, e.text, e.url, False, review_of(e.kind, e.url, e.review)


def _span(text: str) -> int:
    return int(text[:-1]) * (12 if text[-1] == "y" else 1)


def months_of(text: str) -> int:
    """A span such as 12m or 2y in months. Raises UsageError."""
    if not re.fullmatch(r"\d{1,4}[my]", text.strip()):
        raise UsageError(f"--older-than: {quoted(text)} is not a time span; write 12m (months) or 2y (years)")
    return _span(text.strip())


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
