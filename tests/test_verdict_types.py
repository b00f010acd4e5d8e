"""The types of the verdict and its JSON Schema say the same, key by key."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path

import pytest

from advisor.model import verdict
from advisor.ruleset.editor_schema import verdict_schema

SCHEMA = verdict_schema()
ROOT = Path(__file__).resolve().parent.parent
DEFINED = {
    "Evidence": "evidence",
    "Rejection": "rejection",
    "Doing": "doing",
    "RaisedCaveat": "caveat",
    "SharedCaveat": "shared-caveat",
    "Handled": "handled",
    "KeptCaveat": "kept-caveat",
    "IfKept": "if-kept",
    "CaveatIf": "caveat-if",
    "Assumption": "assumption",
    "Change": "change",
    "Input": "input",
    "Cost": "cost",
    "Costs": "costs",
    "PathLimit": "limit",
    "Conflict": "conflict",
    "Timing": "timing",
    "WalkedCondition": "condition",
    "WalkedRule": "rule",
    "WalkedStep": "step",
    "FeatureVerdict": "feature",
    "Connection": "connection",
    "Acceptable": "acceptable",
    "OtherAnswer": "other",
}


def inside(*path):
    found = SCHEMA
    for key in path:
        found = found[key]
    return found


NESTED = {
    "Verdict": SCHEMA,
    "RulesVersion": inside("properties", "rules"),
    "Shared": inside("properties", "shared"),
    "Reuse": inside("properties", "shared", "properties", "reuse", "items"),
    "HeldByPage": inside("properties", "shared", "properties", "pages", "items"),
    "SharedTiming": inside("properties", "shared", "properties", "timing"),
    "Article": inside("$defs", "feature", "properties", "article"),
    "Contradiction": inside("$defs", "feature", "properties", "contradictions", "items"),
    "Riskiest": inside("$defs", "feature", "properties", "riskiest", "anyOf", 1),
    "AskNext": next(o for o in inside("$defs", "feature", "properties", "ask_next", "anyOf") if "properties" in o),
}
OBJECTS = {**{name: SCHEMA["$defs"][key] for name, key in DEFINED.items()}, **NESTED}
TYPED = {name for name, found in vars(verdict).items() if typing.is_typeddict(found)}


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_a_type_has_the_keys_of_its_schema(name):
    made = getattr(verdict, name)
    assert set(made.__annotations__) == set(OBJECTS[name]["properties"])
    assert set(made.__required_keys__) == set(OBJECTS[name].get("required", []))


def test_every_type_has_its_schema_and_the_other_way_round():
    assert set(OBJECTS) == TYPED
    objects = {key for key, found in SCHEMA["$defs"].items() if found.get("properties")}
    assert objects == set(DEFINED.values())


@pytest.mark.long
@pytest.mark.parametrize(("right", "wrong"), [("fallback", "fallbck"), ("departs", "departz"), ("title", "tittle")])
def test_a_misspelt_key_of_the_verdict_is_an_error_of_the_type_checker(tmp_path, right, wrong):
    """`feature["fallbck"]` was fine to mypy --strict while the verdict was a plain dict."""
    holder = "feature" if right != "title" else "feature['caveats'][0]"
    code = (
        "from advisor.model.verdict import FeatureVerdict\n\n\n"
        f'def said(feature: FeatureVerdict) -> str | None:\n    return {holder}["{{}}"]\n'
    )
    for key, status in ((right, 0), (wrong, 1)):
        path = tmp_path / f"{key}.py"
        path.write_text(code.format(key))
        command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", str(path)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        assert run.returncode == status, run.stdout
        assert ("has no key" in run.stdout) == bool(status)
