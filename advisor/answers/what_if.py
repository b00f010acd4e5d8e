"""A project as if one of its answers were another: `--set latency-need-ms=500`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.answers.file import same_name
from advisor.answers.read_fact import read_fact
from advisor.base.errors import UsageError
from advisor.base.text import did_you_mean, quoted
from advisor.yamlio.nodes import Source, parse

if TYPE_CHECKING:
    from advisor.model.project import Project
    from advisor.model.rulebase import RuleBase
    from advisor.model.values import Value


def what_if(project: Project, setting: str, feature: str | None, base: RuleBase) -> Project:
    """The project with FACT=VALUE, whose value is written as in an answers file.

    It replaces what the file says: for the feature of this name alone, or for all features where none is named.
    Raises UsageError or InputError.
    """
    fact, equals, text = setting.partition("=")
    if not equals:
        raise UsageError(f"--set: write FACT=VALUE, not {quoted(setting)}")
    if fact not in base.questions:
        raise UsageError(f"--set: there is no fact {quoted(fact)}{did_you_mean(fact, base.questions)}")
    source = Source(f"--set {fact}", text.splitlines())
    value = read_fact(base.questions[fact], parse(text or "unknown", source.name), source)
    source.stop()
    if value is None:
        return project
    features = tuple(
        one._replace(facts=_ordered({**one.facts, fact: value}, base))
        if feature is None or same_name(one.name) == same_name(feature)
        else one
        for one in project.features
    )
    return project._replace(features=features, notes=(*project.notes, *source.notes))


def _ordered(facts: dict[str, Value], base: RuleBase) -> dict[str, Value]:
    return {fact: facts[fact] for fact in base.questions if fact in facts}
