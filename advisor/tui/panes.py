"""What stands in the panes beside the question, as styled text. Every mark has a meaning without its colour."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from advisor.answering import say, unknown_means
from advisor.interview import Session
from advisor.overview import Preview
from advisor.rulebase import Question
from advisor.text import plural, visible

NAME = 40  # columns that a name may take in a line
WORST = {"breaks": "$error", "degrades": "$warning", "note": "$secondary"}
Piece = str | tuple[str, str]


def lines(parts: Sequence[Sequence[Piece]], width: int = 0, hang: int = 0) -> Content:
    """Lines of plain and styled pieces, wrapped at `width` with the rest indented. Nothing is taken for markup."""
    made: list[Content] = []
    for part in parts:
        whole = Content.assemble(*part)
        if not width or whole.cell_length <= width:
            made.append(whole)
            continue
        first, *rest = whole.wrap(width)
        made.append(first)
        if rest:
            left = Content(" ").join(line.rstrip() for line in rest)
            made += [Content(" " * hang) + line for line in left.wrap(max(width - hang, 1))]
    return Content("\n").join(made)


def titles(session: Session, patterns: Sequence[str]) -> str:
    """Patterns by name, with commas."""
    return ", ".join(session.base.patterns[p].title for p in patterns)


def heading(session: Session) -> Content:
    """Which feature is asked about."""
    features = session.project.features
    of = f"  ({session.current + 1} of {len(features)})" if session.several else ""
    return Content.assemble("feature: ", (visible(session.feature.name, NAME), "bold"), of)


def progress(session: Session) -> Content:
    """How far it is, and whether the pattern is settled already."""
    found = session.progress
    parts: list[Piece] = [f"{found.answered} answered, {found.left}"]
    if session.conflicts:
        parts.append((f"  These answers contradict each other: {session.conflicts[0]} Change one (a).", "bold $error"))
    elif len(session.possible) == 1 and found.most:
        parts += ["  The pattern is settled: ", (titles(session, session.possible), "bold")]
        parts.append("; the rest is for caveats, costs and the kit (r shows the result so far)")
    elif not session.several and session.so_far and found.answered:
        parts += ["  So far: ", (session.base.patterns[session.so_far].title, "bold")]
    return Content.assemble(*parts)


def path(session: Session, width: int = 0) -> Content:
    """The article's five steps as walked so far."""
    marks = {"passed": "-", "holds": "x", "open": "?", "not-reached": " "}
    parts: list[list[Piece]] = [[("The article's steps", "bold")]]
    for step in session.article:
        style = "dim" if step.state == "not-reached" else ""
        mark = ">" if step.asks else marks[step.state]
        parts.append([(f" {mark} ", "bold"), (f"{step.number} {step.title}", style)])
        if step.keeps:
            word = "gives" if step.settles else "keeps"
            parts.append([(f"     {word} {titles(session, step.keeps)}", "$success" if step.settles else "")])
    return lines(parts, width, 5)


def patterns(session: Session, preview: Preview, width: int = 0) -> Content:
    """The patterns that can still come out, what the highlighted answer would do to them, and why the others fell."""
    base, possible = session.base, session.possible
    parts: list[list[Piece]] = [[("Still possible", "bold"), f"  {len(possible)} of {len(base.patterns)}"]]
    for pattern in possible:
        title = base.patterns[pattern].title
        if pattern in preview.falls:
            parts.append([(" ? ", "bold $warning"), title, ("  would go", "$warning")])
        else:
            so_far = "  so far" if pattern == session.so_far and not session.several and len(possible) > 1 else ""
            parts.append([(" + ", "bold $success"), title, (so_far, "dim")])
    for fallen in session.fallen:
        answer = say(base.questions[fallen.fact], session.standing[fallen.fact])
        title = base.patterns[fallen.pattern].title
        parts.append([(" - ", "bold"), (f"{title}  {fallen.fact}: {answer[:NAME]}", "dim")])
    back = [p for p in preview.left if p not in possible]
    if back:
        parts.append([("   would come back: ", ""), titles(session, back)])
    return lines(parts, width, 3)


def caveats(session: Session, width: int = 0) -> Content:
    """What the answers raise for certain, the worst first; the rest as a count."""
    certain = [c for c in session.caveats if c.certain]
    parts: list[list[Piece]] = [[("Caveats so far", "bold"), f"  {len(certain)}"]]
    parts += [[(f" {c.severity:8} ", f"bold {WORST[c.severity]}"), c.title] for c in certain]
    maybe = len(session.caveats) - len(certain)
    if maybe:
        parts.append([(f" {maybe} more depend on what is not known yet", "dim")])
    return lines(parts, width, 10)


def strip(session: Session) -> Content:
    """The same in two lines, for narrow screens."""
    step = next((s for s in session.article if s.asks), None)
    where = f"Step {step.number} of {len(session.article)}.  " if step else ""
    certain = sum(c.certain for c in session.caveats)
    left = session.possible
    head = f"{where}{len(left)} of {len(session.base.patterns)} possible; {plural(certain, 'caveat')} for certain."
    return lines([[head], [(titles(session, left), "dim")]])


def effect(session: Session, preview: Preview) -> Content:
    """What the highlighted answer would do, in a sentence."""
    if preview.refused:
        return Content.assemble(("Not possible: ", "bold $error"), preview.refused)
    if len(preview.falls) == 0:
        return Content.assemble(("This answer rules out no pattern.", "dim"))
    settles = f" and settles it: {titles(session, preview.left)}" if len(preview.left) == 1 else ""
    named = titles(session, preview.falls) if len(preview.falls) < 4 else plural(len(preview.falls), "pattern")
    return Content.assemble(("This answer rules out ", ""), (named, "bold"), settles, ".")


def reasons(session: Session, question: Question) -> tuple[Content, Content, Content]:
    """Why it is asked, how to find out, and what it can still change."""
    return (
        Content.assemble(("Why: ", "bold"), question.why),
        Content.assemble(("Find out: ", "bold"), question.find_out),
        Content.assemble(("It can change: ", "bold"), session.reason(question.id)),
    )


def unknown(session: Session, question: Question) -> str:
    """The label of "I don't know", with what it does."""
    return f"I don't know  ({unknown_means(question, session.standing, session.base)})"
