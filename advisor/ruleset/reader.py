"""YAML files of a folder as models: what an author got wrong comes out as problems with their places."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from advisor.base.errors import InputError, Problem, RuleBaseError
from advisor.base.text import did_you_mean
from advisor.model.rulebase import Pattern, Question
from advisor.model.values import UNKNOWN, Value
from advisor.ruleset.example_value import value
from advisor.ruleset.files import RuleFile, Steps
from advisor.yamlio import nodes

M = TypeVar("M")
LIMIT = 2_000_000  # bytes of one rules file
EXTRA = {"extra_forbidden", "unexpected_keyword_argument"}  # pydantic's words for an unknown key


@functools.cache  # making one takes much longer than using it, and 40 manifests have five models
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


class Reader:
    """One folder, rules or templates, and the problems found in it so far. `shown`: what problems call it."""

    def __init__(self, folder: Path, shown: str = "rules") -> None:
        self.folder = folder
        self.shown = shown
        self.problems: list[Problem] = []
        self.questions: dict[str, Question] = {}  # known from the moment at which they have been read
        self.patterns: dict[str, Pattern] = {}

    def file(self, name: str) -> RuleFile:
        """One file as nodes. Raises RuleBaseError if it is not YAML: then nothing else can be checked."""
        try:
            node = nodes.parse(nodes.read_text(self.folder / name, LIMIT), f"{self.shown}/{name}")
        except InputError as error:
            raise RuleBaseError([*self.problems, *error.problems]) from None
        return RuleFile(f"{self.shown}/{name}", node)

    def read(self, name: str, model: type[M]) -> tuple[RuleFile, M]:
        """One file as its model (a pydantic model, a dataclass, or a mapping of them).

        Raises RuleBaseError with everything in it that does not fit the model.
        """
        file = self.file(name)
        try:
            adapter = _adapter(model)  # type: ignore[arg-type]  # every type is hashable
            return file, adapter.validate_python(nodes.plain(file.node))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                path = tuple(step for step in item["loc"] if not isinstance(step, str) or "[" not in step)
                hint = did_you_mean(str(path[-1]), _keys(model, path[:-1])) if item["type"] in EXTRA else ""
                self.problem(file, path, f"{'.'.join(map(str, path))}: {_words(item['msg'])}{hint}")
            raise RuleBaseError(self.problems) from None

    def given(self, file: RuleFile, path: Steps, facts: dict[str, Any]) -> Iterator[tuple[str, Value]]:
        """The answers written beside a rule, each checked against its question."""
        for fact, raw in facts.items():
            if fact not in self.questions:
                self.problem(file, (*path, fact), f"there is no fact {fact!r}{did_you_mean(fact, self.questions)}")
            else:
                yield fact, self.value(file, (*path, fact), self.questions[fact], raw)

    def value(self, file: RuleFile, path: Steps, question: Question, raw: Any) -> Value:
        """One such answer; UNKNOWN, and a problem, where it is none."""
        try:
            return value(question, raw)
        except ValueError as error:
            self.problem(file, path, str(error))
            return UNKNOWN

    def known_patterns(self, file: RuleFile, path: Steps, names: Iterable[str]) -> None:
        """Note every name that is no pattern."""
        for name in names:
            if name not in self.patterns:
                self.problem(file, path, f"there is no pattern {name!r}{did_you_mean(name, self.patterns)}")

    def problem(self, file: RuleFile, path: Steps, message: str) -> None:
        """Note something that is wrong where the path leads."""
        place = file.place(path)
        self.problems.append(Problem(place.file, place.line, place.column, message))

    def stop(self) -> None:
        """Go no further if anything was wrong. Raises RuleBaseError with all of it."""
        if self.problems:
            raise RuleBaseError(self.problems)


def _keys(model: Any, path: Steps) -> list[str]:
    """The keys that the model allows at this path; none where that is not known."""
    found = [model]
    for step in path:
        inner = [part for kind in found for part in _inside(kind, step)]
        found = [part for kind in inner for part in _alternatives(kind)]
    return [key for kind in found for key in _fields(kind)]


def _fields(kind: Any) -> dict[str, Any]:
    """The keys of a model, and their types; of anything else none."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
    if dataclasses.is_dataclass(kind):
        alias = getattr(kind, "__pydantic_config__", {}).get("alias_generator", str)
        hints = get_type_hints(kind)
        return {alias(field.name): hints[field.name] for field in dataclasses.fields(kind)}
    return {}


def _inside(kind: Any, step: str | int) -> list[Any]:
    """The types of the value under `step` in a value of this type."""
    fields = _fields(kind)
    if fields:
        return [fields[step]] if step in fields else []
    return list(get_args(kind)[-1:])  # of a list or a mapping


def _alternatives(kind: Any) -> list[Any]:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return [part for one in get_args(kind) for part in _alternatives(one)]
    return [kind]


def _words(message: str) -> str:
    message = re.sub(r"^Value error, ", "", message)
    return {
        "Field required": "is missing",
        "Extra inputs are not permitted": "is not a known key here",
        "Unexpected keyword argument": "is not a known key here",
    }.get(message, message)
