"""The reference pages that are made from the rules: every caveat, and every platform with its values.

`advisor rules docs DIR` writes them. There is no age in them: the same rules give the same bytes on every day.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from advisor.base.text import number, plural
from advisor.model import platforms
from advisor.model.conditions import say
from advisor.model.path_limits import ROLES
from advisor.report import card_text, caveat_words, words
from advisor.report.markdown import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.model.platforms import Card, Row
    from advisor.model.rulebase import Caveat, Evidence, RuleBase

MADE: Final = "<!-- Made from rules/ by `advisor rules docs docs`. Edit the rules, then run that again. -->"
SEVERITY: Final = {
    "breaks": "events are lost or the feature stops working",
    "degrades": "it works, but slower, later or at a higher cost",
    "note": "good to know before you build",
}
LIMIT_COLUMNS: Final = ("Limit", "Value", "For", "What happens", "Setting", "Source", "As of", "Confidence")
FACT_COLUMNS: Final = ("About", "Fact", "Value", "What it means", "Setting", "Source", "As of", "Confidence")


def pages(base: RuleBase) -> dict[str, str]:
    """The files of the folder: name to content."""
    return {
        "caveats.md": "\n".join(_caveats(base)) + "\n",
        "platforms.md": "\n".join(_platforms(base)) + "\n",
    }


# --- caveats ----------------------------------------------------------------------------------------------------------


def _caveats(base: RuleBase) -> Iterator[str]:
    caveats = list(base.caveats.values())
    yield from (MADE, "", "# Caveats", "")
    yield f"{plural(len(caveats), 'caveat')}. Reports and verdicts name them by these ids;"
    yield from ("`advisor explain ID` prints the same in the terminal.", "")
    yield from (f"- **{severity}**: {meaning}" for severity, meaning in SEVERITY.items())
    for file, listed in groupby(caveats, key=lambda caveat: caveat.place.file):
        group = list(listed)
        yield from ("", *_table((f"In {file}", "Severity", "Title"), [_in_short(caveat) for caveat in group]))
    for caveat in caveats:
        yield from ("", *_caveat(caveat, base))


def _in_short(caveat: Caveat) -> tuple[str, ...]:
    return f"[{caveat.id}](#{caveat.id})", caveat.severity, escape(caveat.title)


def _caveat(caveat: Caveat, base: RuleBase) -> Iterator[str]:
    situations = caveat.when if isinstance(caveat.when, list) else [caveat.when]
    yield from (f"## {caveat.id}", "", f"**{escape(caveat.title)}** ({caveat.severity})", "")
    yield from ("Raised when:" if len(situations) == 1 else "Raised when one of these holds:", "")
    yield from (f"- {escape(say(situation, base))}" for situation in situations)
    yield from ("", f"**Why:** {escape(caveat.why)}", "", "**Do:**", "")
    yield from (f"- {escape(caveat_words.where(advice))}: {escape(advice.text)}" for advice in caveat.do)
    if caveat.yours:
        yield from ("", f"**No kit cures it:** {escape(caveat.yours)}")
    cures = dict.fromkeys(cure.file for cure in base.cures if cure.caveat == caveat.id)
    if cures:
        yield from ("", f"**Cured by files of the kit:** {', '.join(f'`{file}`' for file in cures)}")
    yield from ("", "Evidence:", "")
    yield from (f"- {_evidence(item)}" for item in caveat.evidence)


def _evidence(item: Evidence) -> str:
    line = escape(words.evidence(item.data()))
    return f"{line} {_link(item.url)}" if item.url else line


# --- platforms --------------------------------------------------------------------------------------------------------


def _platforms(base: RuleBase) -> Iterator[str]:
    cards = list(platforms.cards(base).values())
    yield from (MADE, "", "# Platforms", "")
    yield f"{plural(len(cards), 'platform')}: what each proxy, load balancer, CDN, mesh and host limits and does. Every"
    yield "value has its source, the date on which the source said so, and how far to trust it. **Verify** marks values"
    yield "that were not read again, or where sources disagree. `advisor explain ID` also prints how old each value is."
    yield from ("", *_table(("Platform", "Id", "Answer to"), [_stands(card) for card in cards]))
    for card in cards:
        yield from ("", *_card(card, base))


def _stands(card: Card) -> tuple[str, ...]:
    roles = " or ".join(f"{ROLES[fact]} (`{fact}`)" for fact in card.stands_at)
    return escape(card.name), f"[{card.id}](#{card.id})", roles or "no question of its own"


def _card(card: Card, base: RuleBase) -> Iterator[str]:
    yield from (f"## {card.id}", "", f"**{escape(card.name)}.** {escape(card.summary)}")
    if card.also_called:
        yield from ("", f"Also called: {', '.join(map(escape, card.also_called))}.")
    if limits := card.groups.get(platforms.LIMITS):
        yield from ("", *_table(LIMIT_COLUMNS, [_limit(card, row, base) for row in limits]))
    facts = [
        _fact(card, group, row)
        for group in platforms.GROUPS
        if group != platforms.LIMITS
        for row in card.groups.get(group, ())
    ]
    if facts:
        yield from ("", *_table(FACT_COLUMNS, facts))


def _limit(card: Card, row: Row, base: RuleBase) -> tuple[str, ...]:
    name = f'<a id="{row.id}"></a>{row.id.removeprefix(f"{card.id}-")} ({card_text.KINDS[row.kind]})'
    channels = ", ".join(base.channels[channel] for channel in row.channels) or "all"
    bounds = "".join(f" {word} {number(at)} s" for word, at in (("from", row.low), ("up to", row.up_to)) if at)
    change = f"{card_text.CHANGES[row.change]}{',' if bounds else ''}{bounds}"
    setting = f"{change}: {row.setting}" if row.setting else change
    return name, escape(card_text.amount(row)), channels, _says(row), escape(setting), *_source(row)


def _fact(card: Card, group: str, row: Row) -> tuple[str, ...]:
    name = f'<a id="{card.id}-{group}-{row.id}"></a>{escape(row.id.replace("-", " "))}'
    return platforms.GROUPS[group], name, escape(card_text.amount(row)), _says(row), escape(row.setting), *_source(row)


def _says(row: Row) -> str:
    doubts = [f"**Verify:** {escape(doubt)}" for doubt in platforms.doubts(row)]
    return " ".join([escape(row.says), *([escape(f"Note: {row.note}")] if row.note else []), *doubts])


def _source(row: Row) -> tuple[str, ...]:
    return _link(row.source), escape(row.as_of), row.confidence


# --- Markdown ---------------------------------------------------------------------------------------------------------


def _link(url: str) -> str:
    """A link with the name of the host as its text; what would end it or the cell early is percent-encoded."""
    target = re.sub(r"[\s<>|\\]", lambda found: f"%{ord(found[0]):02X}", url)
    return f"[{escape(urlsplit(url).netloc or url)}](<{target}>)"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (titles, ["---"] * len(titles), *rows):
        yield f"| {' | '.join(row)} |"
