"""The pages of a result with selectable blocks: steps and rules, caveats, and what would change the result.

Each block leads somewhere: to a card with everything about a rule or a caveat, or to the question that it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from advisor.base.errors import UsageError
from advisor.base.text import wrap
from advisor.model.answers_in_words import named
from advisor.model.rulebase import RuleBase
from advisor.report import caveat_words, words
from advisor.report.lookup import explain
from advisor.tui.pages import Page
from advisor.tui.panes import WORST

if TYPE_CHECKING:
    from advisor.model.verdict import FeatureVerdict, Verdict

MARK = {"passed": "-", "decided": "x", "not-reached": "."}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of such a page. `leads` is `rule:ID`, `step:ID`, `caveat:ID` or `question:ID`; heads lead nowhere."""

    content: Content
    leads: str = ""


class Blocks:
    """Blocks of at most `width` columns."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.made: list[Block] = []

    def head(self, text: str) -> None:
        """A heading, after an empty line."""
        self.made.append(Block(Content.assemble("\n" if self.made else "", (wrap(text, self.width), "bold"))))

    def say(self, text: str, more: str = "", *, leads: str = "", style: str = "", mark: str = "") -> None:
        """A block: its first paragraph behind a mark, and a further one, dimmed and indented."""
        hang = " " * (len(mark) or 2)
        lines = [Content.styled(line, style) for line in wrap(text, self.width, hang, mark).split("\n")]
        if more:
            lines += [Content.styled(line, "dim") for line in wrap(more, self.width, hang, hang).split("\n")]
        self.made.append(Block(Content("\n").join(lines), leads))


def why(width: int, feature: FeatureVerdict, base: RuleBase) -> list[Block]:
    """The steps with their results, the excluded patterns, and the article's steps."""
    blocks = Blocks(width)
    blocks.head("The decision, step by step")
    for number, step in enumerate(feature["steps"], 1):
        mark = f"{MARK[step['state']]} {number:2} "
        if step["state"] == "decided":
            said = f"{step['because']} {'; '.join(words.conditions_of(step, feature, base)[:4])}"
            blocks.say(step["title"], said, leads=f"rule:{step['rule']}", mark=mark, style="bold $text-success")
        else:
            said = "; ".join(words.conditions_of(step, feature, base)[:4]) if step["state"] == "passed" else ""
            style = "" if step["state"] == "passed" else "dim"
            blocks.say(step["title"], said, leads=f"step:{step['step']}", mark=mark, style=style)
    if feature["rejected"]:
        blocks.head("Ruled out")
    for item in feature["rejected"]:
        blocks.say(f"{words.title(item['id'], base)}: {item['why']}", leads=f"rule:{item['rule']}")
    blocks.head("The article's five steps")
    for number, step in enumerate(feature["article_steps"], 1):
        leads = f"rule:{step['rule']}" if step["rule"] else f"step:{step['step']}"
        blocks.say(step["title"], step["because"] or "", leads=leads, mark=f"{MARK[step['state']]} {number} ")
    blocks.head(words.article_line(feature, base))
    return blocks.made


def caveats(width: int, verdict: Verdict, feature: FeatureVerdict, base: RuleBase) -> list[Block]:
    """What will bite, the worst first, with what to do; what the kit handles; what may be watched besides."""
    blocks = Blocks(width)
    listed = caveat_words.of(feature, verdict)
    blocks.head(f"To watch: {len(listed)}" if listed else "There is nothing to watch.")
    for caveat in listed:
        style = f"bold {WORST[caveat['severity']]}"
        todo = " ".join(f"{place}: {text}" for place, text in caveat_words.doing(caveat["do"]))
        said = f"Because {caveat['because']}. {todo} {caveat_words.cure(caveat, base)}"
        blocks.say(f"[{caveat['severity']}] {caveat['title']}", said, leads=f"caveat:{caveat['id']}", style=style)
    handled = [item for item in verdict["shared"]["handled"] if feature["name"] in item["features"]]
    if handled:
        blocks.head("Handled by the kit")
    for done in handled:
        blocks.say(f"{done['title']}: {caveat_words.done(done)}", leads=f"caveat:{done['id']}")
    if feature["caveats_if"]:
        blocks.head("More to watch")
    for waiting, line in zip(feature["caveats_if"], caveat_words.waiting(feature, base), strict=True):
        blocks.say(line, leads=f"caveat:{waiting['id']}")
    for kept in feature["if_kept"]:
        blocks.head(f"If {words.title(kept['pattern'], base)} is kept")
        for found, line in zip(kept["caveats"], caveat_words.kept(kept), strict=True):
            blocks.say(line, leads=f"caveat:{found['id']}")
        blocks.head(caveat_words.MIGRATION)
    return blocks.made


def changes(width: int, feature: FeatureVerdict, base: RuleBase) -> list[Block]:
    """The nearest answers that lead to other patterns, with their questions; assumptions; open questions."""
    blocks = Blocks(width)
    if feature["changes"]:
        blocks.head("Answers that would lead to another pattern, the nearest first")
    else:
        blocks.head("No other answers lead to another pattern.")
    for change in feature["changes"]:
        facts = list(change["set"])
        asked = " ".join(base.questions[fact].ask for fact in facts if fact in base.questions)
        blocks.say(change["text"], asked, leads=f"question:{facts[0]}" if facts else "")
    assumed = words.assumptions(feature)
    deciding = [item for item in assumed if item["decides"]]
    if deciding:
        blocks.head("Assumed, because not stated; other answers may change the pattern")
    for item in deciding:
        others = " or ".join(words.title(pattern, base) for pattern in item["decides"])
        said = f"{item['fact']}: {named(item['fact'], item['value'], base)}; if not, {others} is possible."
        blocks.say(said, base.questions[item["fact"]].ask, leads=f"question:{item['fact']}")
    rest = [item for item in assumed if not item["decides"]]
    if rest:
        blocks.head("Assumed, with no effect on the pattern")
    for item in rest:
        said = f"{item['fact']}: {named(item['fact'], item['value'], base)}"
        blocks.say(said, base.questions[item["fact"]].ask, leads=f"question:{item['fact']}")
    still_open = words.still_open(feature)
    if still_open:
        blocks.head("Still open")
    for fact in still_open:
        blocks.say(fact, base.questions[fact].ask, leads=f"question:{fact}")
    return blocks.made


def card(leads: str, width: int, verdict: Verdict, feature: FeatureVerdict, base: RuleBase) -> Content:
    """Everything about a rule, a step or a caveat, with its evidence; a caveat's figures are those of this feature."""
    kind, _, name = leads.partition(":")
    page = Page(width)
    told = caveat_words.of(feature, verdict) if kind == "caveat" else []
    raised = next((c for c in told if c["id"] == name), None)
    if raised is not None and raised["figures"]:
        page.say(f"Here: {raised['figures']}", style="bold")
        page.say()
    try:
        text = explain(leads, base, max(width, 30)).rstrip()
    except UsageError:
        text = explain(name, base, max(width, 30)).rstrip()
    page.lines += map(Content, text.split("\n"))
    return page.content()
