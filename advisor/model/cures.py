"""What the files of a kit cure: the index that `ruleset` reads from the manifests under templates/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from advisor.model.values import Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What a cure may name as its proof: what to do through the whole path, and what then has to be seen.
CHECKS: Final = {
    "V1": "Send nothing for longer than the shortest limit on silence: the connection lives, heartbeats arrive.",
    "V2": "Send two events a second for 10 s, with and without gzip: each arrives at once, alone.",
    "V3": "Kill the server while events are sent, and start it again: a browser misses none and shows none twice.",
    "V4": "Stop all instances and start them: clients are connected again at once.",
    "V5": "Publish on one instance, read on another, also after a second away: nothing is missing.",
    "V6": "Open a WebSocket: status 101; where it is blocked, the client uses its fallback in time.",
    "V7": "Connect from a page of another origin, and without a login: both are refused.",
    "V8": "Let one client read nothing while events are sent: memory stays level, the others get theirs in time.",
    "V9": "Stop one server with SIGTERM: it ends within its grace period, its clients are connected elsewhere.",
    "V10": "Open seven tabs of the page in one browser, then an ordinary page: all load at once.",
    "V11": "Open a tenth more connections than are planned: every one is accepted.",
    "V12": "Close a client of a silent stream: the server notices within two heartbeats.",
    "V13": "Drop the packets of a connection without closing it: both ends notice after two missed heartbeats.",
    "V14": "Send a message that is too long, open too many connections: both are refused, the server lives.",
    "V15": "Send two plain requests through the proxy: both take one connection to the server.",
    "V16": "Ask twice with news between, then once more: the second answer has the news, the third is 304.",
}


class Chosen(NamedTuple):
    """When an option of a kit is taken: the fact that decides (empty: always) and the answers that it serves."""

    fact: str
    serves: tuple[str, ...]
    unanswered: bool

    def by(self, answers: Mapping[str, Value]) -> bool:
        """Whether these answers take it."""
        answer = answers.get(self.fact)
        if not self.fact or answer is None or isinstance(answer, Unknown):
            return self.unanswered or not self.fact
        given = answer if isinstance(answer, tuple) else (answer,)
        return any(choice in self.serves for choice in given)


class Cure(NamedTuple):
    """One file of a kit that cures a caveat, and the check that proves it.

    The kit of a pattern in `patterns` has the file where the answers take all options of `where`, one of `beside` (if
    there are any) and none of `apart`. `instances` is "one" or "several" for a file that only such a kit has.
    `lines` are the lines that do it, where single lines do.
    """

    caveat: str
    check: str
    lines: tuple[str, ...]
    file: str
    patterns: tuple[str, ...]
    where: tuple[Chosen, ...]
    beside: tuple[Chosen, ...]
    apart: tuple[Chosen, ...]
    instances: str
    place: tuple[str, int, int]

    def holds(self, pattern: str, answers: Mapping[str, Value]) -> bool:
        """Whether the kit for this pattern and these answers has the file."""
        if pattern not in self.patterns:
            return False
        count = answers.get("instances")
        several = isinstance(count, int | float) and not isinstance(count, bool) and count > 1
        return (
            self.instances in ("", "several" if several else "one")
            and all(option.by(answers) for option in self.where)
            and (not self.beside or any(option.by(answers) for option in self.beside))
            and not any(option.by(answers) for option in self.apart)
        )


def cured_by(cures: Iterable[Cure], caveat: str, pattern: str, answers: Mapping[str, Value]) -> list[str]:
    """The files of the kit for this pattern and these answers that cure the caveat."""
    files = (cure.file for cure in cures if cure.caveat == caveat and cure.holds(pattern, answers))
    return list(dict.fromkeys(files))


def from_data(data: Iterable[dict[str, Any]]) -> tuple[Cure, ...]:
    """The index from what a cache kept."""
    made = []
    for item in data:
        options = {
            key: tuple(Chosen(o["fact"], tuple(o["serves"]), o["unanswered"]) for o in item[key])
            for key in ("where", "beside", "apart")
        }
        listed = {"lines": tuple(item["lines"]), "patterns": tuple(item["patterns"]), "place": tuple(item["place"])}
        made.append(Cure(**{**item, **options, **listed}))
    return tuple(made)


def proof(cures: Iterable[Cure], caveat: str) -> str:
    """How to prove that a caveat is cured, whoever does it: the check that the kits' files name; empty without one."""
    return next((CHECKS[cure.check] for cure in cures if cure.caveat == caveat), "")
