"""Reads the platform cards in rules/platforms/, and selects the limits that determine the timing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from advisor.base.text import did_you_mean
from advisor.model.platforms import GROUPS, LIMITS, WAY, Card, Row, doubts
from advisor.model.rulebase import Prior, Question
from advisor.model.values import plain_name
from advisor.ruleset import card_schema

CAPACITY = "capacity"
EACH = "connections-per-instance"

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from advisor.ruleset.files import RuleFile
    from advisor.ruleset.reader import Reader


def read(reader: Reader, channels: Mapping[str, str]) -> list[Card]:
    """Every card of the folder. Raises RuleBaseError where a file does not fit the schema.

    `channels` are those that a limit can be for.
    """
    made: list[Card] = []
    limits: dict[str, Row] = {}
    for path in sorted(reader.folder.glob("platforms/*.yaml")):
        file, model = reader.read(f"platforms/{path.name}", card_schema.Card)
        card = _card(path.stem, file, model)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", card.id):
            reader.problem(file, (), f"{path.name}: name a card in lower case with hyphens, like the answer")
        for row in card.groups.get(LIMITS, ()):
            if row.id in limits:
                message = f"the limit {row.id} is already in {limits[row.id].place.file}; every id is used once"
                reader.problem(file, ("limits", row.id.removeprefix(f"{card.id}-")), message)
            limits[row.id] = row
        for group, rows in card.groups.items():
            for row, name in ((one, name) for one in rows for name in one.channels if name not in channels):
                message = f"no channel {name!r} in rules/patterns.yaml{did_you_mean(name, channels)}"
                key = row.id.removeprefix(f"{card.id}-") if group == LIMITS else row.id
                reader.problem(file, (group, key, "for"), message)
        made.append(card)
    return made


def _card(name: str, file: RuleFile, model: card_schema.Card) -> Card:
    groups = {}
    for group in GROUPS:
        rows: dict[str, card_schema.Value | card_schema.Limit] = getattr(model, group)
        if rows:
            groups[group] = tuple(_row(name, group, key, row, file) for key, row in rows.items())
    return Card(
        id=name,
        name=model.name,
        also_called=tuple(model.also_called),
        stands_at=tuple(model.stands_at),
        summary=model.summary,
        groups=groups,
        place=file.place(("name",)),
    )


def _row(card: str, group: str, key: str, row: card_schema.Value | card_schema.Limit, file: RuleFile) -> Row:
    said: dict[str, Any] = {
        "id": f"{card}-{key}" if group == LIMITS else key,
        "setting": row.setting or "",
        "says": row.says,
        "source": row.source,
        "as_of": row.as_of,
        "confidence": row.confidence,
        "checked": row.checked,
        "contested": row.contested or "",
        "note": row.note or "",
        "review": row.review or "",
        "per": getattr(row, "per", None) or "",
        "place": file.place((group, key), key=True),
    }
    if isinstance(row, card_schema.Value):
        none: dict[str, Any] = {"kind": "", "channels": tuple(row.for_), "low": None, "up_to": None, "change": ""}
        return Row(value=row.value, unit=row.unit or "", **none, **said)
    amount = _whole(row.seconds if row.each_second is None else row.each_second)
    return Row(
        value=amount,
        unit="connections a second" if row.kind == "rate" else "s" if not isinstance(amount, str) else "",
        kind=row.kind,
        channels=tuple(row.for_),
        low=row.from_,
        up_to=row.up_to,
        change=row.change,
        **said,
    )


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value == int(value) else value


def priors(cards: Iterable[Card], questions: Mapping[str, Question]) -> list[Prior]:
    """What one instance takes according to the cards, as assumptions: the smallest first, since the first counts."""
    rows = [(row, card) for card in cards for row in card.groups.get(CAPACITY, ()) if row.per == "instance"]
    made = []
    for row, card in sorted(rows, key=lambda pair: float(pair[0].value)):
        facts = [fact for fact in WAY if fact in card.stands_at and fact in questions]
        if not facts or EACH not in questions:
            continue
        checks = "; ".join(doubts(row))
        because = f"{card.name}: {row.says}{f' VERIFY: {checks}.' if checks else ''}"
        made.append(
            Prior(f"{card.id}-{row.id}", (), [{fact: card.id} for fact in facts], {EACH: row.value}, because, row.place)
        )
    return made


def other_names(cards: Iterable[Card], fact: str, options: Mapping[str, str]) -> dict[str, str]:
    """Every name of an option as `plain_name` writes it, with the option: its id, its title, what its card adds.

    A name that fits two options is left out.
    """
    named: dict[str, set[str]] = {}
    for option, title in options.items():
        card = next((c for c in cards if c.id == option and fact in c.stands_at), None)
        for name in (option, title, *((card.name, *card.also_called) if card else ())):
            for written in (name, re.sub(r"\([^()]*\)", "", name)):  # ingress-nginx (Kubernetes)
                named.setdefault(plain_name(written), set()).add(option)
    return {name: option for name, (option, *more) in ((n, sorted(o)) for n, o in named.items()) if not more and name}


def timed(cards: Iterable[Card], channels: Collection[str]) -> list[dict[str, Any]]:
    """The limits that the timing needs: those with a number, of cards that answer a question, as fields of a Limit.

    `channels` are those of the patterns: a limit for another one ends nothing that is recommended.
    """
    return [
        {
            "id": row.id,
            "name": card.name,
            "at": [[fact, card.id] for fact in WAY if fact in card.stands_at],
            "kind": row.kind,
            "channels": [channel for channel in row.channels if channel in channels],
            "seconds": float(row.value),
            "up_to": float(row.value) if row.change == "fixed" else row.up_to,
            **{
                name: getattr(row, name)
                for name in ("change", "setting", "says", "source", "as_of", "confidence", "contested")
            },
        }
        for card in cards
        for row in card.groups.get(LIMITS, ())
        if card.stands_at and not isinstance(row.value, str) and set(channels) & set(row.channels)
    ]
