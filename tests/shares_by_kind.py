"""Count which answers surprise, by kind of feature: `python tests/shares_by_kind.py` writes rules/shares.yaml.

An answer surprises where it is another one than advisor would assume from all the other answers of that feature. The
interview asks what may well surprise (advisor/engine/asking.py) before it calls a pattern settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from support.labelled_projects import ROOT, projects

import advisor
from advisor.answers.file import written as as_yaml
from advisor.engine.asking import FIRST
from advisor.engine.decision import know
from advisor.model.project import Project
from advisor.model.rulebase import RuleBase
from advisor.model.shares import OTHER, Shares, Surprise
from advisor.model.values import Other, Unknown, Value

FILE = ROOT / "rules" / "shares.yaml"
HEAD = """\
# How often an answer is another one than advisor would assume from the other answers, by kind of feature. It changes no
# decision, only which questions the interview asks before it calls the pattern settled.
# Written by `python tests/shares_by_kind.py` from every described project of the tests; do not edit it by hand.
evidence:
  - judgement: >-
      Counted over the answers that {features} described features of {projects} projects state: what companies
      published, what small teams told, and the examples. They are no sample of all projects, so a share is a hint and
      no measurement.
# How many of the features are of each kind, and how many of one that no rule knows or that nobody stated (other).
features: {counts}
# Each answer that surprised: in how many features of which kind.
surprises:
"""


def counted(described: Iterable[Project], base: RuleBase) -> Shares:
    """The shares that these projects give."""
    features: Counter[str] = Counter()
    seen: dict[tuple[str, frozenset[tuple[int, int]]], Counter[str]] = {}
    values: dict[tuple[str, frozenset[tuple[int, int]]], Value] = {}
    for project in described:
        for feature in project.features:
            answers = project.answers(feature)
            kind = answers.get(FIRST)
            of = kind if isinstance(kind, str) else OTHER
            features[of] += 1
            for fact, value in answers.items():
                if fact == FIRST or base.questions[fact].type == "text" or isinstance(value, Other | Unknown):
                    continue
                listed = tuple(v for v in value if isinstance(v, str)) if isinstance(value, tuple) else value
                assumed = know({f: v for f, v in answers.items() if f != fact}, base).answers[fact]
                if base.encode(fact, listed) != base.encode(fact, assumed):
                    key = fact, frozenset(base.encode(fact, listed).items())
                    values.setdefault(key, listed)
                    seen.setdefault(key, Counter())[of] += 1
    kinds = [*base.questions[FIRST].options, OTHER]
    listed_seen = {key: {kind: counts[kind] for kind in kinds if counts[kind]} for key, counts in seen.items()}
    order = sorted(seen, key=lambda key: ([*base.questions].index(key[0]), sorted(key[1])))
    return Shares(
        {kind: features[kind] for kind in kinds if features[kind]},
        tuple(Surprise(key[0], values[key], listed_seen[key]) for key in order),
    )


def written(described: list[Project], base: RuleBase) -> str:
    """The text of rules/shares.yaml."""
    shares = counted(described, base)
    features = sum(len(project.features) for project in described)
    head = HEAD.format(features=features, projects=len(described), counts=_mapping(shares.features))
    return head + "".join(
        f"  - {{fact: {item.fact}, value: {as_yaml(item.value)}, seen: {_mapping(item.seen)}}}\n"
        for item in shares.surprises
    )


def _mapping(counts: dict[str, int]) -> str:
    return "{" + ", ".join(f"{kind}: {count}" for kind, count in counts.items()) + "}"


def main() -> None:
    base = advisor.load_rules()
    FILE.write_text(written(projects(base), base), "utf-8")
    print(f"{Path(FILE).relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
