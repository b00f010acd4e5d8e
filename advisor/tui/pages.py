"""The pages of a result: the verdict of one feature as wrapped, styled lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from advisor.base.text import visible, wrap
from advisor.model.rulebase import RuleBase
from advisor.report import caveat_words, cost_tables, words
from advisor.report.bars import bars

if TYPE_CHECKING:
    from advisor.model.verdict import FeatureVerdict, Verdict


class Page:
    """Lines of at most `width` columns."""

    def __init__(self, width: int) -> None:
        self.width = max(width, 20)
        self.lines: list[Content] = []

    def say(self, text: str = "", indent: int = 0, style: str = "", hang: int = 0) -> None:
        """A paragraph; its further lines are indented `hang` columns more."""
        wrapped = wrap(text, self.width, " " * (indent + hang), " " * indent) if text else ""
        self.lines += [Content.styled(line, style) for line in wrapped.split("\n")]

    def head(self, text: str) -> None:
        """A heading after an empty line."""
        if self.lines:
            self.say()
        self.say(text, style="bold")

    def content(self) -> Content:
        """All of it."""
        return Content("\n").join(self.lines)


def recommendation(width: int, verdict: Verdict, index: int, base: RuleBase) -> Content:
    """The pattern, how sure it is, the article's verdict, what to do first, the other acceptable patterns."""
    page, feature = Page(width), verdict["features"][index]
    primary = feature["primary"]
    page.say(words.title(primary, base) if primary else "No pattern fits these answers", style="bold $text-success")
    page.say(f"for {visible(feature['name'])}; confidence {words.confidence_line(feature, base)}")
    for line in words.first_lines(feature, base):
        page.say(line, style="bold $text-error")
    if primary:
        page.say()
        page.say(base.patterns[primary].summary)
        page.say(next((a["why"] for a in feature["acceptable"] if a["id"] == primary), ""))
    for line in words.scope_lines(feature, base):
        page.say(line)
    if feature["fallback"]:
        page.say(f"Fallback for clients that cannot connect: {words.title(feature['fallback'], base)}.")
    _beside(page, feature, base)
    first = caveat_words.of(feature, verdict)
    if first:
        page.head("Do first")
        for i, caveat in enumerate(first, 1):
            todo = " ".join(f"{place}: {text}" for place, text in caveat_words.doing(caveat["do"]))
            page.say(f"{i} {caveat['title']}. {todo}", 2, hang=2)
    others = [a for a in feature["acceptable"] if a["id"] != primary]
    if others:
        page.head("Also defensible")
        for item in others:
            page.say(f"{words.title(item['id'], base)}: {item['why']}", 2, hang=2)
    for connection in verdict["shared"]["connections"]:
        page.head("Shared")
        page.say(words.connection_line(connection, base), 2, hang=2)
    return page.content()


def _beside(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    """The article's five steps and this verdict in two lines, and why they differ."""
    article = feature["article"]
    given = words.title(article["primary"], base) if article["primary"] else "no single pattern"
    at = f" (settled at step {article['step']})" if article["step"] else ""
    page.head("The article beside this verdict")
    page.say(f"the article's five steps alone: {given}{at}", 2, hang=2)
    page.say(f"this verdict: {words.title(feature['primary'], base)}", 2, hang=2)
    if feature["departs"]:
        how = "They differ" if article["primary"] else "The verdict goes further"
        page.say(f"{how}: {feature['departs']}", 2, hang=2)
    elif article["primary"] == feature["primary"]:
        page.say("They agree.", 2)


def costs(width: int, feature: FeatureVerdict, base: RuleBase) -> Content:
    """Requests, bytes, delay and connections of every pattern, with bars for the bytes."""
    page = Page(width)
    for line in cost_tables.sentences(feature, base):
        page.say(line, hang=2)
    for key, scale in cost_tables.SCALES.items():
        for caption, every in ((f"{scale}, per hour", cost_tables.TRAFFIC), (f"{scale}, held open", cost_tables.HELD)):
            page.head(caption)
            heads = cost_tables.columns(feature, base, every)
            _table(page, feature, list(cost_tables.table(feature, base, key, heads)), heads)
            drawn = list(bars(cost_tables.lengths(feature, base, key, cost_tables.BARS), page.width, indent=1))
            if every is cost_tables.TRAFFIC and drawn:
                page.say("Overhead per hour:", 1)
                page.lines += map(Content, drawn)
    page.say()
    page.say(f"Calculated with: {cost_tables.inputs(feature, base)}", style="dim")
    page.head("Times")
    for name, value, because in words.times(feature, base):
        page.say(f"{name} {value}: {because}", 1, hang=2)
    for conflict in feature["timing"]["conflicts"]:
        said = f"CONFLICT: {' against '.join(conflict['between'])}. {conflict['text']}"
        page.say(said, 1, "bold $text-error", hang=2)
    for line in words.hard_ends(feature, base):
        page.say(line, 1, hang=2)
    return page.content()


def _table(page: Page, feature: FeatureVerdict, rows: list[cost_tables.Row], heads: list[cost_tables.Column]) -> None:
    """One row per pattern, the recommended one marked; in a narrow pane each row as a paragraph."""
    table = [("", ["", *(column.head for column in heads)]), *((row.pattern, [row.name, *row.cells]) for row in rows)]
    widths = [max(len(cells[i]) for _, cells in table) for i in range(len(heads) + 1)]
    wide = sum(widths) + len(widths) + 2 <= page.width
    for pattern, cells in table if wide else table[1:]:
        chosen = pattern == feature["primary"]
        mark = "> " if chosen else "  "
        if wide:
            aligned = [f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True)]
            line = f"{mark}{cells[0]:{widths[0]}} {' '.join(aligned)}"
            page.lines.append(Content.styled(line, "bold $text-success" if chosen else ""))
        else:
            said = zip(heads, cells[1:], strict=True)
            page.say(f"{mark}{cells[0]}: {', '.join(f'{column.head} {cell}' for column, cell in said)}", hang=4)
