"""Reads settings.json, the one file of the kit that depends on the answers, and refuses what it does not know.

key                type and range                   meaning
project            text                             shown as the page's title
features           [{"name": text, "slug": slug}]   what may be published; the slug is the event's `type`. With
                                                    "two_way": false, viewers may not send it in spite of two_way below
transports         [websocket | sse | long-polling | short-polling]   what is served, in the order that the page tries
two_way            true | false                     viewers may send: POST /send, and messages on the WebSocket
hold_s             number 0.2 .. 600                a long poll without news is answered after this long
poll_s             number 0.2 .. 86,400             a short poll asks again after this long
connect_patience_ms   whole 100 .. 60,000           the page gives a transport this long to greet, if it has another one
heartbeat_s        number 0.2 .. 300                a named heartbeat event goes to every stream this often
retry_ms           whole 100 .. 60,000              first delay before a client connects again (it adds jitter)
retry_max_ms       whole retry_ms .. 600,000        longest delay before a client connects again
drain_s            number 0.5 .. 600                SIGTERM to exit takes at most this long
history_events     whole 100 .. 10,000,000          events that the log keeps for replay
max_payload_bytes  whole 1,024 .. 1,048,576         largest body of a publish, largest message on a WebSocket
max_clients        whole 1 .. 1,000,000             streams and held polls that are served; the next one gets 503
per_client_queue   whole 16 .. history_events       events that a client may be behind before it is fed from the disk,
                                                    and the most that is fetched for it at a time
origins            [text]                           exact Origin values that may read; [] = the page's own origin only
                                                    (a list must name that one too, if its page signs in)
auth               none | cookie | bearer-header    who may read (the check is `viewer_allowed` in security.py)
ports              {"edge": port, "server": port}   where nginx listens, where this server listens (on loopback)

Where several instances share a log in Redis, these too (and instance i, from 0 on, listens on ports.server + i):
instances          whole 1 .. 64                    how many start.py starts; from 2 on the log is in Redis
redis_url          text                             redis://, rediss:// or unix://; "" = REDIS_URL of the environment,
                                                    else the socket var/redis.sock, where start.py starts a Redis
redis_prefix       a-z 0-9 : . _ - { }              how the names of its keys begin

And where a proxy on the path ends every connection at a known age:
max_connection_s   number 0 .. 31,536,000           that age; 0 = none is known. The page does not count it as a failure
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
REDIS_PREFIX = re.compile(r"[a-z0-9:._{}-]{1,100}\Z")
REDIS_URL = re.compile(r"((rediss?|unix)://\S+)?\Z")
ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+\Z")
TAKEN = frozenset({"hello", "heartbeat", "reset", "drain", "message", "error", "open"})  # event names of the protocol
TRANSPORTS = ("websocket", "sse", "long-polling", "short-polling")
AUTH = ("none", "cookie", "bearer-header")


class SettingsError(Exception):
    """settings.json cannot be used; the text says which key and why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What settings.json says; the table above has the units and ranges."""

    project: str
    features: tuple[tuple[str, str, bool], ...]  # (name, slug, whether viewers may send it)
    transports: tuple[str, ...]
    two_way: bool
    hold_s: float
    poll_s: float
    connect_patience_ms: int
    heartbeat_s: float
    retry_ms: int
    retry_max_ms: int
    drain_s: float
    history_events: int
    max_payload_bytes: int
    max_clients: int
    per_client_queue: int
    origins: tuple[str, ...]
    auth: str
    edge_port: int
    server_port: int
    instances: int
    redis_url: str
    redis_prefix: str
    max_connection_s: float

    @property
    def slugs(self) -> tuple[str, ...]:
        """The event types that may be published, in the order of the file."""
        return tuple(slug for _, slug, _ in self.features)

    @property
    def sendable(self) -> tuple[str, ...]:
        """The event types that viewers may send."""
        return tuple(slug for _, slug, two_way in self.features if two_way)

    def public(self) -> dict[str, Any]:
        """What any page may know: GET /config."""
        return {
            "project": self.project,
            "features": [{"name": name, "slug": slug, "two_way": both} for name, slug, both in self.features],
            "transports": self.transports,
            "two_way": self.two_way,
            "hold_s": self.hold_s,
            "poll_s": self.poll_s,
            "connect_patience_ms": self.connect_patience_ms,
            "heartbeat_s": self.heartbeat_s,
            "retry_ms": self.retry_ms,
            "retry_max_ms": self.retry_max_ms,
            "max_connection_s": self.max_connection_s,
            "auth": self.auth,
        }


def load(path: Path) -> Settings:
    """The settings in `path`. Raises SettingsError with one line that says what is wrong."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    try:
        return _settings(raw)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _settings(raw: Any) -> Settings:
    names = ["project", "features", "transports", "two_way", "hold_s", "poll_s", "connect_patience_ms", "heartbeat_s",
             "retry_ms", "retry_max_ms", "drain_s", "history_events", "max_payload_bytes", "max_clients",
             "per_client_queue", "origins", "auth", "ports"]  # fmt: skip
    shared = {"instances": 1, "redis_url": "", "redis_prefix": "realtime", "max_connection_s": 0}
    raw = shared | raw if isinstance(raw, dict) else raw
    _keys(raw, [*names, *shared], "the file")
    _keys(raw["ports"], ["edge", "server"], "ports")
    history = _number(raw, "history_events", 100, 10_000_000)
    retry = _number(raw, "retry_ms", 100, 60_000)
    if not isinstance(raw["project"], str):
        raise SettingsError("project: must be text")
    if raw["auth"] not in AUTH:
        raise SettingsError(f"auth: must be one of {', '.join(AUTH)}")
    if not isinstance(raw["two_way"], bool):
        raise SettingsError("two_way: must be true or false")
    return Settings(
        project=raw["project"],
        features=_features(raw["features"], raw["two_way"]),
        transports=_transports(raw["transports"]),
        two_way=raw["two_way"],
        hold_s=_number(raw, "hold_s", 0.2, 600, whole=False),
        poll_s=_number(raw, "poll_s", 0.2, 86_400, whole=False),
        connect_patience_ms=_number(raw, "connect_patience_ms", 100, 60_000),
        heartbeat_s=_number(raw, "heartbeat_s", 0.2, 300, whole=False),
        retry_ms=retry,
        retry_max_ms=_number(raw, "retry_max_ms", retry, 600_000),
        drain_s=_number(raw, "drain_s", 0.5, 600, whole=False),
        history_events=history,
        max_payload_bytes=_number(raw, "max_payload_bytes", 1024, 1_048_576),
        max_clients=_number(raw, "max_clients", 1, 1_000_000),
        per_client_queue=_number(raw, "per_client_queue", 16, history),
        origins=_origins(raw["origins"]),
        auth=raw["auth"],
        edge_port=_number(raw["ports"], "edge", 1, 65_535),
        server_port=_number(raw["ports"], "server", 1, 65_535),
        instances=_number(raw, "instances", 1, 64),
        redis_url=_matching(raw, "redis_url", REDIS_URL, '"", or an address like redis://host:6379/0'),
        redis_prefix=_matching(raw, "redis_prefix", REDIS_PREFIX, "1 to 100 of a-z 0-9 : . _ - { }"),
        max_connection_s=_number(raw, "max_connection_s", 0, 31_536_000, whole=False),
    )


def _keys(value: Any, names: list[str], where: str) -> None:
    if not isinstance(value, dict):
        raise SettingsError(f"{where}: must be an object with the keys {', '.join(names)}")
    if unknown := sorted(value.keys() - set(names)):
        raise SettingsError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(names)}")
    if missing := [name for name in names if name not in value]:
        raise SettingsError(f"{where}: the key {missing[0]!r} is missing")


def _number(raw: dict[str, Any], key: str, low: float, high: float, *, whole: bool = True) -> Any:
    value = raw[key]
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise SettingsError(f"{key}: must be a {'whole ' if whole else ''}number from {low} to {high}, not {value!r}")
    return value


def _transports(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len({str(name) for name in value}) != len(value):
        raise SettingsError("transports: must be a list of at least one transport, each once")
    for name in value:
        if name not in TRANSPORTS:
            raise SettingsError(f"transports: {name!r} is not one of {', '.join(TRANSPORTS)}")
    return tuple(value)


def _features(value: Any, two_way: bool) -> tuple[tuple[str, str, bool], ...]:
    if not isinstance(value, list) or not value:
        raise SettingsError('features: must be a list of at least one {"name": ..., "slug": ...}')
    pairs = []
    for item in value:
        feature = {"two_way": two_way, **item} if isinstance(item, dict) else item
        _keys(feature, ["name", "slug", "two_way"], "features")
        name, slug, both = feature["name"], feature["slug"], feature["two_way"]
        if not isinstance(name, str) or not isinstance(slug, str) or not SLUG.match(slug) or slug in TAKEN:
            raise SettingsError(f"features: slug {slug!r} must be a-z, 0-9, '-' and none of {', '.join(sorted(TAKEN))}")
        if not isinstance(both, bool) or (both and not two_way):
            raise SettingsError(f"features: two_way of {slug!r} must be false, or true like the file's two_way")
        pairs.append((name, slug, both))
    if len({slug for _, slug, _ in pairs}) != len(pairs):
        raise SettingsError("features: two of them have the same slug")
    return tuple(pairs)


def _matching(raw: dict[str, Any], key: str, pattern: re.Pattern[str], form: str) -> str:
    value = raw[key]
    if not isinstance(value, str) or not pattern.match(value):
        raise SettingsError(f"{key}: must be {form}")  # without the value: an address may hold a password
    return value


def _origins(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingsError("origins: must be a list")
    for origin in value:
        if not isinstance(origin, str) or not ORIGIN.match(origin):
            raise SettingsError(f"origins: {origin!r} is no Origin as a browser sends it, like https://app.example.com")
    return tuple(value)
