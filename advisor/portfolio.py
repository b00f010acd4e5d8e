"""Several features together: each decided alone, then once more with what the others of its page keep open.

Merging is deciding again: a feature whose neighbour needs a WebSocket is told that one is open, and the rules do the
rest. Neighbours are looked at as they decided alone, so the order of the features does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.answers import Project
from advisor.decision import decide, excluding, know
from advisor.errors import Exit
from advisor.rulebase import RuleBase
from advisor.values import UNKNOWN, Value
from advisor.verdict import Judge

ON_A_PAGE = ("browser", "mobile-browser")
HELD = ("sse", "long-polling", "fetch-stream", "grpc-web")  # each holds an HTTP response open
SHARED = ("websocket", "sse")  # connections that can carry a second feature, the stronger first


def recommend(project: Project, base: RuleBase, judge: Judge | None = None) -> dict[str, Any]:
    """The verdict of the whole project, as contract and JSON Schema have it."""
    judge = judge or Judge(base)
    answers = {feature.name: project.answers(feature) for feature in project.features}
    alone = {name: decide(know(facts, base).lead, base).primary for name, facts in answers.items()}
    features = []
    for feature in project.features:
        facts = answers[feature.name]
        merged = merge(feature.name, answers, alone, base)
        if merged is None:
            features.append(judge.feature(feature.name, facts))
        else:
            features.append(judge.feature(feature.name, {**facts, "existing-connection": merged}, alone[feature.name]))
    return {
        "schema": 1,
        "project": project.name,
        "rules": {"version": base.version, "sha256": base.sha256},
        "features": features,
        "shared": shared(features, answers, base),
        "exit": int(Exit.NO_PATTERN if any(f["primary"] is None for f in features) else Exit.OK),
    }


def merge(
    name: str, answers: Mapping[str, Mapping[str, Value]], alone: Mapping[str, str | None], base: RuleBase
) -> str | None:
    """The connection that a neighbour on the same page keeps open anyway, if this feature can ride on it.

    "None is open" is said of today; what a neighbour is about to open counts all the same.
    """
    facts = answers[name]
    if facts.get("existing-connection", "none") not in (UNKNOWN, "none") or page_of(facts, base) is None:
        return None
    if alone[name] in (None, "websocket") or base.patterns[alone[name] or ""].group == "outside":
        return None
    neighbours = {
        connection
        for other, theirs in answers.items()
        if other != name and page_of(theirs, base) == page_of(facts, base)
        for connection in (alone[other], theirs.get("existing-connection"))
    }
    case = know(facts, base).lead
    for connection in SHARED:
        if connection in neighbours and excluding(connection, case, base) is None:
            return connection
    return None


def page_of(facts: Mapping[str, Value], base: RuleBase) -> str | None:
    """The page that the feature is on; None where no browser takes part. Features that name none share one, ""."""
    clients = know(facts, base).answers["clients"]
    if not isinstance(clients, tuple) or not any(c in ON_A_PAGE for c in clients):
        return None
    page = facts.get("page", "")
    return page if isinstance(page, str) else ""


def shared(
    features: list[dict[str, Any]], answers: Mapping[str, Mapping[str, Value]], base: RuleBase
) -> dict[str, Any]:
    """What the features have in common: connections by page, caveats that several raise, the strictest times."""
    groups: dict[tuple[str, str], list[str]] = {}
    for feature in features:
        page = page_of(answers[feature["name"]], base)
        if page is not None and feature["primary"] in SHARED:
            groups.setdefault((page, feature["primary"]), []).append(feature["name"])
    raised: dict[str, int] = {}
    for feature in features:
        for caveat in feature["caveats"]:
            raised[caveat["id"]] = raised.get(caveat["id"], 0) + 1
    times: dict[str, int] = {}
    for feature in features:
        for key in ("heartbeat_s", "hold_s"):
            times[key] = min(times.get(key, feature["timing"][key]), feature["timing"][key])
    return {
        "connections": [
            {"page": page, "pattern": pattern, "features": names}
            for (page, pattern), names in groups.items()
            if len(names) > 1
        ],
        "pages": pages(features, answers, base),
        "caveats": [caveat for caveat, count in raised.items() if count > 1],
        "timing": times,
    }


def pages(
    features: list[dict[str, Any]], answers: Mapping[str, Mapping[str, Value]], base: RuleBase
) -> list[dict[str, Any]]:
    """How many HTTP responses each page holds, times the tabs: what counts against a browser's limit for one host.

    Event streams of a page are one, since they share it; a held poll, a streamed body or a gRPC-Web stream is one each.
    `http2` is None where nobody stated it.
    """
    held: dict[str, list[str]] = {}
    tabs: dict[str, float] = {}
    http2: dict[str, set[Value | None]] = {}
    for feature in features:
        page = page_of(answers[feature["name"]], base)
        if page is None or feature["primary"] not in HELD:
            continue
        held.setdefault(page, []).append(feature["primary"])
        known = know(answers[feature["name"]], base)
        tabs[page] = max(tabs.get(page, 0), _number(known.answers["tabs-per-user"]))
        http2.setdefault(page, set()).add(known.stated.get("http2-to-browser"))
    made = []
    for page, patterns in held.items():
        streams = sum(p != "sse" for p in patterns) + ("sse" in patterns)
        stated = next(iter(http2[page])) if len(http2[page]) == 1 else None
        total = streams * tabs[page]
        made.append({"page": page, "streams": streams, "tabs": tabs[page], "total": total, "http2": stated})
    return made


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
