"""How fast it is. Not run unless asked for: pytest tests/benchmarks --benchmark-only

Nothing here fails by the clock. In the group "start" the figures in brackets are the ratios to a bare `python -c pass`
of the same run; the budgets are beside each benchmark and hold on an idle core.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.big_base import big_base

from advisor.base.data import data
from advisor.engine.decision import know, trace
from advisor.engine.decision_diagram import Diagram
from advisor.engine.verdict import Judge
from advisor.ruleset.cache import load
from advisor.ruleset.prove import prove

EXAMPLE = data("rules") / "examples" / "notifications.yaml"
ONE_WAY = {
    "bidirectional-realtime": False,
    "clients": ("browser",),
    "server-msg-rate-per-s": 0.2,
    "concurrent-clients": 5000,
    "latency-need-ms": 1000,
}


@pytest.fixture(scope="module")
def base():
    return load(data("rules"))


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["-c", "pass"], id="bare-python"),
        pytest.param(["-m", "advisor", "--version"], id="version"),  # at most 3 times bare
        pytest.param(["-m", "advisor", "recommend", "--answers", str(EXAMPLE)], id="recommend"),  # at most 7 times
    ],
)
@pytest.mark.usefixtures("base")  # which fills the cache
@pytest.mark.benchmark(group="start")
def test_start_of_a_command_with_warm_cache(benchmark, words):
    def run():  # without a timeout: with one, Python looks for the end after 16, 32, 64, 114 ms only
        return subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, env=os.environ, check=True)

    benchmark.pedantic(run, rounds=15, warmup_rounds=2)


@pytest.mark.benchmark(group="decision")
def test_one_traced_decision_takes_less_than_200_us(benchmark, base):
    steps, decision = benchmark(lambda: trace(know(ONE_WAY, base), base))
    assert decision.primary == "sse"
    assert len(steps) == len(base.steps)


@pytest.mark.benchmark(group="decision")
def test_one_whole_verdict(benchmark, base):
    judge = Judge(base)
    assert benchmark(lambda: judge.feature("one", ONE_WAY))["primary"] == "sse"


@pytest.mark.benchmark(group="proof")
def test_the_proof_of_the_shipped_rules_takes_less_than_50_ms(benchmark, base):
    assert benchmark(lambda: prove(base)).findings == ()


@pytest.mark.benchmark(group="proof")
def test_the_proof_of_30_questions_60_rules_150_caveats_takes_less_than_300_ms(benchmark):
    big = big_base()
    assert (len(big.questions), sum(len(s.rules) for s in big.steps), len(big.caveats)) == (30, 60, 150)
    assert benchmark(lambda: prove(big)) is not None


@pytest.mark.benchmark(group="diagram")
def test_building_the_diagram(benchmark, base):
    assert benchmark(lambda: Diagram.build(base)).root


@pytest.mark.benchmark(group="diagram")
def test_what_is_still_possible_relevant_and_nearest(benchmark, base):
    diagram, known = Diagram.of(base), know(ONE_WAY, base)

    def ask():
        return diagram.possible(known.box), diagram.relevant(known.box), diagram.nearest(known.lead)

    possible, _, nearest = benchmark(ask)
    assert "sse" in possible
    assert "websocket" in nearest
