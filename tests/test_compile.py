"""The rules folder into a rule base: nothing is lost in JSON and back, and the vocabulary is complete."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from support.random_bases import bases

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.model.values import UNKNOWN, Other
from advisor.ruleset.compile import compile_folder
from advisor.ruleset.example_value import value
from advisor.ruleset.files import digest
from advisor.ruleset.serialise import from_data, to_data

VOCABULARY = yaml.safe_load((Path(__file__).parent / "vocabulary.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def base():
    return compile_folder(data("rules"))


def same(a, b):
    for name in a.__slots__:
        assert getattr(a, name) == getattr(b, name), name


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(bases(priors=True))
def test_a_rule_base_comes_back_from_json_as_it_was(made):
    same(made, from_data(json.loads(json.dumps(to_data(made), allow_nan=False))))


def test_the_shipped_rule_base_comes_back_from_json_as_it_was(base):
    same(base, from_data(json.loads(json.dumps(to_data(base), allow_nan=False))))


def test_every_fact_of_the_vocabulary_is_a_question_of_its_scope_and_type(base):
    for scope, facts in VOCABULARY["facts"].items():
        for fact, kind in facts.items():
            asked = base.questions[fact]
            wanted, options = (kind, []) if isinstance(kind, str) else next(iter(kind.items()))
            assert (asked.scope, asked.type) == (scope, wanted), fact
            assert set(options) <= set(asked.options), fact
            assert bool(asked.unit) == (wanted == "number"), fact


def test_every_pattern_of_the_vocabulary_is_there_in_its_group(base):
    for group, names in VOCABULARY["patterns"].items():
        assert [p.id for p in base.patterns.values() if p.group == group] == names or set(names) == {
            p.id for p in base.patterns.values() if p.group == group
        }
    for pattern in base.patterns.values():
        assert base.patterns[pattern.nearest_core].group == "core"


def test_every_caveat_of_the_vocabulary_is_there(base):
    assert set(VOCABULARY["caveats"]) <= base.caveats.keys()


def test_every_number_has_bands_that_tile_and_every_lead_value_is_legal(base):
    for item in (*base.questions.values(), *base.derived.values()):
        if item.bands:
            assert item.bands[0].low == 0
            assert math.isinf(item.bands[-1].high)
            assert all(a.high == b.low for a, b in zip(item.bands, item.bands[1:], strict=False))
    for asked in base.questions.values():
        if asked.type == "number":
            assert asked.lead >= asked.minimum
            assert not asked.whole or asked.lead == int(asked.lead)


def test_every_article_step_is_there_and_nothing_else(base):
    assert [step.number for step in base.article] == [1, 2, 3, 4, 5]
    assert all(e.kind == "article" for step in base.article for rule in step.rules for e in rule.evidence)


def test_the_digest_changes_with_a_byte_of_any_rule_file(tmp_path):
    import shutil

    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    before = digest(folder)
    assert before == digest(data("rules"))
    for path in (folder / "timing.yaml", folder / "caveats" / "sse.yaml"):
        path.write_text(path.read_text("utf-8") + "\n# one more line\n", "utf-8")
        assert digest(folder) != before
        before = digest(folder)


@pytest.mark.parametrize("missing", ["questions.yaml", "decision.yaml", "priors.yaml"])
def test_a_folder_without_one_of_its_files_is_a_problem_with_its_name(tmp_path, missing):
    import shutil

    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    (folder / missing).unlink()
    with pytest.raises(RuleBaseError, match=missing):
        compile_folder(folder)


def test_a_misspelt_variable_of_the_order_is_a_problem_with_its_place(tmp_path):
    import shutil

    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    (folder / "order.yaml").write_text("order:\n  - media\n  - clients=browsr\n", "utf-8")
    with pytest.raises(RuleBaseError, match=r"order\.yaml:3:5: there is no variable 'clients=browsr'; did you mean"):
        compile_folder(folder)


@pytest.mark.parametrize(
    ("features", "surprise", "said"),
    [
        ("{chat: 2}", "{fact: medai, value: yes, seen: {chat: 1}}", "there is no fact 'medai'; did you mean media"),
        ("{chat: 2}", "{fact: media, value: perhaps, seen: {chat: 1}}", "perhaps"),
        ("{chat: 2}", "{fact: media, value: yes, seen: {chatt: 1}}", "there is no kind 'chatt'; did you mean chat"),
        ("{chat: 2}", "{fact: media, value: yes, seen: {chat: 3}}", "more features surprised than there are"),
        ("{chat: 0}", "{fact: media, value: yes, seen: {chat: 1}}", "greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_shares_is_a_problem_with_its_place(tmp_path, features, surprise, said):
    import shutil

    folder = tmp_path / "rules"
    shutil.copytree(data("rules"), folder)
    text = f"evidence: [{{judgement: counted}}]\nfeatures: {features}\nsurprises:\n  - {surprise}\n"
    (folder / "shares.yaml").write_text(text, "utf-8")
    with pytest.raises(RuleBaseError, match=rf"shares\.yaml:\d+:\d+: .*{said}"):
        compile_folder(folder)


@pytest.mark.parametrize(
    ("fact", "raw", "answer"),
    [
        ("media", True, True),
        ("media", "no", False),
        ("media", None, UNKNOWN),
        ("media", "unknown", UNKNOWN),
        ("auth", {"other": "mTLS"}, Other("mTLS")),
        ("clients", "ios", ("ios",)),
        ("clients", ["ios", {"other": "fridge"}], ("ios", Other("fridge"))),
        ("instances", 3, 3),
        ("page", "home", "home"),
    ],
)
def test_an_answer_of_the_rules_is_read_as_in_an_answers_file(base, fact, raw, answer):
    assert value(base.questions[fact], raw) == answer


@pytest.mark.parametrize(
    ("fact", "raw", "complaint"),
    [
        ("media", "maybe", "yes or no"),
        ("media", 1, "yes or no"),
        ("instances", True, "a number"),
        ("instances", "3", "a number"),
        ("instances", 0, "1 or more"),
        ("instances", 1.5, "whole"),
        ("concurrent-clients", -1, "0 or more"),
        ("idle-timeout-s", math.inf, "a number"),
        ("idle-timeout-s", math.nan, "a number"),
        ("auth", "cooky", "did you mean cookie?"),
        ("auth", ["cookie"], "no answer"),
        ("auth", {"other": "a", "more": "b"}, "no answer"),
        ("clients", [["ios"]], "no answer"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(base, fact, raw, complaint):
    with pytest.raises(ValueError, match=complaint):
        value(base.questions[fact], raw)
