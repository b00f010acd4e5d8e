"""The patterns, read from rules/patterns.yaml: an extended one takes what it leaves out from its nearest core one.

What does not fit together is a problem at its place: a pattern that holds nothing has no hold time, for example.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from advisor.base.text import did_you_mean
from advisor.model import rulebase as rb
from advisor.model.verdict import TimeKey
from advisor.ruleset.evidence import evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.ruleset import schema
    from advisor.ruleset.files import RuleFile
    from advisor.ruleset.reader import Reader

TIMES: dict[str, TimeKey] = {key.replace("_", "-"): key for key in get_args(TimeKey)}
OWN = ("shareable", "channel", "costed_as", "times")  # what a pattern outside the article does not have


def made(reader: Reader, file: RuleFile, model: schema.Patterns) -> dict[str, rb.Pattern]:
    """Every pattern, in the order of the file."""
    patterns = {}
    for key, written in model.patterns.items():
        for message in _misnamed(written, model):
            reader.problem(file, ("patterns", key), message)
        pattern = _pattern(key, written, model, file)
        for message in _contradicting(pattern, written, model):
            reader.problem(file, ("patterns", key), f"{key}: {message}")
        patterns[key] = pattern
    return patterns


def _pattern(key: str, p: schema.Pattern, model: schema.Patterns, file: RuleFile) -> rb.Pattern:
    near = model.patterns.get(p.nearest_core or "") if p.group == "extended" else None
    channel = p.channel or (near.channel if near and p.holds != "nothing" else None)
    return rb.Pattern(
        id=key,
        group=p.group,
        holds=p.holds,
        shareable=p.shareable,
        channel=channel or "",
        costed_as=p.costed_as or (near.costed_as if near else None) or "",
        times=tuple(TIMES[name] for name in p.times or (near.times if near else None) or ()),
        title=p.title,
        summary=p.summary,
        strengths=tuple(p.strengths),
        weaknesses=tuple(p.weaknesses),
        nearest_core=p.nearest_core or key,
        fallbacks=tuple(p.fallbacks),
        carries=tuple(p.carries),
        evidence=evidence(p.evidence),
        place=file.place(("patterns", key), key=True),
    )


def _misnamed(p: schema.Pattern, model: schema.Patterns) -> Iterator[str]:
    for name in [*p.fallbacks, *([p.nearest_core] if p.nearest_core else [])]:
        if name not in model.patterns:
            yield f"there is no pattern {name!r}{did_you_mean(name, model.patterns)}"
    if (p.nearest_core is None) != (p.group == "core"):
        yield "extended and outside patterns need `nearest-core`; core patterns must not have it"
    elif p.nearest_core in model.patterns and model.patterns[p.nearest_core].group != "core":
        yield f"`nearest-core` must be a core pattern, and {p.nearest_core} is not one"
    if p.channel is not None and p.channel not in model.channels:
        yield f"there is no channel {p.channel!r}{did_you_mean(p.channel, model.channels)}"


def _contradicting(p: rb.Pattern, written: schema.Pattern, model: schema.Patterns) -> Iterator[str]:
    """Where the properties of one pattern contradict each other, those of its nearest core pattern included."""
    if p.group == "outside":
        has = [name.replace("_", "-") for name in OWN if name in written.model_fields_set]
        if has:
            yield f"a pattern outside the article must not have {', '.join(has)}, only `holds`"
        return
    if p.group == "core" and not (p.costed_as and p.times):
        yield "a core pattern needs `costed-as` and `times`"
        return
    if p.holds == "nothing" and p.channel:
        yield "it holds nothing, so it must not have a `channel`"
    if p.holds != "nothing" and not p.channel:
        yield f"it holds a {p.holds}, so it needs a `channel`: one of {', '.join(model.channels)}"
    if p.shareable and p.holds not in ("stream", "connection"):
        yield f"it holds {_held(p)}, which no second feature can share"
    if (p.costed_as == "short-polls") != (p.holds == "nothing"):
        yield f"it holds {_held(p)} and is costed-as {p.costed_as}: short-polls are those that hold nothing"
    yield from _times(p, "" if written.times else f", from its nearest core pattern {p.nearest_core}")


def _times(p: rb.Pattern, origin: str) -> Iterator[str]:
    """A heartbeat is for a stream or a connection, a hold for a held request; what holds nothing needs neither."""
    fitting = {"heartbeat_s": ("stream", "connection"), "hold_s": ("request",)}
    fitting |= dict.fromkeys(("drain_s", "read_timeout_s"), ("stream", "connection", "request"))
    for name, holds in fitting.items():
        if name in p.times and p.holds not in holds:
            yield f"it holds {_held(p)}, and its times have {name.replace('_', '-')}{origin}"
    for name, holds in list(fitting.items())[:2]:
        if name not in p.times and p.holds in holds:
            yield f"it holds {_held(p)}, and its times lack {name.replace('_', '-')}{origin}"


def _held(p: rb.Pattern) -> str:
    return p.holds if p.holds == "nothing" else f"a {p.holds}"
