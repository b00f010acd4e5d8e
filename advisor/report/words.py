"""What all reports print alike: answers, amounts, evidence, the steps as walked and the rows of the cost table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.text import number, plural, quoted, visible
from advisor.engine.verdict import USUAL
from advisor.model.answers_in_words import named
from advisor.model.arithmetic import finite
from advisor.model.patterns import timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import (
        Assumption,
        Connection,
        Evidence,
        FeatureVerdict,
        HeldByPage,
        TimeKey,
        Verdict,
        WalkedStep,
    )

BEYOND = 1e300  # costs.py gives the largest float for what no float holds; its digits mean nothing


def quantity(value: float) -> str:
    """A stated or derived number: 5, 0.2, 72,000, 1e308, or `infinite`."""
    return number(finite(value))


def exact(value: float) -> str:
    """A cost with all its digits, as far as anybody would read them."""
    return number(value) if value < 1e15 else amount(value)


def amount(value: float | None) -> str:
    """A count in at most nine columns: 72,000, then 7.2 M, 1.5 G, 1e+15. `-` where it does not apply."""
    if value is None:
        return "-"
    if value >= BEYOND:
        return "no limit"
    for factor, sign in ((1e6, ""), (1e9, " M"), (1e12, " G")):
        if value < factor * 0.9995:
            return number(value) if not sign else f"{value / factor * 1000:.3g}{sign}"
    return f"{value:.3g}"


def size(value: float) -> str:
    """Bytes with a decimal unit and three digits: 980 B, 14.9 MB."""
    if value >= BEYOND:
        return amount(value)
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if value < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} EB"


def delay(value: float) -> str:
    """A delay on top of the network's own, given in seconds: none, 100 ms, 5 s, 5 min, 3 h."""
    if value >= 1e12:
        return amount(value)
    if value == 0:
        return "none"
    if value < 1:
        return f"{value * 1000:.3g} ms"
    for span, unit, until in ((1, "s", 120), (60, "min", 7200)):
        if value < until:
            return f"{value / span:.3g} {unit}"
    return f"{value / 3600:.3g} h"


def title(pattern: str | None, base: RuleBase) -> str:
    """A pattern's name for people; the id itself where the rule base has none."""
    if pattern is None:
        return "none"
    return base.patterns[pattern].title if pattern in base.patterns else pattern


def evidence(item: Evidence) -> str:
    """One piece of evidence as a line: what kind it is, what it says, as of when. Its address is left to the caller."""
    kinds = {
        "article": f"The article, {item['where']}: ",
        "source": "",
        "measured": "Measured: ",
        "judgement": "Our judgement: ",
    }
    line = kinds[item["kind"]] + item["text"]
    return f"{line} (as of {item['as_of']})" if item.get("as_of") else line


def evidence_in_short(items: Iterable[Evidence]) -> Iterator[str]:
    """Where to look: the article's sections, what was measured, our judgements. Addresses are left to the caller."""
    for item in items:
        if item["kind"] == "article":
            yield f"The article, {item['where']}"
        elif item["kind"] != "source":
            yield evidence(item)


def conditions_of(step: WalkedStep, feature: FeatureVerdict, base: RuleBase) -> list[str]:
    """What decided a step, each fact once: the conditions of the rule that held, else one that failed for each rule."""
    assumed = {item["fact"] for item in feature["assumptions"]}
    decided = step["state"] == "decided"
    found: dict[str, str] = {}
    for rule in step["rules"]:
        if decided and rule["rule"] != step["rule"]:
            continue
        met = [c for c in rule["conditions"] if c["result"] == ("true" if decided else "false")] or rule["conditions"]
        for condition in met if decided else met[:1]:
            fact = condition["fact"]
            mark = " (assumed)" if fact in assumed else ""
            found.setdefault(fact, f"{fact}: {named(fact, condition['answer'], base)}{mark}")
    return list(found.values())


def assumptions(feature: FeatureVerdict) -> list[Assumption]:
    """Those that something in the verdict rests on: a report of all of them would grow with every question."""
    return [item for item in feature["assumptions"] if item["fact"] in feature["matters"]]


def still_open(feature: FeatureVerdict) -> list[str]:
    """The open facts on which something in the verdict rests."""
    return [fact for fact in feature["open"] if fact in feature["matters"]]


def assumed(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """The assumptions that matter: a line for each that can change the pattern, the others together by their reason."""
    groups: dict[str, list[str]] = {}
    for item in assumptions(feature):
        said = f"{item['fact']}: {named(item['fact'], item['value'], base)}"
        if item["decides"]:
            others = " or ".join(title(pattern, base) for pattern in item["decides"])
            why = "" if item["text"] == USUAL else f" {item['text']}"
            yield f"{said}; otherwise perhaps {others}.{why}"
        else:
            groups.setdefault(item["text"], []).append(said)
    for text, facts in groups.items():
        yield f"These do not change the pattern. {text.rstrip('.')}: {'; '.join(facts)}."


MOST_NAMED = 3  # assumptions in the line about confidence; all of them are in the list of assumptions


def confidence_line(feature: FeatureVerdict, base: RuleBase) -> str:
    """How sure the pattern is: for high the assumptions that it needs, else the reason; then what to find out first."""
    level, risk = feature["confidence"], feature["riskiest"]
    deciding = [item for item in feature["assumptions"] if item["decides"]]
    taken = {item["fact"]: named(item["fact"], item["value"], base) for item in deciding}
    if risk is None:
        return f"{level}: {feature['confidence_why']}."
    others = " or ".join(title(pattern, base) for pattern in risk["decides"])
    if risk["fact"] not in taken:
        return f"{level}: {feature['confidence_why']}. Find out {risk['fact']} first: it could lead to {others}."
    first = f"{risk['fact']} is {taken.pop(risk['fact'])}"
    if level != "high":
        return f"{level}: {feature['confidence_why']}. Riskiest assumption: {first}; otherwise perhaps {others}."
    listed = [f"{fact} is {value}" for fact, value in taken.items()][: MOST_NAMED - 1]
    more = [f"{len(taken) - len(listed)} more below"] if len(taken) > len(listed) else []
    besides = f" Assumed too, and each could change it: {'; '.join([*listed, *more])}." if listed else ""
    return f"high, if what is assumed holds. Riskiest assumption: {first}; otherwise perhaps {others}.{besides}"


def first_lines(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """The caveats that are printed before everything else."""
    for caveat in feature["caveats"]:
        known = base.caveats.get(caveat["id"])
        if known is not None and known.first:
            first = caveat["do"][0]["text"].split(". ")[0].rstrip(".")
            yield f"Before anything else: {caveat['title']}. {first}. ({caveat['id']})"


TIMES: dict[TimeKey, tuple[str, str]] = {
    "heartbeat_s": ("heartbeat", "s"),
    "hold_s": ("long-poll hold", "s"),
    "retry_ms": ("reconnect within", "ms"),
    "retry_max_ms": ("longest retry wait", "ms"),
    "drain_s": ("drain", "s"),
    "connect_patience_ms": ("connect patience", "ms"),
    "read_timeout_s": ("proxy read timeout", "s"),
}


def times(feature: FeatureVerdict, base: RuleBase) -> Iterator[tuple[str, str, str]]:
    """The times that the feature's pattern needs: name, value with unit, what binds it."""
    timing, pattern = feature["timing"], timed(feature["primary"], base)
    for key, (name, unit) in TIMES.items():
        if pattern is None or key in pattern.times:
            yield name, f"{number(timing[key])} {unit}", timing["binding"].get(key, "")


def scope_lines(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """How the pattern relates to the article's four, and what merging with other features changed."""
    if feature["outside"]:
        yield "This pattern is not one of the article's four (WebSocket, SSE, long polling and short polling)."
    if feature["nearest_core"] and feature["nearest_core"] != feature["primary"]:
        yield f"The nearest of the article's patterns is {title(feature['nearest_core'], base)}."
    if feature["alone"] != feature["primary"]:
        yield f"Taken alone, this feature would use {title(feature['alone'], base)}."


def conflicts(feature: FeatureVerdict) -> Iterator[str]:
    """Where no time fits: the two lines that cannot both hold, and what to do."""
    for conflict in feature["timing"]["conflicts"]:
        one, other = conflict["between"]
        yield f"CONFLICT: {one}, against {other}. {conflict['text']}"


def hard_ends(feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    """The limits on the age of a connection, if there are any: a heartbeat does not help against them."""
    pattern = timed(feature["primary"], base)
    if pattern is None or pattern.holds == "nothing":
        return
    for limit in feature["timing"]["limits"]:
        if limit["kind"] == "lifetime":
            span = f"{quantity(limit['seconds'])} s ({limit['where']})"
            yield f"Every connection ends after {span}, whatever it carries: reconnect and resume; no heartbeat helps."


def article_line(feature: FeatureVerdict, base: RuleBase, why: str | None = None) -> str:
    """What the article's five steps alone give, and why the verdict differs, if it does.

    `why` replaces the reason; it is empty where the reader was told the whole reason before.
    """
    given = feature["article"]
    if given["primary"] is None:
        line = "The five steps of the article behind advisor settle on no single pattern."
    else:
        line = f"The article behind advisor, in step {given['step']} of 5, gives {title(given['primary'], base)}."
    if feature["departs"]:
        verb = "goes further" if given["primary"] is None else "departs from it"
        reason = feature["departs"] if why is None else why
        return f"{line} This verdict {verb}{f': {reason}' if reason else ', for the reason above.'}"
    return f"{line} This verdict agrees." if given["primary"] == feature["primary"] else line


ROOM = 5  # of the six connections that a browser opens to one host over HTTP/1.1: one more is needed for all the rest


def page_name(page: HeldByPage) -> str:
    """A page by its stated name, else by the feature that it shows."""
    return f"Page {visible(page['page'])}" if page["page"] else visible(page["features"][0])


def page_line(page: HeldByPage) -> str:
    """What one browser holds open to the host, where that comes near the limit of HTTP/1.1; else nothing."""
    if page["total"] < ROOM or page["http2"]:
        return ""
    streams = plural(page["streams"], "held response")
    sure = "" if page["http2"] is False else "unless HTTP/2 reaches the browser, "
    return (
        f"{page_name(page)}: {streams} x {number(page['tabs'])} tabs = {number(page['total'])} connections of one "
        f"browser; {sure}it opens about six to one host for everything."
    )


def connection_line(connection: Connection, base: RuleBase) -> str:
    """A connection that several features of one page share."""
    *names, last = (visible(name) for name in connection["features"])
    who = f"{', '.join(names)} and {last}" if names else last
    return f"On page {quoted(connection['page'])}, {who} share one {title(connection['pattern'], base)} connection."


def reuse_line(verdict: Verdict, base: RuleBase) -> str:
    """The advice for features without a stated page: which could use whose connection. Empty where there is none."""
    primary = {feature["name"]: feature["primary"] for feature in verdict["features"]}
    users: dict[str, list[str]] = {}
    for item in verdict["shared"]["reuse"]:
        users.setdefault(item["could_use"], []).append(visible(item["feature"]))
    if not users:
        return ""
    parts = [
        f"{', '.join(names)} could use the {title(primary[carrier], base)} connection of {visible(carrier)}"
        for carrier, names in users.items()
    ]
    return (
        f"Where no page is stated, each feature is decided alone. On one page {'; '.join(parts)}. "
        "If they are on one page, give them the same `page`."
    )
