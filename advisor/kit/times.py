"""The times of a kit: the strictest of all features, and how long proxies wait because of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.engine import timing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.kit.context import Silence, Times
    from advisor.model.rulebase import RuleBase

TIMES = {  # what holds where the verdict has no time, and the most that the server takes
    "heartbeat_s": (15, 300),
    "retry_ms": (1000, 60_000),
    "retry_max_ms": (30_000, 600_000),
    "drain_s": (20, 600),
    "hold_s": (25, 600),
    "connect_patience_ms": (2500, 60_000),
}
ANSWER_S = 60  # how long a proxy waits for an answer that is neither a stream nor a held poll: nginx's default
FRONT_S = 5  # how much longer the stage in front waits than the proxy, so that the proxy's answer gets through
STREAM_PATIENCE_MS = 5000  # a stream without a greeting by then is held back by a proxy; a WebSocket fails sooner


def times(timings: list[Mapping[str, Any]], base: RuleBase, *, streams: bool = False) -> Times:
    """The strictest time of all features, and how long a proxy waits because of them.

    `streams`: the first transport that a page tries is no WebSocket, which opens or fails sooner than a stream greets.
    """

    def every(key: str) -> list[int]:
        default, most = TIMES[key]
        return [min(most, t[key]) for t in timings if t.get(key)] or [default]

    heartbeat, retry, hold = min(every("heartbeat_s")), max(every("retry_ms")), min(every("hold_s"))
    most = max(retry, *every("retry_max_ms"))
    lives = [limit for t in timings for limit in t.get("limits") or () if limit["kind"] == "lifetime"]
    patience = min(every("connect_patience_ms"))
    waits = timing.waits(heartbeat, hold, base)
    step = (min(most, 4 * retry) - retry) // 3
    return {
        "heartbeat_s": heartbeat,
        "retry_ms": retry,
        "retry_max_ms": most,
        "retry_steps": [retry + i * step for i in range(4)],
        "drain_s": min(every("drain_s")),
        "hold_s": hold,
        "read_timeout_s": waits["read_timeout_s"],
        "poll_timeout_s": waits["poll_timeout_s"],
        "connect_patience_ms": max(patience, STREAM_PATIENCE_MS) if streams else patience,
        "max_connection_s": int(min((limit["seconds"] for limit in lives), default=0)),
    }


def silence(solved: Times, serves: list[str]) -> Silence:
    """`quiet_s`: how long a connection of this kit may be silent with one sign of life lost; `signs`: what ends it.

    `held_timeout_s`: how long a proxy waits that has one number for streams and polls; `front_timeout_s`: the same for
    the stage in front of it.
    """
    seconds, waits, signs = [5], [], []
    if {"websocket", "sse"} & set(serves):
        seconds.append(2 * solved["heartbeat_s"] + 1)
        waits.append(solved["read_timeout_s"])
        signs.append(f"the server sends something every {solved['heartbeat_s']} s")
    if "long-polling" in serves:
        seconds.append(solved["poll_timeout_s"])
        waits.append(solved["poll_timeout_s"])
        signs.append(f"a poll is answered within {solved['hold_s']} s")
    return {
        "quiet_s": max(seconds),
        "signs": " and ".join(signs) or "a poll is answered at once",
        "held_timeout_s": max(waits, default=ANSWER_S),
        "front_timeout_s": max(waits, default=ANSWER_S) + FRONT_S,
    }
