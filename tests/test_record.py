"""The decision record: a page for each feature, in MADR form, about these answers, with the words of the first page."""

from __future__ import annotations

import copy
import itertools
import json
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from support.cli_run import advisor
from support.hostile_names import NAMES
from support.shipped import shipped

from advisor.answers.file import read
from advisor.base.data import data
from advisor.base.text import visible
from advisor.engine.portfolio import recommend
from advisor.engine.verdict import Judge
from advisor.kit import build
from advisor.model.cures import CHECKS
from advisor.report import words
from advisor.report.markdown import escape, markdown
from advisor.report.one_page import fitting, one_page
from advisor.report.options import considered
from advisor.report.record import LINES, WORDS, record

RULES = shipped()
HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "one-page"
EXAMPLES = sorted((data("rules") / "examples").glob("*.yaml"))
FIELD = sorted((HERE / "kit" / "field-cases").glob("*.yaml"))
FIXTURE = json.loads((HERE / "golden" / "fixture.json").read_text("utf-8"))
MADR = [
    "Context and Problem Statement", "Decision Drivers", "Considered Options", "Decision Outcome", "Consequences",
    "Confirmation", "Pros and Cons of the Options", "More Information",
]  # fmt: skip


@pytest.fixture(scope="module")
def verdicts():
    judge = Judge(RULES)
    return {path.stem: recommend(read(path, RULES), RULES, judge) for path in EXAMPLES}


def headings(source):
    tokens = MarkdownIt("commonmark").parse(source.split("---\n", 2)[2])
    return [
        (int(opened.tag[1]), "".join(child.content for child in inline.children or []))
        for opened, inline in itertools.pairwise(tokens)
        if opened.type == "heading_open"
    ]


def section(source, title):
    """What is below a heading, until the next one."""
    return re.split(r"^#+ ", source.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.grid
@pytest.mark.parametrize("path", [*EXAMPLES, *FIELD], ids=lambda path: path.stem)
def test_the_record_is_a_page_for_each_feature(path):
    verdict = recommend(read(path, RULES), RULES)
    made, count = record(verdict, RULES), len(verdict["features"])
    assert made.count("\n") <= LINES * count, made
    assert len(made.split()) <= WORDS * count, made
    assert 2 * len(made.split()) < len(markdown(verdict, RULES).split())


def test_each_feature_is_a_madr_record(verdicts):
    for verdict in [FIXTURE, *verdicts.values()]:
        found = [title for _, title in headings(record(verdict, RULES)) if title in MADR]
        assert found == MADR * len(verdict["features"])
    one = record(verdicts["notifications"], RULES)
    assert one.startswith("---\nstatus: proposed\n---\n\n# Use Server-Sent Events for order notifications\n")
    several = [title for level, title in headings(record(FIXTURE, RULES)) if level < 3]
    assert several[0] == "How Acme orders delivers events"
    assert several[-1] == "Full report"


def test_text_and_record_have_the_same_sentences(verdicts):
    """The same first page in all forms, from one place."""
    for verdict in verdicts.values():
        said, made = fitting(verdict, RULES, "a.yaml"), record(verdict, RULES, "a.yaml")
        flat = " ".join(one_page(verdict, RULES, file="a.yaml").split())
        for page in said.features:
            sentences = [page.sure, page.because, page.fallback, *page.flips, *(bite.title for bite in page.bites)]
            for sentence in filter(None, sentences):
                assert escape(sentence) in made, sentence
                assert sentence in flat, sentence
            assert all(escape(bite.cure) in made for bite in page.bites)
        assert all(command in made and command in flat for _, command in said.next)


def test_the_options_are_those_that_were_considered_with_good_and_bad_here(verdicts):
    for verdict in verdicts.values():
        made = record(verdict, RULES)
        for feature in verdict["features"]:
            options = considered(feature, RULES)
            assert options[0] == feature["primary"]
            assert {item["id"] for item in feature["acceptable"]} | {feature["fallback"] or options[0]} <= {*options}
            assert 2 <= len(options) <= 5
            for option in options:
                pattern = RULES.patterns[option]
                assert not [one for one in (*pattern.strengths, *pattern.weaknesses) if escape(one) in made]
    one = section(record(verdicts["notifications"], RULES), "Short polling")
    assert "* Bad, because no answer asks for it (one-way-stream)" in one
    assert "because of what it costs per hour: 756,000 requests" in one
    blocked = section(record(verdicts["hospital-whiteboard"], RULES), "WebSocket")
    assert "* Bad, because: Every user's network cuts or refuses WebSockets (websocket-blocked)" in blocked


def test_what_was_excluded_for_a_reason_comes_before_what_no_answer_asks_for():
    verdict = recommend(read(data("rules") / "examples" / "collaborative-editor.yaml", RULES), RULES)
    (feature,) = verdict["features"]
    assert considered(feature, RULES) == ["websocket", "sse", "short-polling", "long-polling"]


def test_the_confirmation_has_a_check_for_each_caveat_that_has_one(verdicts):
    proved = {cure.caveat: CHECKS[cure.check] for cure in reversed(RULES.cures)}
    assert {"idle-timeout-heartbeat", "sse-buffering"} <= {*proved}
    for verdict in verdicts.values():
        if len(verdict["features"]) > 1:
            continue
        confirmation = section(record(verdict, RULES), "Confirmation")
        for bite in fitting(verdict, RULES).features[0].bites:
            (line,) = [line for line in confirmation.splitlines() if f"`{bite.id}`" in line]
            assert line.startswith(f"* {proved.get(bite.id, 'Review by hand')}"), line


def test_every_check_that_a_cure_may_name_says_what_to_do_and_what_to_see():
    assert {cure.check for cure in RULES.cures} <= {*CHECKS}
    assert all(text.count(": ") == 1 and text.endswith(".") for text in CHECKS.values())


@pytest.mark.grid
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_name_adds_no_structure(name):
    kinds, texts = [], []
    for one in ("plain", name):
        verdict = copy.deepcopy(FIXTURE)
        verdict["project"] = verdict["features"][0]["name"] = one
        verdict["features"][0]["steps"][1]["rules"][0]["conditions"][1]["answer"][2] = {"other": one}
        source = record(verdict, RULES, file=f"{one}.yaml")
        tokens = MarkdownIt("commonmark").enable("table").parse(source)
        kinds.append([(token.type, [child.type for child in token.children or []]) for token in tokens])
        texts.append("".join(child.content for token in tokens for child in token.children or []))
    assert [kind for kind, _ in kinds[0]] == [kind for kind, _ in kinds[1]]
    inline = {child for _, children in kinds[1] for child in children}
    assert inline <= {"text", "text_special", "softbreak", "code_inline"}
    assert " ".join(visible(name).split()) in " ".join(texts[1].split())


def test_the_record_is_what_the_command_and_a_kit_write():
    path = str(data("rules") / "examples" / "notifications.yaml")
    short, full = (advisor("recommend", path, "--format", "markdown", *more).stdout for more in ((), ("--full",)))
    project = read(path, RULES)
    verdict = recommend(project, RULES)
    assert short == record(verdict, RULES, path)
    assert full == markdown(verdict, RULES)
    assert f"    advisor recommend {path} --full\n" in short
    kit = build.build(project, verdict, RULES).files
    assert kit["DECISION.md"].decode() == record(verdict, RULES)
    assert "    advisor recommend answers.yaml --full\n" in kit["DECISION.md"].decode()


def test_a_kit_is_offered_only_where_there_is_one(verdicts):
    assert "--kit" not in record(verdicts["payment-webhook"], RULES)
    assert "--kit" not in one_page(verdicts["profile-settings"], RULES)
    assert "--kit my-kit" in one_page(verdicts["support-desk"], RULES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_records_of_the_examples_were_read_and_accepted(path, verdicts, accept):
    verdict = copy.deepcopy(verdicts[path.stem])
    verdict["rules"]["sha256"] = "0" * 64  # else every word of the rules would rewrite every golden
    made, golden = record(verdict, RULES), GOLDEN / f"{path.stem}.md"
    if accept:
        golden.write_text(made, "utf-8")
    assert made == golden.read_text("utf-8"), f"{golden.name} differs: read the change, then run pytest --accept"


def test_a_feature_without_a_pattern_says_so():
    made = record({**FIXTURE, "features": FIXTURE["features"][2:]}, RULES)
    assert "# No pattern fits nothing fits" in made
    assert "No option is chosen" in made
    assert words.title("websocket", RULES) in section(made, "Considered Options")
