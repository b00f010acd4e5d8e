"""An answers file with every question as a comment; it is valid without changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.answers.file import FORM, written
from advisor.base.text import wrap
from advisor.model.values import UNKNOWN, Other, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import Question, RuleBase, Scope

WIDTH = 100
HEAD = (
    'Answers for advisor. Lines that begin with "# " are explanations. A line like "#fact: answer" is a question that '
    'is not answered yet, with an example: remove the "#" and write your own answer, or `unknown` if you do not know. '
    "For questions without an answer, advisor makes an assumption and lists it, or considers every answer. A few "
    "questions are already answered, so that you can try the file at once: change these answers, too."
)
ABOUT: dict[Scope, str] = {
    "path": "Everything between the clients and the servers. It applies to every feature without an answer of its own.",
    "app": "The servers. It applies to every feature without an answer of its own.",
    "feature": "The features, one block each: for another feature, copy the block and give it another name. "
    "A block may repeat any question from above; the answer then applies only to that feature.",
}
# The few answers that are filled in, so that the file can be tried at once.
EXAMPLE: dict[str, Value] = {
    "reverse-proxy": "nginx",
    "bidirectional-realtime": False,
    "clients": ("browser",),
    "latency-need-ms": 1000,
    "server-msg-rate-per-s": 0.05,
    "concurrent-clients": 1000,
}


def new(base: RuleBase) -> str:
    """The text of a new answers file."""
    lines = [wrap(HEAD, WIDTH, "# "), "", f"answers: {FORM}", "project: My project"]
    for scope in ("path", "app"):
        lines += ["", wrap(ABOUT[scope], WIDTH, "# "), f"{scope}:", *_questions(base, scope, "  ")]
    lines += ["", wrap(ABOUT["feature"], WIDTH, "# "), "features:", "  - name: order status"]
    lines += _questions(base, "feature", "    ")
    return "\n".join(lines) + "\n"


def _questions(base: RuleBase, scope: Scope, indent: str) -> Iterator[str]:
    for question in base.questions.values():
        if question.scope == scope:
            yield ""
            yield wrap(question.ask, WIDTH, f"{indent}# ")
            yield wrap(allowed(question), WIDTH, f"{indent}#   ")
            filled = question.id in EXAMPLE
            yield indent + (f"{question.id}: {written(EXAMPLE[question.id])}" if filled else placeholder(question))


def placeholder(question: Question) -> str:
    """The line of a question that is not answered yet, with an example."""
    return f"#{question.id}: {written(example(question))}"


def allowed(question: Question) -> str:
    """What may be answered, in one line."""
    if question.type == "yes-no":
        return "yes, no or unknown"
    if question.type == "number":
        kind = "a whole number" if question.whole else "a number"
        return f"{kind}{f' ({question.unit})' if question.unit else ''}, or unknown"
    if question.type == "text":
        return "text, or unknown"
    options = ", ".join(question.options)
    if question.type == "one-of":
        return f"one of {options}; or {{other: TEXT}}, or unknown"
    return f"a list of {options}, {{other: TEXT}}; [] means none of them; or unknown"


def example(question: Question) -> Value:
    """The example answer: the assumed one, if a person could have written it."""
    return UNKNOWN if question.type == "text" or isinstance(question.lead, Other) else question.lead
