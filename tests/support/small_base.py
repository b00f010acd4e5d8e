"""A rule base of a few questions, made by hand: for tests of what reads answers and does not decide."""

from __future__ import annotations

from advisor.model.rulebase import Band, Question, RuleBase, Variable
from advisor.model.values import UNKNOWN

BANDS = (Band("low", 0, 10), Band("high", 10, float("inf")))


def question(name, scope, kind, **more):
    facts = {
        "unit": "",
        "options": {},
        "bands": (),
        "minimum": 0,
        "whole": False,
        "mode": "open",
        "lead": UNKNOWN,
        "settled": False,
    }
    facts |= {"ask": f"What about {name}?", "why": "It matters.", "find_out": "Look.", "feeds": ()}
    return Question(id=name, scope=scope, type=kind, **{**facts, **more})


def number(name, scope, unit, **more):
    return question(name, scope, "number", unit=unit, bands=BANDS, mode="assume", lead=1, **more)


def one_of(name, scope, *options):
    return question(name, scope, "one-of", options=dict.fromkeys(options, "label"), lead=options[0])


QUESTIONS = (
    question(
        "clients",
        "feature",
        "some-of",
        options=dict.fromkeys(("browser", "ios", "server"), "label"),
        lead=("ios",),
        on_a_page=("browser",),
    ),
    one_of("kind", "feature", *(f"kind-{i}" for i in range(20))),
    question("bidirectional-realtime", "feature", "yes-no", lead=False),
    number("latency-need-ms", "feature", "ms"),
    number("concurrent-clients", "feature", "clients", whole=True),
    question("page", "feature", "text", lead=""),
    question("http2-to-browser", "path", "yes-no", lead=True),
    one_of("reverse-proxy", "path", "none", "nginx", "haproxy"),
    question("nginx-version", "path", "text", lead=""),
    number("idle-timeout-s", "path", "s"),
    number("instances", "app", "instances", whole=True, minimum=1),
    one_of("broker", "app", "none", "redis", "kafka"),
)


def _variables(q):
    if q.type == "some-of":
        return [Variable(f"{q.id}={option}", q.id, option, ("no", "yes")) for option in q.options]
    values = {
        "yes-no": ("no", "yes"),
        "number": tuple(band.id for band in q.bands),
        "one-of": (*q.options, "other"),
        "text": (),
    }[q.type]
    return [Variable(q.id, q.id, "", values)] if values else []


def small_base():
    """Twelve questions of every type and scope; no rules."""
    return RuleBase(
        version="small",
        sha256="0" * 64,
        questions={q.id: q for q in QUESTIONS},
        derived={},
        patterns={},
        variables=tuple(variable for q in QUESTIONS for variable in _variables(q)),
        excludes=(),
        steps=(),
        accepts=(),
        article=(),
        caveats={},
        impossible=(),
        priors=(),
        plausible=(),
        tables={},
        waivers=(),
    )
