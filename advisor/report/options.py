"""The options of a decision: which were considered, and what speaks for and against each with these answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.report import caveat_words, words
from advisor.report.first_page import answers, cost_line, possible, requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Cost, FeatureVerdict, Rejection

MOST = 4  # options
EXCLUDED = 2  # of them that were excluded
CLEARLY = 1.5  # times as much
UNASKED = "No rule asks for it here."  # the reason of an option that no stated answer excludes


def considered(feature: FeatureVerdict, base: RuleBase) -> list[str]:
    """The pattern, what is acceptable besides, the fallback, and the nearest of what was excluded."""
    found = [feature["primary"], *(item["id"] for item in feature["acceptable"]), feature["fallback"]]
    taken = list(dict.fromkeys(option for option in found if option))
    near = [feature["article"]["primary"], *(change["to"] for change in possible(feature, base))]
    out = [item for item in feature["rejected"] if item["id"] not in taken]
    out.sort(key=lambda item: (item["why"].startswith(UNASKED), item["id"] not in near))
    room = max(min(EXCLUDED, MOST - len(taken)), 1) if taken else MOST
    return [*taken, *(item["id"] for item in out[:room])]


def for_and_against(feature: FeatureVerdict, option: str, base: RuleBase) -> Iterator[str]:
    """What is good and bad about it with these answers, a line each, as MADR writes it."""
    chosen = option == feature["primary"]
    if chosen:
        stated = answers(feature, base)[:2]
        yield (
            f"Good, because it fits the answers: {'; '.join(stated)}"
            if stated
            else "Good, because it is the usual case"
        )
    else:
        yield from (f"Good, because: {item['why']}" for item in feature["acceptable"] if item["id"] == option)
        if option == feature["fallback"]:
            yield f"Good, because it can be used where {words.title(feature['primary'], base)} cannot"
        yield from (_against(no) for no in feature["rejected"] if no["id"] == option)
    yield from _cost(feature, option, base)
    if chosen and feature["caveats"]:
        yield f"Bad, because of its caveats: {caveat_words.counts(feature['caveats'])}"


def _against(no: Rejection) -> str:
    """Why it was rejected; its general weakness, which has nothing to do with these answers, is left out."""
    why = "no answer asks for it" if no["why"].startswith(UNASKED) else no["why"].rstrip(".")
    return f"Bad, because{'' if why[0].islower() else ':'} {why} ({no['rule']})"


def _cost(feature: FeatureVerdict, option: str, base: RuleBase) -> Iterator[str]:
    """What it costs, judged against the pattern; the pattern itself against the option that comes after it."""
    costs = feature["costs"]["patterns"] if feature["costs"] else {}
    against = next((o for o in considered(feature, base) if o in costs and o != option), None)
    if option not in costs or (against != feature["primary"] and option != feature["primary"]):
        return
    verdict = _judged(costs[option], costs[against]) if against else "Neutral"
    yield f"{verdict}, because of what it costs per hour: {cost_line(costs[option])}"


def _judged(mine: Cost, theirs: Cost) -> str:
    """Whether one is clearly better or worse than the other, in any of what people count."""
    pairs = [
        (requests(mine), requests(theirs)),
        (mine["worst_delay_s"], theirs["worst_delay_s"]),
        (mine["held_connections"], theirs["held_connections"]),
        (mine["total_bytes_per_h"], theirs["total_bytes_per_h"]),
    ]
    better = any(one * CLEARLY < other for one, other in pairs)
    worse = any(other * CLEARLY < one for one, other in pairs)
    return "Neutral" if better == worse else "Good" if better else "Bad"
