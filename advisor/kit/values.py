"""The values that the templates of a kit name, from answers and verdicts; and notes about what those leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advisor.base.errors import OutputError
from advisor.base.text import visible
from advisor.engine import timing
from advisor.kit import manifest, quoting, sizing, version_gates
from advisor.model import platforms
from advisor.model.values import UNKNOWN, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.kit.manifest import Option
    from advisor.model.rulebase import RuleBase

PORTS = {"edge_port": 8080, "tls_port": 8443, "server_port": 8081}
MOST_INSTANCES = 16  # of the event server on one machine; each uses one core at most
TAKEN = frozenset({"hello", "heartbeat", "reset", "drain", "message", "error", "open"})  # event names of the protocol
TIMES = {  # what holds where the verdict has no time, and the most that the server takes
    "heartbeat_s": (15, 300),
    "retry_ms": (1000, 60_000),
    "retry_max_ms": (30_000, 600_000),
    "drain_s": (20, 600),
    "hold_s": (25, 600),
    "connect_patience_ms": (2500, 60_000),
}
ANSWER_S = 60  # that a proxy waits for an answer that is neither a stream nor a held poll; nginx does as installed
FRONT_S = 5  # by which what stands in front waits longer than the proxy, so that the proxy's answer gets through
KEEP_ALIVE_S = 75  # of an idle connection of what stands in front, which lets go after 60 s unless its card says more
WITHOUT_TLS = frozenset({"none", "varnish"})  # behind these, what stands in front ends TLS and speaks plain HTTP
STREAM_PATIENCE_MS = 5000  # a stream that has not greeted by then is held back on the way; a WebSocket shows it sooner
LIMITS_ADDRESSES = frozenset({"nginx", "haproxy", "traefik"})  # the proxies whose templates have such a limit
ON_THE_WAY = ("load-balancer", "cdn", "service-mesh")  # said where no option of a layer writes what is to be set there
TRANSPORTS = ("websocket", "sse", "long-polling", "short-polling")  # in the order in which a page tries them


@dataclass(frozen=True, slots=True)
class Member:
    """A feature that has a kit: its answers, its verdict, and its pattern's entry in kits.yaml."""

    name: str
    answers: Mapping[str, Value]
    verdict: Mapping[str, Any]
    entry: Mapping[str, Any]

    def answered(self, fact: str) -> bool:
        """Whether there is something: an answer that is neither "unknown" nor "none"."""
        value = self.answers.get(fact, UNKNOWN)
        return not isinstance(value, Unknown) and value != "none"


def context(name: str, members: list[Member], base: RuleBase, chosen: list[Option], notes: list[str]) -> dict[str, Any]:
    """Every value that a template may name. Adds notes about what the answers leave open or the kit does not do."""
    versioned = _version(chosen, members, notes)
    behind = any(m.answered("load-balancer") or m.answered("cdn") for m in members)
    needs = [sizing.feature(m.answers, (m.verdict.get("costs") or {}).get("inputs", {})) for m in members]
    shared = any(m.answers.get("corporate-networks", UNKNOWN) is not False for m in members)
    serves = transports(members)
    poll_s = min((n.poll_s for n, m in zip(needs, members, strict=True) if _short(m)), default=sizing.POLL_S)
    instances = _instances(members, notes)
    sizes = sizing.sizes(needs, shared_addresses=shared, transports=serves, instances=instances)
    auth = _auth(members, base)
    notes += _limits(members, needs, instances, base)
    if auth == "bearer-header" and "websocket" in serves:
        notes.append(
            "auth: bearer-header: no browser sends a header with a WebSocket, so the page fetches a ticket first (POST "
            "/ticket) and sends it in the address; a ticket works for 30 s, and more than once in that time"
        )
    two_way = any(m.entry["two-way"] for m in members)
    edge = next(option for option in chosen if option.layer == "edge")
    solved = times([m.verdict.get("timing") or {} for m in members], base)
    if "websocket" not in serves:
        solved["connect_patience_ms"] = max(solved["connect_patience_ms"], STREAM_PATIENCE_MS)
    if instances > 1 and edge.name == "none":
        notes.append(f"instances: {instances}: the kit has no proxy; what spreads the clients over them is yours")
    return {
        "project": name,
        "slug": quoting.Trusted(quoting.own_slug(name, "realtime")),
        "features": _features(members),
        "transports": [quoting.Trusted(transport) for transport in serves],
        "two_way": two_way,
        "held": serves != ["short-polling"],
        "poll_s": int(poll_s) if poll_s == int(poll_s) else poll_s,
        "edge": {"name": quoting.Trusted(edge.name), "title": edge.title},
        "deploy": [f.to for f in manifest.files(chosen, instances) if f.to.startswith(("deploy/", "compose.yaml"))],
        **_between(chosen, base, edge, instances, notes),
        **_theirs(chosen, members, base),
        **silence(solved, serves),
        "paths": paths(serves, two_way=two_way),
        "reasons": [_reason(m, base) for m in members],
        "auth": auth,
        **versioned,
        "limit_addresses": not behind,
        "sizes": [
            {"name": quoting.Trusted(key), "value": size.value, "how": size.how, "why": size.why}
            for key, size in sizes.items()
            if (key != "streams_per_address" or (not behind and edge.name in LIMITS_ADDRESSES))
            and (not key.startswith("worker_") or edge.name == "nginx")
        ],
        "instances": instances,
        "server_ports": [PORTS["server_port"] + i for i in range(instances)],
        "all_clients": sizes["max_clients"].value * max(1, instances - 1),
        "rules_version": base.version,
        "notes": list(notes),
        **{key: size.value for key, size in sizes.items()},
        **solved,
        **PORTS,
    }


def _between(chosen: list[Option], base: RuleBase, edge: Option, instances: int, notes: list[str]) -> dict[str, Any]:
    """What the files for the stages in front name, and what the proxy does because of them; it listens at `origin`."""
    keep_alive_s = _keep_alive(chosen, base)
    if edge.name == "none" and keep_alive_s > KEEP_ALIVE_S:
        notes.append(
            f"the event server ends idle connections after {KEEP_ALIVE_S} s, and what stands in front keeps them for "
            "longer, so a request fails now and then: put a proxy between"
        )
    tls, written = edge.name not in WITHOUT_TLS, manifest.files(chosen, instances)
    return {
        "between": [
            {"title": option.title, "files": [quoting.Trusted(file.to) for file in written if file in option.files]}
            for option in chosen
            if option.layer == "between"
        ],
        "cards": _rows(chosen, base),
        "keep_alive_s": keep_alive_s,
        "answer_timeout_s": ANSWER_S,
        "origin": {"tls": tls, "port": PORTS["tls_port" if tls else "edge_port"]},
    }


def _theirs(chosen: list[Option], members: list[Member], base: RuleBase) -> dict[str, Any]:
    """What the team's own parts are: what publishes, what there is no template for, clients that are no browsers."""
    written = {o.fact for m in members for o in chosen if o.takes(m.answers.get(o.fact))}
    facts = [fact for fact in ("reverse-proxy", *ON_THE_WAY) if fact not in written]
    own = [word for fact in facts for m in members if m.answered(fact) for word in manifest.words(m.answers[fact])]
    container = next((o for o in chosen if (o.layer, o.name) == ("deploy", "container")), None)
    platforms_ = [m.answers["platform"] for m in members if container and m.answered("platform")]
    titles = base.questions["platform"].options
    return {
        "publish": [
            {"title": o.title, "files": [quoting.Trusted(file.to) for file in o.files], "run": o.name != "dotnet"}
            for o in chosen
            if o.layer == "publish"
        ],
        "yours": list(dict.fromkeys(own)),
        "own_clients": _own_clients(members, base),
        "hosts": list(dict.fromkeys(titles.get(w, w) for p in platforms_ for w in manifest.words(p))),
    }


def _own_clients(members: list[Member], base: RuleBase) -> list[str]:
    """Those that no template is for, sorted."""
    named = {w for m in members if "clients" in m.answers for w in manifest.words(m.answers["clients"])}
    return sorted(named - {*base.questions["clients"].on_a_page, str(UNKNOWN)})


def _rows(chosen: list[Option], base: RuleBase) -> dict[str, dict[str, platforms.Row]]:
    """What the files of the chosen options take from platform cards: platform to key to row, with _ in place of -."""
    found: dict[str, dict[str, platforms.Row]] = {}
    for path in (path for option in chosen for path in option.rows):
        row = platforms.row(base, path)
        if row is None:
            raise OutputError(f"the kit's files need {path} of the platform cards, and the rules have no such line")
        platform, _, key = path.replace("-", "_").split("/")
        found.setdefault(platform, {})[key] = row
    return found


def _keep_alive(chosen: list[Option], base: RuleBase) -> int:
    """How long the proxy keeps an idle connection of what stands in front, in seconds: longer than that does.

    Else a request may meet a connection that is just being closed.
    """
    kept = [row.value for o in chosen if o.kept and (row := platforms.row(base, o.kept))]
    return max([KEEP_ALIVE_S, *(int(value) + 20 for value in kept if not isinstance(value, str))])


def paths(serves: list[str], *, two_way: bool) -> list[str]:
    """The server's paths that nothing in front may cache, hold back or compress, and those that are posted to."""
    made = ["/events"] if "sse" in serves else []
    made += ["/ws", "/ticket"] if "websocket" in serves else []
    made += ["/send"] if two_way else []
    return [*made, "/poll", "/snapshot", "/config", "/session", "/publish"]


def silence(solved: Mapping[str, Any], serves: list[str]) -> dict[str, Any]:
    """`quiet_s`: how long a connection of this kit may be silent with one sign of life lost; `signs`: what ends it.

    `held_timeout_s`: how long a proxy waits that has one number for streams and polls; `front_timeout_s`: the same for
    what stands in front of it.
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


def _version(chosen: list[Option], members: list[Member], notes: list[str]) -> dict[str, Any]:
    """What the templates know of the version of the program that the answers name, where it matters."""
    gated = next((option.gates for option in chosen if option.gates), None)
    if gated is None:
        return {}
    stated = next((m.answers["nginx-version"] for m in members if "nginx-version" in m.answers), "")
    written, version, about = version_gates.choose(gated, stated)
    notes += about
    return {"nginx_version": quoting.Trusted(written), "gates": gated.open(version)}


def transports(members: Iterable[Member]) -> list[str]:
    """What a kit for these serves: the transports of all of them, in the order in which a page tries them."""
    wanted = {transport for member in members for transport in member.entry["transports"]}
    return [transport for transport in TRANSPORTS if transport in wanted]


def _short(member: Member) -> bool:
    return "short-polling" in member.entry["transports"]


def _features(members: list[Member]) -> list[dict[str, Any]]:
    """Name and event type of each. Viewers must not send a one-way feature because another one is two-way."""
    names = [member.name for member in members]
    made: list[dict[str, Any]] = [
        {"name": name, "slug": quoting.Trusted(slug)} for name, slug in zip(names, slugs(names), strict=True)
    ]
    two_way = [member.entry["two-way"] for member in members]
    if not any(two_way):
        return made
    return [one if both else one | {"two_way": False} for one, both in zip(made, two_way, strict=True)]


def slugs(names: Iterable[str]) -> list[str]:
    """One event type a feature: lower-case ASCII, unique, none that the protocol itself uses.

    It hangs on the other features of the project only where another one before it has the same words.
    """
    made: list[str] = []
    for name in names:
        marked = quoting.marked_slug(name, "feature")
        stem = quoting.slug(name) if quoting.says_all(name) else marked
        candidates = [f"{stem}-events" if stem in TAKEN else stem, marked, *(f"{marked}-{i}" for i in range(2, 10_000))]
        made.append(next(c for c in candidates if c not in made))
    return made


def times(timings: list[Mapping[str, Any]], base: RuleBase) -> dict[str, Any]:
    """The strictest time of all features, and how long a proxy waits because of them.

    Every connection ends at `max_connection_s`; 0 = nothing on the way is known to do that.
    """

    def every(key: str) -> list[int]:
        default, most = TIMES[key]
        return [min(most, t[key]) for t in timings if t.get(key)] or [default]

    heartbeat, retry, hold = min(every("heartbeat_s")), max(every("retry_ms")), min(every("hold_s"))
    most = max(retry, *every("retry_max_ms"))
    lives = [limit for t in timings for limit in t.get("limits") or () if limit["kind"] == "lifetime"]
    step = (min(most, 4 * retry) - retry) // 3
    return {
        "heartbeat_s": heartbeat,
        "retry_ms": retry,
        "retry_max_ms": most,
        "retry_steps": [retry + i * step for i in range(4)],
        "drain_s": min(every("drain_s")),
        "hold_s": hold,
        **timing.waits(heartbeat, hold, base),
        "connect_patience_ms": min(every("connect_patience_ms")),
        "max_connection_s": int(min((limit["seconds"] for limit in lives), default=0)),
    }


def _auth(members: list[Member], base: RuleBase) -> str:
    """How viewers sign in: the strictest of the answers, and what the rules assume where there is none."""
    lead = base.questions["auth"].lead
    stated = {a if isinstance(a := m.answers.get("auth"), str) else lead for m in members}
    return next(kind for kind in ("bearer-header", "cookie", "none") if kind in stated)


def _reason(member: Member, base: RuleBase) -> dict[str, str]:
    primary = member.verdict["primary"]
    why = next((a["why"] for a in member.verdict["acceptable"] if a["id"] == primary), "")
    return {"name": member.name, "pattern": base.patterns[primary].title, "why": why}


def _instances(members: list[Member], notes: list[str]) -> int:
    """How many event servers the kit is for; more than MOST_INSTANCES are said. Unknown is one."""
    stated = [n for m in members if isinstance(n := m.answers.get("instances"), int | float)]
    wanted = max(stated, default=1)
    if wanted > MOST_INSTANCES:
        notes.append(
            f"instances: {wanted:,.0f}: the kit is written for {MOST_INSTANCES} event servers on one machine; more of "
            "them, on other machines, need a line each where the clients are spread over them, and the same Redis"
        )
    return int(max(1, min(wanted, MOST_INSTANCES)))


def _limits(members: list[Member], needs: list[sizing.Feature], instances: int, base: RuleBase) -> list[str]:
    """What the answers ask for and this kit does not do."""
    notes = []
    wanted, most = sizing.wanted_streams(needs), sizing.most_streams(instances)
    if wanted > most:
        carry = "one server carry" if instances == 1 else f"{instances} servers carry while one of them is away"
        notes.append(
            f"{wanted:,.0f} clients are more than one proxy and {carry} ({most:,} streams): "
            "the kit is sized for that many"
        )
    if max(need.payload for need in needs) > 1 << 20:
        notes.append("an event of this kit holds at most 1 MB; publish a link to larger data")
    if any(m.answers.get("binary") is True for m in members):
        notes.append("binary: events of this kit are JSON text; send bytes as a link, or as base64 (a third larger)")
    brokers = {w for m in members if m.answered("broker") for w in manifest.words(m.answers["broker"])}
    if instances > 1:
        brokers -= {"redis"}
        why = "there is no template for it yet; the event servers share a log in Redis or Valkey"
    else:
        why = "one event server needs no broker; it keeps its log in SQLite"
    notes += [f"broker: {', '.join(map(visible, sorted(brokers)))}: {why}"] if brokers else []
    if others := _own_clients(members, base):
        named = ", ".join(map(visible, others))
        notes.append(
            f"clients: {named}: no template yet; the README tells the protocol, and client/ is a page that shows it"
        )
    return notes
