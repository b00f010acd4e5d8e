"""The content of the panes beside the question, as styled text. Every mark has a meaning without its colour."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from advisor.answers.check import unknown_means
from advisor.base.text import plural, visible
from advisor.interview import ending, overview
from advisor.interview.overview import Preview
from advisor.interview.plain_text import blamed
from advisor.interview.session import Session
from advisor.model.rulebase import Question

NAME = 40  # columns that a name may take in a line
WIDE, SHORT, HIGH = 96, 12, 28  # from so many columns with a side pane; from so many rows with reasons, and with all
WORST = {"breaks": "$text-error", "degrades": "$text-warning", "note": "$secondary"}
HOW = "In this order; the first step that leaves one pattern settles it, and later steps change nothing."
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


def clipped(text: str, width: int) -> str:
    """The text in at most so many characters."""
    return text if len(text) <= width else f"{text[: max(width - 2, 0)]}.."


def titles(session: Session, patterns: Sequence[str]) -> str:
    """Patterns by name, with commas."""
    return ", ".join(session.base.patterns[p].title for p in patterns)


def side_width(width: int) -> int:
    """Columns of text beside the question in a terminal of this width; 0 where there is no pane beside it."""
    return width * 42 // 100 - 3 if width >= WIDE else 0


def head(session: Session, file: str, width: int) -> Content:
    """The first line: the program and its file, the current feature at the right edge."""
    features = session.project.features
    of = f"  ({session.current + 1} of {len(features)})" if session.several else ""
    left = Content.assemble(("advisor", "bold"), f"   {file}")
    name = visible(session.feature.name, NAME)
    right = Content.assemble("feature: ", (name, "bold"), of)
    return between(left, right, width - 2)


def between(left: Content, right: Content, width: int) -> Content:
    """Both in one line of this width, one at each edge; the left one gives way."""
    room = max(width - right.cell_length - 2, 0)
    if left.cell_length > room:
        left = left.truncate(room, ellipsis=False)
    return left + Content(" " * (width - left.cell_length - right.cell_length)) + right


def progress(session: Session) -> Content:
    """How far it is, and whether the pattern is settled already."""
    found = session.progress
    parts: list[Piece] = [f"{found.answered} answered, {found.left if found.most else 'no question left'}"]
    if session.conflicts:
        said = f"  These answers contradict each other: {session.conflicts[0]} Change one of them (a)."
        parts.append((said, "bold $text-error"))
    elif len(session.possible) == 1 and found.most:
        parts += ["  The remaining questions cannot change the pattern: ", (titles(session, session.possible), "bold")]
        parts.append("; they affect caveats and details (r shows the result so far)")
    elif not session.several and session.so_far and found.answered and found.most:
        parts += ["  So far: ", (session.base.patterns[session.so_far].title, "bold")]
    return Content.assemble(*parts)


def path(session: Session, width: int) -> Content:
    """The article's five steps as walked so far."""
    marks = {"passed": "-", "holds": "x", "open": "?", "not-reached": " "}
    parts: list[list[Piece]] = [[("The article's five steps", "bold"), f"  {overview.ARTICLE}"], [(HOW, "dim")]]
    for step in session.article:
        style = "dim" if step.state == "not-reached" else ""
        mark = ">" if step.asks else marks[step.state]
        parts.append([(f" {mark} ", "bold"), (f"{step.number} {step.title}", style)])
        if step.keeps:
            word = "gives" if step.settles else "keeps" if step.certain else "would keep"
            parts.append([(f"     {word} {titles(session, step.keeps)}", "$text-success" if step.settles else "")])
    return lines(parts, width, 5)


def patterns(session: Session, preview: Preview, width: int) -> Content:
    """The patterns that are still possible, the effect of the highlighted answer, and why the others are ruled out."""
    base, possible = session.base, session.possible
    parts: list[list[Piece]] = [[("Still possible", "bold"), f"  {len(possible)} of {len(base.patterns)}"]]
    for pattern in possible:
        title = base.patterns[pattern].title
        if pattern in preview.falls:
            parts.append([(" ? ", "bold $text-warning"), title, ("  would be out", "$text-warning")])
        else:
            so_far = "  so far" if pattern == session.so_far and not session.several and len(possible) > 1 else ""
            parts.append([(" + ", "bold $text-success"), title, (so_far, "dim")])
    if session.fallen:
        parts.append([("Ruled out", "bold"), ("  another answer to this would bring it back", "dim")])
    for fallen in session.fallen:
        stays = " (still the fallback)" if fallen.pattern == session.fallback else ""
        said = clipped(blamed(session, fallen), 2 * width)
        parts.append([(" - ", "bold"), (f"{base.patterns[fallen.pattern].title}{stays}  {said}", "dim")])
    back = [p for p in preview.left if p not in possible]
    if back:
        parts.append([("   would come back: ", ""), titles(session, back)])
    return lines(parts, width, 3)


def caveats(session: Session, width: int) -> Content:
    """What the answers raise for certain, the worst first; the rest as a count."""
    certain = [c for c in session.caveats if c.certain]
    parts: list[list[Piece]] = [[("Caveats so far", "bold"), f"  {len(certain)}"]]
    parts += [[(f" {c.severity:8} ", f"bold {WORST[c.severity]}"), c.title] for c in certain]
    maybe = len(session.caveats) - len(certain)
    if maybe:
        parts.append([(f" {maybe} more depend on open questions", "dim")])
    return lines(parts, width, 10)


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


def question(session: Session, asked: Question, height: int) -> Content:
    """The question and, if there is room, why it is asked, how to find out, and what the answer can change."""
    parts = [Content.styled(asked.ask, "bold")]
    if height >= SHORT:
        parts.append(Content.assemble(("Why: ", "bold"), asked.why))
        if height >= HIGH:
            parts.append(Content.assemble(("Find out: ", "bold"), asked.find_out))
        changes = Content.assemble(("Affects: ", "bold"), session.reason(asked.id))
        parts.append(changes.stylize_before("dim"))
    return Content("\n\n" if height >= HIGH else "\n").join(parts)


def end(session: Session) -> Content:
    """The text when nothing is left to ask."""
    return Content("\n").join(
        [Content.styled(ending.decided(session), "bold"), *map(Content, ending.paragraphs(session))]
    )


def unknown(session: Session, question: Question) -> str:
    """The label of "I don't know", with what it does."""
    return f"I don't know  ({unknown_means(question, session.standing, session.base)})"
