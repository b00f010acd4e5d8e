"""A commented answers file with every question in it, valid as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.answers.file import written
from advisor.base.text import wrap
from advisor.model.values import UNKNOWN, Other, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import Question, RuleBase, Scope

WIDTH = 100
HEAD = (
    'Answers for advisor. A line that begins with "# " explains. A line like "#fact: answer" is a question that is '
    'not answered yet, with an example: remove the "#" and write your own answer, or `unknown` if you do not know. '
    "What the file leaves open is assumed and said, or both ways are followed. A few questions are answered below, "
    "so that the file can be tried at once: change them too."
)
ABOUT: dict[Scope, str] = {
    "path": "What lies between the clients and the servers. It holds for every feature that does not say otherwise.",
    "app": "The servers. This holds for every feature that does not say otherwise.",
    "feature": "The features, one block each: copy the block for the next one and give it another name. "
    "Any fact from above may be repeated in a block and then holds for that feature alone.",
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
    lines = [wrap(HEAD, WIDTH, "# "), "", "project: My project"]
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
        return "a text, or unknown"
    options = ", ".join(question.options)
    if question.type == "one-of":
        return f"one of {options}; or {{other: TEXT}}, or unknown"
    return f"a list of {options}, {{other: TEXT}}; [] is none of them; or unknown"


def example(question: Question) -> Value:
    """An answer to show: the one that is taken where nothing is known, if a reader could have written it."""
    return UNKNOWN if question.type == "text" or isinstance(question.lead, Other) else question.lead
