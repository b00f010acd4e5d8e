"""What would bite if the transport that is in use or proposed were kept, where another is recommended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from advisor.engine.decision import Known, excluding
from advisor.engine.harm import MOST, SEVERITIES
from advisor.engine.raising import in_words, situations, stated_of
from advisor.model.boxes import contains

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import IfKept, KeptCaveat

IN_USE: Final = ("today", "existing-stack", "existing-connection")  # the facts that name a transport


def if_kept(known: Known, primary: str | None, base: RuleBase) -> list[IfKept]:
    """For each transport that the answers name, other than the recommended: the caveats that keeping it would raise."""
    named_here = dict.fromkeys(pattern for pattern in _in_use(known, base) if pattern != primary)
    return [
        {"pattern": pattern, "caveats": caveats}
        for pattern in named_here
        if (caveats := _caveats(pattern, known, base))
    ]


def _in_use(known: Known, base: RuleBase) -> Iterator[str]:
    for fact in IN_USE:
        answer = known.stated.get(fact)
        for choice in answer if isinstance(answer, tuple) else (answer,):
            if isinstance(choice, str):
                yield from (p.id for p in base.patterns.values() if choice == p.id or choice in p.carries)


def _caveats(pattern: str, known: Known, base: RuleBase) -> list[KeptCaveat]:
    """The most harmful of them; what excludes the pattern comes first."""
    found: dict[str, str] = {}
    by = excluding(pattern, known.lead, base)
    if by is not None:
        found = dict.fromkeys(by.raises, f"rule {by.id} rules it out")
    for caveat in base.caveats.values():
        for situation in situations(caveat, pattern, known, base):
            if not situation.missing and contains(situation.box, known.lead):
                facts = stated_of(situation.box, known, base)
                because = in_words(facts, known, base) if facts else f"it is {base.patterns[pattern].title}"
                found.setdefault(caveat.id, because)
                break
    ranked = sorted(found, key=lambda name: SEVERITIES.index(base.caveats[name].severity))
    return [
        {"id": c.id, "severity": c.severity, "title": c.title, "because": found[c.id]}
        for c in (base.caveats[name] for name in ranked[:MOST])
    ]
