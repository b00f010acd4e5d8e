"""The numbers in caveats: a sentence is printed when all of its numbers are known, and says whose they are."""

from __future__ import annotations

import pytest
from support.shipped import shipped

from advisor.engine.timing import timing
from advisor.engine.verdict import Judge
from advisor.model.caveat_figures import filled, names, places
from advisor.model.values import Other

RULES = shipped()
JUDGE = Judge(RULES)


def figures(caveat, answers):
    verdict = JUDGE.feature("one", answers)
    return next((c["figures"] for c in verdict["caveats"] if c["id"] == caveat), "not raised")


QUIET = {"server-msg-rate-per-s": 0.001}
HELD = {"websockets-blocked": "always", "buffering-intermediary": True}
FIXED = "which cannot be changed."
BEAT = "Planned: a heartbeat every 15 s."
STOCK = "Unless set otherwise, your"
ALB, GOOGLE = "AWS Application Load Balancer", "Google Cloud load balancer"


@pytest.mark.parametrize(
    ("caveat", "answers", "said"),
    [
        (
            "idle-timeout-heartbeat",
            QUIET | {"load-balancer": "aws-alb"},
            [
                f"{STOCK} {ALB} cuts a silent connection after 60 s (idle_timeout.timeout_seconds).",
                BEAT,
            ],
        ),
        (
            "idle-timeout-heartbeat",
            QUIET | {"platform": "heroku"},
            [f"Your Heroku cuts a silent connection after 55 s, {FIXED}", BEAT],
        ),
        (
            "idle-timeout-heartbeat",
            QUIET | {"reverse-proxy": "nginx", "idle-timeout-s": 20},
            ["Stated for this path: silence is cut after 20 s.", "Planned: a heartbeat every 10 s."],
        ),
        (  # set to its most, 4,000 s, so that it is neither the stock value nor beyond change
            "idle-timeout-heartbeat",
            QUIET | {"load-balancer": "aws-alb", "idle-timeout-s": 5000},
            ["Stated for this path: silence is cut after 5,000 s.", BEAT],
        ),
        ("idle-timeout-heartbeat", QUIET, [BEAT]),
        ("idle-timeout-heartbeat", QUIET | {"cdn": Other("KeyCDN")}, [BEAT]),
        (
            "hard-duration-limit",
            {"load-balancer": "aws-api-gateway", "bidirectional-realtime": True},
            [f"Your Amazon API Gateway ends every connection after 7,200 s, {FIXED}"],
        ),
        (
            "hard-duration-limit",
            {"load-balancer": "gcp-lb"},
            [f"{STOCK} {GOOGLE} ends every response after 30 s, however busy it is (backendService.timeoutSec)."],
        ),
        ("hard-duration-limit", {"max-connection-s": 300}, ["The stated limit is 300 s."]),
        (
            "sse-buffering",
            {"reverse-proxy": "envoy"},
            [f"{STOCK} Envoy ends every response after 15 s, however busy it is (route.timeout: 0s)."],
        ),
        ("sse-buffering", {"reverse-proxy": "nginx"}, []),
        (
            "cdn-passthrough",
            {"cdn": "fastly", "reverse-proxy": "nginx"},
            [
                f"{STOCK} Fastly cuts a silent connection after 10 s (bereq.between_bytes_timeout).",
                f"{STOCK} Fastly waits 15 s for the first byte (bereq.first_byte_timeout).",
            ],
        ),
        (
            "cdn-passthrough",
            {"cdn": "azure-front-door", "bidirectional-realtime": True},
            [
                f"Your Azure Front Door cuts a silent connection after 300 s, {FIXED}",
                "Your Azure Front Door ends every connection after 14,400 s, whatever it carries.",
            ],
        ),
        (
            "long-poll-timeout-below-proxy",
            HELD | {"reverse-proxy": "envoy"},
            [
                f"{STOCK} Envoy gives up on a held request after 15 s (route.timeout: 0s).",
                "Planned here: the server holds a request for 12 s at most.",
            ],
        ),
        (
            "long-poll-timeout-below-proxy",
            HELD | {"platform": "heroku"},
            [
                f"Your Heroku gives up on a held request after 30 s, {FIXED}",
                "Planned here: the server holds a request for 25 s at most.",
            ],
        ),
    ],
)
def test_a_caveat_names_the_platform_and_its_number(caveat, answers, said):
    assert figures(caveat, answers) == (" ".join(said) or None)


def test_a_sentence_is_left_out_where_one_of_its_numbers_is_not_known():
    times = timing({}, RULES)
    text = "With {instances} instances. With {concurrent-clients} clients on {instances}. Heartbeat {heartbeat-s} s."
    assert filled(text, {"instances": 2}, times, RULES) == "With 2 instances. Heartbeat 15 s."
    assert filled("With {instances}.", {}, times, RULES) is None
    assert filled("", {}, times, RULES) is None


def test_a_one_of_is_called_by_its_name_and_none_and_other_are_not_spoken_of():
    times = timing({}, RULES)
    assert filled("Your {cdn}.", {"cdn": "cloudfront"}, times, RULES) == "Your Amazon CloudFront."
    for nothing in ("none", Other("KeyCDN")):
        assert filled("Your {cdn}.", {"cdn": nothing}, times, RULES) is None


def test_every_place_in_the_shipped_caveats_is_known():
    known = names(RULES)
    used = {name for caveat in RULES.caveats.values() for name in places(caveat.figures)}
    assert used <= known
    assert {"idle-platform", "cdn-idle-fixed-s", "held-setting"} <= used
