"""Several features together: each decided alone, then once more with what the others of its page keep open.

Which features are on one page is the team's statement, never a guess: a feature without `page` is decided alone, and
the report lists what it could share. Merging is deciding again: where a neighbour needs a WebSocket, the feature is
decided as if one were open, and the rules do the rest. Each neighbour counts as it was decided alone, so the order of
the features does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from advisor.engine.decision import Answers, decide, excluding, filled_in, lead_case, lead_of
from advisor.engine.told_once import checklist, shared_caveats
from advisor.engine.verdict import Judge, Merged
from advisor.model.patterns import shareable
from advisor.model.project import Project
from advisor.model.rulebase import RuleBase
from advisor.model.values import UNKNOWN, Value

if TYPE_CHECKING:
    from advisor.model.verdict import (
        FeatureVerdict,
        Handled,
        HeldByPage,
        Reuse,
        Shared,
        SharedCaveat,
        Verdict,
    )


class Alone(NamedTuple):
    """One feature before merging: its answers, its case, the pattern it would get alone, and where it is shown.

    `given` are its answers with what they usually mean. `page` is None where its page is not stated.
    `in_browser`: a browser takes part, so there is a page. `open` are the connections that can be shared and that it
    keeps open on its page, or has there already.
    """

    facts: Answers
    given: Answers
    lead: tuple[int, ...]
    pattern: str | None
    in_browser: bool
    page: str | None
    open: frozenset[str]


def recommend(project: Project, base: RuleBase, judge: Judge | None = None) -> Verdict:
    """The verdict of the whole project, as contract and JSON Schema have it."""
    judge = judge or Judge(base)
    neighbours = Neighbours(project, base)
    alone, _ = neighbours.under({})
    features = []
    for name, one in alone.items():
        merged, decider = neighbours.merged(name), neighbours.decider(name)
        features.append(judge.feature(name, one.facts, merged, decider, neighbours.sharing(name)))
    common = shared_caveats(features, base)
    checked = checklist(features, {name: one.facts for name, one in alone.items()}, base)
    for feature in features:
        told = {c["id"] for c in common if feature["name"] in c["features"]}
        feature["caveats"] = [c for c in feature["caveats"] if c["id"] not in told]
    return {
        "schema": 2,
        "project": project.name,
        "rules": {"version": base.version, "sha256": base.sha256},
        "features": features,
        "shared": shared(features, alone, common, checked, base),
        "exit": 3 if any(f["primary"] is None for f in features) else 0,  # Exit.NO_PATTERN, Exit.OK
    }


def decide_alone(facts: Answers, base: RuleBase) -> Alone:
    """One feature as if there were no other."""
    given = filled_in(facts, base)
    lead = lead_of(given, base)
    page = facts.get("page")
    asked = base.questions["clients"]
    clients = given.get("clients", asked.lead)
    in_browser = isinstance(clients, tuple) and any(client in asked.on_a_page for client in clients)
    stated = page if isinstance(page, str) and page and in_browser else None
    pattern = decide(lead, base).primary
    own = {pattern, facts.get("existing-connection")}
    opened = frozenset(connection for connection in shareable(base) if connection in own)
    return Alone(facts, given, lead, pattern, in_browser, stated, opened)


def merge(one: Alone, there: Sequence[Alone], base: RuleBase) -> str | None:
    """The connection that a neighbour on the same page keeps open anyway, if this feature rides on it.

    `existing-connection: none` is about today: a connection that a neighbour will open counts all the same. The rules
    decide with it open, so what a timer serves well stays a timer. The numbers of both features must allow sharing.
    """
    if one.facts.get("existing-connection", "none") not in (UNKNOWN, "none") or not one.in_browser:
        return None
    connections = shareable(base)
    if one.pattern is None or one.pattern in connections[:1] or base.patterns[one.pattern].group == "outside":
        return None  # the strongest rides on nothing: its own connection is the one that others ride on
    for connection in connections:
        carried = any(connection in carrier.open and not kept_apart(one, carrier, base) for carrier in there)
        if carried and excluding(connection, one.lead, base) is None:
            return connection if riding(one, connection, base) == connection else None
    return None


def kept_apart(rider: Alone, carrier: Alone, base: RuleBase) -> bool:
    """Whether numbers that are stated, or usual for what is stated, keep two features of a page apart."""
    return any(
        _one_holds(rule["more_than_times"], lambda fact, n: _number(rider, fact) > n * _number(carrier, fact))
        and _one_holds(rule["at_least"], lambda fact, n: _number(rider, fact) >= n)
        and _one_holds(rule["below"], lambda fact, n: _number(carrier, fact) < n)
        for rule in base.tables.get("apart", {}).values()
    )


def _one_holds(numbers: Mapping[str, float], holds: Callable[[str, float], bool]) -> bool:
    """Whether one of the conditions holds, or there is none."""
    return not numbers or any(holds(fact, number) for fact, number in numbers.items())


def _number(of: Alone, fact: str) -> float:
    """The number that is known of a feature, or one that is neither more nor less than any other."""
    value = of.given.get(fact)
    return value if isinstance(value, int | float) else math.nan


def riding(one: Alone, connection: str, base: RuleBase) -> str | None:
    """The pattern of a feature beside which this connection is open."""
    return decide(lead_case({**one.facts, "existing-connection": connection}, base), base).primary


class Neighbours:
    """The features of a project as they are decided among each other, with their answers or with others."""

    def __init__(self, project: Project, base: RuleBase) -> None:
        self.project = project
        self.base = base
        self.own = {feature.name: feature.facts for feature in project.features}
        self.seen: dict[tuple[tuple[str, Value], ...], tuple[dict[str, Alone], dict[str, dict[str, Alone]]]] = {}

    def under(self, everywhere: Answers) -> tuple[dict[str, Alone], dict[str, dict[str, Alone]]]:
        """Each feature alone, and those of each page, if these answers about path and servers were others."""
        key = tuple(everywhere.items())
        if key not in self.seen:
            common = {**self.project.path, **self.project.app, **everywhere}
            alone = {name: decide_alone({**common, **facts}, self.base) for name, facts in self.own.items()}
            pages: dict[str, dict[str, Alone]] = {}
            for name, one in alone.items():
                if one.page is not None and one.open:
                    pages.setdefault(one.page, {})[name] = one
            self.seen[key] = alone, pages
        return self.seen[key]

    def merged(self, name: str) -> Merged | None:
        """The neighbour's connection that a feature rides on; None where it has its own."""
        one, connection = self._placed(name, {})
        return Merged(one.pattern, connection) if one.pattern and connection else None

    def decided(self, name: str, changed: Answers) -> str | None:
        """The pattern of a feature, if these answers of it were others."""
        one, connection = self._placed(name, changed)
        return connection or one.pattern

    def sharing(self, name: str) -> list[str]:
        """The other features on this one's page, or screen of an app, whose connection could carry this one as well.

        It is the same connection, or a stronger one that the numbers do not keep apart from this feature. A timer may
        stay one; the team reads that it need not.
        """
        alone, _ = self.under({})
        one, own = alone[name], self.decided(name, {})
        page = one.facts.get("page")
        if not isinstance(page, str) or not page or own is None or self.base.patterns[own].group != "core":
            return []
        connections = shareable(self.base)
        carry = connections[: connections.index(own) + 1] if own in connections else connections
        made = []
        for other, its in alone.items():
            if other != name and (its.facts.get("page"), its.in_browser) == (page, one.in_browser):
                decided = self.decided(other, {})
                alike = decided == own and own in connections
                if alike or (decided in carry and not kept_apart(one, its, self.base)):
                    made.append(other)
        return made

    def _placed(self, name: str, changed: Answers) -> tuple[Alone, str | None]:
        """A feature with these answers, decided alone, and the neighbour's connection that it rides on."""
        own = self.own[name]
        everywhere = {f: v for f, v in changed.items() if self.base.questions[f].scope != "feature" and f not in own}
        alone, pages = self.under(everywhere)
        before = one = alone[name]
        if len(everywhere) < len(changed):
            one = decide_alone({**before.facts, **changed}, self.base)
        if one.page is None:
            return one, None
        there = [other for other_name, other in pages.get(one.page, {}).items() if other_name != name]
        return one, merge(one, there, self.base)

    def decider(self, name: str) -> AmongNeighbours | None:
        """What decides this feature again among the others; None where there are none."""
        return AmongNeighbours(self, name) if len(self.own) > 1 else None

    def apart(self, name: str) -> Answers | None:
        """The answers with which a feature is on a page of its own; None where it is so already."""
        alone, _ = self.under({})
        one, pages = alone[name], [other.page for other in alone.values()]
        if one.page is None or pages.count(one.page) == 1:
            return None
        return {**one.facts, "page": next(page for page in elsewhere() if page not in pages)}


class AmongNeighbours(NamedTuple):
    """The Decider (changes.py) of a feature that may ride on connections of others on its page."""

    neighbours: Neighbours
    name: str

    def primary(self, changed: Answers) -> str | None:
        """As Decider has it."""
        return self.neighbours.decided(self.name, changed)

    def apart(self) -> Answers | None:
        """As Decider has it."""
        return self.neighbours.apart(self.name)


def elsewhere() -> Iterator[str]:
    """Names for a page that no feature is on."""
    yield "another page"
    yield from (f"another page {i}" for i in count(2))


def shared(
    features: list[FeatureVerdict],
    alone: Mapping[str, Alone],
    common: list[SharedCaveat],
    handled_here: list[Handled],
    base: RuleBase,
) -> Shared:
    """What the features have in common: connections by page, caveats that several raise, the strictest times.

    `reuse` is advice for features without a stated page; it changes no verdict.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for feature in features:
        page = alone[feature["name"]].page
        if page is not None and feature["primary"] in shareable(base):
            groups.setdefault((page, feature["primary"]), []).append(feature["name"])
    return {
        "connections": [
            {"page": page, "pattern": pattern, "features": names}
            for (page, pattern), of_page in groups.items()
            for names in together(of_page, pattern, alone, base)
            if len(names) > 1
        ],
        "reuse": list(reuse(features, alone, base)),
        "pages": pages(features, alone, base),
        "caveats": common,
        "handled": handled_here,
        "timing": {
            "heartbeat_s": min(f["timing"]["heartbeat_s"] for f in features),
            "hold_s": min(f["timing"]["hold_s"] for f in features),
        },
    }


def together(names: Iterable[str], connection: str, alone: Mapping[str, Alone], base: RuleBase) -> list[list[str]]:
    """The features of one page that have this connection, as groups of those that share one."""
    made: list[list[str]] = []
    for name in names:
        one = alone[name]
        may = riding(one, connection, base) == connection
        for group in made if may else ():
            first = alone[group[0]]
            apart = kept_apart(one, first, base) or kept_apart(first, one, base)
            if not apart and riding(first, connection, base) == connection:
                group.append(name)
                break
        else:
            made.append([name])
    return made


def reuse(features: list[FeatureVerdict], alone: Mapping[str, Alone], base: RuleBase) -> Iterator[Reuse]:
    """For each feature the first other one whose connection it could use if both are on one page, which is not stated.

    Of two that would open the same kind of connection, the later in the file uses that of the earlier.
    """
    position = {feature["name"]: i for i, feature in enumerate(features)}
    primary = {feature["name"]: feature["primary"] for feature in features}
    for name, one in alone.items():
        if not one.in_browser or primary[name] != one.pattern:
            continue  # it has no page, or rides on a neighbour's connection already
        for connection in shareable(base):
            carriers = [other for other in alone if primary[other] == connection and _may_share(one, alone[other])]
            if one.pattern == connection:
                carriers = [other for other in carriers if position[other] < position[name]]
                carriers = [other for other in carriers if not kept_apart(one, alone[other], base)]
            else:
                carriers = [other for other in carriers if merge(one, [alone[other]], base) == connection]
            if carriers and carriers[0] != name:
                yield {"feature": name, "could_use": carriers[0]}
                break


def _may_share(one: Alone, other: Alone) -> bool:
    """Whether two features may turn out to be on one page: both in a browser, and not both with a stated page."""
    return other.in_browser and (one.page is None or other.page is None)


def pages(features: list[FeatureVerdict], alone: Mapping[str, Alone], base: RuleBase) -> list[HeldByPage]:
    """How many HTTP responses each page holds, times the tabs: what counts against a browser's limit for one host.

    What can be shared counts once for a page (event streams); a held poll, a streamed body, a gRPC-Web stream one each.
    A feature without a stated page counts as a page of its own, named "". `http2` is None where it is not stated, or
    differs between the features of a page.
    """
    held: dict[tuple[str, str], list[FeatureVerdict]] = {}
    for feature in features:
        one = alone[feature["name"]]
        pattern = base.patterns.get(feature["primary"] or "")
        if one.in_browser and pattern is not None and pattern.holds in ("stream", "request"):
            own = "" if one.page is not None else feature["name"]
            held.setdefault((one.page or "", own), []).append(feature)
    made: list[HeldByPage] = []
    for (page, _), members in held.items():
        answers = [alone[member["name"]].facts for member in members]
        having: dict[str, list[str]] = {}
        for member in members:
            having.setdefault(member["primary"] or "", []).append(member["name"])
        streams = sum(
            len(together(names, pattern, alone, base) if pattern in shareable(base) else names)
            for pattern, names in having.items()
        )
        usual = base.questions["tabs-per-user"].lead
        counts = [filled_in(facts, base).get("tabs-per-user", usual) for facts in answers]
        tabs = max(n for n in counts if isinstance(n, int | float))
        stated = {a.get("http2-to-browser", UNKNOWN) for a in answers}
        http2 = stated.pop() if len(stated) == 1 else UNKNOWN
        made.append(
            {
                "page": page,
                "features": [member["name"] for member in members],
                "streams": streams,
                "tabs": tabs,
                "total": streams * tabs,
                "http2": http2 if isinstance(http2, bool) else None,
            }
        )
    return made
