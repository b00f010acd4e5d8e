"""Times solved from the limits of the path: heartbeat, long-poll hold, retry, drain, and which limit binds each.

The limits come from the platform cards (rules/platforms/), the values that hold where no limit asks for less from
rules/timing.yaml. Idle limits ask for a heartbeat; limits on the first byte or on the whole response ask for a shorter
hold, a setting or another pattern; a lifetime is never answered with a heartbeat.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.base.text import quoted
from advisor.model.path_limits import ROLES, Limit, limit_of, met_by, on_the_way, plain, remedy
from advisor.model.patterns import timed
from advisor.model.values import UNKNOWN, Other, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.model.rulebase import Pattern, RuleBase
    from advisor.model.verdict import Timing

SHORTEST_S = 1  # servers and proxies take whole seconds


class Conflict(NamedTuple):
    """Two lines that cannot both hold, and what to do about it."""

    one: str
    other: str
    text: str


class _Solved(NamedTuple):
    value: int
    why: str
    conflict: Conflict | None = None


def timing(answers: Mapping[str, Value], base: RuleBase, pattern: str | None = None) -> Timing:
    """The times for these answers, in seconds (`_s`) and milliseconds (`_ms`), all whole numbers.

    `binding` names for each time the limit or the reason behind it; `conflicts` [{between: [a, b], text}] is filled
    where no value fits that the pattern uses; `limits` are those of the path, shortest first. With a `pattern` that
    holds something only the limits of its channel count; the hold of a long poll is always that of a long poll.
    """
    found = timed(pattern, base)
    channel = found.channel if found else ""
    figures, table = _loaded(base)
    way = on_the_way(answers, table)
    ends = [limit for limit in way if limit.kind != "rate"]
    limits = met_by(ends, channel)
    retry = _retry(answers, figures, met_by([limit for limit in way if limit.kind == "rate"], channel))
    longest = max(int(figures["retry-max-ms"]), retry.value)
    solved = {
        "heartbeat_s": _heartbeat(limits, figures),
        "hold_s": _hold(met_by(ends, _held_channel(found, base)), figures),
        "retry_ms": retry,
        "retry_max_ms": _Solved(longest, "tries wait twice as long each time up to this, every wait drawn at random"),
        "drain_s": _drain(limits, figures),
        "connect_patience_ms": _Solved(
            int(figures["connect-patience-ms"]), "a WebSocket that is not open by then counts as blocked"
        ),
    }
    solved["read_timeout_s"] = _read_timeout(solved["heartbeat_s"].value, solved["hold_s"].value, figures, found)
    missing = _not_counted(answers)
    return {
        "heartbeat_s": solved["heartbeat_s"].value,
        "hold_s": solved["hold_s"].value,
        "retry_ms": solved["retry_ms"].value,
        "retry_max_ms": solved["retry_max_ms"].value,
        "drain_s": solved["drain_s"].value,
        "connect_patience_ms": solved["connect_patience_ms"].value,
        "read_timeout_s": solved["read_timeout_s"].value,
        "binding": {name: s.why + (missing if name in ("heartbeat_s", "hold_s") else "") for name, s in solved.items()},
        "conflicts": [{"between": [c.one, c.other], "text": c.text} for c in _conflicts(solved, limits, found)],
        "limits": [plain(limit) for limit in limits],
    }


def _held_channel(pattern: Pattern | None, base: RuleBase) -> str:
    """The channel of a request that is held: the pattern's own, or that of the first pattern that holds one."""
    holding = [p for p in ([pattern] if pattern else []) + [*base.patterns.values()] if p.holds == "request"]
    return holding[0].channel if holding else ""


@lru_cache(maxsize=8)
def _loaded(base: RuleBase) -> tuple[dict[str, float], tuple[Limit, ...]]:
    return load(base.tables["timing"])


def load(data: Mapping[str, Any]) -> tuple[dict[str, float], tuple[Limit, ...]]:
    """The figures (id to number) and the limits of the table `timing`."""
    figures = {name: float(figure["value"]) for name, figure in data["figures"].items()}
    return figures, tuple(map(limit_of, data["limits"]))


def _not_counted(answers: Mapping[str, Value]) -> str:
    """The end of a sentence: it names products on the path that have no card."""
    others = [f"{quoted(a.text, 40)} ({ROLES[f]})" for f in ROLES if isinstance(a := answers.get(f, UNKNOWN), Other)]
    return f"; not counted, because advisor has no platform file for it: {', '.join(others)}" if others else ""


# --- each time --------------------------------------------------------------------------------------------------------


def _heartbeat(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """At most half of the shortest idle limit, and the usual value where that is less."""
    usual, share = int(figures["heartbeat-s"]), figures["heartbeat-share"]
    idle = next((limit for limit in limits if limit.kind == "idle"), None)
    if idle is None:
        return _Solved(usual, "no idle limit is known on the path; this is the usual value")
    most = _whole(idle.seconds * share)
    if most >= usual:
        return _Solved(usual, f"the usual value, at most half of the shortest {idle}")
    if most >= SHORTEST_S:
        return _Solved(most, f"half of the shortest {idle}")
    conflict = Conflict(str(idle), "at most one heartbeat per second", remedy(idle, "use short polling"))
    return _Solved(SHORTEST_S, f"no heartbeat fits the {idle}", conflict)


def _hold(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """Below every limit that a pending request meets: it is silent, and it must begin and be over in time."""
    usual, share = int(figures["hold-s"]), figures["hold-share"]
    shortest = next((limit for limit in limits if limit.kind != "grace"), None)
    if shortest is None:
        return _Solved(usual, "no limit on a pending request is known on the path; this is the usual value")
    most = _whole(shortest.seconds * share)
    if most >= usual:
        return _Solved(usual, f"the usual value, below the shortest {shortest}")
    if most >= SHORTEST_S:
        return _Solved(most, f"below the shortest {shortest}")
    conflict = Conflict(
        str(shortest), f"a long poll held for at least {SHORTEST_S} s", remedy(shortest, "use short polling")
    )
    return _Solved(SHORTEST_S, f"no hold fits the {shortest}", conflict)


def _retry(answers: Mapping[str, Value], figures: Mapping[str, float], rates: list[Limit]) -> _Solved:
    """The window over which reconnects are spread: clients by what is taken in a second, within bounds.

    An instance takes `connects-per-s`; a platform may take a number of its own for all instances together.
    """
    least, most = int(figures["retry-ms"]), int(figures["retry-limit-ms"])
    clients, instances = _count(answers, "concurrent-clients", 0), max(_count(answers, "instances", 1), 1)
    rate = int(figures["connects-per-s"])
    ways = [(clients / instances / rate, f"{rate} per second per instance")]
    ways += [(clients / r.seconds, f"{r.seconds:g} per second, the limit of {r.name}") for r in rates]
    seconds, why = max(ways, key=lambda way: way[0])
    needed = min(seconds * 1000, most)
    if needed <= least:
        return _Solved(least, "the shortest window over which reconnects are spread")
    if needed >= most:
        return _Solved(most, f"the widest window; if all clients reconnect at once, they exceed {why}")
    return _Solved(math.ceil(needed), f"if all clients reconnect at once: {why}")


def _drain(limits: list[Limit], figures: Mapping[str, float]) -> _Solved:
    """Below the shortest time that a platform gives between the signal to stop and the kill."""
    usual = int(figures["drain-s"])
    grace = next((limit for limit in limits if limit.kind == "grace"), None)
    if grace is None:
        return _Solved(usual, "no grace period is known; give the service more time than this before it is killed")
    return _Solved(min(usual, max(_whole(grace.seconds * figures["drain-share"]), SHORTEST_S)), f"below the {grace}")


def waits(heartbeat_s: int, hold_s: int, base: RuleBase) -> dict[str, int]:
    """How long a proxy waits for the next byte of a stream, and for the answer to a long poll."""
    return _waits(heartbeat_s, hold_s, _loaded(base)[0])


def _waits(heartbeat_s: int, hold_s: int, figures: Mapping[str, float]) -> dict[str, int]:
    return {
        "read_timeout_s": math.ceil(figures["read-timeout-heartbeats"] * heartbeat_s),
        "poll_timeout_s": math.ceil(hold_s + figures["poll-slack-s"]),
    }


def _read_timeout(heartbeat_s: int, hold_s: int, figures: Mapping[str, float], pattern: Pattern | None) -> _Solved:
    """How long your own proxies wait: a little longer than what is healthy is silent, since a server may hang."""
    waited = _waits(heartbeat_s, hold_s, figures)
    stream = f"{figures['read-timeout-heartbeats']:g} heartbeats"
    poll = f"the hold and {figures['poll-slack-s']:g} s"
    hung = "longer would only hide a server that hangs"
    if pattern is not None and pattern.holds == "request":
        return _Solved(waited["poll_timeout_s"], f"{poll}; {hung}")
    if pattern is not None or waited["read_timeout_s"] >= waited["poll_timeout_s"]:
        return _Solved(waited["read_timeout_s"], f"{stream}; {hung}")
    return _Solved(waited["poll_timeout_s"], f"{poll}, which is more than {stream}; {hung}")


def _conflicts(solved: Mapping[str, _Solved], limits: list[Limit], pattern: Pattern | None) -> list[Conflict]:
    """Where no value fits, of the times that the pattern uses: one that holds nothing open has nothing to lose."""
    if pattern is not None and pattern.holds == "nothing":
        return []
    used = solved if pattern is None else pattern.times
    found = [time.conflict for name, time in solved.items() if time.conflict and name in used]
    found += _short_lives(limits, solved["retry_ms"])
    return found + _endless(limits, solved["hold_s"]) if pattern is not None and pattern.holds == "stream" else found


def _short_lives(limits: list[Limit], retry: _Solved) -> list[Conflict]:
    """Lifetimes so short that a client would wait for its next connection longer than the last one lived."""
    wait = f"reconnects spread over {retry.value} ms"
    text = "Clients would spend more time reconnecting than connected: raise the lifetime, or poll."
    return [Conflict(str(x), wait, text) for x in limits if x.kind == "lifetime" and x.seconds * 1000 <= retry.value]


def _endless(limits: list[Limit], hold: _Solved) -> list[Conflict]:
    """Limits on the whole response against a stream, which has no end: no heartbeat helps."""
    instead = f"use long polling with a hold of {hold.value} s, or a WebSocket"
    return [
        Conflict(str(x), "an event stream, which has no end", remedy(x, instead)) for x in limits if x.kind == "total"
    ]


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
