"""What is known when no question is left: the verdict, how sure it is, and what was answered with "I don't know".

It prints nothing that is not in the report: both are made from the same verdict.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.base.text import plural, quoted
from advisor.interview.session import Session
from advisor.model.values import Unknown
from advisor.report import words

NAME = 40  # columns that a name may take in a line


def decided(session: Session) -> str:
    """The headline: the pattern of the current feature."""
    if session.conflicts:
        return "These answers contradict each other, so there is nothing to ask."
    feature = session.verdict["features"][session.current]
    pattern, alone = feature["primary"], feature["alone"]
    said = words.title(pattern, session.base) if pattern else "no pattern fits"
    if alone is not None and pattern != alone:
        said += f", on an open connection; alone it would be {words.title(alone, session.base)}"
    return f"{quoted(session.feature.name, NAME)} is decided: {said}."


def missing(session: Session) -> list[str]:
    """The facts that the report lists as open or to find out, and the others that matter and are "I don't know"."""
    feature = session.verdict["features"][session.current]
    unknown = {fact for fact, value in session.answers.items() if isinstance(value, Unknown)}
    named = {*words.still_open(feature), *([next_fact(session)] if feature["ask_next"] else [])}
    return [
        fact for fact in session.base.questions if fact in named or (fact in unknown and fact in feature["matters"])
    ]


def next_fact(session: Session) -> str | None:
    """The question to find out first, as in the report; None where no missing answer alone changes the pattern."""
    asked = session.verdict["features"][session.current]["ask_next"]
    return asked["fact"] if asked else None


def paragraphs(session: Session) -> Iterator[str]:
    """How sure the verdict is, what is missing, and what to find out first."""
    feature, base = session.verdict["features"][session.current], session.base
    if session.conflicts:
        return
    if feature["primary"]:
        yield f"Confidence {words.confidence_line(feature, base)}"
    unknown = missing(session)
    if not unknown:
        yield "Every question that can change the result is answered."
    else:
        count = f"{plural(len(unknown), 'answer')} that can change the result {'is' if len(unknown) == 1 else 'are'}"
        yield f"No question is left. {count} not known."
    if words.still_open(feature):
        yield f"Still open: {', '.join(words.still_open(feature))}."
    asked = feature["ask_next"]
    if asked:
        others = " or ".join(words.title(pattern, base) for pattern in asked["decides"])
        yield f"Ask this next: {asked['ask']} ({asked['fact']}) The answer can lead to {others}."
