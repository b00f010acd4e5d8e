"""An answer has one wording for each kind: in the interview, in reports, in explanations, in what would change it."""

from __future__ import annotations

import pytest
from support.shipped import shipped

from advisor.engine.changes import Changes
from advisor.engine.verdict import Judge
from advisor.interview import plain_text
from advisor.interview.session import Session
from advisor.model.answers_in_words import in_words, labelled, named
from advisor.model.project import Feature, Project
from advisor.model.values import UNKNOWN, Other, from_plain, plain
from advisor.report import words
from advisor.report.lookup import explain

RULES = shipped()
RULE = "media-needs-webrtc"
KINDS = [
    ("bidirectional-realtime", True, "yes"),
    ("bidirectional-realtime", False, "no"),
    ("bidirectional-realtime", UNKNOWN, "not known"),
    ("instances", 1, "1 instance"),
    ("concurrent-clients", 250_000, "250,000 clients"),
    ("server-msg-rate-per-s", 0.2, "0.2 messages per second"),
    ("server-msg-rate-per-s", UNKNOWN, "not known"),
    ("existing-stack", (), "none of these"),
    ("existing-stack", UNKNOWN, "not known"),
    ("existing-stack", (Other("Squid 6"),), "something else (Squid 6)"),
    ("reverse-proxy", Other("Squid 6"), "something else (Squid 6)"),
    ("reverse-proxy", Other("a\x1b[31m"), r"something else (a\x1b[31m)"),
    ("reverse-proxy", UNKNOWN, "not known"),
    ("page", "the shop", "the shop"),
]


def in_the_interview(fact, value):
    scope = RULES.questions[fact].scope
    parts = {"path": {}, "app": {}, "feature": {}, scope: {fact: value}}
    project = Project("p", parts["path"], parts["app"], (Feature("f", parts["feature"]),))
    lines = plain_text.answers(Session(RULES, project))
    said = next(line for line in lines if line.startswith(f"  {fact}: ")).removeprefix(f"  {fact}: ")
    return said.partition(" (ruled out")[0].partition(" (kept,")[0]


def in_a_report(fact, value):
    condition = {"fact": fact, "wanted": "", "answer": plain(value), "result": "false"}
    step = {"state": "passed", "rule": None, "rules": [{"rule": "r", "result": "false", "conditions": [condition]}]}
    return words.conditions_of(step, {"assumptions": []}, RULES)[0].removeprefix(f"{fact}: ")


def in_an_explanation(fact, value):
    rule = next(rule for step in RULES.steps for rule in step.rules if rule.id == RULE)
    shown = rule._replace(examples=(rule.examples[0]._replace(given={fact: value}),))
    steps = tuple(s._replace(rules=tuple(shown if r is rule else r for r in s.rules)) for s in RULES.steps)
    printed = explain(RULE, RULES.replaced(steps=steps), 200)
    return printed.partition(f"- {fact}: ")[2].partition(" -> ")[0]


def in_what_would_change_it(fact, value):
    (change,) = Judge(RULES)._changes(Changes((("sse", {fact: value}),), {}))
    return change["text"].removeprefix(f"If {fact} were ").removesuffix(", it would be Server-Sent Events.")


@pytest.mark.parametrize("where", [in_the_interview, in_a_report, in_an_explanation, in_what_would_change_it])
@pytest.mark.parametrize(("fact", "value", "wording"), KINDS)
def test_every_place_words_an_answer_alike(where, fact, value, wording):
    assert where(fact, value) == wording


def test_an_option_shows_its_label_and_its_id_beside_the_questions_id():
    clients = ("mobile-browser", Other("pager"))
    assert labelled(RULES.questions["clients"], clients) == "browser on a phone or tablet, something else (pager)"
    assert named("clients", clients, RULES) == "mobile-browser, something else (pager)"


def test_what_a_question_takes_for_not_known_is_not_called_something_else():
    for fact, said in (("hosting-layer", "not stated"), ("websockets-blocked", "perhaps for some users")):
        assert named(fact, RULES.questions[fact].lead, RULES) == said
        assert named(fact, plain(RULES.questions[fact].lead), RULES) == said


def test_a_number_that_follows_has_its_unit_too():
    (derived, *_) = RULES.derived.values()
    assert named(derived.id, 7, RULES) == f"7 {derived.unit}"
    assert in_words(10**400, "clients") == "infinite clients"


@pytest.mark.parametrize("value", [value for _, value, _ in KINDS])
def test_an_answer_comes_back_from_the_form_of_the_verdict(value):
    assert from_plain(plain(value)) == value
    assert from_plain(value) == value
