"""The content of the interview as plain lines in reading order, also for people who do not see a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.answers.check import unknown_means
from advisor.answers.typed import as_listed
from advisor.base.errors import Problem
from advisor.base.text import plural, quoted, visible, wrap
from advisor.interview import ending, overview, pausing
from advisor.interview.overview import Preview
from advisor.interview.ruled_out import Fallen
from advisor.interview.session import Session
from advisor.model.answers_in_words import labelled
from advisor.model.rulebase import Question
from advisor.model.values import UNKNOWN, Value

WIDTH = 78


def labels(question: Question) -> list[str]:
    """The numbered choices of a question; none for numbers and texts."""
    if question.type == "yes-no":
        return ["yes", "no"]
    return [*as_listed(question).values(), "something else (other: TEXT)"] if question.options else []


def asked(session: Session, question: Question) -> Iterator[str]:
    """A question with its reasons and choices."""
    yield f"\n{quoted(session.feature.name)} [{question.id}]"
    yield f"  {session.progress.answered} answered; {session.progress.left}"
    if session.pattern and session.progress.answered:
        yield f"  So far: {session.base.patterns[session.pattern].title}"
    yield wrap(question.ask, WIDTH)
    yield wrap(question.why, WIDTH, "       ", "  Why: ")
    yield wrap(question.find_out, WIDTH, "       ", "  Find out: ")
    yield wrap(session.reason(question.id), WIDTH, "       ", "  Affects: ")
    for number, label in enumerate(labels(question), 1):
        yield f"  {number:2} {label}"
    yield f"   ? I don't know ({unknown_means(question, session.standing, session.base)})"
    if question.id in session.answers:
        yield f"  answered: {labelled(question, session.answers[question.id])}"


def ended(session: Session) -> Iterator[str]:
    """Nothing is left to ask, and what can be done next."""
    yield f"\n{wrap(ending.decided(session), WIDTH)}"
    for paragraph in ending.paragraphs(session):
        yield wrap(paragraph, WIDTH, "    ", "  ")
    yield "Type r for the result, e to export, n NAME to add a feature, a to list all answers, q to save and quit."


def paused(session: Session) -> Iterator[str]:
    """The list to confirm, or that the pattern is settled, with the ways to go on by number."""
    yield f"\n{quoted(session.feature.name)}: {session.progress.answered} answered; {session.progress.left}"
    yield wrap(pausing.headline(session), WIDTH)
    for paragraph in pausing.paragraphs(session):
        yield wrap(paragraph, WIDTH, "    ", "  ")
    if session.pause == "list":
        for number, item in enumerate(session.listing, 1):
            question = session.base.questions[item.fact]
            given = " (your answer)" if item.stated else ""
            yield wrap(f"{question.ask} {labelled(question, item.value)}{given}", WIDTH, "     ", f"  {number:2} ")
        yield "Type y to confirm them all, a number to change that one, ? to be asked one by one."
    else:
        for number, way in enumerate(pausing.onward(session), 1):
            yield f"  {number:2} {way.label}"
        yield "   ? go to the next question"


def answers(session: Session) -> Iterator[str]:
    """Every question that is answered, parked or open, one a line."""
    for row in session.rows:
        if row.value is not None:
            note = f" (ruled out {plural(row.ruled_out, 'pattern')})" if row.ruled_out else ""
            note = " (kept, but has no effect now)" if row.state == "parked" else note
            yield f"  {row.question.id}: {labelled(row.question, row.value)}{note}"
        elif row.state == "open":
            yield f"  {row.question.id}: -"
    yield "Type g ID to go to a question, x ID to remove an answer."


def features(session: Session) -> Iterator[str]:
    """The features by number, what would be recommended for each, and what can be done with them."""
    for i, feature in enumerate(session.project.features):
        here = " (this one)" if i == session.current else ""
        pattern = session.verdict["features"][i]["primary"]
        title = session.base.patterns[pattern].title if pattern else "no pattern fits"
        yield f"  {i + 1} {visible(feature.name)}{here}: {title} so far"
    yield "Type s NUMBER to go to one, n NAME to add one; rename NAME, copy NAME and remove change this one."


def standing(session: Session) -> Iterator[str]:
    """What the answers so far have decided: patterns, the article's steps, caveats."""
    base = session.base
    yield f"Still possible, {len(session.possible)} of {len(base.patterns)}: {_titles(session, session.possible)}."
    if session.fallen:
        yield "Ruled out, each by an answer that would bring it back if you changed it:"
    for item in session.fallen:
        rule = f" {item.because} (rule {item.rule})" if item.rule else ""
        fallback = (
            " It is still the fallback for clients that cannot connect." if item.pattern == session.fallback else ""
        )
        text = f"{base.patterns[item.pattern].title}: {blamed(session, item)}.{fallback}{rule}"
        yield wrap(text, WIDTH, "    ", "  - ")
    yield wrap(
        f"The five steps of the article {overview.ARTICLE}, in this order; the first that leaves one settles it:",
        WIDTH,
    )
    words = {"passed": "does not apply", "holds": "holds", "open": "not known yet", "not-reached": "not reached"}
    for step in session.article:
        word = "gives" if step.settles else "keeps" if step.certain else "would keep"
        keeps = f"; {word} {_titles(session, step.keeps)}" if step.keeps else ""
        yield wrap(f"{step.title}: {words[step.state]}{keeps}", WIDTH, "    ", f"  {step.number} ")
    certain = [c for c in session.caveats if c.certain]
    yield f"Caveats so far: {len(certain)}, and {len(session.caveats) - len(certain)} that depend on unknown answers."
    for caveat in certain:
        yield wrap(f"{caveat.severity}: {caveat.title} ({caveat.id})", WIDTH, "    ", "  - ")


def blamed(session: Session, item: Fallen) -> str:
    """The answers that would have to be other ones for the pattern to come back."""
    said = [f"{fact}: {labelled(session.base.questions[fact], session.answers[fact])}" for fact in item.facts]
    together = ", together" if len(said) > 1 else ""
    return f"{' and '.join(said)}{together}" if said else "no answers lead to it"


def previews(session: Session, question: Question) -> Iterator[str]:
    """What each choice would rule out. There are none for a number or a text: `p ANSWER` asks for one."""
    if question.type in ("number", "text"):
        yield "Type p and an answer to see what it would rule out."
        return
    values: list[Value] = [True, False] if question.type == "yes-no" else list(as_listed(question))
    for number, value in [*enumerate(values, 1), ("?", UNKNOWN)]:
        given: Value = (value,) if question.type == "some-of" and isinstance(value, str) else value
        effect = preview(session, session.preview(question.id, given))
        choice = "I don't know" if given is UNKNOWN else labelled(question, given)
        yield wrap(f"{choice}: {effect}", WIDTH, "     ", f"  {number!s:>2} ")


def preview(session: Session, seen: Preview) -> str:
    """What an answer would do, in words."""
    if seen.refused:
        return f"not possible: {seen.refused}"
    back = [pattern for pattern in seen.left if pattern not in session.possible]
    again = f"; would bring back {_titles(session, back)}" if back else ""
    if not seen.falls:
        return f"rules out no pattern{again}"
    settles = f", and leaves only {_titles(session, seen.left)}" if len(seen.left) == 1 else ""
    return f"rules out {_titles(session, seen.falls)}{settles}{again}"


def mistakes(problems: Sequence[Problem], most: int = 20) -> Iterator[str]:
    """The mistakes of a file, each with its line."""
    for problem in problems[:most]:
        yield f"  {problem}"
        if problem.source:
            yield f"      {problem.source.strip()}"
    if len(problems) > most:
        yield f"  and {plural(len(problems) - most, 'more')}"


def _titles(session: Session, patterns: Sequence[str]) -> str:
    return ", ".join(session.base.patterns[p].title for p in patterns)
