"""The numbers of a kit, computed from the answers, each with its formula in words and where it comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_STREAMS = 60_000  # of one proxy and one server: each takes one of the 64,512 ports from 1024 to 65535
MOST_OF_A_PROXY = 200_000  # each is two connections, for which two descriptors each are allowed: 2^20 are the most
POLL_S = 5.0
ASSUMED = {
    "concurrent-clients": 1000.0,
    "server-msg-rate-per-s": 0.2,
    "payload-bytes": 512.0,
    "poll-interval-s": POLL_S,
}
POLL_RANGE_S = (1.0, 86_400.0)  # what a kit's server takes
MOST = 1e15  # larger answers change nothing, and floats can hold it
HISTORY_S = 600
HISTORY_BYTES = 1 << 30  # on a disk
REDIS_BYTES = 256 << 20  # in memory


@dataclass(frozen=True, slots=True)
class Size:
    """One number. `how` is its formula in words, `why` the evidence."""

    value: int
    how: str
    why: str


@dataclass(frozen=True, slots=True)
class Feature:
    """What sizing needs of one feature. Numbers are from 0 to 1e15; `page` is "" where it is not named."""

    page: str
    clients: float
    rate: float  # messages a second to one client
    payload: float  # bytes
    poll_s: float = POLL_S  # from one short poll to the next, inside POLL_RANGE_S


def feature(facts: Mapping[str, Any], inputs: Mapping[str, Any]) -> Feature:
    """From a feature's answers, else from what the verdict's costs assumed (`inputs`), else from ASSUMED."""

    def number(fact: str) -> float:
        for value in (facts.get(fact), inputs.get(fact, {}).get("value")):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(min(value, MOST))
        return ASSUMED[fact]

    page = facts.get("page")
    return Feature(
        page if isinstance(page, str) else "",
        number("concurrent-clients"),
        number("server-msg-rate-per-s"),
        number("payload-bytes"),
        min(max(number("poll-interval-s"), POLL_RANGE_S[0]), POLL_RANGE_S[1]),
    )


def wanted_streams(features: Iterable[Feature]) -> float:
    """Features of one page share a stream, so a page has as many as its busiest feature; pages add up.

    A feature without a stated page counts as a page of its own.
    """
    pages: dict[str, float] = {}
    unknown = 0.0
    for each in features:
        if each.page:
            pages[each.page] = max(pages.get(each.page, 0.0), each.clients)
        else:
            unknown += each.clients
    return unknown + sum(pages.values())


def most_streams(instances: int) -> int:
    """How many streams one proxy and these servers carry while one of several is away."""
    return min(MOST_STREAMS * max(1, instances - 1), MOST_OF_A_PROXY)


def sizes(
    features: Sequence[Feature], *, shared_addresses: bool, transports: Sequence[str] = ("sse",), instances: int = 1
) -> dict[str, Size]:
    """Every number by its name in the templates. `shared_addresses`: many clients may come from one address."""
    streams = min(wanted_streams(features), most_streams(instances))
    rate = sum(f.rate for f in features)
    payload = max(f.payload for f in features)
    capacity = _capacity(streams, instances)
    every = capacity.value * max(1, instances - 1)
    connections = _connections(every, held=list(transports) != ["short-polling"], several=instances > 1)
    poll_s = max(f.poll_s for f in features) if "short-polling" in transports else 0.0
    return {
        "max_clients": capacity,
        "worker_connections": connections,
        "worker_rlimit_nofile": Size(
            2 * connections.value,
            "2 x worker_connections",
            "a connection may have a file open besides its socket; with too few, clients hang (measured)",
        ),
        "server_nofile": Size(
            capacity.value + 1024,
            "max_clients + 1024",
            "one descriptor for each stream; the rest for publishers, log and files",
        ),
        "streams_per_address": _per_address(every, shared=shared_addresses, several=instances > 1),
        "max_payload_bytes": _payload(payload),
        **_history(rate, payload, poll_s, several=instances > 1),
    }


def _capacity(streams: float, instances: int) -> Size:
    others = max(1, instances - 1)
    value = min(MOST_STREAMS, max(100, math.ceil(1.25 * streams / others)))
    if instances > 1:
        how = f"(clients + 25 %) / (instances - 1), at least 100, at most {MOST_STREAMS:,}, for each instance"
        return Size(value, how, "while one instance is away, the others carry its clients")
    how = f"clients + 25 %, at least 100, at most {MOST_STREAMS:,}"
    return Size(value, how, "after a deploy new streams open while old ones are not yet noticed as gone")


def _every(*, several: bool) -> str:
    return "max_clients x (instances - 1)" if several else "max_clients"


def _connections(capacity: int, *, held: bool, several: bool) -> Size:
    if held:
        return Size(
            2 * capacity + 512,
            f"2 x {_every(several=several)} + 512",
            "nginx counts both sides of a stream (measured: 768 carry 383); 512 are for pages and publishers. One "
            "worker may have to hold nearly all, since the kernel does not spread connections evenly",
        )
    return Size(
        capacity + 512,
        f"{_every(several=several)} + 512",
        "nginx keeps a page's connection open between its polls, up to 75 s; the side to the server is free "
        "between them. One worker may have to hold nearly all, since the kernel does not spread connections evenly",
    )


def _per_address(capacity: int, *, shared: bool, several: bool) -> Size:
    if shared:
        value, how = max(100, capacity // 5), f"{_every(several=several)} / 5, at least 100"
    else:
        value, how = min(100, capacity), "100"
    return Size(value, how, "one address must not take all the room; but a whole office may share one")


def _payload(payload: float) -> Size:
    value = min(1 << 20, max(1 << 16, 1024 * math.ceil(payload / 256)))
    return Size(value, "4 x payload-bytes, 64 kB to 1 MB", "OWASP: at most 64 kB a message, unless yours are larger")


def _history(rate: float, payload: float, poll_s: float, *, several: bool) -> dict[str, Size]:
    room, named = (REDIS_BYTES, "256 MB, in Redis' memory") if several else (HISTORY_BYTES, "1 GB")
    most = max(1000, min(200_000, int(room / max(payload, 1.0))))
    history_s, of = max((HISTORY_S, "10 minutes"), (3 * poll_s, "3 poll intervals"))
    events = min(most, max(1000, math.ceil(rate * history_s)))
    near_s, near = max((10.0, "10 seconds"), (poll_s, "1 poll interval"))
    behind = min(events, 4096, max(64, math.ceil(rate * near_s)))
    return {
        "history_events": Size(
            events,
            f"{of} of events, 1,000 to 200,000, at most {named}",
            "a deploy, a tunnel or a closed lid must not end in a gap; a judgement",
        ),
        "per_client_queue": Size(
            behind, f"{near} of events, 64 to 4,096", "bounds the memory that a slow client can cost"
        ),
    }
