"""What `rules check` demands of an author: evidence, both sides of every caveat, and boundary cases that hold."""

from __future__ import annotations

import re
import shutil

import pytest
import yaml
from support.boundary_cases import broken, cases

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.ruleset.boundaries import read
from advisor.ruleset.cache import load
from advisor.ruleset.compile import compile_folder
from advisor.ruleset.prove import prove


@pytest.fixture
def rules(tmp_path):
    return shutil.copytree(data("rules"), tmp_path / "rules")


def check(folder):
    """The findings of `rules check` over the folder, by id."""
    base = compile_folder(folder)
    return {finding.id: finding for finding in prove(base, read(folder, base)).findings}


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def cut(path, item, key, until):
    """Take `key` of the item with this id out of the file, up to the key `until`."""
    text = path.read_text("utf-8")
    start = text.index(f"id: {item}\n")
    first = text.index(f"{key}:", start)
    path.write_text(text[:first] + text[text.index(f"{until}:", first) :], "utf-8")


def line_of(path, words):
    return next(number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if words in line)


def test_every_boundary_case_holds():
    assert len(cases().caveats) > 50
    assert len(cases().decisions) > 200
    assert list(broken(load())) == []


@pytest.mark.long
def test_the_shipped_rules_lack_nothing():
    assert check(data("rules")) == {}


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize(
    ("kind", "file", "item"),
    [
        ("excluding", "decision.yaml", "stream-outlives-response"),
        ("choosing", "decision.yaml", "minutes-are-fine"),
        ("choosing last", "decision.yaml", "one-way-stream"),
        ("accepting", "decision.yaml", "socket-nobody-forbids"),
        ("keeping", "article.yaml", "article-1-two-way"),
        ("caveat", "caveats/sse.yaml", "sse-text-only"),
    ],
)
def test_what_rests_on_nothing_is_a_finding_at_its_place(rules, kind, file, item):
    path = rules / file
    cut(path, item, "evidence", "examples")
    (finding,) = check(rules).values()
    assert finding.id == f"NO_EVIDENCE:{item}", kind
    assert (finding.place.file, finding.place.line) == (f"rules/{file}", line_of(path, f"id: {item}"))
    assert "`source`" in finding.sentence
    assert "`judgement`" in finding.sentence


@pytest.mark.long
def test_an_empty_list_of_evidence_is_none(rules):
    path = rules / "caveats" / "sse.yaml"
    cut(path, "sse-text-only", "evidence", "examples")
    change(path, "id: sse-text-only\n", "id: sse-text-only\n    evidence: []\n")
    assert list(check(rules)) == ["NO_EVIDENCE:sse-text-only"]


CAVEAT = """\
caveats:

  - id: seeded-battery-drain
    severity: degrades
    when:
      pattern: sse
      clients: [ios, android]
    title: Heartbeats keep the radio of a phone awake
    why: They do.
    do: {server: Send fewer.}
    evidence: [{judgement: A radio that is woken every 15 s never sleeps.}]
    examples:
"""
RAISED = "      - {given: {clients: [ios], bidirectional-realtime: no}, expect: raised}\n"
SILENT = "      - {given: {clients: [browser], bidirectional-realtime: no}, expect: silent}\n"
FAR = "      - {given: {clients: [browser], bidirectional-realtime: yes}, expect: silent}\n"


@pytest.mark.grid
@pytest.mark.parametrize(
    ("examples", "lacks"),
    [
        (RAISED + SILENT, ""),
        (SILENT, "no case in which it is raised"),
        (RAISED, "no case in which it is silent"),
        (RAISED + FAR, "no raised and silent case that differ in one fact"),
    ],
)
def test_a_new_caveat_shows_a_raised_and_a_silent_case_that_differ_in_one_fact(rules, examples, lacks):
    path = rules / "caveats" / "sse.yaml"
    change(path, "caveats:\n", CAVEAT + examples)
    found = check(rules)
    assert list(found) == (["NO_BOUNDARY:seeded-battery-drain"] if lacks else [])
    for finding in found.values():
        assert finding.sentence.startswith(f"seeded-battery-drain has {lacks}: add it to its `examples`, or to a file")
        assert (finding.place.file, finding.place.line) == (
            "rules/caveats/sse.yaml",
            line_of(path, "id: seeded-battery-drain"),
        )


def test_the_case_on_the_other_side_may_stand_in_a_file_of_its_own(rules):
    change(rules / "caveats" / "sse.yaml", "caveats:\n", CAVEAT + RAISED)
    beside = "caveats: {seeded-battery-drain: {silent: [{clients: [browser], bidirectional-realtime: no}]}}"
    (rules / "boundaries" / "phones.yaml").write_text(beside, "utf-8")
    assert check(rules) == {}


@pytest.mark.long
def test_no_shipped_caveat_loses_a_side_unnoticed(rules):
    """Without the folder, and with one side of all examples, every caveat of today is named."""
    shutil.rmtree(rules / "boundaries")
    for side, lost in (("silent", "raised"), ("raised", "silent")):
        for path in (rules / "caveats").glob("*.yaml"):
            content = yaml.safe_load((data("rules") / "caveats" / path.name).read_text("utf-8"))
            for caveat in content["caveats"]:
                caveat["examples"] = [e for e in caveat["examples"] if e["expect"] != lost] or [
                    {"given": e["given"], "expect": side} for e in caveat["examples"][:1]
                ]
            path.write_text(yaml.safe_dump(content), "utf-8")
        told = {f.subject: f.sentence for f in check(rules).values() if f.code == "NO_BOUNDARY"}
        assert told.keys() == load().caveats.keys()
        assert all(f"no case in which it is {lost}" in sentence for sentence in told.values())


@pytest.mark.grid
@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "caveats-sse",
            "silent:\n",
            "silent:\n      - {auth: bearer-header}\n",
            r"should be silent here: it is raised",
        ),
        ("caveats-sse", "raised:\n", "raised:\n      - {auth: cookie}\n", r"should be raised here: it is silent"),
        ("decisions-steps", "primary: websocket", "primary: sse", r"the case gives websocket, not sse"),
        ("decisions-steps", "primary: http-request", "acceptable: [grpc]", r"no pattern 'grpc'"),
        ("decisions-steps", "primary: websocket", "acceptable: [webrtc]", r"webrtc should be acceptable beside"),
        ("decisions-steps", "primary: websocket", "unacceptable: [websocket]", r"websocket should not be acceptable"),
        ("decisions-steps", "primary: websocket", "excluded: [websocket]", r"websocket should be excluded"),
        ("decisions-steps", "primary: websocket", "rule: one-way-stream", r"not one-way-stream that decides"),
        (
            "caveats-sse",
            "  eventsource-no-headers:",
            "  eventsource-no-header:",
            r"did you mean eventsource-no-headers\?",
        ),
        ("caveats-sse", "raised:\n", "raised:\n      - {aut: cookie}\n", r"no fact 'aut'; did you mean auth\?"),
        ("caveats-sse", "raised:\n", "rised:\n", r"rised: is not a known key here; did you mean raised\?"),
    ],
)
def test_a_boundary_case_that_is_wrong_is_told_with_its_place(rules, file, old, new, sentence):
    change(rules / "boundaries" / f"{file}.yaml", old, new)
    try:
        told = [f"{f.place.file}:{f.place.line}: {f.code}: {f.sentence}" for f in check(rules).values()]
    except RuleBaseError as error:
        told = [str(problem) for problem in error.problems]
    found = [line for line in told if re.search(sentence, line)]
    assert found, told
    assert re.match(rf"rules/boundaries/{file}\.yaml:[1-9]\d*:", found[0])
