"""What the features of a project share and where they conflict, as a table and a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from advisor.base.text import clipped, number, plural, visible
from advisor.interview.session import Session
from advisor.model.answers_in_words import labelled
from advisor.model.rulebase import RuleBase
from advisor.report import words
from advisor.tui import panes
from advisor.tui.pages import Page

if TYPE_CHECKING:
    from advisor.model.verdict import FeatureVerdict, HeldByPage

MANY = 30  # with more features, the questions left are not counted: that takes milliseconds per feature
HEADS = ("feature", "pattern so far", "confidence", "answered", "left")


def columns(width: int, cells: tuple[str, ...]) -> str:
    """One line of the table; in narrow terminals without the last but one column."""
    name, pattern, confidence, answered, left = cells
    if width < 52:
        return clipped(name, width)
    if width < 76:
        first = max(width - 44, 8)
        sure = clipped(confidence, 6)
        return f"{clipped(name, first):{first}}  {clipped(pattern, 22):22} {sure:6} {left:>9}"
    first = min(width - 62, 40)
    start = f"{clipped(name, first):{first}}  {clipped(pattern, 26):26}"
    return f"{start}  {confidence:10} {answered:>8} {left:>9}"


def row(session: Session, index: int) -> tuple[str, ...]:
    """A feature: its name, pattern, how sure that is, answers that count, questions that are left."""
    decided = session.verdict["features"][index]
    pattern = words.title(decided["primary"], session.base) if decided["primary"] else "no pattern fits"
    left, answered = "", ""
    if len(session.project.features) <= MANY:
        found = session.select(index).progress
        answered = str(found.answered)
        left = "done" if not found.most else found.count.removesuffix(" left")
    return visible(decided["name"], panes.NAME), pattern, decided["confidence"], answered, left


def common(session: Session, width: int) -> Content:
    """What the features share, then what conflicts."""
    verdict, base = session.verdict, session.base
    shared, times = verdict["shared"], verdict["shared"]["timing"]
    page = Page(width)
    wrong = list(conflicts(session))
    if wrong:
        page.head("What conflicts")
    for line in wrong:
        page.say(f"! {line}", 2, "bold $text-warning", hang=2)
    page.head("What they share")
    if not session.several:
        page.say("One feature so far. Questions about the path and the servers are asked once, for all features.", 2)
    for connection in shared["connections"]:
        page.say(words.connection_line(connection, base), 2, hang=2)
    advice = words.reuse_line(verdict, base)
    if advice:
        page.say(advice, 2, hang=2)
    for feature in verdict["features"]:
        if feature["alone"] != feature["primary"]:
            page.say(rides(feature, base), 2, hang=2)
    for held in shared["pages"]:
        page.say(connections(held), 2, hang=2)
    if session.several and not all(feature["outside"] for feature in verdict["features"]):
        heartbeat, hold = number(times["heartbeat_s"]), number(times["hold_s"])
        page.say(f"Times that suit all of them: heartbeat {heartbeat} s, hold of a poll {hold} s.", 2, hang=2)
    if shared["caveats"]:
        titles = list(dict.fromkeys(caveat["title"] for caveat in shared["caveats"]))
        page.say(f"To watch in more than one ({len(titles)}): {'; '.join(titles)}.", 2, hang=2)
    if not wrong:
        page.head("What conflicts")
        page.say("These answers show no conflict.", 2)
    return page.content()


def rides(feature: FeatureVerdict, base: RuleBase) -> str:
    """Features whose pattern changed because they share a connection."""
    now, alone = words.title(feature["primary"], base), words.title(feature["alone"], base)
    name = visible(feature["name"], panes.NAME)
    return f"{name} uses a connection that is already open: {now}; alone it would use {alone}."


def connections(page: HeldByPage) -> str:
    """What one browser holds open to the host, against the six that HTTP/1.1 allows."""
    count = f"{plural(page['streams'], 'held response')} x {number(page['tabs'])} tabs = {number(page['total'])}"
    limit = {
        True: "HTTP/2 carries them all in one",
        False: "over HTTP/1.1 a browser opens at most six to one host",
        None: "the maximum over HTTP/1.1 is six",
    }
    most = limit[page["http2"]]
    return f"{words.page_name(page)} holds {count} connections; {most}."


def conflicts(session: Session) -> Iterator[str]:
    """Contradictions, features without a pattern, times that cannot be met, too many connections, unlike answers."""
    for index, decided in enumerate(session.verdict["features"]):
        name = visible(decided["name"], panes.NAME)
        if len(session.project.features) <= MANY:
            for line in session.select(index).conflicts:
                yield f"{name}: its answers contradict each other. {line}"
        if decided["primary"] is None:
            yield f"{name}: no pattern fits its answers."
        for conflict in decided["timing"]["conflicts"]:
            yield f"{name}: {' against '.join(conflict['between'])}. {conflict['text']}"
    for page in session.verdict["shared"]["pages"]:
        line = words.page_line(page)
        if line:
            yield line
    for feature in session.project.features:
        for fact, value in feature.facts.items():
            common_value = {**session.project.path, **session.project.app}.get(fact)
            if common_value is not None and common_value != value:
                here, others = (labelled(session.base.questions[fact], v) for v in (value, common_value))
                yield f"{visible(feature.name, panes.NAME)}: {fact} is {here} here, {others} for the others."
