"""What to do about a caveat, place by place along the path from the client to the server.

Advice for a named product is given only where the answers state that product; the advice for the path in general
replaces it where they state none that the caveat names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from advisor.model.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from advisor.model.verdict import Doing, Place

WAY: Final = ("cdn", "load-balancer", "reverse-proxy", "service-mesh", "platform")  # the facts that name a product
STACK: Final = ("hosting-layer", "server-stack", "existing-stack")
# Where something is to be done, in the order of the path. `path` is anything in between; `team` is a decision.
PLACES: Final = ("client", *WAY[:4], "path", "platform", *STACK, "server", "broker", "team")
GENERAL: Final = {
    "client": "in the client",
    "path": "on the path",
    "server": "in the server",
    "broker": "in the broker",
    "team": "decide",
}


class Advice(NamedTuple):
    """One thing to do. `named` is the option that must be stated for it; empty where `at` says it all."""

    at: str
    named: str
    text: str


def told(advice: Iterable[Advice], stated: Mapping[str, Value]) -> list[Doing]:
    """What to do in the order of the path, for what was stated and nothing else."""
    found: list[Doing] = []
    covered = False
    for item in advice:
        for fact in _stating(item.named, stated) if item.named else ():
            found.append({"at": cast("Place", fact), "text": item.text})
            covered = covered or fact in WAY
    found += [
        {"at": cast("Place", item.at), "text": item.text}
        for item in advice
        if not item.named and not (item.at == "path" and covered)
    ]
    return sorted(found, key=lambda doing: PLACES.index(doing["at"]))


def _stating(option: str, stated: Mapping[str, Value]) -> Iterator[str]:
    """The facts whose stated answer names the option; one advice is given once, at the first place on the path."""
    for fact in (*WAY, *STACK):
        answer = stated.get(fact)
        if answer == option or (isinstance(answer, tuple) and option in answer):
            yield fact
            return
