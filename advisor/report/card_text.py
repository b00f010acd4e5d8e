"""A platform card as lines of text: grouped, each value with its source, its age, and the doubts about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from advisor.base.text import number, plural, visible
from advisor.model.path_limits import ROLES
from advisor.model.platforms import GROUPS, LIMITS, Card, Row, day, doubts, months_between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import RuleBase

Line: TypeAlias = "tuple[int, str]"  # indent, text
Day: TypeAlias = "tuple[int, int, int]"

# Limits by their cure; a limit in the wrong group would get the wrong advice.
CURES: Final = (
    (("idle",), "Limits on silence (a heartbeat cures them):"),
    (("first-byte", "total"), "Limits on the answer (a setting or another pattern cures them):"),
    (("lifetime",), "Limits on age (only reconnecting and resuming helps):"),
    (("grace",), "Time from the signal to stop until the process is killed:"),
    (("rate",), "New connections:"),
)
KINDS: Final = {
    "idle": "silence",
    "first-byte": "first byte",
    "total": "whole answer",
    "lifetime": "age",
    "grace": "stop",
    "rate": "new connections",
}
CHANGES: Final = {"setting": "Yours to set", "quota": "Changed by the vendor only", "fixed": "Cannot be changed"}


def lines(card: Card, today: Day, base: RuleBase) -> Iterator[Line]:
    """The whole card. The age of its values is counted up to `today`."""
    roles = " or ".join(ROLES[fact] for fact in card.stands_at) or "no answer of its own"
    yield 0, f"{card.id} (platform: {roles})"
    yield from ((0, ""), (2, f"{card.name}. {card.summary}"))
    for kinds, title in CURES:
        rows = [row for row in card.groups.get(LIMITS, ()) if row.kind in kinds]
        if rows:
            yield from ((0, ""), (2, title))
        for row in rows:
            yield from _limit(row, today, row.id.removeprefix(f"{card.id}-"), base)
    for group, title in GROUPS.items():
        rows = list(card.groups.get(group, ())) if group != LIMITS else []
        if rows:
            yield from ((0, ""), (2, f"{title}:"))
        for row in rows:
            setting = f" Set by: {row.setting}." if row.setting else ""
            yield 4, f"- {row.id.replace('-', ' ')}: {amount(row)}. {row.says}{setting}"
            yield from _sources(row, today)
    yield from ((0, ""), (2, f"In {card.place.file}."))


def limit_lines(card: Card, row: Row, today: Day, base: RuleBase) -> Iterator[Line]:
    """One limit alone."""
    yield 0, f"{row.id} (limit: {KINDS[row.kind]})"
    yield from ((0, ""), (2, f"A limit of {card.name}."))
    yield from _limit(row, today, row.id, base)
    yield 2, f"In {row.place.file}:{row.place.line}:{row.place.column}."


def amount(row: Row) -> str:
    """The value with its unit, for people."""
    if row.value == "none":
        return "no limit" if row.kind else "not set"
    return f"{row.value if isinstance(row.value, str) else number(row.value)} {row.unit}".rstrip()


def _limit(row: Row, today: Day, name: str, base: RuleBase) -> Iterator[Line]:
    on = ", ".join(base.channels[channel] for channel in row.channels)
    on = f", for {on}" if on else ""
    yield 4, f"- {name} ({KINDS[row.kind]}): {amount(row)}{on}. {row.says}"
    bounds = "".join(f" {word} {number(bound)} s" for word, bound in (("from", row.low), ("up to", row.up_to)) if bound)
    if row.setting or bounds or row.change != "setting":
        bounds = f",{bounds}" if bounds else ""
        yield 6, f"{CHANGES[row.change]}{bounds}{f': {row.setting}' if row.setting else ''}."
    yield from _sources(row, today)


def _sources(row: Row, today: Day) -> Iterator[Line]:
    if row.note:
        yield 6, f"Note: {row.note}"
    yield 6, row.source
    yield 6, f"(as of {age_text(row.as_of, today)}; confidence {row.confidence})"
    for doubt in doubts(row):
        yield 6, f"VERIFY: {doubt}"


def age_text(as_of: str, today: Day) -> str:
    """A date with the age of the statement: `2026-07-23, 4 months old`. A bare year counts from its beginning."""
    then = day(as_of)
    if then is None:
        return f"{visible(as_of)}, of unknown age"
    months = months_between(then, today)
    if months < 0:
        return f"{visible(as_of)}, which is still to come"
    age = plural(months // 12, "year") if months >= 24 else plural(months, "month") if months else ""
    age = f"{age} old" if age else "less than a month old"
    return f"{visible(as_of)}, {age if as_of[4:5] == '-' else f'at most {age}'}"
