"""The limits on the path: what ends a connection or a request, which of them the answers bring in, and the remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from advisor.model.values import UNKNOWN, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.model.verdict import PathLimit

Kind = Literal["idle", "first-byte", "total", "lifetime", "grace", "rate"]
KIND_WORDS: dict[Kind, str] = {
    "idle": "idle limit",
    "first-byte": "limit on the first byte",
    "total": "limit on the whole response",
    "lifetime": "lifetime",
    "grace": "grace",
}
STATED: dict[str, Kind] = {"idle-timeout-s": "idle", "max-connection-s": "lifetime"}
# The questions whose answers are on the path, from the client inwards, with the role of the answer.
ROLES = {
    "cdn": "CDN",
    "load-balancer": "load balancer",
    "reverse-proxy": "reverse proxy",
    "service-mesh": "service mesh",
    "platform": "platform",
    "hosting-layer": "server program",
}


class Limit(NamedTuple):
    """One thing that ends a connection or a request after `seconds`, at the (fact, answer) pairs of `at`.

    For the kind "rate" `seconds` is the number of new connections in each second.
    """

    id: str
    name: str  # of the platform
    at: tuple[tuple[str, str], ...]
    kind: Kind
    channels: tuple[str, ...]  # that it ends, of those in rules/patterns.yaml; every one where it is empty
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

        A platform that is on the path twice is named with both its places: both have to be configured.
        """
        fact, _ = self.at[0]
        if fact in STATED:
            return f"your answer to {fact}"
        place = f"{self.name} as {' and '.join(ROLES[f] for f, _ in self.at)}" if len(self.at) > 1 else self.name
        return f"{place} ({self.setting})" if self.setting else place

    def __str__(self) -> str:
        return f"{KIND_WORDS[self.kind]} of {span(self.seconds)}, {self.where}"


def limit_of(row: Mapping[str, Any]) -> Limit:
    """The limit of one row of the table `timing`, which has the fields of a limit as JSON carries them."""
    return Limit(**row)._replace(
        at=tuple((fact, answer) for fact, answer in row["at"]), channels=tuple(row["channels"])
    )


def met_by(limits: list[Limit], channel: str) -> list[Limit]:
    """Those that this channel meets; all of them where it is empty."""
    return [limit for limit in limits if not channel or not limit.channels or channel in limit.channels]


def on_the_way(answers: Mapping[str, Value], table: Iterable[Limit]) -> list[Limit]:
    """The limits that the answers name, shortest first; `at` is narrowed to the answers that brought the limit in.

    A stated idle limit or lifetime takes the place of the stock values that can be changed. What cannot be changed
    stays, and so does the most that something can be changed to, where more was stated than that allows.
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
        channels=(),
        seconds=value,
        up_to=None,
        change="setting",
        setting="",
        says=f"Stated as {span(value)}.",
        source="",
        as_of="",
        confidence="high",
        contested="",
    )


def remedy(limit: Limit, otherwise: str) -> str:
    """What to do about a limit that is too short."""
    if limit.at[0][0] in STATED and limit.seconds == 0:
        return f"The value 0 is used as given. If there is no limit, leave {limit.id} unknown; otherwise {otherwise}."
    most = f" to {span(limit.up_to)} at most" if limit.up_to is not None else ""
    if limit.change == "fixed":
        return f"It cannot be raised: {otherwise}."
    if limit.change == "quota":
        return f"Only the vendor can raise it{most}: ask, or {otherwise}."
    how = f" with {limit.setting}" if limit.setting else ""
    return f"Raise it{most}{how}, or {otherwise}."


def span(value: float) -> str:
    """Seconds for people."""
    return f"{value:g} s"


def plain(limit: Limit) -> PathLimit:
    """The limit as the verdict has it. A limit on the rate of new connections is not among those: it ends none."""
    assert limit.kind != "rate"
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
