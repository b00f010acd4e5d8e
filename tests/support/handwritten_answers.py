"""Answers files as people write them: any mixture of YAML styles, with comments; each line knows what it is about."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from advisor.model.project import Feature, Project
from advisor.model.rulebase import Question, RuleBase
from advisor.model.values import UNKNOWN, Other, Unknown, Value, plain

TEXTS = [
    "chat", "order: status", "a # b", "it's", 'say "hi"', "\N{NUMERO SIGN} 1", "yes", "1.22", "null", "[red]", "{a}",
    "- x", "e\u0301", "\U0001f600 fine", "a\\b", "*star", "&and", "!bang", "%per", "@at", "`tick", "tab: x", "x" * 199,
    "? q", "| pipe", "~",
]  # fmt: skip
About = tuple[Any, ...]  # ("project",), ("path", fact or ""), (number of the feature, fact or ""), () for what stays


def random_value(rng: Random, question: Question) -> Value:
    """A legal answer, "I don't know" among them."""
    if rng.random() < 0.15:
        return UNKNOWN
    if question.type == "yes-no":
        return rng.random() < 0.5
    if question.type == "number":
        numbers = [0, 1, 3, 60, 5000, 250_000, *([] if question.whole else [0.05, 2.5, 1e308])]
        return rng.choice([n for n in numbers if n >= question.minimum])
    if question.type == "text":
        return rng.choice(TEXTS)
    if question.type == "some-of":
        some = tuple(o for o in question.options if rng.random() < 0.5)
        return (*some, Other(rng.choice(TEXTS))) if rng.random() < 0.3 else some
    return rng.choice([*question.options, Other(rng.choice(TEXTS))])


def random_facts(rng: Random, base: RuleBase, *scopes: str) -> dict[str, Value]:
    asked = [q for q in base.questions.values() if q.scope in scopes]
    return {q.id: random_value(rng, q) for q in asked if rng.random() < 0.45}


def random_project(rng: Random, base: RuleBase) -> Project:
    names = rng.sample(TEXTS, rng.randint(1, 4))
    return Project(
        rng.choice(TEXTS),
        random_facts(rng, base, "path"),
        random_facts(rng, base, "app"),
        tuple(
            Feature(name, random_facts(rng, base, "feature", "feature", *(["path"] * (rng.random() < 0.2))))
            for name in names
        ),
    )


def edited(rng: Random, project: Project, base: RuleBase) -> Project:
    """The project after a few changes of a person."""
    for _ in range(rng.randint(1, 5)):
        project = _edit(rng, project, base)
    return project


def _facts_edited(rng: Random, facts: dict[str, Value], base: RuleBase, *scopes: str) -> dict[str, Value]:
    asked = rng.choice([q for q in base.questions.values() if q.scope in scopes])
    changed = {f: v for f, v in facts.items() if f != asked.id}
    return changed if rng.random() < 0.25 else {**changed, asked.id: random_value(rng, asked)}


def _edit(rng: Random, project: Project, base: RuleBase) -> Project:
    features = list(project.features)
    taken = {f.name for f in features}
    free = [name for name in TEXTS if name not in taken]
    at = rng.randrange(len(features))
    kind = rng.choice(["fact"] * 6 + ["path", "app", "name", "rename", "add", "copy", "remove"])
    if kind == "fact":
        features[at] = features[at]._replace(facts=_facts_edited(rng, features[at].facts, base, "feature"))
    elif kind == "path":
        return project._replace(path=_facts_edited(rng, project.path, base, "path"))
    elif kind == "app":
        return project._replace(app=_facts_edited(rng, project.app, base, "app"))
    elif kind == "name":
        return project._replace(name=rng.choice(TEXTS))
    elif kind == "rename":
        features[at] = features[at]._replace(name=rng.choice(free))
    elif kind == "add":
        features.append(Feature(rng.choice(free), random_facts(rng, base, "feature")))
    elif kind == "copy":
        features.append(Feature(rng.choice(free), dict(features[at].facts)))
    elif len(features) > 1:
        del features[at]
    return project._replace(features=tuple(features))


class Hand:
    """Writes a project the way one person would."""

    def __init__(self, rng: Random, base: RuleBase) -> None:
        self.rng, self.base = rng, base
        self.lines: list[tuple[str, About]] = []
        self.notes = 0
        self.busy = rng.choice([0, 0.1, 0.5])  # how many comments and blank lines
        self.step = rng.choice([1, 2, 2, 2, 4])

    def file(self, project: Project) -> tuple[str, list[tuple[str, About]]]:
        """The text, and its lines with what each is about."""
        rng = self.rng
        if rng.random() < 0.1:
            tree = tree_of(project)
            text = json.dumps(tree, ensure_ascii=False, indent=rng.choice([None, 2]))
            return text, []
        if rng.random() < 0.15:
            self.say("---" if rng.random() < 0.5 else "--- # begins")
        self.aside(0)
        sections = [lambda: self.project(project)]
        if project.path or rng.random() < 0.3:
            sections.append(lambda: self.section("path", project.path))
        if project.app or rng.random() < 0.3:
            sections.append(lambda: self.section("app", project.app))
        sections.append(lambda: self.features(project.features))
        if rng.random() < 0.3:
            rng.shuffle(sections)
        for write in sections:
            write()
            self.aside(0)
        newline = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
        text = newline.join(line for line, _ in self.lines) + newline * (rng.random() < 0.85)
        return "\ufeff" * (rng.random() < 0.1) + text, self.lines

    def say(self, line: str, about: About = ()) -> None:
        self.lines.append((line, about))

    def note(self) -> str:
        """A comment that there is once."""
        self.notes += 1
        return f"# note {self.notes}: 'it\" {{is}} [ours], - a: b"

    def aside(self, indent: int, about: About = ()) -> None:
        """Perhaps a comment or a blank line."""
        while self.rng.random() < self.busy:
            self.say(self.rng.choice(["", " " * indent + self.note(), " " * indent + self.note()]), about)

    def end(self) -> str:
        return f"  {self.note()}" if self.rng.random() < self.busy else self.rng.choice(["", "", "", "  "])

    def project(self, project: Project) -> None:
        self.entry("", "project", project.name, ("project",))

    def section(self, name: str, facts: dict[str, Value]) -> None:
        if not facts:
            self.say(f"{name}:{self.rng.choice(['', ' {}', ' ~', ' # none'])}", (name, ""))
            self.aside(self.step, (name, ""))
        elif self.rng.random() < 0.3:
            self.braces(f"{name}: ", self.shuffled(facts), (name, ""), self.step)
        else:
            self.say(f"{name}:{self.end()}", (name, "heading"))
            for fact, value in self.shuffled(facts):
                self.aside(self.step, ())
                self.entry(" " * self.step, fact, value, (name, fact))

    def features(self, features: tuple[Feature, ...]) -> None:
        rng = self.rng
        column = rng.choice([0, self.step])
        if rng.random() < 0.15:
            inner = ", ".join(flow({"name": f.name, **f.facts}) for f in features)
            self.say(f"features: [{inner}]{self.end()}", ("features",))
            return
        self.say(f"features:{self.end()}", ("features", "heading"))
        apart = rng.random() < 0.5
        gap = " " * rng.choice([1, 1, 1, 3])
        for i, feature in enumerate(features):
            if i and apart:
                self.say("")
            self.aside(column)
            entries: list[tuple[str, Value]] = [("name", feature.name), *self.shuffled(feature.facts)]
            if rng.random() < 0.3:
                rng.shuffle(entries)
            if rng.random() < 0.2:
                self.braces(" " * column + "-" + gap, entries, (i, ""), column + 2)
                continue
            indent = column + 1 + len(gap)
            own = rng.random() < 0.15  # the dash alone in its line
            if own:
                self.say(" " * column + "-" + self.end(), (i, "dash"))
            for k, (fact, value) in enumerate(entries):
                if k:
                    self.aside(indent, (i, "aside"))
                lead = " " * indent if k or own else " " * column + "-" + gap
                self.entry(lead, fact, value, (i, fact))

    def entry(self, lead: str, fact: str, value: Value, about: About) -> None:
        """One fact in block style."""
        rng = self.rng
        key = rng.choice([fact, fact, fact, fact, f'"{fact}"', f"'{fact}'"])
        indent = len(lead)
        if isinstance(value, tuple) and value and rng.random() < 0.5:
            column = indent + rng.choice([0, 2])
            self.say(f"{lead}{key}:{self.end()}", about)
            for item in value:
                self.aside(column, about)
                self.say(f"{' ' * column}- {scalar(rng, item)}{self.end()}", about)
            return
        if isinstance(value, str) and rng.random() < 0.15 and value == value.strip():
            self.say(f"{lead}{key}: {rng.choice(['>-', '|-'])}{rng.choice(['', ' # folded'])}", about)
            self.say(f"{' ' * (indent + 2)}{value}", about)
            return
        if isinstance(value, Other) and rng.random() < 0.5:
            self.say(f"{lead}{key}:{self.end()}", about)
            self.say(f"{' ' * (indent + 3)}other: {scalar(rng, value.text)}{self.end()}", about)
            return
        if isinstance(value, Unknown) and rng.random() < 0.3:
            self.say(f"{lead}{key}:{self.end()}", about)
            return
        if rng.random() < 0.08:
            self.say(f"{lead}{key}:", about)
            self.say(f"{' ' * (indent + 1)}{scalar(rng, value)}{self.end()}", about)
            return
        self.say(f"{lead}{key}:{' ' * rng.choice([1, 1, 1, 4])}{scalar(rng, value)}{self.end()}", about)

    def braces(self, lead: str, entries: list[tuple[str, Value]], about: About, indent: int) -> None:
        """A mapping in flow style, in one line or over several."""
        rng = self.rng
        parts = [f"{fact}: {scalar(rng, value)}" for fact, value in entries]
        if rng.random() < 0.5:
            pad = rng.choice(["", "", " "])
            self.say(f"{lead}{{{pad}{', '.join(parts)}{rng.choice(['', '', ','])}{pad}}}{self.end()}", about)
            return
        self.say(f"{lead}{{{self.end()}", about)
        for i, part in enumerate(parts):
            comma = "," if i + 1 < len(parts) else rng.choice(["", ","])
            self.say(f"{' ' * (indent + 2)}{part}{comma}{self.end()}", (about[0], entries[i][0], "flow"))
        self.say(f"{' ' * (indent + 1)}}}", about)

    def shuffled(self, facts: dict[str, Value]) -> list[tuple[str, Value]]:
        entries = list(facts.items())
        if self.rng.random() < 0.5:
            self.rng.shuffle(entries)
        return entries


def scalar(rng: Random, value: Value) -> str:
    """A value in one line, in any style that reads as itself."""
    if isinstance(value, Unknown):
        return rng.choice(["unknown", "~", "null"])
    if isinstance(value, bool):
        return rng.choice(["yes", "yes", "true"] if value else ["no", "no", "false"])
    if isinstance(value, int | float):
        text = repr(value)
        return text if "e" not in text else "1.0e+308"
    if isinstance(value, Other):
        return f"{{other: {scalar(rng, value.text)}}}"
    if isinstance(value, tuple):
        pad = rng.choice(["", " "])
        return f"[{pad}{', '.join(scalar(rng, item) for item in value)}{pad if value else ''}]"
    styles = [json.dumps(value, ensure_ascii=value[0] < "\uffff" and rng.random() < 0.2)]
    styles.append("'" + value.replace("'", "''") + "'")
    if value.replace("-", "").isalpha() and value not in ("yes", "null"):
        styles += [value] * 4
    return rng.choice(styles)


def flow(entries: dict[str, Value]) -> str:
    rng = Random(0)
    return "{" + ", ".join(f"{fact}: {scalar(rng, value)}" for fact, value in entries.items()) + "}"


def tree_of(project: Project) -> dict[str, Any]:
    """The project as JSON has it."""

    def facts(given: dict[str, Value]) -> dict[str, Any]:
        return {fact: plain(value) for fact, value in given.items()}

    features = [{"name": f.name, **facts(f.facts)} for f in project.features]
    return {"project": project.name, "path": facts(project.path), "app": facts(project.app), "features": features}


def random_answers_of_file(rng, base):
    answers = {}
    for asked in base.questions.values():
        draw = rng.random()
        if asked.type == "text" or draw < 0.5:
            continue
        if draw < 0.6:
            answers[asked.id] = UNKNOWN
        elif asked.type == "number":
            answers[asked.id] = rng.choice([max(0, asked.minimum), 1, 7, 90, 4000, 250000])
        elif asked.type == "yes-no":
            answers[asked.id] = rng.random() < 0.5
        elif asked.type == "one-of":
            answers[asked.id] = rng.choice(list(asked.options))
        else:
            answers[asked.id] = tuple(rng.sample(list(asked.options), rng.randint(0, 2)))
    return answers
