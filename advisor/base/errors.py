"""Every error that a user can cause, with its exit code.

AdvisorError
├── UsageError            the command line cannot be understood                       exit 2
├── InputError            a file cannot be read, or has mistakes: Problems            exit 2
├── OutputError           a folder or file cannot be written; nothing was changed     exit 2
└── RuleBaseError         the rules folder has mistakes: Problems                     exit 1

Only cli.py prints them and turns them into an exit code.
"""

from __future__ import annotations

from typing import NamedTuple


class Exit:
    """Exit codes, as in the README."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    NO_PATTERN = 3
    BUG = 70
    INTERRUPTED = 130


class Problem(NamedTuple):
    """One mistake at one place. `line` and `column` count from 1; 0 means that the place is unknown."""

    file: str
    line: int
    column: int
    message: str
    source: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}:{self.column}"
        return f"{place}: {self.message}"


class AdvisorError(Exception):
    """An error that the user can correct."""

    exit = Exit.USAGE


class UsageError(AdvisorError):
    """The command line cannot be understood."""


class ProblemsError(AdvisorError):
    """One or more problems, each with its place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class InputError(ProblemsError):
    """An answers file cannot be read, or has mistakes."""


class RuleBaseError(ProblemsError):
    """The rules folder has mistakes."""

    exit = Exit.FINDINGS


class OutputError(AdvisorError):
    """A folder or a file cannot be written. Nothing was changed."""
