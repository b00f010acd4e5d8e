"""A rule base a few times as big as ours, in the same shape: 30 questions, 60 rules in 20 steps, 150 caveats."""

from __future__ import annotations

from random import Random
from typing import Any

from advisor.model import rulebase as rb
from advisor.model.conditions import Space, variables
from support.random_bases import bands, make, question, some


def big_base(seed: int = 7) -> rb.RuleBase:
    """30 questions, 60 rules in 20 steps, 150 caveats: a few times what ships, in the same shape."""
    rng = Random(seed)
    asked = []
    for i in range(30):
        kind = ("yes-no", "one-of", "number")[i % 3]
        options = {f"o{k}": f"o{k}" for k in range(rng.randint(2, 4))} if kind == "one-of" else {}
        asked.append(
            question(f"q{i}", kind, options=options, bands=bands(1, 4, 16) if kind == "number" else (),
                     lead="o0" if kind == "one-of" else 1 if kind == "number" else False)
        )  # fmt: skip
    patterns = [f"p{i}" for i in range(8)]
    dimensions = variables(asked, [], tuple(patterns))
    plain, full = Space(dimensions[:-1]), Space(dimensions)
    steps: list[Any] = []
    for i in range(20):
        goal = (rng.choice(patterns[:-1]), patterns[-1])
        steps.append([(f"r{i}-{k}", _conjunction(rng, plain, i), goal) for k in range(3)])
    steps[-1] = [*steps[-1][:2]]
    steps.append([("last", {}, (patterns[-1],))])
    caveats = [(f"c{i}", _conjunction(rng, full, i)) for i in range(150)]
    excludes = [(f"x{i}", _conjunction(rng, plain, i), (patterns[i % 7],)) for i in range(7)]
    return make(asked, patterns, steps=steps, caveats=caveats, excludes=excludes)


def _conjunction(rng: Random, space: Space, turn: int) -> Any:
    facts = list(space.of_fact)
    chosen = {facts[turn % len(facts)], *rng.sample(facts, rng.randint(1, 3))}
    when = {}
    for fact in sorted(chosen):
        values = [v for v in space.variables[space.of_fact[fact][0]].values if v != "other"]
        when[fact] = some(rng, values, 1, max(1, len(values) // 2))
    return when
