"""The answers file: reading it with the place of every mistake, and writing it."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from advisor.answers.read_fact import read_fact, read_text_value
from advisor.base.text import did_you_mean, number, quoted, visible
from advisor.base.textfile import name_of, read_text
from advisor.model.project import NOWHERE, Feature, Project
from advisor.model.rulebase import Place
from advisor.model.values import Other, Unknown, Value
from advisor.yamlio.nodes import Map, Node, Scalar, Seq, Source
from advisor.yamlio.nodes import parse as parse_yaml
from advisor.yamlio.scalars import odd, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.base.errors import Problem
    from advisor.model.rulebase import RuleBase

MAX_FEATURES = 200
UNNAMED = "unnamed project"
FORM = 2  # of answers files, as the key `answers` states it; a file without that key has the first form
_TOP = ("answers", "project", "path", "app", "features")


# --- reading ----------------------------------------------------------------------------------------------------------


def read(path: str | Path, base: RuleBase) -> Project:
    """The project in a file; "-" is standard input. Raises InputError with every problem found (at most 20 of them)."""
    return parse(read_text(path), name_of(path), base)


def parse(text: str, name: str, base: RuleBase) -> Project:
    """The project in a YAML text; problems call the file `name`. Raises InputError."""
    root = parse_yaml(text, name)
    source = Source(name, text.removeprefix("\ufeff").splitlines())
    project = _Reader(base, source).project(root)
    source.stop()
    return project


def salvage(text: str, name: str, base: RuleBase) -> tuple[Project, list[Problem]]:
    """What can be read of a text with mistakes, and the mistakes. A feature without a usable name gets one."""
    from advisor.yamlio.salvage import salvage as salvage_yaml

    root, source = salvage_yaml(text, name)
    return _Reader(base, source).project(root), sorted(source.problems)


class _Reader:
    """The state of one reading: the questions, and the problems so far in `source`."""

    def __init__(self, base: RuleBase, source: Source) -> None:
        self.base = base
        self.source = source
        self.allowed = {
            "path": {q.id for q in base.questions.values() if q.scope == "path"},
            "app": {q.id for q in base.questions.values() if q.scope == "app"},
            "feature": {"name", *base.questions},
        }

    def project(self, root: Node) -> Project:
        name = UNNAMED
        if not isinstance(root, Map):
            self.source.add(
                root.line, root.column, "an answers file needs the key features: (`advisor new FILE` writes an example)"
            )
            return Project(name, {}, {}, ())
        for key in root.items:
            if key not in _TOP:
                self.source.add(*root.keys[key], self.stray(key, "", set(_TOP)))
        if "project" in root.items and not _empty(root.items["project"]):
            name = read_text_value(root.items["project"], "project", self.source) or name
        path, app = (self.part(scope, root.items.get(scope)) for scope in ("path", "app"))
        features = self.features(root)
        self.form(root, features)
        return Project(name, path, app, features, self.source.name, tuple(self.source.notes))

    def form(self, root: Map, features: tuple[Feature, ...]) -> None:
        """Refuse a form that is not known, and note where a file of the first form is read in another way today."""
        node = root.items.get("answers")
        form = node.value if isinstance(node, Scalar) else None
        if node is not None and (isinstance(form, bool) or form not in (1, FORM)):
            message = f"answers is the form of this file: write answers: {FORM} (forms 1 and {FORM} can be read)"
            self.source.add(node.line, node.column, message)
        apart = [feature for feature in features if "page" not in feature.facts]
        if form != FORM and apart and len(features) > len(apart):
            line, column = root.keys["features"]
            names = " and ".join(quoted(feature.name) for feature in apart[:2])
            more = f" and {len(apart) - 2} more" if len(apart) > 2 else ""
            self.source.note(
                line, column, f"{names}{more} state no page, so each is decided alone; "
                f"in the first form they shared a page (answers: {FORM} at the top removes this note)"
            )  # fmt: skip

    def part(self, scope: str, node: Node | None) -> dict[str, Value]:
        """The facts under `path:` or `app:`."""
        if node is None or _empty(node):
            return {}
        if not isinstance(node, Map):
            self.source.add(node.line, node.column, f"{scope}: write one answer per line, as ID: ANSWER")
            return {}
        return self.facts(node, scope)

    def features(self, root: Map) -> tuple[Feature, ...]:
        node = root.items.get("features")
        line, column = root.keys.get("features", (root.line, root.column))
        if node is None or _empty(node) or (isinstance(node, Seq) and not node.items):
            self.source.add(
                line, column, "there are no features; list them under features: and begin each with - name: NAME"
            )
        elif not isinstance(node, Seq):
            self.source.add(node.line, node.column, "features must be a list; begin each feature with - name: NAME")
        elif len(node.items) > MAX_FEATURES:
            message = f"{number(len(node.items))} features are too many; one file may have {MAX_FEATURES}"
            self.source.add(line, column, message)
        else:
            read = [self.feature(item) for item in node.items]
            return self.named_apart([feature for feature in read if feature is not None])
        return ()

    def feature(self, node: Node) -> Feature | None:
        if not isinstance(node, Map):
            self.source.add(
                node.line, node.column, "a feature begins with - name: NAME, followed by one answer per line"
            )
            return None
        facts = self.facts(node, "feature")
        if "name" not in node.items:
            self.source.add(node.line, node.column, "this feature has no name; begin it with - name: NAME")
            return Feature("", facts, Place(self.source.name, node.line, node.column))
        item = node.items["name"]
        name = read_text_value(item, "name", self.source)
        return Feature(name or "", facts, Place(self.source.name, item.line, item.column))

    def named_apart(self, features: list[Feature]) -> tuple[Feature, ...]:
        """The features, each with a name of its own: a name that is missing or taken was a problem."""
        first: dict[str, Place] = {}
        apart = []
        for feature in features:
            place = first.setdefault(same_name(feature.name), feature.place) if feature.name else NOWHERE
            if feature.name and place is not feature.place:
                message = f"a feature named {quoted(feature.name)} is already in line {place.line}; rename one"
                self.source.add(feature.place.line, feature.place.column, message)
            apart.append(feature if place is feature.place else feature._replace(name=_another(feature.name, first)))
            first.setdefault(same_name(apart[-1].name), feature.place)
        return tuple(apart)

    def facts(self, node: Map, where: str) -> dict[str, Value]:
        """The facts of one mapping, in the order of the questions."""
        found: dict[str, Value] = {}
        for key, item in node.items.items():
            if key not in self.allowed[where]:
                self.source.add(*node.keys[key], self.stray(key, where, self.allowed[where]))
            elif key != "name":
                value = read_fact(self.base.questions[key], item, self.source)
                if value is not None:
                    found[key] = value
        return {fact: found[fact] for fact in self.base.questions if fact in found}

    def stray(self, key: str, where: str, allowed: set[str]) -> str:
        """The message for a key that is not allowed `where` it is."""
        question = self.base.questions.get(key)
        if question is not None:
            home = "into a feature" if question.scope == "feature" else f"under {question.scope}: or into a feature"
            return f"{key} is not allowed {f'under {where}:' if where else 'here'}; move it {home}"
        if where in ("path", "app") and key == "name":
            return "name is allowed only in a feature; write the name of the project as project: NAME"
        hint = did_you_mean(key, sorted(allowed.union(self.base.questions)))
        return f"unknown key {quoted(key)}{hint or '; `advisor new -` lists all keys'}"


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _another(name: str, taken: Mapping[str, Place]) -> str:
    """A name that is not taken: chat 2, feature 3."""
    names = (f"{name or 'feature'} {number}" for number in itertools.count(2 if name else 1))
    return next(free for free in names if same_name(free) not in taken)


def same_name(name: str) -> str:
    """The form in which names are compared: two features must differ in it."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
    return " ".join(name.casefold().split())


# --- writing ----------------------------------------------------------------------------------------------------------

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9]*([ ._/-][A-Za-z0-9]+)*")


def dump(project: Project, base: RuleBase) -> str:
    """The project as an answers file: facts in the order of the questions. `parse` gives the same project back."""
    lines = [f"answers: {FORM}", f"project: {written(project.name)}"]
    for scope, facts in (("path", project.path), ("app", project.app)):
        if facts:
            lines += ["", f"{scope}:", *(f"  {line}" for line in _facts(facts, base))]
    lines += ["", "features:"]
    for i, feature in enumerate(project.features):
        lines += [""] * (i > 0) + [f"  - name: {written(feature.name)}"]
        lines += [f"    {line}" for line in _facts(feature.facts, base)]
    return "\n".join(lines) + "\n"


def _facts(facts: Mapping[str, Value], base: RuleBase) -> Iterator[str]:
    return (f"{fact}: {written(facts[fact])}" for fact in base.questions if fact in facts)


def written(value: Value) -> str:
    """An answer in YAML that programs for version 1.1 and 1.2 read alike."""
    if isinstance(value, Unknown):
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Other):
        return f"{{other: {written(value.text)}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if _BARE.fullmatch(value) and resolve(value) == value and not odd(value):
        return value
    # The escapes of `visible` are those of YAML as well.
    return '"' + visible(value.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _number(value: float) -> str:
    """YAML 1.1 knows an exponent only after a point and with a sign: 1.0e+308."""
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    sign = "" if exponent[0] in "+-" else "+"
    return f"{mantissa}{'' if '.' in mantissa else '.0'}e{sign}{exponent}"
