"""What F1 shows: the question in full, what the screen is for, its keys, and what the marks mean."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen

from advisor.model.rulebase import Question

KEYS = {
    "left": "left arrow", "right": "right arrow", "question_mark": "?", "pageup": "page up", "pagedown": "page down",
    "escape": "Escape", "enter": "Enter", "f1": "F1",
}  # fmt: skip
CHOOSING = """\
  a number          takes or ticks that choice; 0 is "I don't know"
  ?                 "I don't know", too
  Enter, space      take or tick the choice ("none of these": Enter)
  up, down          move: it is said what each answer would rule out
"""
TYPING = """\
  Enter             takes what was typed; while you type, it is said what that would rule out
  ?                 "I don't know", while nothing is typed; a 0 that is typed is the number 0
  letters           belong to what is typed; they are keys where a number is asked for and nothing is typed yet
"""
EVERYWHERE = """\
  ctrl+p            all commands by name: questions, features, light and dark
  mouse             what keys do can be clicked, the last line too
"""
MARKS = """\
Marks
  the steps         x holds   - does not   ? not known yet   > the question at hand belongs to it
  the patterns      + can still come out   ? would go with the highlighted answer   - cannot, and why
  the file          * has answers that are not in the file yet; q saves them
"""


def text(screen: Screen[object], question: Question | None) -> Content:
    """The help of one screen; with a question, that one first."""
    parts: list[str | tuple[str, str]] = []
    if question is not None:
        parts = [(question.ask, "bold"), f"\n\nWhy: {question.why}\n\nFind out: {question.find_out}\n"]
        parts.append(f"\n`advisor explain {question.id}` tells which rules read it.\n\n")
    about = getattr(screen, "HELP", None)
    parts += [f"{about}\n\n"] if about else []
    parts += [("Keys\n", "bold"), answering(question), listed(screen), EVERYWHERE]
    parts += [f"\n{MARKS}"] if question is not None else []
    return Content.assemble(*parts)


def answering(question: Question | None) -> str:
    """The keys that answer a question."""
    if question is None:
        return ""
    return TYPING if question.type in ("number", "text") else CHOOSING


def listed(screen: Screen[object]) -> str:
    """The screen's own keys, one line for each action."""
    lines = []
    for binding in screen.BINDINGS:
        if isinstance(binding, Binding):
            names = ", ".join(KEYS.get(key, key) for key in binding.key.split(","))
            lines.append(f"  {names:16}  {binding.tooltip or binding.description}\n")
    return "".join(lines)
