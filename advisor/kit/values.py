"""The values that the templates of a kit name (context.py), made from answers, verdicts and the chosen options."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from advisor.base.errors import OutputError
from advisor.kit import gaps, manifest, quoting, sizing, version_gates
from advisor.kit.member import Member
from advisor.kit.times import ANSWER_S, silence, times
from advisor.model import platforms
from advisor.model.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.kit.context import (
        Context,
        Edge,
        Feature,
        Front,
        Numbers,
        Ports,
        Reason,
        Server,
        Sized,
        Team,
        Versions,
    )
    from advisor.kit.manifest import Option
    from advisor.kit.option_schema import ServerManifest
    from advisor.model.rulebase import RuleBase

PORTS: Ports = {"edge_port": 8080, "tls_port": 8443, "server_port": 8081}
MOST_INSTANCES = 16  # of the event server on one machine; each uses one core at most
TAKEN = frozenset({"hello", "heartbeat", "reset", "drain", "message", "error", "open"})  # event names of the protocol
KEEP_ALIVE_S = 75  # for an idle connection from the stage in front, which closes it after 60 s unless its card has more
ON_THE_WAY = ("load-balancer", "cdn", "service-mesh")  # a note is printed where the kit has no file for one
TRANSPORTS = ("websocket", "sse", "long-polling", "short-polling")  # in the order in which a page tries them


def context(name: str, members: list[Member], base: RuleBase, chosen: list[Option], notes: list[str]) -> Context:
    """Every value that a template may name. Adds notes about what the answers leave open or the kit does not do."""
    versions = _versions(chosen, members, notes)
    needs = [sizing.feature(m.answers, (m.verdict.get("costs") or {}).get("inputs", {})) for m in members]
    serves = transports(members)
    instances = _instances(members, notes)
    shared = any(m.answers.get("corporate-networks", UNKNOWN) is not False for m in members)
    sizes = sizing.sizes(needs, shared_addresses=shared, transports=serves, instances=instances)
    two_way = any(m.entry["two-way"] for m in members)
    auth, server = _auth(members, base), manifest.of_layer(chosen, "server").server
    edge = manifest.of_layer(chosen, "edge")
    notes += gaps.limits(members, needs, instances, server.log, base)
    notes += gaps.ways(auth, serves, instances, edge)
    solved = times([m.verdict.get("timing") or {} for m in members], base, streams="websocket" not in serves)
    limit_addresses = not any(m.answered("load-balancer") or m.answered("cdn") for m in members)
    front = _front(chosen, base, edge, instances, notes)
    return {
        "project": name,
        "slug": quoting.Trusted(quoting.own_slug(name, "realtime")),
        "features": _features(members),
        "transports": [quoting.Trusted(transport) for transport in serves],
        "two_way": two_way,
        "held": serves != ["short-polling"],
        "poll_s": _poll_s(needs, members),
        "edge": _edge(edge),
        "server": _server(server, serves),
        "deploy": [f.to for f in manifest.files(chosen, instances) if f.to.startswith(("deploy/", "compose.yaml"))],
        "paths": paths(serves, two_way=two_way),
        "reasons": [_reason(m, base) for m in members],
        "auth": auth,
        "limit_addresses": limit_addresses,
        "sizes": _sized(sizes, edge, limited=limit_addresses),
        "instances": instances,
        "server_ports": [PORTS["server_port"] + i for i in range(instances)],
        "all_clients": sizes["max_clients"].value * max(1, instances - 1),
        "rules_version": base.version,
        "notes": list(notes),
        **versions,
        **front,
        **_theirs(chosen, members, base),
        **silence(solved, serves),
        **_numbers(sizes),
        **solved,
        **PORTS,
    }


def _edge(option: Option) -> Edge:
    """The proxy, as templates may name it."""
    says = option.edge
    return {
        "name": quoting.Trusted(option.name),
        "title": option.title,
        "tls": says.tls,
        "limits_addresses": says.limits_addresses,
        "readme": {key: quoting.Fragment(text) for key, text in asdict(says.readme).items()},
    }


def _server(says: ServerManifest, serves: list[str]) -> Server:
    """The event server, as templates may name it, in a kit with these transports."""
    memory = says.memory_kb["websocket" if "websocket" in serves else "other"]
    return {
        "language": says.language,
        "log": says.log,
        "memory_kb": memory,
        "start": asdict(says.start),
        "image": [quoting.Word(word) for word in says.image.command],
        "health": [quoting.Word(w) if quoting.is_word(w) else w for w in says.image.health],
        "unit": [quoting.Word(word) for word in says.unit.exec],
        "unit_copy": [quoting.Word(path) for path in says.unit.copy],
        "unit_install": [quoting.Fragment(line) for line in says.unit.install],
        "readme": {key: quoting.Fragment(text) for key, text in asdict(says.readme).items()},
    }


def _poll_s(needs: list[sizing.Feature], members: list[Member]) -> int | float:
    """Seconds from one short poll to the next: what the most impatient feature needs."""
    short = [need.poll_s for need, m in zip(needs, members, strict=True) if "short-polling" in m.entry["transports"]]
    poll_s = min(short, default=sizing.POLL_S)
    return int(poll_s) if poll_s == int(poll_s) else poll_s


def _sized(sizes: Mapping[str, sizing.Size], edge: Option, *, limited: bool) -> list[Sized]:
    """The sizes that this kit's files use. `limited`: whether it makes sense to limit the streams of an address."""
    unused = {"worker_connections", "worker_rlimit_nofile"} if edge.name != "nginx" else set()
    if not (limited and edge.edge.limits_addresses):
        unused.add("streams_per_address")
    return [
        {"name": quoting.Trusted(key), "value": size.value, "how": size.how, "why": size.why}
        for key, size in sizes.items()
        if key not in unused
    ]


def _numbers(sizes: Mapping[str, sizing.Size]) -> Numbers:
    return {
        "max_clients": sizes["max_clients"].value,
        "worker_connections": sizes["worker_connections"].value,
        "worker_rlimit_nofile": sizes["worker_rlimit_nofile"].value,
        "server_nofile": sizes["server_nofile"].value,
        "streams_per_address": sizes["streams_per_address"].value,
        "max_payload_bytes": sizes["max_payload_bytes"].value,
        "history_events": sizes["history_events"].value,
        "per_client_queue": sizes["per_client_queue"].value,
    }


def _front(chosen: list[Option], base: RuleBase, edge: Option, instances: int, notes: list[str]) -> Front:
    """What the files for the stages in front name, and the proxy times that depend on them; it listens at `origin`."""
    keep_alive_s = _keep_alive(chosen, base)
    if edge.name == "none" and keep_alive_s > KEEP_ALIVE_S:
        notes.append(
            f"the event server ends idle connections after {KEEP_ALIVE_S} s, and the stage in front keeps them for "
            "longer, so a request fails now and then: put a proxy between"
        )
    tls, written = edge.edge.tls, manifest.files(chosen, instances)
    return {
        "between": [
            {"title": option.title, "files": [quoting.Trusted(file.to) for file in written if file in option.files]}
            for option in chosen
            if option.layer == "between"
        ],
        "cards": _rows(chosen, base),
        "keep_alive_s": keep_alive_s,
        "answer_timeout_s": ANSWER_S,
        "origin": {"tls": tls, "port": PORTS["tls_port"] if tls else PORTS["edge_port"]},
    }


def _theirs(chosen: list[Option], members: list[Member], base: RuleBase) -> Team:
    """What the team's own parts are: what publishes, what there is no template for, clients other than browsers."""
    written = {o.fact for m in members for o in chosen if o.takes(m.answers.get(o.fact))}
    facts = [fact for fact in ("reverse-proxy", *ON_THE_WAY) if fact not in written]
    own = [word for fact in facts for m in members if m.answered(fact) for word in manifest.words(m.answers[fact])]
    container = next((o for o in chosen if (o.layer, o.name) == ("deploy", "container")), None)
    platforms_ = [m.answers["platform"] for m in members if container and m.answered("platform")]
    titles = base.questions["platform"].options
    return {
        "publish": [
            {"title": o.title, "files": [quoting.Trusted(file.to) for file in o.files], "run": o.publish.tested}
            for o in chosen
            if o.layer == "publish"
        ],
        "yours": list(dict.fromkeys(own)),
        "own_clients": gaps.own_clients(members, base),
        "hosts": list(dict.fromkeys(titles.get(w, w) for p in platforms_ for w in manifest.words(p))),
    }


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
    """How long the proxy keeps an idle connection from the stage in front, in seconds: longer than that stage does.

    Else a request may arrive on a connection that is just being closed.
    """
    kept = [row.value for o in chosen if o.kept and (row := platforms.row(base, o.kept))]
    return max([KEEP_ALIVE_S, *(int(value) + 20 for value in kept if not isinstance(value, str))])


def paths(serves: list[str], *, two_way: bool) -> list[str]:
    """The server's paths that nothing in front may cache, hold back or compress, and those that are posted to."""
    made = ["/events"] if "sse" in serves else []
    made += ["/ws", "/ticket"] if "websocket" in serves else []
    made += ["/send"] if two_way else []
    return [*made, "/poll", "/snapshot", "/config", "/session", "/publish"]


def _versions(chosen: list[Option], members: list[Member], notes: list[str]) -> Versions:
    """What the templates know of the version of the program that the answers name, where it matters."""
    gated = next((option.gates for option in chosen if option.gates), None)
    if gated is None:
        return {}
    stated = next((m.answers["nginx-version"] for m in members if "nginx-version" in m.answers), "")
    written, version, about = version_gates.choose(gated, stated)
    notes += about
    image, in_image = gated.image(written, version)
    return {
        "nginx_version": quoting.Trusted(written),
        "nginx_image": quoting.Trusted(image),
        "gates": gated.open(version),
        "image_gates": gated.open(in_image),
    }


def transports(members: Iterable[Member]) -> list[str]:
    """What a kit for these serves: the transports of all of them, in the order in which a page tries them."""
    wanted = {transport for member in members for transport in member.entry["transports"]}
    return [transport for transport in TRANSPORTS if transport in wanted]


def _features(members: list[Member]) -> list[Feature]:
    """Name and event type of each. Viewers must not send a one-way feature because another one is two-way."""
    names = [member.name for member in members]
    made: list[Feature] = [
        {"name": name, "slug": quoting.Trusted(slug)} for name, slug in zip(names, slugs(names), strict=True)
    ]
    two_way = [member.entry["two-way"] for member in members]
    if not any(two_way):
        return made
    return [one if both else {**one, "two_way": False} for one, both in zip(made, two_way, strict=True)]


def slugs(names: Iterable[str]) -> list[str]:
    """One event type a feature: lower-case ASCII, unique, none that the protocol itself uses.

    It depends on the other features of the project only where an earlier one has the same words.
    """
    made: list[str] = []
    for name in names:
        marked = quoting.marked_slug(name, "feature")
        stem = quoting.slug(name) if quoting.says_all(name) else marked
        candidates = [f"{stem}-events" if stem in TAKEN else stem, marked, *(f"{marked}-{i}" for i in range(2, 10_000))]
        made.append(next(c for c in candidates if c not in made))
    return made


def _auth(members: list[Member], base: RuleBase) -> str:
    """How viewers sign in: the strictest of the answers, and what the rules assume where there is none."""
    lead = base.questions["auth"].lead
    stated = {a if isinstance(a := m.answers.get("auth"), str) else lead for m in members}
    return next(kind for kind in ("bearer-header", "cookie", "none") if kind in stated)


def _reason(member: Member, base: RuleBase) -> Reason:
    primary = member.verdict["primary"]
    why = next((a["why"] for a in member.verdict["acceptable"] if a["id"] == primary), "")
    return {"name": member.name, "pattern": base.patterns[primary].title, "why": why}


def _instances(members: list[Member], notes: list[str]) -> int:
    """How many event servers the kit is for; a note is printed for more than MOST_INSTANCES. Unknown is one."""
    stated = [n for m in members if isinstance(n := m.answers.get("instances"), int | float)]
    wanted = max(stated, default=1)
    if wanted > MOST_INSTANCES:
        notes.append(
            f"instances: {wanted:,.0f}: the kit is written for {MOST_INSTANCES} event servers on one machine; more of "
            "them, on other machines, need a line each where the clients are spread over them, and the same Redis"
        )
    return int(max(1, min(wanted, MOST_INSTANCES)))
