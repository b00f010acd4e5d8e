"""The rules folder, read, checked against the schema and against itself, and turned into a RuleBase.

A file that does not fit its schema ends the reading. Mistakes between the files are collected, with their places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from advisor.base.data import data
from advisor.base.text import did_you_mean
from advisor.model import platforms
from advisor.model import rulebase as rb
from advisor.model.boxes import Box
from advisor.model.conditions import WORDS, ConditionError, Space, variables
from advisor.model.cures import Cure
from advisor.model.values import UNKNOWN
from advisor.ruleset import (
    card_conditions,
    crosschecks,
    read_cards,
    read_caveats,
    read_cures,
    read_patterns,
    read_shares,
    schema,
    tables_schema,
)
from advisor.ruleset.evidence import evidence
from advisor.ruleset.files import RuleFile, Steps, digest
from advisor.ruleset.reader import Reader
from advisor.yamlio import nodes


def compile_folder(folder: Path) -> rb.RuleBase:
    """Read the rules folder. Raises RuleBaseError."""
    return _Compiler(folder).run()


def listed(named: str | Iterable[str]) -> tuple[str, ...]:
    """One id or several, as a tuple."""
    return (named,) if isinstance(named, str) else tuple(named)


class _Compiler(Reader):
    """The state of one reading: the problems so far and the names known so far."""

    def run(self) -> rb.RuleBase:
        patterns_file, patterns = self.nouns()
        decision_file, decision = self.read("decision.yaml", schema.Decision)
        article_file, article = self.read("article.yaml", schema.Article)
        impossible_file, impossible = self.read("impossible.yaml", schema.ImpossibleFile)
        priors_file, priors = self.read("priors.yaml", schema.Priors)
        costs = self.table("costs.yaml", tables_schema.Costs)
        timing = self.table("timing.yaml", tables_schema.Timing)
        caveat_files = [
            self.read(f"caveats/{p.name}", schema.Caveats) for p in sorted(self.folder.glob("caveats/*.yaml"))
        ]
        self.stop()
        caveats, waivers = read_caveats.made(self, caveat_files, self.spaces[True], self.written_out)
        base = rb.RuleBase(
            version=self.version,
            sha256=digest(self.folder),
            questions=self.questions,
            derived=self.derived,
            patterns=self.patterns,
            variables=self.variables,
            excludes=self.make_rules(decision_file, decision.excludes, ("excludes",), "exclude"),
            withholds=self.make_rules(decision_file, decision.withholds, ("withholds",), "withhold"),
            steps=self.make_steps(decision_file, decision.steps, "choose"),
            accepts=self.make_rules(decision_file, decision.accepts, ("accepts",), "accept", pattern=True),
            article=self.make_steps(article_file, article.steps, "keep"),
            caveats=caveats,
            impossible=self.make_impossible(impossible_file, impossible),
            priors=self.make_priors(priors_file, priors),
            plausible=self.make_plausible(priors_file, priors),
            tables={
                "apart": self.make_apart(patterns_file, patterns),
                "costs": costs,
                "timing": {**timing, "limits": read_cards.timed(self.cards, self.on_the_way())},
            },
            waivers=(*waivers, *read_caveats.waivers(decision_file, decision.waive)),
            platforms=platforms.as_text(self.cards),
            channels=patterns.channels,
            typed=tuple(self.typed),
            cures=self.make_cures(caveats),
            order=self.make_order(),
            shares=read_shares.made(self),
        )
        self.problems += crosschecks.problems(base)
        self.stop()
        return base

    def nouns(self) -> tuple[RuleFile, schema.Patterns]:
        """Read what the rules speak of: questions, derived numbers, patterns, cards, and the space of cases."""
        questions_file, questions = self.read("questions.yaml", schema.Questions)
        derived_file, derived = self.read("derived.yaml", schema.DerivedFile)
        patterns_file, patterns = self.read("patterns.yaml", schema.Patterns)
        self.stop()
        self.cards = read_cards.read(self, patterns.channels)
        self.version = questions.version
        self.questions = self.make_questions(questions_file, questions)
        self.derived = self.make_derived(derived_file, derived)
        self.patterns = read_patterns.made(self, patterns_file, patterns)
        self.variables = variables(self.questions.values(), self.derived.values(), tuple(self.patterns))
        clients = self.questions.get(card_conditions.CLIENTS)
        self.card_conditions = card_conditions.CardConditions(
            self.cards, self.patterns, clients.bands if clients is not None else ()
        )
        self.typed: list[rb.Typed] = []
        self.spaces = {
            True: Space(self.variables),
            False: Space([v for v in self.variables if v.name != rb.PATTERN]),
        }
        return patterns_file, patterns

    def make_order(self) -> tuple[int, ...]:
        """The variables of order.yaml, by number; none where there is no such file."""
        if not (self.folder / "order.yaml").exists():
            return ()
        file, model = self.read("order.yaml", schema.OrderFile)
        numbers = {variable.name: number for number, variable in enumerate(self.variables)}
        for at, name in enumerate(model.order):
            if name not in numbers:
                self.problem(file, ("order", at), f"there is no variable {name!r}{did_you_mean(name, numbers)}")
        return tuple(numbers[name] for name in model.order if name in numbers)

    def make_cures(self, caveats: dict[str, rb.Caveat]) -> tuple[Cure, ...]:
        """What the files of the kits cure, read from the manifests under templates/."""
        made, found = read_cures.read(data("templates"), caveats)
        self.problems += found.problems
        return made

    # --- nouns --------------------------------------------------------------------------------------------------------

    def make_questions(self, file: RuleFile, model: schema.Questions) -> dict[str, rb.Question]:
        made = {}
        for key, q in model.questions.items():
            path: Steps = ("questions", key)
            mode: Literal["assume", "open"] = "open" if "open" in q.when_unknown.model_fields_set else "assume"
            lead = q.when_unknown.open if mode == "open" else q.when_unknown.assume
            question = rb.Question(
                id=key,
                scope=q.scope,
                type=q.type,
                ask=q.ask,
                why=q.why,
                find_out=q.find_out,
                unit=q.unit,
                options=(options := self.make_options(file, path, q)),
                bands=self.make_bands(file, path, q.bands),
                minimum=q.minimum,
                whole=q.whole,
                mode=mode,
                lead=UNKNOWN,
                settled=q.settled,
                alike=q.alike,
                feeds=tuple(q.feeds),
                on_a_page=tuple(q.on_a_page),
                also_called=read_cards.other_names(self.cards, key, options),
                place=file.place(path, key=True),
            )
            made[key] = question._replace(lead=self.value(file, (*path, "when-unknown", mode), question, lead))
            if "other" in question.options:
                self.problem(file, (*path, "options"), "`other` is always allowed; remove it from the list")
            for name in (name for name in q.on_a_page if name not in question.options):
                hint = did_you_mean(name, question.options)
                self.problem(file, (*path, "on-a-page"), f"{key} has no option {name!r}{hint}")
        return made

    def make_options(self, file: RuleFile, path: Steps, q: schema.Question) -> dict[str, str]:
        """The listed answers, and the platforms with a card for this question: one file adds a platform."""
        made = dict(q.options or {})
        fact = str(path[-1])
        for card in self.cards:
            if fact in card.stands_at and q.type != "one-of":
                self.problem(file, path, f"{card.place.file} has {fact} in `stands-at`, which is not a one-of question")
            elif fact in card.stands_at:
                made.setdefault(card.id, card.name)
        return made

    def table(self, name: str, model: type[schema.Model]) -> dict[str, Any]:
        """A file that the program uses as plain data, checked here; each item gets its place."""
        file, _ = self.read(name, model)
        return {
            group: {key: {**item, "place": [*file.place((group, key), key=True)]} for key, item in items.items()}
            for group, items in nodes.plain(file.node).items()
        }

    def make_bands(self, file: RuleFile, path: Steps, bands: dict[str, schema.Band] | None) -> tuple[rb.Band, ...]:
        made = tuple(
            rb.Band(key, band.from_, math.inf if band.below is None else band.below)
            for key, band in (bands or {}).items()
        )
        edges = [0.0, *(band.high for band in made)]
        for edge, band in zip(edges, made, strict=False):
            if band.low != edge or band.high <= band.low:
                self.problem(
                    file,
                    (*path, "bands", band.id),
                    f"bands must neither overlap nor leave gaps: this one must start at {edge:g}",
                )
        if made and not math.isinf(made[-1].high):
            self.problem(file, (*path, "bands", made[-1].id), "the last band must have no upper end: remove `below`")
        return made

    def make_derived(self, file: RuleFile, model: schema.DerivedFile) -> dict[str, rb.Derived]:
        made = {}
        for key, d in model.derived.items():
            path: Steps = ("derived", key)
            for fact in d.product:
                if fact not in self.questions or self.questions[fact].type != "number":
                    hint = did_you_mean(fact, self.questions)
                    self.problem(file, (*path, "product", fact), f"there is no number question {fact!r}{hint}")
            bands = self.make_bands(file, path, d.bands)
            made[key] = rb.Derived(key, d.title, d.unit, dict(d.product), bands, file.place(path, key=True))
        return made

    def make_apart(self, file: RuleFile, model: schema.Patterns) -> dict[str, Any]:
        """What keeps two features of one page apart, as plain data; the numbers must be questions."""
        made: dict[str, Any] = {}
        for key, item in model.apart.items():
            limits = {
                "more_than_times": item.rider_more_than_times,
                "at_least": item.rider_at_least,
                "below": item.carrier_below,
            }
            for fact in dict.fromkeys(fact for numbers in limits.values() for fact in numbers):
                if fact not in self.questions or self.questions[fact].type != "number":
                    hint = did_you_mean(fact, self.questions)
                    self.problem(file, ("apart", key), f"there is no number question {fact!r}{hint}")
            made[key] = {**limits, "because": item.because, "place": [*file.place(("apart", key), key=True)]}
        return made

    def on_the_way(self) -> list[str]:
        """The channels of the patterns: a limit for another one is printed on its card and has no other effect."""
        return list(dict.fromkeys(pattern.channel for pattern in self.patterns.values() if pattern.channel))

    def make_steps(self, file: RuleFile, steps: Iterable[Any], key: str) -> tuple[rb.Step, ...]:
        made = []
        for i, step in enumerate(steps):
            rules = self.make_rules(file, step.rules, ("steps", i, "rules"), key)
            otherwise = getattr(step, "otherwise", None)
            if otherwise is not None:
                path: Steps = ("steps", i, "otherwise")
                self.known_patterns(file, path, otherwise.choose)
                rules += (
                    rb.Rule(
                        otherwise.id,
                        ({},),
                        {},
                        tuple(otherwise.choose),
                        otherwise.because,
                        evidence(otherwise.evidence),
                        read_caveats.examples(self, file, path, otherwise.examples),
                        file.place((*path, "id")),
                    ),
                )
                if rules[:-1]:
                    self.problem(file, path, "`otherwise` must be in a step without rules: move it to the next step")
            made.append(rb.Step(step.step, step.title, i + 1, rules))
        return tuple(made)

    def make_rules(
        self, file: RuleFile, items: Iterable[Any], at: Steps, key: str, *, pattern: bool = False
    ) -> tuple[rb.Rule, ...]:
        made = []
        for i, item in enumerate(items):
            path = (*at, i)
            when, grounds = self.written_out(file, path, item)
            patterns = listed(getattr(item, key))
            self.known_patterns(file, (*path, key), patterns)
            made.append(
                rb.Rule(
                    item.id,
                    self.boxes(file, path, when, pattern=pattern),
                    when,
                    patterns,
                    item.because,
                    evidence(item.evidence),
                    read_caveats.examples(self, file, path, item.examples),
                    file.place((*path, "id")),
                    getattr(item, "doubt", False),
                    grounds,
                    listed(getattr(item, "raises", ())),
                )
            )
        return tuple(made)

    def make_impossible(self, file: RuleFile, model: schema.ImpossibleFile) -> tuple[rb.Impossible, ...]:
        made = []
        for i, item in enumerate(model.impossible):
            path: Steps = ("impossible", i)
            when, _ = self.written_out(file, path, item)
            boxes = self.boxes(file, path, when)
            made.append(rb.Impossible(item.id, boxes, when, item.because, file.place((*path, "id"))))
        return tuple(made)

    def make_priors(self, file: RuleFile, model: schema.Priors) -> tuple[rb.Prior, ...]:
        made = []
        for i, p in enumerate(model.priors):
            path: Steps = ("priors", i)
            when, _ = self.written_out(file, path, p)
            usually = dict(self.given(file, (*path, "usually"), p.usually))
            boxes = self.boxes(file, path, when)
            for fact in (fact for fact in p.unsaid if fact not in self.questions):
                self.problem(file, (*path, "unsaid"), f"there is no fact {fact!r}{did_you_mean(fact, self.questions)}")
            place = file.place((*path, "id"))
            made.append(rb.Prior(p.id, boxes, when, usually, p.because, place, tuple(p.unsaid)))
        from_cards = read_cards.priors(self.cards, self.questions)
        return (*made, *(p._replace(boxes=tuple(self.spaces[False].boxes(p.when))) for p in from_cards))

    def make_plausible(self, file: RuleFile, model: schema.Priors) -> tuple[rb.Plausible, ...]:
        made = []
        for i, p in enumerate(model.plausible):
            path: Steps = ("plausible", i)
            given = [dict(self.given(file, (*path, "fact"), {p.fact: other.value})) for other in p.others]
            others = tuple((one[p.fact], other.weight) for one, other in zip(given, p.others, strict=True) if one)
            if sum(weight for _, weight in others) > 1:
                self.problem(file, (*path, "others"), f"the weights of {p.id} are more than 1 together")
            when, _ = self.written_out(file, path, p)
            boxes = self.boxes(file, path, when)
            place = file.place((*path, "id"))
            made.append(rb.Plausible(p.id, boxes, when, p.fact, others, evidence(p.evidence), place))
        return tuple(made)

    # --- checks while reading -----------------------------------------------------------------------------------------

    def written_out(self, file: RuleFile, path: Steps, item: Any) -> tuple[Any, tuple[rb.Ground, ...]]:
        """The condition of an item with the answers that its conditions on cards mean, and the rows in doubt."""
        for fact, answers, at in card_conditions.typed(item.when):
            self.typed.append(rb.Typed(item.id, fact, answers, file.place((*path, "when", *at), key=True)))
        try:
            return self.card_conditions.written_out(item.when, decides=not isinstance(item, schema.Caveat))
        except ConditionError as error:
            self.problem(file, (*path, "when", *error.path), str(error))
            return {}, ()

    def boxes(self, file: RuleFile, path: Steps, when: Any, *, pattern: bool = False) -> tuple[Box, ...]:
        for i, part in enumerate(when if isinstance(when, list) else [when]):
            for word in WORDS if isinstance(part, dict) else ():
                if word in part:
                    where = ("when", i, word) if isinstance(when, list) else ("when", word)
                    self.problem(file, (*path, *where), f"`{word}` is allowed only in the condition of a caveat")
        try:
            return tuple(self.spaces[pattern].boxes(when))
        except ConditionError as error:
            self.problem(file, (*path, "when", *error.path), str(error))
            return ({},)
