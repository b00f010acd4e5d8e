"""The list of all names that a template may use. A test compares it with every template.

Each name has a text: its meaning with its unit, and an example after a semicolon. `values.context` makes the values. A
template may also use the names that its entry in a manifest.yaml gives it under `with`.
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from advisor.kit.quoting import Fragment, Trusted, Word
from advisor.model.platforms import Row

# --- names inside other names -----------------------------------------------------------------------------------------


class Feature(TypedDict):
    """A feature of the kit."""

    name: Annotated[str, "as the answers have it; Order status"]
    slug: Annotated[Trusted, "its type of event; order-status"]
    two_way: NotRequired[Annotated[bool, "false where viewers may send other features, and not this one"]]


class Edge(TypedDict):
    """The proxy, from its manifest (option_schema.EdgeManifest)."""

    name: Annotated[Trusted, "its folder under templates/edge/, and in the kit; haproxy"]
    title: Annotated[str, "its name for people; HAProxy"]
    tls: Annotated[bool, "whether it ends TLS itself"]
    limits_addresses: Annotated[bool, "whether its template limits the streams of one address"]
    readme: Annotated[dict[str, Fragment], "words of the README about it, each for the filter `fragment`; readme.check"]


class Server(TypedDict):
    """The event server, from its manifest (option_schema.ServerManifest)."""

    language: Annotated[str, "what it is written in; Python"]
    log: Annotated[str, "what keeps the log of a single instance; SQLite"]
    memory_kb: Annotated[float, "kB of memory for a stream of this kit, measured; 13.5"]
    start: Annotated[dict[str, object], "how start.py runs it (option_schema.Start), as JSON"]
    image: Annotated[list[Word], "the command in the image, for the filter `words`; python -m server"]
    health: Annotated[list[Word | str], "the command of a health check in the image; {port} in it is the port"]
    unit: Annotated[
        list[Word], "the command under systemd, absolute or from the kit's folder; .venv/bin/python -m server"
    ]
    unit_copy: Annotated[list[Word], "files that it needs besides server, client and settings.json; requirements.txt"]
    unit_install: Annotated[list[Fragment], "shell commands that install it, each for the filter `fragment`"]
    readme: Annotated[dict[str, Fragment], "words of the README about it, each for the filter `fragment`; readme.needs"]


class Stage(TypedDict):
    """Something in front of the kit's proxy that a file of the kit is for."""

    title: Annotated[str, "its name for people; Cloudflare"]
    files: Annotated[list[Trusted], "paths in the kit; between/cloudflare.tf"]


class Origin(TypedDict):
    """Where the kit's proxy listens for the stage in front."""

    tls: Annotated[bool, "whether it speaks TLS"]
    port: Annotated[int, "TCP port; 8443"]


class Example(TypedDict):
    """An example of publishing."""

    title: Annotated[str, "its language for people; Go"]
    files: Annotated[list[Trusted], "paths in the kit; publish/publish.go"]
    run: Annotated[bool, "whether a test of advisor runs it"]


class Reason(TypedDict):
    """Why a feature has its pattern."""

    name: Annotated[str, "of the feature; Order status"]
    pattern: Annotated[str, "title of the pattern; Server-Sent Events"]
    why: Annotated[str, "a sentence of the decision"]


class Sized(TypedDict):
    """A number of the kit that follows from the answers, for the table in the README."""

    name: Annotated[Trusted, "one of the names of Numbers; max_clients"]
    value: Annotated[int, "in the unit of that name; 1250"]
    how: Annotated[str, "its formula in words; clients + 25 %"]
    why: Annotated[str, "where the formula comes from"]


# --- the names --------------------------------------------------------------------------------------------------------


class Times(TypedDict):
    """Times of the protocol: the strictest of all features."""

    heartbeat_s: Annotated[int, "seconds from one sign of life of a stream to the next; 25"]
    retry_ms: Annotated[int, "ms after which a client comes back at the earliest; 1000"]
    retry_max_ms: Annotated[int, "ms after which a client comes back at the latest; 30000"]
    retry_steps: Annotated[list[int], "four delays in ms out of which a proxy draws one; 1000, 2000, 3000, 4000"]
    drain_s: Annotated[int, "seconds that a stop of the server takes at most; 20"]
    hold_s: Annotated[int, "seconds for which a long poll is held at most; 25"]
    read_timeout_s: Annotated[int, "seconds for which a proxy waits for the next byte of a stream; 75"]
    poll_timeout_s: Annotated[int, "seconds for which a proxy waits for the answer to a poll; 40"]
    connect_patience_ms: Annotated[int, "ms that a transport has to open, before the next is tried; 2500"]
    max_connection_s: Annotated[int, "seconds after which a proxy on the path ends every connection; 0: none is known"]


class Silence(TypedDict):
    """How long a connection may be silent: for the stages in front."""

    quiet_s: Annotated[int, "seconds of silence with one sign of life lost; 51"]
    signs: Annotated[str, "what ends the silence, as a clause; the server sends something every 25 s"]
    held_timeout_s: Annotated[int, "seconds for a proxy that has one time for streams and polls; 75"]
    front_timeout_s: Annotated[int, "seconds, the same for a stage in front of the proxy, a little longer; 80"]


class Numbers(TypedDict):
    """Sizes, computed from the answers (sizing.py)."""

    max_clients: Annotated[int, "streams that one instance takes; 1250"]
    worker_connections: Annotated[int, "connections of an nginx worker, both sides counted; 3012"]
    worker_rlimit_nofile: Annotated[int, "open files of an nginx worker; 6024"]
    server_nofile: Annotated[int, "open files of an event server; 2274"]
    streams_per_address: Annotated[int, "streams that the proxy lets one address open; 100"]
    max_payload_bytes: Annotated[int, "bytes of the JSON of an event; 65536"]
    history_events: Annotated[int, "events that the log keeps; 1000"]
    per_client_queue: Annotated[int, "events that a client may be behind before it is fed from the log; 64"]


class Front(TypedDict):
    """What the files for the stages in front name, and the proxy's times that depend on them."""

    between: Annotated[list[Stage], "the stages in front that the kit has files for"]
    cards: Annotated[
        dict[str, dict[str, Row]], "rows of platform cards, by platform and key with _ for -; cards.aws_alb.idle.value"
    ]
    keep_alive_s: Annotated[int, "seconds for which the proxy keeps an idle connection from the stage in front; 75"]
    answer_timeout_s: Annotated[int, "seconds for which a proxy waits for an answer that is not held; 60"]
    origin: Annotated[Origin, "where the kit's proxy listens for the stage in front"]


class Team(TypedDict):
    """The team's own parts."""

    publish: Annotated[list[Example], "examples of publishing, one for each back end of the answers"]
    yours: Annotated[list[str], "the answers without a template, in words; Squid 6"]
    own_clients: Annotated[list[str], "clients without a template; ios"]
    hosts: Annotated[list[str], "titles of the platforms that run containers, if the kit is for one; Heroku"]


class Versions(TypedDict, total=False):
    """Only in kits with a proxy whose configuration depends on its version (nginx)."""

    nginx_version: Annotated[Trusted, "the version that the configuration is written for; 1.22.1"]
    nginx_image: Annotated[Trusted, "the tag of the image for containers; 1.30.4"]
    gates: Annotated[dict[str, bool], "what nginx_version needs, by gate with _ for - (gates.yaml); http2_directive"]
    image_gates: Annotated[dict[str, bool], "the same of nginx_image"]


class Ports(TypedDict):
    """TCP ports on loopback."""

    edge_port: Annotated[int, "of the proxy, plain HTTP; 8080"]
    tls_port: Annotated[int, "of the proxy with TLS; 8443"]
    server_port: Annotated[int, "of the first event server; 8081"]


class Context(Times, Silence, Numbers, Front, Team, Versions, Ports):
    """Every name."""

    project: Annotated[str, "the project's name as the answers have it; Acme orders"]
    slug: Annotated[Trusted, "its name in paths and identifiers; acme-orders"]
    features: Annotated[list[Feature], "the features that this kit is for, at least one"]
    transports: Annotated[list[Trusted], "what the page tries, in this order; sse, long-polling"]
    two_way: Annotated[bool, "whether viewers may send"]
    held: Annotated[bool, "whether any transport keeps a request open: all but short polling"]
    poll_s: Annotated[int | float, "seconds from one short poll to the next; 5"]
    edge: Annotated[Edge, "the proxy, or that there is none"]
    server: Annotated[Server, "the event server"]
    deploy: Annotated[list[str], "paths of this kit's files for deployment; compose.yaml, deploy/Dockerfile"]
    paths: Annotated[list[str], "paths of the server that no proxy in front may cache or hold back; /events, /poll"]
    reasons: Annotated[list[Reason], "why each feature has its pattern"]
    auth: Annotated[str, "how viewers sign in; none, cookie or bearer-header"]
    limit_addresses: Annotated[bool, "whether clients come with addresses of their own, so that a limit makes sense"]
    sizes: Annotated[list[Sized], "the sizes that this kit's files use, for the table in the README"]
    instances: Annotated[int, "event servers, from 1; 3"]
    server_ports: Annotated[list[int], "their TCP ports; 8081, 8082, 8083"]
    all_clients: Annotated[int, "streams that all instances take while one of several is away; 2500"]
    rules_version: Annotated[str, "of the rule base; 1.2.3"]
    notes: Annotated[list[str], "what the answers leave open and what the kit does not do, in sentences"]
