"""Input and output of the plain-text interview, line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from advisor.base.text import visible


def say(*lines: object) -> None:
    """Lines for the person."""
    for line in lines:
        print(line)


def say_all(lines: Iterable[str]) -> None:
    """The same for lines that are made one after the other."""
    for line in lines:
        print(line)


def somebody() -> bool:
    """Whether standard input is a person and not a pipe."""
    return sys.stdin is not None and sys.stdin.isatty()


def line(prompt: str) -> str:
    """One typed line without its end. What comes through a pipe is shown, so that the transcript can be read.

    Raises EOFError where the input has ended.
    """
    if somebody():
        return input(prompt).strip()
    print(prompt, end="", flush=True)
    typed = sys.stdin.readline() if sys.stdin is not None else ""
    if not typed:
        print()
        raise EOFError
    print(visible(typed.strip(), 200), flush=True)
    return typed.strip()


def yes(question: str) -> bool:
    """Whether the person says yes."""
    while True:
        typed = line(f"{question} (1 yes, 2 no) ").casefold()
        if typed in ("1", "y", "yes", "2", "n", "no"):
            return typed in ("1", "y", "yes")


def pick(choices: Sequence[str]) -> int:
    """The number of the choice that the person takes, from 0."""
    for number, label in enumerate(choices, 1):
        print(f"  {number} {label}")
    while True:
        typed = line("Number: ")
        if typed.isdecimal() and 1 <= int(typed[:6]) <= len(choices):
            return int(typed[:6]) - 1
