"""Decisions that nobody here had seen when the rules were written: `python tests/first_contact.py [ROUND ...]`.

Each folder of tests/first-contact/ is a round: `cases.yaml` has stories and the answers files that state what the
story states, `labels-A.yaml` to `labels-C.yaml` what three people said who saw the stories alone. Printed are the
figures of the first contact (`first-contact.yaml`, written once by `--first`) beside today's, with 95 % intervals.
`--misses` lists what a round shows of today's rules: use it only after the round's first figures are committed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from support.shares import share

FOLDER = Path(__file__).resolve().parent / "first-contact"
MAJORITY = 2  # of three labellers


@dataclass(frozen=True)
class Label:
    """What most labellers say of one feature; `wanted` are the caveats that any of them would like to read."""

    primary: frozenset[str]
    acceptable: frozenset[str]
    never: frozenset[str]
    must_warn: frozenset[str]
    wanted: frozenset[str]


@dataclass
class Figures:
    """Counts over the features of a round: of decisions, of caveats, of further offers and of confident verdicts."""

    features: int = 0
    best: int = 0
    acceptable: int = 0
    wrong: int = 0
    insisted: int = 0
    insisted_named: int = 0
    caveats: int = 0
    unwanted: int = 0
    offers: int = 0
    wrong_offers: int = 0
    high: int = 0
    high_acceptable: int = 0
    left_out: int = 0
    misses: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"best                       {share(self.best, self.features)}"
        yield f"acceptable                 {share(self.acceptable, self.features)}"
        yield f"plainly wrong              {share(self.wrong, self.features)}"
        yield f"insisted caveats named     {share(self.insisted_named, self.insisted)}"
        yield f"caveats per verdict        {self.caveats / max(self.features, 1):.1f}"
        yield f"unwanted caveats           {self.unwanted / max(self.features, 1):.1f} per verdict"
        yield f"wrong among further offers {share(self.wrong_offers, self.offers)}"
        yield f"high confidence            {share(self.high, self.features)}"
        yield f"  of these acceptable      {share(self.high_acceptable, self.high)}"
        if self.left_out:
            yield f"facts left out, because the program does not ask for them: {self.left_out}"


def rounds() -> list[str]:
    """The rounds that have been scored: the others are kept unseen until their turn."""
    return sorted(path.parent.name for path in FOLDER.glob("*/first-contact.yaml"))


def cases(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((FOLDER / name / "cases.yaml").read_text("utf-8")))


def labels(name: str) -> dict[tuple[str, str], Label]:
    """(case, feature) to what most labellers of the round say."""
    each = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((FOLDER / name).glob("labels-*.yaml"))]
    return {
        (case, feature): _joined([one[case][feature] for one in each])
        for case, features in each[0].items()
        for feature in features
    }


def _joined(said: list[dict[str, Any]]) -> Label:
    def most(key: str) -> frozenset[str]:
        count = Counter(item for one in said for item in set(one.get(key) or ()))
        return frozenset(item for item, times in count.items() if times >= MAJORITY)

    primary = most("primary") or frozenset(p for one in said for p in one["primary"])
    acceptable = most("acceptable") | primary
    wanted = {c for one in said for key in ("must-warn", "should-warn") for c in one.get(key) or ()}
    return Label(primary, acceptable, most("never") - acceptable, most("must-warn"), frozenset(wanted))


def known_answers(answers: dict[str, Any], base: Any, left_out: list[str]) -> dict[str, Any]:
    """Answers with the facts that the program asks for; an option that it does not list becomes `other`."""

    def kept(facts: dict[str, Any]) -> dict[str, Any]:
        made = {}
        for fact, value in facts.items():
            asked = base.questions.get(fact)
            if asked is None:
                left_out.append(fact)
            elif (
                asked.type == "one-of" and isinstance(value, str) and value != "unknown" and value not in asked.options
            ):
                made[fact] = {"other": value}
            elif asked.type == "some-of" and isinstance(value, list):
                listed = [v for v in value if not isinstance(v, str) or v in asked.options]
                made[fact] = listed or "unknown"
            else:
                made[fact] = value
        return made

    features = [{"name": f["name"], **kept({k: v for k, v in f.items() if k != "name"})} for f in answers["features"]]
    groups = {group: kept(answers[group] or {}) for group in ("path", "app") if group in answers}
    return {"project": str(answers.get("project", "x")), **groups, "features": features}


def score(name: str) -> Figures:
    """The figures of today's rules for one round."""
    from advisor.answers.file import parse
    from advisor.engine.portfolio import recommend
    from advisor.engine.verdict import Judge
    from advisor.ruleset.cache import load

    base, said, made, left_out = load(), labels(name), Figures(), list[str]()
    judge = Judge(base)
    for case in cases(name):
        # JSON is YAML, and quoted words are answers like bare ones.
        project = parse(json.dumps(known_answers(case["answers"], base, left_out)), case["id"], base)
        verdict = recommend(project, base, judge)
        for feature in verdict["features"]:
            shared = [
                c for c in verdict["shared"]["caveats"] if isinstance(c, dict) and feature["name"] in c["features"]
            ]
            _count(made, f"{case['id']} / {feature['name']}", feature, shared, said[case["id"], feature["name"]])
    made.left_out = len(left_out)
    return made


def _count(made: Figures, where: str, feature: Any, shared: list[Any], label: Label) -> None:
    primary = feature["primary"]
    named = [c["id"] for c in [*feature["caveats"], *shared]]
    offers = [item["id"] for item in feature["acceptable"] if item["id"] != primary]
    made.features += 1
    made.best += primary in label.primary
    made.acceptable += primary in label.acceptable
    made.wrong += primary in label.never
    made.insisted += len(label.must_warn)
    made.insisted_named += len(label.must_warn & set(named))
    made.caveats += len(named)
    made.unwanted += sum(c not in label.wanted for c in named)
    made.offers += len(offers)
    made.wrong_offers += sum(offer in label.never for offer in offers)
    made.high += feature["confidence"] == "high"
    made.high_acceptable += feature["confidence"] == "high" and primary in label.acceptable
    if primary not in label.primary:
        degree = "WRONG" if primary in label.never else "" if primary in label.acceptable else "not acceptable"
        rule = next((s["rule"] for s in feature["steps"] if s["state"] == "decided"), None)
        best = " or ".join(sorted(label.primary))
        made.misses.append(f"{where}: {primary} by {rule}, {feature['confidence']}; labelled {best} {degree}".rstrip())
    made.misses += [f"{where}: no {caveat} ({primary})" for caveat in sorted(label.must_warn - set(named))]
    made.misses += [f"{where}: offers {offer}" for offer in offers if offer in label.never]


def agreement(name: str) -> Iterator[str]:
    """How often each labeller's best pattern is that of the majority."""
    most = labels(name)
    for path in sorted((FOLDER / name).glob("labels-*.yaml")):
        said = yaml.safe_load(path.read_text("utf-8"))
        hits = sum(bool(set(said[case][feature]["primary"]) & label.primary) for (case, feature), label in most.items())
        fine = sum(set(said[case][feature]["primary"]) <= label.acceptable for (case, feature), label in most.items())
        yield f"labeller {path.stem[-1]}: best {share(hits, len(most))}, acceptable {share(fine, len(most))}"


def report(names: Iterable[str], *, misses: bool) -> Iterator[str]:
    for name in names:
        today = score(name)
        yield f"{name}: {today.features} features"
        yield from (f"  {line}" for line in agreement(name))
        first = FOLDER / name / "first-contact.yaml"
        if first.exists():
            yield "  at first contact"
            yield from (f"    {line}" for line in Figures(**yaml.safe_load(first.read_text("utf-8"))).lines())
        yield "  today"
        yield from (f"    {line}" for line in today.lines())
        if misses:
            yield from (f"    {line}" for line in today.misses)


def main(words: list[str]) -> None:
    names = [word for word in words if not word.startswith("--")] or rounds()
    if "--first" in words:  # once for each round, before anybody looks at a miss
        for name in names:
            file = FOLDER / name / "first-contact.yaml"
            if file.exists():
                raise SystemExit(f"{file} is there: the first contact of a round is written once")
            made = {key: value for key, value in asdict(score(name)).items() if key != "misses"}
            file.write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
    sys.stdout.write("\n".join(report(names, misses="--misses" in words)) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main(sys.argv[1:])
