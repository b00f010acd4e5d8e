"""Every project that people have described and answered: the examples, the scenarios, and two rounds of first contact.

The third round of first contact is for judging rules that have never seen it, so nothing here may read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from advisor.answers.file import parse
from advisor.model.project import Project
from advisor.model.rulebase import RuleBase

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = ("round-1", "round-2")


def texts() -> Iterator[tuple[str, str]]:
    """Each answers file, by a name."""
    for path in sorted((ROOT / "rules" / "examples").glob("*.yaml")):
        yield path.name, path.read_text("utf-8")
    cases = [p for p in sorted((ROOT / "tests" / "scenarios").glob("*.yaml")) if p.name != "second.yaml"]  # labels only
    cases += [ROOT / "tests" / "first-contact" / name / "cases.yaml" for name in ROUNDS]
    for path in cases:
        for item in yaml.safe_load(path.read_text("utf-8")):
            yield item["id"], yaml.safe_dump(item["answers"], sort_keys=False)


def projects(base: RuleBase) -> list[Project]:
    """Each project, in a stable order."""
    return [parse(text, name, base) for name, text in texts()]
