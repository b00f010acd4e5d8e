"""Checks whether an answer fits its question and the other answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from advisor.answers.quantities import NONE, example, quantity
from advisor.answers.read_fact import in_order, listed_as, of_unit, plain_digits, tidy, wrong_number, wrong_text
from advisor.base.errors import AdvisorError
from advisor.base.text import quoted
from advisor.engine.completions import questions_of
from advisor.engine.decision import Answers, usually
from advisor.model.answers_in_words import labelled
from advisor.model.boxes import covers
from advisor.model.rulebase import Impossible, Question, RuleBase, band_of
from advisor.model.values import Other, Unknown, Value
from advisor.yamlio.scalars import resolve


class RefusedError(AdvisorError):
    """An operation was refused because it would make the answers wrong or contradictory; nothing was changed."""


def fitting(question: Question, value: Value) -> Value:
    """The answer in its stored form. Raises RefusedError if it does not fit the question's type."""
    wrong = ""
    if isinstance(value, Unknown):
        return value
    if question.type == "yes-no":
        wrong = "" if isinstance(value, bool) else "Answer yes or no."
    elif question.type == "number":
        if isinstance(value, bool) or not isinstance(value, int | float):
            wrong = "Answer with a number."
        elif not (wrong := wrong_number(question, value)):
            return tidy(value)
    elif question.type == "text":
        wrong = wrong_text(value) if isinstance(value, str) else "Answer with a text."
        value = value.strip() if isinstance(value, str) else value
    else:
        chosen = value if isinstance(value, tuple) else (value,)
        if isinstance(value, tuple) != (question.type == "some-of"):
            wrong = "Choose an answer from the list."
        wrong = wrong or next((w for choice in chosen if (w := _wrong_choice(question, choice))), "")
        if not wrong and isinstance(value, tuple):
            return in_order(question, list(dict.fromkeys(value)))
    if wrong:
        raise RefusedError(wrong[0].upper() + wrong[1:])
    return value


def typed_number(question: Question, text: str, unknown: str) -> int | float:
    """Parse a typed number; `unknown` tells the person how to answer "I don't know". Raises RefusedError."""
    value = resolve(text)
    stated = quantity(text, question.unit) if isinstance(value, str) else NONE
    if stated.value is not None:
        return stated.value
    if stated.wrong:
        raise RefusedError(f"{stated.wrong}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        meant = plain_digits(text)
        shown = example(question.unit)
        alone = f"write the number{of_unit(question)}{f', {shown},' if shown else ','} or {unknown}"
        raise RefusedError(f"{quoted(text)} is not a number; {f'write {meant}' if meant else alone}.")
    return value


def _wrong_choice(question: Question, choice: object) -> str:
    if isinstance(choice, Other):
        if listed := listed_as(question, choice.text.strip()):
            return f"{quoted(choice.text)} is already in the list; choose it there: {listed}."
        return wrong_text(choice.text)
    return "" if choice in question.options else "Choose an answer from the list."


def unknown_means(question: Question, answers: Answers, base: RuleBase) -> str:
    """What "I don't know" does to this question, in words."""
    stated = {f: v for f, v in answers.items() if not isinstance(v, Unknown) and f != question.id}
    usual = usually(stated, base).get(question.id)
    if usual is not None:
        return f"assumes: {labelled(question, usual[0])}"
    if question.mode == "open":
        return "considers every answer"
    if question.type == "text" or isinstance(question.lead, Other):
        return "assumes nothing"
    return f"assumes: {labelled(question, question.lead)}"


def contradictions(answers: Mapping[str, Value], base: RuleBase, fact: str | None = None) -> Iterator[Impossible]:
    """The impossible combinations that these answers state; with `fact`, only those that it takes part in."""
    box: dict[int, int] = {}
    for stated, value in answers.items():
        box.update(base.encode(stated, value))
    for derived in base.derived.values():
        result = base.number(derived, dict(answers))
        if result is not None:
            box[base.index[derived.id]] = 1 << band_of(derived.bands, result)
    for item in base.impossible:
        if any(covers(outer, box) for outer in item.boxes) and (fact is None or fact in facts_of(item, base)):
            yield item


def facts_of(item: Impossible, base: RuleBase) -> list[str]:
    """The questions whose answers a contradiction is about, in their order."""
    named = set().union(*(questions_of(box, base) for box in item.boxes))
    return [fact for fact in base.questions if fact in named]
