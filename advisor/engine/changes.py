"""What would change the decision: for each other pattern, the fewest answers that lead there.

One changed answer is tried as a person would try it: write it into the file and decide again, with everything that
follows from it. Where one is not enough, the diagram gives the fewest variables, and the result is checked the
same way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

from advisor.engine.decision import Answers, Known, decide, know, lead_case
from advisor.engine.decision_diagram import Diagram, decision_order
from advisor.engine.space import realise, typical
from advisor.model.rulebase import Prior, Question, Rule, RuleBase, band_of
from advisor.model.values import Value


class Changes(NamedTuple):
    """`to`: (pattern, answers to set), fewest answers first, then in the order of the patterns.

    `decisive`: for each fact, the patterns that another answer to it alone would give.
    """

    to: tuple[tuple[str, dict[str, Value]], ...]
    decisive: dict[str, tuple[str, ...]]


class Decider(Protocol):
    """One feature, decided again as if some of its answers were others: each call takes a full decision.

    It is `ByItself`, or among others of its project, whose connections it may ride on (portfolio.py).
    """

    def primary(self, changed: Answers) -> str | None:
        """The feature's pattern if these answers were others; with no answers, the pattern that it has."""

    def apart(self) -> Answers | None:
        """The answers with which it is on a page of its own (`page` among them); None where it is so already."""


class ByItself(NamedTuple):
    """A feature whose pattern depends on its own answers alone."""

    answers: Answers
    base: RuleBase

    def primary(self, changed: Answers) -> str | None:
        """As Decider has it."""
        return decide(lead_case({**self.answers, **changed}, self.base), self.base).primary

    def apart(self) -> Answers | None:
        """As Decider has it: it shares no page."""
        return None


def changes(decider: Decider, known: Known, base: RuleBase, diagram: Diagram | None) -> Changes:
    """What would change the decision of a feature; `known` are its answers as it was decided."""
    here, apart = decider.primary({}), decider.apart()
    found: dict[str, dict[str, Value]] = {}
    decisive: dict[str, tuple[str, ...]] = {}
    for fact, value in [*_leaving(apart), *single_changes(known, base)]:
        to = decider.primary({fact: value})
        if to is not None and to != here:
            found.setdefault(to, {fact: value})
            decisive[fact] = tuple(dict.fromkeys((*decisive.get(fact, ()), to)))
    if diagram is not None and len(found) < len(base.patterns) - 1:
        ways = [*_several(known, base, diagram), *_several_apart(apart, base, diagram)]
        for to, facts in sorted(ways, key=lambda way: len(way[1])):
            if to != here and to not in found and decider.primary(facts) == to:
                found[to] = facts
    order = list(base.patterns)
    ranked = sorted(found.items(), key=lambda item: (len(item[1]), order.index(item[0])))
    return Changes(tuple(ranked), decisive)


def _leaving(apart: Answers | None) -> Iterator[tuple[str, Value]]:
    """The feature on a page of its own: one answer, for those that share one."""
    if apart is not None:
        yield "page", apart["page"]


def _several(known: Known, base: RuleBase, diagram: Diagram) -> Iterator[tuple[str, dict[str, Value]]]:
    for to, variables in diagram.nearest(known.lead).items():
        facts = _facts(variables, known, base)
        if facts:
            yield to, facts


def _several_apart(apart: Answers | None, base: RuleBase, diagram: Diagram) -> Iterator[tuple[str, dict[str, Value]]]:
    """The same on a page of its own, where no neighbour's connection decides."""
    if apart is not None:
        for to, facts in _several(know(apart, base), base, diagram):
            yield to, {"page": apart["page"], **facts}


def single_changes(known: Known, base: RuleBase) -> Iterator[tuple[str, Value]]:
    """Every other answer of every question that bears on the decision.

    In the order of the decision, with what the feature is (its clients, its platform) after what it needs.
    """
    facts = [base.variables[variable].fact for variable in decision_order(base)]
    facts += [source for fact in facts if fact in base.derived for source in base.derived[fact].factors]
    facts += [base.variables[variable].fact for prior in base.priors for box in prior.boxes for variable in box]
    facts += [fact for prior in base.priors for fact in prior.unsaid]
    questions = [base.questions[fact] for fact in dict.fromkeys(facts) if fact in base.questions and fact != "kind"]
    for question in sorted(questions, key=lambda q: q.settled):
        told_apart = _told_apart(question, base)
        seen = {told_apart(known.answers[question.id])}
        for value in other_answers(question, known.answers[question.id]):
            effect = told_apart(value)
            if effect not in seen:  # else the decision is that of an answer which was tried
                seen.add(effect)
                yield question.id, value


def _told_apart(question: Question, base: RuleBase) -> Callable[[Value], Hashable]:
    """A key of an answer that two answers share where no rule of the decision tells them apart.

    Numbers keep theirs: other numbers may follow from them.
    """
    sources = {fact for derived in base.derived.values() for fact in derived.factors}
    if question.type == "number" or question.id in sources:
        return repr
    masks = _masks(base)

    def key(value: Value) -> Hashable:
        box = base.encode(question.id, value)
        return tuple(
            tuple(bool(box.get(variable, -1) & mask) for mask in masks.get(variable, ()))
            for variable in base.of_fact[question.id]
        )

    return key


@lru_cache(maxsize=8)
def _masks(base: RuleBase) -> dict[int, tuple[int, ...]]:
    """The values of each variable that the conditions of the decision and of priors ask for."""
    rules: list[Rule | Prior] = [*base.excludes, *(rule for step in base.steps for rule in step.rules), *base.priors]
    found: dict[int, dict[int, None]] = {}
    for box in (box for rule in rules for box in rule.boxes):
        for variable, mask in box.items():
            found.setdefault(variable, {})[mask] = None
    return {variable: tuple(masks) for variable, masks in found.items()}


def other_answers(question: Question, current: Value) -> Iterator[Value]:
    """One answer for each value that the rules can tell apart from the current one."""
    if question.type == "yes-no":
        yield not current
    elif question.type == "number":
        assert isinstance(current, int | float)
        here = band_of(question.bands, current)
        for i, band in sorted(enumerate(question.bands), key=lambda item: abs(item[0] - here)):
            value = typical(band, question)
            if i != here and value is not None:
                yield value
    elif question.type == "one-of":
        yield from (option for option in question.options if option != current)
    elif question.type == "some-of":
        chosen = current if isinstance(current, tuple) else ()
        for option in question.options:
            if option in chosen:
                continue
            yield (*chosen, option)
            if chosen:
                yield (option,)
        if len(chosen) > 1:
            yield from ((option,) for option in chosen)


def _facts(variables: dict[int, int], known: Known, base: RuleBase) -> dict[str, Value]:
    """The changed variables as answers; other elements of a some-of and other numbers stay where they can."""
    touched = dict.fromkeys(base.variables[v].fact for v in variables)  # not a set: same order in every process
    box: dict[int, int] = {}
    for fact in touched:
        for v in base.of_fact[fact]:
            box[v] = 1 << variables.get(v, known.lead[v])
    answers = realise(box, base, known.answers)
    if answers is None:
        return {}
    return {fact: value for fact, value in answers.items() if value != known.answers.get(fact)}
