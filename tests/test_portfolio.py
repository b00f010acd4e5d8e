"""Several features of one project: merged by page, in any order, and never with a connection that no feature has."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.handwritten_answers import random_answers_of_file, random_facts
from support.shipped import shipped

from advisor.engine import portfolio
from advisor.engine.portfolio import Neighbours, recommend
from advisor.engine.verdict import Judge
from advisor.model.project import Feature, Project
from advisor.model.values import UNKNOWN, Other
from advisor.report import markdown, text, words

CHAT = {"bidirectional-realtime": True, "client-msg-rate-per-s": 2, "page": "shop"}
STATUS = {"bidirectional-realtime": False, "server-msg-rate-per-s": 0.2, "page": "shop"}


@pytest.fixture(scope="module")
def judge():
    return Judge(shipped())


def project(features, **more):
    return Project(
        name="p",
        features=tuple(Feature(name, facts) for name, facts in features.items()),
        **{"path": {}, "app": {}, **more},
    )


def decided(judge, features, **more):
    verdict = recommend(project(features, **more), judge.base, judge)
    return {f["name"]: f for f in verdict["features"]}, verdict


def with_shared(verdict):
    """The features with their own caveats and those that are listed once for several, in the order of their ids."""
    made = {}
    for feature in verdict["features"]:
        common = [c for c in verdict["shared"]["caveats"] if feature["name"] in c["features"]]
        plain = [{k: v for k, v in c.items() if k != "features"} for c in (*feature["caveats"], *common)]
        made[feature["name"]] = {**feature, "caveats": sorted(plain, key=lambda c: c["id"])}
    return made


def common(verdict):
    return {(c["id"], *sorted(c["features"])) for c in verdict["shared"]["caveats"]}


def test_a_one_way_feature_rides_on_the_socket_that_its_page_has_open(judge):
    features, verdict = decided(judge, {"chat": CHAT, "status": STATUS})
    assert (features["status"]["alone"], features["status"]["primary"]) == ("sse", "websocket")
    assert features["chat"]["alone"] == features["chat"]["primary"] == "websocket"
    assert verdict["shared"]["connections"] == [
        {"page": "shop", "pattern": "websocket", "features": ["chat", "status"]}
    ]
    assert verdict["shared"]["reuse"] == []  # it is done already


def without_page(facts):
    return {fact: value for fact, value in facts.items() if fact != "page"}


@pytest.mark.parametrize("unknown", [{}, {"page": UNKNOWN}, {"page": ""}])
def test_without_a_page_each_feature_is_decided_alone_with_one_advice(judge, unknown):
    """No page stated once meant one page: an admin report rode on the chat's WebSocket."""
    report = {**without_page(STATUS), **unknown}
    features, verdict = decided(judge, {"chat": {**without_page(CHAT), **unknown}, "report": report})
    assert features["report"]["primary"] == features["report"]["alone"] == "sse"
    assert verdict["shared"]["connections"] == []
    assert verdict["shared"]["reuse"] == [{"feature": "report", "could_use": "chat"}]
    line = words.reuse_line(verdict, judge.base)
    assert "On one page report could use the WebSocket connection of chat" in line
    for format_ in (text.text, markdown.markdown):
        assert " ".join(format_(verdict, judge.base).split()).count("could use the WebSocket connection of") == 1


def test_a_neighbour_without_a_page_gives_no_useless_advice(judge):
    one_way = without_page(STATUS)
    _, verdict = decided(judge, {"chat": CHAT, "status": {**one_way, "page": "stock"}})
    assert verdict["shared"]["reuse"] == []  # both pages are stated, and are two
    _, verdict = decided(judge, {"chat": without_page(CHAT), "job": {**one_way, "clients": ("server",)}})
    assert verdict["shared"]["reuse"] == []
    _, verdict = decided(judge, {"one": one_way, "two": one_way, "three": one_way})
    assert verdict["shared"]["reuse"] == [
        {"feature": "two", "could_use": "one"},
        {"feature": "three", "could_use": "one"},
    ]


SERVED_BY_A_TIMER = [
    {"latency-need-ms": 300_000},
    {"bounded-job": True, "latency-need-ms": 10_000},
    {"same-content-for-all": True, "cdn-caching": True, "latency-need-ms": 10_000},
    {"server-msg-rate-per-s": 0},
]


@pytest.mark.grid
@pytest.mark.parametrize("facts", SERVED_BY_A_TIMER)
@pytest.mark.parametrize("connection", ["websocket", "sse"])
def test_what_a_timer_serves_well_stays_a_timer_beside_an_open_connection(judge, facts, connection):
    """Also where the page is stated, or somebody says that a connection is open on it."""
    feature = {**STATUS, **facts}
    carrier = CHAT if connection == "websocket" else STATUS
    features, _ = decided(judge, {"carrier": carrier, "x": feature})
    stated, _ = decided(judge, {"x": {**feature, "existing-connection": connection}})
    for found in (features["x"], stated["x"]):
        assert found["primary"] == found["alone"]
        assert found["primary"] in ("short-polling", "http-request")
    assert features["carrier"]["primary"] == connection


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_neighbour_without_a_page_changes_no_verdict(judge, seed):
    """Nor does one on another page: the verdict of a feature is the one that it has alone."""
    rng = Random(seed)
    path = random_answers_of_file(rng, judge.base)
    path = {f: v for f, v in path.items() if judge.base.questions[f].scope == "path" and rng.random() < 0.3}
    features = {}
    for i, page in enumerate(rng.sample([None, UNKNOWN, "one", "two", None, UNKNOWN], 4)):
        facts = without_page(random_answers_of_file(rng, judge.base))
        kept = {f: v for f, v in facts.items() if rng.random() < 0.4}
        features[f"f{i}"] = {**kept, **({} if page is None else {"page": page})}
    together = with_shared(decided(judge, features, path=path)[1])
    for name, facts in features.items():
        alone = with_shared(decided(judge, {name: facts}, path=path)[1])
        assert alone[name] == together[name]


@pytest.mark.parametrize(
    "apart",
    [
        {"page": "another"},
        {"clients": ("server",)},
        {"existing-connection": "sse"},
        {"websockets-blocked": "always"},
    ],
)
def test_it_does_not_where_it_is_elsewhere_or_says_otherwise_or_cannot(judge, apart):
    features, _ = decided(judge, {"chat": CHAT, "status": {**STATUS, **apart}})
    assert features["status"]["primary"] == features["status"]["alone"] != "websocket"


def test_nothing_open_today_does_not_forbid_to_share_what_will_be(judge):
    """The interview asks what is open now; "none" is the honest answer before anything is built."""
    none = {"existing-connection": "none"}
    features, _ = decided(judge, {"chat": {**CHAT, **none}, "status": {**STATUS, **none}})
    assert features["status"]["primary"] == "websocket"


def test_a_socket_that_a_neighbour_says_is_open_carries_this_one_too(judge):
    open_now = {**STATUS, "existing-connection": "websocket"}
    features, _ = decided(judge, {"old": open_now, "new": dict(STATUS)})
    assert features["new"]["primary"] == "websocket"


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_features_changes_nothing_but_the_order(judge, seed):
    rng = Random(seed)
    features = {f"f{i}": random_answers_of_file(rng, judge.base) for i in range(3)}
    for facts in features.values():
        facts["page"] = rng.choice(["one", "two"])
        facts["clients"] = ("browser",)
        if rng.random() < 0.7:
            facts.pop("existing-connection", None)
    names = list(features)
    rng.shuffle(names)
    _, whole = decided(judge, features)
    _, again = decided(judge, {name: features[name] for name in names})
    first, second = with_shared(whole), with_shared(again)
    assert first == second
    assert [f["name"] for f in again["features"]] == names
    assert again["exit"] == whole["exit"]
    assert common(again) == common(whole)
    assert again["shared"]["timing"] == whole["shared"]["timing"]

    def groups(verdict):
        return {(c["page"], c["pattern"], tuple(sorted(c["features"]))) for c in verdict["shared"]["connections"]}

    assert groups(whole) == groups(again)


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_answers_changes_nothing_at_all(judge, seed):
    """`stated` once listed its facts in the order of the file, so that an edited file gave another verdict."""
    rng = Random(seed)
    features = {f"f{i}": random_answers_of_file(rng, judge.base) for i in range(2)}
    whole = {"path": random_facts(rng, judge.base, "path"), "app": random_facts(rng, judge.base, "app")}

    def shuffled(facts):
        return dict(rng.sample(list(facts.items()), len(facts)))

    again = {name: shuffled(facts) for name, facts in features.items()}
    other = {group: shuffled(facts) for group, facts in whole.items()}
    assert json.dumps(decided(judge, features, **whole)[1]) == json.dumps(decided(judge, again, **other)[1])


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_who_rides_on_a_connection_shares_its_page_with_one_that_keeps_it(judge, seed):
    rng = Random(seed)
    features = {f"f{i}": {**random_answers_of_file(rng, judge.base), "clients": ("browser",)} for i in range(3)}
    for facts in features.values():
        facts.pop("existing-connection", None)
        facts["page"] = "shop"
    found, _ = decided(judge, features)
    for name, feature in found.items():
        if feature["primary"] != feature["alone"]:
            others = [f for other, f in found.items() if other != name]
            assert any(f["primary"] == feature["primary"] for f in others)


def test_path_and_app_facts_hold_for_every_feature_unless_it_has_its_own(judge):
    features, _ = decided(
        judge,
        {"chat": CHAT, "inside": {**CHAT, "websockets-blocked": "never"}},
        path={"websockets-blocked": "always"},
    )
    assert features["chat"]["primary"] != "websocket"
    assert features["inside"]["primary"] == "websocket"


def test_the_same_project_gives_the_same_bytes(judge):
    whole = project({"chat": CHAT, "status": STATUS})
    one, two = (json.dumps(recommend(whole, judge.base, Judge(judge.base))) for _ in range(2))
    assert one == two


def test_exit_is_0_for_what_lies_outside_too(judge):
    _, verdict = decided(judge, {"call": {"media": True}})
    assert verdict["features"][0]["outside"]
    assert verdict["exit"] == 0


@pytest.mark.long
def test_each_feature_is_looked_at_once_however_many_there_are(judge, monkeypatch):
    """Neighbours are compared by what was found out once; two hundred features must not take forty thousand looks."""
    looks, real = [], portfolio.decide_alone
    monkeypatch.setattr(portfolio, "decide_alone", lambda facts, base: looks.append(1) or real(facts, base))
    monkeypatch.setattr(portfolio.Neighbours, "decider", lambda *_: None)  # what other answers would change is apart
    decided(judge, {f"f{i}": dict(STATUS) for i in range(12)})
    assert len(looks) == 12


@pytest.mark.long
@pytest.mark.grid
@pytest.mark.parametrize("count", [12, 24])
def test_what_would_change_it_costs_each_feature_the_same_however_many_there_are(judge, monkeypatch, count):
    looks, real = [], portfolio.decide_alone
    monkeypatch.setattr(portfolio, "decide_alone", lambda facts, base: looks.append(1) or real(facts, base))
    decided(judge, {f"f{i}": dict(STATUS) for i in range(count)})
    assert len(looks) / count < 250


def check_changes(judge, whole):
    """The verdict, after each change that it proposes was written into the project and led where it says."""
    verdict = recommend(whole, judge.base, judge)
    for feature in verdict["features"]:
        mine = next(f for f in whole.features if f.name == feature["name"])
        assert all(to != feature["primary"] for item in feature["assumptions"] for to in item["decides"])
        for change in feature["changes"]:
            facts = {fact: back(value) for fact, value in change["set"].items()}
            common = {
                f: v for f, v in facts.items() if judge.base.questions[f].scope != "feature" and f not in mine.facts
            }
            own = {f: v for f, v in facts.items() if f not in common}
            changed = Project(
                whole.name,
                {**whole.path, **common},
                whole.app,
                tuple(Feature(f.name, {**f.facts, **own}) if f is mine else f for f in whole.features),
            )
            assert Neighbours(changed, judge.base).decided(mine.name, {}) == change["to"], (mine.name, change)
            assert change["to"] != feature["primary"]
    return verdict


def back(value):
    """An answer of the verdict as one of the file."""
    if isinstance(value, list):
        return tuple(back(item) for item in value)
    return Other(value["other"]) if isinstance(value, dict) else value


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_each_proposed_change_works_among_the_other_features(judge, seed):
    """A neighbour's connection is there whatever this feature says, and answers about the path hold for all."""
    rng = Random(seed)
    features = {}
    for i in range(3):
        facts = random_answers_of_file(rng, judge.base)
        chance = {"feature": 0.5, "path": 0.1, "app": 0.1}  # a feature may have its own path
        kept = {f: v for f, v in facts.items() if rng.random() < chance[judge.base.questions[f].scope]}
        features[f"f{i}"] = {**kept, "clients": ("browser",), **rng.choice([{"page": "shop"}, {"page": "shop"}, {}])}
    path = random_answers_of_file(rng, judge.base)
    path = {f: v for f, v in path.items() if judge.base.questions[f].scope == "path" and rng.random() < 0.3}
    check_changes(judge, project(features, path=path))


def test_who_rides_on_a_connection_is_not_told_to_close_it(judge):
    verdict = check_changes(judge, project({"chat": CHAT, "status": STATUS}))
    status = verdict["features"][1]
    assert {"to": "sse", "set": {"page": "another page"}} in [
        {k: c[k] for k in ("to", "set")} for c in status["changes"]
    ]
    assert "existing-connection" not in {fact for c in status["changes"] for fact in c["set"] if c["to"] == "sse"}


def test_tabs_times_streams_are_counted_for_each_page(judge):
    feed = {"bidirectional-realtime": False, "tabs-per-user": 4, "page": "shop"}
    held = {**feed, "buffering-intermediary": True, "http2-to-browser": False}
    _, verdict = decided(
        judge, {"one": feed, "two": feed, "three": {**held, "page": "stock"}, "four": {**held, "page": "stock"}}
    )
    assert verdict["shared"]["pages"] == [
        # Event streams of a page are one.
        {"page": "shop", "features": ["one", "two"], "streams": 1, "tabs": 4, "total": 4, "http2": None},
        {"page": "stock", "features": ["three", "four"], "streams": 2, "tabs": 4, "total": 8, "http2": False},
    ]
    _, verdict = decided(judge, {"one": without_page(feed), "two": without_page(held)})
    assert [(page["page"], page["features"]) for page in verdict["shared"]["pages"]] == [("", ["one"]), ("", ["two"])]


def test_the_question_to_ask_next_is_unanswered_and_decides(judge):
    features, _ = decided(judge, {"x": {"bidirectional-realtime": False}, "y": dict(STATUS)})
    for name, facts in {"x": {"bidirectional-realtime"}, "y": set(STATUS)}.items():
        asked = features[name]["ask_next"]
        assert asked["fact"] not in facts
        assert features[name]["primary"] not in asked["decides"]


# --- what keeps two features of one page apart ------------------------------------------------------------------------

GAME = {"kind": "game", "page": "shop", "clients": ("browser",), "bidirectional-realtime": True}
LLM = {"kind": "llm-stream", "page": "shop", "clients": ("browser",)}


@pytest.mark.grid
@pytest.mark.parametrize(
    ("carrier", "rider", "rides"),
    [
        ({**CHAT, "concurrent-clients": 100}, {**STATUS, "concurrent-clients": 200}, True),
        ({**CHAT, "concurrent-clients": 100}, {**STATUS, "concurrent-clients": 201}, False),
        (CHAT, {**STATUS, "concurrent-clients": 50_000}, True),  # the clients of the chat are not stated
        ({**CHAT, "latency-need-ms": 99}, {**STATUS, "server-msg-rate-per-s": 9.9}, True),
        ({**CHAT, "latency-need-ms": 99}, {**STATUS, "server-msg-rate-per-s": 10}, False),
        ({**CHAT, "latency-need-ms": 100}, {**STATUS, "server-msg-rate-per-s": 10}, True),
        ({**CHAT, "upstream-latency-need-ms": 50}, {**STATUS, "payload-bytes": 65_536}, False),
        ({**CHAT, "upstream-latency-need-ms": 50}, {**STATUS, "payload-bytes": 65_535}, True),
        (GAME, {**STATUS, "server-msg-rate-per-s": 20}, False),  # a game is usually that urgent
        (CHAT, {**STATUS, "same-content-for-all": True, "cdn-caching": True}, False),
        (CHAT, {**STATUS, "same-content-for-all": True, "cdn-caching": False}, True),
        (CHAT, LLM, False),
        (CHAT, {**LLM, "cancel-needed": False}, True),
    ],
)
def test_a_feature_rides_only_where_nothing_keeps_it_apart(judge, carrier, rider, rides):
    features, verdict = decided(judge, {"carrier": carrier, "rider": rider})
    assert features["carrier"]["primary"] == "websocket"
    assert (features["rider"]["primary"] == "websocket") is rides
    if not rides:
        assert features["rider"]["primary"] == features["rider"]["alone"]
        assert verdict["shared"]["connections"] == []
    unknown, advised = decided(judge, {"carrier": without_page(carrier), "rider": without_page(rider)})
    assert unknown["rider"]["primary"] == features["rider"]["alone"]
    assert advised["shared"]["reuse"] == ([{"feature": "rider", "could_use": "carrier"}] if rides else [])


def test_two_streams_of_a_page_are_one_only_where_the_features_may_share_it(judge):
    """An answer in pieces is the body of its own request, and the many do not open what only the few read."""
    news = {**STATUS, "concurrent-clients": 100}
    _, verdict = decided(judge, {"news": news, "bell": news, "crowd": {**news, "concurrent-clients": 1000}, "ask": LLM})
    assert [c["features"] for c in verdict["shared"]["connections"]] == [["news", "bell"]]
    assert [page["streams"] for page in verdict["shared"]["pages"]] == [3]


def test_a_feature_that_would_ask_on_a_timer_rides_on_the_stream_of_its_page(judge):
    """Half a minute would do, and what is open is fresher for nothing."""
    patient = {**STATUS, "latency-need-ms": 30_000}
    features, _ = decided(judge, {"log": STATUS, "state": patient})
    assert (features["state"]["alone"], features["state"]["primary"]) == ("short-polling", "sse")


def test_a_timer_beside_an_open_connection_stays_one_and_the_note_is_read(judge):
    """People who label insist on that note: the connection of the page is there, and nobody had said so."""
    tasks = {"bidirectional-realtime": False, "latency-need-ms": 60_000, "page": "shop", "concurrent-clients": 8}
    tasks["server-msg-rate-per-s"] = 0.001
    noted = {}
    for place, changed in {"here": {}, "elsewhere": {"page": "other"}, "crowd": {"concurrent-clients": 90_000}}.items():
        facts = {**tasks, **changed}
        features, _ = decided(judge, {"calls": {**STATUS, "concurrent-clients": 8}, "tasks": facts})
        assert features["tasks"]["primary"] == "short-polling"
        noted[place] = [c["because"] for c in features["tasks"]["caveats"] if c["id"] == "reuse-existing-connection"]
        assert "reuse-existing-connection" not in {c["id"] for c in features["calls"]["caveats"]}
    assert noted == {"here": ["shop is also the page of calls"], "elsewhere": [], "crowd": []}
