"""An answer as rules and examples write it: plain YAML into a Value, or an error that says what is wrong."""

from __future__ import annotations

import math
from typing import Any

from advisor.base.text import did_you_mean
from advisor.model.rulebase import Question
from advisor.model.values import UNKNOWN, Other, Value


def value(question: Question, raw: Any) -> Value:
    """An answer as rules and examples write it. Raises ValueError with what is wrong."""
    if raw is None or raw == "unknown":
        return UNKNOWN
    if question.type == "yes-no":
        answer = {"yes": True, "no": False, True: True, False: False}.get(raw) if isinstance(raw, str | bool) else None
        if answer is None:
            raise ValueError(f"{question.id}: write yes or no, not {raw!r}")
        return answer
    if question.type == "number":
        return _number(question, raw)
    if question.type == "text":
        return str(raw)
    if question.type == "some-of":
        return tuple(_choice(question, item) for item in (raw if isinstance(raw, list) else [raw]))
    return _choice(question, raw)


def _number(question: Question, raw: Any) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueError(f"{question.id}: write a number, not {raw!r}")
    if raw < question.minimum:
        raise ValueError(f"{question.id}: write {question.minimum:g} or more, not {raw:g}")
    if question.whole and raw != int(raw):
        raise ValueError(f"{question.id}: write a whole number, not {raw:g}")
    return raw


def _choice(question: Question, raw: Any) -> str | Other:
    if isinstance(raw, dict) and set(raw) == {"other"}:
        return Other(str(raw["other"]))
    if not isinstance(raw, str) or raw not in question.options:
        raise ValueError(f"{question.id}: there is no answer {raw!r}{did_you_mean(str(raw), question.options)}")
    return str(raw)
