"""A question as numbered choices or a typed line, and what was chosen or typed as an answer."""

from __future__ import annotations

from advisor.answers.check import RefusedError, fitting, typed_number
from advisor.answers.file import written
from advisor.answers.quantities import example
from advisor.answers.typed import as_listed
from advisor.engine.decision import usually
from advisor.interview.session import Session
from advisor.model.answers_in_words import labelled
from advisor.model.rulebase import Question
from advisor.model.values import UNKNOWN, Other, Unknown, Value
from advisor.tui import panes
from advisor.tui.widgets import Ask, Choice


def choices(session: Session, question: Question) -> list[Choice]:
    """The choices of a question: its options, texts given before, one for anything else, "I don't know"."""
    listed: list[tuple[str, object]] = []
    if question.type == "yes-no":
        listed = [("yes", True), ("no", False)]
    elif question.options:
        answer = session.answers.get(question.id)
        given = [choice for choice in answer if isinstance(choice, Other)] if isinstance(answer, tuple) else []
        listed = [(label, option) for option, label in as_listed(question).items()]
        listed += [(labelled(question, other), other) for other in given]
        listed.append(("something else ...", Ask()))
    several = question.type == "some-of"
    listed += [("none of these", ())] if several else []
    made = [
        Choice(str(i), label, value, ticks=several and isinstance(value, str | Other), rests=value == ())
        for i, (label, value) in enumerate(listed, 1)
    ]
    return [*made, Choice("?", panes.unknown(session, question), UNKNOWN)]


def place(listed: list[Choice], answer: Value | None) -> int:
    """The first highlighted choice: this answer, else the first one."""
    for i, choice in enumerate(listed):
        if isinstance(answer, tuple) and answer and choice.value == answer[0]:
            return i
        if isinstance(answer, Other) and isinstance(choice.value, Ask):
            return i
        if type(choice.value) is type(answer) and choice.value == answer:
            return i
    return 0


def likely(session: Session, question: Question) -> Value | None:
    """The answer that is highlighted before there is one: what leads the verdict of those who do not know.

    The first choice of a list may be the most unusual one, as live video is; pressing Enter should never give that.
    """
    stated = {fact: value for fact, value in session.standing.items() if not isinstance(value, Unknown)}
    usual = usually(stated, session.base).get(question.id)
    if usual is not None:
        return usual[0]
    return None if isinstance(question.lead, Other) else question.lead


def hint(question: Question, *, typed: bool, rests: bool, given: bool) -> str:
    """What the keys do here: something may have been typed or `given` before; "none of these" waits for Enter."""
    if question.type == "some-of":
        return (
            "Enter takes it and removes all ticks."
            if rests
            else "A number or space ticks; Enter takes the ticked choices."
        )
    if question.type == "number":
        other = example(question.unit)
        unit = f"In {question.unit}{f', or {other}' if other else ''}. " if question.unit else ""
        doing = "Type it, then Enter; ? means I don't know."
        if typed or given:
            doing = "Enter takes it; Escape leaves the line." if typed else "Type another one, or Enter keeps it."
        return f"{unit}{doing}"
    if question.type == "text":
        return "Type it and press Enter. Escape leaves the line; letters are then commands again."
    return "Press its number, or move to it and press Enter."


def typed_before(answer: Value | None) -> str:
    """An answer as it would be typed."""
    if answer is None or isinstance(answer, Unknown):
        return ""
    return answer if isinstance(answer, str) else written(answer)


def typed_value(question: Question, text: str) -> Value | None:
    """The typed line as an answer; None if nothing is typed; for a wrong number, a sentence about it."""
    text = text.strip()
    if not text:
        return None
    if question.type == "text":
        return text
    try:
        return fitting(question, typed_number(question, text, "clear the line and press ? for I don't know"))
    except RefusedError as refused:
        return str(refused)
