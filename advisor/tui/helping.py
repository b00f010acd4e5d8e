"""What F1 shows: the question in full, what the screen is for, its keys, and what the marks mean."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen

from advisor.interview import plain_text
from advisor.interview.session import Session
from advisor.model.rulebase import Question

KEYS = {
    "left": "left arrow", "right": "right arrow", "question_mark": "?", "pageup": "page up", "pagedown": "page down",
    "escape": "Escape", "enter": "Enter", "f1": "F1",
}  # fmt: skip
CHOOSING = """\
  a number          takes or ticks that choice
  ?                 means "I don't know"
  Enter, space      take or tick the choice ("none of these": Enter)
  up, down          move, and see what each answer would rule out
"""
TYPING = """\
  Enter             takes what you typed; the screen shows what it would rule out
  ?                 means "I don't know" while the line is empty; a typed 0 is the number 0
  letters           belong to the text; in an empty line for a number they are commands
"""
EVERYWHERE = """\
  ctrl+p            all commands by name: questions, features, light and dark
  ctrl+q            quit at once, without saving; the next run offers to continue
  mouse             everything can also be clicked, including the last line
"""
MARKS = """\
Marks
  the steps         x applies   - does not   ? not known yet   > this question belongs to it
  the patterns      + still possible   ? ruled out by the highlighted answer   - ruled out; another answer to
                    the question next to it would bring it back
  the file          * some answers are not in the file yet; q saves them
"""


def text(screen: Screen[object], session: Session | None) -> Content:
    """The help of one screen; with a session, its question first and what the answers have decided last."""
    question = session.question if session is not None and not session.pause else None
    parts: list[str | tuple[str, str]] = []
    if question is not None:
        parts = [(question.ask, "bold"), f"\n\nWhy: {question.why}\n\nFind out: {question.find_out}\n"]
        parts.append(f"\n`advisor explain {question.id}` lists the rules that use it.\n\n")
    about = getattr(screen, "HELP", None)
    parts += [f"{about}\n\n"] if about else []
    parts += [("Keys\n", "bold"), answering(question), listed(screen), EVERYWHERE]
    parts += [f"\n{MARKS}"] if question is not None else []
    if session is not None:
        parts += [("\nSo far\n", "bold"), "\n".join(plain_text.standing(session))]
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
