"""Proofs over the rule base: every defect is reported with a case that shows it.

Nothing is sampled. Every check asks one question of `find`: is there a case in this box outside those?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from advisor.engine.regions import alternatives, excluded, product, regions, withheld
from advisor.engine.space import cannot_occur, occurs, witness
from advisor.model import platforms
from advisor.model.boxes import Box, covers, find, meet
from advisor.model.conditions import Space
from advisor.model.rulebase import PATTERN, Caveat, Impossible, Place, Prior, Rule, RuleBase, Step
from advisor.model.values import Value
from advisor.ruleset import boundaries, examples
from advisor.ruleset.boundaries import Boundaries


@dataclass(frozen=True)
class Finding:
    """A defect of the rule base. `id` is CODE:subject; `witness` is a case that really shows it."""

    code: str
    subject: str
    place: Place
    sentence: str
    witness: dict[str, Value] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """CODE:subject, as waivers name it."""
        return f"{self.code}:{self.subject}"


@dataclass(frozen=True)
class Proof:
    """All findings, with waived ones separate; a waiver without a finding is a finding."""

    findings: tuple[Finding, ...]
    waived: tuple[tuple[Finding, str], ...]


def prove(base: RuleBase, cases: Boundaries | None = None) -> Proof:
    """Every check over the whole rule base, and over its boundary cases where they are given."""
    prover = _Prover(base)
    told = [*examples.failures(base), *(boundaries.failures(cases, base) if cases else ())]
    found = [*prover.run(), *(Finding(*failure) for failure in told)]
    reasons = {w.finding: w for w in base.waivers}
    waived = tuple((f, reasons[f.id].because) for f in found if f.id in reasons)
    kept = [f for f in found if f.id not in reasons]
    used = {f.id for f, _ in waived}
    kept += [
        Finding(
            "UNUSED_WAIVER",
            w.finding,
            w.place,
            f"there is no finding {w.finding} to waive (any more): remove this waiver",
        )
        for w in base.waivers
        if w.finding not in used
    ]
    return Proof(tuple(sorted(kept, key=lambda f: (f.place.file, f.place.line, f.id))), waived)


class _Prover:
    def __init__(self, base: RuleBase) -> None:
        self.base = base
        self.space = Space(base.variables)
        self.excluded = excluded(base)
        self.withheld = withheld(base)
        self.regions = list(regions(base))

    def run(self) -> Iterator[Finding]:
        yield from self.gap()
        yield from self.dead_rules(self.base.steps)
        yield from self.dead_rules(self.base.article)
        yield from self.dead_excludes(self.base.excludes, ())
        yield from self.dead_excludes(self.base.withholds, self.base.excludes)
        yield from self.disagreements()
        yield from self.article_disagreements()
        yield from self.empty_choices()
        yield from self.unused_patterns()
        yield from self.dead_outcome_rules()
        yield from self.idle_answers()
        yield from self.contradictions()
        yield from self.cards()
        yield from self.typed_platforms()
        yield from self.evidence()
        yield from self.cures()

    def find(self, box: Box, minus: Iterable[Box]) -> dict[str, Value] | None:
        """Answers for a case that can occur, in the box and outside the others."""
        return witness(box, minus, self.base)

    def none(self, box: Box, minus: Iterable[Box]) -> bool:
        """Whether no case that can occur is in the box and outside the others."""
        return occurs(box, minus, self.base) is None

    # --- the checks ---------------------------------------------------------------------------------------------------

    def gap(self) -> Iterator[Finding]:
        """A case for which no step chooses anything."""
        found = self.find({}, [b for step in self.base.steps for rule in step.rules for b in rule.boxes])
        if found is not None:
            last = self.base.steps[-1]
            place = last.rules[-1].place if last.rules else Place("rules/decision.yaml", 1, 1)
            yield Finding("GAP", "decision", place, "no rule decides this case; add one, or an `otherwise`", found)

    def dead_rules(self, steps: Sequence[Step]) -> Iterator[Finding]:
        """A rule that never decides, with the least set of earlier rules that hides it."""
        before: list[Rule] = []
        for step in steps:
            for rule in step.rules:
                hiders = before if steps is self.base.steps else []
                minus = [box for r in hiders for box in r.boxes]
                if all(self.none(box, minus) for box in rule.boxes):
                    least = self._least(rule, hiders)
                    why = (
                        f"already covered by {', '.join(r.id for r in least)}"
                        if least
                        else "its condition can never be true"
                    )
                    yield Finding("DEAD_RULE", rule.id, rule.place, f"{rule.id} never decides: {why}")
                before.append(rule)

    def _least(self, rule: Rule, hiders: list[Rule]) -> list[Rule]:
        """Drop hiding rules one at a time for as long as the rule stays hidden."""
        least = list(hiders)
        for candidate in hiders:
            rest = [r for r in least if r is not candidate]
            minus = [box for r in rest for box in r.boxes]
            if all(self.none(box, minus) for box in rule.boxes):
                least = rest
        return least

    def dead_excludes(self, rules: Sequence[Rule], before: Sequence[Rule]) -> Iterator[Finding]:
        """An exclusion that earlier exclusions of the same patterns make superfluous; the same of what is withheld."""
        for i, rule in enumerate(rules):
            for pattern in rule.patterns:
                hiders = [r for r in (*before, *rules[:i]) if pattern in r.patterns]
                minus = [box for r in hiders for box in r.boxes]
                if all(self.none(box, minus) for box in rule.boxes):
                    names = ", ".join(r.id for r in self._least(rule, hiders)) or "impossible answers"
                    verb = "withholds" if before else "excludes"
                    sentence = f"{rule.id} never {verb} {pattern}: already covered by {names}"
                    yield Finding("DEAD_RULE", f"{rule.id}.{pattern}", rule.place, sentence)

    def disagreements(self) -> Iterator[Finding]:
        """Two rules of one step that choose different patterns in one case."""
        earlier: list[Box] = []
        for step in self.base.steps:
            for i, a in enumerate(step.rules):
                for b in step.rules[i + 1 :]:
                    if a.patterns != b.patterns:
                        yield from self._disagree(step, a, b, earlier)
            earlier += [box for rule in step.rules for box in rule.boxes]

    def _disagree(self, step: Step, a: Rule, b: Rule, earlier: list[Box]) -> Iterator[Finding]:
        for box_a in a.boxes:
            for box_b in b.boxes:
                both = meet(box_a, box_b)
                if both is None:
                    continue
                for one in alternatives(a, both, tuple(earlier), self.excluded):
                    for other in alternatives(b, one.box, tuple(earlier), self.excluded):
                        found = (
                            self.find(other.box, [*one.minus, *other.minus]) if one.pattern != other.pattern else None
                        )
                        if found is not None:
                            sentence = f"in step {step.id}, {a.id} chooses {one.pattern} and {b.id} {other.pattern}"
                            yield Finding("AMBIGUOUS", f"{a.id}+{b.id}", b.place, sentence, found)
                            return

    def article_disagreements(self) -> Iterator[Finding]:
        """Two rules of one step of the article that keep different patterns in one case."""
        for step in self.base.article:
            for i, a in enumerate(step.rules):
                for b in step.rules[i + 1 :]:
                    if set(a.patterns) == set(b.patterns):
                        continue
                    for both in product(list(a.boxes), list(b.boxes)):
                        found = self.find(both, [])
                        if found is not None:
                            sentence = f"in the article's step {step.id}, {a.id} and {b.id} keep different patterns"
                            yield Finding("AMBIGUOUS", f"{a.id}+{b.id}", b.place, sentence, found)
                            break

    def empty_choices(self) -> Iterator[Finding]:
        """A rule all of whose patterns are excluded in some case that it decides."""
        earlier: list[Box] = []
        for step in self.base.steps:
            for rule in step.rules:
                parts: list[Box] = list(rule.boxes)
                for pattern in rule.patterns:
                    parts = product(parts, self.excluded[pattern])
                for part in parts:
                    found = self.find(part, earlier)
                    if found is not None:
                        sentence = f"every pattern that {rule.id} may choose is excluded in this case"
                        yield Finding("EMPTY_CHOICE", rule.id, rule.place, sentence, found)
                        break
            earlier += [box for rule in step.rules for box in rule.boxes]

    def unused_patterns(self) -> Iterator[Finding]:
        """A pattern that is never the primary, and an alternative of a rule that is never taken."""
        chosen: set[str] = set()
        taken: set[tuple[str, str]] = set()
        for region in self.regions:
            key = (region.rule.id, region.pattern)
            if key not in taken and not self.none(region.box, region.minus):
                taken.add(key)
                chosen.add(region.pattern)
        for pattern in self.base.patterns.values():
            if pattern.id not in chosen:
                yield Finding(
                    "UNUSED_PATTERN", pattern.id, pattern.place, f"{pattern.id} is never the recommended pattern"
                )
        for step in self.base.steps:
            for rule in step.rules:
                for name in rule.patterns:
                    if (rule.id, name) not in taken:
                        sentence = f"{rule.id} never chooses {name}: an earlier pattern of it is always possible"
                        yield Finding("DEAD_ALTERNATIVE", f"{rule.id}.{name}", rule.place, sentence)

    def dead_outcome_rules(self) -> Iterator[Finding]:
        """An accept or a caveat that can never apply, given which pattern its own answers lead to."""
        for rule in self.base.accepts:
            for pattern in rule.patterns:
                if not any(self._occurs(box, self.withheld[pattern], pattern) for box in rule.boxes):
                    sentence = f"{rule.id} never makes {pattern} acceptable: it is always excluded or recommended then"
                    yield Finding("DEAD_RULE", f"{rule.id}.{pattern}", rule.place, sentence)
        for caveat in self.base.caveats.values():
            situations = caveat.when if isinstance(caveat.when, list) else [caveat.when]
            for i, situation in enumerate(situations):
                if not any(self._occurs(box, [], "") for box in self._boxes_unsure(situation)):
                    which = f" (situation {i + 1})" if len(situations) > 1 else ""
                    sentence = (
                        f"{caveat.id} is never raised{which}: no answers lead to its pattern and meet its condition"
                    )
                    yield Finding("DEAD_CAVEAT", caveat.id, caveat.place, sentence)
                    break

    def _boxes_unsure(self, situation: Any) -> Iterator[Box]:
        """The boxes of a situation of a caveat, without the facts for which "I don't know" is answer enough."""
        for box, stated, presumed in self.space.situations([situation]):
            unsure = {v for fact in {*stated} & {*presumed} for v in self.space.of_fact[fact]}
            yield {v: mask for v, mask in box.items() if v not in unsure}

    def _occurs(self, box: Box, minus: list[Box], unless: str) -> bool:
        """Whether some case under the condition has a pattern that the condition allows (other than `unless`)."""
        variable = self.base.index[PATTERN]
        names = self.base.variables[variable].values
        mask = box.get(variable, self.base.full[variable])
        rest = {v: m for v, m in box.items() if v != variable}
        for region in self.regions:
            if region.pattern != unless and mask >> names.index(region.pattern) & 1:
                both = meet(rest, region.box)
                if both is not None and not self.none(both, [*region.minus, *minus]):
                    return True
        return False

    def idle_answers(self) -> Iterator[Finding]:
        """Questions that nothing uses, and answers of a question that nothing distinguishes."""
        base = self.base
        masks: dict[int, set[int]] = {}
        rules: list[Rule | Caveat | Impossible | Prior] = [
            *base.excludes,
            *base.withholds,
            *base.accepts,
            *base.caveats.values(),
            *base.impossible,
            *base.priors,
        ]
        rules += [rule for step in (*base.steps, *base.article) for rule in step.rules]
        for item in rules:
            for box in item.boxes:
                for variable, mask in box.items():
                    masks.setdefault(variable, set()).add(mask)
        sources = {fact for d in base.derived.values() for fact in d.factors}
        for question in base.questions.values():
            if question.feeds or question.id in sources or question.type == "text":
                continue
            numbers = base.of_fact[question.id]
            if not any(variable in masks for variable in numbers):
                yield Finding(
                    "UNUSED_QUESTION", question.id, question.place, f"no rule, caveat or number uses {question.id}"
                )
                continue
            for variable in numbers:
                yield from self._indistinct(variable, masks.get(variable, set()), question.place)
        printed = " ".join(caveat.figures for caveat in base.caveats.values())
        for key, derived in base.derived.items():
            if base.index[key] not in masks and f"{{{key}}}" not in printed:
                yield Finding("UNUSED_QUESTION", key, derived.place, f"no rule or caveat uses {key}")

    def _indistinct(self, variable: int, masks: set[int], place: Place) -> Iterator[Finding]:
        v = self.base.variables[variable]
        groups: dict[tuple[bool, ...], list[str]] = {}
        for i, name in enumerate(v.values):
            if name != "other":
                groups.setdefault(tuple(bool(mask >> i & 1) for mask in sorted(masks)), []).append(name)
        for names in groups.values():
            if len(names) > 1:
                sentence = f"no rule, caveat or number distinguishes these answers of {v.name}: {', '.join(names)}"
                yield Finding("SAME_ANSWERS", f"{v.name}", place, sentence)

    def cards(self) -> Iterator[Finding]:
        """An answer that names a platform without a card, so that its limits are unknown."""
        known = platforms.cards(self.base)
        for question in (self.base.questions[fact] for fact in platforms.WAY if known and fact in self.base.questions):
            fact = question.id
            for option in question.options:
                if option != "none" and (option not in known or fact not in known[option].stands_at):
                    sentence = f"{option} has no platform card for {fact}: write rules/platforms/{option}.yaml"
                    yield Finding("NO_CARD", f"{fact}.{option}", question.place, sentence)

    def typed_platforms(self) -> Iterator[Finding]:
        """A condition that names platforms one by one: the next card would be missing from it."""
        for typed in self.base.typed:
            shared = platforms.shared_rows(self.base, typed.fact, typed.answers)
            if shared:
                sentence = (
                    f"{typed.id} names {', '.join(typed.answers)} for {typed.fact}: "
                    f"write what their cards have in common, such as {shared[0]}, so that a new card counts as well"
                )
                yield Finding("TYPED_PLATFORM", f"{typed.id}.{typed.fact}", typed.place, sentence)

    def evidence(self) -> Iterator[Finding]:
        """A rule or a caveat that names nothing on which it rests."""
        items: list[Rule | Caveat] = [*self.base.excludes, *self.base.withholds, *self.base.accepts]
        items += self.base.caveats.values()
        items += [rule for step in (*self.base.steps, *self.base.article) for rule in step.rules]
        for item in items:
            if not item.evidence:
                advice = "name a `source`, what was `measured`, a section of the `article`, or a reasoned `judgement`"
                yield Finding("NO_EVIDENCE", item.id, item.place, f"{item.id} has no evidence: {advice}")

    def cures(self) -> Iterator[Finding]:
        """A caveat that breaks things and that no file of a kit cures, without a reason."""
        cured = {cure.caveat for cure in self.base.cures}
        for caveat in self.base.caveats.values():
            if caveat.severity == "breaks" and caveat.id not in cured and not caveat.yours:
                advice = (
                    "add it to the `cures` of one (templates/*/*/manifest.yaml), or give it `yours` with the reason"
                )
                sentence = f"no file of a kit cures {caveat.id}: {advice}"
                yield Finding("NO_CURE", caveat.id, caveat.place, sentence)

    def contradictions(self) -> Iterator[Finding]:
        """An impossible combination that is part of another, or holds for everything."""
        for i, item in enumerate(self.base.impossible):
            for other in self.base.impossible[:i] + self.base.impossible[i + 1 :]:
                if all(any(covers(outer, box) for outer in other.boxes) for box in item.boxes):
                    yield Finding("DEAD_RULE", item.id, item.place, f"{item.id} is already covered by {other.id}")
        if find({}, cannot_occur(self.base), self.base.full) is None:
            place = self.base.impossible[0].place
            yield Finding("IMPOSSIBLE_ALL", "impossible", place, "together, these combinations rule out every case")
