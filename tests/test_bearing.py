"""Which assumptions a report lists: those on which something rests, so that a new question changes no other report."""

from __future__ import annotations

import shutil

import pytest

from advisor.answers.file import read
from advisor.base.data import data
from advisor.engine.changes import other_answers
from advisor.engine.decision import know
from advisor.engine.portfolio import recommend
from advisor.engine.verdict import Judge
from advisor.kit.build import build
from advisor.report import words
from advisor.report.html import html
from advisor.report.markdown import markdown
from advisor.report.text import text
from advisor.ruleset.cache import load
from advisor.ruleset.compile import compile_folder
from advisor.tui import cards, pages

EXAMPLES = sorted((data("rules") / "examples").glob("*.yaml"))
each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)

QUESTIONS = """\
questions:
  never-read:
    scope: feature
    type: yes-no
    ask: Is the office painted blue?
    why: Nothing reads it.
    find-out: Look around.
    when-unknown: {assume: no}

  never-read-and-open:
    scope: app
    type: number
    unit: plants
    ask: How many plants stand there?
    why: Nothing reads it.
    find-out: Count.
    bands: {few: {below: 10}, many: {from: 10}}
    when-unknown: {open: 3}

  read-elsewhere:
    scope: path
    type: one-of
    ask: Which browser engine is built in?
    why: One caveat reads it, in prototypes of video calls.
    find-out: Ask.
    options: {blink: Blink, gecko: Gecko}
    when-unknown: {assume: blink}
"""
CAVEAT = """\
caveats:

  - id: engine-without-codec
    severity: note
    when: {pattern: webrtc, prototype: yes, read-elsewhere: gecko}
    title: Seeded
    why: Seeded.
    do: {server: Seed.}
    evidence: [{judgement: Seeded.}]
    examples: [{given: {}, expect: silent}]
"""


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """The rules with three questions more, none of which has to do with an example."""
    folder = shutil.copytree(data("rules"), tmp_path_factory.mktemp("grown") / "rules")
    for name, top, more in (
        ("questions.yaml", "questions:\n", QUESTIONS + "\n"),
        ("caveats/outside.yaml", "caveats:\n", CAVEAT),
    ):
        path = folder / name
        content = path.read_text("utf-8")
        assert content.count(top) == 1
        path.write_text(content.replace(top, more), "utf-8")
    return compile_folder(folder)


def reports(path, base):
    """Everything that people are shown of an example, without the number of the rules."""
    project = read(str(path), base)
    verdict = recommend(project, base)
    verdict["rules"]["sha256"] = "0" * 64
    made = build(project, verdict, base)
    shown = {
        "text": text(verdict, base),
        "markdown": markdown(verdict, base),
        "html": html(verdict, base, made.files, made.notes),
    }
    for i, feature in enumerate(verdict["features"]):
        shown[f"why {i}"] = str([str(block.content) for block in cards.why(80, feature, base)])
        shown[f"caveats {i}"] = str([str(block.content) for block in cards.caveats(80, verdict, feature, base)])
        shown[f"changes {i}"] = str([str(block.content) for block in cards.changes(80, feature, base)])
        shown[f"recommendation {i}"] = str(pages.recommendation(80, verdict, i, base))
        shown[f"costs {i}"] = str(pages.costs(80, feature, base))
    return verdict, shown


@pytest.mark.long
@pytest.mark.grid
@each_example
def test_questions_that_have_nothing_to_do_with_a_feature_change_no_report_of_it(path, grown):
    _, before = reports(path, load())
    verdict, after = reports(path, grown)
    for form, shown in before.items():
        assert after[form] == shown, form
    for feature in verdict["features"]:  # the JSON has them all
        assert {"never-read", "read-elsewhere"} <= {item["fact"] for item in feature["assumptions"]}
        assert "never-read-and-open" in feature["open"]


def outcome(feature):
    """What somebody can read in the verdict that is not a list of assumptions."""
    times = feature["timing"]
    return {
        "primary": feature["primary"],
        "acceptable": [item["id"] for item in feature["acceptable"]],
        "fallback": feature["fallback"],
        "caveats": sorted(item["id"] for item in feature["caveats"]),
        "only if": sorted(item["id"] for item in feature["caveats_if"]),
        "article": feature["article"],
        "costs": feature["costs"]["patterns"],
        "times": {key: value for key, value in times.items() if key not in ("binding", "conflicts")},
    }


@pytest.mark.grid
@each_example
def test_no_answer_to_what_is_not_listed_changes_anything(path):
    """Brute force: every other answer to every fact that is left out, alone, gives the same verdict."""
    base = load()
    judge = Judge(base)
    project = read(str(path), base)
    for feature in project.features:
        answers = project.answers(feature)
        verdict = judge.feature(feature.name, answers)
        known = know(answers, base)
        unstated = [*(item["fact"] for item in verdict["assumptions"]), *verdict["open"]]
        assert set(verdict["matters"]) <= set(unstated)
        for fact in set(unstated) - set(verdict["matters"]):
            for other in other_answers(base.questions[fact], known.answers[fact]):
                assert outcome(judge.feature(feature.name, {**answers, fact: other})) == outcome(verdict), (fact, other)


@pytest.mark.grid
@each_example
def test_what_decides_is_listed(path):
    """What another answer to it decides, what a change sets, what a caveat waits for, and what the costs took."""
    base = load()
    for feature in recommend(read(str(path), base), base)["features"]:
        unstated = {item["fact"] for item in feature["assumptions"]} | set(feature["open"])
        decides = {item["fact"] for item in feature["assumptions"] if item["decides"]}
        decides |= {fact for change in feature["changes"] for fact in change["set"]}
        decides |= {fact for caveat in feature["caveats_if"] for fact in caveat["if"]}
        decides |= {fact for fact, taken in feature["costs"]["inputs"].items() if taken["assumed"]}
        assert decides & unstated <= set(feature["matters"])
        listed = " ".join(words.assumed(feature, base)) + " ".join(words.still_open(feature))
        assert all(fact in listed for fact in decides & unstated)
