"""Small random rule bases, and what they mean case by case (brute force).

Everything here is written from the contract, not from the engine: conditions are interpreted fact by fact, and which
combinations of bands really occur is found by trying numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from advisor.model import rulebase as rb
from advisor.model.advice import Advice
from advisor.model.conditions import ANY, ConditionError, Space, variables
from advisor.model.values import UNKNOWN, Other, Value
from support.brute_force import DERIVED_EDGES, EDGES, combinations

PLACE = rb.Place("rules/test.yaml", 1, 1)
GROUNDS = (rb.Evidence("judgement", "made for a test"),)


# --- making a base ----------------------------------------------------------------------------------------------------


def question(key: str, kind: str, **more: Any) -> rb.Question:
    """A question with a lead value that fits its type."""
    leads: dict[str, Value] = {"yes-no": False, "number": 1, "one-of": "a", "some-of": (), "text": ""}
    given: dict[str, Any] = dict(  # noqa: C408  # reads like the call that it stands for
        id=key, scope="feature", type=kind, ask="?", why="?", find_out="?", unit="", options={}, bands=(), minimum=0.0,
        whole=False, mode="assume", lead=leads[kind], settled=False, feeds=(),
    )  # fmt: skip
    return rb.Question(**{**given, **more})


def bands(*edges: float) -> tuple[rb.Band, ...]:
    """Bands b0, b1, ... that these edges cut out of [0, infinity)."""
    ends = [0.0, *edges, math.inf]
    return tuple(rb.Band(f"b{i}", low, high) for i, (low, high) in enumerate(itertools.pairwise(ends)))


def pattern(key: str, group: str = "core", nearest: str = "") -> rb.Pattern:
    """A pattern that holds a stream and that nothing can share."""
    return rb.Pattern(
        id=key, group=group, holds="stream", shareable=False, channel="", costed_as="streams", times=(), title=key,
        summary=key, strengths=(), weaknesses=(), nearest_core=nearest or key, fallbacks=(), carries=(),
        evidence=(), place=PLACE,
    )  # fmt: skip


def make(
    questions: list[rb.Question],
    patterns: list[str],
    *,
    derived: list[rb.Derived] | None = None,
    steps: list[list[tuple[str, Any, tuple[str, ...]]]] | None = None,
    excludes: list[tuple[str, Any, tuple[str, ...]]] | None = None,
    accepts: list[tuple[str, Any, tuple[str, ...]]] | None = None,
    caveats: list[tuple[str, Any]] | None = None,
    impossible: list[tuple[str, Any]] | None = None,
    priors: list[tuple[str, Any, dict[str, Value]]] | None = None,
    waive: list[str] | None = None,
) -> rb.RuleBase:
    """A rule base from conditions as authors write them."""
    dimensions = variables(questions, derived or [], tuple(patterns))
    full, plain = Space(dimensions), Space(dimensions[:-1])

    def rule(item: tuple[str, Any, tuple[str, ...]], space: Space = plain) -> rb.Rule:
        key, when, names = item
        return rb.Rule(key, tuple(space.boxes(when)), when, names, f"because of {key}", GROUNDS, (), PLACE)

    return rb.RuleBase(
        version="test",
        sha256="",
        questions={q.id: q for q in questions},
        derived={d.id: d for d in derived or []},
        patterns={p: pattern(p) for p in patterns},
        variables=dimensions,
        excludes=tuple(rule(item) for item in excludes or []),
        steps=tuple(
            rb.Step(f"step-{i}", f"step {i}", i + 1, tuple(rule(r) for r in rules))
            for i, rules in enumerate(steps or [])
        ),
        accepts=tuple(rule(item, full) for item in accepts or []),
        article=(),
        caveats={
            key: rb.Caveat(
                key,
                "note",
                tuple(full.boxes(when)),
                ((ANY,),) * len(full.boxes(when)),
                when,
                False,
                (),
                "",
                key,
                "why",
                (Advice("server", "", "do"),),
                "",
                GROUNDS,
                (),
                PLACE,
            )
            for key, when in caveats or []
        },
        impossible=tuple(
            rb.Impossible(key, tuple(plain.boxes(when)), when, "because", PLACE) for key, when in impossible or []
        ),
        priors=tuple(
            rb.Prior(key, tuple(plain.boxes(when)), when, usual, "because", PLACE) for key, when, usual in priors or []
        ),
        plausible=(),
        tables={},
        waivers=tuple(rb.Waiver(finding, "because", PLACE) for finding in waive or []),
    )


# --- what a condition means, fact by fact -----------------------------------------------------------------------------


def means(when: Any, case: tuple[int, ...], base: rb.RuleBase) -> bool:
    """Whether the condition holds in the case, read as the contract describes it."""
    if isinstance(when, list):
        return any(means(part, case, base) for part in when)
    return all(_means_fact(fact, wanted, case, base) for fact, wanted in when.items())


def _means_fact(fact: str, wanted: Any, case: tuple[int, ...], base: rb.RuleBase) -> bool:
    numbers = base.of_fact[fact]
    if base.variables[numbers[0]].element:
        chosen = {base.variables[i].element for i in numbers if case[i] == 1}
        parts = wanted if isinstance(wanted, dict) else {"any": wanted}
        tests: dict[str, Callable[[set[str]], bool]] = {
            "any": lambda names: bool(chosen & names),
            "all": lambda names: names <= chosen,
            "not": lambda names: not chosen & names,
            "only": lambda names: bool(chosen) and chosen <= names,
        }
        return all(tests[word](set(_listed(names))) for word, names in parts.items())
    answer = base.variables[numbers[0]].values[case[numbers[0]]]
    if isinstance(wanted, dict):
        return answer not in _listed(wanted["not"])
    return answer in _listed(wanted)


def _listed(names: Any) -> list[str]:
    return [str(name) for name in names] if isinstance(names, list) else [str(names)]


# --- which cases really occur -----------------------------------------------------------------------------------------


def occurring_cases(base: rb.RuleBase, given: dict[str, Value] | None = None) -> list[tuple[int, ...]]:
    """Every case that some answers give and that no impossible combination rules out; the pattern's place holds 0.

    With `given`, numbers named there have that very value.
    """
    exact = given or {}
    numeric = [fact for fact in base.questions if any(fact in d.factors for d in base.derived.values())]
    numeric.sort(key=lambda fact: fact not in exact)
    combined = [*numeric, *base.derived]
    rest = [i for i, v in enumerate(base.variables) if v.fact not in combined and v.fact != rb.PATTERN]
    found = combinations(
        tuple((_edges(q.bands), q.whole, q.minimum, exact.get(q.id)) for q in (base.questions[f] for f in numeric)),
        tuple((tuple(d.factors.get(f, 0) for f in numeric), _edges(d.bands)) for d in base.derived.values()),
    )
    cases = []
    for values in itertools.product(*(range(len(base.variables[i].values)) for i in rest)):
        for combination in sorted(found):
            case = [0] * len(base.variables)
            for i, value in zip(rest, values, strict=True):
                case[i] = value
            for fact, value in zip(combined, combination, strict=True):
                case[base.index[fact]] = value
            if not any(means(item.when, tuple(case), base) for item in base.impossible):
                cases.append(tuple(case))
    return cases


def _edges(made: tuple[rb.Band, ...]) -> tuple[float, ...]:
    return tuple(band.low for band in made[1:])


# --- what a base decides, case by case --------------------------------------------------------------------------------


@dataclass
class World:
    """A base with every case that occurs."""

    base: rb.RuleBase
    cases: list[tuple[int, ...]]

    def inside(self, box: Any) -> Iterator[tuple[int, ...]]:
        return (case for case in self.cases if inside(box, case))

    def excluded(self, name: str, case: tuple[int, ...]) -> bool:
        return any(name in rule.patterns and means(rule.when, case, self.base) for rule in self.base.excludes)

    def takes(self, rule: rb.Rule, case: tuple[int, ...]) -> str | None:
        """The first of the rule's patterns that is not excluded, if the rule holds."""
        if not means(rule.when, case, self.base):
            return None
        return next((p for p in rule.patterns if not self.excluded(p, case)), None)

    def outcome(self, case: tuple[int, ...]) -> str | None:
        taken = (self.takes(rule, case) for step in self.base.steps for rule in step.rules)
        return next((p for p in taken if p is not None), None)

    def with_pattern(self, case: tuple[int, ...], name: str) -> tuple[int, ...]:
        return (*case[:-1], list(self.base.patterns).index(name))


def inside(box: Any, case: tuple[int, ...]) -> bool:
    return all(mask >> case[variable] & 1 for variable, mask in box.items())


# --- random ones ------------------------------------------------------------------------------------------------------


def some(rng: Random, items: Any, low: int, high: int) -> list[Any]:
    """Between low and high different items, in their order."""
    listed = list(items)
    chosen = rng.sample(range(len(listed)), min(len(listed), rng.randint(low, high)))
    return [listed[i] for i in sorted(chosen)]


def random_questions(rng: Random, *, derived: bool, joint: bool) -> tuple[list[rb.Question], list[rb.Derived]]:
    made = []
    numbers = []
    for i in range(rng.randint(2, 3) if derived else 0):
        whole = joint and rng.random() < 0.3
        minimum = float(rng.choice([0, 0, 1])) if whole else 0.0
        edges = tuple(some(rng, EDGES[1:] if minimum else EDGES, 1, 2 if i < 2 else 1))
        numbers.append(
            question(
                f"n{i}",
                "number",
                bands=bands(*edges),
                whole=whole,
                minimum=minimum,
                lead=rng.choice([1, 2, 5, 20]),
                mode=rng.choice(["assume", "open"]),
            )
        )
    for i in range(rng.randint(1, 3)):
        kind = rng.choice(["yes-no", "yes-no", "one-of", "some-of"])
        options = {name: name for name in "abc"[: rng.randint(2, 3 if kind == "one-of" else 2)]}
        lead: Value = {"yes-no": rng.random() < 0.5, "one-of": "a", "some-of": tuple(some(rng, options, 0, 2))}[kind]
        made.append(
            question(
                f"q{i}",
                kind,
                options=options if kind != "yes-no" else {},
                lead=lead,
                mode=rng.choice(["assume", "open"]),
            )
        )
    rng.shuffle(made)
    shapes = [{"n0": 1, "n1": 1}, {"n0": 1, "n1": -1}, {"n0": -1, "n1": -1}]
    if len(numbers) > 2:
        shapes = [{"n0": 1, "n1": -1}, {"n0": 1, "n2": 1}]
    factors = some(rng, shapes, 1, 2 if joint else 1) if numbers else []
    results = [
        rb.Derived(f"d{i}", f"d{i}", "", f, bands(*some(rng, DERIVED_EDGES, 1, 2))) for i, f in enumerate(factors)
    ]
    return [*made, *numbers], results


def random_when(rng: Random, space: Space, *, most: int = 3, depth: int = 1) -> Any:
    """A condition that holds for some case of the space."""
    if depth and rng.random() < 0.25:
        return [random_when(rng, space, most=most, depth=0) for _ in range(rng.randint(1, 2))]
    when = {fact: _random_wanted(rng, fact, space) for fact in some(rng, space.of_fact, 1, most)}
    try:
        space.boxes(when)
    except ConditionError:  # two parts of a some-of contradict each other, or the words allow everything
        fact = rng.choice([f for f, numbers in space.of_fact.items() if not space.variables[numbers[0]].element])
        return {fact: space.variables[space.of_fact[fact][0]].values[0]}
    return when


def _random_wanted(rng: Random, fact: str, space: Space) -> Any:
    numbers = space.of_fact[fact]
    if space.variables[numbers[0]].element:
        names = [space.variables[i].element for i in numbers]
        form = rng.choice(["one", "list", "words"])
        if form == "words":
            return {word: some(rng, names, 1, 2) for word in some(rng, ["any", "all", "not", "only"], 1, 2)}
        return rng.choice(names) if form == "one" else some(rng, names, 1, 2)
    values = [v for v in space.variables[numbers[0]].values if v != "other"]
    chosen = some(rng, values, 1, max(1, len(values) - 1))
    form = rng.choice(["list", "not"])
    plain = chosen if len(chosen) > 1 or rng.random() < 0.5 else chosen[0]
    return {"not": plain} if form == "not" else plain


def random_base(rng: Random, *, joint: bool = True, sound: bool = False, priors: bool = False) -> rb.RuleBase:
    """A base with at most a few thousand cases.

    A `sound` one has no gap, no disagreement and no emptied choice. Without `joint`, what cannot occur is exactly what
    the boxes of `cannot_occur` say: no two derived numbers over the same sources, no whole sources.
    """
    while True:
        questions, results = random_questions(rng, derived=rng.random() < 0.7, joint=joint)
        patterns = ["p", "r", "s", "z"]
        dimensions = variables(questions, results, tuple(patterns))
        if math.prod(len(v.values) for v in dimensions[:-1]) <= 4000:
            break
    if not any(not v.element for v in dimensions[:-1]):
        questions.append(question("q9", "yes-no"))
        dimensions = variables(questions, results, tuple(patterns))
    plain, full = Space(dimensions[:-1]), Space(dimensions)
    free = patterns[:-1] if sound else patterns

    def rules(name: str, count: int, space: Space) -> list[Any]:
        return [
            (f"{name}{i}", random_when(rng, space), tuple(some(rng, free, 1, 2))) for i in range(count)
        ]  # fmt: skip

    steps = []
    for i in range(rng.randint(1, 3)):
        made = rules(f"c{i}-", rng.randint(1, 3), plain)
        if sound:
            made = [(key, when, (*made[0][2], "z")) for key, when, _ in made]
        steps.append(made)
    if sound or rng.random() < 0.7:
        steps.append([("last", {}, ("s", "z"))])
    return make(
        questions,
        patterns,
        derived=results,
        steps=steps,
        excludes=rules("x", rng.randint(0, 3), plain),
        accepts=rules("a", rng.randint(0, 2), full),
        caveats=[(f"v{i}", random_when(rng, full)) for i in range(rng.randint(1, 4))],
        impossible=[(f"i{i}", random_when(rng, plain, most=2, depth=0)) for i in range(rng.choice([0, 0, 1, 2]))],
        priors=_random_priors(rng, questions, plain) if priors else [],
    )


def _random_priors(rng: Random, questions: list[rb.Question], space: Space) -> list[Any]:
    stated = Space([v for v in space.variables if v.fact in {q.id for q in questions}])  # no derived numbers
    made = []
    for i in range(rng.randint(0, 2)):
        fact = rng.choice(questions)
        usual = {fact.id: random_value(rng, fact)}
        made.append((f"prior{i}", random_when(rng, stated, most=1, depth=0), usual))
    return made


def random_value(rng: Random, asked: rb.Question) -> Value:
    """A legal answer."""
    if asked.type == "yes-no":
        return rng.random() < 0.5
    if asked.type == "number":
        return rng.choice([v for v in (0, 1, 2, 4, 7, 16, 50) if v >= asked.minimum])
    if asked.type == "some-of":
        return tuple(some(rng, asked.options, 0, 2))
    return rng.choice([*asked.options, Other("x")])


def random_answers(rng: Random, base: rb.RuleBase, *, unknown: float = 0.4) -> dict[str, Value]:
    """Answers to some questions, some of them "I don't know"."""
    answers: dict[str, Value] = {}
    for asked in base.questions.values():
        if rng.random() >= unknown:
            answers[asked.id] = random_value(rng, asked)
        elif rng.random() < 0.5:
            answers[asked.id] = UNKNOWN
    return answers


# A seed, not hypothesis' own random: that one prefers simple draws, and what is simple has no derived numbers.
randoms = st.integers(0, 2**32 - 1).map(Random)


def bases(**options: Any) -> st.SearchStrategy[rb.RuleBase]:
    return randoms.map(lambda rng: random_base(rng, **options))


def worlds(**options: Any) -> st.SearchStrategy[World]:
    return bases(**options).map(lambda base: World(base, occurring_cases(base)))


def consistent(answers, world):
    """Every case that occurs and in which each stated fact has this answer (derived numbers included)."""
    box = {}
    for fact, value in answers.items():
        box.update(world.base.encode(fact, value))
    for derived in world.base.derived.values():
        number = world.base.number(derived, answers)
        if number is not None:
            box[world.base.index[derived.id]] = 1 << sum(number >= band.low for band in derived.bands[1:])
    return [case for case in world.cases if inside(box, case)]


def assert_legal(answers, base):
    for fact, value in answers.items():
        asked = base.questions[fact]
        if asked.type == "number":
            assert value >= asked.minimum
            assert value < float("inf")
            assert not asked.whole or value == int(value)
