"""What each pattern costs at the stated numbers: requests, queries, bytes, delay, and what is held open for it.

The figures come from rules/costs.yaml, each with its evidence there, and so do the formulas in words: a test evaluates
those and compares. Everything is a steady state: opening the streams and writing the events, which every pattern does
alike, are left out.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from advisor.engine.timing import timing
from advisor.model.arithmetic import finite, multiply
from advisor.model.patterns import costed
from advisor.model.values import UNKNOWN, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Cost, Costs, Input, Timing

HOUR = 3600.0
NUMBERS = (
    "concurrent-clients",
    "poll-interval-s",
    "server-msg-rate-per-s",
    "client-msg-rate-per-s",
    "payload-bytes",
    "listeners-per-event",
    "instances",
)
FACTS = (*NUMBERS, "binary", "bidirectional-realtime", "reverse-proxy", "held-connection-billed")  # all that is read
NGINX = ("nginx", "ingress-nginx")
COUNTED = (
    "Overhead is everything on the client's hop but the messages themselves: HTTP headers or frames, heartbeats, "
    "TCP/IP headers and acknowledgements, TLS records; HTTP/1.1 with a browser's headers and no cookies."
)


class Load(NamedTuple):
    """The numbers that the formulas take: per client where a rate, seconds and bytes elsewhere."""

    clients: float
    interval_s: float
    messages_per_s: float
    uplink_per_s: float
    payload_bytes: float
    binary: bool
    hold_s: float
    heartbeat_s: float
    instances: float
    proxied: bool
    nginx: bool  # the proxy is one that counts worker_connections
    billed: bool  # the platform charges for the time that a connection is open


def costs(
    answers: Mapping[str, Value],
    base: RuleBase,
    scale: float = 1,
    *,
    stated: Collection[str] | None = None,
    times: Timing | None = None,
) -> Costs:
    """Every pattern's costs: `inputs` {fact: {value, assumed}}, `patterns` {id: numbers}, `at_ten_times` {id: numbers}.

    `fanout_per_s` is what one room's events come to: deliveries a second. `stated` names the facts that were stated,
    where `answers` holds assumptions as well; what the answers lack is taken from the question. `at_ten_times` has ten
    times the clients; `scale` multiplies them too. `times` are the recommended ones, so that the heartbeat that is
    billed is the one that is recommended; without them they are solved for no pattern in particular. Numbers are
    finite: what a float cannot hold is the largest float. A value that does not apply (descriptors without a proxy) is
    None.
    """
    figures = load(base.tables["costs"])
    known = {fact: value for fact, value in answers.items() if stated is None or fact in stated}
    inputs = _inputs(known, answers, times or timing(known, base), base)
    at = _load(inputs, answers, base)
    return {
        "inputs": inputs,
        "fanout_per_s": tidy(multiply(at.messages_per_s, finite(inputs["listeners-per-event"]["value"]))),
        "patterns": _patterns(at, figures, scale, base),
        "at_ten_times": _patterns(at, figures, 10 * scale, base),
    }


def load(data: Mapping[str, Any]) -> dict[str, float]:
    """The figures of rules/costs.yaml, id to number."""
    return {name: float(figure["value"]) for name, figure in data["figures"].items()}


# --- the formulas -----------------------------------------------------------------------------------------------------


def poll_requests_per_h(interval_s: float) -> float:
    """Requests of one client an hour: 3600 / interval. At 5 s that is 720 (the article's opening example)."""
    return HOUR / interval_s if interval_s > 0 else math.inf


def long_poll_requests_per_h(messages_per_s: float, hold_s: float, round_trip_s: float) -> float:
    """Requests of one client an hour, where each ends with the first message or after `hold_s`.

    Messages that come at random with rate r leave a request pending for (1 - e^(-r hold)) / r on average; the next one
    begins a round trip later, and finds a message already waiting with probability 1 - e^(-r round trip). So the mean
    cycle is round trip + e^(-r round trip) (1 - e^(-r hold)) / r: hold + round trip when nothing happens, one request a
    message when the room is busy, one a round trip at most. Measured on loopback, 100 clients: 19,110 an hour on own
    channels (this formula and the opening requests: 19,313) and 603,000 in one room (600,000).
    """
    waiting = hold_s
    if messages_per_s * hold_s > 1e-9:  # below, the quotient loses its digits, and the hold is the limit of it
        waiting = -math.expm1(-messages_per_s * hold_s) / messages_per_s
    cycle = round_trip_s + math.exp(-messages_per_s * round_trip_s) * waiting
    return HOUR / cycle if cycle > 0 else math.inf


def frame_header_bytes(payload_bytes: float, figures: Mapping[str, float]) -> float:
    """Header of one WebSocket frame from the server: 2, 4 or 10 bytes (RFC 6455, section 5.2)."""
    extended = 0 if payload_bytes <= 125 else 2 if payload_bytes <= 65535 else 8
    return figures["frame-bytes"] + extended


def exchange_overhead_bytes(figures: Mapping[str, float], kind: str) -> float:
    """One HTTP exchange on the wire without its message: headers, segments, one TLS record each way."""
    segments = figures[f"{kind}-segments"] * figures["segment-bytes"]
    return figures[f"{kind}-bytes"] + segments + 2 * figures["tls-record-bytes"]


def pushed_overhead_bytes(framing_bytes: float, figures: Mapping[str, float]) -> float:
    """One message on an open stream without its payload: framing, segments, one TLS record."""
    return framing_bytes + figures["message-segments"] * figures["segment-bytes"] + figures["tls-record-bytes"]


# --- per way in which patterns are costed -----------------------------------------------------------------------------


def _patterns(at: Load, figures: Mapping[str, float], scale: float, base: RuleBase) -> dict[str, Cost]:
    ways: dict[str, _One] = {
        "short-polls": _short_polls(at, figures),
        "long-polls": _long_polls(at, figures),
        "streams": _streams(at, figures),
        "sockets": _sockets(at, figures),
    }
    return {
        name: _for_all(ways[base.patterns[name].costed_as], multiply(at.clients, scale), at, figures)
        for name in costed(base)
    }


class _One(NamedTuple):
    """One client's share: per hour, seconds, connections, bytes of memory."""

    requests: float
    uplink_requests: float
    overhead_bytes: float
    worst_delay_s: float
    turn_s: float  # how much later each further client of an instance is served
    held: float
    proxy_connections: float
    server_memory: float
    proxy_memory: float
    billed_requests: float  # those whose time is billed besides what is held


def _short_polls(at: Load, figures: Mapping[str, float]) -> _One:
    requests = poll_requests_per_h(at.interval_s)
    uplink = multiply(at.uplink_per_s, HOUR)
    overhead = multiply(requests, exchange_overhead_bytes(figures, "exchange"))
    overhead += multiply(uplink, exchange_overhead_bytes(figures, "delivery"))
    kept = 1.0 if at.interval_s <= figures["keep-alive-s"] else 0.0
    memory = kept * figures["tls-memory-bytes"]
    return _One(requests, uplink, overhead, at.interval_s, 0, 0, kept, 0, memory, requests + uplink)


def _long_polls(at: Load, figures: Mapping[str, float]) -> _One:
    requests = long_poll_requests_per_h(at.messages_per_s, at.hold_s, figures["round-trip-s"])
    uplink = multiply(at.uplink_per_s, HOUR)
    overhead = multiply(requests + uplink, exchange_overhead_bytes(figures, "delivery"))
    memory = figures["stream-memory-bytes"], figures["proxy-poll-memory-bytes"] + figures["tls-memory-bytes"]
    per_stream = figures["descriptors-per-stream"]
    round_trip, turn = figures["round-trip-s"], 1 / figures["held-answers-per-s"]
    return _One(requests, uplink, overhead, round_trip, turn, 1, per_stream, *memory, uplink)


def _streams(at: Load, figures: Mapping[str, float]) -> _One:
    base64 = at.payload_bytes / 3 if at.binary else 0.0  # an event stream is text
    uplink = multiply(at.uplink_per_s, HOUR)
    message = pushed_overhead_bytes(figures["event-bytes"], figures) + base64
    heartbeat = pushed_overhead_bytes(figures["heartbeat-event-bytes"], figures)
    overhead = multiply(multiply(at.messages_per_s, HOUR), message) + HOUR / at.heartbeat_s * heartbeat
    overhead += multiply(uplink, exchange_overhead_bytes(figures, "delivery"))
    memory = figures["stream-memory-bytes"], figures["proxy-stream-memory-bytes"] + figures["tls-memory-bytes"]
    return _One(0, uplink, overhead, 0, 0, 1, figures["descriptors-per-stream"], *memory, uplink)


def _sockets(at: Load, figures: Mapping[str, float]) -> _One:
    header = frame_header_bytes(at.payload_bytes, figures)
    down = pushed_overhead_bytes(header, figures)
    up = pushed_overhead_bytes(header + figures["mask-bytes"], figures)
    small = figures["frame-bytes"]
    beat = pushed_overhead_bytes(small, figures) + pushed_overhead_bytes(small + figures["mask-bytes"], figures)
    overhead = multiply(multiply(at.messages_per_s, HOUR), down) + multiply(multiply(at.uplink_per_s, HOUR), up)
    overhead += HOUR / at.heartbeat_s * beat  # a ping and its pong
    memory = figures["socket-memory-bytes"], figures["proxy-socket-memory-bytes"] + figures["tls-memory-bytes"]
    return _One(0, 0, overhead, 0, 0, 1, figures["descriptors-per-stream"], *memory, 0)


def _for_all(one: _One, clients: float, at: Load, figures: Mapping[str, float]) -> Cost:
    """All clients together. A proxy's figures are None where there is no proxy, a bill's where nothing is billed."""
    held = multiply(one.held, clients)
    overhead = multiply(one.overhead_bytes, clients)
    payload = multiply(multiply(multiply(at.messages_per_s, HOUR), at.payload_bytes), clients)
    in_proxy = multiply(one.proxy_connections, clients)
    server_memory = one.server_memory if at.proxied else one.server_memory + one.held * figures["tls-memory-bytes"]
    billed = multiply(multiply(one.billed_requests, figures["request-time-s"]) / HOUR, clients) + held
    ports = held / max(at.instances, 1)
    return {
        "requests_per_client_per_h": tidy(one.requests),
        "requests_per_h": tidy(multiply(one.requests, clients)),
        "queries_per_h": tidy(multiply(one.requests, clients)),
        "uplink_requests_per_h": tidy(multiply(one.uplink_requests, clients)),
        "deliveries_per_s": tidy(multiply(at.messages_per_s, clients)),
        "overhead_bytes_per_h": tidy(overhead),
        "total_bytes_per_h": tidy(overhead + payload),
        "worst_delay_s": tidy(one.worst_delay_s + multiply(one.turn_s, clients) / max(at.instances, 1)),
        "held_connections": tidy(held),
        "held_per_instance": tidy(ports),
        "proxy_descriptors": tidy(in_proxy) if at.proxied else None,
        "worker_connections": tidy(whole(in_proxy * figures["connection-headroom"])) if at.nginx else None,
        "upstream_ports": tidy(ports) if at.proxied else None,
        "upstream_addresses": tidy(whole(held / figures["ephemeral-ports"])) if at.proxied else None,
        "server_memory_bytes": tidy(multiply(server_memory, clients)),
        "proxy_memory_bytes": tidy(multiply(one.proxy_memory, clients)) if at.proxied else None,
        "billed_hours_per_h": tidy(billed) if at.billed else None,
    }


def whole(value: float) -> float:
    """The next whole number; what no float holds stays infinite."""
    return value if math.isinf(value) else math.ceil(value - 1e-6)


def tidy(value: float) -> float:
    """A finite number that JSON can carry: whole where it is whole to a thousandth, the largest float beyond floats."""
    if value >= sys.float_info.max:
        return sys.float_info.max
    if value >= 1e15:
        return value
    rounded = round(value, 3) if value < 100 else round(value)
    return int(rounded) if rounded == int(rounded) else rounded


# --- the inputs -------------------------------------------------------------------------------------------------------


def _inputs(
    known: Mapping[str, Value], answers: Mapping[str, Value], times: Timing, base: RuleBase
) -> dict[str, Input]:
    inputs = {fact: _number(fact, known, answers, base) for fact in NUMBERS}
    binary = answers.get("binary", UNKNOWN)
    inputs["binary"] = {"value": binary is True, "assumed": not isinstance(known.get("binary", UNKNOWN), bool)}
    inputs["hold-s"] = {"value": times["hold_s"], "assumed": True}
    inputs["heartbeat-s"] = {"value": times["heartbeat_s"], "assumed": True}
    return inputs


def _number(fact: str, known: Mapping[str, Value], answers: Mapping[str, Value], base: RuleBase) -> Input:
    """The stated number, else the assumed one; a client that need not send counts as sending nothing."""
    stated = known.get(fact, UNKNOWN)
    if _is_number(stated):
        return {"value": stated, "assumed": False}
    question = base.questions.get(fact)
    lead = question.lead if question is not None else UNKNOWN
    if fact == "client-msg-rate-per-s" and answers.get("bidirectional-realtime", UNKNOWN) is not True:
        lead = 0
    candidates = (answers.get(fact, UNKNOWN), lead, 0)
    return {"value": next(value for value in candidates if _is_number(value)), "assumed": True}


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _load(inputs: Mapping[str, Input], answers: Mapping[str, Value], base: RuleBase) -> Load:
    def take(name: str) -> float:
        return finite(inputs[name]["value"])

    proxy = _proxy(answers, base)
    return Load(
        clients=take("concurrent-clients"),
        interval_s=take("poll-interval-s"),
        messages_per_s=take("server-msg-rate-per-s"),
        uplink_per_s=take("client-msg-rate-per-s"),
        payload_bytes=take("payload-bytes"),
        binary=inputs["binary"]["value"] is True,
        hold_s=take("hold-s"),
        heartbeat_s=take("heartbeat-s"),
        instances=take("instances"),
        proxied=proxy != "none",
        nginx=proxy in NGINX,
        billed=answers.get("held-connection-billed", UNKNOWN) is True,
    )


def _proxy(answers: Mapping[str, Value], base: RuleBase) -> Value:
    """The reverse proxy in front: stated, or what the question takes; UNKNOWN where nothing says it counts as one."""
    stated = answers.get("reverse-proxy", UNKNOWN)
    question = base.questions.get("reverse-proxy")
    return question.lead if isinstance(stated, Unknown) and question is not None else stated
