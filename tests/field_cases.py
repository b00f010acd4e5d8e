"""Incidents from public threads: is the fault that somebody had named, and how early? `python tests/field_cases.py`.

field-cases.yaml has the label of each; the answers, as the team could have given them before the cure, are in
tests/kit/field-cases/.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from support.shares import share

FOLDER = Path(__file__).resolve().parent
EARLY = 3  # a reader reads so many caveats


class Told(NamedTuple):
    """What the program says of one incident: `places` are the ranks of the faults among its caveats (0: not named)."""

    id: str
    primary: str | None
    right: bool
    acceptable: bool
    places: dict[str, int]


def told() -> list[Told]:
    """Every incident, decided with today's rules."""
    from advisor.answers.file import read
    from advisor.engine.portfolio import recommend
    from advisor.engine.verdict import Judge
    from advisor.ruleset.cache import load

    base = load()
    judge = Judge(base)
    made = []
    for case in yaml.safe_load((FOLDER / "field-cases.yaml").read_text("utf-8")):
        verdict = recommend(read(FOLDER / "kit" / "field-cases" / f"{case['id']}.yaml", base), base, judge)
        (feature,) = verdict["features"]
        shared = [c["id"] for c in verdict["shared"]["caveats"] if isinstance(c, dict)]
        named = [*(c["id"] for c in feature["caveats"]), *shared]
        places = {fault: named.index(fault) + 1 if fault in named else 0 for fault in case["must-warn"]}
        primary = feature["primary"]
        made.append(Told(case["id"], primary, primary in case["primary"], primary in case["acceptable"], places))
    return made


def lines() -> Iterator[str]:
    """The figures, and each incident."""
    cases = told()
    faults = [place for case in cases for place in case.places.values()]
    yield f"incidents: best pattern            {share(sum(case.right for case in cases), len(cases))}"
    yield f"           acceptable pattern      {share(sum(case.acceptable for case in cases), len(cases))}"
    yield f"           fault named             {share(sum(place > 0 for place in faults), len(faults))}"
    yield f"           among the first {EARLY}       {share(sum(0 < place <= EARLY for place in faults), len(faults))}"
    for case in cases:
        faults_told = ", ".join(f"{fault}: {place or 'not named'}" for fault, place in case.places.items())
        yield f"  {case.id} {case.primary}{'' if case.right else ' (not the best)'}; {faults_told}"


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parent))
    sys.stdout.write("\n".join(lines()) + "\n")
