"""The pane beside the question: the article's steps, the patterns that are left, the caveats; cut only with a mark."""

from __future__ import annotations

from textual.content import Content

from advisor.base.text import clipped
from advisor.interview import overview
from advisor.interview.overview import Preview
from advisor.interview.plain_text import blamed
from advisor.interview.session import Session
from advisor.tui.panes import WORST, Piece, cut, height, lines, titles

HOW = "In this order; the first step that leaves one pattern settles it, and later steps change nothing."
MARKS = {"passed": "-", "holds": "x", "open": "?", "not-reached": " "}
NOTHING = Preview((), ())
MOVES = 2  # lines that a preview may add
GAPS = 2  # blank lines between the three parts


class Side:
    """The three parts at one size. What does not fit is shortened: first the article, then why patterns are out."""

    def __init__(self, session: Session, width: int, rows: int) -> None:
        self.session, self.width, self.rows = session, width, rows
        self.path, self.brief = steps(session, width), False
        self.caveats = caveats(session, width)
        room = rows - GAPS - MOVES
        if self._taken() > room:
            self.path = short_steps(session, width)
        if self._taken() > room:
            self.brief = True
        if self._taken() > room:
            left = max(room - self._taken() + height(self.caveats, width), 2)
            self.caveats = cut(self.caveats, width, left, " ..  r and then 3 shows all")

    def _taken(self) -> int:
        return sum(height(part, self.width) for part in (self.path, self.patterns(NOTHING), self.caveats))

    def patterns(self, preview: Preview) -> Content:
        """The patterns that are still possible, the effect of the highlighted answer, and why the others are out."""
        session, width = self.session, self.width
        base, possible = session.base, session.possible
        parts: list[list[Piece]] = [[("Still possible", "bold"), f"  {len(possible)} of {len(base.patterns)}"]]
        for pattern in possible:
            title = base.patterns[pattern].title
            if pattern in preview.falls:
                parts.append([(" ? ", "bold $text-warning"), title, ("  would be out", "$text-warning")])
            else:
                so_far = "  so far" if pattern == session.pattern and len(possible) > 1 else ""
                parts.append([(" + ", "bold $text-success"), title, (so_far, "dim")])
        parts += _out(session, width, brief=self.brief)
        back = [p for p in preview.left if p not in possible]
        if back:
            parts.append([("   would come back: ", ""), titles(session, back)])
        return lines(parts, width, 3)


def _out(session: Session, width: int, *, brief: bool) -> list[list[Piece]]:
    """Why patterns are ruled out, each in a line, or all together by name."""
    if not session.fallen:
        return []
    if brief:
        named = titles(session, [item.pattern for item in session.fallen])
        return [[("Ruled out", "bold"), (f" (F1: why)  {named}", "dim")]]
    parts: list[list[Piece]] = [[("Ruled out", "bold"), ("  changing this answer would bring it back", "dim")]]
    for item in session.fallen:
        stays = " (still the fallback)" if item.pattern == session.fallback else ""
        said = clipped(blamed(session, item), 2 * width)
        parts.append([(" - ", "bold"), (f"{session.base.patterns[item.pattern].title}{stays}  {said}", "dim")])
    return parts


def steps(session: Session, width: int) -> Content:
    """The article's five steps as walked so far, and what each keeps."""
    parts: list[list[Piece]] = [[("The article's five steps", "bold"), f"  {overview.ARTICLE}"], [(HOW, "dim")]]
    for step in session.article:
        style = "dim" if step.state == "not-reached" else ""
        parts.append([(f" {'>' if step.asks else MARKS[step.state]} ", "bold"), (f"{step.number} {step.title}", style)])
        if step.keeps:
            word = "gives" if step.settles else "keeps" if step.certain else "would keep"
            parts.append([(f"     {word} {titles(session, step.keeps)}", "$text-success" if step.settles else "")])
    return lines(parts, width, 5)


def short_steps(session: Session, width: int) -> Content:
    """The same with a line for each step. F1 has it whole."""
    parts: list[list[Piece]] = [[("The article's steps in order", "bold"), " (F1: more)"]]
    for step in session.article:
        style = "dim" if step.state == "not-reached" else ""
        mark = ">" if step.asks else MARKS[step.state]
        parts.append([(f" {mark} ", "bold"), (clipped(f"{step.number} {step.title}", width - 3), style)])
    return lines(parts, width, 5)


def caveats(session: Session, width: int) -> Content:
    """What the answers raise for certain, the worst first; the rest as a count."""
    certain = [c for c in session.caveats if c.certain]
    parts: list[list[Piece]] = [[("Caveats so far", "bold"), f"  {len(certain)}"]]
    parts += [[(f" {c.severity:8} ", f"bold {WORST[c.severity]}"), c.title] for c in certain]
    maybe = len(session.caveats) - len(certain)
    if maybe:
        parts.append([(f" {maybe} more depend on open questions", "dim")])
    return lines(parts, width, 10)
