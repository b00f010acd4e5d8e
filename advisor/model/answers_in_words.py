"""Answers in words, for screens, reports, explanations and the texts of a verdict. No other module does this.

yes, no, 5 clients, 1 message per second, the option or its label, "something else (Squid 6)", "none of these" for a
list without a choice, "not known". The form in files (`{other: Squid 6}`, `[]`, `unknown`) is in answers/file.py.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from advisor.base.text import number, visible
from advisor.model.arithmetic import finite
from advisor.model.values import Other, Unknown, Value, from_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.model.rulebase import Question, RuleBase
    from advisor.model.verdict import Answer

IDS: Final[Mapping[str, str]] = MappingProxyType({})  # no labels: options are called by their ids


def in_words(value: Value, unit: str = "", labels: Mapping[str, str] = IDS) -> str:
    """An answer, safe to show; a number comes with its unit, an option with its label where there is one."""
    if isinstance(value, Unknown):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{number(finite(value))} {_of_one(unit) if value == 1 else unit}".rstrip()
    if isinstance(value, tuple):
        return ", ".join(in_words(choice, unit, labels) for choice in value) or "none of these"
    if isinstance(value, Other):
        return f"something else ({visible(value.text)})"
    return labels.get(value) or visible(value) or "nothing"


def labelled(question: Question, value: Value) -> str:
    """The answer to a question as its screen words it: options by their labels."""
    return in_words(value, question.unit, question.options)


def named(fact: str, value: Value | Answer, base: RuleBase) -> str:
    """The answer to a question, or a derived number, for use beside its id: options by their ids, as in a file.

    The answer may be in the form in which the verdict carries it.
    """
    asked = base.questions.get(fact) or base.derived.get(fact)
    answer = from_plain(value)
    if isinstance(answer, Other) and fact in base.questions and answer == base.questions[fact].lead:
        return visible(answer.text)  # not a stated text: the question takes it for "I don't know"
    return in_words(answer, asked.unit if asked is not None else "")


def _of_one(unit: str) -> str:
    """The unit after a 1: 1 message per second, 2 messages per second."""
    first, space, rest = unit.partition(" ")
    return f"{first[:-1]}{space}{rest}" if len(first) > 2 and first.endswith("s") else unit
