"""The verdict as an architecture decision record in MADR form (https://adr.github.io/madr/), one page a feature.

Its sentences are those of the first page (first_page.py). `markdown.py` writes the long form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.cures import proof
from advisor.report import words
from advisor.report.first_page import answers
from advisor.report.markdown import bullets, escape
from advisor.report.one_page import fitting
from advisor.report.options import considered, for_and_against

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import FeatureVerdict, Severity, Verdict
    from advisor.report.first_page import BiteItem, FeaturePage, FirstPage

LINES, WORDS = 90, 660  # of a feature: a printed page
DRIVERS = 6
HARM: dict[Severity, str] = {
    "breaks": "Bad, because it breaks", "degrades": "Bad, because it degrades", "note": "Neutral, because it is a note",
}  # fmt: skip


def record(verdict: Verdict, base: RuleBase, file: str = "answers.yaml") -> str:
    """The record: front matter, then one MADR section per feature, under a common heading if several.

    `file` is the answers file that its commands name. There is no date in it: the same answers and rules give the same
    bytes.
    """
    said = fitting(verdict, base, file)
    several = len(said.features) > 1
    lines = ["---", "status: proposed", "---", ""]
    if several:
        lines += [f"# How {escape(verdict['project'])} delivers events", "", *_together(said), ""]
    for feature, page in zip(verdict["features"], said.features, strict=True):
        lines += [*_feature(verdict, feature, page, base, 2 if several else 1), ""]
    if several:
        lines += ["## Full report", ""]
    lines += _full(verdict, said)
    return "\n".join(lines).rstrip("\n") + "\n"


# --- one feature ------------------------------------------------------------------------------------------------------


def _feature(verdict: Verdict, feature: FeatureVerdict, page: FeaturePage, base: RuleBase, level: int) -> Iterator[str]:
    top, sub = "#" * level, "#" * (level + 1)
    name = escape(feature["name"])
    yield f"{top} Use {escape(page.pattern)} for {name}" if page.fits else f"{top} No pattern fits {name}"
    yield from ("", f"{sub} Context and Problem Statement", "")
    yield f"How does {escape(verdict['project'])} deliver the events of {name} between server and clients?"
    yield from ("", f"{sub} Decision Drivers", "")
    stated = [escape(one) for one in answers(feature, base)[:DRIVERS]]
    yield from bullets(stated or ["None of the answers decided: the usual case was assumed."])
    options = considered(feature, base)
    yield from ("", f"{sub} Considered Options", "")
    yield from bullets(escape(words.title(option, base)) for option in options)
    yield from ("", f"{sub} Decision Outcome", "")
    yield from _outcome(page)
    yield from ("", f"{sub}# Consequences", "")
    yield from bullets(_consequences(verdict, feature, page))
    yield from ("", f"{sub}# Confirmation", "")
    yield from bullets(_confirmation(verdict, feature, page, base))
    yield from ("", f"{sub} Pros and Cons of the Options", "")
    for option in options:
        yield from (f"{sub}# {escape(words.title(option, base))}", "")
        yield from bullets(escape(line) for line in for_and_against(feature, option, base))
        yield ""
    yield from (f"{sub} More Information", "")
    yield escape(page.article)


def _outcome(page: FeaturePage) -> Iterator[str]:
    if page.fits:
        reason = escape(page.because or "No rule asks for anything else.")
        yield f'Chosen option: "{escape(page.pattern)}", because: {reason}'
    else:
        yield "No option is chosen: each of them is excluded by a stated answer (see below)."
    yield from map(escape, filter(None, (page.sure, page.fallback)))


def _consequences(verdict: Verdict, feature: FeatureVerdict, page: FeaturePage) -> Iterator[str]:
    yield from (f"Bad, because these answers contradict each other: {escape(why)}" for why in page.contradictions)
    yield from map(_bite, page.bites)
    if page.more:
        yield f"{page.more} more in the full report."
    elif not page.bites:
        yield "Good, because no caveat is raised for this feature alone."
    done = [item["id"] for item in verdict["shared"]["handled"] if feature["name"] in item["features"]]
    if done:
        yield f"Good, because the kit handles what is usual with it: {', '.join(f'`{one}`' for one in done)}."


def _bite(bite: BiteItem) -> str:
    return f"{HARM[bite.severity]}: {escape(bite.title)} (`{bite.id}`). {escape(bite.cure)}"


def _confirmation(verdict: Verdict, feature: FeatureVerdict, page: FeaturePage, base: RuleBase) -> Iterator[str]:
    """What proves it, through the whole path: a check once, with all the caveats that it is for."""
    shared = [caveat["id"] for caveat in verdict["shared"]["caveats"] if feature["name"] in caveat["features"]]
    shown = [*shared, *(bite.id for bite in page.bites)]
    checks: dict[str, list[str]] = {}
    for caveat in shown:
        checks.setdefault(proof(base.cures, caveat), []).append(f"`{caveat}`")
    unproved = checks.pop("", [])
    yield from (f"{escape(check)} ({', '.join(named)})" for check, named in checks.items())
    if unproved:
        yield f"Review by hand, because no test proves it: {', '.join(unproved)}."
    if page.flips:
        yield f"Decide again when one of these becomes true: {escape('; '.join(page.flips))}."
    if not shown and not page.flips:
        yield "Decide again when an answer changes."


# --- the project ------------------------------------------------------------------------------------------------------


def _together(said: FirstPage) -> Iterator[str]:
    yield from bullets(f"{escape(page.name)}: {escape(page.pattern)}" for page in said.features)
    yield from bullets(map(escape, said.together))
    if said.shared:
        yield from ("", "What will bite several of them, and what to do first:", "", *bullets(map(_bite, said.shared)))


def _full(verdict: Verdict, said: FirstPage) -> Iterator[str]:
    yield "Kit and full report, with all evidence:"
    yield ""
    yield from (f"    {command}" for _, command in said.next)
    yield from ("", f"Rules {escape(verdict['rules']['version'])}, SHA-256 `{verdict['rules']['sha256']}`.")
