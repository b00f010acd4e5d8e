"""Several features together: each decided alone, then once more with what the others of its page keep open.

Merging is deciding again: a feature whose neighbour needs a WebSocket is told that one is open, and the rules do the
rest. Neighbours are looked at as they decided alone, so the order of the features does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from advisor.answers import Project
from advisor.decision import Known, decide, excluding, know
from advisor.errors import Exit
from advisor.rulebase import RuleBase
from advisor.values import UNKNOWN, Value
from advisor.verdict import Judge

ON_A_PAGE = ("browser", "mobile-browser")
HELD = ("sse", "long-polling", "fetch-stream", "grpc-web")  # each holds an HTTP response open
SHARED = ("websocket", "sse")  # connections that can carry a second feature, the stronger first


class Alone(NamedTuple):
    """One feature before merging: its answers, what is known, the pattern it would get alone, and the page it is on.

    `page` is None where no browser takes part; features that name none share one, "".
    """

    facts: Mapping[str, Value]
    known: Known
    pattern: str | None
    page: str | None


def recommend(project: Project, base: RuleBase, judge: Judge | None = None) -> dict[str, Any]:
    """The verdict of the whole project, as contract and JSON Schema have it."""
    judge = judge or Judge(base)
    alone = {feature.name: decide_alone(project.answers(feature), base) for feature in project.features}
    features = []
    for name, one in alone.items():
        merged = merge(name, alone, base)
        if merged is None:
            features.append(judge.feature(name, one.facts))
        else:
            features.append(judge.feature(name, {**one.facts, "existing-connection": merged}, one.pattern))
    return {
        "schema": 1,
        "project": project.name,
        "rules": {"version": base.version, "sha256": base.sha256},
        "features": features,
        "shared": shared(features, alone),
        "exit": int(Exit.NO_PATTERN if any(f["primary"] is None for f in features) else Exit.OK),
    }


def decide_alone(facts: Mapping[str, Value], base: RuleBase) -> Alone:
    """One feature as if there were no other."""
    known = know(facts, base)
    clients = known.answers["clients"]
    in_browser = isinstance(clients, tuple) and any(client in ON_A_PAGE for client in clients)
    page = facts.get("page", "")
    return Alone(
        facts, known, decide(known.lead, base).primary, (page if isinstance(page, str) else "") if in_browser else None
    )


def merge(name: str, alone: Mapping[str, Alone], base: RuleBase) -> str | None:
    """The connection that a neighbour on the same page keeps open anyway, if this feature can ride on it.

    "None is open" is said of today; what a neighbour is about to open counts all the same.
    """
    one = alone[name]
    if one.facts.get("existing-connection", "none") not in (UNKNOWN, "none") or one.page is None:
        return None
    if one.pattern in (None, "websocket") or base.patterns[one.pattern or ""].group == "outside":
        return None
    neighbours = {
        connection
        for other, theirs in alone.items()
        if other != name and theirs.page == one.page
        for connection in (theirs.pattern, theirs.facts.get("existing-connection"))
    }
    for connection in SHARED:
        if connection in neighbours and excluding(connection, one.known.lead, base) is None:
            return connection
    return None


def shared(features: list[dict[str, Any]], alone: Mapping[str, Alone]) -> dict[str, Any]:
    """What the features have in common: connections by page, caveats that several raise, the strictest times."""
    groups: dict[tuple[str, str], list[str]] = {}
    raised: Counter[str] = Counter()
    for feature in features:
        page = alone[feature["name"]].page
        if page is not None and feature["primary"] in SHARED:
            groups.setdefault((page, feature["primary"]), []).append(feature["name"])
        raised.update(caveat["id"] for caveat in feature["caveats"])
    return {
        "connections": [
            {"page": page, "pattern": pattern, "features": names}
            for (page, pattern), names in groups.items()
            if len(names) > 1
        ],
        "pages": pages(features, alone),
        "caveats": [caveat for caveat, count in raised.items() if count > 1],
        "timing": {key: min(f["timing"][key] for f in features) for key in ("heartbeat_s", "hold_s")},
    }


def pages(features: list[dict[str, Any]], alone: Mapping[str, Alone]) -> list[dict[str, Any]]:
    """How many HTTP responses each page holds, times the tabs: what counts against a browser's limit for one host.

    Event streams of a page are one, since they share it; a held poll, a streamed body or a gRPC-Web stream is one each.
    `http2` is None where nobody stated it, or not all the same.
    """
    held: dict[str, list[dict[str, Any]]] = {}
    for feature in features:
        page = alone[feature["name"]].page
        if page is not None and feature["primary"] in HELD:
            held.setdefault(page, []).append(feature)
    made = []
    for page, members in held.items():
        known = [alone[member["name"]].known for member in members]
        patterns = [member["primary"] for member in members]
        streams = sum(p != "sse" for p in patterns) + ("sse" in patterns)
        tabs = max(n for k in known if isinstance(n := k.answers["tabs-per-user"], int | float))
        stated = {k.stated.get("http2-to-browser") for k in known}
        http2 = stated.pop() if len(stated) == 1 else None
        made.append({"page": page, "streams": streams, "tabs": tabs, "total": streams * tabs, "http2": http2})
    return made
