"""JSON Schemas for editors, with the real ids: completion and red underlines while somebody writes answers or rules."""

from __future__ import annotations

import json
from typing import Any

from advisor.base.data import data
from advisor.base.errors import UsageError
from advisor.base.text import did_you_mean
from advisor.model.conditions import WORDS
from advisor.model.platforms import WAY
from advisor.model.rulebase import PATTERN, Question, RuleBase
from advisor.ruleset import card_conditions
from advisor.ruleset.card_conditions import ON_THE_WAY

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAMES = (
    "answers",
    "article",
    "boundaries",
    "caveats",
    "costs",
    "decision",
    "derived",
    "impossible",
    "order",
    "patterns",
    "platforms",
    "priors",
    "questions",
    "timing",
    "verdict",
)
WITH_RULES = ("answers",)  # it consists of the questions


def schema_text(name: str, base: RuleBase | None) -> str:
    """The schema of one kind of file, as JSON. Without a rule base, that of a rules file takes any id.

    Raises UsageError for an unknown name.
    """
    if name not in NAMES:
        raise UsageError(f"there is no schema {name!r}; choose from {', '.join(NAMES)}{did_you_mean(name, NAMES)}")
    if name == "verdict":
        made = verdict_schema()
    elif name in WITH_RULES and base is not None:
        made = answers_schema(base)
    else:
        made = rules_schema(name, base)
    return json.dumps(made, indent=2) + "\n"


def verdict_schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of the verdict as JSON."""
    loaded: dict[str, Any] = json.loads((data("rules") / "schema" / "verdict.schema.json").read_text("utf-8"))
    return loaded


# --- answers ----------------------------------------------------------------------------------------------------------


def answers_schema(base: RuleBase) -> dict[str, Any]:
    """The answers file: facts by scope, each with its answers; `unknown` and null are always allowed."""
    scopes = {
        scope: {q.id: answer_schema(q) for q in base.questions.values() if q.scope == scope}
        for scope in ("feature", "path", "app")
    }
    name = {"type": "string", "minLength": 1}
    feature = {"name": name, **scopes["feature"], **scopes["path"], **scopes["app"]}
    return {
        "$schema": DRAFT,
        "title": "advisor answers",
        "type": "object",
        "additionalProperties": False,
        "required": ["features"],
        "properties": {
            "answers": {"enum": [1, 2]},
            "project": {"type": "string"},
            "path": _object(scopes["path"]),
            "app": _object(scopes["app"]),
            "features": {"type": "array", "minItems": 1, "items": {**_object(feature), "required": ["name"]}},
        },
    }


def answer_schema(question: Question) -> dict[str, Any]:
    """The answers to one question. Editors that read YAML 1.1 see yes and no as booleans, so both are allowed."""
    other = {
        "type": "object",
        "additionalProperties": False,
        "required": ["other"],
        "properties": {"other": {"type": "string"}},
    }
    choice = {"anyOf": [{"enum": list(question.options)}, other]}
    known: dict[str, Any]
    if question.type == "yes-no":
        known = {"enum": ["yes", "no", True, False]}
    elif question.type == "number":
        plain = {"type": "integer" if question.whole else "number", "minimum": question.minimum}
        known = {"anyOf": [plain, {"type": "string", "pattern": "^[0-9]"}]}  # 2 min, 1,000
    elif question.type == "one-of":
        known = choice
    elif question.type == "some-of":
        known = {"type": "array", "items": choice}
    else:
        known = {"type": "string"}
    return {"description": question.ask, "anyOf": [known, {"enum": ["unknown", None]}]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}


# --- rules ------------------------------------------------------------------------------------------------------------


def rules_schema(name: str, base: RuleBase | None) -> dict[str, Any]:
    """A rules file: the model's own schema, with conditions, facts and patterns narrowed to the ids that exist."""
    from pydantic import BaseModel

    from advisor.ruleset import card_schema, schema, tables_schema

    models: dict[str, type[BaseModel]] = {
        "article": schema.Article,
        "boundaries": schema.Boundaries,
        "caveats": schema.Caveats,
        "costs": tables_schema.Costs,
        "decision": schema.Decision,
        "derived": schema.DerivedFile,
        "impossible": schema.ImpossibleFile,
        "order": schema.OrderFile,
        "patterns": schema.Patterns,
        "platforms": card_schema.Card,
        "priors": schema.Priors,
        "questions": schema.Questions,
        "shares": tables_schema.Shares,
        "timing": tables_schema.Timing,
    }
    made = models[name].model_json_schema(by_alias=True)
    made["$schema"] = DRAFT
    if base is None:
        return made
    definitions = made.setdefault("$defs", {})
    definitions["When"] = when_schema(base, pattern=name in ("decision", "caveats"), stated=name == "caveats")
    definitions["Facts"] = _object({q.id: answer_schema(q) for q in base.questions.values()})
    definitions["PatternId"] = {"enum": list(base.patterns)}
    definitions["Channel"] = {"enum": list(base.channels)}
    _narrow(made)
    return made


EXACT = {"type": "object", "additionalProperties": False, "minProperties": 1}
WORD = {"type": ["string", "number", "boolean"]}
ONE_OR_MORE = {"anyOf": [WORD, {"type": "array", "minItems": 1, "items": WORD}]}
CARD = {
    "anyOf": [
        {**EXACT, "properties": dict.fromkeys(sorted(keys), ONE_OR_MORE)} for keys in card_conditions.WORDS.values()
    ]
}
CARDS = {"anyOf": [CARD, {"type": "array", "minItems": 1, "items": CARD}]}  # what the cards of the answers must say


def when_schema(base: RuleBase, *, pattern: bool, stated: bool = False) -> dict[str, Any]:
    """The condition language over the facts that exist: one situation, or a list of them."""
    facts: dict[str, Any] = {}
    for variable in base.variables:
        if variable.fact == PATTERN and not pattern:
            continue
        some_of = bool(variable.element)
        values = [base.variables[i].element for i in base.of_fact[variable.fact]] if some_of else list(variable.values)
        facts.setdefault(variable.fact, _wanted([v for v in values if v != "other"], some_of=some_of))
    for fact in (fact for fact in WAY if fact in facts):
        facts[fact] = {"anyOf": [*facts[fact]["anyOf"], CARDS, {**EXACT, "properties": {"not": CARDS}}]}
    facts[ON_THE_WAY] = CARDS
    if stated:
        names = {"enum": [*base.questions, *base.derived, ON_THE_WAY]}
        facts |= {word: {"anyOf": [names, {"type": "array", "items": names}]} for word in WORDS}
    situation = {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": facts}
    return {"anyOf": [situation, {"type": "array", "minItems": 1, "items": situation}]}


def _wanted(values: list[str], *, some_of: bool) -> dict[str, Any]:
    one = {"enum": [*values, True, False] if values == ["no", "yes"] else values}
    names = {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}
    words = ("any", "all", "not", "only") if some_of else ("not",)
    narrowed = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(words, names)}
    return {"anyOf": [*names["anyOf"], narrowed]}


def _narrow(node: Any) -> None:
    """Replace the loose parts that pydantic writes for `when`, `given`, `usually` and pattern ids."""
    if isinstance(node, list):
        for part in node:
            _narrow(part)
    elif isinstance(node, dict):
        for key, part in node.items():
            if key == "properties":
                for field in part.keys() & NARROWED.keys():
                    part[field] = NARROWED[field]
                if "evidence" in part:  # where it is missing the file can be read, and `rules check` has a finding
                    node["required"] = sorted({*node.get("required", ()), "evidence"})
            if key not in OWN:
                _narrow(part)


ONE_PATTERN = {"$ref": "#/$defs/PatternId"}
PATTERNS = {"anyOf": [ONE_PATTERN, {"type": "array", "items": ONE_PATTERN}]}
ONE_CHANNEL = {"$ref": "#/$defs/Channel"}
FACTS = {"type": "array", "items": {"$ref": "#/$defs/Facts"}}
OWN = ("When", "Facts", "PatternId", "Channel")
NARROWED: dict[str, Any] = {
    "when": {"$ref": "#/$defs/When"},
    "given": {"$ref": "#/$defs/Facts"},
    "usually": {"$ref": "#/$defs/Facts"},
    "nearest-core": ONE_PATTERN,
    "channel": ONE_CHANNEL,
    "for": {"type": "array", "items": ONE_CHANNEL},
    **dict.fromkeys(("choose", "keep", "exclude", "accept", "fallbacks"), PATTERNS),
    "primary": ONE_PATTERN,
    **dict.fromkeys(("acceptable", "unacceptable", "excluded"), PATTERNS),
    **dict.fromkeys(("raised", "silent"), FACTS),
}
