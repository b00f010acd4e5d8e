"""The report on one page: short for every example, and true to the verdict."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from support.cli_run import advisor

from advisor.answers.file import parse, read
from advisor.base.data import data
from advisor.cli import main
from advisor.engine.portfolio import recommend
from advisor.engine.verdict import Judge
from advisor.report import words
from advisor.report.first_page import feature_page, first_page, possible
from advisor.report.one_page import LINES, WORDS, one_page
from advisor.ruleset.cache import load

GOLDEN = Path(__file__).parent / "golden" / "one-page"
EXAMPLES = sorted((data("rules") / "examples").glob("*.yaml"))
FIELD = sorted((Path(__file__).parent / "kit" / "field-cases").glob("*.yaml"))
FIVE = """\
project: five
path: {reverse-proxy: nginx, cdn: cloudflare, load-balancer: aws-alb, corporate-networks: yes}
app: {instances: 3, broker: redis, platform: kubernetes}
features:
  - {name: prices, kind: trading, page: desk, concurrent-clients: 20000}
  - {name: chat, kind: chat, page: desk, clients: [browser, ios, android], replay-needed: yes}
  - {name: job, kind: job, bidirectional-realtime: no}
  - {name: model, kind: llm-stream, auth: bearer-header}
  - {name: board, kind: dashboard, same-content-for-all: yes, cdn-caching: yes}
"""


@pytest.fixture(scope="module")
def judge():
    return Judge(load())


def page_of(path, judge):
    return one_page(recommend(read(path, judge.base), judge.base, judge), judge.base, file="answers.yaml")


@pytest.mark.grid
@pytest.mark.parametrize("path", [*EXAMPLES, *FIELD], ids=lambda path: path.stem)
def test_one_feature_takes_45_lines_and_350_words_at_most(path, judge):
    verdict = recommend(read(path, judge.base), judge.base, judge)
    page = one_page(verdict, judge.base, file="answers.yaml")
    assert all(len(line) <= 80 for line in page.splitlines())
    if len(verdict["features"]) == 1:
        assert (page.count("\n") <= LINES, len(page.split()) <= WORDS) == (True, True), page


def test_what_is_yes_may_become_no_and_a_rate_never_becomes_0(judge):
    talk = {
        "clients": ("browser",),
        "bidirectional-realtime": True,
        "client-msg-rate-per-s": 2,
        "server-msg-rate-per-s": 2,
    }
    feature = judge.feature("talk", talk)
    every = [change["set"] for change in feature["changes"]]
    shown = [change["set"] for change in possible(feature, judge.base)]
    assert {"bidirectional-realtime": False} in every
    assert {"bidirectional-realtime": False} in shown
    assert {"server-msg-rate-per-s": 0} not in shown


def test_five_features_take_90_lines_at_most(judge):
    page = one_page(recommend(parse(FIVE, "five.yaml", judge.base), judge.base, judge), judge.base)
    assert page.count("\n") <= 90, page


@pytest.mark.grid
@pytest.mark.parametrize("path", [*EXAMPLES, *FIELD], ids=lambda path: path.stem)
def test_the_page_names_the_pattern_first_and_only_what_the_verdict_has(path, judge):
    verdict = recommend(read(path, judge.base), judge.base, judge)
    page = one_page(verdict, judge.base, file="answers.yaml")
    flat = " ".join(page.split())
    for feature in verdict["features"]:
        assert f"{feature['name']}: {words.title(feature['primary'], judge.base)}" in flat
        assert f"Confidence: {feature['confidence']}" in flat
    first = verdict["features"][0]["caveats"]
    shown = re.findall(r"\(([a-z0-9-]+)\)", flat)
    shared = verdict["shared"]["caveats"]
    biting = [c["id"] for each in [*verdict["features"], {"caveats": shared}] for c in each["caveats"]]
    assert {caveat for caveat in shown if caveat in judge.base.caveats} <= set(biting)
    assert {caveat["id"] for caveat in [*first[:1], *shared]} <= set(shown)  # the most harmful one is never cut
    told = sum(caveat in judge.base.caveats for caveat in shown)
    more = sum(map(int, re.findall(r"\+(\d+) more: --full", flat)))
    assert told + more == len(biting)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_would_flip_it_really_does(path, judge):
    project = read(path, judge.base)
    verdict = recommend(project, judge.base, judge)
    if len(verdict["features"]) > 1:
        return
    page = one_page(verdict, judge.base)
    (feature,) = verdict["features"]
    flips = re.findall(r"^  - (\S+): .* -> (.*)$", page, re.MULTILINE)
    for fact, title in flips:
        change = next(c for c in feature["changes"] if list(c["set"]) == [fact])
        assert words.title(change["to"], judge.base) == title
        assert not judge.base.questions[fact].settled


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_pages_of_the_examples_were_read_and_accepted(path, judge, request):
    page, golden = page_of(path, judge), GOLDEN / f"{path.stem}.txt"
    if request.config.getoption("--accept"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(page, "utf-8")
    assert page == golden.read_text("utf-8"), f"{golden.name} differs: read the change, then run pytest --accept"


def test_no_page_is_left_over():
    assert {path.stem for path in GOLDEN.iterdir()} == {path.stem for path in EXAMPLES}


def test_the_page_is_the_default_and_full_prints_everything():
    short = advisor("recommend", str(EXAMPLES[0])).stdout
    full = advisor("recommend", str(EXAMPLES[0]), "--full").stdout
    assert f"All details: advisor recommend {EXAMPLES[0]} --full" in " ".join(short.split())
    assert 3 * short.count("\n") < full.count("\n")


def bites(judge, **answers):
    given = {"clients": ["browser"], "kind": "notifications", **answers}
    text = "project: p\nfeatures:\n  - " + json.dumps({"name": "f", **given}) + "\n"
    verdict = recommend(parse(text, "a.yaml", judge.base), judge.base, judge)
    return {bite.id: bite for bite in first_page(verdict, judge.base, most=99).features[0].bites}


def test_what_to_do_first_is_the_cure_and_not_what_stands_first_on_the_path(judge):
    """Between client and server the client comes first; the work of catching up is the server's."""
    resume = bites(judge, **{"replay-needed": "yes"})["resume-server-side"]
    assert resume.cure.startswith("Give each event an id")


def test_what_to_do_at_a_stated_product_comes_before_the_general_cure(judge):
    text = "project: p\npath: {reverse-proxy: nginx, idle-timeout-s: 60}\nfeatures: [{name: f, clients: [browser]}]\n"
    verdict = recommend(parse(text, "a.yaml", judge.base), judge.base, judge)
    cures = {bite.id: bite.cure for bite in first_page(verdict, judge.base, most=99).features[0].bites}
    assert cures["idle-timeout-heartbeat"].startswith("nginx: let the server send a heartbeat every 15 s")


def test_a_caveat_that_begins_where_nothing_is_to_be_done_is_refused(tmp_path, capsys):
    folder = shutil.copytree(data("rules"), tmp_path / "rules")
    path = folder / "caveats" / "design.yaml"
    path.write_text(path.read_text("utf-8").replace("    begin: server\n", "    begin: broker\n", 1), "utf-8")
    assert main(["rules", "check", "--folder", str(folder)]) == 1
    assert "`do` has nothing for 'broker'; it has client, server" in capsys.readouterr().err


def test_a_page_says_why_the_usual_choice_is_not_taken(judge):
    page = page_of(data("rules") / "examples" / "hospital-whiteboard.yaml", judge)
    because = " ".join(page.split("\nBecause\n")[1].split("\n\n")[0].split())
    assert because.startswith(
        "Both sides send in real time: a WebSocket carries that over one connection. Every user's"
    )
    assert page.count("cuts or refuses") == 1


def test_a_conflict_is_named_and_what_clients_send_is_counted(judge):
    """Readers of this page asked which of the requirements conflict, and how 20 messages a second are 0 requests."""
    page = " ".join(page_of(data("rules") / "examples" / "hospital-whiteboard.yaml", judge).split())
    assert "Here: client-msg-rate-per-s is 20 messages per second and websockets-blocked is always." in page
    assert "Server-Sent Events 7.2 M requests" in page


def test_a_timer_and_a_blocked_socket_have_nothing_to_do_with_each_other(judge):
    verdict = recommend(read(data("rules") / "examples" / "support-desk.yaml", judge.base), judge.base, judge)
    export = next(feature for feature in verdict["features"] if feature["primary"] == "short-polling")
    assert "ws-blocked-fallback" not in [caveat["id"] for caveat in export["caveats"]]


def test_what_is_only_a_note_comes_after_what_breaks(judge):
    for path in [*EXAMPLES, *FIELD]:
        for feature in recommend(read(path, judge.base), judge.base, judge)["features"]:
            notes = [caveat["severity"] == "note" for caveat in feature["caveats"]]
            assert notes == sorted(notes), path


def test_of_several_features_what_bites_all_has_its_cure(judge):
    page = page_of(data("rules") / "examples" / "support-desk.yaml", judge)
    assert "Publish every event to a broker that all instances read" in " ".join(page.split())


def test_your_answers_are_those_that_were_stated(judge):
    """ "I don't know" is no answer, and what the program assumed is none of yours."""
    for path in EXAMPLES:
        verdict = recommend(read(path, judge.base), judge.base, judge)
        for feature in verdict["features"]:
            said = feature_page(feature, judge.base).answers
            assert all(answer.partition(":")[0] in feature["stated"] for answer in said)
            assert not [answer for answer in said if "not known" in answer or "(assumed)" in answer]
