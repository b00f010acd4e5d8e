"""What `explain` says about every id, and that the graph is Mermaid."""

from __future__ import annotations

import html
import re

import pytest
from support.shipped import shipped

from advisor.base.errors import UsageError
from advisor.report.explain import catalogue
from advisor.report.flowchart import label, mermaid, node
from advisor.report.lookup import explain, groups, search

RULES = shipped()


@pytest.mark.long
def test_every_id_of_the_rule_base_is_explained():
    things = catalogue(RULES, (2026, 11, 24))
    names = {name for _, name, _ in things}
    assert set(RULES.questions) | set(RULES.patterns) | set(RULES.caveats) | set(RULES.derived) <= names
    for kind, name, _ in things:
        said = explain(f"{kind}:{name}", RULES)
        assert said.startswith(f"{name} ("), said
        assert "rules/" in said or "It has no rules" in said, said


@pytest.mark.long
def test_explanations_stay_within_the_width_except_addresses():
    for kind, name, _ in catalogue(RULES, (2026, 11, 24)):
        for line in explain(f"{kind}:{name}", RULES, width=72).splitlines():
            assert len(line) <= 72 or " " not in line.strip().removeprefix("- "), line


def test_a_caveat_says_what_why_cure_evidence_examples_and_place():
    caveat = next(iter(RULES.caveats.values()))
    said = " ".join(explain(caveat.id, RULES).split())
    for part in (caveat.title, caveat.why, caveat.do[0].text, "Raised when:", "Evidence:", "Examples:"):
        assert part in said
    assert f"{caveat.place.file}:{caveat.place.line}:{caveat.place.column}" in said


def test_a_question_says_what_it_decides():
    said = " ".join(explain("bidirectional-realtime", RULES).split())
    question = RULES.questions["bidirectional-realtime"]
    for part in (question.ask, question.why, question.find_out, "If unknown:", "Used by:"):
        assert part in said


def test_a_rule_says_its_condition_in_words_and_its_patterns():
    rule = RULES.excludes[0]
    said = " ".join(explain(rule.id, RULES).split())
    assert rule.because in said
    assert "When: " in said
    assert "It excludes: " in said


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("SSE", "sse (pattern"),
        ("Server-Sent Events", "sse (pattern"),
        ("long polling", "long-polling (pattern"),
        ("LONG_POLLING", "long-polling (pattern"),
        ("aws alb", "aws-alb (platform"),
        ("AWS Application Load Balancer", "aws-alb (platform"),
        ("a silent connection is cut on the path", "idle-timeout-heartbeat (caveat"),
        ("silent connection cut", "idle-timeout-heartbeat (caveat"),
        ("llm-stream", "llm-stream: answer of a language model, word by word (an answer to kind)"),
        ("WebSockets", 'Nothing is called "WebSockets"; the nearest is websocket.'),
        ("websockt", 'Nothing is called "websockt"; the nearest is websocket.'),
        ("cloudflar", 'Nothing is called "cloudflar"; the nearest is cloudflare.'),
        ("polling", 'Nothing is called "polling". These have it in their title:'),
    ],
)
def test_ids_titles_answers_words_and_near_misses_are_found(wanted, first):
    assert explain(wanted, RULES).startswith(first)


def test_every_title_leads_to_what_has_it():
    for pattern in RULES.patterns.values():
        assert f"{pattern.id} (pattern" in explain(pattern.title, RULES)
    for caveat in RULES.caveats.values():
        assert f"{caveat.id} (caveat" in explain(caveat.title, RULES)


@pytest.mark.parametrize("wanted", ["", "qqqq", ":", "x" * 5000, "- -"])
def test_what_nothing_is_like_is_refused_with_what_to_try(wanted):
    with pytest.raises(UsageError, match="advisor explain --search WORD"):
        explain(wanted, RULES)


def test_a_search_finds_every_explanation_with_the_word():
    found = search("jitter", RULES)
    for kind, name, render in catalogue(RULES, (2026, 11, 24)):
        inside = "jitter" in " ".join(line for _, line in render()).casefold()
        assert (f"{kind} {name}: " in " ".join(found.split())) == inside, name
    with pytest.raises(UsageError):
        search("qqqq", RULES)


def test_without_an_id_every_id_is_listed_by_kind():
    listed = groups(RULES)
    for kind, name, _ in catalogue(RULES, (2026, 11, 24)):
        assert f"{kind} (" in listed
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", listed), name


@pytest.mark.parametrize("wanted", ["\x1b[31m", "\x1b[2Jzzzzzzz\u202e", "\x1b[2Jfastly\u202e"])
def test_an_unknown_id_is_shown_safely(wanted):
    try:
        said = explain(wanted, RULES)
    except UsageError as error:
        said = str(error)
    assert not {"\x1b", "\u202e"} & set(said)


def test_a_kind_narrows_an_id_down():
    assert explain("pattern:sse", RULES).startswith("sse (pattern")
    with pytest.raises(UsageError):
        explain("caveat:sse", RULES)


# --- graph ------------------------------------------------------------------------------------------------------------

NAME = r"[A-Za-z]\w*"
LABEL = r'"[^"\n]*"'
SHAPE = rf"(?:\[{LABEL}\]|\(\[{LABEL}\]\)|\{{\{{{LABEL}\}}\}})"
ARROW = r"(?:-->|==>|--x|-\. [a-z ]+ \.->)"
LINE = re.compile(rf" *(?:flowchart TD|end|subgraph {NAME} \[{LABEL}\]|{NAME}{SHAPE}|{NAME} {ARROW} {NAME}{SHAPE}?)")


def test_the_graph_is_mermaid_line_by_line():
    lines = mermaid(RULES).splitlines()
    assert lines[0] == "flowchart TD"
    for line in lines:
        assert LINE.fullmatch(line), line
    opened = sum(line.strip().startswith("subgraph") for line in lines)
    assert opened == sum(line.strip() == "end" for line in lines) == 2


def test_every_node_that_an_arrow_names_is_drawn():
    graph = mermaid(RULES)
    drawn = set(re.findall(rf"({NAME}){SHAPE}", graph))
    for line in graph.splitlines():
        arrow = re.match(rf" *({NAME}) {ARROW} ({NAME})", line)
        if arrow:
            assert {arrow[1], arrow[2]} <= drawn, line


def test_every_step_rule_and_pattern_of_the_decision_is_in_the_graph():
    graph = mermaid(RULES)
    for step in (*RULES.steps, *RULES.article):
        assert label(f"{step.number}. {step.title}") in graph
    for rule in (*RULES.excludes, *(r for s in RULES.steps for r in s.rules)):
        assert f'"{rule.id}<br/>' in graph


def test_every_exclusion_crosses_out_its_patterns():
    graph = mermaid(RULES)
    for rule in RULES.excludes:
        for pattern in rule.patterns:
            assert f"{node('x', rule.id)} --x {node('p', pattern)}\n" in graph


def test_the_steps_stand_in_their_order():
    graph = mermaid(RULES)
    names = [node("s", step.id) for step in RULES.steps]
    assert f"start --> {names[0]}" in graph
    for one, other in zip(names, [*names[1:], "none"], strict=True):
        assert f"{one} -. no rule holds .-> {other}" in graph


@pytest.mark.parametrize("text", ['say "hi"', "a < b & c > d", "x; end", "#quot;", "`tick`", "back\\slash", "it's"])
def test_a_label_shows_its_text_and_nothing_else(text):
    quoted = label(text)
    assert LINE.fullmatch(f"a[{quoted}]")
    inside = re.sub(r"#(\w+);", lambda m: f"&{'#' * m[1].isdigit()}{m[1]};", quoted[1:-1]).replace("<br/>", " ")
    assert "<" not in inside
    assert html.unescape(inside) == text
