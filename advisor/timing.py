"""Times solved from the limits on the way: heartbeat, long-poll hold, retry, drain, and which limit binds each.

Limits and values come from rules/timing.yaml, each with its evidence there. Idle limits ask for a heartbeat; limits on
the first byte or on the whole response ask for a shorter hold; a lifetime is never answered with a heartbeat.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from advisor.values import UNKNOWN, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.rulebase import RuleBase

Kind = Literal["idle", "first-byte", "total", "lifetime", "grace"]
KIND_WORDS: dict[Kind, str] = {
    "idle": "idle limit",
    "first-byte": "limit on the first byte",
    "total": "limit on the whole response",
    "lifetime": "lifetime",
    "grace": "grace",
}
STATED: dict[str, Kind] = {"idle-timeout-s": "idle", "max-connection-s": "lifetime"}
CHANNELS = ("websocket", "sse", "long-polling")
# Extended patterns meet the limits of the core pattern that they are built like.
CHANNEL = {"fetch-stream": "sse", "grpc-web": "sse"}
SHORTEST_S = 1  # servers and proxies take whole seconds


class Limit(NamedTuple):
    """One thing that ends a connection or a request after `seconds`, at the (fact, answer) pairs of `at`."""

    id: str
    at: tuple[tuple[str, str], ...]
    kind: Kind
    channels: tuple[str, ...]  # of CHANNELS
    seconds: float
    up_to: float | None  # the documented maximum, where there is one
    change: Literal["setting", "quota", "fixed"]
    setting: str
    says: str
    source: str
    as_of: str
    confidence: Literal["high", "medium", "low"]

    @property
    def where(self) -> str:
        """The limit's place for people: `nginx (proxy_read_timeout)`, `your answer to idle-timeout-s`."""
        fact, answer = self.at[0]
        if fact in STATED:
            return f"your answer to {fact}"
        return f"{answer} ({self.setting})" if self.setting else answer

    def __str__(self) -> str:
        return f"{KIND_WORDS[self.kind]} of {_span(self.seconds)}, {self.where}"


class Conflict(NamedTuple):
    """Two lines that cannot both hold, and what to do about it."""

    one: str
    other: str
    text: str


class _Solved(NamedTuple):
    value: int
    why: str
    conflict: Conflict | None = None


def timing(answers: Mapping[str, Value], base: RuleBase, pattern: str | None = None) -> dict[str, Any]:
    """The times for these answers, in seconds (`_s`) and milliseconds (`_ms`), all whole numbers.

    `binding` names for each time the limit or the reason behind it; `conflicts` [{between: [a, b], text}] is filled
    where no value fits; `limits` are those on the way, shortest first. With a streaming `pattern` only its limits count
    for the heartbeat; the hold of a long poll is always that of a long poll.
    """
    figures, table = load(base.tables["timing"])
    everything = on_the_way(answers, table)
    limits = met_by(everything, pattern)
    retry = _retry(answers, figures)
    longest = max(int(figures["retry-max-ms"]), retry.value)
    solved = {
        "heartbeat_s": _heartbeat(limits, figures),
        "hold_s": _hold(met_by(everything, "long-polling"), figures),
        "retry_ms": retry,
        "retry_max_ms": _Solved(longest, "tries wait twice as long each time up to this, every wait drawn at random"),
        "drain_s": _drain(limits, figures),
        "connect_patience_ms": _Solved(
            int(figures["connect-patience-ms"]), "a WebSocket that is not open by then is taken for blocked"
        ),
        "read_timeout_s": _Solved(
            int(figures["read-timeout-s"]), "your own proxy has to outlast the longest silence by far"
        ),
    }
    unused = {"long-polling": "heartbeat_s"}.get(pattern or "", "hold_s" if pattern else "")
    conflicts = [s.conflict for name, s in solved.items() if s.conflict and name != unused]
    conflicts += _short_lives(limits, retry)
    return {
        **{name: s.value for name, s in solved.items()},
        "binding": {name: s.why for name, s in solved.items()},
        "conflicts": [{"between": [c.one, c.other], "text": c.text} for c in conflicts],
        "limits": [_plain(limit) for limit in limits],
    }


def load(data: Mapping[str, Any]) -> tuple[dict[str, float], tuple[Limit, ...]]:
    """The figures (id to number) and the limits of rules/timing.yaml."""
    figures = {name: float(figure["value"]) for name, figure in data["figures"].items()}
    limits = tuple(
        Limit(
            id=row["id"],
            at=tuple((fact, answer) for fact, listed in row["at"].items() for answer in listed),
            kind=row["kind"],
            channels=tuple(row["for"]),
            seconds=float(row["seconds"]),
            up_to=float(row["up-to"]) if "up-to" in row else None,
            change=row["change"],
            setting=row.get("setting", ""),
            says=row["says"],
            source=row["source"],
            as_of=str(row["as-of"]),
            confidence=row["confidence"],
        )
        for row in data["limits"]
    )
    return figures, limits


def met_by(limits: list[Limit], pattern: str | None) -> list[Limit]:
    """Those that this pattern meets; all of them for None and for patterns that hold no connection."""
    channel = CHANNEL.get(pattern or "", pattern)
    if channel not in CHANNELS:
        return limits
    return [limit for limit in limits if channel in limit.channels]


def on_the_way(answers: Mapping[str, Value], table: Iterable[Limit]) -> list[Limit]:
    """The limits that the answers name, shortest first; `at` is narrowed to the answer that brought the limit in.

    A stated idle limit or lifetime takes the place of the stock values that are a matter of settings; those that nobody
    can change stay.
    """
    stated = [limit for fact, kind in STATED.items() if (limit := _stated(fact, kind, answers)) is not None]
    replaced = {limit.kind for limit in stated}
    met = []
    for limit in table:
        pair = next((pair for pair in limit.at if answers.get(pair[0]) == pair[1]), None)
        if pair is None or (limit.change == "setting" and limit.kind in replaced):
            continue
        met.append(limit._replace(at=(pair,)))
    return sorted(stated + met, key=lambda limit: (limit.seconds, limit.id))


def _stated(fact: str, kind: Kind, answers: Mapping[str, Value]) -> Limit | None:
    value = answers.get(fact, UNKNOWN)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    what = f"Stated as {_span(value)}."
    return Limit(fact, ((fact, "stated"),), kind, CHANNELS, value, None, "setting", "", what, "", "", "high")


# --- each time --------------------------------------------------------------------------------------------------------


def _heartbeat(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """At most half of the shortest idle limit, and the usual value where that is less."""
    usual, share = int(figures["heartbeat-s"]), figures["heartbeat-share"]
    idle = next((limit for limit in limits if limit.kind == "idle"), None)
    if idle is None:
        return _Solved(usual, "no idle limit is known on the way; this is the usual value")
    most = _whole(idle.seconds * share)
    if most >= usual:
        return _Solved(usual, f"the usual value, at most half of the shortest {idle}")
    if most >= SHORTEST_S:
        return _Solved(most, f"half of the shortest {idle}")
    return _Solved(
        SHORTEST_S,
        f"no heartbeat fits the {idle}",
        Conflict(str(idle), "one heartbeat a second at most", "Raise the idle limit, or use short polling."),
    )


def _hold(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """Below every limit that a pending request meets: it is silent, and it must begin and be over in time."""
    usual, share = int(figures["hold-s"]), figures["hold-share"]
    shortest = next((limit for limit in limits if limit.kind != "grace"), None)
    if shortest is None:
        return _Solved(usual, "no limit on a pending request is known on the way; this is the usual value")
    most = _whole(shortest.seconds * share)
    if most >= usual:
        return _Solved(usual, f"the usual value, below the shortest {shortest}")
    if most >= SHORTEST_S:
        return _Solved(most, f"below the shortest {shortest}")
    return _Solved(
        SHORTEST_S,
        f"no hold fits the {shortest}",
        Conflict(str(shortest), f"a long poll held {SHORTEST_S} s at least", "Raise the limit, or use short polling."),
    )


def _retry(answers: Mapping[str, Value], figures: Mapping[str, float]) -> _Solved:
    """The window over which reconnects are spread: clients / (instances x connects a second), within bounds."""
    least, most = int(figures["retry-ms"]), int(figures["retry-limit-ms"])
    clients, instances = _count(answers, "concurrent-clients", 0), max(_count(answers, "instances", 1), 1)
    needed = min(clients / instances / figures["connects-per-s"] * 1000, most)
    if needed <= least:
        return _Solved(least, "the shortest window over which reconnects are spread")
    rate = int(figures["connects-per-s"])
    if needed >= most:
        return _Solved(most, f"the widest window; all clients at once are more than {rate} a second and instance")
    return _Solved(math.ceil(needed), f"all clients at once come back at {rate} a second and instance")


def _drain(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """Below the shortest time between being told to stop and being killed."""
    usual = int(figures["drain-s"])
    grace = next((limit for limit in limits if limit.kind == "grace"), None)
    if grace is None:
        return _Solved(usual, "no grace is known; give the service more than this before it is killed")
    return _Solved(min(usual, max(_whole(grace.seconds * figures["drain-share"]), SHORTEST_S)), f"below the {grace}")


def _short_lives(limits: list[Limit], retry: _Solved) -> list[Conflict]:
    """Lifetimes so short that a client would wait for its next connection longer than the last one lived."""
    wait = f"reconnects spread over {retry.value} ms"
    text = "Clients would spend more time reconnecting than connected: raise the lifetime, or poll."
    return [Conflict(str(x), wait, text) for x in limits if x.kind == "lifetime" and x.seconds * 1000 <= retry.value]


# --- small things -----------------------------------------------------------------------------------------------------


def _count(answers: Mapping[str, Value], fact: str, otherwise: float) -> float:
    value = answers.get(fact, UNKNOWN)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _whole(value: float) -> int:
    """Whole seconds, rounded down; a limit beyond a day binds nothing."""
    return int(min(value, 86400))


def _span(value: float) -> str:
    return f"{value:g} s"


def _plain(limit: Limit) -> dict[str, Any]:
    return {
        "id": limit.id,
        "where": limit.where,
        "kind": limit.kind,
        "seconds": limit.seconds,
        "up_to": limit.up_to,
        "change": limit.change,
        "says": limit.says,
        "url": limit.source,
        "as_of": limit.as_of,
        "confidence": limit.confidence,
    }
