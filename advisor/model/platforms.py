"""The platform cards: what a proxy, load balancer, CDN, mesh or host limits and does, each with its source.

Cards are written in rules/platforms/, read by `cards.py`, and kept as JSON text in the rule base: few commands need
them.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from advisor.model.path_limits import ROLES
from advisor.model.rulebase import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from advisor.model.rulebase import RuleBase
    from advisor.model.values import Value

WAY: Final = tuple(ROLES)  # every answer to these questions but "none" and "other" has its card
LIMITS: Final = "limits"
# The groups of a card, in the order in which they are shown.
GROUPS: Final = {
    LIMITS: "Limits",
    "websocket": "WebSocket",
    "http2": "HTTP/2 and HTTP/3",
    "buffering": "Buffering",
    "compression": "Compression",
    "stickiness": "Stickiness",
    "connections": "Connections",
    "capacity": "Capacity",
    "drain": "Stop and restart",
    "status": "Status",
}


class Row(NamedTuple):
    """One statement of a card. A limit has `kind`, `channels` and `change`; everything else has a `value`.

    `value` of a limit is its seconds ("none" where there is no limit, "varies" where that is up to somebody else), or
    new connections per second for the kind "rate".
    """

    id: str
    value: int | float | str  # yes and no are words
    unit: str
    kind: str
    channels: tuple[str, ...]
    low: float | None  # the documented bounds of what can be set
    up_to: float | None
    change: str  # setting | quota | fixed, of limits
    setting: str
    says: str
    source: str
    as_of: str
    confidence: str
    checked: str  # read | measured | memory
    contested: str
    note: str
    review: str  # when to read the source again, as evidence has it; empty: as for every card
    per: str  # of a capacity that is compared with the clients: all of them, or those of one instance
    place: Place


class Card(NamedTuple):
    """One platform. `stands_at` are the questions to which it is an answer; `groups` are the ones of GROUPS it has."""

    id: str
    name: str
    also_called: tuple[str, ...]
    stands_at: tuple[str, ...]
    summary: str
    groups: dict[str, tuple[Row, ...]]
    place: Place

    def rows(self) -> Iterator[Row]:
        """Everything it says, in order."""
        for rows in self.groups.values():
            yield from rows


def as_text(cards: Iterable[Card]) -> str:
    """The cards as JSON in one line; `cards` reads it."""
    return json.dumps([card._asdict() for card in cards], separators=(",", ":"))


def cards(base: RuleBase) -> dict[str, Card]:
    """The cards of a rule base by id, in the order of their files."""
    return _cards(base.platforms)


@lru_cache(maxsize=4)
def _cards(text: str) -> dict[str, Card]:
    return {item["id"]: _card(item) for item in json.loads(text)}


def row(base: RuleBase, path: str) -> Row | None:
    """The row of a card at platform/group/key, as it is written there; None if there is none."""
    platform, group, key = path.split("/")
    said = cards(base)[platform].groups.get(group, ()) if platform in cards(base) else ()
    name = f"{platform}-{key}" if group == LIMITS else key
    return next((one for one in said if one.id == name), None)


def capacity(base: RuleBase, answers: Mapping[str, Value], per: str, channel: str) -> tuple[Card, Row] | None:
    """What holds the fewest connections of a channel among the answers: in all, or on one instance."""
    there = [cards(base).get(str(answers[fact])) for fact in WAY if isinstance(answers.get(fact), str)]
    rows = [
        (card, row)
        for card in there
        if card is not None
        for row in card.groups.get("capacity", ())
        if row.per == per and (not row.channels or channel in row.channels)
    ]
    return min(rows, key=lambda found: float(found[1].value), default=None)


def shared_rows(base: RuleBase, fact: str, answers: Iterable[str]) -> list[str]:
    """What the cards of all these answers say alike, as a condition says it; none where an answer has no card."""
    known = [cards(base).get(answer) for answer in answers]
    if not known or not all(card is not None and fact in card.stands_at for card in known):
        return []
    said = [set(_statements(card)) for card in known if card is not None]
    return sorted(set.intersection(*said))


def _statements(card: Card) -> Iterator[str]:
    for group, rows in card.groups.items():
        for row in rows:
            if group == LIMITS:
                yield from (f"{{limit: {row.kind}, for: {channel}}}" for channel in row.channels)
            else:
                yield f"{{row: {group}/{row.id}, is: {row.value}}}"


def _card(data: Mapping[str, Any]) -> Card:
    groups = {group: tuple(_row(row) for row in rows) for group, rows in data["groups"].items()}
    lists = {name: tuple(data[name]) for name in ("also_called", "stands_at")}
    return Card(**{**data, **lists, "groups": groups, "place": Place(*data["place"])})


def _row(data: list[Any]) -> Row:
    row = Row(*data)
    return row._replace(channels=tuple(row.channels), place=Place(*row.place))


def doubts(row: Row) -> tuple[str, ...]:
    """Why this value should be checked before anybody relies on it; empty if there are no doubts."""
    found = []
    if row.checked == "memory":
        found.append("from memory, not read again")
    if row.contested:
        found.append(f"sources disagree: {row.contested}")
    elif row.confidence != "high" and row.checked != "memory":
        found.append(f"confidence {row.confidence}")
    return tuple(found)


# --- age --------------------------------------------------------------------------------------------------------------


def day(text: str) -> tuple[int, int, int] | None:
    """The first day that a date such as 2026, 2026-07 or "2026-07-22 (manual)" can mean; None where there is none."""
    found = re.match(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", text)
    return (int(found[1]), int(found[2] or 1), int(found[3] or 1)) if found else None


def months_between(then: tuple[int, int, int], now: tuple[int, int, int]) -> int:
    """Whole months from one day to another; negative where `then` comes later."""
    months = (now[0] - then[0]) * 12 + now[1] - then[1]
    return months - 1 if now[2] < then[2] else months
