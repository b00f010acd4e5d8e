"""Which caveats a case raises: what bites for what is stated, and what would if something turned out otherwise.

A caveat bites (first tier) where a situation of it holds for every completion of the answers, and at least one of the
facts that the situation names is stated; or where a rule that decided raises it. What holds by assumption alone, or
only for some answers to an open question, waits for that answer (third tier). The second tier is in `handled`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from advisor.engine.decision import Decision, Known, accepted, decide, with_pattern
from advisor.engine.harm import MOST, SEVERITIES, Bite, harm, minor
from advisor.engine.regions import Region, regions
from advisor.engine.space import cannot_occur, realise, unreachable
from advisor.model.advice import told as advice_told
from advisor.model.answers_in_words import named
from advisor.model.boxes import Box, contains, find, meet
from advisor.model.caveat_figures import filled
from advisor.model.conditions import ANY
from advisor.model.cures import cured_by
from advisor.model.rulebase import PATTERN, Caveat, Question, Rule, RuleBase
from advisor.model.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from advisor.model.verdict import Answer, CaveatIf, RaisedCaveat, Timing

Raised: TypeAlias = "tuple[list[RaisedCaveat], list[CaveatIf]]"


class Situation(NamedTuple):
    """One box of a caveat, without the pattern; the facts still to be stated for it to bite, and all that must be.

    `presumed`: it takes something for true that nobody said, not even as "I don't know".
    """

    box: Box
    missing: tuple[str, ...]
    wanted: tuple[str, ...]
    presumed: bool


def raised(
    readings: list[Known], decision: Decision, times: Timing, base: RuleBase, forced: Mapping[str, str] | None = None
) -> Raised:
    """What bites, most harmful first, and what would if something turned out so.

    `readings` are those of the answers. What only the second one raises, where an unlisted answer counts as not known,
    waits. `forced` are caveats that are raised for another reason, each with it.
    """
    known, primary = readings[0], decision.primary
    if primary is None:
        return [], []
    bites, waiting = _caveats(known, primary, base)
    ruled = by_rules(known, decision, base)
    for reading in readings[1:]:
        here, others = _caveats(reading, primary, base)
        other = decide(reading.lead, base)
        rules = by_rules(reading, other, base) if other.primary == primary else {}
        fresh = [name for name in {**here, **rules} if name not in {*bites, *ruled}]
        waiting += [_waiting(base.caveats[name], _doubtful(readings)) for name in fresh]
        waiting += others
    for name, bite in ruled.items():
        bites[name] = _joined(bites.get(name), bite)
    for name, reason in (forced or {}).items():  # a note asks for nothing to be done: it does not come first
        by: Literal["rule", "facts"] = "facts" if base.caveats[name].severity == "note" else "rule"
        bites[name] = _joined(bites.get(name), Bite(reason, by))
    every = (told(base.caveats[name], bite.because, known, primary, times, base) for name, bite in bites.items())
    found = [c for c in every if not (c["cured_by"] and minor(base.caveats[c["id"]], bites[c["id"]]))]
    found.sort(key=lambda c: harm(base.caveats[c["id"]], bites[c["id"]], bool(c["cured_by"])))
    done = {*bites, *handled(known, primary, base)}
    left: dict[str, CaveatIf] = {}
    for waits in sorted(waiting, key=_unlikely):
        if waits["id"] not in done:
            left.setdefault(waits["id"], waits)
    shown = sorted(found[:MOST], key=lambda caveat: caveat["severity"] == SEVERITIES[-1])  # what is no harm comes last
    besides = [c["id"] for c in found[MOST:]]  # a line each: what is cut, and what the kit does not handle
    besides += [c.id for c in base.caveats.values() if primary in c.standard and c.id not in {*done, *left}]
    left |= {name: _waiting(base.caveats[name], {}) for name in besides}
    order = {name: i for i, name in enumerate(base.caveats)}
    return shown, sorted(left.values(), key=lambda c: (SEVERITIES.index(c["severity"]), order[c["id"]]))


def _unlikely(waits: CaveatIf) -> int:
    """How much has to turn out otherwise: of several conditions for one caveat the shortest is kept."""
    return len(waits["if"])


def _joined(bite: Bite | None, other: Bite) -> Bite:
    """The reason to print where a caveat has two: the pattern alone is not printed beside another reason."""
    if bite is None or bite.by == "pattern":
        return other
    by = bite.by if bite.by == "rule" else other.by
    return Bite(f"{bite.because}; {other.because}", by, bite.large, bite.own or other.own)


def told(caveat: Caveat, because: str, known: Known, primary: str, times: Timing, base: RuleBase) -> RaisedCaveat:
    """A caveat as the verdict has it."""
    return {
        "id": caveat.id,
        "severity": caveat.severity,
        "title": caveat.title,
        "because": because,
        "why": caveat.why,
        "do": advice_told(caveat.do, known.stated),
        "figures": filled(caveat.figures, known.stated, times, base, primary),
        "evidence": [e.data() for e in caveat.evidence],
        "cured_by": cured_by(base.cures, caveat.id, primary, known.stated),
    }


# --- what is handled, and what rules raise ----------------------------------------------------------------------------


def handled(known: Known, primary: str, base: RuleBase) -> dict[str, list[str]]:
    """The caveats that the kit for this pattern cures, each with the files: its checklist, and what holds here."""
    found: dict[str, list[str]] = {}
    for caveat in base.caveats.values():
        if primary in caveat.standard or _may_hold(caveat, primary, known, base):
            files = cured_by(base.cures, caveat.id, primary, known.stated)
            if files:
                found[caveat.id] = files
    return found


def _may_hold(caveat: Caveat, primary: str, known: Known, base: RuleBase) -> bool:
    """Whether a situation of it holds, by stated or by assumed facts."""
    return any(contains(situation.box, known.lead) for situation in situations(caveat, primary, known, base))


def by_rules(known: Known, decision: Decision, base: RuleBase) -> dict[str, Bite]:
    """The caveats that rules raise, each with the rule.

    These are the rule that decided, the exclusions without which the decision would be another, and the acceptances of
    other patterns, which decide nothing; of the last two only those that name a stated fact.
    """
    found: dict[str, Bite] = {}
    if decision.rule is None or decision.primary is None:
        return found
    title = base.patterns[decision.primary].title
    found |= dict.fromkeys(decision.rule.raises, Bite(f"rule {decision.rule.id} decides for {title}", "rule"))
    for rule in base.excludes:
        if rule.raises and _speaks(rule, known.lead, known, base):
            other = decide(known.lead, base, without=rule)
            if (other.primary, other.rule) != (decision.primary, decision.rule):
                out = base.patterns[other.primary or decision.primary].title
                found |= dict.fromkeys(rule.raises, Bite(f"rule {rule.id} rules out {out}", "rule"))
    case = with_pattern(known.lead, decision.primary, base)
    for pattern, rule in accepted(case, decision.primary, base):
        if rule.raises and _speaks(rule, case, known, base):
            besides = base.patterns[pattern].title
            for name in rule.raises:
                found.setdefault(name, Bite(f"rule {rule.id} accepts {besides} besides", "facts"))
    return found


def _speaks(rule: Rule, case: tuple[int, ...], known: Known, base: RuleBase) -> bool:
    """Whether a situation of the rule holds that names a stated fact."""
    return any(contains(box, case) and stated_of(box, known, base) for box in rule.boxes)


# --- what is stated ---------------------------------------------------------------------------------------------------


def facts_of(variable: int, base: RuleBase) -> tuple[str, ...]:
    """The facts that a condition on this variable is about: its own, or the factors of a number that follows."""
    fact = base.variables[variable].fact
    return tuple(base.derived[fact].factors) if fact in base.derived else (fact,)


def stated_of(box: Box, known: Known, base: RuleBase) -> list[str]:
    """The stated facts that the box names, in the order of the questions."""
    of_box = {fact for variable in box for fact in facts_of(variable, base) if fact in known.stated}
    return [fact for fact in base.questions if fact in of_box]


def situations(caveat: Caveat, primary: str, known: Known, base: RuleBase) -> Iterator[Situation]:
    """The situations of a caveat that speak of this pattern."""
    variable = base.index[PATTERN]
    bit = 1 << base.variables[variable].values.index(primary)
    nothing: tuple[tuple[str, ...], ...] = ((),) * len(caveat.boxes)
    for whole, wanted, presumed in zip(caveat.boxes, caveat.stated, caveat.presumed or nothing, strict=True):
        if whole.get(variable, bit) & bit:
            left_out = {v for fact in presumed if fact not in known.stated for v in base.of_fact[fact]}
            box = {v: m for v, m in whole.items() if v != variable and v not in left_out}
            answered = known.stated.keys() | (known.unsure & {*presumed})
            missing = _missing(box, wanted, answered, known, base)
            yield Situation(box, missing, wanted, not answered >= {*presumed})


def _missing(
    box: Box, wanted: Iterable[str], answered: AbstractSet[str], known: Known, base: RuleBase
) -> tuple[str, ...]:
    """What is not stated and has to be: what the author demands, and at least one fact of those that the box names.

    "I don't know" is an answer to what the situation presumes.
    """
    asked = [
        fact
        for name in wanted
        for fact in (base.derived[name].factors if name in base.derived else (name,))
        if name != ANY and fact not in answered
    ]
    if ANY in wanted and box and not stated_of(box, known, base):
        asked += [fact for variable in box for fact in facts_of(variable, base)]
    return tuple(dict.fromkeys(asked))


# --- over every completion --------------------------------------------------------------------------------------------


def _caveats(known: Known, primary: str, base: RuleBase) -> tuple[dict[str, Bite], list[CaveatIf]]:
    """Those that bite, each with what raises it, and those that wait for an answer.

    Completions are those that keep the primary: a caveat speaks about the pattern that is recommended.
    """
    inside = [r for r in regions(base, known.box) if r.pattern == primary]
    inside.sort(key=lambda region: not contains(region.box, known.lead))  # a condition need not move what decides
    limits = _limits(known, base)
    bites: dict[str, Bite] = {}
    waiting: list[CaveatIf] = []
    for caveat in base.caveats.values():
        about = list(situations(caveat, primary, known, base))
        boxes = [situation.box for situation in about if not situation.missing]
        if boxes and all(find(r.box, [*r.minus, *boxes, *limits], base.full) is None for r in inside):
            bites[caveat.id] = _because([s for s in about if not s.missing], known, primary, base)
            continue
        for situation in sorted(about, key=lambda s: len(s.missing)):
            where = _some(situation.box, inside, limits, base)
            if where is not None:
                answers = _if(caveat, *where, known, base)
                answers |= {f: plain(known.answers[f]) for f in situation.missing if f not in known.open}
                if answers:
                    waiting.append(_waiting(caveat, answers))
                break
    return bites, waiting


def _because(listed: list[Situation], known: Known, primary: str, base: RuleBase) -> Bite:
    """What raises it: the stated facts of the first situation that holds, or the pattern alone.

    A pattern that the article does not treat was chosen by a rule of advisor's own, so its caveats come with that rule.
    """
    said = sorted(listed, key=lambda situation: situation.presumed)  # what is stated speaks before what is presumed
    first = next((situation for situation in said if contains(situation.box, known.lead)), said[0])
    facts = _reasons(first, known, base)
    unsure = [fact for fact in base.questions if fact in known.unsure and fact in first.wanted]
    if unsure:
        words = [*([in_words(facts, known, base)] if facts else []), *(f"{fact} is not known" for fact in unsure)]
        return Bite(" and ".join(words), "facts", own=any(base.questions[f].scope == "feature" for f in unsure))
    if not facts:
        by: Literal["rule", "pattern"] = "pattern" if base.patterns[primary].group == "core" else "rule"
        return Bite(f"{base.patterns[primary].title} is recommended", by)
    large = any(_unusual(base.questions[fact], known, base) for fact in facts)
    own = any(base.questions[fact].scope == "feature" for fact in facts)
    return Bite(in_words(facts, known, base), "facts", large, own, first.presumed)


def _reasons(situation: Situation, known: Known, base: RuleBase) -> list[str]:
    """The stated facts that make up the situation: those that the author demands, or all that it names."""
    factors = (base.derived[name].factors if name in base.derived else (name,) for name in situation.wanted)
    demanded = {fact for each in factors for fact in each}
    return [fact for fact in base.questions if fact in demanded & known.stated.keys()] or stated_of(
        situation.box, known, base
    )


def _unusual(question: Question, known: Known, base: RuleBase) -> bool:
    """Whether a stated number is in another band than the usual one."""
    usual = base.encode(question.id, question.lead)
    return question.type == "number" and base.encode(question.id, known.stated[question.id]) != usual


def in_words(facts: Iterable[str], known: Known, base: RuleBase) -> str:
    """Stated facts with their answers: `instances is 3 and broker is redis`."""
    return " and ".join(f"{fact} is {named(fact, known.stated[fact], base)}" for fact in facts)


def _waiting(caveat: Caveat, answers: dict[str, Answer]) -> CaveatIf:
    return {"id": caveat.id, "severity": caveat.severity, "title": caveat.title, "if": answers}


def _doubtful(readings: list[Known]) -> dict[str, Answer]:
    """The answers that name something no rule knows: it may be like any listed one."""
    stated, listed = readings[0].stated, readings[1].stated
    return {fact: plain(value) for fact, value in stated.items() if listed.get(fact) != value}


def _limits(known: Known, base: RuleBase) -> list[Box]:
    """What to leave out of the completions. Stated answers that contradict each other are decided all the same."""
    limits = list(cannot_occur(base))
    if find(known.box, limits, base.full) is None:
        limits = [box for key in base.derived for box in unreachable(key, base)]
    for derived in base.derived.values():
        if any(fact in known.open for fact in derived.factors):
            numbers = {
                f: n for f in derived.factors if f not in known.open and isinstance(n := known.answers[f], int | float)
            }
            limits += unreachable(derived.id, base, tuple(numbers.items()))
    return limits


def _some(box: Box, inside: list[Region], limits: list[Box], base: RuleBase) -> tuple[Box, list[Box]] | None:
    """Where the condition can hold with this primary: a box, and what to leave out of it."""
    for region in inside:
        both = meet(box, region.box)
        without = [*region.minus, *limits]
        if both is not None and find(both, without, base.full) is not None:
            return both, without
    return None


def _if(caveat: Caveat, where: Box, without: list[Box], known: Known, base: RuleBase) -> dict[str, Answer]:
    """The open answers under which it is raised: as few as possible that are not those of the headline."""
    for fact in known.open:
        closer = meet(where, {v: 1 << known.lead[v] for v in base.of_fact[fact]})
        if closer is not None and find(closer, without, base.full) is not None:
            where = closer
    found = find(where, without, base.full) or {}
    point = {v: 1 << known.lead[v] if mask >> known.lead[v] & 1 else mask & -mask for v, mask in found.items()}
    answers = {f: v for f, v in (realise(point, base, known.answers, known.open) or {}).items() if f in known.open}
    moved = {fact: plain(value) for fact, value in answers.items() if value != known.answers[fact]}
    read = {fact for box in caveat.boxes for variable in box for fact in facts_of(variable, base)}
    return moved or {fact: plain(value) for fact, value in answers.items() if fact in read}
