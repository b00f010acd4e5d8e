"""Conditions on what the platform cards say: written out as answers, and what an author gets wrong in one."""

from __future__ import annotations

import shutil

import jsonschema
import pytest
import yaml
from support.shipped import shipped

from advisor.base.data import data
from advisor.base.errors import RuleBaseError
from advisor.engine.verdict import Judge
from advisor.model.conditions import ConditionError
from advisor.model.platforms import WAY, cards
from advisor.model.values import Other
from advisor.ruleset.card_conditions import CardConditions, typed
from advisor.ruleset.compile import compile_folder
from advisor.ruleset.editor_schema import when_schema
from advisor.ruleset.prove import prove

RULES = shipped()
JUDGE = Judge(RULES)
CARDS = cards(RULES)
CONDITIONS = CardConditions(CARDS.values(), RULES.patterns, RULES.questions["concurrent-clients"].bands)


def written_out(when, *, decides=False):
    return CONDITIONS.written_out(when, decides=decides)[0]


def says(row, value, fact):
    group, key = row.split("/")
    return {
        name
        for name, card in CARDS.items()
        if fact in card.stands_at and any(r.id == key and r.value == value for r in card.groups.get(group, ()))
    }


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(data("rules"), tmp_path / "rules")
    return tmp_path / "rules"


# --- written out ------------------------------------------------------------------------------------------------------


def test_a_row_becomes_the_answers_whose_cards_have_it():
    made = written_out({"reverse-proxy": {"row": "websocket/upgrade", "is": "only when configured"}, "binary": "no"})
    assert made["binary"] == "no"
    assert set(made["reverse-proxy"]) == says("websocket/upgrade", "only when configured", "reverse-proxy")
    assert {"nginx", "apache", "f5-nginx-ingress"} <= set(made["reverse-proxy"])
    assert "caddy" not in made["reverse-proxy"]


def test_yes_and_no_are_words_on_the_cards():
    assert written_out({"reverse-proxy": {"row": "buffering/responses", "is": True}}) == written_out(
        {"reverse-proxy": {"row": "buffering/responses", "is": "yes"}}
    )


def test_not_leaves_out_the_answers_whose_cards_say_it():
    assert written_out({"platform": {"not": {"row": "connections/held", "is": "by the vendor"}}}) == {
        "platform": {"not": ["managed-push"]}
    }


def test_on_the_way_is_each_question_by_itself():
    when = {"on-the-way": {"row": "websocket/upgrade", "is": "only when configured"}, "stated": "on-the-way"}
    made = {tuple(part["stated"]): part for part in written_out(when)}
    assert set(made) >= {("reverse-proxy",), ("load-balancer",), ("service-mesh",), ("cdn",)}
    for (fact,), part in made.items():
        assert set(part) == {fact, "stated"}
        listed = part[fact] if isinstance(part[fact], list) else [part[fact]]
        assert set(listed) == says("websocket/upgrade", "only when configured", fact)


def test_for_pattern_goes_by_the_channel_of_each_pattern():
    when = {"pattern": ["websocket", "sse", "fetch-stream"], "cdn": {"limit": "lifetime", "for": "pattern"}}
    assert written_out(when) == [{"pattern": "websocket", "cdn": "azure-front-door"}] or written_out(when) == {
        "pattern": "websocket",
        "cdn": "azure-front-door",
    }
    both = written_out({"pattern": ["sse", "fetch-stream"], "platform": {"limit": "lifetime", "for": "pattern"}})
    assert both["pattern"] == ["sse", "fetch-stream"]


def test_patterns_with_the_same_cards_share_a_situation():
    when = {"pattern": ["sse", "websocket", "long-polling"], "platform": {"limit": "grace", "for": "pattern"}}
    made = written_out(when)
    assert made["pattern"] == when["pattern"]
    assert {"kubernetes", "fly"} <= set(made["platform"])


def test_a_limit_is_asked_by_kind_length_and_whether_it_can_be_removed():
    short = written_out({"load-balancer": {"limit": ["total", "first-byte"], "for": "long-polling", "at-most": 30}})
    assert set(short["load-balancer"]) == {"aws-api-gateway", "gcp-lb"}
    assert "envoy" in str(written_out({"reverse-proxy": {"limit": "total", "removable": True}}))
    with pytest.raises(ConditionError, match="no card"):
        written_out({"reverse-proxy": {"limit": "total", "removable": False}})


def test_several_conditions_are_any_of_them():
    one = written_out({"reverse-proxy": {"row": "buffering/responses", "is": "yes"}})["reverse-proxy"]
    two = written_out({"reverse-proxy": {"row": "buffering/small-events", "is": "no"}})["reverse-proxy"]
    both = written_out(
        {"reverse-proxy": [{"row": "buffering/responses", "is": "yes"}, {"row": "buffering/small-events", "is": "no"}]}
    )
    assert set(both["reverse-proxy"]) == {*one, two}


def test_a_capacity_is_compared_with_the_clients():
    made = written_out({"pattern": "websocket", "cdn": {"capacity": "all", "for": "pattern"}})
    assert made == {
        "pattern": "websocket",
        "cdn": "azure-front-door",
        "concurrent-clients": ["thousands", "very-many", "huge"],
    }


def test_what_names_no_card_is_left_as_it_is():
    for when in ({"cdn": "none"}, {"cdn": {"not": "none"}}, [{"binary": True}, {"clients": {"only": "server"}}], {}):
        assert written_out(when) == when


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"cdn": {"rows": "websocket/upgrade"}}, "write what a card must say"),
        ({"cdn": {"row": "websocket/upgrade", "for": "sse"}}, "'for' is not allowed beside `row`"),
        ({"cdn": {"row": "limits/idle"}}, "write a row as GROUP/KEY"),
        ({"cdn": {"row": "websocket/upgrad"}}, "no card that is an answer here says this"),
        ({"cdn": {"limit": "idel"}}, "there is no limit 'idel'; did you mean idle?"),
        ({"cdn": {"limit": "idle", "for": "pattern"}}, "`for: pattern` needs a list of patterns beside it"),
        ({"cdn": {"capacity": "some"}}, "there is no capacity 'some'"),
        (
            {"on-the-way": {"row": "websocket/upgrade", "is": "only when configured"}, "cdn": "none"},
            "is used together with on-the-way",
        ),
    ],
)
def test_what_is_wrong_in_one_is_said(when, said):
    with pytest.raises(ConditionError) as caught:
        written_out(when)
    assert said in str(caught.value)


def test_a_mistake_has_its_place(folder):
    path = folder / "caveats" / "network.yaml"
    text = path.read_text("utf-8")
    wanted = "on-the-way: {row: buffering/event-streams, is: not supported}"
    assert wanted in text
    path.write_text(text.replace(wanted, "on-the-way: {row: buffering/event-stream, is: not supported}"), "utf-8")
    line = text[: text.index(wanted)].count("\n") + 1
    with pytest.raises(RuleBaseError) as caught:
        compile_folder(folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("rules/caveats/network.yaml", line)


def test_the_editor_knows_the_conditions():
    validator = jsonschema.Draft202012Validator(when_schema(RULES, pattern=True, stated=True))
    for name in ("network", "scale", "polling", "platform"):
        text = (data("rules") / "caveats" / f"{name}.yaml").read_text("utf-8")
        for caveat in yaml.load(text, yaml.BaseLoader)["caveats"]:
            assert validator.is_valid(caveat["when"]), caveat["id"]
    for wrong in ({"cdn": {"rows": "x"}}, {"on-the-way": "cloudflare"}, {"cdn": {"row": "a/b", "for": "sse"}}):
        assert not validator.is_valid(wrong)


# --- a new card counts ------------------------------------------------------------------------------------------------

CARD = """\
name: Example CDN
stands-at: [cdn]
summary: A CDN.
limits:
  life:
    kind: lifetime
    for: [websocket]
    seconds: 600
    change: fixed
    says: A socket ends then.
    source: https://example.com/limits
    as-of: 2026-11-24
    confidence: high
websocket:
  upgrade:
    value: only when configured
    says: A switch.
    source: https://example.com/limits
    as-of: 2026-11-24
    confidence: high
capacity:
  sockets:
    value: 1000
    unit: connections
    per: all
    for: [websocket]
    says: A thousand sockets.
    source: https://example.com/limits
    as-of: 2026-11-24
    confidence: low
"""
CHAT = {
    "bidirectional-realtime": True,
    "client-msg-rate-per-s": 2,
    "reverse-proxy": "caddy",
    "corporate-networks": False,
    "websockets-blocked": "never",
    "replay-needed": False,
    "instances": 1,
    "server-model": "async",
    "http2-to-browser": True,
}


def caveats(verdict):
    """What is raised: the five that are printed in full, and those beyond them, which have a line each."""
    return {c["id"] for c in verdict["caveats"]} | {c["id"] for c in verdict["caveats_if"] if not c["if"]}


@pytest.mark.long
def test_a_card_that_is_added_raises_what_it_says(folder):
    (folder / "platforms" / "example-cdn.yaml").write_text(CARD, "utf-8")
    judge = Judge(compile_folder(folder))
    with_it = judge.feature("x", {**CHAT, "cdn": "example-cdn", "concurrent-clients": 1000})
    assert {"hard-duration-limit", "proxy-upgrade-config", "capacity-exceeded"} <= caveats(with_it)
    fewer = judge.feature("x", {**CHAT, "cdn": "example-cdn", "concurrent-clients": 999})
    assert "capacity-exceeded" not in caveats(fewer)
    without = judge.feature("x", {**CHAT, "cdn": "none", "concurrent-clients": 1000})
    told = {c["id"] for c in without["caveats"]}
    assert not told & {"hard-duration-limit", "proxy-upgrade-config", "capacity-exceeded"}


def test_a_capacity_without_a_band_says_which_band_is_needed(folder):
    (folder / "platforms" / "example-cdn.yaml").write_text(CARD.replace("value: 1000", "value: 1234"), "utf-8")
    with pytest.raises(RuleBaseError, match="concurrent-clients needs a band that begins there"):
        compile_folder(folder)


@pytest.mark.long
def test_platforms_typed_into_a_condition_are_a_finding(folder):
    assert list(typed({"cdn": {"not": "none"}, "platform": {"row": "a/b"}, "binary": True})) == []
    assert list(typed([{"cdn": "none"}, {"cdn": ["fastly", "none"]}])) == [("cdn", ("fastly",), (1, "cdn"))]
    path = folder / "caveats" / "platform.yaml"
    text = path.read_text("utf-8")
    wanted = "platform: {row: connections/held, is: [a running call, a call or an object]}"
    assert wanted in text
    path.write_text(
        text.replace(wanted, "platform: [aws-lambda, vercel, netlify, azure-functions, cloudflare-workers]")
    )
    found = [f for f in prove(compile_folder(folder)).findings if f.code == "TYPED_PLATFORM"]
    assert [f.id for f in found] == []  # nothing that the cards of all five say alike: they need a row first
    path.write_text(text.replace(wanted, "platform: [aws-lambda, vercel, netlify, azure-functions]"))
    (found,) = [f for f in prove(compile_folder(folder)).findings if f.code == "TYPED_PLATFORM"]
    assert found.id == "TYPED_PLATFORM:platform-no-long-lived.platform"
    assert "{row: connections/held, is: a running call}" in found.sentence
    assert found.place.line == text[: text.index(wanted)].count("\n") + 1


def test_no_condition_of_ours_names_a_platform():
    assert RULES.typed == ()


# --- what is in doubt -------------------------------------------------------------------------------------------------

STREAM = {
    "bidirectional-realtime": False,
    "server-msg-rate-per-s": 2,
    "latency-need-ms": 500,
    "reverse-proxy": "caddy",
    "replay-needed": False,
    "corporate-networks": False,
    "instances": 1,
    "server-model": "async",
    "http2-to-browser": True,
}


def test_a_row_in_doubt_that_decides_makes_the_verdict_medium_and_says_verify():
    plain = JUDGE.feature("x", {**STREAM, "cdn": "cloudfront"})
    doubtful = JUDGE.feature("x", {**STREAM, "cdn": "azure-front-door"})
    assert plain["primary"] == doubtful["primary"] == "sse"
    assert (plain["confidence"], doubtful["confidence"]) == ("high", "medium")
    assert doubtful["confidence_why"].startswith("VERIFY: Azure Front Door: ")
    assert "sources disagree" in doubtful["confidence_why"]


def test_a_limit_in_doubt_that_a_heartbeat_answers_decides_nothing():
    cloudflare = JUDGE.feature("x", {**CHAT, "cdn": "cloudflare", "cdn-websocket": True})
    assert "idle-timeout-heartbeat" in caveats(cloudflare)
    assert "VERIFY" not in cloudflare["confidence_why"]


def test_a_doubt_counts_where_it_was_stated_and_for_its_pattern():
    socket = JUDGE.feature("x", {**CHAT, "cdn": "azure-front-door"})
    assert socket["primary"] == "websocket"
    assert "VERIFY" not in socket["confidence_why"]
    unknown = JUDGE.feature("x", {**STREAM, "cdn": Other("something of ours")})
    assert "VERIFY" not in unknown["confidence_why"]


# --- capacity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ({**CHAT, "cdn": "azure-front-door", "concurrent-clients": 40_000}, True),
        ({**CHAT, "cdn": "azure-front-door", "concurrent-clients": 2_999}, False),
        ({**CHAT, "cdn": "azure-front-door"}, False),  # the number is not stated
        ({**STREAM, "cdn": "azure-front-door", "concurrent-clients": 40_000}, False),  # its limit is one of sockets
        ({**STREAM, "hosting-layer": "puma", "instances": 4, "concurrent-clients": 20}, True),
        ({**STREAM, "hosting-layer": "puma", "instances": 4, "concurrent-clients": 19}, False),
        ({**STREAM, "hosting-layer": "uvicorn", "instances": 4, "concurrent-clients": 20}, False),
        (
            {
                **STREAM,
                "hosting-layer": "puma",
                "instances": 4,
                "concurrent-clients": 20,
                "connections-per-instance": 50,
            },
            False,
        ),
        ({**STREAM, "instances": 2, "connections-per-instance": 500, "concurrent-clients": 1000}, True),
        ({**STREAM, "instances": 3, "connections-per-instance": 500, "concurrent-clients": 1000}, False),
    ],
)
def test_capacity_meets_the_clients(answers, raised):
    answers = {k: v for k, v in answers.items() if k != "server-model" or "hosting-layer" not in answers}
    assert ("capacity-exceeded" in caveats(JUDGE.feature("x", answers))) == raised


def test_the_figures_name_what_is_full():
    verdict = JUDGE.feature("x", {**CHAT, "cdn": "azure-front-door", "concurrent-clients": 40_000})
    (told,) = [c["figures"] for c in verdict["caveats"] if c["id"] == "capacity-exceeded"]
    assert told == "You expect 40,000 clients at the same time. Your Azure Front Door holds 3,000 in all."


def test_every_way_has_its_questions():
    assert set(WAY) <= set(RULES.questions)
