"""One answer, read from its YAML node and checked against its question.

The functions return None if something is wrong; the problem is then in the `Source`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from advisor.answers.quantities import NONE, example, quantity
from advisor.base.text import did_you_mean, number, quoted, visible
from advisor.model.values import UNKNOWN, Choice, Other, Value, plain_name
from advisor.yamlio.nodes import Map, Node, Scalar, Seq, Source
from advisor.yamlio.scalars import resolve

if TYPE_CHECKING:
    from advisor.model.rulebase import Question

MAX_TEXT = 200  # characters
MAX_CHOICES = 50  # in one list
MOST_WORDS = 12  # of the options that a message spells out
_YES_NO = {"yes": True, "no": False, "true": True, "false": False}
_LIKE_YES_NO = dict.fromkeys(("y", "yes", "on", "true", "1"), "yes") | dict.fromkeys(
    ("n", "no", "off", "false", "0"), "no"
)
# Controls, line ends, and the marks that turn the order of what follows.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def read_fact(question: Question, node: Node, source: Source) -> Value | None:
    """The answer to a question; null and the word `unknown` are "I don't know", whatever the type."""
    if isinstance(node, Scalar) and (node.value is None or node.value == "unknown"):
        return UNKNOWN
    if question.type == "yes-no":
        return _yes_no(question, node, source)
    if question.type == "number":
        return _number(question, node, source)
    if question.type == "one-of":
        return _choice(question, node, source)
    if question.type == "some-of":
        return _choices(question, node, source)
    return read_text_value(node, question.id, source)


def _kind(node: Node) -> str:
    return "a mapping" if isinstance(node, Map) else "a list" if isinstance(node, Seq) else "a single value"


def _yes_no(question: Question, node: Node, source: Source) -> bool | None:
    if isinstance(node, Scalar):
        if isinstance(node.value, bool):
            return node.value
        if isinstance(node.value, str) and node.value in _YES_NO:
            return _YES_NO[node.value]
        meant = _LIKE_YES_NO.get(node.text.casefold(), "")
        hint = f"; did you mean {meant}?" if meant else ""
        message = f"{quoted(node.text)} is not an answer; write yes, no or unknown{hint}"
    else:
        message = f"write yes, no or unknown, not {_kind(node)}"
    source.add(node.line, node.column, f"{question.id}: {message}")
    return None


# --- numbers ----------------------------------------------------------------------------------------------------------


def _number(question: Question, node: Node, source: Source) -> int | float | None:
    stated = quantity(node.text, question.unit) if isinstance(node, Scalar) and isinstance(node.value, str) else NONE
    if not isinstance(node, Scalar):
        message = f"write a number{of_unit(question)}, not {_kind(node)}"
    elif stated.value is not None:
        message = wrong_number(question, stated.value)
        if not message:
            return tidy(stated.value)
    elif stated.wrong:
        message = stated.wrong
    elif isinstance(node.value, bool) or not isinstance(node.value, int | float):
        message = f"{quoted(node.text)} {_not_a_number(question, node)}"
    elif math.isinf(node.value) and "i" not in node.text.casefold():
        message = f"{visible(node.text, 20)} is too large; write a smaller number"
    else:
        message = wrong_number(question, node.value)
        if not message:
            return tidy(node.value)
    source.add(node.line, node.column, f"{question.id}: {message}")
    return None


def wrong_number(question: Question, value: float) -> str:
    """What is wrong with this number as an answer, or ""."""
    if not math.isfinite(value):
        return "the number must be finite; write another one, or unknown"
    if value < 0:
        return f"{number(value)} is negative; the minimum is {number(question.minimum)}"
    if value < question.minimum:
        return f"{number(value)} is too small; the minimum is {number(question.minimum)}"
    if question.whole and value != math.floor(value):
        return f"{number(value)} is not a whole number; round it"
    return ""


def tidy(value: float) -> int | float:
    """The same number as an int where that is exact in every program, else as a float; never -0.0."""
    near = float(value)
    return int(near) if abs(near) < 2**53 and near == int(near) else near


def of_unit(question: Question) -> str:
    """The unit of a number, in brackets; "" where it has none."""
    return f" (in {question.unit})" if question.unit else ""


def _not_a_number(question: Question, node: Scalar) -> str:
    shown = example(question.unit)
    alone = f"write the number{of_unit(question)}{f', {shown},' if shown else ','} or unknown"
    if isinstance(node.value, bool):
        return f"is not a number; {alone}"
    if not node.plain and isinstance(resolve(node.text), int | float) and not isinstance(resolve(node.text), bool):
        return f"is text because of its quotes; write {visible(node.text, 40)} without them"
    if node.odd:
        return f"is read as {node.odd} by some YAML programs; write plain decimal digits"
    if meant := plain_digits(node.text):
        return f"is not a number; write {meant}"
    return f"is not a number; {alone}"


def plain_digits(text: str) -> str:
    """The plain digits of 1,000 or 10k or 0,5 or 007; "" where the text is no such number."""
    if len(text) > 40:
        return ""
    text = re.sub("^0+(?=[0-9])", "", text)
    if re.fullmatch(r"[0-9]+,[0-9]{1,2}", text):
        return text.replace(",", ".")
    found = re.fullmatch(r"((?:[0-9]{1,3}(?:[, '][0-9]{3})+|[0-9]+)(?:\.[0-9]+)?) ?([kK]?)", text)
    if not found:
        return ""
    plain = re.sub("[, ']", "", found[1])
    if not found[2]:
        return plain
    return str(tidy(float(plain) * 1000))


# --- options ----------------------------------------------------------------------------------------------------------


def _choice(question: Question, node: Node, source: Source) -> Choice | None:
    if isinstance(node, Map):
        return _other(question, node, source)
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and node.value in question.options:
            return node.value
        message = _not_an_option(question, node)
    else:
        message = f"write one answer, not a list{_options(question)}"
    source.add(node.line, node.column, f"{question.id}: {message}")
    return None


def _not_an_option(question: Question, node: Scalar) -> str:
    if node.text == "other":
        return "other needs a text; write {other: TEXT}"
    if node.value is None or node.value == "unknown":  # inside a list
        return f"one entry of the list cannot be unknown; write {question.id}: unknown for the whole list"
    meant = did_you_mean(node.text, question.options)
    bare = isinstance(node.value, bool) or bool(node.odd)
    if bare and _LIKE_YES_NO.get(node.text.casefold()) == "no" and "none" in question.options:
        meant = "; did you mean none?"
    bare_word = f" (some YAML programs read it as {node.odd})" if node.plain and node.odd else ""
    return f"{quoted(node.text)} is not one of the answers{bare_word}{meant}{_options(question)}"


def _options(question: Question) -> str:
    if len(question.options) > MOST_WORDS:
        return f" (advisor explain {question.id} lists all answers)"
    return f" (allowed: {', '.join(question.options)}, {{other: TEXT}} or unknown)"


def _other(question: Question, node: Map, source: Source) -> Choice | None:
    """What is not listed; a text that is another name of a listed answer is that answer, and a note says so."""
    for key, (line, column) in node.keys.items():
        if key != "other":
            hint = " only {other: TEXT} has braces" if key not in question.options else f" write {key} without braces"
            source.add(line, column, f"{question.id}: {quoted(key)} is not allowed here;{hint}")
    if len(node.items) != 1 or "other" not in node.items:
        if not node.items:
            source.add(node.line, node.column, f"{question.id}: empty braces are not an answer{_options(question)}")
        return None
    inner = node.items["other"]
    if isinstance(inner, Scalar) and (inner.value is None or inner.value == "unknown"):
        source.add(
            inner.line,
            inner.column,
            f"{question.id}: other needs a text; if you do not know it, write unknown without braces",
        )
        return None
    text = read_text_value(inner, question.id, source)
    if text is None:
        return None
    listed = listed_as(question, text)
    if listed:
        source.note(inner.line, inner.column, f"{question.id}: {quoted(text)} is read as the listed answer {listed}")
        return listed
    return Other(text)


def listed_as(question: Question, text: str) -> str:
    """The listed answer that this is another name of; "" for what is not listed."""
    return text.casefold() if text.casefold() in question.options else question.also_called.get(plain_name(text), "")


def _choices(question: Question, node: Node, source: Source) -> tuple[Choice, ...] | None:
    """Several options, the listed ones in the order of the question."""
    if not isinstance(node, Seq):
        example = (
            node.text if isinstance(node, Scalar) and node.text in question.options else next(iter(question.options))
        )
        message = f"write a list, such as [{example}]; [] means none of them"
        source.add(node.line, node.column, f"{question.id}: {message}")
        return None
    if len(node.items) > MAX_CHOICES:
        message = f"the list has {number(len(node.items))} entries; the maximum is {MAX_CHOICES}"
        source.add(node.line, node.column, f"{question.id}: {message}")
        return None
    found: list[Choice] = []
    sound = True
    for item in node.items:
        choice = _choice(question, item, source)
        if choice in found:
            shown = choice.text if isinstance(choice, Other) else choice
            source.add(item.line, item.column, f"{question.id}: {quoted(str(shown))} is in the list twice")
        sound = sound and choice is not None and choice not in found
        if choice is not None:
            found.append(choice)
    return in_order(question, found) if sound else None


def in_order(question: Question, choices: list[Choice]) -> tuple[Choice, ...]:
    """The chosen options in the order of the question, then the others as they came."""
    listed = [option for option in question.options if option in choices]
    return (*listed, *(choice for choice in choices if isinstance(choice, Other)))


# --- texts ------------------------------------------------------------------------------------------------------------


def read_text_value(node: Node, name: str, source: Source) -> str | None:
    """A text of one line. A bare word that YAML programs may read as something else must be quoted."""
    if not isinstance(node, Scalar):
        message = f"write a text, not {_kind(node)}"
    elif node.value is None:
        message = "the text is missing; write it after the colon"
    elif node.plain and (node.odd or not isinstance(node.value, str)):
        what = node.odd or ("true or false" if isinstance(node.value, bool) else "a number")
        message = f'without quotes, {visible(node.text, 40)} is read as {what}; write "{visible(node.text, 40)}"'
    elif not isinstance(node.value, str):
        message = "write a text"
    elif wrong := wrong_text(node.value):
        message = wrong
    else:
        return node.value.strip()
    source.add(node.line, node.column, f"{name}: {message}")
    return None


def wrong_text(text: str) -> str:
    """What is wrong with this text as an answer or a name, or ""."""
    if not text.strip():
        return "the text is empty"
    if len(text) > MAX_TEXT:
        return f"the text has {number(len(text))} characters; the maximum is {MAX_TEXT}"
    if found := _UNFIT.search(text):
        return f"{quoted(text)} contains {visible(found[0])}; write one line without control characters"
    return ""
