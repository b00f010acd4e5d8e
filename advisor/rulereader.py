"""The files of a rules folder as models: what an author got wrong comes out as problems with their places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from advisor import yamlfile
from advisor.errors import InputError, Problem, RuleBaseError
from advisor.rulefiles import RuleFile, Steps

M = TypeVar("M", bound=BaseModel)
LIMIT = 2_000_000  # bytes of one rules file


class Reader:
    """One rules folder, and the problems found in it so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []

    def file(self, name: str) -> RuleFile:
        """One file as nodes. Raises RuleBaseError: a file that is no YAML says nothing that could be checked."""
        try:
            node = yamlfile.parse(yamlfile.read_text(self.folder / name, LIMIT), f"rules/{name}")
        except InputError as error:
            raise RuleBaseError([*self.problems, *error.problems]) from None
        return RuleFile(f"rules/{name}", node)

    def plain(self, name: str) -> Any:
        """One file as plain data. Raises RuleBaseError."""
        return yamlfile.plain(self.file(name).node)

    def read(self, name: str, model: type[M]) -> tuple[RuleFile, M]:
        """One file as its model. Raises RuleBaseError with everything in it that does not fit the model."""
        file = self.file(name)
        try:
            return file, model.model_validate(yamlfile.plain(file.node))
        except ValidationError as error:
            for item in error.errors(include_url=False):
                path = tuple(step for step in item["loc"] if not isinstance(step, str) or "[" not in step)
                self.problem(file, path, f"{'.'.join(map(str, path))}: {_words(item['msg'])}")
            raise RuleBaseError(self.problems) from None

    def problem(self, file: RuleFile, path: Steps, message: str) -> None:
        """Note something that is wrong where the path leads."""
        place = file.place(path)
        self.problems.append(Problem(place.file, place.line, place.column, message))

    def stop(self) -> None:
        """Go no further if anything was wrong. Raises RuleBaseError with all of it."""
        if self.problems:
            raise RuleBaseError(self.problems)


def _words(message: str) -> str:
    message = re.sub(r"^Value error, ", "", message)
    return {"Field required": "is missing", "Extra inputs are not permitted": "is not a key here"}.get(message, message)
