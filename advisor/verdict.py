"""One feature's answers into its verdict: a plain mapping, as the contract has it, that every report reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from advisor.boxes import Box, find, meet
from advisor.changes import Changes, Together, changes
from advisor.costs import costs
from advisor.decision import (
    Answers,
    Decision,
    Known,
    TracedStep,
    accepted,
    article,
    excluding,
    holds,
    know,
    trace,
    trace_rule,
    with_pattern,
)
from advisor.diagram import Diagram, TooWideError
from advisor.figures import filled
from advisor.regions import Region, regions
from advisor.rulebase import PATTERN, Caveat, Evidence, RuleBase
from advisor.space import cannot_occur, realise, unreachable
from advisor.text import number
from advisor.timing import timing
from advisor.values import Other, Value, plain

CONFLICT = "requirements-conflict"  # the caveat under which contradicting answers are reported too
USUAL = "The usual case; nobody said otherwise."
SEVERITIES = ("breaks", "degrades", "note")


def diagram_of(base: RuleBase) -> Diagram | None:
    """The diagram of the decision; None where it would be too wide, which costs only the changes of several answers."""
    try:
        return Diagram.of(base)
    except TooWideError:
        return None


class Judge:
    """A rule base made ready for deciding feature after feature."""

    def __init__(self, base: RuleBase) -> None:
        self.base = base
        self.diagram = diagram_of(base)
        self.impossible = cannot_occur(base)

    def feature(
        self, name: str, answers: Answers, alone: str | None = "", together: Together | None = None
    ) -> dict[str, Any]:
        """The verdict of one feature; `together` is how it would be decided among others, were its answers different.

        `alone` is the pattern before merging; "" means that nothing was merged.
        """
        base = self.base
        known = know(answers, base)
        steps, decision = trace(known, base)
        primary = decision.primary
        near = base.patterns[primary] if primary else None
        acceptable = self._acceptable(known, decision)
        times = timing(known.stated, base, near.nearest_core if near else None)
        there = list(regions(base, known.box)) if primary else []
        other = changes(answers, known, base, self.diagram, together)
        contradictions = [{"id": i.id, "why": i.because} for i in base.impossible if holds(i, known.lead)]
        raised = list(self._caveats(known, primary, there, times)) if primary else []
        if contradictions and CONFLICT in base.caveats and all(c["id"] != CONFLICT for c in raised):
            why = " ".join(c["why"] for c in contradictions)
            raised.insert(0, {**self._told(base.caveats[CONFLICT], known, times), "certainty": "certain", "why": why})
        return {
            "name": name,
            "primary": primary,
            "alone": primary if alone == "" else alone,
            "acceptable": acceptable,
            "rejected": self._rejected(known, decision, [a["id"] for a in acceptable]),
            "fallback": self._fallback(known, primary),
            "outside": near is not None and near.group == "outside",
            "nearest_core": near.nearest_core if near and near.group != "core" else None,
            **self._article(known, decision),
            "confidence": self._confidence(known, primary, there, {a["id"] for a in acceptable}),
            "caveats": [c for c in raised if "certainty" in c],
            "contradictions": contradictions,
            "caveats_if": [c for c in raised if "certainty" not in c],
            "assumptions": self._assumptions(known, other),
            "open": list(known.open),
            "ask_next": self._ask_next(known, other),
            "changes": self._changes(other),
            "costs": costs(known.answers, base, stated=known.stated.keys()),
            "timing": times,
            "steps": [_step(step) for step in steps],
            "article_steps": self._article_steps(known),
        }

    # --- patterns -----------------------------------------------------------------------------------------------------

    def _acceptable(self, known: Known, decision: Decision) -> list[dict[str, Any]]:
        if decision.primary is None or decision.rule is None:
            return []
        case = with_pattern(known.lead, decision.primary, self.base)
        chosen = [(decision.primary, decision.rule), *accepted(case, decision.primary, self.base)]
        return [
            {"id": pattern, "why": rule.because, "evidence": [evidence(e) for e in rule.evidence]}
            for pattern, rule in chosen
        ]

    def _rejected(self, known: Known, decision: Decision, acceptable: list[str]) -> list[dict[str, str]]:
        """What a reader would ask about: the core patterns, and what the deciding rule would rather have taken."""
        rule = decision.rule
        asked = [p.id for p in self.base.patterns.values() if p.group == "core"]
        asked += [p for p in (rule.patterns if rule else ()) if p not in asked]
        rejected = []
        for pattern in asked:
            if pattern in acceptable:
                continue
            by = excluding(pattern, known.lead, self.base)
            if by is not None:
                rejected.append({"id": pattern, "rule": by.id, "why": by.because})
            elif rule is not None and self.base.patterns[pattern].group == "core":
                price = self.base.patterns[pattern].weaknesses[:1]
                why = " ".join(["No rule asks for it here.", *price])
                rejected.append({"id": pattern, "rule": rule.id, "why": why})
        return rejected

    def _fallback(self, known: Known, primary: str | None) -> str | None:
        if primary is None:
            return None
        names = self.base.patterns[primary].fallbacks
        return next((p for p in names if excluding(p, known.lead, self.base) is None), None)

    def _confidence(self, known: Known, primary: str | None, there: list[Region], acceptable: set[str]) -> str:
        possible = self.diagram.possible(known.box) if self.diagram else set()
        if not possible:  # no diagram, or answers that contradict each other, which it does not have
            possible = {r.pattern for r in there if find(r.box, r.minus, self.base.full) is not None}
        if possible <= {primary or ""}:
            return "high"
        return "medium" if possible <= acceptable else "low"

    def _article(self, known: Known, decision: Decision) -> dict[str, Any]:
        base = self.base
        got = article(known, base)
        departs = None
        if got.primary != decision.primary and decision.rule is not None:
            departs = decision.rule.because
            if got.primary is not None:
                by = excluding(got.primary, known.lead, base)
                departs = f"{by.because} {departs}" if by is not None and by is not decision.rule else departs
        return {"article": {"primary": got.primary, "step": got.step or None}, "departs": departs}

    def _article_steps(self, known: Known) -> list[dict[str, Any]]:
        base = self.base
        made = []
        states = article(known, base).states
        for i, step in enumerate(base.article):
            reached = i < len(states)
            rule = states[i][1] if reached else None
            standing = states[i][2] if reached else ()
            made.append(
                {
                    "step": step.id,
                    "title": step.title,
                    "state": "not-reached" if not reached else "decided" if len(standing) == 1 else "passed",
                    "rule": rule.id if rule else None,
                    "because": rule.because if rule else None,
                    "rules": [_rule(trace_rule(r, known, base)) for r in step.rules],
                }
            )
        return made

    # --- caveats ------------------------------------------------------------------------------------------------------

    def _caveats(
        self, known: Known, primary: str, there: list[Region], times: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Those that hold for every completion (certain), for some and worth a warning (possible), and the others.

        Completions are those that keep the primary: a caveat speaks about the pattern that is recommended.
        """
        variable = self.base.index[PATTERN]
        bit = 1 << self.base.variables[variable].values.index(primary)
        inside = [r for r in there if r.pattern == primary]
        limits = self._limits(known)
        for caveat in sorted(self.base.caveats.values(), key=lambda c: SEVERITIES.index(c.severity)):
            boxes = [
                {v: m for v, m in box.items() if v != variable}
                for box in caveat.boxes
                if box.get(variable, bit) & bit and meet({variable: bit}, box) is not None
            ]
            raising = next((w for box in boxes if (w := self._some(box, inside, limits)) is not None), None)
            if raising is None:
                continue
            certain = all(find(r.box, [*r.minus, *boxes, *limits], self.base.full) is None for r in inside)
            if certain or caveat.warn_unknown:
                yield {**self._told(caveat, known, times), "certainty": "certain" if certain else "possible"}
            else:
                only_if = self._if(caveat, *raising, known)
                yield {"id": caveat.id, "severity": caveat.severity, "title": caveat.title, "if": only_if}

    def _limits(self, known: Known) -> list[Box]:
        """What to leave out of the completions. Stated answers that contradict each other are decided all the same."""
        limits = list(self.impossible)
        if find(known.box, limits, self.base.full) is None:
            limits = [box for key in self.base.derived for box in unreachable(key, self.base)]
        for derived in self.base.derived.values():
            if any(fact in known.open for fact in derived.factors):
                numbers = {
                    f: n
                    for f in derived.factors
                    if f not in known.open and isinstance(n := known.answers[f], int | float)
                }
                limits += unreachable(derived.id, self.base, tuple(numbers.items()))
        return limits

    def _told(self, caveat: Caveat, known: Known, times: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": caveat.id,
            "severity": caveat.severity,
            "title": caveat.title,
            "why": caveat.why,
            "do": caveat.do,
            "figures": filled(caveat.figures, known.stated, times, self.base),
            "evidence": [evidence(e) for e in caveat.evidence],
        }

    def _some(self, box: Box, inside: list[Region], limits: list[Box]) -> tuple[Box, list[Box]] | None:
        """Where the condition can hold with this primary: a box, and what to leave out of it."""
        for region in inside:
            both = meet(box, region.box)
            without = [*region.minus, *limits]
            if both is not None and find(both, without, self.base.full) is not None:
                return both, without
        return None

    def _if(self, caveat: Caveat, where: Box, without: list[Box], known: Known) -> dict[str, object]:
        """The open answers under which it is raised: as few as possible that are not those of the headline."""
        for fact in known.open:
            closer = meet(where, {v: 1 << known.lead[v] for v in self.base.of_fact[fact]})
            if closer is not None and find(closer, without, self.base.full) is not None:
                where = closer
        found = find(where, without, self.base.full) or {}
        point = {v: 1 << known.lead[v] if mask >> known.lead[v] & 1 else mask & -mask for v, mask in found.items()}
        answers = {f: v for f, v in (realise(point, self.base, known.answers) or {}).items() if f in known.open}
        moved = {fact: plain(value) for fact, value in answers.items() if value != known.answers[fact]}
        read = {self.base.variables[v].fact for box in caveat.boxes for v in box}
        return moved or {fact: plain(value) for fact, value in answers.items() if fact in read}

    # --- the rest -----------------------------------------------------------------------------------------------------

    def _assumptions(self, known: Known, other: Changes) -> list[dict[str, Any]]:
        """What was assumed, and the patterns that another answer to it alone would give."""
        made = []
        for a in known.assumptions:
            question = self.base.questions[a.fact]
            if question.type == "text" or a.fact == "kind":
                continue
            because = a.prior.because if a.prior else USUAL
            decides = list(other.decisive.get(a.fact, ()))
            made.append({"fact": a.fact, "value": plain(a.value), "text": because, "decides": decides})
        return made

    def _ask_next(self, known: Known, other: Changes) -> dict[str, Any] | None:
        """An unanswered question that can change the pattern by itself: an open one first, then in decision order."""
        assumed = {a.fact for a in known.assumptions if a.prior is None}
        waiting = [f for f in other.decisive if f in known.open] + [f for f in other.decisive if f in assumed]
        fact = next((f for f in waiting if not self.base.questions[f].settled), waiting[0] if waiting else None)
        if fact is None:
            return None
        return {"fact": fact, "ask": self.base.questions[fact].ask, "decides": list(other.decisive[fact])}

    def _changes(self, other: Changes) -> list[dict[str, Any]]:
        made = []
        for to, settings in other.to:
            words = " and ".join(f"{fact} were {shown(fact, value, self.base)}" for fact, value in settings.items())
            made.append(
                {
                    "to": to,
                    "set": {fact: plain(value) for fact, value in settings.items()},
                    "text": f"If {words}, it would be {self.base.patterns[to].title}.",
                }
            )
        return made


def shown(fact: str, value: Value, base: RuleBase) -> str:
    """An answer in words, with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{number(value)} {base.questions[fact].unit}".rstrip()
    if isinstance(value, tuple):
        return ", ".join(shown(fact, item, base) for item in value) or "none of them"
    return f"something else ({value.text})" if isinstance(value, Other) else str(value)


def evidence(item: Evidence) -> dict[str, str]:
    """Evidence as JSON carries it."""
    return {"kind": item.kind, "text": item.text, "where": item.where, "url": item.url, "as_of": item.as_of}


def _step(traced: TracedStep) -> dict[str, Any]:
    return {
        "step": traced.step.id,
        "title": traced.step.title,
        "state": traced.state,
        "rule": traced.chosen.id if traced.chosen else None,
        "because": traced.chosen.because if traced.chosen else None,
        "rules": [_rule(rule) for rule in traced.rules],
    }


def _rule(traced: Any) -> dict[str, Any]:
    return {
        "rule": traced.rule.id,
        "result": traced.result,
        "conditions": [
            {"fact": c.fact, "wanted": c.wanted, "answer": plain(c.answer), "result": c.result}
            for c in traced.conditions
        ],
    }
