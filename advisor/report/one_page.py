"""The verdict on one page: what to use, why, what will bite, what would flip it, what it costs, what to do next.

`--full` prints everything (text.py); the two cannot differ, because both are made from the same verdict.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from advisor.base.text import plural, shell_word, visible
from advisor.model.advice import GENERAL
from advisor.model.answers_in_words import named
from advisor.model.patterns import core
from advisor.report import cost_tables, words
from advisor.report.text import SEVERITY, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Change, Cost, FeatureVerdict, RaisedCaveat, Verdict

BITES, FLIPS, COSTS = 5, 3, 3  # items of a feature that is alone
AMONG = 2  # caveats of a feature that is one of several
SENTENCES = 2  # of the reason
LINES, WORDS = 45, 350  # of one feature, at 80 columns
EACH = 18  # lines of each of several features, with what they share


def one_page(verdict: Verdict, base: RuleBase, *, width: int = 80, colour: bool = False, file: str = "FILE") -> str:
    """The page, lines of at most `width` columns (40 at least), ending with a newline. `file`: the answers file.

    It has as many caveats of each feature as keep it to LINES and WORDS, or EACH; the others are counted.
    """
    count = len(verdict["features"])
    most = BITES if count == 1 else AMONG
    while most > 0:
        plain = _page(verdict, base, Page(80, colour=False), file, most)
        fits = plain.count("\n") <= LINES and len(plain.split()) <= WORDS
        if fits if count == 1 else plain.count("\n") <= EACH * count:
            break
        most -= 1
    return _page(verdict, base, Page(max(width, 40), colour), file, most)


def _page(verdict: Verdict, base: RuleBase, page: Page, file: str, most: int) -> str:
    """The page with at most so many caveats of each feature."""
    several = len(verdict["features"]) > 1
    if several:
        page.say(f"{visible(verdict['project'])}: {plural(len(verdict['features']), 'feature')}", 0, "bold")
        for line in _together(verdict, base):
            page.say(line, hang=2)
    for feature in verdict["features"]:
        if several:
            page.lines.append("")
        _feature(page, feature, base, most, several=several)
    page.lines.append("")
    for line in _next(verdict, file, several=several):
        page.say(line, 0, hang=2)
    return "\n".join(line.rstrip() for line in page.lines) + "\n"


def _feature(page: Page, feature: FeatureVerdict, base: RuleBase, most: int, *, several: bool) -> None:
    primary = feature["primary"]
    shown = words.title(primary, base) if primary else "no pattern fits"
    page.say(f"{visible(feature['name'])}: {shown}", 0, "good" if primary else "breaks")
    page.say(_sure(feature, base), hang=2)
    if feature["fallback"]:
        page.say(f"Where it cannot connect: {words.title(feature['fallback'], base)}.")
    for item in feature["contradictions"]:
        page.say(f"These answers contradict each other: {item['why']}", style="breaks", hang=2)
    _because(page, feature, base, several=several)
    _bites(page, feature, most, several=several)
    flips = [_flip(change, base) for change in _possible(feature, base)]
    if flips and several:
        page.say(f"Would flip it: {'; '.join(flips[:FLIPS])}.", hang=2)
    elif flips:
        _head(page, "What would flip it")
        page.lines += [f"  - {flip}" for flip in flips[:FLIPS]]
    if not several and primary is not None:
        _head(page, "What it costs per hour")
        page.lines += list(_costs(feature, base))
        page.say(words.article_line(feature, base))


# --- the parts --------------------------------------------------------------------------------------------------------


def _sure(feature: FeatureVerdict, base: RuleBase) -> str:
    """Confidence, with the assumption that matters most."""
    level, risk = feature["confidence"], feature["riskiest"]
    if risk is None:
        return f"Confidence: {level}; {feature['confidence_why']}."
    value = next((a["value"] for a in feature["assumptions"] if a["fact"] == risk["fact"]), None)
    assumed = f"{risk['fact']} is {'open' if value is None else named(risk['fact'], value, base)}"
    others = " or ".join(words.title(pattern, base) for pattern in risk["decides"][:2])
    return f"Confidence: {level}. Riskiest: {assumed}; otherwise perhaps {others}."


def _because(page: Page, feature: FeatureVerdict, base: RuleBase, *, several: bool) -> None:
    """The reason, and the answers on which it rests."""
    if not feature["acceptable"]:
        return
    why = " ".join(_sentences(feature["acceptable"][0]["why"])[:SENTENCES])
    decided = next((step for step in feature["steps"] if step["state"] == "decided"), None)
    rests = words.conditions_of(decided, feature, base) if decided is not None else []
    said = [part for part in rests if not part.endswith("(assumed)")][:4]
    if not several:
        _head(page, "Because")
    page.say(f"{'Because: ' if several else ''}{why}", hang=2 if several else 0)
    if said and not several:
        page.say(f"Your answers: {'; '.join(said)}.", hang=2)


def _bites(page: Page, feature: FeatureVerdict, most: int, *, several: bool) -> None:
    """The caveats that bite, each with the first thing to do."""
    biting = feature["caveats"]
    if not biting:
        return
    if not several:
        _head(page, "What will bite you")
    for caveat in biting[:most]:
        mark = "- " if several else f"[{SEVERITY[caveat['severity']]}] "
        page.say(f"{mark}{caveat['title']} ({caveat['id']})", style=caveat["severity"], hang=2)
        if not several:
            page.say(_cure(caveat), 4)
    if len(biting) > most:
        page.say(f"+{len(biting) - most} more: --full", style="dim")


def _head(page: Page, text: str) -> None:
    page.lines += ["", page.ink(text, "bold")]


def _cure(caveat: RaisedCaveat) -> str:
    """The first thing to do, for a product that was stated if there is one."""
    said = [item for item in caveat["do"] if item["at"] not in GENERAL] or caveat["do"]
    return next(iter(_sentences(said[0]["text"])), "") if said else ""


def _possible(feature: FeatureVerdict, base: RuleBase) -> Iterator[Change]:
    """The changes of one answer that can happen: what a feature is (its clients, its platform) does not change."""
    for change in feature["changes"]:
        facts = list(change["set"])
        if len(facts) == 1 and facts[0] in base.questions and not base.questions[facts[0]].settled:
            yield change


def _flip(change: Change, base: RuleBase) -> str:
    ((fact, value),) = change["set"].items()
    return f"{fact}: {named(fact, value, base)} -> {words.title(change['to'], base)}"


def _costs(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """The pattern, and what else comes into question, a line each."""
    costs = feature["costs"]["patterns"]
    others = [item["id"] for item in feature["acceptable"]] + core(base)
    shown = [pattern for pattern in dict.fromkeys([str(feature["primary"]), *others]) if pattern in costs][:COSTS]
    width = max(len(cost_tables.name(pattern, base)) for pattern in shown)
    for pattern in shown:
        yield f"  {cost_tables.name(pattern, base):{width}}  {_row(costs[pattern])}"


def _row(row: Cost) -> str:
    held = row["held_connections"]
    late = row["worst_delay_s"]
    parts = [
        f"{words.amount(row['requests_per_h'])} requests",
        f"{words.size(row['total_bytes_per_h'])}",
        f"{words.amount(held)} held" if held else "nothing held",
        f"up to {words.delay(late)} late" if late else "no delay",
    ]
    return ", ".join(parts)


def _together(verdict: Verdict, base: RuleBase) -> Iterator[str]:
    """What concerns several features."""
    for connection in verdict["shared"]["connections"]:
        yield words.connection_line(connection, base)
    yield from filter(None, [words.reuse_line(verdict, base)])
    told = [f"{caveat['title']} ({caveat['id']})" for caveat in verdict["shared"]["caveats"]]
    if told:
        yield f"What will bite several of them: {'; '.join(told)}."


def _next(verdict: Verdict, file: str, *, several: bool) -> Iterator[str]:
    named_file = shell_word(file) if file != "-" else file
    if any(feature["primary"] for feature in verdict["features"]):
        yield f"Kit: advisor recommend {named_file} --kit my-kit"
    more = f"advisor recommend {named_file} --full"
    yield f"All details: {more}{' --feature NAME' if several else ''}"


def _sentences(text: str) -> list[str]:
    """The sentences of a text; a full stop inside of a number or an abbreviation ends none."""
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", " ".join(text.split()))
