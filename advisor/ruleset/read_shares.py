"""Reads rules/shares.yaml: the counts behind the order of the questions."""

from __future__ import annotations

from advisor.base.text import did_you_mean
from advisor.model.shares import OTHER, Shares, Surprise
from advisor.ruleset import tables_schema
from advisor.ruleset.files import RuleFile, Steps
from advisor.ruleset.reader import Reader

KIND = "kind"  # the question whose answers the counts are told apart by


def made(reader: Reader) -> Shares:
    """The counts, checked against the questions; none where there is no such file."""
    if not (reader.folder / "shares.yaml").exists():
        return Shares({}, ())
    file, model = reader.read("shares.yaml", tables_schema.Shares)
    _known_kinds(reader, file, ("features",), model.features)
    surprises = []
    for i, item in enumerate(model.surprises):
        path: Steps = ("surprises", i)
        _known_kinds(reader, file, (*path, "seen"), item.seen)
        for kind in (kind for kind, count in item.seen.items() if count > model.features.get(kind, 0)):
            message = f"more features surprised than there are of kind {kind}: raise `features` or lower this"
            reader.problem(file, (*path, "seen", kind), message)
        given = [*reader.given(file, (*path, "fact"), {item.fact: item.value})]
        surprises += [Surprise(fact, value, item.seen) for fact, value in given]
    return Shares(model.features, tuple(surprises))


def _known_kinds(reader: Reader, file: RuleFile, path: Steps, named: dict[str, int]) -> None:
    kinds = [*(reader.questions[KIND].options if KIND in reader.questions else ()), OTHER]
    for kind in (kind for kind in named if kind not in kinds):
        reader.problem(file, (*path, kind), f"there is no kind {kind!r}{did_you_mean(kind, kinds)}")
