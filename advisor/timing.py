"""Times solved from the limits on the way: heartbeat, long-poll hold, retry, drain, and which limit binds each.

The limits come from the platform cards (rules/platforms/), the values that hold where no limit asks for less from
rules/timing.yaml. Idle limits ask for a heartbeat; limits on the first byte or on the whole response ask for a shorter
hold, a setting or another pattern; a lifetime is never answered with a heartbeat.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from advisor.text import quoted
from advisor.values import UNKNOWN, Other, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.rulebase import RuleBase

Kind = Literal["idle", "first-byte", "total", "lifetime", "grace", "rate"]
KIND_WORDS: dict[Kind, str] = {
    "idle": "idle limit",
    "first-byte": "limit on the first byte",
    "total": "limit on the whole response",
    "lifetime": "lifetime",
    "grace": "grace",
}
STATED: dict[str, Kind] = {"idle-timeout-s": "idle", "max-connection-s": "lifetime"}
# The questions whose answers stand on the way, from the client inwards, and what the answer is called there.
ROLES = {
    "cdn": "CDN",
    "load-balancer": "load balancer",
    "reverse-proxy": "reverse proxy",
    "service-mesh": "service mesh",
    "platform": "platform",
}
CHANNELS = ("websocket", "sse", "long-polling")
# Extended patterns meet the limits of the core pattern that they are built like.
CHANNEL = {"fetch-stream": "sse", "grpc-web": "sse"}
SHORTEST_S = 1  # servers and proxies take whole seconds


class Limit(NamedTuple):
    """One thing that ends a connection or a request after `seconds`, at the (fact, answer) pairs of `at`.

    For the kind "rate" `seconds` is the number of new connections in each second.
    """

    id: str
    name: str  # of the platform
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
    contested: str

    @property
    def where(self) -> str:
        """The limit's place for people: `nginx (proxy_read_timeout)`, `your answer to idle-timeout-s`.

        A platform that stands on the way twice is named with both its places: it has to be set at both.
        """
        fact, _ = self.at[0]
        if fact in STATED:
            return f"your answer to {fact}"
        place = f"{self.name} as {' and '.join(ROLES[f] for f, _ in self.at)}" if len(self.at) > 1 else self.name
        return f"{place} ({self.setting})" if self.setting else place

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
    figures, table, rates = _loaded(base)
    everything = on_the_way(answers, table)
    limits = met_by(everything, pattern)
    bounds = met_by(on_the_way(answers, rates), pattern)
    retry = _retry(answers, figures, [rate for rate in bounds if rate.kind == "rate"])
    longest = max(int(figures["retry-max-ms"]), retry.value)
    hold = _hold(met_by(everything, "long-polling"), figures)
    solved = {
        "heartbeat_s": _heartbeat(limits, figures),
        "hold_s": hold,
        "retry_ms": retry,
        "retry_max_ms": _Solved(longest, "tries wait twice as long each time up to this, every wait drawn at random"),
        "drain_s": _drain(limits, figures),
        "connect_patience_ms": _Solved(
            int(figures["connect-patience-ms"]), "a WebSocket that is not open by then is taken for blocked"
        ),
        "read_timeout_s": _read_timeout(limits, figures),
    }
    unused = {"long-polling": "heartbeat_s"}.get(pattern or "", "hold_s" if pattern else "")
    conflicts = [s.conflict for name, s in solved.items() if s.conflict and name != unused]
    conflicts += _short_lives(limits, retry)
    if CHANNEL.get(pattern or "", pattern) == "sse":
        conflicts += _endless(limits, hold)
    missing = _not_counted(answers)
    return {
        **{name: s.value for name, s in solved.items()},
        "binding": {name: s.why + (missing if name in ("heartbeat_s", "hold_s") else "") for name, s in solved.items()},
        "conflicts": [{"between": [c.one, c.other], "text": c.text} for c in conflicts],
        "limits": [_plain(limit) for limit in limits],
    }


@lru_cache(maxsize=8)
def _loaded(base: RuleBase) -> tuple[dict[str, float], tuple[Limit, ...], tuple[Limit, ...]]:
    return *load(base.tables["timing"]), rates_of(base.tables["timing"])


def load(data: Mapping[str, Any]) -> tuple[dict[str, float], tuple[Limit, ...]]:
    """The figures (id to number) and the limits of the table `timing`."""
    figures = {name: float(figure["value"]) for name, figure in data["figures"].items()}
    return figures, tuple(_limit(row) for row in data["limits"])


def rates_of(data: Mapping[str, Any]) -> tuple[Limit, ...]:
    """What bounds new connections a second."""
    return tuple(_limit(row) for row in data.get("rates", ()))


def _limit(row: Mapping[str, Any]) -> Limit:
    return Limit(
        id=row["id"],
        name=row["name"],
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
        contested=row.get("contested", ""),
    )


def met_by(limits: list[Limit], pattern: str | None) -> list[Limit]:
    """Those that this pattern meets; all of them for None and for patterns that hold no connection."""
    channel = CHANNEL.get(pattern or "", pattern)
    if channel not in CHANNELS:
        return limits
    return [limit for limit in limits if channel in limit.channels]


def on_the_way(answers: Mapping[str, Value], table: Iterable[Limit]) -> list[Limit]:
    """The limits that the answers name, shortest first; `at` is narrowed to the answers that brought the limit in.

    A stated idle limit or lifetime takes the place of the stock values that can be changed. What cannot be changed
    stays, and so does the most that something can be changed to, where less was stated than that allows.
    """
    stated = [limit for fact, kind in STATED.items() if (limit := _stated(fact, kind, answers)) is not None]
    said = {limit.kind: limit.seconds for limit in stated}
    met = []
    for limit in table:
        pairs = tuple(pair for pair in limit.at if answers.get(pair[0]) == pair[1])
        if not pairs:
            continue
        if limit.kind in said and limit.change != "fixed":
            if limit.up_to is None or limit.up_to >= said[limit.kind]:
                continue
            limit = limit._replace(seconds=limit.up_to)  # noqa: PLW2901  # the same limit, set as far as it goes
        met.append(limit._replace(at=pairs))
    return sorted(stated + met, key=lambda limit: (limit.seconds, limit.id))


def _stated(fact: str, kind: Kind, answers: Mapping[str, Value]) -> Limit | None:
    value = answers.get(fact, UNKNOWN)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Limit(
        id=fact,
        name="",
        at=((fact, "stated"),),
        kind=kind,
        channels=CHANNELS,
        seconds=value,
        up_to=None,
        change="setting",
        setting="",
        says=f"Stated as {_span(value)}.",
        source="",
        as_of="",
        confidence="high",
        contested="",
    )


def _not_counted(answers: Mapping[str, Value]) -> str:
    """The end of a sentence that names what stands on the way and has no card."""
    others = [f"{quoted(a.text, 40)} ({ROLES[f]})" for f in ROLES if isinstance(a := answers.get(f, UNKNOWN), Other)]
    return f"; not counted, since nothing is known of it: {', '.join(others)}" if others else ""


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
    conflict = Conflict(str(idle), "one heartbeat a second at most", _raise(idle, "use short polling"))
    return _Solved(SHORTEST_S, f"no heartbeat fits the {idle}", conflict)


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
    conflict = Conflict(
        str(shortest), f"a long poll held {SHORTEST_S} s at least", _raise(shortest, "use short polling")
    )
    return _Solved(SHORTEST_S, f"no hold fits the {shortest}", conflict)


def _retry(answers: Mapping[str, Value], figures: Mapping[str, float], rates: list[Limit]) -> _Solved:
    """The window over which reconnects are spread: clients by what is taken in a second, within bounds.

    An instance takes `connects-per-s`; a platform may take a number of its own for all instances together.
    """
    least, most = int(figures["retry-ms"]), int(figures["retry-limit-ms"])
    clients, instances = _count(answers, "concurrent-clients", 0), max(_count(answers, "instances", 1), 1)
    rate = int(figures["connects-per-s"])
    ways = [(clients / instances / rate, f"{rate} a second and instance")]
    ways += [(clients / r.seconds, f"{r.seconds:g} a second, all that {r.name} takes") for r in rates]
    seconds, why = max(ways, key=lambda way: way[0])
    needed = min(seconds * 1000, most)
    if needed <= least:
        return _Solved(least, "the shortest window over which reconnects are spread")
    if needed >= most:
        return _Solved(most, f"the widest window; all clients at once are more than {why}")
    return _Solved(math.ceil(needed), f"all clients at once come back at {why}")


def _drain(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """Below the shortest time between being told to stop and being killed."""
    usual = int(figures["drain-s"])
    grace = next((limit for limit in limits if limit.kind == "grace"), None)
    if grace is None:
        return _Solved(usual, "no grace is known; give the service more than this before it is killed")
    return _Solved(min(usual, max(_whole(grace.seconds * figures["drain-share"]), SHORTEST_S)), f"below the {grace}")


def _read_timeout(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """What the limits on silence of your own proxies are raised to; what cannot be raised that far still cuts first."""
    usual = int(figures["read-timeout-s"])
    why = "your own proxy has to outlast the longest silence by far"
    low = next((x for x in limits if x.kind == "idle" and x.at[0][0] not in STATED and _most(x) < usual), None)
    return _Solved(usual, f"{why}; what cuts first is the {low}" if low else why)


def _most(limit: Limit) -> float:
    """The most that it can be set to by the team itself."""
    if limit.change == "setting":
        return math.inf if limit.up_to is None else limit.up_to
    return limit.seconds


def _short_lives(limits: list[Limit], retry: _Solved) -> list[Conflict]:
    """Lifetimes so short that a client would wait for its next connection longer than the last one lived."""
    wait = f"reconnects spread over {retry.value} ms"
    text = "Clients would spend more time reconnecting than connected: raise the lifetime, or poll."
    return [Conflict(str(x), wait, text) for x in limits if x.kind == "lifetime" and x.seconds * 1000 <= retry.value]


def _endless(limits: list[Limit], hold: _Solved) -> list[Conflict]:
    """Limits on the whole response against a stream, which has no end: no heartbeat helps."""
    instead = f"use long polling with a hold of {hold.value} s, or a WebSocket"
    return [
        Conflict(str(x), "an event stream, which has no end", _raise(x, instead)) for x in limits if x.kind == "total"
    ]


def _raise(limit: Limit, otherwise: str) -> str:
    """What to do about a limit that is too short."""
    if limit.at[0][0] in STATED and limit.seconds == 0:
        return f"0 is taken as it stands. If there is no limit, leave {limit.id} unknown; otherwise {otherwise}."
    most = f" to {_span(limit.up_to)} at most" if limit.up_to is not None else ""
    if limit.change == "fixed":
        return f"It cannot be raised: {otherwise}."
    if limit.change == "quota":
        return f"Only the vendor can raise it{most}: ask, or {otherwise}."
    how = f" with {limit.setting}" if limit.setting else ""
    return f"Raise it{most}{how}, or {otherwise}."


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
        "platform": limit.name,
        "at": [fact for fact, _ in limit.at],
        "where": limit.where,
        "kind": limit.kind,
        "seconds": limit.seconds,
        "up_to": limit.up_to,
        "change": limit.change,
        "setting": limit.setting,
        "says": limit.says,
        "url": limit.source,
        "as_of": limit.as_of,
        "confidence": limit.confidence,
        "contested": limit.contested,
    }
