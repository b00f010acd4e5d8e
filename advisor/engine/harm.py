"""Which of the caveats that bite are told in full, and in which order: what no reader must miss comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from advisor.model.rulebase import Caveat

SEVERITIES = ("breaks", "degrades", "note")
MOST = 5  # caveats that bite, of one feature


class Bite(NamedTuple):
    """Why a caveat is raised, and how: by a rule that decided, by stated facts, or by the pattern alone.

    `large`: by a stated number that is not the usual one. `own`: by what is stated of this feature, and not only of the
    path and the servers, which other features have as well. `presumed`: by something more that nobody said.
    """

    because: str
    by: Literal["rule", "facts", "pattern"]
    large: bool = False
    own: bool = True
    presumed: bool = False


def minor(caveat: Caveat, bite: Bite) -> bool:
    """Whether a report may omit it where the kit cures it: it breaks nothing, and only a product in use raises it."""
    return caveat.severity != "breaks" and bite.by == "facts" and not (bite.large or bite.own)


def harm(caveat: Caveat, bite: Bite, cured: bool) -> tuple[bool | int, ...]:
    """The order of those that bite: of the deciding rule; what loses data or does not start; what numbers make large.

    After these comes what breaks later, under load or at a cut, and the rest. Among equals the first are those of what
    is stated alone, then those of what is stated of the feature itself, and those that the kit does not cure.
    """
    severity = SEVERITIES.index(caveat.severity)
    large = bite.large and caveat.severity != SEVERITIES[-1]  # a note asks for nothing to be done
    decisive = not caveat.first, bite.by != "rule", not caveat.at_once, not large
    return *decisive, severity, bite.presumed, not bite.own, cured
