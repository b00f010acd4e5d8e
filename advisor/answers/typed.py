"""A typed line as an answer to a question: numbers of choices, ids, words, lists, `other: TEXT`."""

from __future__ import annotations

import re
from collections.abc import Callable

from advisor.answers.check import RefusedError, typed_number
from advisor.base.text import nearest, quoted
from advisor.model.rulebase import Question
from advisor.model.values import UNKNOWN, Choice, Other, Value


def answer(typed: str, question: Question, which: Callable[[], str]) -> Value:
    """The line as an answer; `which` asks for the text of `other`. Raises RefusedError."""
    if typed == "?" or typed.casefold() == "unknown":
        return UNKNOWN
    if question.type == "text":
        return typed
    if question.type == "number":
        return typed_number(question, typed, "type ? for I don't know")
    if question.type == "yes-no":
        choices = {"1": True, "2": False, "yes": True, "no": False, "y": True, "n": False}
        if typed.casefold() not in choices:
            raise RefusedError("Type 1 for yes, 2 for no, or ? for I don't know.")
        return choices[typed.casefold()]
    if question.type == "one-of":
        return choice(typed, question, which)
    if typed.casefold() == "none":
        return ()
    other, mark, text = typed.partition("other:")
    parts = other.replace(",", " ").split() + ([f"other:{text}"] if mark else [])
    return tuple(choice(part, question, which) for part in parts)


def as_listed(question: Question) -> dict[str, str]:
    """The options with their labels as a list of choices has them: what begins with yes before what begins with no."""
    first = {"yes": 0, "no": 1}
    starts = {option: re.match(r"\w*", label)[0].casefold() for option, label in question.options.items()}  # type: ignore[index]  # it matches anything
    if not first.keys() <= set(starts.values()):
        return question.options
    return {option: question.options[option] for option in sorted(starts, key=lambda o: first.get(starts[o], 2))}


def choice(typed: str, question: Question, which: Callable[[], str]) -> Choice:
    """One option by its number, its id or `other: TEXT`. Raises RefusedError."""
    options = list(as_listed(question))
    if typed.casefold().startswith("other:"):
        return Other(typed[6:].strip())
    if typed in options:
        return typed
    if typed.isdecimal() and 1 <= int(typed[:6]) <= len(options):
        return options[int(typed[:6]) - 1]
    if typed.casefold() == "other" or (typed.isdecimal() and int(typed[:6]) == len(options) + 1):
        return Other(which())
    if typed == "0":
        raise RefusedError("0 is not one of the choices; type ? for I don't know.")
    near = nearest(typed, options)
    raise RefusedError(f"{quoted(typed)} is not one of the choices{f'; did you mean {near}?' if near else '.'}")
