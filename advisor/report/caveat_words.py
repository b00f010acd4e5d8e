"""What all reports print alike about caveats: what to do where, what the kit does, what depends on an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from advisor.base.text import visible
from advisor.model.answers_in_words import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.model.advice import Advice
    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Doing, FeatureVerdict, Handled, IfKept, Place, RaisedCaveat, Severity, Verdict

AT: Final[dict[Place, str]] = {
    "client": "In the client",
    "cdn": "At the CDN",
    "load-balancer": "At the load balancer",
    "reverse-proxy": "At the reverse proxy",
    "service-mesh": "In the mesh",
    "path": "On the path",
    "platform": "On the platform",
    "hosting-layer": "In what runs the server",
    "server-stack": "In the server's language",
    "existing-stack": "In what runs already",
    "server": "In the server",
    "broker": "In the broker",
    "team": "Decide",
}
MIGRATION: Final = (
    "To change over: run both side by side behind one function of the client, move a growing share of users to the "
    "new connection, and remove the old one when no client uses it any more."
)
WIDEST: Final = 30  # characters of a file's path that fit a narrow terminal, indented
FILES: Final = 3  # of the kit that a line names; `advisor explain` and the JSON have all


def of(feature: FeatureVerdict, verdict: Verdict) -> list[RaisedCaveat]:
    """All the caveats of a feature: its own, and those that are listed once for several."""
    shared: list[RaisedCaveat] = [c for c in verdict["shared"]["caveats"] if feature["name"] in c["features"]]
    return [*shared, *feature["caveats"]]


VERBS: Final[dict[Severity, tuple[str, str]]] = {
    "breaks": ("that breaks", "that break"), "degrades": ("that degrades", "that degrade"), "note": ("note", "notes"),
}  # fmt: skip


def counts(caveats: Sequence[RaisedCaveat]) -> str:
    """How many caveats there are of each severity: `6 that break, 1 that degrades`; empty without any."""
    by = {severity: sum(c["severity"] == severity for c in caveats) for severity in VERBS}
    return ", ".join(f"{n} {VERBS[severity][n != 1]}" for severity, n in by.items() if n)


def where(advice: Advice) -> str:
    """Where a piece of advice belongs: a place, or a product wherever it is stated."""
    return AT[cast("Place", advice.at)] if advice.at else f"Where {advice.named} is stated"


def doing(items: list[Doing]) -> Iterator[tuple[str, str]]:
    """Where and what, in the order of the path; what is to be done at one place in one piece."""
    at: dict[str, list[str]] = {}
    for item in items:
        at.setdefault(AT[item["at"]], []).append(item["text"])
    for place, texts in at.items():
        yield place, " ".join(texts)


def done(caveat: RaisedCaveat | Handled) -> str:
    """The files of the kit that do it: `nginx/nginx.conf, server/hub.py and 2 more`; empty where it is yours."""
    files = [file if len(file) <= WIDEST else f".../{file.rpartition('/')[2]}" for file in caveat["cured_by"]]
    more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
    return f"{', '.join(files[:FILES])}{more}" if files else ""


def cure(caveat: RaisedCaveat, base: RuleBase) -> str:
    """Who does it: the kit by its files, or you, with the reason why no kit can."""
    files = done(caveat)
    if files:
        return f"The kit does it: {files}."
    known = base.caveats.get(caveat["id"])
    return f"Yours to do. {known.yours}" if known is not None and known.yours else "Yours to do."


def handled(verdict: Verdict) -> Iterator[str]:
    """The checklist of the patterns that the kit works through, a line each."""
    several = len(verdict["features"]) > 1
    for item in verdict["shared"]["handled"]:
        names = f" [{', '.join(map(visible, item['features']))}]" if several else ""
        yield f"{item['title']}: handled by the kit in {done(item)} ({item['id']}){names}"


def waiting(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """The caveats that are less urgent, or that an open answer would raise, a line each."""
    for item in feature["caveats_if"]:
        facts = " and ".join(f"{fact} is {named(fact, value, base)}" for fact, value in item["if"].items())
        yield f"{f'If {facts}' if facts else 'Also'}: {item['title']} ({item['id']})"


def kept(item: IfKept) -> Iterator[str]:
    """What keeping a transport would bring, a line each."""
    for caveat in item["caveats"]:
        yield f"{caveat['title']}, because {caveat['because']} ({caveat['id']})"
