"""What a command prints: data to standard output, messages to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from advisor.base.errors import OutputError

if TYPE_CHECKING:
    from advisor.model.rulebase import RuleBase


def base() -> RuleBase:
    """The rules of this installation."""
    from advisor.ruleset.cache import load

    return load()


def data(text: str) -> None:
    """Print what was asked for."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def note(text: str) -> None:
    """Print a message. Control codes in quoted paths and names are made visible."""
    from advisor.base.text import visible

    if sys.stderr is not None:
        sys.stderr.write(f"{visible(text, lines=True)}\n")


def save(text: str, file: str) -> None:
    """Write what was asked for into a file instead. Raises OutputError."""
    from pathlib import Path

    from advisor.base.writing import write_text

    try:
        write_text(Path(file), text if text.endswith("\n") else f"{text}\n")
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror}") from None
    note(f"advisor: {file} written")


def page(text: str) -> None:
    """Print a text for people, through a pager where it is longer than the terminal."""
    if not sys.stdout.isatty():
        data(text)
        return
    import shlex
    import subprocess
    from shutil import get_terminal_size, which

    try:
        command = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quote is not closed
        command = []
    if text.count("\n") < get_terminal_size((80, 24)).lines or not command or which(command[0]) is None:
        data(text)
        return
    environment = {"LESS": "FRX", **os.environ}  # colours, and no pager where one screen is enough: as git does
    subprocess.run(command, input=text, encoding="utf-8", errors="backslashreplace", check=False, env=environment)  # noqa: S603  # the user's own pager


def width() -> int:
    """Columns for a text: those of the terminal, between 40 and 100."""
    if not sys.stdout.isatty():
        return 80
    from shutil import get_terminal_size

    return max(40, min(get_terminal_size((80, 24)).columns, 100))


def colour(wanted: str = "auto") -> bool:
    """Whether to print in colours: always, never, or (auto) on a terminal and as NO_COLOR and FORCE_COLOR say."""
    if wanted != "auto":
        return wanted == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()
