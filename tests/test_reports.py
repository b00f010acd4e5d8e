"""The forms of the verdict: content, width, escapes, schema, and goldens of the shipped examples."""

from __future__ import annotations

import copy
import itertools
import json
import re
import unicodedata
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.shipped import shipped

from advisor.answers.file import read
from advisor.base.data import data
from advisor.engine.portfolio import recommend
from advisor.report.cost_chart import mermaid
from advisor.report.html import html
from advisor.report.json_text import json_text
from advisor.report.markdown import escape, markdown
from advisor.report.text import text
from advisor.ruleset.editor_schema import verdict_schema as schema

RULES = shipped()
GOLDEN = Path(__file__).parent / "golden"
FIXTURE = json.loads((GOLDEN / "fixture.json").read_text("utf-8"))  # written by hand: states that are rare in real life
EXAMPLES = sorted((data("rules") / "examples").glob("*.yaml"))
HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "# heading",
    "1. list",
    "- item",
    "<script>alert(1)</script>",
    "[link](https://example.org)",
    "`code` *bold* _it_ ~~no~~ | cell | $x$ &amp;",
    "a\n\n# second line",
    "---",
    "\\*",
    "![x](y)",
    "x" * 300,
]
VALIDATOR = jsonschema.Draft202012Validator(schema())


def _verdicts():
    return [FIXTURE, *(recommend(read(str(path), RULES), RULES) for path in EXAMPLES)]


def _named(name):
    verdict = copy.deepcopy(FIXTURE)
    verdict["project"] = verdict["features"][0]["name"] = name
    verdict["features"][0]["steps"][1]["rules"][0]["conditions"][1]["answer"][2] = {"other": name}
    return verdict


# --- json -------------------------------------------------------------------------------------------------------------


def test_the_schema_is_one_and_takes_every_verdict():
    VALIDATOR.check_schema(schema())
    for verdict in _verdicts():
        VALIDATOR.validate(json.loads(json_text(verdict)))


def test_every_object_of_the_schema_refuses_what_it_does_not_know():
    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for item in node.values():
                yield from objects(item)
        elif isinstance(node, list):
            for item in node:
                yield from objects(item)

    found = list(objects(schema()))
    assert len(found) > 15
    assert all(node.get("additionalProperties", True) is not True for node in found)
    for spoil in (lambda v: v.update(more=1), lambda v: v["features"][0].pop("primary"), lambda v: v.update(exit=2)):
        verdict = copy.deepcopy(FIXTURE)
        spoil(verdict)
        assert not VALIDATOR.is_valid(verdict)


def test_json_is_ascii_and_holds_no_infinity():
    verdict = _named("\x1b[31m \u202e")
    verdict["features"][0]["steps"][0]["rules"][0]["conditions"][0]["answer"] = float("inf")
    written = json_text(verdict)
    assert written.isascii()
    assert "\x1b" not in written
    assert "Infinity" not in written
    VALIDATOR.validate(json.loads(written))


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.grid
@pytest.mark.parametrize("width", [40, 80, 100])
def test_no_line_is_wider_than_asked_except_addresses(width):
    for verdict in _verdicts():
        for line in text(verdict, RULES, width=width).splitlines():
            free = re.fullmatch(r" *https?://\S+( \([^)]*\))?", line)
            assert len(line) <= width or free, line


def test_colour_adds_nothing_but_colour():
    for verdict in _verdicts():
        plain, coloured = text(verdict, RULES), text(verdict, RULES, colour=True)
        assert "\x1b" not in plain
        assert "\x1b[" in coloured
        stripped = re.sub(r"\x1b\[[\d;]*m", "", coloured)
        assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()


def test_the_pattern_comes_first_then_why_then_the_rest():
    heads = ["order status: Server-Sent Events (sse)", "Why", "Also defensible", "Rejected", "What to watch",
             "More to watch", "What it costs", "Timing", "Assumed, because it was not stated", "Still open",
             "What would change it", "The article"]  # fmt: skip
    lines = text(FIXTURE, RULES).splitlines()
    places = [lines.index(head) for head in heads]
    assert places == sorted(places)


def test_the_articles_numbers_stand_in_the_report():
    report = text(FIXTURE, RULES)
    assert "720 requests per hour for each client and 72,000 for" in " ".join(report.split())
    assert re.search(r"Short polling +72,000 +72,000", report)


def test_every_caveat_is_there_with_its_cure_and_its_evidence():
    report = " ".join(text(FIXTURE, RULES).split())
    for caveat in FIXTURE["features"][0]["caveats"]:
        assert caveat["id"] in report
        assert caveat["because"] in report
        assert all(step["text"] in report for step in caveat["do"])
        for item in caveat["evidence"]:
            assert item["kind"] == "source" or (item["where"] or item["text"]).rstrip(".") in report
            assert item["url"] in report
    assert report.index("[BREAKS]") < report.index("[DEGRADES]") < report.index("[NOTE]")


def test_a_feature_without_a_pattern_says_so_and_what_excluded_each():
    report = text(FIXTURE, RULES)
    tail = report[report.index("nothing fits: no pattern fits") :]
    assert tail.count("(rule no-") == 4
    assert "What it costs" not in tail


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_user_wrote_is_shown_and_not_executed(name):
    for report in (text(_named(name), RULES), markdown(_named(name), RULES)):
        bad = {c for c in report if unicodedata.category(c) in {"Cc", "Cf"} and c != "\n"}
        assert not bad


# --- markdown ---------------------------------------------------------------------------------------------------------

MADR = [
    "Context and Problem Statement",
    "Decision Drivers",
    "Considered Options",
    "Decision Outcome",
    "Consequences",
    "Confirmation",
    "Pros and Cons of the Options",
    "More Information",
]


def _headings(source):
    tokens = MarkdownIt("commonmark").enable("table").parse(source.split("---\n", 2)[2])
    return [
        (int(opened.tag[1]), "".join(child.content for child in inline.children or []))
        for opened, inline in itertools.pairwise(tokens)
        if opened.type == "heading_open"
    ]


def test_one_feature_is_one_madr_record():
    verdict = {**FIXTURE, "features": FIXTURE["features"][:1]}
    report = markdown(verdict, RULES)
    assert report.startswith("---\nstatus: proposed\n---\n\n# Use Server-Sent Events for order status\n")
    titles = [title for _, title in _headings(report)]
    assert [title for title in titles if title in MADR] == MADR
    assert titles[8:11] == ["Server-Sent Events", "Long polling", "WebSocket"]  # the options, chosen first
    assert 'Chosen option: "Server-Sent Events", because' in report


def test_several_features_are_records_one_level_deeper():
    headings = _headings(markdown(FIXTURE, RULES))
    assert [title for level, title in headings if level == 1] == ["How Acme orders delivers events"]
    assert [title for level, title in headings if level == 2] == [
        "Use Server-Sent Events for order status",
        "Use WebSocket for chat",
        "No pattern fits nothing fits",
    ]


def test_there_is_no_date_and_the_same_verdict_gives_the_same_bytes():
    assert markdown(FIXTURE, RULES) == markdown(copy.deepcopy(FIXTURE), RULES)
    assert "\ndate:" not in markdown(FIXTURE, RULES)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_structure_to_the_record(name):
    kinds = [
        [token.type for token in MarkdownIt("commonmark").enable("table").parse(markdown(_named(n), RULES))]
        for n in ("plain", name)
    ]
    assert kinds[0] == kinds[1]
    inline = MarkdownIt("commonmark").enable("strikethrough").parse(escape(name))[1]
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}
    shown = "".join(child.content for child in inline.children or [])
    assert shown.split() == " ".join(_visible(name).split()).split()


def _visible(name):
    from advisor.base.text import visible

    return visible(" ".join(name.split()) if "\n" not in name else name)


def test_links_are_evidence_only():
    tokens = MarkdownIt("commonmark").parse(markdown(FIXTURE, RULES))
    hrefs = {c.attrs["href"] for t in tokens for c in t.children or [] if c.type == "link_open"}
    known = {item["url"] for f in FIXTURE["features"] for c in f["caveats"] for item in c["evidence"] if item["url"]}
    assert hrefs == known


# --- goldens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_give_the_reports_that_were_read_and_accepted(path, request):
    verdict = recommend(read(str(path), RULES), RULES)
    verdict["rules"]["sha256"] = "0" * 64  # else every word of the rules would rewrite every golden
    for suffix, report in ((".txt", text(verdict, RULES)), (".md", markdown(verdict, RULES))):
        golden = GOLDEN / f"{path.stem}{suffix}"
        if request.config.getoption("--accept"):
            golden.write_text(report, "utf-8")
        assert golden.exists(), f"{golden.name} is missing: read the report, then run pytest --accept"
        assert report == golden.read_text("utf-8"), f"{golden.name} differs: read the change, then run pytest --accept"


def test_the_page_is_the_one_that_was_looked_at_and_accepted(accept):
    page, golden = html(FIXTURE, RULES), GOLDEN / "fixture.html"
    if accept:
        golden.write_text(page, "utf-8")
    assert page == golden.read_text("utf-8"), f"{golden.name} differs: look at it, then run pytest --accept"


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e290), st.floats(900, 1000).map(lambda x: x * 1000)), min_size=1)
)
def test_mermaid_can_read_the_numbers_of_its_chart(values):
    values = [*values, 999.6]
    lines = mermaid([(f"p{i}", value, "") for i, value in enumerate(values)], "Overhead per hour", "B").splitlines()
    number = r"\d+(?:\.\d+)?"  # as its grammar has it: an exponent is none
    axis = re.fullmatch(rf' *y-axis "[kMGTPE]?B" 0 --> ({number})', lines[3])
    bar = re.fullmatch(rf" *bar \[({number}(?:, {number})*)\]", lines[4])
    assert axis, lines[3]
    assert bar, lines[4]
    drawn = [float(one) for one in bar[1].split(", ")]
    assert max(drawn) <= float(axis[1])
    assert drawn == pytest.approx([value / max(values) * max(drawn) for value in values], rel=1e-9, abs=1e-15)


def test_no_golden_is_left_over():
    stems = {path.stem for path in EXAMPLES}
    assert {path.stem for path in GOLDEN.iterdir() if path.suffix in {".txt", ".md"}} == stems
