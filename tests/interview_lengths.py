"""How many questions the interview asks until the pattern is settled: `python tests/interview_lengths.py`.

Every described project is answered by a person who knows what it states, and says "as usual" to the rest. Confirming
the list that the kind of feature fills counts as one question, and each row that has to be changed as one more.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from support.labelled_projects import projects
from support.shares import share

import advisor
from advisor.engine.decision import decide, know
from advisor.interview.session import Session
from advisor.model.project import Project
from advisor.model.rulebase import RuleBase
from advisor.model.values import Value


@dataclass
class Lengths:
    """Questions until the pattern of each feature was settled, and how often it was the final one."""

    first: list[int] = field(default_factory=list)
    further: list[int] = field(default_factory=list)
    features: int = 0
    final: int = 0
    missed: list[str] = field(default_factory=list)

    def lines(self) -> Iterable[str]:
        """The figures in words."""
        for name, counts in (("first", self.first), ("further", self.further)):
            median, most = statistics.median(counts), within(counts, 0.95)
            figures = f"median {median:g} questions, 95 % within {most}, at most {max(counts)}"
            yield f"{name} features: {len(counts)}; {figures}"
        yield f"settled pattern is the final one: {share(self.final, self.features)}"
        yield from (f"  not in {name}" for name in self.missed)


def within(counts: list[int], part: float) -> int:
    """The number of questions within which this part of the features is settled."""
    return sorted(counts)[min(int(part * len(counts)), len(counts) - 1)]


def walk(session: Session, truth: dict[str, Value]) -> tuple[Session, int]:
    """The interview about one feature until it says that the pattern is settled, and the answers that it took."""
    count = 0
    while session.question is not None and session.pause != "settled":
        if session.pause == "list":
            row = next((row for row in session.listing if truth[row.fact] != row.value), None)
            session = session.confirm() if row is None else session.answer(row.fact, truth[row.fact])
        else:
            session = session.answer(session.question.id, truth[session.question.id])
        count += 1
    return session, count


def simulate(described: Iterable[Project], base: RuleBase) -> Lengths:
    """The figures over these projects."""
    found = Lengths()
    for project in described:
        session = Session.new(base, project.features[0].name)
        for i, feature in enumerate(project.features):
            session = session if i == 0 else session.add_feature(feature.name)
            stated = project.answers(feature)
            truth = know(stated, base).answers
            session, count = walk(session, truth)
            (found.further if i else found.first).append(count)
            found.features += 1
            if session.so_far == decide(know(stated, base).lead, base).primary:
                found.final += 1
            else:
                found.missed.append(f"{project.file}, {feature.name}: {session.so_far}")
    return found


def main() -> None:
    base = advisor.load_rules()
    print(*simulate(projects(base), base).lines(), sep="\n")


if __name__ == "__main__":
    main()
