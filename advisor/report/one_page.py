"""The first page as text, and how much of it fits on one page.

`--full` prints everything (text.py); the two cannot differ, because both are made from the same verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.text import plural
from advisor.report.first_page import AMONG, BITE_HEAD, BITES, FLIP_HEAD, first_page
from advisor.report.text import SEVERITY, Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Verdict
    from advisor.report.first_page import BiteItem, FeaturePage, FirstPage

LINES, WORDS = 45, 350  # of one feature, at 80 columns
EACH, LEAST = 18, 60  # lines of each of several features, with what they share; and of all of them, if they are few
ALL, SHARED, NONE = 2, 1, 0  # caveats whose cure is printed: every one, those of several features


def one_page(verdict: Verdict, base: RuleBase, *, width: int = 80, colour: bool = False, file: str = "FILE") -> str:
    """The page, lines of at most `width` columns (40 at least), ending with a newline. `file`: the answers file."""
    said, cures = _fitting(verdict, base, file)
    return _page(said, Page(max(width, 40), colour), cures)


def fitting(verdict: Verdict, base: RuleBase, file: str = "FILE") -> FirstPage:
    """The page with as many caveats of each feature as keep its text to LINES and WORDS, or EACH.

    All forms of the report take this one, so that they name the same caveats; the others are counted.
    """
    return _fitting(verdict, base, file)[0]


def _fitting(verdict: Verdict, base: RuleBase, file: str) -> tuple[FirstPage, int]:
    """Rather a caveat without what to do than no caveat: of several features `--full` has what to do."""
    count = len(verdict["features"])
    for most in range(BITES if count == 1 else AMONG, -1, -1):
        said = first_page(verdict, base, file, most)
        for cures in (ALL, SHARED, NONE) if count > 1 else (ALL,):
            plain = _page(said, Page(80, colour=False), cures)
            fits = plain.count("\n") <= LINES and len(plain.split()) <= WORDS
            if fits if count == 1 else plain.count("\n") <= max(EACH * count, LEAST):
                return said, cures
    return said, NONE if count > 1 else ALL


def _page(said: FirstPage, page: Page, cures: int) -> str:
    several = len(said.features) > 1
    if several:
        page.say(f"{said.project}: {plural(len(said.features), 'feature')}", 0, "bold")
        for line in said.together:
            page.say(line, hang=2)
        if said.shared:
            page.say("What will bite several of them:")
            _bites(page, said.shared, several=True, cured=cures >= SHARED)
    for feature in said.features:
        if several:
            page.lines.append("")
        _feature(page, feature, cures, several=several)
    page.lines.append("")
    for label, command in said.next:
        page.say(f"{label}: {command}", 0, hang=2)
    return "\n".join(line.rstrip() for line in page.lines) + "\n"


def _feature(page: Page, said: FeaturePage, cures: int, *, several: bool) -> None:
    page.say(f"{said.name}: {said.pattern}", 0, "good" if said.fits else "breaks")
    page.say(said.sure, hang=2)
    if said.fallback:
        page.say(said.fallback)
    for why in said.contradictions:
        page.say(f"These answers contradict each other: {why}", style="breaks", hang=2)
    if said.because:
        _because(page, said, several=several)
    if said.bites or said.more:
        if not several:
            _head(page, f"{BITE_HEAD}: {said.counts}")
        _bites(page, said.bites, several=several, cured=cures == ALL)
        if said.more:
            page.say(f"+{said.more} more: --full", style="dim")
    if said.flips and several:
        page.say(f"Would flip it: {'; '.join(said.flips)}.", hang=2)
    elif said.flips:
        _head(page, FLIP_HEAD)
        page.lines += [f"  - {flip}" for flip in said.flips]
    if not several and said.fits:
        _costs(page, said)


# --- the parts --------------------------------------------------------------------------------------------------------


def _because(page: Page, said: FeaturePage, *, several: bool) -> None:
    """The reason, and the answers on which it rests."""
    if several:
        page.say(f"Because: {said.because}", hang=2)
        return
    _head(page, "Because")
    page.say(said.because)
    if said.answers:
        page.say(f"Your answers: {'; '.join(said.answers)}.", hang=2)


def _bites(page: Page, bites: Iterable[BiteItem], *, several: bool, cured: bool) -> None:
    """The caveats that bite, each with the first thing to do, if there is room for it."""
    for bite in bites:
        mark = "- " if several else f"[{SEVERITY[bite.severity]}] "
        page.say(f"{mark}{bite.title} ({bite.id})", style=bite.severity, hang=2)
        if cured:
            page.say(bite.cure, 4)


def _costs(page: Page, said: FeaturePage) -> None:
    _head(page, said.costs_head)
    width = max((len(name) for name, _ in said.costs), default=0)
    page.lines += [f"  {name:{width}}  {line}" for name, line in said.costs]
    page.say(said.article)


def _head(page: Page, text: str) -> None:
    page.lines += ["", page.ink(text, "bold")]
