"""The decisions against people's labels (tests/scenarios/README.md). `python tests/score.py` shows every miss."""

from __future__ import annotations

from collections import Counter

import first_contact
import pytest
import score

from advisor.ruleset.cache import load


@pytest.fixture(scope="module")
def items():
    return score.scenarios()


@pytest.fixture(scope="module")
def result(items):
    return score.score(items)


def test_there_are_enough_scenarios_of_every_sort(items):
    assert len(items) >= 100
    assert sum(len(item["answers"]["features"]) > 1 for item in items) >= 15
    labels = list(score.labels(items))
    assert sum("short-polling" in label.primary for label in labels) >= 15
    named = Counter(pattern for label in labels for pattern in label.primary)
    assert all(named[pattern] >= 3 for pattern in load().patterns)


def test_ids_are_unique_and_every_scenario_has_a_story_a_reason_and_a_source(items):
    assert len({item["id"] for item in items}) == len(items)
    for item in items:
        assert len(item["story"]) > 80, item["id"]
        assert item["reason"].strip(), item["id"]
        assert item["source"]["url"].startswith(("https://", "http://")), item["id"]


def test_labels_name_real_patterns_and_caveats_and_do_not_contradict_themselves(items):
    base = load()
    for label in score.labels(items):
        assert {*label.primary, *label.acceptable, *label.never} <= base.patterns.keys(), label
        assert set(label.primary) <= set(label.acceptable), label
        assert not set(label.acceptable) & set(label.never), label
        assert set(label.must_warn) <= base.caveats.keys(), label


def test_no_decision_is_plainly_wrong(result):
    assert result.wrong == 0, "\n".join(result.misses)


def test_nearly_every_decision_is_acceptable_and_most_are_the_best(result):
    assert result.acceptable / result.features >= 0.97, "\n".join(result.misses)
    assert result.best / result.features >= 0.90, "\n".join(result.misses)


def test_what_people_insist_on_is_named_without_drowning_it(result):
    assert result.warned / result.warnings >= 0.90, "\n".join(result.misses)
    assert result.caveats / result.features <= 4.5


@pytest.mark.long
@pytest.mark.parametrize("name", first_contact.rounds())
def test_a_round_that_was_scored_stays_right(name):
    made = first_contact.score(name)
    assert made.wrong == 0, "\n".join(made.misses)
    assert made.acceptable / made.features >= 0.97, "\n".join(made.misses)
    assert made.best / made.features >= 0.85, "\n".join(made.misses)
    assert made.insisted_named / made.insisted >= 0.65, "\n".join(made.misses)
    assert made.wrong_offers / made.offers <= 0.05, "\n".join(made.misses)
