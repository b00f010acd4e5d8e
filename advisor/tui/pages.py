"""The pages of a result: the verdict of one feature as wrapped, styled lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textual.content import Content

from advisor import bill, words
from advisor.bars import bars
from advisor.rulebase import RuleBase
from advisor.text import visible, wrap
from advisor.tui.panes import WORST
from advisor.words import CONFIDENCE

MARK = {"passed": "-", "decided": "x", "not-reached": " "}


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


def recommendation(page: Page, verdict: Mapping[str, Any], feature: Mapping[str, Any], base: RuleBase) -> None:
    """The pattern, how sure it is, what to do first, and what the article says."""
    primary = feature["primary"]
    page.say(words.title(primary, base) if primary else "No pattern fits these answers", style="bold $success")
    page.say(f"for {visible(feature['name'])}; confidence {feature['confidence']}: {CONFIDENCE[feature['confidence']]}")
    if primary:
        page.say()
        page.say(base.patterns[primary].summary)
        page.say(next((a["why"] for a in feature["acceptable"] if a["id"] == primary), ""))
    for line in words.scope_lines(feature, base):
        page.say(line)
    if feature["fallback"]:
        page.say(f"Fallback where it cannot connect: {words.title(feature['fallback'], base)}.")
    first = [c for c in feature["caveats"] if c["certainty"] == "certain"][:5]
    if first:
        page.head("Do first")
        for i, caveat in enumerate(first, 1):
            page.say(f"{i} {caveat['do']}", 1, hang=2)
    others = [a for a in feature["acceptable"] if a["id"] != primary]
    if others:
        page.head("Also defensible")
        for item in others:
            page.say(f"{words.title(item['id'], base)}: {item['why']}", 1, hang=2)
    for connection in verdict["shared"]["connections"]:
        page.head("Shared")
        page.say(words.connection_line(connection, base), 1)
    page.head("The article")
    page.say(words.article_line(feature, base))


def why(page: Page, feature: Mapping[str, Any], base: RuleBase) -> None:
    """The steps as walked, each rule that held, and what was rejected."""
    page.head("The decision")
    for number, step in enumerate(feature["steps"], 1):
        style = "dim" if step["state"] == "not-reached" else ""
        page.say(f"{MARK[step['state']]} {number:2} {step['title']}", 1, style, hang=5)
        if step["state"] == "decided":
            page.say(f"{step['because']} (rule {step['rule']})", 6, "$success")
        if step["state"] != "not-reached":
            page.say("; ".join(words.conditions_of(step, feature)[:4]), 6, "dim")
    if feature["rejected"]:
        page.head("Rejected")
        for item in feature["rejected"]:
            page.say(f"{words.title(item['id'], base)}: {item['why']} (rule {item['rule']})", 1, hang=2)
    page.head("The article's five steps")
    for number, step in enumerate(feature["article_steps"], 1):
        page.say(f"{MARK[step['state']]} {number} {step['title']}", 1, hang=4)
        if step["because"]:
            page.say(step["because"], 5)
    page.say(words.article_line(feature, base), 1)


def caveats(page: Page, feature: Mapping[str, Any]) -> None:
    """Each caveat with its reason, its cure and its evidence."""
    if not feature["caveats"]:
        page.say("There is nothing to watch.")
    for caveat in feature["caveats"]:
        maybe = "" if caveat["certainty"] == "certain" else " (possible)"
        page.head(f"[{caveat['severity']}{maybe}] {caveat['title']}")
        page.lines[-1] = page.lines[-1].stylize(WORST[caveat["severity"]], 0, len(caveat["severity"]) + len(maybe) + 2)
        page.say(caveat["why"], 2)
        page.say(f"Do: {caveat['do']}", 2, hang=4)
        if caveat["figures"]:
            page.say(f"Figures: {caveat['figures']}", 2, hang=4)
        for item in caveat["evidence"]:
            page.say(f"- {words.evidence(item)} {item.get('url', '')}".rstrip(), 2, "dim", hang=2)
        page.say(caveat["id"], 2, "dim")
    if feature["caveats_if"]:
        page.head("Only if")
        for caveat in feature["caveats_if"]:
            facts = " and ".join(f"{fact} is {words.answer(v)}" for fact, v in caveat["if"].items())
            page.say(f"{facts}: {caveat['title']}", 1, hang=2)


def changes(page: Page, feature: Mapping[str, Any], base: RuleBase) -> None:
    """What other answers would lead to, what was assumed, what stays open."""
    page.head("What would change it")
    for change in feature["changes"]:
        page.say(change["text"], 1, hang=2)
    if not feature["changes"]:
        page.say("No other answers lead to another pattern.", 1)
    if feature["assumptions"]:
        page.head("Assumed, because it was not stated")
        for line in words.assumed(feature, base):
            page.say(line, 1, hang=2)
    if feature["open"]:
        page.head("Still open")
        page.say(", ".join(feature["open"]), 1)


def costs(page: Page, feature: Mapping[str, Any], base: RuleBase) -> None:
    """Requests, bytes, delay and connections of every pattern, with bars for the bytes."""
    for line in bill.sentences(feature):
        page.say(line, hang=2)
    for key, scale in bill.SCALES.items():
        for caption, every in ((f"{scale}, an hour", bill.TRAFFIC), (f"{scale}, held open", bill.HELD)):
            page.head(caption)
            heads = bill.columns(feature, every)
            _table(page, feature, list(bill.table(feature, base, key, heads)), heads)
            drawn = list(bars(bill.lengths(feature, base, key, bill.BARS), page.width, indent=1))
            if every is bill.TRAFFIC and drawn:
                page.say("Overhead an hour:", 1)
                page.lines += map(Content, drawn)
    page.say()
    page.say(f"Taken: {bill.inputs(feature, base)}", style="dim")
    page.head("Times")
    for name, value, because in words.times(feature):
        page.say(f"{name} {value}: {because}", 1, hang=2)
    for conflict in feature["timing"].get("conflicts", []):
        page.say(f"CONFLICT: {' against '.join(conflict['between'])}. {conflict['text']}", 1, "bold $error", hang=2)
    for line in words.hard_ends(feature):
        page.say(line, 1, hang=2)


def _table(page: Page, feature: Mapping[str, Any], rows: list[bill.Row], heads: list[bill.Column]) -> None:
    """A row a pattern, the recommended one marked; in a narrow pane each row as a paragraph."""
    table = [("", ["", *(column.head for column in heads)]), *((row.pattern, [row.name, *row.cells]) for row in rows)]
    widths = [max(len(cells[i]) for _, cells in table) for i in range(len(heads) + 1)]
    wide = sum(widths) + len(widths) + 2 <= page.width
    for pattern, cells in table if wide else table[1:]:
        chosen = pattern == feature["primary"]
        mark = "> " if chosen else "  "
        if wide:
            aligned = [f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True)]
            line = f"{mark}{cells[0]:{widths[0]}} {' '.join(aligned)}"
            page.lines.append(Content.styled(line, "bold $success" if chosen else ""))
        else:
            said = zip(heads, cells[1:], strict=True)
            page.say(f"{mark}{cells[0]}: {', '.join(f'{column.head} {cell}' for column, cell in said)}", hang=4)


def build(name: str, width: int, verdict: Mapping[str, Any], index: int, base: RuleBase) -> Content:
    """One page by its name."""
    page, feature = Page(width), verdict["features"][index]
    pages: dict[str, Callable[[], None]] = {
        "Recommendation": lambda: recommendation(page, verdict, feature, base),
        "Why": lambda: why(page, feature, base),
        "Caveats": lambda: caveats(page, feature),
        "What would change it": lambda: changes(page, feature, base),
        "Costs": lambda: costs(page, feature, base),
    }
    pages[name]()
    return page.content()
