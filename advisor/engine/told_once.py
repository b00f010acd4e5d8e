"""What a report lists once for several features: the caveats that they share, and what the kit handles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.engine.decision import Answers, know
from advisor.engine.raising import handled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import FeatureVerdict, Handled, RaisedCaveat, SharedCaveat


def shared_caveats(features: list[FeatureVerdict], base: RuleBase) -> list[SharedCaveat]:
    """The caveats that several features raise in the same words, to be listed once; those that come first stay."""
    seen: dict[str, list[tuple[RaisedCaveat, list[str]]]] = {}
    for feature in features:
        for caveat in (c for c in feature["caveats"] if not base.caveats[c["id"]].first):
            alike = seen.setdefault(caveat["id"], [])
            names = next((names for other, names in alike if other == caveat), None)
            if names is None:
                alike.append((caveat, [feature["name"]]))
            else:
                names.append(feature["name"])
    found = [(caveat, names) for alike in seen.values() for caveat, names in alike if len(names) > 1]
    return [{**caveat, "features": names} for caveat, names in found]


def checklist(features: list[FeatureVerdict], answers: Mapping[str, Answers], base: RuleBase) -> list[Handled]:
    """What the kit cures of the patterns' checklists, besides the caveats that are raised."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for feature in features:
        if feature["primary"] is None:
            continue
        told = {caveat["id"] for caveat in feature["caveats"]}
        known = know(answers[feature["name"]], base)
        for name, files in handled(known, feature["primary"], base).items():
            if name not in told:
                found.setdefault((name, tuple(files)), []).append(feature["name"])
    return [
        {"id": name, "title": base.caveats[name].title, "cured_by": [*files], "features": names}
        for (name, files), names in found.items()
    ]
