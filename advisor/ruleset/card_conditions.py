"""Conditions on what the platform cards say, written out as the answers whose cards say it.

A rule does not list platforms: a card that is added would be missing from the list. It says what must hold of them
instead: `reverse-proxy: {row: websocket/upgrade, is: only when configured}`, or `on-the-way: {limit: lifetime, for:
pattern}`, which is any of the answers on the path. Here both become lists of answers, which the rest of the program
reads like any other condition.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from advisor.base.text import did_you_mean
from advisor.model.conditions import PRESUMED, STATED, ConditionError
from advisor.model.path_limits import Kind
from advisor.model.platforms import GROUPS, LIMITS, WAY, Card, Row, doubts
from advisor.model.rulebase import PATTERN, Band, Ground, Pattern

ON_THE_WAY = "on-the-way"  # the key that means every question whose answers have cards
CAPACITY = "capacity"
CLIENTS = "concurrent-clients"  # what a capacity is compared with
# The keys of a condition, by the one that says what it is about.
WORDS = {
    "row": {"row", "is"},
    "limit": {"limit", "for", "change", "removable", "at-most"},
    CAPACITY: {CAPACITY, "for"},
}
PER = ("all", "instance")

Path = tuple[str | int, ...]


class Matched(NamedTuple):
    """One answer whose card says what was asked, for which patterns (none: all) and for which numbers of clients."""

    fact: str
    answer: str
    patterns: tuple[str, ...]
    clients: tuple[str, ...]
    row: Row
    card: Card
    decides: bool


class CardConditions:
    """The cards and the names that their conditions may use."""

    def __init__(self, cards: Iterable[Card], patterns: Mapping[str, Pattern], clients: Iterable[Band]) -> None:
        self.cards = tuple(cards)
        self.decides = True
        self.patterns = patterns
        self.bands = tuple(clients)

    def written_out(self, when: Any, *, decides: bool) -> tuple[Any, tuple[Ground, ...]]:
        """The condition as lists of answers, and the rows in doubt that it rests on. Raises ConditionError.

        `decides`: it is the condition of a rule of the decision, and not of a caveat.
        """
        self.decides = decides
        several = isinstance(when, list)
        made: list[Any] = []
        grounds: list[Ground] = []
        for i, part in enumerate(when if several else [when]):
            at: Path = (i,) if several else ()
            for situation, rests in self._situations(part, at):
                made.append(situation)
                grounds += rests
        if not several and len(made) == 1:
            return made[0], tuple(dict.fromkeys(grounds))
        return made, tuple(dict.fromkeys(grounds))

    def _situations(self, when: Any, path: Path) -> Iterator[tuple[Any, list[Ground]]]:
        """One situation, once for every question and set of patterns for which a condition on cards holds."""
        fact = next((f for f, wanted in when.items() if self._is_ours(f, wanted)), None) if _maps(when) else None
        if fact is None:
            yield when, []
            return
        wanted, at = when[fact], (*path, fact)
        if _maps(wanted) and set(wanted) == {"not"}:
            found = self._matched(fact, wanted["not"], when, (*at, "not"))
            yield from self._situations({**when, fact: {"not": [m.answer for m in found]}}, path)
            return
        for part, matched in _grouped(when, fact, self._matched(fact, wanted, when, at), at):
            rests = [Ground(m.fact, m.answer, m.patterns, doubt) for m in matched if (doubt := _doubt(m))]
            for situation, more in self._situations(part, path):
                yield situation, [*rests, *more]

    def _is_ours(self, fact: str, wanted: Any) -> bool:
        if fact == ON_THE_WAY:
            return True
        parts = wanted if isinstance(wanted, list) else [wanted.get("not", wanted)] if _maps(wanted) else []
        return fact in WAY and any(_maps(part) for part in parts)

    def _matched(self, fact: str, wanted: Any, when: Mapping[str, Any], path: Path) -> list[Matched]:
        """Every answer that meets one of the conditions. Raises ConditionError where there is none."""
        facts = WAY if fact == ON_THE_WAY else (fact,)
        found: list[Matched] = []
        for condition in wanted if isinstance(wanted, list) else [wanted]:
            groups = self._patterns(condition, when, path)
            for card, role in itertools.product(self.cards, facts):
                if role in card.stands_at:
                    found += self._of_card(card, role, condition, groups)
        if not found:
            raise ConditionError("no card that is an answer here says this: look at `advisor explain ID`", path)
        return found

    def _of_card(
        self, card: Card, fact: str, condition: Mapping[str, Any], groups: list[tuple[str, tuple[str, ...]]]
    ) -> Iterator[Matched]:
        for group, rows in card.groups.items():
            for row in rows:
                if _meets(group, row, condition):
                    for channel, patterns in groups:
                        if not channel or not row.channels or channel in row.channels:
                            clients = self._too_many(card, row) if condition.get(CAPACITY) == "all" else ()
                            yield Matched(fact, card.id, patterns, clients, row, card, self.decides)

    def _patterns(self, condition: Any, when: Mapping[str, Any], path: Path) -> list[tuple[str, tuple[str, ...]]]:
        """The channels that the condition is about, each with the patterns of the situation that use it."""
        _check(condition, path)
        wanted = _list(condition.get("for", ()))
        if wanted != [PATTERN]:
            return [(channel, ()) for channel in wanted] or [("", ())]
        named = _list(when.get(PATTERN, ()))
        if not named or not all(isinstance(name, str) for name in named):
            raise ConditionError("`for: pattern` needs a list of patterns beside it", (*path, "for"))
        by: dict[str, tuple[str, ...]] = {}
        for name in named:
            channel = self._channel(name)
            if channel:
                by[channel] = (*by.get(channel, ()), name)
        return list(by.items())

    def _channel(self, name: str) -> str:
        """Whose limits the pattern meets; one that is outside the article meets those of its nearest core pattern."""
        pattern = self.patterns.get(name)
        if pattern is None or pattern.channel or pattern.holds == "nothing":
            return pattern.channel if pattern else ""
        return self._channel(pattern.nearest_core)

    def _too_many(self, card: Card, row: Row) -> tuple[str, ...]:
        """The bands of the clients of which the platform cannot hold so many."""
        if not any(band.low == row.value for band in self.bands):
            message = f"{card.place.file} holds {row.value} clients: {CLIENTS} needs a band that begins there"
            raise ConditionError(message, ())
        return tuple(band.id for band in self.bands if band.low >= float(row.value))


def _meets(group: str, row: Row, condition: Mapping[str, Any]) -> bool:
    """Whether a row of a card says what the condition asks."""
    if "row" in condition:
        key = f"{group}/{row.id}"
        return key in _list(condition["row"]) and ("is" not in condition or str(row.value) in _words(condition["is"]))
    if CAPACITY in condition:
        return bool(row.per) and row.per == condition[CAPACITY]
    if group != LIMITS or row.kind not in _list(condition["limit"]) or isinstance(row.value, str):
        return False
    removable = row.change == "setting" and row.up_to is None
    return (
        ("change" not in condition or row.change in _list(condition["change"]))
        and ("removable" not in condition or removable == (_words(condition["removable"]) == ["yes"]))
        and float(row.value) <= float(condition.get("at-most", row.value))
    )


def _check(condition: Any, path: Path) -> None:
    """What is wrong with a condition on cards. Raises ConditionError."""
    about = next((word for word in WORDS if _maps(condition) and word in condition), None)
    if about is None:
        raise ConditionError(f"write what a card must say: one of {', '.join(WORDS)}", path)
    for key in condition:
        if key not in WORDS[about]:
            hint = did_you_mean(str(key), WORDS[about]) or f"; choose from: {', '.join(sorted(WORDS[about]))}"
            raise ConditionError(f"{key!r} is not allowed beside `{about}`{hint}", path)
    known = {"limit": get_args(Kind), CAPACITY: PER}.get(about)
    for name in _list(condition[about]):
        if known and name not in known:
            raise ConditionError(f"there is no {about} {name!r}{did_you_mean(str(name), known)}", (*path, about))
        if about == "row" and (not isinstance(name, str) or name.split("/")[0] not in [*GROUPS][1:] or "/" not in name):
            raise ConditionError(f"write a row as GROUP/KEY, not {name!r}", (*path, about))


def _grouped(
    when: Mapping[str, Any], fact: str, found: list[Matched], path: Path
) -> Iterator[tuple[dict[str, Any], list[Matched]]]:
    """The situation once for each question, set of patterns and number of clients, with the answers in place."""
    by: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Matched]] = {}
    for one in found:
        by.setdefault((one.fact, one.patterns, one.clients), []).append(one)
    for role, patterns, clients, answers, matched in _joined(by):
        if role != fact and role in when:
            both = f"{role} is used together with {fact}, which is about it too: write two situations"
            raise ConditionError(both, path)
        made: dict[str, Any] = {}
        for key, wanted in when.items():
            if key == fact:
                made[role] = list(answers) if len(answers) > 1 else answers[0]
            elif key == PATTERN and patterns:
                named = [name for name in _list(wanted) if name in patterns]
                made[key] = named if len(named) > 1 else named[0]
            elif key in (STATED, PRESUMED):
                made[key] = [role if name == ON_THE_WAY else name for name in _list(wanted)]
            else:
                made[key] = wanted
        if clients:
            made[CLIENTS] = list(clients) if len(clients) > 1 else clients[0]
        yield made, matched


def _joined(
    by: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Matched]],
) -> Iterator[tuple[str, set[str], tuple[str, ...], tuple[str, ...], list[Matched]]]:
    """The groups, those that differ in nothing but the patterns as one."""
    joined: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[set[str], list[Matched]]] = {}
    for (role, patterns, clients), matched in by.items():
        answers = tuple(dict.fromkeys(one.answer for one in matched))
        every, all_matched = joined.setdefault((role, clients, answers), (set(), []))
        every.update(patterns)
        all_matched += matched
    for (role, clients, answers), (patterns_of_all, all_matched) in joined.items():
        yield role, patterns_of_all, clients, answers, all_matched


def _doubt(matched: Matched) -> str:
    """Why the row should be checked before a decision rests on it; empty for one that is sure enough."""
    row = matched.row
    if row.kind and not matched.decides:  # a caveat says what to do about a limit, whatever its length
        return ""
    if not row.contested and row.confidence != "low" and row.checked != "memory":
        return ""
    return f"{matched.card.name}: {row.says.rstrip('.')} ({'; '.join(doubt.rstrip('.') for doubt in doubts(row))})"


def _maps(value: Any) -> bool:
    return isinstance(value, Mapping)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _words(value: Any) -> list[str]:
    """Values as the rows have them: yes and no are words there."""
    return [{True: "yes", False: "no"}[v] if isinstance(v, bool) else str(v) for v in _list(value)]


def typed(when: Any) -> Iterator[tuple[str, tuple[str, ...], Path]]:
    """The platforms that a condition names itself: the question, the answers, and where."""
    for i, part in enumerate(when if isinstance(when, list) else [when]):
        at: Path = (i,) if isinstance(when, list) else ()
        for fact in WAY if _maps(part) else ():
            wanted = part.get(fact)
            named = wanted.get("not") if _maps(wanted) and set(wanted) == {"not"} else wanted
            answers = tuple(name for name in _list(named) if isinstance(name, str) and name != "none")
            if answers:
                yield fact, answers, (*at, fact)
