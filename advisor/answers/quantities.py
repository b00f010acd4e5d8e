"""A number with a unit, as people write it in an answers file: `250 ms`, `2 min`, `64 KiB`, `5/min`, `1,000`."""

from __future__ import annotations

import re
from typing import NamedTuple

from advisor.base.text import number, quoted, visible

MOST = 60  # characters; a longer text is not a number that people write
_TIME = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}  # in ms, so that all are whole
_SIZE = {"bytes": 1, "byte": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1_000_000, "mib": 1_048_576}
_WORDS = {"time": "ms, s, min, h or d", "size": "bytes, kB, KiB, MB or MiB", "rate": "/s, /min, /h or /d"}
# The unit of a question, with its dimension and how much of the dimension's smallest it is; a rate is for each second.
_OF_QUESTIONS = {"ms": ("time", 1), "s": ("time", 1000), "bytes": ("size", 1), "messages per second": ("rate", 1000)}
_DIGITS = r"[0-9]+(?:,[0-9]+)*(?:\.[0-9]+)?"
_AMOUNT = re.compile(rf"({_DIGITS})(?: ?(/) ?([A-Za-z]+)| ?([A-Za-z]+))?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?|[0-9]+(\.[0-9]+)?")


class Quantity(NamedTuple):
    """What a text is read as: the number in the question's unit, or what is wrong with it. Neither: no quantity."""

    value: float | None
    wrong: str


NONE = Quantity(None, "")


def quantity(text: str, unit: str) -> Quantity:
    """The number that the text states, in the unit of its question."""
    found = _AMOUNT.fullmatch(text) if len(text) <= MOST else None
    if found is None:
        return NONE
    digits, slash, per, word = found.groups()
    if not _THOUSANDS.fullmatch(digits):
        return Quantity(None, _two_readings(digits, text[len(digits) :]))
    plain = digits.replace(",", "")
    if not per and not word:
        return Quantity(float(plain), "") if "," in digits else NONE
    dimension, own = _OF_QUESTIONS.get(unit, ("", 1))
    said, factor = _said(per or word, rate=bool(slash))
    if said and said == dimension:
        from fractions import Fraction  # few files have units

        return Quantity(float(Fraction(plain) * (Fraction(own, factor) if slash else Fraction(factor, own))), "")
    if not said and not slash:  # 10k has no unit either; the reader of numbers has the message for it
        return NONE if not dimension or word.lower() == "k" else Quantity(None, _unknown_unit(word, dimension))
    if not dimension:
        return Quantity(None, f"{visible(text, 40)} has a unit, and the answer is a plain number{_of(unit)}")
    return Quantity(None, f"{visible(text, 40)} has no unit of a {dimension}; write one of {_WORDS[dimension]}")


def _said(word: str, *, rate: bool) -> tuple[str, int]:
    """The dimension that a unit belongs to, and how much of the smallest it is; ("", 1) where it is none."""
    low = word.lower()
    if low in _TIME:
        return "rate" if rate else "time", _TIME[low]
    return ("size", _SIZE[low]) if low in _SIZE and not rate else ("", 1)


def _two_readings(digits: str, rest: str) -> str:
    """A comma that separates no thousands: some people read it as a decimal point, others as nothing."""
    if digits.count(",") == 1 and "." not in digits:
        left, right = digits.split(",")
        point, none = f"{left}.{right}", f"{left}{right}".lstrip("0") or "0"
        return f"{quoted(digits + rest)} can mean {point} or {none}; write {point}{rest} or {none}{rest}"
    plain = digits.replace(",", "")
    return f"{quoted(digits + rest)} has a comma that separates no thousands; write {plain}{rest}"


def _unknown_unit(word: str, dimension: str) -> str:
    return f"{quoted(word)} is not a unit of a {dimension}; write one of {_WORDS[dimension]}"


def _of(unit: str) -> str:
    return f" of {unit}" if unit else ""


def example(unit: str) -> str:
    """How an amount with a unit may be written, for a message; "" where the question takes none."""
    dimension, _ = _OF_QUESTIONS.get(unit, ("", 1))
    if not dimension:
        return ""
    shown = {"time": "2 s", "size": "2 kB", "rate": "5/min"}[dimension]
    value = quantity(shown, unit).value
    assert value is not None
    return f"{shown} for {number(value, 3)}"
