"""What both faces of the interview show at a pause: the list of usual answers, or that the pattern is settled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from advisor.base.text import clipped, plural, quoted
from advisor.engine.asking import Part
from advisor.interview.ending import NAME
from advisor.interview.session import Session
from advisor.interview.way import Usual
from advisor.model.answers_in_words import labelled
from advisor.report import words

VALUE = 34  # columns that an answer may take in a row of the list


class Onward(NamedTuple):
    """A way to go on from a settled pattern: the result, where there is no part, or the questions of that part."""

    label: str
    part: Part | None


def headline(session: Session) -> str:
    """The pause in a sentence."""
    name = quoted(session.feature.name, NAME)
    if session.pause == "list":
        return f"{name} usually has these answers. Are they right?"
    pattern = session.pattern
    said = words.title(pattern, session.base) if pattern else "no pattern fits"
    return f"The pattern of {name} is settled: {said}."


def paragraphs(session: Session) -> Iterator[str]:
    """What the pause means, and how sure the pattern is."""
    if session.pause == "list":
        yield "What you confirm counts as your answer. Change what is wrong first; the list is shown again."
        return
    feature = session.verdict["features"][session.current]
    yield "The questions that are left are not expected to give another pattern."
    if feature["primary"]:
        yield f"Confidence: {feature['confidence']}; the result says why."


def row(session: Session, item: Usual, width: int) -> str:
    """A row of the list in one line: its question, and the answer, with a mark where the person has given it."""
    value = clipped(labelled(session.base.questions[item.fact], item.value), VALUE)
    value += " (your answer)" if item.stated else ""
    return f"{clipped(session.base.questions[item.fact].ask, max(width - len(value) - 1, 8))} {value}"


def onward(session: Session) -> list[Onward]:
    """The ways to go on from a settled pattern."""
    after: tuple[Part, ...] = ("warnings", "kit")
    counts = {part: len(session.asking.of(part)) for part in after}
    names = {"warnings": "warnings", "kit": session.details}
    ways = (Onward(f"go on to the {names[part]} ({plural(n, 'question')})", part) for part, n in counts.items() if n)
    return [Onward("show the result", None), *ways]
