"""How sure a verdict is, why not surer, and which missing answer matters most."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.text import plural
from advisor.engine.changes import Changes, Decider
from advisor.engine.decision import Answers, Decision, Known, excluding, holds
from advisor.engine.decision_diagram import Diagram
from advisor.engine.regions import regions
from advisor.model.boxes import find
from advisor.model.rulebase import RuleBase
from advisor.model.values import Other, Value

if TYPE_CHECKING:
    from advisor.model.verdict import Level, Riskiest


class Doubt(NamedTuple):
    """A fact that was assumed, another plausible value of it, how often that is so, and the pattern that it gives."""

    fact: str
    value: Value
    weight: float
    to: str | None


FEW = 3  # stated facts without which confidence is not high
STAYS = "no open answer changes the pattern, and neither does another likely value of what is assumed"
MOVES_INSIDE = "a missing answer can change the pattern, but only to one that is acceptable too"
AS_GOOD = "another pattern may be as good here, and no answer decides between them"
MOVES_AWAY = "a missing answer can change the pattern to one that is not acceptable now"


def doubts(readings: list[Known], decider: Decider, base: RuleBase) -> list[Doubt]:
    """The plausible other values of what is assumed that alone would give another pattern.

    `readings` are those of the answers: a name that no rule knows is as doubtful as no answer.
    """
    here, found = decider.primary({}), dict[tuple[str, str], Doubt]()
    for known in readings:
        for fact, others in plausible(known, base).items():
            for value, weight in others:
                if (fact, repr(value)) not in found and (to := decider.primary({fact: value})) != here:
                    found[fact, repr(value)] = Doubt(fact, value, weight, to)
    return list(found.values())


def plausible(known: Known, base: RuleBase) -> dict[str, list[tuple[Value, float]]]:
    """For each assumed fact, its other values that are plausible in this case, with their weights.

    Values that rules/priors.yaml does not list are not plausible. Open facts are left out: all their values count.
    """
    found: dict[str, list[tuple[Value, float]]] = {}
    for item in base.plausible:
        if item.fact in known.stated or item.fact in known.open or item.fact in found or not holds(item, known.lead):
            continue
        here = base.encode(item.fact, known.answers[item.fact])
        found[item.fact] = [(v, weight) for v, weight in item.others if base.encode(item.fact, v) != here]
    return found


def judged(
    readings: list[Known],
    decision: Decision,
    acceptable: set[str],
    doubtful: list[Doubt],
    told: set[str],
    base: RuleBase,
    diagram: Diagram | None,
) -> tuple[Level, str]:
    """How sure the verdict is and why not surer: `level`, and low where the deciding rule itself is in doubt.

    `told` are the caveats that are raised.
    """
    if decision.rule is not None and decision.rule.doubt:
        return "low", AS_GOOD
    rows = card_doubts(readings[0], decision, told, base)
    return level(readings, decision.primary, acceptable, doubtful, rows, base, diagram)


def level(
    readings: list[Known],
    primary: str | None,
    acceptable: set[str],
    doubtful: list[Doubt],
    rows: list[str],
    base: RuleBase,
    diagram: Diagram | None,
) -> tuple[Level, str]:
    """How sure the pattern is over every open answer and each plausible value, and why not surer.

    `doubtful` are those of `doubts`, `rows` those of `card_doubts`. An answer that is not listed is read both as itself
    and as not known. High never rests on fewer than FEW stated facts, nor on a row of a platform card in doubt.
    """
    possible = set[str]().union(*(_possible(known, base, diagram) for known in readings))
    possible |= {doubt.to or "" for doubt in doubtful}
    if not possible <= acceptable | {primary or ""}:
        return "low", MOVES_AWAY
    if not possible <= {primary or ""}:
        return "medium", MOVES_INSIDE
    if rows:
        return "medium", f"VERIFY: {rows[0]}"
    stated = len(readings[-1].stated.keys() & deciding(base))  # an unlisted answer is like "I don't know"
    if stated < FEW:
        only = f"only {plural(stated, 'fact', 'facts')} that can decide {'is' if stated == 1 else 'are'} stated"
        return "medium", f"{only if stated else 'nothing that can decide is stated'}, and all the rest is assumed"
    return "high", STAYS


@lru_cache(maxsize=16)
def deciding(base: RuleBase) -> frozenset[str]:
    """The facts on which the pattern can rest: no other fact makes it any surer."""
    unions = [*(rule.boxes for rule in base.excludes), *(item.boxes for item in base.impossible)]
    unions += [prior.boxes for prior in base.priors]
    unions += [rule.boxes for step in base.steps for rule in step.rules]
    read = {base.variables[variable].fact for boxes in unions for box in boxes for variable in box}
    read |= {fact for prior in base.priors for fact in prior.unsaid}
    return frozenset(read | {fact for key in read & base.derived.keys() for fact in base.derived[key].factors})


def card_doubts(known: Known, decision: Decision, told: set[str], base: RuleBase) -> list[str]:
    """The rows of platform cards that decide this verdict and should be checked first: each with the reason why.

    They decide where one of these rests on them: the choosing rule, an exclusion of a pattern that the rule prefers, or
    a raised caveat (`told`) without whose cure the pattern does not work. Priors of a card are listed as assumptions.
    """
    if decision.rule is None or decision.primary is None:
        return []
    before = decision.rule.patterns[: decision.rule.patterns.index(decision.primary)]
    out = [rule for pattern in before if (rule := excluding(pattern, known.lead, base)) is not None]
    breaking = [caveat for caveat in base.caveats.values() if caveat.id in told and caveat.severity == "breaks"]
    grounds = [(ground, "") for rule in (decision.rule, *out) for ground in rule.grounds]
    grounds += [(ground, decision.primary) for caveat in breaking for ground in caveat.grounds]
    found = [
        ground.doubt
        for ground, pattern in grounds
        if known.stated.get(ground.fact) == ground.answer
        and (not ground.patterns or not pattern or pattern in ground.patterns)
    ]
    return list(dict.fromkeys(found))


def _possible(known: Known, base: RuleBase, diagram: Diagram | None) -> set[str]:
    """The primaries that the open answers leave possible."""
    possible = set(diagram.possible(known.box)) if diagram else set()
    if not possible:  # no diagram, or answers that contradict each other, which it does not have
        there = regions(base, known.box)
        possible = {r.pattern for r in there if find(r.box, r.minus, base.full) is not None}
    return possible


def riskiest(
    known: Known, other: Changes, doubtful: list[Doubt], acceptable: set[str], base: RuleBase
) -> Riskiest | None:
    """The unstated fact whose other answers matter most, and the patterns that they give; None where none does.

    First what is plausible: what leads out of the acceptable patterns, then what is likely. Where nothing is: first
    what a feature needs, then what it is; among these, first what leads out of the acceptable patterns, and to one of
    the article's rather than out of its scope; then the order of the decision.
    """
    if doubtful:
        worst = max(doubtful, key=lambda doubt: (doubt.to not in acceptable, doubt.weight))
        to = dict.fromkeys(doubt.to for doubt in doubtful if doubt.fact == worst.fact and doubt.to)
        return {"fact": worst.fact, "decides": list(to)}
    core = {p.id for p in base.patterns.values() if p.group == "core"}

    def weight(fact: str) -> tuple[bool, bool, bool]:
        moves = set(other.decisive[fact]) - acceptable
        return base.questions[fact].settled, not moves & core, not moves

    doubts = [fact for fact in other.decisive if fact not in known.stated and fact != "page"]
    fact = min(doubts, key=weight, default=None)  # the first of equals
    return None if fact is None else {"fact": fact, "decides": list(other.decisive[fact])}


def without_unlisted(answers: Answers) -> dict[str, Value]:
    """The answers without those that name something no rule knows: it may be like any listed one."""
    kept: dict[str, Value] = {}
    for fact, value in answers.items():
        if isinstance(value, tuple):
            listed = tuple(choice for choice in value if not isinstance(choice, Other))
            if listed or not value:
                kept[fact] = listed
        elif not isinstance(value, Other):
            kept[fact] = value
    return kept
