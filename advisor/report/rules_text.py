"""What `rules check` and `rules stale` have found, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.answers_in_words import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.base.errors import Problem
    from advisor.model.rulebase import Place, RuleBase
    from advisor.ruleset.prove import Proof
    from advisor.ruleset.stale import Dated, Day


def proof_lines(base: RuleBase, proof: Proof, templates: Sequence[Problem] = ()) -> Iterator[str]:
    """What is wrong in the templates, the findings of a proof with their examples, then what was proved."""
    for p in templates:
        yield f"{p.file}:{p.line or 1}:{p.column or 1}: TEMPLATE: {p.message} [TEMPLATE:{p.file}]"
    for finding in proof.findings:
        yield f"{_at(finding.place)}: {finding.code}: {finding.sentence} [{finding.id}]"
        if finding.witness:
            case = ", ".join(f"{fact}: {named(fact, value, base)}" for fact, value in finding.witness.items())
            yield f"    for example {{{case}}}"
    rules = sum(len(step.rules) for step in base.steps)
    yield (
        f"{len(base.questions)} questions, {rules} choices in {len(base.steps)} steps, "
        f"{len(base.excludes)} exclusions, {len(base.withholds)} withheld, {len(base.accepts)} acceptances, "
        f"{len(base.caveats)} caveats: "
        f"{len(proof.findings) + len(templates)} findings, {len(proof.waived)} waived"
    )


TO_DO = (
    "Read the source of each again. If it says the same, write its new date into `as-of`, or the day of the next "
    "reading into `review`; if not, correct the statement. `review: timeless` is for what cannot change."
)


def stale_lines(late: Sequence[Dated], listed: Sequence[Dated], every: Sequence[Dated]) -> Iterator[str]:
    """What is overdue and what to do about it, what was asked for besides, then the counts of all dated statements."""
    for s in late:
        yield _stated(s, f"as of {s.as_of}, to be read again since {_day(s.due)}")
    if late:
        yield TO_DO
    for s in listed:
        yield _stated(s, "written from memory, not checked" if s.unread else f"as of {s.as_of}, {s.months} months old")
    then = min((s.due for s in every if s.due is not None and s not in late), default=None)
    unread = sum(s.unread for s in every)
    yield (
        f"{len(late)} of {len(every)} dated statements are overdue; {sum(s.due is None for s in every)} are timeless"
        f"{f'; the next is due on {_day(then)}' if then else ''}"
    )
    if unread:
        yield f"{unread} were written from memory and not checked against a source; --unread lists them"


def _stated(s: Dated, age: str) -> str:
    return f"{_at(s.place)}: {s.what} ({age}): {s.says}{f' [{s.url}]' if s.url else ''}"


def _day(day: Day | None) -> str:
    return "{:04}-{:02}-{:02}".format(*day) if day is not None else "never"


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"
