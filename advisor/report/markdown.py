"""The verdict as an architecture decision record in MADR form (https://adr.github.io/madr/), one record per feature.

There is no date in it: the same answers and rules give the same bytes. What a user wrote is escaped, so that it can
neither add headings nor links nor HTML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from advisor.base.text import visible
from advisor.engine.costs import COUNTED
from advisor.report import caveat_words, cost_tables, words
from advisor.report.cost_chart import mermaid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Evidence, FeatureVerdict, Verdict

SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
STARTS = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))")


def markdown(verdict: Verdict, base: RuleBase) -> str:
    """The decision record: front matter, then one MADR section per feature, under a common heading if several."""
    features = verdict["features"]
    lines = ["---", "status: proposed", "---", ""]
    level = 1
    if len(features) > 1:
        lines += [f"# How {escape(verdict['project'])} delivers events", ""]
        lines += [*_shared(verdict, base), ""]
        level = 2
    for feature in features:
        lines += [*_record(verdict, feature, base, level), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: str) -> str:
    """One line of plain text as Markdown that shows exactly it."""
    line = " ".join(visible(str(text)).split())
    return STARTS.sub(lambda m: f"{m[1]}{_start(m[2])}", SPECIAL.sub(r"\\\1", line))


def _start(mark: str) -> str:
    # A digit cannot be escaped itself; "1." opens a list unless the digit is a character reference.
    return f"&#{ord(mark[0])};{mark[1:]}" if mark.isdigit() else f"\\{mark}"


# --- one record -------------------------------------------------------------------------------------------------------


def _record(verdict: Verdict, feature: FeatureVerdict, base: RuleBase, level: int) -> Iterator[str]:
    top, sub = "#" * level, "#" * (level + 1)
    primary = feature["primary"]
    name = escape(feature["name"])
    chosen = escape(words.title(primary, base))
    yield f"{top} Use {chosen} for {name}" if primary else f"{top} No pattern fits {name}"
    yield from ("", f"{sub} Context and Problem Statement", "")
    yield f"How does {escape(verdict['project'])} deliver the events of {name} between server and clients?"
    yield from ("", f"{sub} Decision Drivers", "")
    yield from bullets(_drivers(feature, base))
    yield from ("", f"{sub} Considered Options", "")
    yield from bullets(escape(words.title(option, base)) for option in _options(feature))
    yield from ("", f"{sub} Decision Outcome", "")
    yield from _outcome(feature, base)
    yield from ("", f"{sub}# Consequences", "")
    yield from bullets(_consequences(verdict, feature, base))
    yield from ("", f"{sub}# Confirmation", "")
    yield from bullets(_confirmation(verdict, feature))
    yield from ("", f"{sub} Pros and Cons of the Options", "")
    for option in _options(feature):
        yield from _pros_and_cons(feature, option, base, sub)
    yield from (f"{sub} More Information", "")
    yield from _more(verdict, feature, base)


def _drivers(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """The answers that decided, step by step, each once."""
    seen: dict[str, None] = {}
    for step in feature["steps"]:
        if step["state"] != "not-reached":
            seen.update(dict.fromkeys(words.conditions_of(step, feature, base)))
    yield from map(escape, seen)
    if words.assumptions(feature):
        yield f"Assumed, because it was not stated: {' '.join(map(escape, words.assumed(feature, base)))}"
    elif not seen:
        yield "None: every answer leads here."


def _options(feature: FeatureVerdict) -> list[str]:
    """The primary, the other acceptable patterns, then the rejected ones."""
    named = [feature["primary"]] if feature["primary"] else []
    named += [item["id"] for item in (*feature["acceptable"], *feature["rejected"])]
    return list(dict.fromkeys(named))


def _outcome(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    decided = next((step for step in feature["steps"] if step["state"] == "decided"), None)
    if feature["primary"] is None:
        yield "No option is chosen: each of them is excluded by a stated answer (see below)."
    else:
        reason = escape(decided["because"]) if decided and decided["because"] else "no rule asks for anything else."
        yield f'Chosen option: "{escape(words.title(feature["primary"], base))}", because: {reason}'
    yield escape(f"Confidence: {words.confidence_line(feature, base)}")
    yield from map(escape, words.first_lines(feature, base))
    if feature["fallback"]:
        yield f"Where it cannot connect, fall back to {escape(words.title(feature['fallback'], base))}."
    yield from map(escape, words.scope_lines(feature, base))


def _consequences(verdict: Verdict, feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    judged = {"breaks": "Bad, because", "degrades": "Bad, because", "note": "Neutral, because"}
    for item in feature["contradictions"]:
        yield f"Bad, because: The stated answers contradict each other. {escape(item['why'])}"
    caveats = caveat_words.of(feature, verdict)
    for caveat in caveats:
        figures = f" {escape(caveat['figures'])}" if caveat["figures"] else ""
        todo = " ".join(f"{place}: {text}" for place, text in caveat_words.doing(caveat["do"]))
        yield (
            f"{judged[caveat['severity']]}: {escape(caveat['title'])} ({caveat['severity']}, `{caveat['id']}`), "
            f"because {escape(caveat['because'])}. {escape(caveat['why'])}{figures} To do: {escape(todo)} "
            f"{escape(caveat_words.cure(caveat, base))}"
        )
    if not caveats:
        yield "Good, because no caveat is raised."
    yield from (
        f"Neutral, because it is less urgent or depends on an answer. {escape(line)}"
        for line in caveat_words.waiting(feature, base)
    )
    for done in verdict["shared"]["handled"]:
        if feature["name"] in done["features"]:
            files = escape(caveat_words.done(done))
            yield f"Good, because handled by the kit: {escape(done['title'])} ({files}, `{done['id']}`)"
    for kept in feature["if_kept"]:
        title = escape(words.title(kept["pattern"], base))
        yield from (f"Bad if {title} is kept: {escape(line)}" for line in caveat_words.kept(kept))
        yield escape(caveat_words.MIGRATION)


def _confirmation(verdict: Verdict, feature: FeatureVerdict) -> Iterator[str]:
    yield "The same answers and rules give this record again, byte for byte."
    breaking = [caveat["id"] for caveat in caveat_words.of(feature, verdict) if caveat["severity"] == "breaks"]
    if breaking:
        named = ", ".join(f"`{one}`" for one in breaking)
        yield f"Before launch, a test through the real proxies shows that what breaks without a cure is cured: {named}."
    yield from (f"Decide again when an answer changes: {escape(change['text'])}" for change in feature["changes"])


def _pros_and_cons(feature: FeatureVerdict, option: str, base: RuleBase, sub: str) -> Iterator[str]:
    yield from (f"{sub}# {escape(words.title(option, base))}", "")
    pattern = base.patterns.get(option)
    good = [item for item in feature["acceptable"] if item["id"] == option and item["why"]]
    bad = [item for item in feature["rejected"] if item["id"] == option]
    lines = [f"Good, because here: {escape(item['why'])}" for item in good]
    lines += [f"Bad, because here: {escape(item['why'])} (rule `{item['rule']}`)" for item in bad]
    if pattern is not None:
        lines += [f"Good, because: {escape(one)}" for one in pattern.strengths]
        lines += [f"Bad, because: {escape(one)}" for one in pattern.weaknesses]
    yield from bullets(lines)
    yield ""


# --- more information -------------------------------------------------------------------------------------------------


def _more(verdict: Verdict, feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    yield from (escape(words.article_line(feature, base)), "")
    if feature["primary"]:
        yield from _costs(feature, base)
    if feature["primary"] and not feature["outside"]:
        yield from ("| Time | Value | Because |", "|---|---:|---|")
        for name, value, why in words.times(feature, base):
            yield f"| {name} | {value} | {escape(why)} |"
        yield ""
        yield from (f"{escape(line)}\n" for line in (*words.conflicts(feature), *words.hard_ends(feature, base)))
    sources = dict.fromkeys(_source(e) for caveat in caveat_words.of(feature, verdict) for e in caveat["evidence"])
    if sources:
        yield from ("Evidence:", "", *bullets(sources), "")
    yield f"Rules {escape(verdict['rules']['version'])}, SHA-256 `{verdict['rules']['sha256']}`."


def _costs(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    yield from bullets(map(escape, cost_tables.sentences(feature, base)))
    yield ""
    rows = cost_tables.lengths(feature, base, "patterns", cost_tables.BARS)
    if 0 < max(value for _, value, _ in rows) < words.BEYOND:
        yield from ("```mermaid", mermaid(rows, cost_tables.BARS.title, "B"), "```", "")
    for key, scale in cost_tables.SCALES.items():
        for caption, every in ((f"{scale}, per hour", cost_tables.TRAFFIC), (f"{scale}, held open", cost_tables.HELD)):
            heads = cost_tables.columns(feature, base, every)
            yield f"| {caption} | {' | '.join(column.head for column in heads)} |"
            yield "|---|" + "---:|" * len(heads)
            for row in cost_tables.table(feature, base, key, heads):
                yield f"| {escape(row.name)} | {' | '.join(row.cells)} |"
            yield ""
    means = cost_tables.legend(
        cost_tables.columns(feature, base, cost_tables.TRAFFIC) + cost_tables.columns(feature, base, cost_tables.HELD)
    )
    yield from (f"Calculated with: {escape(cost_tables.inputs(feature, base))}. {escape(COUNTED)} {escape(means)}", "")


def _shared(verdict: Verdict, base: RuleBase) -> Iterator[str]:
    yield from ("| Feature | Pattern | Confidence |", "|---|---|---|")
    for feature in verdict["features"]:
        name, pattern = escape(feature["name"]), escape(words.title(feature["primary"], base))
        yield f"| {name} | {pattern} | {feature['confidence']} |"
    lines = [words.connection_line(connection, base) for connection in verdict["shared"]["connections"]]
    pages = map(words.page_line, verdict["shared"]["pages"])
    lines += filter(None, [words.reuse_line(verdict, base), *pages])
    if lines:
        yield from ("", *bullets(map(escape, lines)))


def _source(item: Evidence) -> str:
    """One piece of evidence; its address is a link of its own."""
    line = escape(words.evidence(item))
    return f"{line} <{item['url']}>" if item.get("url") else line


def bullets(lines: Iterable[str]) -> Iterator[str]:
    """A list."""
    return (f"* {line}" for line in lines)
