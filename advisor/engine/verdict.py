"""One feature's answers into its verdict: a plain mapping, as the contract has it, that every report reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from advisor.engine import confidence
from advisor.engine.bearing import bearing, told_assumptions
from advisor.engine.changes import ByItself, Changes, Decider, changes
from advisor.engine.costs import costs
from advisor.engine.decision import (
    Answers,
    Decision,
    Known,
    TracedRule,
    TracedStep,
    accepted,
    article,
    excluding,
    holds,
    know,
    offered,
    trace,
    trace_rule,
    with_pattern,
)
from advisor.engine.decision_diagram import Diagram, TooWideError
from advisor.engine.kept import if_kept
from advisor.engine.raising import raised as raised_by
from advisor.engine.timing import timing
from advisor.model.answers_in_words import named
from advisor.model.rulebase import RuleBase
from advisor.model.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.model.verdict import (
        Acceptable,
        Article,
        AskNext,
        Assumption,
        Change,
        Contradiction,
        FeatureVerdict,
        Rejection,
        WalkedRule,
        WalkedStep,
    )

CONFLICT = "requirements-conflict"  # the caveat under which contradicting answers are reported too
REUSE = "reuse-existing-connection"  # the caveat of features that share a connection of their page
USUAL = "The usual case; no answer says otherwise."


class Merged(NamedTuple):
    """A feature that rides on what a neighbour on its page keeps open.

    `alone` is the pattern that it would have without that neighbour; `connection` the pattern of the neighbour's
    connection, which counts as open for this feature whatever its own answers say.
    """

    alone: str
    connection: str


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

    def feature(
        self,
        name: str,
        answers: Answers,
        merged: Merged | None = None,
        decider: Decider | None = None,
        sharing: Sequence[str] = (),
    ) -> FeatureVerdict:
        """The verdict of one feature from its own answers.

        `merged`: it rides on a neighbour's connection. `decider` decides it again with other answers, for what would
        change it; None where no other feature affects it. `sharing`: those on its page that use the same connection.
        """
        base = self.base
        answers = {**answers, "existing-connection": merged.connection} if merged else answers
        known = know(answers, base)
        steps, decision = trace(known, base)
        primary = decision.primary
        near = base.patterns[primary] if primary else None
        acceptable = self._acceptable(known, decision)
        fine = {a["id"] for a in acceptable}
        times = timing(known.stated, base, primary)
        other = changes(decider or ByItself(answers, base), known, base, self.diagram)
        contradictions = self._contradictions(known)
        listed = confidence.without_unlisted(answers)
        readings = [known] if listed == dict(answers) else [known, know(listed, base)]
        raised, only_if = raised_by(readings, decision, times, base, self._forced(contradictions, answers, sharing))
        doubtful = confidence.doubts(readings, decider or ByItself(answers, base), base)
        told = {c["id"] for c in raised} | {c["id"] for c in only_if if not c["if"]}  # a line each beyond five
        level, why = confidence.judged(readings, decision, fine, doubtful, told, base, self.diagram)
        settled, departs = self._article(known, decision)
        return {
            "name": name,
            "primary": primary,
            "alone": merged.alone if merged else primary,
            "acceptable": acceptable,
            "rejected": self._rejected(known, decision, fine),
            "fallback": self._fallback(known, primary),
            "outside": near is not None and near.group == "outside",
            "nearest_core": near.nearest_core if near and near.group != "core" else None,
            "article": settled,
            "departs": departs,
            "confidence": level,
            "confidence_why": why,
            "riskiest": confidence.riskiest(known, other, doubtful, fine, base),
            "stated": [fact for fact in base.questions if fact in known.stated],
            "caveats": raised,
            "contradictions": contradictions,
            "caveats_if": only_if,
            "if_kept": if_kept(known, primary, base),
            "assumptions": self._assumptions(known, other),
            "open": list(known.open),
            "matters": bearing(readings, primary, other, only_if, base),
            "ask_next": self._ask_next(known, other),
            "changes": self._changes(other),
            "costs": costs(known.answers, base, stated=known.stated.keys(), times=times),
            "timing": times,
            "steps": [_step(step) for step in steps],
            "article_steps": self._article_steps(known),
        }

    def _contradictions(self, known: Known) -> list[Contradiction]:
        return [{"id": i.id, "why": i.because} for i in self.base.impossible if holds(i, known.lead)]

    def _forced(
        self, contradictions: Sequence[Contradiction], answers: Answers, sharing: Sequence[str]
    ) -> dict[str, str]:
        """The caveats that no condition raises, each with what does: contradicting answers, a neighbour."""
        made = {CONFLICT: " ".join(c["why"] for c in contradictions)} if contradictions else {}
        if sharing:
            made[REUSE] = f"{plain(answers['page'])} is also the page of {', '.join(sorted(sharing))}"
        return {caveat: why for caveat, why in made.items() if caveat in self.base.caveats}

    # --- patterns -----------------------------------------------------------------------------------------------------

    def _acceptable(self, known: Known, decision: Decision) -> list[Acceptable]:
        if decision.primary is None or decision.rule is None:
            return []
        case = with_pattern(known.lead, decision.primary, self.base)
        chosen = [(decision.primary, decision.rule), *accepted(case, decision.primary, self.base)]
        return [
            {"id": pattern, "why": rule.because, "evidence": [e.data() for e in rule.evidence]}
            for pattern, rule in chosen
        ]

    def _rejected(self, known: Known, decision: Decision, acceptable: set[str]) -> list[Rejection]:
        """What a reader would ask about: the core patterns, and what the deciding rule would rather have taken."""
        rule = decision.rule
        asked = [p.id for p in self.base.patterns.values() if p.group == "core"]
        asked += [p for p in (rule.patterns if rule else ()) if p not in asked]
        rejected: list[Rejection] = []
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
        return next((p for p in names if offered(p, known.lead, self.base)), None)

    def _article(self, known: Known, decision: Decision) -> tuple[Article, str | None]:
        base = self.base
        got = article(known, base)
        departs = None
        if got.primary != decision.primary and decision.rule is not None:
            departs = decision.rule.because
            if got.primary is not None:
                by = excluding(got.primary, known.lead, base)
                departs = f"{by.because} {departs}" if by is not None and by is not decision.rule else departs
        return {"primary": got.primary, "step": got.step or None}, departs

    def _article_steps(self, known: Known) -> list[WalkedStep]:
        base = self.base
        made: list[WalkedStep] = []
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

    # --- the rest -----------------------------------------------------------------------------------------------------

    def _assumptions(self, known: Known, other: Changes) -> list[Assumption]:
        """What was assumed, and the patterns that another answer to it alone would give."""
        made: list[Assumption] = []
        for a in told_assumptions(known, self.base):
            because = a.prior.because if a.prior else USUAL
            decides = list(other.decisive.get(a.fact, ()))
            made.append({"fact": a.fact, "value": plain(a.value), "text": because, "decides": decides})
        return made

    def _ask_next(self, known: Known, other: Changes) -> AskNext | None:
        """An unanswered question that alone can change the pattern: an open one first, then in decision order."""
        assumed = {a.fact for a in known.assumptions if a.prior is None}
        waiting = [f for f in other.decisive if f in known.open] + [f for f in other.decisive if f in assumed]
        fact = next((f for f in waiting if not self.base.questions[f].settled), waiting[0] if waiting else None)
        if fact is None:
            return None
        return {"fact": fact, "ask": self.base.questions[fact].ask, "decides": list(other.decisive[fact])}

    def _changes(self, other: Changes) -> list[Change]:
        made: list[Change] = []
        for to, settings in other.to:
            words = " and ".join(f"{fact} were {named(fact, value, self.base)}" for fact, value in settings.items())
            made.append(
                {
                    "to": to,
                    "set": {fact: plain(value) for fact, value in settings.items()},
                    "text": f"If {words}, it would be {self.base.patterns[to].title}.",
                }
            )
        return made


def _step(traced: TracedStep) -> WalkedStep:
    return {
        "step": traced.step.id,
        "title": traced.step.title,
        "state": traced.state,
        "rule": traced.chosen.id if traced.chosen else None,
        "because": traced.chosen.because if traced.chosen else None,
        "rules": [_rule(rule) for rule in traced.rules],
    }


def _rule(traced: TracedRule) -> WalkedRule:
    return {
        "rule": traced.rule.id,
        "result": traced.result,
        "conditions": [
            {"fact": c.fact, "wanted": c.wanted, "answer": plain(c.answer), "result": c.result}
            for c in traced.conditions
        ],
    }
