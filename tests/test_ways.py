"""Every way through the platforms, checked by brute force against the limits as they are written on the cards.

The cards are read here by another YAML reader, and each time is found by trying: nothing of the solver is used.
"""

from __future__ import annotations

import itertools
import re
import shutil
import time

import pytest
import yaml
from support.shipped import shipped

from advisor.base.data import data
from advisor.engine.portfolio import recommend
from advisor.engine.timing import timing
from advisor.model.project import Feature, Project
from advisor.model.values import Other
from advisor.report.html import html
from advisor.report.markdown import markdown
from advisor.report.text import text
from advisor.ruleset.compile import compile_folder

RULES = shipped()
WAY = ("cdn", "load-balancer", "reverse-proxy", "service-mesh", "platform")
PATTERNS = ("websocket", "sse", "long-polling")
CARDS = {
    path.stem: yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    for path in sorted((data("rules") / "platforms").glob("*.yaml"))
}
STANDS = {fact: [name for name, card in CARDS.items() if fact in card["stands-at"]] for fact in WAY}
# The usual values of rules/timing.yaml, written down again: 15 s, 25 s, 10 s; half, 84 % and 80 % of a limit.
HEARTBEAT, HOLD, DRAIN = 15, 25, 10


def limits(way, channel):
    """(kind, seconds, name) of every limit with a number that this channel meets on the path."""
    rows = [(row, CARDS[name]) for name in set(way.values()) for row in CARDS[name].get("limits", {}).values()]
    met = [(row, card) for row, card in rows if channel in row["for"] and row["kind"] != "rate"]
    return [
        (row["kind"], float(row["seconds"]), card["name"])
        for row, card in met
        if row["seconds"] not in ("none", "varies")
    ]


def most(usual, fits):
    """The largest whole second up to the usual one that fits; None where none does."""
    return next((second for second in range(usual, 0, -1) if fits(second)), None)


def check(way):
    for pattern in PATTERNS:
        solved = timing(way, RULES, pattern)
        own, held = limits(way, pattern), limits(way, "long-polling")
        conflicts = [conflict["between"] for conflict in solved["conflicts"]]

        idle = [s for kind, s, _ in own if kind == "idle"]
        heartbeat = most(HEARTBEAT, lambda second, idle=idle: all(2 * second <= s for s in idle))
        assert solved["heartbeat_s"] == (heartbeat or 1), (way, pattern)
        assert heartbeat or any("heartbeat" in other for _, other in conflicts)

        pending = [s for kind, s, _ in held if kind != "grace"]
        hold = most(HOLD, lambda second, pending=pending: all(second <= 0.84 * s for s in pending))
        assert solved["hold_s"] == (hold or 1), (way, pattern)
        if pattern == "long-polling":
            assert hold or any("held" in other for _, other in conflicts)

        grace = [s for kind, s, _ in own if kind == "grace"]
        assert solved["drain_s"] == most(DRAIN, lambda second, grace=grace: all(second <= 0.8 * s for s in grace))

        total = [(s, name) for kind, s, name in own if kind == "total"]
        if pattern == "sse":
            for seconds, name in total:
                assert any(f"{seconds:g} s, {name}" in one and "no end" in other for one, other in conflicts), way
        assert len(conflicts) == (len(total) if pattern == "sse" else 0) + (not heartbeat and pattern != "long-polling")

        for key, kinds in (("heartbeat_s", {"idle"}), ("hold_s", {"idle", "first-byte", "total", "lifetime"})):
            met = [(s, name) for kind, s, name in (held if key == "hold_s" else own) if kind in kinds]
            if met:
                shortest = min(met)[0]
                assert any(name in solved["binding"][key] for s, name in met if s == shortest), (way, key)
                assert f"{shortest:g} s" in solved["binding"][key]
            else:
                assert "usual value" in solved["binding"][key]
        assert "lifetime" not in solved["binding"]["heartbeat_s"]


@pytest.mark.parametrize("pair", list(itertools.combinations(WAY, 2)), ids="+".join)
def test_every_pair_of_platforms(pair):
    for names in itertools.product(*(STANDS[fact] for fact in pair)):
        check(dict(zip(pair, names, strict=True)))


@pytest.mark.parametrize("fact", WAY)
def test_every_platform_alone(fact):
    for name in STANDS[fact]:
        check({fact: name})


def test_every_cdn_before_every_balancer_and_proxy():
    facts = ("cdn", "load-balancer", "reverse-proxy")
    for names in itertools.product(*(STANDS[fact] for fact in facts)):
        check(dict(zip(facts, names, strict=True)))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_whole_way():
    """A third of them, the others in other runs: all of them take two minutes, and the pairs above are all there."""
    every = itertools.product(*([*STANDS[fact], None] for fact in WAY))
    for names in itertools.islice(every, int(time.time()) % 3, None, 3):
        check({fact: name for fact, name in zip(WAY, names, strict=True) if name})


# --- odd ways ---------------------------------------------------------------------------------------------------------


def test_envoy_behind_fastly():
    way = {"cdn": "fastly", "reverse-proxy": "envoy"}
    stream = timing(way, RULES, "sse")
    assert stream["heartbeat_s"] == 5
    assert "idle limit of 10 s, Fastly (bereq.between_bytes_timeout)" in stream["binding"]["heartbeat_s"]
    (conflict,) = stream["conflicts"]
    assert conflict["between"] == [
        "limit on the whole response of 15 s, Envoy (route.timeout: 0s)",
        "an event stream, which has no end",
    ]
    assert "long polling with a hold of 12 s" in conflict["text"]
    assert timing(way, RULES, "long-polling")["hold_s"] == 12
    assert timing(way, RULES, "websocket")["conflicts"] == []


def test_a_conflict_is_told_in_every_report():
    way = {"cdn": "fastly", "reverse-proxy": "envoy"}
    verdict = recommend(Project("Way", way, {}, (Feature("one", {"server-msg-rate-per-s": 0.2}),)), RULES)
    assert verdict["features"][0]["primary"] == "sse"
    for report in (text(verdict, RULES), markdown(verdict, RULES), html(verdict, RULES)):
        words = " ".join(report.split())
        assert "CONFLICT: limit on the whole response of 15 s, Envoy" in words
        assert words.count("Envoy (route.timeout: 0s), against") == 1


def test_api_gateway():
    way = {"load-balancer": "aws-api-gateway", "concurrent-clients": 4000, "instances": 10}
    assert timing(way, RULES, "long-polling")["hold_s"] == 24
    socket = timing(way, RULES, "websocket")
    assert [(limit["kind"], limit["seconds"]) for limit in socket["limits"]] == [("idle", 600), ("lifetime", 7200)]
    assert socket["retry_ms"] == 8000, "500 new sockets a second, however many instances there are"
    assert "Amazon API Gateway" in socket["binding"]["retry_ms"]
    assert timing(way, RULES, "sse")["retry_ms"] == 1000


def test_heroku():
    solved = timing({"platform": "heroku"}, RULES, "sse")
    assert solved["heartbeat_s"] == 15
    assert timing({"platform": "heroku", "idle-timeout-s": 600}, RULES, "sse")["heartbeat_s"] == 15


def test_what_only_the_vendor_can_raise_or_nobody(tmp_path):
    way = {"platform": "netlify"}
    (conflict,) = timing(way, RULES, "sse")["conflicts"]
    assert conflict["text"].startswith("It cannot be raised: use long polling with a hold of")
    folder = shutil.copytree(data("rules"), tmp_path / "rules")
    card = folder / "platforms" / "netlify.yaml"
    was = "    seconds: 60\n    change: fixed\n"
    assert was in card.read_text("utf-8")
    card.write_text(
        card.read_text("utf-8").replace(was, "    seconds: 10\n    up-to: 26\n    change: quota\n"), "utf-8"
    )
    (conflict,) = timing(way, compile_folder(folder), "sse")["conflicts"]
    assert conflict["text"].startswith("Only the vendor can raise it to 26 s at most: ask, or use long polling")


def test_a_platform_that_stands_on_the_way_twice_has_to_be_set_twice():
    once = timing({"reverse-proxy": "nginx"}, RULES, "sse")
    twice = timing({"reverse-proxy": "nginx", "load-balancer": "nginx"}, RULES, "sse")
    assert "nginx as load balancer and reverse proxy (proxy_read_timeout)" in twice["binding"]["heartbeat_s"]
    assert "nginx (proxy_read_timeout)" in once["binding"]["heartbeat_s"]
    assert [x["seconds"] for x in twice["limits"]] == [x["seconds"] for x in once["limits"]]
    assert twice["limits"][0]["at"] == ["load-balancer", "reverse-proxy"]
    mesh = timing({"reverse-proxy": "envoy", "service-mesh": "envoy"}, RULES, "sse")
    assert len(mesh["conflicts"]) == 1
    assert "Envoy as reverse proxy and service mesh" in mesh["conflicts"][0]["between"][0]


def test_a_stated_limit_takes_the_place_of_what_can_be_set_as_far_as_it_can_be_set():
    far = timing({"cdn": "cloudfront", "idle-timeout-s": 20, "reverse-proxy": "nginx"}, RULES, "sse")
    assert [x["id"] for x in far["limits"]] == ["idle-timeout-s"]
    most_of_it = timing({"cdn": "cloudfront", "idle-timeout-s": 600, "reverse-proxy": "nginx"}, RULES, "sse")
    assert [(x["id"], x["seconds"]) for x in most_of_it["limits"]] == [
        ("cloudfront-response", 120),
        ("idle-timeout-s", 600),
    ]
    life = timing({"platform": "cloud-run", "max-connection-s": 86400}, RULES, "websocket")
    assert [(x["id"], x["seconds"]) for x in life["limits"]] == [
        ("cloud-run-request", 3600),
        ("max-connection-s", 86400),
    ]
    fixed = timing({"cdn": "azure-front-door", "max-connection-s": 86400}, RULES, "websocket")
    assert "azure-front-door-socket-life" in [x["id"] for x in fixed["limits"]]


def test_a_limit_of_nothing_is_taken_as_it_stands_and_asked_about():
    for pattern in ("sse", "long-polling"):
        (conflict,) = timing({"idle-timeout-s": 0}, RULES, pattern)["conflicts"]
        assert "The value 0 is used as given. If there is no limit, leave idle-timeout-s unknown" in conflict["text"]
    named = timing({"max-connection-s": 0}, RULES, "websocket")["conflicts"]
    assert [c["between"][0] for c in named] == ["lifetime of 0 s, your answer to max-connection-s"]


def test_no_limit_on_a_card_binds_nothing():
    way = {"reverse-proxy": "caddy", "service-mesh": "istio"}
    solved = timing(way, RULES, "websocket")
    assert [limit["kind"] for limit in solved["limits"]] == ["grace"]
    assert solved["binding"]["heartbeat_s"] == "no idle limit is known on the path; this is the usual value"
    assert solved["drain_s"] == 4


def test_what_has_no_card_is_named_and_cannot_reach_the_terminal():
    way = {"cdn": Other("Key\x1b[31mCDN"), "reverse-proxy": "nginx"}
    solved = timing(way, RULES, "sse")
    assert solved["heartbeat_s"] == 15
    assert (
        r'not counted, because advisor has no platform file for it: "Key\x1b[31mCDN" (CDN)'
        in solved["binding"]["heartbeat_s"]
    )
    assert "\x1b" not in str(solved["binding"].values())
    assert "not counted" not in timing({"reverse-proxy": "nginx"}, RULES, "sse")["binding"]["heartbeat_s"]


def test_every_limit_of_the_verdict_names_its_platform_and_its_source():
    for fact in WAY:
        for name in STANDS[fact]:
            for limit in timing({fact: name}, RULES)["limits"]:
                assert limit["platform"] == CARDS[name]["name"]
                assert limit["platform"] in limit["where"]
                assert re.match(r"https?://", limit["url"])
                assert limit["at"] == [fact]
