"""The rule base to and from plain data that JSON can carry: what the cache keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from advisor.model import cures, shares
from advisor.model.advice import Advice
from advisor.model.boxes import Box
from advisor.model.rulebase import (
    Band,
    Caveat,
    Derived,
    Evidence,
    Example,
    Ground,
    Impossible,
    Pattern,
    Place,
    Plausible,
    Prior,
    Question,
    Rule,
    RuleBase,
    Step,
    Typed,
    Variable,
    Waiver,
)
from advisor.model.values import Other, Unknown, from_plain


def to_data(base: RuleBase) -> dict[str, Any]:
    """The rule base as data that JSON can carry; `from_data` is its inverse."""

    def plain(value: Any) -> Any:
        if isinstance(value, Other):
            return {"other": value.text}
        if isinstance(value, Unknown):
            return None
        if isinstance(value, Mapping):
            if all(isinstance(key, int) for key in value) and value:
                return {"box": [[key, mask] for key, mask in value.items()]}
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):  # one of the nouns
            return {name: plain(item) for name, item in value._asdict().items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        if isinstance(value, float) and math.isinf(value):
            return "inf"
        return value

    return {name: plain(getattr(base, name)) for name in base.SAID}


def _bands(data: list[dict[str, Any]]) -> tuple[Band, ...]:
    return tuple(Band(b["id"], float(b["low"]), float(b["high"])) for b in data)


def _boxes(data: list[Any]) -> tuple[Box, ...]:
    return tuple(dict(box["box"]) if box else {} for box in data)


def _evidence(data: list[dict[str, Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(**item) for item in data)


def _examples(data: list[dict[str, Any]]) -> tuple[Example, ...]:
    return tuple(
        Example({fact: from_plain(v) for fact, v in e["given"].items()}, e["expect"], Place(**e["place"])) for e in data
    )


def _common(data: dict[str, Any]) -> dict[str, Any]:
    made = dict(data)
    made["boxes"] = _boxes(data["boxes"])
    made["place"] = Place(**data["place"])
    if "evidence" in data:
        made["evidence"] = _evidence(data["evidence"])
    if "examples" in data:
        made["examples"] = _examples(data["examples"])
    for name in ("stated", "presumed"):
        if name in data:
            made[name] = tuple(map(tuple, data[name]))
    for name in ("patterns", "raises", "standard"):
        if name in data:
            made[name] = tuple(data[name])
    if "do" in data:
        made["do"] = tuple(Advice(**item) for item in data["do"])
    if "grounds" in data:
        made["grounds"] = tuple(Ground(**dict(g, patterns=tuple(g["patterns"]))) for g in data["grounds"])
    return made


def _steps(data: list[dict[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step(s["id"], s["title"], s["number"], tuple(Rule(**_common(r)) for r in s["rules"])) for s in data)


def _question(data: dict[str, Any]) -> Question:
    made = dict(data, bands=_bands(data["bands"]), lead=from_plain(data["lead"]))
    for name in ("feeds", "on_a_page"):
        made[name] = tuple(data[name])
    return Question(**dict(made, place=Place(**data["place"])))


def _derived(data: dict[str, Any]) -> Derived:
    return Derived(**dict(data, bands=_bands(data["bands"]), place=Place(**data["place"])))


def _pattern(data: dict[str, Any]) -> Pattern:
    made = dict(data, evidence=_evidence(data["evidence"]), place=Place(**data["place"]))
    for name in ("times", "strengths", "weaknesses", "fallbacks", "carries"):
        made[name] = tuple(data[name])
    return Pattern(**made)


def _plausible(data: dict[str, Any]) -> Plausible:
    made = _common(data)
    made["others"] = tuple((from_plain(value), weight) for value, weight in data["others"])
    return Plausible(**made)


def from_data(data: dict[str, Any]) -> RuleBase:
    """The rule base from what `to_data` gave (and perhaps JSON carried)."""
    return RuleBase(
        version=data["version"],
        sha256=data["sha256"],
        questions={key: _question(q) for key, q in data["questions"].items()},
        derived={key: _derived(d) for key, d in data["derived"].items()},
        patterns={key: _pattern(p) for key, p in data["patterns"].items()},
        variables=tuple(Variable(v["name"], v["fact"], v["element"], tuple(v["values"])) for v in data["variables"]),
        excludes=tuple(Rule(**_common(r)) for r in data["excludes"]),
        withholds=tuple(Rule(**_common(r)) for r in data["withholds"]),
        steps=_steps(data["steps"]),
        accepts=tuple(Rule(**_common(r)) for r in data["accepts"]),
        article=_steps(data["article"]),
        caveats={key: Caveat(**_common(c)) for key, c in data["caveats"].items()},
        impossible=tuple(Impossible(**_common(i)) for i in data["impossible"]),
        priors=tuple(
            Prior(
                **dict(
                    _common(p),
                    usually={fact: from_plain(v) for fact, v in p["usually"].items()},
                    unsaid=tuple(p["unsaid"]),
                )
            )
            for p in data["priors"]
        ),
        plausible=tuple(_plausible(p) for p in data["plausible"]),
        tables=data["tables"],
        waivers=tuple(Waiver(w["finding"], w["because"], Place(**w["place"])) for w in data["waivers"]),
        order=tuple(data["order"]),
        diagram=data["diagram"],
        platforms=data["platforms"],
        channels=data["channels"],
        typed=tuple(Typed(**dict(t, answers=tuple(t["answers"]), place=Place(**t["place"]))) for t in data["typed"]),
        cures=cures.from_data(data["cures"]),
        shares=shares.from_data(data["shares"]),
    )
