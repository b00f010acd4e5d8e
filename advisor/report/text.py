"""The verdict as text for people: the pattern first, then why, what else, what to watch, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.text import plural, visible, wrap
from advisor.engine.costs import COUNTED
from advisor.report import caveat_words, cost_tables, words
from advisor.report.bars import bars

if TYPE_CHECKING:
    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import FeatureVerdict, RaisedCaveat, Verdict

SEVERITY = {"breaks": "BREAKS", "degrades": "DEGRADES", "note": "NOTE"}
INK = {"bold": "1", "good": "32;1", "breaks": "31;1", "degrades": "33", "note": "36", "dim": "2"}
MARK = {"passed": "-", "decided": "*"}


class Page:
    """Lines of at most `width` columns; colour only where it was asked for, and never as the only sign of anything."""

    __slots__ = ("colour", "lines", "width")

    def __init__(self, width: int, colour: bool) -> None:
        self.width = width
        self.colour = colour
        self.lines: list[str] = []

    def ink(self, text: str, style: str) -> str:
        """The text in a style of INK, or as it is."""
        return f"\x1b[{INK[style]}m{text}\x1b[0m" if self.colour and text else text

    def say(self, text: str = "", indent: int = 2, style: str = "", hang: int = 0) -> None:
        """A paragraph, wrapped; continuation lines are indented `hang` columns more."""
        wrapped = wrap(text, self.width, " " * (indent + hang), " " * indent).split("\n")
        self.lines += [self.ink(line, style) if style else line for line in wrapped]

    def item(self, label: str, text: str, indent: int = 2) -> None:
        """A labelled paragraph: `label: text`."""
        self.say(f"{label}: {text}", indent, hang=2)

    def head(self, text: str) -> None:
        """A section's title, underlined, after an empty line."""
        self.lines += ["", self.ink(text, "bold"), "-" * len(text)]


def text(verdict: Verdict, base: RuleBase, *, width: int = 80, colour: bool = False) -> str:
    """The whole verdict, lines of at most `width` columns (40 at least), ending with a newline."""
    page = Page(max(width, 40), colour)
    if len(verdict["features"]) > 1:
        _portfolio(page, verdict, base)
    for feature in verdict["features"]:
        _feature(page, feature, base)
    lines = list(caveat_words.handled(verdict))
    if lines:
        page.head("What else the kit handles")
        for line in lines:
            page.say(line, hang=2)
    rules = verdict["rules"]
    page.lines.append("")
    page.say(f"Rules {rules['version']} ({rules['sha256'][:12]}). `advisor explain ID` explains any id.", 0, "dim")
    return "\n".join(line.rstrip() for line in page.lines) + "\n"


def _feature(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    _headline(page, feature, base)
    _why(page, feature, base)
    _others(page, feature, base)
    _caveats(page, feature, base)
    if feature["primary"] is not None:
        _costs(page, feature, base)
    if feature["primary"] is not None and not feature["outside"]:
        _timing(page, feature, base)
    _open_ends(page, feature, base)
    page.head("The article")
    for number, step in enumerate(feature["article_steps"], 1):
        if step["because"]:
            page.say(f"{number}. {step['title']} {step['because']}", hang=3)
    page.say(words.article_line(feature, base))
    page.lines.append("")


# --- the parts --------------------------------------------------------------------------------------------------------


def _portfolio(page: Page, verdict: Verdict, base: RuleBase) -> None:
    title = f"{visible(verdict['project'])}: {plural(len(verdict['features']), 'feature')}"
    page.say(title, 0, "bold")
    names = [visible(f["name"]) for f in verdict["features"]]
    column = min(max(len(n) for n in names), page.width // 2)
    for name, feature in zip(names, verdict["features"], strict=True):
        counts = caveat_words.counts(caveat_words.of(feature, verdict))
        short = name if len(name) <= column else name[: column - 3] + "..."
        shown = words.title(feature["primary"], base) if feature["primary"] else "no pattern fits"
        first = f"  {short:{column}}  "
        line = f"{shown} ({feature['confidence']} confidence{'; ' + counts if counts else ''})"
        page.lines += wrap(line, page.width, " " * len(first), first).split("\n")
    for connection in verdict["shared"]["connections"]:
        page.say(words.connection_line(connection, base), hang=2)
    pages = map(words.page_line, verdict["shared"]["pages"])
    for line in filter(None, [words.reuse_line(verdict, base), *pages]):
        page.say(line, hang=2)
    if verdict["shared"]["caveats"]:
        page.head("What to watch in several features")
    for i, caveat in enumerate(verdict["shared"]["caveats"]):
        if i:
            page.lines.append("")
        _caveat(page, caveat, base, f" [{', '.join(map(visible, caveat['features']))}]")
    page.lines.append("")


def _headline(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    primary = feature["primary"]
    shown = f"{words.title(primary, base)} ({primary})" if primary else "no pattern fits"
    page.lines.append("=" * page.width)
    page.say(f"{visible(feature['name'])}: {shown}", 0, "good" if primary else "breaks")
    page.lines.append("=" * page.width)
    if primary in base.patterns:
        page.say(base.patterns[primary].summary)
    for line in words.scope_lines(feature, base):
        page.say(line)
    page.item("Confidence", words.confidence_line(feature, base))
    for line in words.first_lines(feature, base):
        page.say(line, style="breaks", hang=2)
    if feature["fallback"]:
        page.say(f"Fallback where it cannot connect: {words.title(feature['fallback'], base)}.")


def _why(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    page.head("Why")
    walked = [step for step in feature["steps"] if step["state"] != "not-reached"]
    for number, step in enumerate(walked, 1):
        said = words.conditions_of(step, feature, base)
        more = [*said[:4], f"and {len(said) - 4} more"] if len(said) > 4 else said
        page.say(f"{MARK[step['state']]} {number}. {step['title']} [{step['state']}] {'; '.join(more)}", hang=5)
        if step["state"] == "decided":
            page.say(f"{step['because']} (rule {step['rule']})", 7)
    left = len(feature["steps"]) - len(walked)
    if left:
        page.say(f"{plural(left, 'later step was', 'later steps were')} not reached.", 4)


def _others(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    others = [item for item in feature["acceptable"] if item["id"] != feature["primary"]]
    if others:
        page.head("Also defensible")
        for item in others:
            page.item(words.title(item["id"], base), item["why"])
            for source in [e for e in item["evidence"] if e["url"]][:1]:
                page.lines.append(page.ink(f"    {source['url']} ({source['as_of']})", "dim"))
    if feature["rejected"]:
        page.head("Rejected")
        reasons: dict[str, list[str]] = {}
        for no in feature["rejected"]:
            reasons.setdefault(f"{no['why']} (rule {no['rule']})", []).append(words.title(no["id"], base))
        for reason, names in reasons.items():
            page.item(", ".join(names), reason)


def _caveats(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    if feature["contradictions"]:
        page.head("These answers contradict each other")
        for item in feature["contradictions"]:
            page.say(f"{item['why']} ({item['id']})", style="breaks", hang=2)
    if feature["caveats"]:
        page.head("What to watch")
    for i, caveat in enumerate(feature["caveats"]):
        if i:
            page.lines.append("")
        _caveat(page, caveat, base)
    if feature["caveats_if"]:
        page.head("More to watch")
        for line in caveat_words.waiting(feature, base):
            page.say(line, hang=2)
    for kept in feature["if_kept"]:
        page.head(f"If {words.title(kept['pattern'], base)} is kept")
        for line in caveat_words.kept(kept):
            page.say(line, hang=2)
        page.say(caveat_words.MIGRATION)


def _caveat(page: Page, caveat: RaisedCaveat, base: RuleBase, features: str = "") -> None:
    head = f"[{SEVERITY[caveat['severity']]}] {caveat['title']} ({caveat['id']}){features}"
    page.say(head, style=caveat["severity"], hang=2)
    page.item("Because", f"{caveat['because']}.", 4)
    page.say(caveat["why"], 4)
    for place, text in caveat_words.doing(caveat["do"]):
        page.item(place, text, 4)
    if caveat["figures"]:
        page.item("Figures", caveat["figures"], 4)
    page.say(caveat_words.cure(caveat, base), 4, hang=2)
    _evidence(page, caveat)


def _evidence(page: Page, caveat: RaisedCaveat) -> None:
    """Where it comes from, in short; `advisor explain` prints what each source states."""
    said = list(words.evidence_in_short(caveat["evidence"]))
    if said:
        page.say(f"Evidence: {'; '.join(line.rstrip('.') for line in said)}.", 4, "dim", hang=2)
    for item in caveat["evidence"]:
        if item["url"]:  # whole, however long, so that it can be copied
            page.lines.append(page.ink(f"      {item['url']} ({item['as_of']})", "dim"))


def _costs(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    page.head("What it costs")
    if feature["outside"]:
        page.say("For comparison, what the patterns of the article would cost:")
    for line in cost_tables.sentences(feature, base):
        page.say(line, hang=2)
    traffic, held = (cost_tables.columns(feature, base, every) for every in (cost_tables.TRAFFIC, cost_tables.HELD))
    for key, caption in cost_tables.SCALES.items():
        page.lines.append("")
        page.say(f"{caption}, per hour:")
        _table(page, feature, list(cost_tables.table(feature, base, key, traffic)), traffic)
        if key == "patterns":
            page.lines.append("")
            page.say("Overhead per hour:")
            page.lines += bars(cost_tables.lengths(feature, base, key, cost_tables.BARS), page.width)
        page.lines.append("")
        page.say(f"{caption}, held open:")
        _table(page, feature, list(cost_tables.table(feature, base, key, held)), held)
    page.lines.append("")
    page.item("Calculated with", cost_tables.inputs(feature, base))
    page.say(
        f"{COUNTED} {cost_tables.legend([*traffic, *held])} Formulas: `advisor explain {traffic[0].id}`.", style="dim"
    )


def _table(page: Page, feature: FeatureVerdict, rows: list[cost_tables.Row], heads: list[cost_tables.Column]) -> None:
    table = [["", *(column.head for column in heads)]] + [[row.name, *row.cells] for row in rows]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(table[0]))]
    if sum(widths) + len(widths) + 1 > page.width:  # a narrow terminal: each row as a paragraph
        for row in rows:
            said = zip(heads, row.cells, strict=True)
            page.item(row.name, ", ".join(f"{column.head} {cell}" for column, cell in said))
        return
    for cells, pattern in zip(table, ["", *(row.pattern for row in rows)], strict=True):
        aligned = [f"{cells[0]:{widths[0]}}"] + [f"{cell:>{w}}" for cell, w in zip(cells[1:], widths[1:], strict=True)]
        line = "  " + " ".join(aligned)
        page.lines.append(page.ink(line, "good") if pattern == feature["primary"] else line)


def _timing(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    page.head("Timing")
    rows = list(words.times(feature, base))
    name_width, value_width = max(len(r[0]) for r in rows), max(len(r[1]) for r in rows)
    for name, value, why in rows:
        first = f"  {name:{name_width}}  {value:>{value_width}}  "
        if len(first) > page.width // 2:
            page.item(f"{name} {value}", why)
            continue
        page.lines += wrap(why, page.width, " " * len(first), first).split("\n")
    for line in words.conflicts(feature):
        page.say(line, style="breaks", hang=2)
    for line in words.hard_ends(feature, base):
        page.say(line, hang=2)


def _open_ends(page: Page, feature: FeatureVerdict, base: RuleBase) -> None:
    if words.assumptions(feature):
        page.head("Assumed, because it was not stated")
        for line in words.assumed(feature, base):
            page.say(line, hang=2)
    if words.still_open(feature):
        page.head("Still open")
        page.say(", ".join(words.still_open(feature)), hang=2)
    if feature["ask_next"]:
        asked = feature["ask_next"]
        others = " or ".join(words.title(pattern, base) for pattern in asked["decides"])
        page.head("Ask this next")
        page.say(f"{asked['ask']} ({asked['fact']}) The answer can lead to {others}.", hang=2)
    if feature["changes"]:
        page.head("What would change it")
        for change in feature["changes"]:
            page.say(change["text"], hang=2)
