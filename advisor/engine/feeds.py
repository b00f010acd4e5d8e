"""The numbers and files besides the decision that need an answer: costs, timing, the kit."""

from __future__ import annotations

import itertools

from advisor.engine.decision import Answers
from advisor.model.boxes import Box
from advisor.model.rulebase import RuleBase


def feed(
    fact: str, possible: frozenset[str], answers: Answers, box: Box, base: RuleBase, *, several: bool
) -> tuple[str, bool] | None:
    """The number that needs the fact, and whether every possible pattern needs it; None where nothing does."""
    for name in base.questions[fact].feeds:
        wanting = {pattern for pattern in possible if pattern and _wants(name, pattern, base)}
        if not wanting or not _there(fact, answers, base):
            continue
        if name == "merge" and not (several and _on_a_page(box, base)):
            continue
        sure = wanting == possible and name != "merge" and _there(fact, answers, base, surely=True)
        return name, sure
    return None


def _wants(name: str, pattern: str, base: RuleBase) -> bool:
    """Whether a number matters with this pattern: outside the article's scope there is neither kit nor cost table."""
    if name == "report":
        return True
    found = base.patterns[pattern]
    if found.group == "outside":
        return False
    return name != "timing" or found.holds != "nothing"


def _on_a_page(box: Box, base: RuleBase) -> bool:
    """Whether there may be a page in a browser."""
    clients = base.questions.get("clients")
    variables = [base.index[f"clients={client}"] for client in clients.on_a_page] if clients else []
    return not variables or any(box.get(variable, 2) & 2 for variable in variables)


def _there(fact: str, answers: Answers, base: RuleBase, *, surely: bool = False) -> bool:
    """Whether what a version belongs to may be, or surely is, there.

    nginx-version belongs to the last question before it that has an option nginx.
    """
    name = fact.removesuffix("-version")
    if name == fact:
        return True
    before = itertools.takewhile(lambda q: q.id != fact, base.questions.values())
    owner = next((q.id for q in reversed(list(before)) if name in q.options), None)
    if owner is None or answers.get(owner) == name:
        return True
    return owner not in answers and not surely
