"""How sure a verdict says it is, what it rests on, and answers that no rule knows."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.handwritten_answers import random_answers_of_file

from advisor.answers.file import parse, read
from advisor.base.data import data
from advisor.engine.confidence import FEW, deciding, plausible, without_unlisted
from advisor.engine.decision import know
from advisor.engine.portfolio import recommend
from advisor.engine.raising import handled
from advisor.engine.verdict import Judge
from advisor.interview.session import Session
from advisor.model.project import Feature, Project
from advisor.model.values import UNKNOWN, Other
from advisor.report import html, markdown, text, words
from advisor.ruleset.cache import load

EXAMPLES = sorted((data("rules") / "examples").glob("*.yaml"))
SURE = ("low", "medium", "high")


@pytest.fixture(scope="module")
def judge():
    return Judge(load())


def ids(caveats):
    return {caveat["id"] for caveat in caveats}


# --- what confidence rests on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_high_names_the_assumption_that_matters_most_and_counts_the_others(judge, path):
    """It read "whatever the open answers turn out to be" beside eleven assumptions that could change it."""
    verdict = recommend(read(path, judge.base), judge.base, judge)
    for feature in verdict["features"]:
        line = words.confidence_line(feature, judge.base)
        decisive = {item["fact"]: item["decides"] for item in feature["assumptions"] if item["decides"]}
        assert "whatever" not in line
        if not decisive:
            continue
        risk = feature["riskiest"]
        assert risk["fact"] in decisive or risk["fact"] in feature["open"]
        assert all(judge.base.patterns[pattern].title in line for pattern in risk["decides"])
        if feature["confidence"] == "high":
            assert line.startswith("high, if what is assumed holds. Riskiest assumption: ")
            named = [fact for fact in decisive if f"{fact} is " in line]
            assert len(named) == min(len(decisive), words.MOST_NAMED)
            assert (f"{len(decisive) - len(named)} more below" in line) == (len(decisive) > len(named))


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_never_high_with_fewer_than_three_facts_stated(judge, seed):
    rng = Random(seed)
    answers = random_answers_of_file(rng, judge.base)
    stated = {fact: value for fact, value in answers.items() if value is not UNKNOWN}
    few = dict(rng.sample(sorted(stated.items(), key=str), min(len(stated), rng.randrange(FEW))))
    feature = judge.feature("x", few)
    assert sorted(feature["stated"]) == sorted(few)
    assert feature["confidence"] != "high"


@pytest.mark.parametrize("kind", ["notifications", "chat", "llm-stream", "job", "bot", "game"])
def test_a_kind_alone_is_not_enough_for_high(judge, kind):
    feature = judge.feature("x", {"kind": kind})
    assert feature["confidence"] != "high"


def test_the_riskiest_answer_is_unstated_and_changes_the_pattern(judge):
    feature = judge.feature(
        "x", {"bidirectional-realtime": False, "server-msg-rate-per-s": 0.2, "clients": ("browser",)}
    )
    risk = feature["riskiest"]
    assert risk["fact"] not in feature["stated"]
    assert feature["primary"] not in risk["decides"]
    assert set(risk["decides"]) & {"websocket", "long-polling", "short-polling"}  # before what lies out of the scope


def test_every_report_says_it_alike(judge):
    verdict = recommend(read(EXAMPLES[0], judge.base), judge.base, judge)
    line = words.confidence_line(verdict["features"][0], judge.base)
    assert line in " ".join(text.text(verdict, judge.base).split())
    assert line.split(":")[0] in markdown.markdown(verdict, judge.base)
    assert line.split(";")[0] in " ".join(html.html(verdict, judge.base).split())


def test_a_vendor_that_says_no_keeps_confidence_at_medium_and_is_named(judge):
    """Azure Front Door and Server-Sent Events was "high", while its vendor says that it does not support them."""
    facts = {
        "bidirectional-realtime": False,
        "server-msg-rate-per-s": 0.2,
        "clients": ("browser",),
        "replay-needed": False,
        "latency-need-ms": 2000,
        "concurrent-clients": 5000,
    }
    settled = {**facts, "corporate-networks": False, "http2-to-browser": True, "reverse-proxy": "nginx", "instances": 1}
    there = judge.feature("x", {**settled, "server-model": "async", "cdn-websocket": True, "cdn": "azure-front-door"})
    elsewhere = judge.feature("x", {**settled, "server-model": "async", "cdn-websocket": True, "cdn": "cloudflare"})
    assert (there["primary"], elsewhere["primary"]) == ("sse", "sse")
    assert (there["confidence"], elsewhere["confidence"]) == ("medium", "high")
    assert "event streams" in there["confidence_why"]
    assert "event-streams-unsupported" in ids(there["caveats"])


def told(judge, feature, answers):
    """The caveats of all three tiers."""
    checked = handled(know(answers, judge.base), feature["primary"], judge.base)
    return ids([*feature["caveats"], *feature["caveats_if"]]) | checked.keys()


# --- answers that no rule knows ---------------------------------------------------------------------------------------

LISTED = [q for q in load().questions.values() if q.type in ("one-of", "some-of") and q.id != "kind"]


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_name_that_is_not_listed_warns_at_least_as_much_as_not_knowing(judge, seed):
    """`{other: IIS}` as the proxy took the warning about held-back streams away, which "I don't know" gives."""
    rng = Random(seed)
    answers = {f: v for f, v in random_answers_of_file(rng, judge.base).items() if rng.random() < 0.3}
    asked = rng.choice(LISTED)
    other = Other("something of their own")
    named = judge.feature("x", {**answers, asked.id: other if asked.type == "one-of" else (other,)})
    unknown = judge.feature("x", {**answers, asked.id: UNKNOWN})
    if named["primary"] == unknown["primary"]:
        with_name = {**answers, asked.id: other if asked.type == "one-of" else (other,)}
        assert told(judge, named, with_name) >= told(judge, unknown, {**answers, asked.id: UNKNOWN})
        assert SURE.index(named["confidence"]) <= SURE.index(unknown["confidence"])


def spoken_of(fact, base):
    """The facts that an answer to this one speaks of: itself, what assumptions make of it, and numbers that follow."""
    found = {fact}
    for prior in base.priors:
        if found & {base.variables[variable].fact for box in prior.boxes for variable in box}:
            found |= set(prior.usually)
    return found | {d.id for d in base.derived.values() if found & set(d.factors)}


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_stated_fact_lowers_no_doubt_that_it_does_not_speak_of(judge, seed):
    """A broker, a version and a page made a verdict of one answer "high"."""
    rng = Random(seed)
    base = judge.base
    drawn = random_answers_of_file(rng, base)
    answers = {f: v for f, v in drawn.items() if rng.random() < 0.4}
    more = [f for f, v in drawn.items() if f not in answers and v is not UNKNOWN]
    texts = [q.id for q in base.questions.values() if q.type == "text"]
    fact = rng.choice([*more, *texts])
    before = judge.feature("x", answers)
    with_it = {**answers, fact: drawn.get(fact, "some text")}
    after = judge.feature("x", with_it)
    if before["primary"] != after["primary"]:
        assert fact in deciding(base)
        return
    spoken = spoken_of(fact, base)
    for caveat in ids(before["caveats"]) - told(judge, after, with_it):
        read_by = {base.variables[v].fact for box in base.caveats[caveat].boxes for v in box}
        conflict = caveat == "requirements-conflict" and len(before["contradictions"]) > len(after["contradictions"])
        assert read_by & spoken or conflict, (fact, caveat)
    if not spoken & deciding(base):
        assert SURE.index(after["confidence"]) <= SURE.index(before["confidence"]), fact


def test_what_decides_nothing_makes_nothing_surer(judge):
    said = {"bidirectional-realtime": False}
    beside = {"broker": "redis", "page": "home", "nginx-version": "1.22.1", "tabs-per-user": 2}
    alone, verdict = judge.feature("x", said), judge.feature("x", {**said, **beside})
    assert alone["confidence"] != "high"
    assert [verdict[key] for key in ("confidence", "confidence_why")] == [
        alone[key] for key in ("confidence", "confidence_why")
    ]
    unlisted = {"platform": Other("ours"), "existing-stack": (Other("ours"),), "server-model": Other("ours")}
    assert judge.feature("x", {**said, **unlisted})["confidence"] != "high"


def test_a_name_that_no_rule_knows_is_as_doubtful_as_no_answer(judge):
    """`websockets-blocked: {other: sometimes, it seems}` was "high" where "I don't know" was "low"."""
    said = {
        "bidirectional-realtime": True,
        "client-msg-rate-per-s": 1,
        "server-msg-rate-per-s": 1,
        "latency-need-ms": 1000,
        "corporate-networks": True,
        "replay-needed": True,
    }
    unknown = judge.feature("x", {**said, "websockets-blocked": UNKNOWN})
    named = judge.feature("x", {**said, "websockets-blocked": Other("sometimes, it seems")})
    assert (named["primary"], named["confidence"]) == (unknown["primary"], unknown["confidence"])
    assert unknown["confidence"] == "low"
    assert named["riskiest"] == unknown["riskiest"]


@pytest.mark.parametrize("fact", ["reverse-proxy", "load-balancer", "service-mesh", "platform", "cdn"])
def test_an_unlisted_name_on_the_way_keeps_the_warning_about_held_back_streams(judge, fact):
    facts = {"bidirectional-realtime": False, "corporate-networks": False, "server-msg-rate-per-s": 1}
    answers = {**facts, fact: Other("IIS")}
    feature = judge.feature("x", answers)
    assert "sse-buffering" in told(judge, feature, answers)
    assert sorted(feature["stated"]) == sorted([*facts, fact])  # it is kept, and shown


def test_only_what_is_not_listed_is_taken_out():
    answers = {
        "clients": ("browser", Other("kiosk")),
        "existing-stack": (Other("Phoenix channels"),),
        "broker": Other("Pulsar"),
        "cdn": "fastly",
        "instances": 2,
    }
    assert without_unlisted(answers) == {"clients": ("browser",), "cdn": "fastly", "instances": 2}
    assert without_unlisted({"existing-stack": ()}) == {"existing-stack": ()}  # none of these is an answer


# --- private data -----------------------------------------------------------------------------------------------------

PRIVATE = [
    ({"listeners-per-event": 1, "concurrent-clients": 5000}, True),
    ({"listeners-per-event": 5000, "concurrent-clients": 5000}, False),
    ({"auth": "cookie"}, True),
    ({"auth": Other("client certificates")}, True),
    ({"auth": "none"}, False),
    ({"auth": "cookie", "same-content-for-all": True}, False),
    ({"auth": UNKNOWN, "listeners-per-event": UNKNOWN}, False),
    ({}, False),
]


@pytest.mark.parametrize(("facts", "told"), PRIVATE)
@pytest.mark.parametrize("pattern", [{"bidirectional-realtime": False}, {"bidirectional-realtime": True}])
def test_the_lack_of_privacy_is_told_first_where_data_is_private(judge, facts, told, pattern):
    verdict = recommend(one_feature({**pattern, **facts}), judge.base, judge)
    feature = verdict["features"][0]
    assert ("broadcast-to-all" in ids(feature["caveats"])) == told
    if told:
        assert feature["caveats"][0]["id"] == "broadcast-to-all"
        head = text.text(verdict, judge.base).split("Why\n---")[0]
        assert "Before anything else: The server of the kit sends every event to everybody" in " ".join(head.split())
        record = markdown.markdown(verdict, judge.base)
        assert record.index("Before anything else") < record.index("Consequences")
    elif facts.get("auth") != "none" and not facts.get("same-content-for-all") and len(facts) != 2:
        assert "broadcast-to-all" in ids(feature["caveats_if"])


def one_feature(facts):
    return Project("p", {}, {}, (Feature("x", facts),))


def test_parse_keeps_an_unlisted_answer_as_it_was_written(judge):
    project = parse("path: {reverse-proxy: {other: IIS 10}}\nfeatures: [{name: x}]\n", "f.yaml", judge.base)
    assert project.path["reverse-proxy"] == Other("IIS 10")


def test_the_interview_warns_as_much_after_an_unlisted_name_as_after_i_do_not_know(judge):
    facts = {"bidirectional-realtime": False, "corporate-networks": False}
    named, unknown = (
        Session.from_project(one_feature({**facts, "reverse-proxy": value}), judge.base)
        for value in (Other("IIS"), UNKNOWN)
    )
    assert {c.id for c in named.caveats} >= {c.id for c in unknown.caveats}
    assert "sse-buffering" in {c.id for c in named.caveats}


# --- plausible values -------------------------------------------------------------------------------------------------


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_high_holds_for_each_plausible_value_taken_alone(judge, seed):
    """Decided again from the answers file up, as a person would who corrects one assumption."""
    answers = random_answers_of_file(Random(seed), judge.base)
    known = know(answers, judge.base)
    feature = judge.feature("x", answers)
    fine = {feature["primary"], *(item["id"] for item in feature["acceptable"])}
    others = [(fact, value) for fact, found in plausible(known, judge.base).items() for value, _ in found]
    primaries = {judge.feature("x", {**answers, fact: value})["primary"] for fact, value in others}
    if feature["confidence"] == "high":
        assert primaries <= {feature["primary"]}
    elif feature["confidence"] == "medium":
        assert primaries <= fine
    if not primaries <= fine:
        assert feature["confidence"] == "low"


def test_what_is_not_listed_as_plausible_is_no_doubt(judge):
    """A prototype, live media, a network that cuts responses: decisive, and nobody would forget to say so."""
    facts = {
        "kind": "status", "bidirectional-realtime": False, "server-msg-rate-per-s": 0.2, "clients": ("browser",),
        "latency-need-ms": 2000, "replay-needed": False, "corporate-networks": False, "http2-to-browser": True,
        "server-model": "async", "concurrent-clients": 5000, "same-content-for-all": False, "bounded-job": False,
    }  # fmt: skip
    feature = judge.feature("x", facts)
    decisive = {a["fact"] for a in feature["assumptions"] if a["decides"]}
    assert {"prototype", "media"} <= decisive
    assert (feature["primary"], feature["confidence"]) == ("sse", "high")
    del facts["latency-need-ms"]  # a status page may well be half a minute late, and a timer does then
    late = judge.feature("x", facts)
    assert (late["primary"], late["confidence"] != "high", late["riskiest"]["fact"]) == ("sse", True, "latency-need-ms")


def test_plausible_values_leave_room_for_what_is_assumed(judge):
    for item in judge.base.plausible:
        assert judge.base.questions[item.fact].mode == "assume" or item.fact == "bidirectional-realtime"
        assert sum(weight for _, weight in item.others) <= 1
        assert item.evidence
