"""The caveats, read from rules/caveats/*.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.base.text import did_you_mean
from advisor.model import rulebase as rb
from advisor.model.advice import GENERAL, STACK, WAY, Advice
from advisor.model.conditions import ConditionError
from advisor.ruleset.evidence import evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from advisor.model.boxes import Box
    from advisor.model.conditions import Space
    from advisor.ruleset import schema
    from advisor.ruleset.files import RuleFile, Steps
    from advisor.ruleset.reader import Reader

    # The condition of an item with those on platform cards written out, and the rows in doubt that it rests on.
    WrittenOut: TypeAlias = Callable[[RuleFile, Steps, Any], tuple[Any, tuple[rb.Ground, ...]]]


def waivers(file: RuleFile, waive: list[schema.Waive]) -> list[rb.Waiver]:
    """What the authors of a file waive."""
    return [rb.Waiver(w.finding, w.because, file.place(("waive", i))) for i, w in enumerate(waive)]


def examples(reader: Reader, file: RuleFile, at: Steps, given: list[schema.Example]) -> tuple[rb.Example, ...]:
    """The examples beside a rule or a caveat."""
    return tuple(
        rb.Example(
            dict(reader.given(file, (*at, "examples", i, "given"), e.given)), e.expect, file.place((*at, "examples", i))
        )
        for i, e in enumerate(given)
    )


def made(
    reader: Reader, files: list[tuple[RuleFile, schema.Caveats]], space: Space, written_out: WrittenOut
) -> tuple[dict[str, rb.Caveat], list[rb.Waiver]]:
    """Every caveat by its id, in the order of the files, and what their authors waive."""
    caveats: dict[str, rb.Caveat] = {}
    waived: list[rb.Waiver] = []
    for file, model in files:
        waived += waivers(file, model.waive)
        for i, written in enumerate(model.caveats):
            path: Steps = ("caveats", i)
            if written.id in caveats:
                already = caveats[written.id].place.file
                message = f"caveat {written.id!r} is already in {already}; every id is used once"
                reader.problem(file, (*path, "id"), message)
            caveats[written.id] = _caveat(reader, file, path, written, space, written_out)
    return caveats, waived


def _caveat(
    reader: Reader, file: RuleFile, path: Steps, c: schema.Caveat, space: Space, written_out: WrittenOut
) -> rb.Caveat:
    when, grounds = written_out(file, path, c)
    boxes, stated, presumed = _situations(reader, file, path, when, space)
    standard = (c.standard,) if isinstance(c.standard, str) else tuple(c.standard)
    reader.known_patterns(file, (*path, "standard"), standard)
    if c.begin is not None and c.begin not in c.do:
        reader.problem(file, (*path, "begin"), f"`do` has nothing for {c.begin!r}; it has {', '.join(c.do)}")
    return rb.Caveat(
        c.id,
        c.severity,
        boxes,
        stated,
        when,
        c.first,
        standard,
        c.yours or "",
        c.title,
        c.why,
        tuple(_advice(reader, file, path, c)),
        c.figures or "",
        evidence(c.evidence),
        examples(reader, file, path, c.examples),
        file.place((*path, "id")),
        grounds,
        presumed,
        c.at_once,
        c.begin or "",
    )


def _situations(
    reader: Reader, file: RuleFile, path: Steps, when: Any, space: Space
) -> tuple[tuple[Box, ...], tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """The boxes of a condition, and beside each the facts that have to be stated, and those that are presumed."""
    try:
        found = space.situations(when)
    except ConditionError as error:
        reader.problem(file, (*path, "when", *error.path), str(error))
        found = [({}, (), ())]
    return tuple(box for box, _, _ in found), tuple(s for _, s, _ in found), tuple(p for _, _, p in found)


def _advice(reader: Reader, file: RuleFile, path: Steps, c: schema.Caveat) -> Iterator[Advice]:
    """What to do: each key is a place on the path, or a product that some answer names."""
    products = {
        option
        for fact in (*WAY, *STACK)
        if fact in reader.questions
        for option in reader.questions[fact].options
        if option != "none"
    }
    for key, text in c.do.items():
        if key in GENERAL:
            yield Advice(key, "", text)
        elif key in products:
            yield Advice("", key, text)
        else:
            hint = did_you_mean(key, [*GENERAL, *products])
            message = f"{key!r} is neither a place ({', '.join(GENERAL)}) nor a product that an answer names{hint}"
            reader.problem(file, (*path, "do", key), message)
    if GENERAL.keys().isdisjoint(c.do):
        reader.problem(file, (*path, "do"), f"has no advice that every team can use: add one of {', '.join(GENERAL)}")
