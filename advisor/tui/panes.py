"""The content of the panes beside the question, as styled text. Every mark has a meaning without its colour."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from advisor.answers.check import unknown_means
from advisor.base.text import clipped, plural, visible
from advisor.interview import ending
from advisor.interview.overview import Preview
from advisor.interview.session import Session
from advisor.model.rulebase import Question

NAME = 40  # columns that a name may take in a line
WIDE, SHORT, HIGH = 96, 12, 28  # from so many columns with a side pane; from so many rows with reasons, and roomy
EFFECT = 2  # rows for what an answer would do
LEAST = 8  # choices of a list that stay in sight beside the reasons
WORST = {"breaks": "$text-error", "degrades": "$text-warning", "note": "$secondary"}
Piece = str | tuple[str, str]


def lines(parts: Sequence[Sequence[Piece]], width: int, hang: int) -> Content:
    """Lines of plain and styled pieces, wrapped at `width` with the rest indented. Nothing is read as markup."""
    made: list[Content] = []
    for part in parts:
        whole = Content.assemble(*part)
        if whole.cell_length <= width:
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


def side_width(width: int) -> int:
    """Columns of text beside the question in a terminal of this width; 0 where there is no pane beside it."""
    return width * 42 // 100 - 3 if width >= WIDE else 0


def text_width(width: int) -> int:
    """Columns of the question's text: without the side pane and the padding."""
    return width - (width * 42 // 100 if width >= WIDE else 0) - 2


def room(session: Session, size: tuple[int, int], *, line: bool) -> int:
    """Rows for the question's text and its choices, a `line` to type in beside them: the others have theirs."""
    width, rows = size
    if rows < SHORT:
        return rows - 2
    around = 2 if width >= WIDE else 4  # head and keys; the strip
    above = height(progress(session), text_width(width)) + (1 if rows >= HIGH else 0)
    return rows - around - above - EFFECT - (2 if line else 0)


def head(session: Session, file: str, width: int) -> Content:
    """The first line: the program and its file, the current feature at the right edge."""
    features = session.project.features
    of = f"  ({session.current + 1} of {len(features)})" if session.several else ""
    left = Content.assemble(("advisor", "bold"), f"   {file}")
    name = visible(session.feature.name, NAME)
    right = Content.assemble("feature: ", (name, "bold"), of)
    return between(left, right, width - 2)


def between(left: Content, right: Content, width: int) -> Content:
    """Both in one line of this width, one at each edge; the left one is cut if both do not fit."""
    room = max(width - right.cell_length - 2, 0)
    if left.cell_length > room:
        left = left.truncate(max(room - 2, 0), ellipsis=False) + Content(".."[:room])
    return left + Content(" " * (width - left.cell_length - right.cell_length)) + right


def progress(session: Session) -> Content:
    """How far it is, and whether the pattern is settled already."""
    found = session.progress
    parts: list[Piece] = [f"{found.answered} answered; {found.left}"]
    if session.conflicts:
        said = f"  These answers contradict each other: {session.conflicts[0]} Change one of them (a)."
        parts.append((said, "bold $text-error"))
    elif len(session.possible) == 1 and found.most:
        parts += ["  The remaining questions cannot change the pattern: ", (titles(session, session.possible), "bold")]
    elif session.pattern and found.answered and found.most:
        parts += ["  So far: ", (session.base.patterns[session.pattern].title, "bold")]
    return Content.assemble(*parts)


def strip(session: Session, width: int) -> Content:
    """The same in two lines, for narrow screens."""
    step = next((s for s in session.article if s.asks), None)
    where = f"Step {step.number} of {len(session.article)}.  " if step else ""
    certain = sum(c.certain for c in session.caveats)
    left = session.possible
    head = f"{where}{len(left)} of {len(session.base.patterns)} possible; {plural(certain, 'caveat')} for certain."
    return Content("\n").join([Content(head), Content.styled(clipped(titles(session, left), width), "dim")])


def effect(session: Session, preview: Preview) -> Content:
    """What the highlighted answer would do, in a sentence."""
    if preview.refused:
        return Content.assemble(("Not possible: ", "bold $text-error"), preview.refused)
    back = [pattern for pattern in preview.left if pattern not in session.possible]
    again = Content.assemble(" Possible again: ", (titles(session, back), "bold"), ".") if back else Content("")
    if len(preview.falls) == 0:
        return Content.styled("This answer rules out no pattern.", "dim") + again
    settles = f" and leaves only {titles(session, preview.left)}" if len(preview.left) == 1 else ""
    named = titles(session, preview.falls) if len(preview.falls) < 4 else plural(len(preview.falls), "pattern")
    return Content.assemble("This answer rules out ", (named, "bold"), settles, ".") + again


def question(session: Session, asked: Question, width: int, rows: int, choices: int) -> Content:
    """The question, and why it is asked, how to find out and what the answer can change, as far as there is room.

    `rows` are for the text and the choices. The choices come before the reasons, except in a long list: that scrolls.
    """
    ask = Content.styled(asked.ask, "bold")
    if rows < SHORT - 6:
        return ask
    why = Content.assemble(("Why: ", "bold"), asked.why)
    find_out = Content.assemble(("Find out: ", "bold"), asked.find_out)
    changes = Content.assemble(("Affects: ", "bold"), session.reason(asked.id)).stylize_before("dim")
    elsewhere = Content.styled("F1 shows why it is asked.", "dim")
    ways = [
        Content("\n\n").join([ask, why, find_out, changes, Content("")]),
        Content("\n").join([ask, why, find_out, changes]),
        Content("\n").join([ask, why, find_out]),
        Content("\n").join([ask, find_out, elsewhere]),
    ]
    for wanted in (choices, min(choices, LEAST)):
        for text in ways:
            if height(text, width) + wanted <= rows:
                return text
    return cut(ways[-1], width, max(rows - min(choices, LEAST), 2), "..  F1 shows it whole.")


def height(text: Content, width: int) -> int:
    """The lines that a text takes at this width."""
    return len(text.wrap(max(width, 1)))


def cut(text: Content, width: int, rows: int, mark: str) -> Content:
    """The text in at most so many lines; where some are left out, a mark is in the place of the last."""
    wrapped = text.wrap(max(width, 1))
    if len(wrapped) <= rows:
        return text
    return Content("\n").join([*wrapped[: rows - 1], Content.styled(mark, "dim")])


def end(session: Session) -> Content:
    """The text when nothing is left to ask."""
    return Content("\n").join(
        [Content.styled(ending.decided(session), "bold"), *map(Content, ending.paragraphs(session))]
    )


def unknown(session: Session, question: Question) -> str:
    """The label of "I don't know", with what it does."""
    return f"I don't know  ({unknown_means(question, session.standing, session.base)})"
