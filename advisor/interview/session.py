"""One interview as a value: answers, where the person is, what can be undone. Every operation gives a new session.

The next question is the one that most likely decides the pattern (advisor/engine/asking.py), then what warns, then what
the kit needs, each only while it can still change something. An answer whose question cannot change anything any more
is *parked*: it stays in the file, is shown as such, and counts again as soon as its question does. Screens only show
what is in a session.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from advisor.answers.check import RefusedError, contradictions, facts_of, fitting
from advisor.answers.file import MAX_FEATURES, UNNAMED
from advisor.base.text import plural, quoted
from advisor.engine.asking import FIRST, Asking, Part, usual
from advisor.engine.decision import decide, excluding, know
from advisor.engine.relevance import Relevance
from advisor.interview import left, overview, ruled_out
from advisor.interview.naming import checked_name
from advisor.interview.way import Past, Pause, Progress, Usual, Way, following, progress, said_before, ways
from advisor.model.answers_in_words import labelled
from advisor.model.project import Feature, Project
from advisor.model.rulebase import Question, RuleBase
from advisor.model.values import UNKNOWN, Value

if TYPE_CHECKING:
    from advisor.model.verdict import Verdict

MOST_UNDO = 500


@dataclass(frozen=True, eq=False)
class Session:
    """An interview at one moment. `at` is the question that the person went to; None means the next one."""

    base: RuleBase
    project: Project
    current: int = 0
    at: str | None = None
    past: tuple[Past, ...] = ()
    ways: tuple[Way, ...] = (Way(),)  # one for each feature

    # --- beginning and end --------------------------------------------------------------------------------------------

    @staticmethod
    def new(base: RuleBase, feature: str, project: Project | None = None) -> Session:
        """An interview with one feature; `project` may have answers that all share. Raises RefusedError."""
        first = (Feature(checked_name(feature, ()), {}),)
        return Session(base, Project(UNNAMED, {}, {}, first) if project is None else project._replace(features=first))

    @staticmethod
    def from_project(project: Project, base: RuleBase) -> Session:
        """An interview that goes on from an answers file."""
        return Session(base, project, ways=ways(project))

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict of `advisor recommend` on the answers so far."""
        from advisor.engine.portfolio import recommend  # not needed before the first question is on the screen

        return recommend(self.project, self.base)

    # --- what is known ------------------------------------------------------------------------------------------------

    @property
    def feature(self) -> Feature:
        """The feature that is asked about."""
        return self.project.features[self.current]

    @property
    def several(self) -> bool:
        """Whether there is more than one feature."""
        return len(self.project.features) > 1

    @cached_property
    def answers(self) -> dict[str, Value]:
        """Every answer that holds for the current feature, parked ones included, in the order of the questions."""
        given = self.project.answers(self.feature)
        return {fact: given[fact] for fact in self.base.questions if fact in given}

    @cached_property
    def standing(self) -> dict[str, Value]:
        """The answers that count."""
        return left.standing(tuple(self.answers.items()), self.base, self.several)

    @property
    def parked(self) -> list[str]:
        """The questions whose answers are kept and cannot change anything now."""
        return [fact for fact in self.answers if fact not in self.standing]

    @cached_property
    def relevance(self) -> Relevance:
        """What can still come out for the current feature, and which questions still matter."""
        return left.relevance(tuple(self.standing.items()), self.base, self.several)

    @cached_property
    def asking(self) -> Asking:
        """The open questions by what they are for, and whether the pattern is settled."""
        return left.asking(tuple(self.answers.items()), self.relevance, self.base)

    @property
    def way(self) -> Way:
        """The way through the questions of the current feature."""
        return self.ways[self.current]

    @cached_property
    def open(self) -> list[str]:
        """The questions that still matter, in the order in which they are asked. A parked answer is none."""
        return following(self.asking, self.way.part)

    @cached_property
    def listing(self) -> tuple[Usual, ...]:
        """The list to confirm or change: what was said of it already, and what is usual for the rest; else empty."""
        if self.way.listed or FIRST not in self.answers:
            return ()
        before = said_before(self.project, self.current)
        found = usual(self.answers, before, self.relevance, self.asking.weights, self.base)
        rows = [Usual(fact, value, stated=False) for fact, value in found.items() if self._fits(fact, value)]
        said = [Usual(f, v, stated=True) for f, v in self.feature.facts.items() if f in self.way.trail and f != FIRST]
        return (*said, *rows) if rows else ()

    @property
    def pause(self) -> Pause | None:
        """What the person is asked before the next question: the list of usual answers, or how to go on."""
        if self.at is not None:
            return None
        if self.listing:
            return "list"
        chosen = self.way.part
        going = chosen is not None and bool(self.asking.of(chosen))
        return "settled" if self.asking.settled and self.open and not going else None

    @property
    def question(self) -> Question | None:
        """The current question; None when nothing is left to ask."""
        fact = self.at if self.at is not None else next(iter(self.open), None)
        return None if fact is None else self.base.questions[fact]

    @property
    def progress(self) -> Progress:
        """How far the current feature is. `most` counts what can matter now; `least` what surely will."""
        listed = self.way.listed and FIRST in self.answers
        return progress(len(self.standing), self.asking, self.relevance.unavoidable, self.details, listed=listed)

    @property
    def details(self) -> str:
        """What the last part of the questions is for: the kit, if a pattern that is possible has one."""
        return "kit" if any(self.base.patterns[pattern].group == "core" for pattern in self.possible) else "details"

    @property
    def possible(self) -> list[str]:
        """The patterns that can still come out, in the order of the rules."""
        return [pattern for pattern in self.base.patterns if pattern in self.relevance.possible]

    @cached_property
    def so_far(self) -> str | None:
        """The pattern if the interview stopped here and there were no other feature."""
        return decide(know(self.answers, self.base).lead, self.base).primary

    @cached_property
    def pattern(self) -> str | None:
        """The pattern if the interview stopped here, beside the features on the same page."""
        if not self.several:
            return self.so_far
        from advisor.engine.portfolio import Neighbours  # as for the verdict

        return Neighbours(self.project, self.base).decided(self.feature.name, {})

    @property
    def conflicts(self) -> list[str]:
        """Why the answers contradict each other, where they do (a file may say so; an answer that would is refused)."""
        return [item.because for item in contradictions(self.answers, self.base)]

    # --- what the screens show beside the question --------------------------------------------------------------------

    def reason(self, fact: str) -> str:
        """What an answer to this question can still change, in words that follow "Affects:"."""
        if fact in self.standing:
            return "the questions that follow, if you answer differently."
        if fact in self.answers:
            return "nothing now, but your answer is kept."
        return overview.reason(fact, self.relevance, self.base)

    def preview(self, fact: str, value: Value) -> overview.Preview:
        """What this answer would rule out, or why it would be refused."""
        try:
            return overview.preview(fact, self.check(fact, value), self.standing, self.base)
        except RefusedError as refused:
            return overview.Preview((), (), str(refused))

    @cached_property
    def fallen(self) -> list[ruled_out.Fallen]:
        """The patterns that cannot come out any more, and the answers that would have to be other ones."""
        return ruled_out.fallen(self.answers, self.relevance.possible, self.base)

    @cached_property
    def fallback(self) -> str | None:
        """The pattern for clients that cannot use the one so far, where it is the only feature."""
        if self.so_far is None or self.several:
            return None
        case, names = know(self.answers, self.base).lead, self.base.patterns[self.so_far].fallbacks
        return next((pattern for pattern in names if excluding(pattern, case, self.base) is None), None)

    @cached_property
    def article(self) -> list[overview.ArticleStep]:
        """The article's steps as walked so far."""
        return overview.article_steps(
            self.relevance.box, self.question.id if self.question else "", self.standing, self.base
        )

    @cached_property
    def caveats(self) -> list[overview.Raised]:
        """What the answers so far raise, the worst first."""
        return overview.caveats(self.relevance, self.standing, self.base)

    @cached_property
    def rows(self) -> list[overview.Row]:
        """Every question with its answer and the effect of that answer."""
        return overview.rows(self.answers, self.standing, self.relevance, self.fallen, self.base)

    # --- answering ----------------------------------------------------------------------------------------------------

    def check(self, fact: str, value: Value) -> Value:
        """The answer as it is kept. Raises RefusedError if it does not fit or contradicts other answers."""
        kept = fitting(self.base.questions[fact], value)
        inside = self._home(fact)
        for i, feature in enumerate(self.project.features):
            if (inside is None and fact not in feature.facts) or inside == i:
                answers = {**self.project.answers(feature), fact: kept}
                for item in contradictions(answers, self.base, fact):
                    others = [f for f in facts_of(item, self.base) if f != fact and f in answers]
                    said = " and ".join(f"{f}: {labelled(self.base.questions[f], answers[f])}" for f in others)
                    where = f" in {quoted(feature.name)}" if self.several else ""
                    raise RefusedError(f"{item.because} You answered {said}{where}; change that answer first.")
        return kept

    def answer(self, fact: str, value: Value) -> Session:
        """With this answer, at the next question. Raises RefusedError."""
        kept = self.check(fact, value)
        change = f"{fact}: {labelled(self.base.questions[fact], kept)}"
        return self._changed(
            self._with(fact, kept), change, ways=self._on_way(self.way.after([fact], beside_list=not self.listing))
        )

    def confirm(self) -> Session:
        """With every usual answer of the list stated. Raises RefusedError where there is no list."""
        rows = [row for row in self.listing if not row.stated]
        if not rows:
            raise RefusedError("There is no list to confirm.")
        told = self
        for row in rows:
            if told._fits(row.fact, row.value):
                told = replace(told, project=told._with(row.fact, row.value))
        way = self.way.after(row.fact for row in rows)._replace(listed=True)
        return self._changed(told.project, f"{plural(len(rows), 'usual answer')} confirmed", ways=self._on_way(way))

    def go_on(self, part: Part | None = None) -> Session:
        """Past the pause: to this part of the questions, or to the next that has some."""
        if self.pause == "list":
            return replace(self, ways=self._on_way(self.way._replace(listed=True)))
        if self.pause is None:
            raise RefusedError("There is a question to answer first.")
        chosen: Part = part if part is not None else "warnings" if self.asking.warnings else "kit"
        if not self.asking.of(chosen):
            raise RefusedError("There is no such question left.")
        return replace(self, ways=self._on_way(self.way._replace(part=chosen)))

    def unknown(self, fact: str) -> Session:
        """With the answer "I don't know"."""
        return self.answer(fact, UNKNOWN)

    def clear(self, fact: str) -> Session:
        """Without an answer to this question, as if it had not been asked yet."""
        if fact not in self.answers:
            raise RefusedError("This question has no answer to remove.")
        return self._changed(self._with(fact, None), f"{fact}: no answer")

    def _home(self, fact: str) -> int | None:
        """Where the answer is kept: the current feature's number, or None for what all features share."""
        own = self.base.questions[fact].scope == "feature" or fact in self.feature.facts
        return self.current if own else None

    def _with(self, fact: str, value: Value | None) -> Project:
        def put(facts: dict[str, Value]) -> dict[str, Value]:
            changed = {**facts, fact: value} if value is not None else {f: v for f, v in facts.items() if f != fact}
            return {f: changed[f] for f in self.base.questions if f in changed}

        if self._home(fact) is not None:
            return self._with_feature(self.feature._replace(facts=put(self.feature.facts)))
        if self.base.questions[fact].scope == "path":
            return self.project._replace(path=put(self.project.path))
        return self.project._replace(app=put(self.project.app))

    def _with_feature(self, feature: Feature) -> Project:
        features = list(self.project.features)
        features[self.current] = feature
        return self.project._replace(features=tuple(features))

    def _fits(self, fact: str, value: Value) -> bool:
        """Whether the question is open and this answer contradicts no other."""
        with suppress(RefusedError):
            return fact not in self.answers and self.check(fact, value) is not None
        return False

    def _on_way(self, way: Way) -> tuple[Way, ...]:
        return (*self.ways[: self.current], way, *self.ways[self.current + 1 :])

    def _changed(
        self, project: Project, change: str, current: int | None = None, ways: tuple[Way, ...] | None = None
    ) -> Session:
        past = (*self.past, Past(self.project, self.current, self.at, change, self.ways))[-MOST_UNDO:]
        now = self.current if current is None else current
        return Session(self.base, project, now, None, past, self.ways if ways is None else ways)

    # --- moving -------------------------------------------------------------------------------------------------------

    def goto(self, fact: str) -> Session:
        """At this question, answered or not."""
        if fact not in self.base.questions:
            raise RefusedError(f"There is no question {quoted(fact)}.")
        return replace(self, at=fact)

    def back(self) -> Session:
        """At the question that was answered before this one. Raises RefusedError at the first."""
        walk = self.way.walk(self.standing)
        place = walk.index(self.at) if self.at in walk else len(walk)
        if not place:
            raise RefusedError("This is the first question.")
        return replace(self, at=walk[place - 1])

    def forward(self) -> Session:
        """At the question that was answered after this one; after the last one, at what is left to ask."""
        walk = self.way.walk(self.standing)
        place = walk.index(self.at) + 1 if self.at in walk else len(walk)
        return replace(self, at=walk[place] if place < len(walk) else None)

    def undo(self) -> Session:
        """Without the last change. Raises RefusedError where there is none."""
        if not self.past:
            raise RefusedError("There is nothing to undo.")
        last = self.past[-1]
        return replace(
            self, project=last.project, current=last.current, at=last.at, past=self.past[:-1], ways=last.ways
        )

    # --- features -----------------------------------------------------------------------------------------------------

    def select(self, index: int) -> Session:
        """At another feature."""
        if not 0 <= index < len(self.project.features):
            raise RefusedError("There is no such feature.")
        return replace(self, current=index, at=None)

    def add_feature(self, name: str) -> Session:
        """With one more feature, which shares path and app, and at its first question. Raises RefusedError."""
        feature = Feature(self._new_name(name), {})
        return self._more(feature, f"feature {quoted(feature.name)} added", Way())

    def duplicate_feature(self, name: str) -> Session:
        """With a copy of the current feature under another name. Raises RefusedError."""
        feature = Feature(self._new_name(name), dict(self.feature.facts))
        return self._more(feature, f"feature {quoted(feature.name)} copied", self.way._replace(listed=True))

    def rename_feature(self, name: str) -> Session:
        """With another name for the current feature. Raises RefusedError."""
        taken = [f.name for i, f in enumerate(self.project.features) if i != self.current]
        feature = self.feature._replace(name=checked_name(name, taken))
        return self._changed(self._with_feature(feature), f"feature renamed to {quoted(feature.name)}")

    def remove_feature(self) -> Session:
        """Without the current feature. Raises RefusedError for the last one."""
        if not self.several:
            raise RefusedError("A project needs at least one feature.")
        features = [f for i, f in enumerate(self.project.features) if i != self.current]
        project = self.project._replace(features=tuple(features))
        ways = (*self.ways[: self.current], *self.ways[self.current + 1 :])
        change = f"feature {quoted(self.feature.name)} removed"
        return self._changed(project, change, min(self.current, len(features) - 1), ways)

    def rename_project(self, name: str) -> Session:
        """With another name for the whole. Raises RefusedError."""
        project = self.project._replace(name=checked_name(name, ()))
        return self._changed(project, f"project renamed to {quoted(project.name)}")

    def replaced_by(self, project: Project, change: str) -> Session:
        """With the answers of another file; undo brings these back."""
        return self._changed(project, change, min(self.current, len(project.features) - 1), ways(project))

    def _new_name(self, name: str) -> str:
        if len(self.project.features) >= MAX_FEATURES:
            raise RefusedError(f"A project can have at most {MAX_FEATURES} features.")
        return checked_name(name, [f.name for f in self.project.features])

    def _more(self, feature: Feature, change: str, way: Way) -> Session:
        features = (*self.project.features, feature)
        return self._changed(self.project._replace(features=features), change, len(features) - 1, (*self.ways, way))
