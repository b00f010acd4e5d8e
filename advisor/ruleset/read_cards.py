"""Reads the platform cards in rules/platforms/, and selects the limits that determine the timing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from advisor.base.text import did_you_mean
from advisor.model.platforms import GROUPS, LIMITS, WAY, Card, Row
from advisor.ruleset import card_schema

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
            for name in (name for name in row.channels if name not in channels):
                message = f"no channel {name!r} in rules/patterns.yaml{did_you_mean(name, channels)}"
                reader.problem(file, ("limits", row.id.removeprefix(f"{card.id}-"), "for"), message)
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
        "place": file.place((group, key), key=True),
    }
    if isinstance(row, card_schema.Value):
        none: dict[str, Any] = {"kind": "", "channels": (), "low": None, "up_to": None, "change": ""}
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
