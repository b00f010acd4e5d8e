"""What changed between two verdicts and their kits, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.text import plural, visible
from advisor.report import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import FeatureVerdict, Verdict

    Made = tuple[Verdict, Mapping[str, bytes]]  # a verdict, and the files of its kit

ALWAYS = ("DECISION.md", "advisor.lock", "answers.yaml")  # they change with every answer


def differences(before: Made, after: Made, old: RuleBase, new: RuleBase) -> Iterator[str]:
    """A line for each change, features in the order of the second file; none where nothing changed."""
    was = {feature["name"]: feature for feature in before[0]["features"]}
    now = {feature["name"]: feature for feature in after[0]["features"]}
    yield from (f"{visible(name)}: removed" for name in was if name not in now)
    for name, feature in now.items():
        if name not in was:
            yield f"{visible(name)}: new: {_pattern(feature, new)}"
        else:
            yield from (f"{visible(name)}: {line}" for line in _feature(was[name], feature, old, new))
    yield from _files(before[1], after[1])


def _feature(was: FeatureVerdict, now: FeatureVerdict, old: RuleBase, new: RuleBase) -> Iterator[str]:
    if was["primary"] != now["primary"]:
        yield f"{_pattern(was, old)} -> {_pattern(now, new)}"
    if was["fallback"] != now["fallback"]:
        yield f"fallback {_title(was['fallback'], old)} -> {_title(now['fallback'], new)}"
    if was["confidence"] != now["confidence"]:
        yield f"confidence {was['confidence']} -> {now['confidence']}"
    told = {c["id"]: c["title"] for c in was["caveats"]}
    tells = {c["id"]: c["title"] for c in now["caveats"]}
    yield from (f"no longer: {title} ({key})" for key, title in told.items() if key not in tells)
    yield from (f"new caveat: {title} ({key})" for key, title in tells.items() if key not in told)
    fine, good = {a["id"] for a in was["acceptable"]}, {a["id"] for a in now["acceptable"]}
    for pattern in sorted((fine ^ good) - {was["primary"], now["primary"]}):
        verb = "also acceptable now" if pattern in good else "no longer acceptable"
        yield f"{verb}: {words.title(pattern, new if pattern in good else old)}"


def _files(was: Mapping[str, bytes], now: Mapping[str, bytes]) -> Iterator[str]:
    gone, come = sorted(was.keys() - now.keys()), sorted(now.keys() - was.keys())
    changed = sorted(name for name in was.keys() & now.keys() if was[name] != now[name] and name not in ALWAYS)
    for said, names in (("no longer", gone), ("new", come), ("changed", changed)):
        if names:
            yield f"kit: {plural(len(names), 'file')} {said}: {', '.join(names)}"


def _pattern(feature: FeatureVerdict, base: RuleBase) -> str:
    return _title(feature["primary"], base)


def _title(pattern: str | None, base: RuleBase) -> str:
    return "none" if pattern is None else words.title(pattern, base)
