"""How the decisions compare with people's labels: `python tests/score.py` prints the score and every miss.

The scenarios in tests/scenarios/*.yaml carry the first labelling. second.yaml beside them carries another, made from
the stories alone by somebody who saw neither the first nor the rules; the agreement of the two is what to compare with.
Below come incidents from public threads (field_cases.py) and the rounds of first contact.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import field_cases
import first_contact
from support.shares import share

FOLDER = Path(__file__).resolve().parent / "scenarios"


@dataclass(frozen=True)
class Label:
    """What a person says of one feature of one scenario."""

    scenario: str
    feature: str
    primary: tuple[str, ...]
    acceptable: tuple[str, ...]
    never: tuple[str, ...]
    must_warn: tuple[str, ...]


@dataclass
class Score:
    """Counts over labelled features, and a line for each miss."""

    features: int = 0
    wrong: int = 0
    acceptable: int = 0
    best: int = 0
    warned: int = 0
    warnings: int = 0
    caveats: int = 0
    misses: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"{self.features} labelled features"
        yield f"best                   {share(self.best, self.features)}"
        yield f"acceptable             {share(self.acceptable, self.features)}"
        yield f"plainly wrong          {share(self.wrong, self.features)}"
        yield f"insisted caveats named {share(self.warned, self.warnings)}"
        yield f"caveats on an average verdict {self.caveats / max(self.features, 1):.1f}"


def read(path: Path) -> list[dict[str, Any]]:
    from advisor.yamlio import nodes

    data = nodes.plain(nodes.parse(path.read_text("utf-8"), path.name))
    assert isinstance(data, list), path
    return data


def scenarios() -> list[dict[str, Any]]:
    return [item for path in sorted(FOLDER.glob("*.yaml")) if path.name != "second.yaml" for item in read(path)]


def labels(items: list[dict[str, Any]]) -> Iterator[Label]:
    for item in items:
        for feature, expect in item["expect"].items():
            yield Label(
                item["id"],
                feature,
                tuple(expect["primary"]),
                tuple(expect["acceptable"]),
                tuple(expect.get("never") or ()),
                tuple(expect.get("must-warn") or ()),
            )


def verdicts(items: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The verdict of every feature, as `recommend` gives it for the scenario's answers file."""
    from advisor.answers.file import parse
    from advisor.engine.portfolio import recommend
    from advisor.engine.verdict import Judge
    from advisor.ruleset.cache import load

    base = load()
    judge = Judge(base)
    made = {}
    for item in items:
        # JSON is YAML, and quoted words are answers like bare ones.
        project = parse(json.dumps(item["answers"]), item["id"], base)
        verdict = recommend(project, base, judge)
        for feature in verdict["features"]:
            shared = [c for c in verdict["shared"]["caveats"] if feature["name"] in c["features"]]
            made[item["id"], feature["name"]] = {**feature, "caveats": [*feature["caveats"], *shared]}
    return made


def score(items: list[dict[str, Any]]) -> Score:
    got = verdicts(items)
    made = Score()
    for label in labels(items):
        verdict = got[label.scenario, label.feature]
        primary = verdict["primary"]
        named = {c["id"] for c in verdict["caveats"]}
        made.features += 1
        made.caveats += len(verdict["caveats"])
        made.wrong += primary in label.never
        made.acceptable += primary in label.acceptable
        made.best += primary in label.primary
        made.warnings += len(label.must_warn)
        made.warned += len(named & set(label.must_warn))
        where = f"{label.scenario} / {label.feature}"
        if primary not in label.primary:
            degree = "WRONG" if primary in label.never else "" if primary in label.acceptable else "not acceptable"
            rule = next((s["rule"] for s in verdict["steps"] if s["state"] == "decided"), None)
            made.misses.append(f"{where}: {primary} by {rule}, labelled {' or '.join(label.primary)} {degree}".rstrip())
        for caveat in label.must_warn:
            if caveat not in named:
                made.misses.append(f"{where}: does not warn of {caveat} (pattern {primary})")
    return made


def agreement(items: list[dict[str, Any]]) -> Iterator[str]:
    """How far the second labelling agrees with the first."""
    path = FOLDER / "second.yaml"
    if not path.exists():
        yield "no second labelling"
        return
    second = {(item["id"], name): e for item in read(path) for name, e in item["expect"].items()}
    pairs = [(label, second[label.scenario, label.feature]) for label in labels(items)
             if (label.scenario, label.feature) in second]  # fmt: skip
    best = sum(bool(set(label.primary) & set(other["primary"])) for label, other in pairs)
    fine = sum(set(other["primary"]) <= set(label.acceptable) for label, other in pairs)
    wrong = sum(bool(set(other["primary"]) & set(label.never)) for label, other in pairs)
    yield "second labelling"
    yield f"  same best                  {share(best, len(pairs))}"
    yield f"  acceptable to the first    {share(fine, len(pairs))}"
    yield f"  plainly wrong to the first {share(wrong, len(pairs))}"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    everything = scenarios()
    result = score(everything)
    incidents = field_cases.lines()
    rounds = first_contact.report(first_contact.rounds(), misses=False)
    sys.stdout.write(
        "\n".join([*result.misses, "", *result.lines(), *agreement(everything), "", *incidents, "", *rounds]) + "\n"
    )
