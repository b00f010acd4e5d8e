"""The first page of a report as plain data: text, Markdown and HTML print the same sentences from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.text import shell_word, visible
from advisor.model.advice import GENERAL
from advisor.model.answers_in_words import named
from advisor.model.patterns import core
from advisor.report import caveat_words, cost_tables, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Change, Cost, FeatureVerdict, RaisedCaveat, Severity, Verdict

BITES, FLIPS, COSTS = 5, 3, 3  # items of a feature that is alone
AMONG = 2  # caveats of a feature that is one of several
ANSWERS = 4  # on which the reason rests
SENTENCES = 2  # of the reason
BITE_HEAD = "What will bite you, and what to do first"
FLIP_HEAD = "What would flip it"
COST_HEAD = "{what} per hour: requests both ways, bytes, connections, delay"


class BiteItem(NamedTuple):
    """A caveat that bites: the harm in one line, and the first thing to do, for a stated product if there is one."""

    severity: Severity
    title: str
    id: str
    cure: str


class FeaturePage(NamedTuple):
    """What the first page says of one feature; a text is empty where there is nothing to say."""

    name: str
    pattern: str
    fits: bool
    sure: str
    fallback: str
    contradictions: tuple[str, ...]
    because: str
    answers: tuple[str, ...]
    counts: str
    bites: tuple[BiteItem, ...]
    more: int
    flips: tuple[str, ...]
    costs: tuple[tuple[str, str], ...]
    costs_head: str
    article: str


class FirstPage(NamedTuple):
    """What the first page says of a project. `together` and `shared` concern several features.

    `kit` and `full` are commands: that writes the starter kit (empty where there is none), and that prints everything.
    """

    project: str
    features: tuple[FeaturePage, ...]
    together: tuple[str, ...]
    shared: tuple[BiteItem, ...]
    kit: str
    full: str

    @property
    def next(self) -> list[tuple[str, str]]:
        """What to do next: each a label and a command."""
        return [("Starter kit", self.kit), ("All details", self.full)] if self.kit else [("All details", self.full)]


def first_page(verdict: Verdict, base: RuleBase, file: str = "FILE", most: int = BITES) -> FirstPage:
    """The page with at most `most` caveats of each feature; `file` is the answers file that its commands name."""
    together = [words.connection_line(connection, base) for connection in verdict["shared"]["connections"]]
    together += filter(None, [words.reuse_line(verdict, base)])
    kits = {pattern for cure in base.cures for pattern in cure.patterns}
    some = any(feature["primary"] in kits for feature in verdict["features"])
    recommend = f"advisor recommend {shell_word(file) if file != '-' else file}"
    return FirstPage(
        project=visible(verdict["project"]),
        features=tuple(feature_page(feature, base, most) for feature in verdict["features"]),
        together=tuple(together),
        shared=tuple(_bite(caveat, base) for caveat in verdict["shared"]["caveats"]),
        kit=f"{recommend} --kit my-kit" if some else "",
        full=f"{recommend} --full{' --feature NAME' if len(verdict['features']) > 1 else ''}",
    )


def feature_page(feature: FeatureVerdict, base: RuleBase, most: int = BITES) -> FeaturePage:
    """What the page says of one feature, with at most `most` caveats."""
    primary, fallback = feature["primary"], feature["fallback"]
    outside = primary is not None and primary not in feature["costs"]["patterns"]
    return FeaturePage(
        name=visible(feature["name"]),
        pattern=words.title(primary, base) if primary else "no pattern fits",
        fits=primary is not None,
        sure=_sure(feature, base),
        fallback=f"If it cannot be used, fall back to {words.title(fallback, base)}." if fallback else "",
        contradictions=tuple(item["why"] for item in feature["contradictions"]),
        because=because(feature, base),
        answers=tuple(answers(feature, base)[:ANSWERS]),
        counts=caveat_words.counts(feature["caveats"]),
        bites=tuple(_bite(caveat, base) for caveat in feature["caveats"][:most]),
        more=max(len(feature["caveats"]) - most, 0),
        flips=tuple(_flip(change, base) for change in possible(feature, base))[:FLIPS],
        costs=tuple(_costs(feature, base)) if primary else (),
        costs_head=COST_HEAD.format(what="What other patterns cost" if outside else "What it costs"),
        article=_article(feature, base),
    )


# --- the parts --------------------------------------------------------------------------------------------------------


def _sure(feature: FeatureVerdict, base: RuleBase) -> str:
    """Confidence, with the assumption that matters most."""
    level, risk = feature["confidence"], feature["riskiest"]
    if risk is None:
        return f"Confidence: {level}; {feature['confidence_why']}."
    value = next((a["value"] for a in feature["assumptions"] if a["fact"] == risk["fact"]), None)
    taken = "open" if value is None else named(risk["fact"], value, base)
    assumed = f'"{base.questions[risk["fact"]].ask}" {taken} ({risk["fact"]})'
    others = " or ".join(words.title(pattern, base) for pattern in risk["decides"][:2])
    return f"Confidence: {level}. Riskiest assumption (not stated): {assumed}. Another answer may give {others}."


def because(feature: FeatureVerdict, base: RuleBase) -> str:
    """The reason, in three sentences at most: what the rule says, and why not the pattern that it names first."""
    if not feature["acceptable"]:
        return ""
    said = sentences(feature["acceptable"][0]["why"])[:SENTENCES]
    rules = {rule.id: rule for step in base.steps for rule in step.rules}
    decided = next((step["rule"] for step in feature["steps"] if step["state"] == "decided"), None)
    named_first = rules[decided].patterns if decided in rules else ()
    if feature["primary"] in named_first:
        before = named_first[: named_first.index(feature["primary"])]
        said[1:1] = [sentences(no["why"])[0] for no in feature["rejected"] if no["id"] in before][:1]
    return " ".join(dict.fromkeys(said))


def answers(feature: FeatureVerdict, base: RuleBase) -> list[str]:
    """The stated answers on which the decision rests: those of the step that decided, then of those before it."""
    walked = [step for step in feature["steps"] if step["state"] != "not-reached"]
    walked.sort(key=lambda step: step["state"] != "decided")
    said = (part for step in walked for part in words.conditions_of(step, feature, base))
    return [part for part in dict.fromkeys(said) if part.partition(":")[0] in feature["stated"]]


def _bite(caveat: RaisedCaveat, base: RuleBase) -> BiteItem:
    """What to do at a stated product first, else where the caveat begins."""
    known = base.caveats.get(caveat["id"])
    product = [item for item in caveat["do"] if item["at"] not in GENERAL]
    begin = [item for item in caveat["do"] if known is not None and item["at"] == known.begin]
    said = product or begin or caveat["do"]
    cure = next(iter(sentences(said[0]["text"])), "") if said else ""
    if caveat["severity"] == "breaks" and said and said[0]["at"] == "team":  # a decision: between what?
        cure = f"{cure} Here: {caveat['because']}."
    return BiteItem(caveat["severity"], caveat["title"], caveat["id"], cure)


def possible(feature: FeatureVerdict, base: RuleBase) -> Iterator[Change]:
    """The changes of one answer that can happen: what a feature is (its clients, its platform) does not change."""
    for change in feature["changes"]:
        facts = list(change["set"])
        if len(facts) != 1 or facts[0] not in base.questions or base.questions[facts[0]].settled:
            continue
        number = base.questions[facts[0]].type == "number"  # no is not 0
        if number and change["set"][facts[0]] == 0 and facts[0] in feature["stated"]:  # what has events keeps them
            continue
        yield change


def _flip(change: Change, base: RuleBase) -> str:
    ((fact, value),) = change["set"].items()
    return f"{fact}: {named(fact, value, base)} -> {words.title(change['to'], base)}"


def _costs(feature: FeatureVerdict, base: RuleBase) -> Iterator[tuple[str, str]]:
    """The pattern, and what else comes into question: its name and its costs."""
    costs = feature["costs"]["patterns"]
    others = [item["id"] for item in feature["acceptable"]] + core(base)
    for pattern in [p for p in dict.fromkeys([str(feature["primary"]), *others]) if p in costs][:COSTS]:
        yield cost_tables.name(pattern, base), cost_line(costs[pattern])


def requests(row: Cost) -> float:
    """Requests per hour of all clients, those for what they send included."""
    return row["requests_per_h"] + row["uplink_requests_per_h"]


def cost_line(row: Cost) -> str:
    """What a pattern costs per hour, in one line."""
    held = row["held_connections"]
    late = row["worst_delay_s"]
    parts = [
        f"{words.amount(requests(row))} requests",
        f"{words.size(row['total_bytes_per_h'])}",
        f"{words.amount(held)} held" if held else "nothing held",
        f"up to {words.delay(late)} late" if late else "no delay",
    ]
    return ", ".join(parts)


def _article(feature: FeatureVerdict, base: RuleBase) -> str:
    """What the article's steps give; a reason that the page has already is not repeated."""
    told = because(feature, base)
    more = [one for one in sentences(feature["departs"] or "") if one not in told]
    return words.article_line(feature, base, " ".join(more))


def sentences(text: str) -> list[str]:
    """The sentences of a text; a full stop inside of a number or an abbreviation ends none."""
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", " ".join(text.split()))
