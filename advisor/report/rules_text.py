"""What `rules check` and `rules stale` have found, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.model.answers_in_words import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.base.errors import Problem
    from advisor.model.rulebase import Place, RuleBase
    from advisor.ruleset.prove import Proof
    from advisor.ruleset.stale import Dated


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


def stale_lines(unread: Sequence[Dated], old: Sequence[Dated], dated: int, months: int) -> Iterator[str]:
    """The statements that were not checked at their source, those that are old, then the counts of both."""
    for s in [*unread, *(s for s in old if not s.unread)]:
        source = f" [{s.url}]" if s.url else ""
        age = "written from memory, not checked" if s.unread else f"as of {s.as_of}, {s.months} months old"
        yield f"{_at(s.place)}: {s.what} ({age}): {s.says}{source}"
    yield (
        f"{len(old)} of {dated} dated statements are {months} months old or older; "
        f"{len(unread)} were written from memory and not checked against a source"
    )


def _at(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"
