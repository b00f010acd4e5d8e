"""argparse without abbreviations; errors are raised for the caller to print."""

from __future__ import annotations

import argparse
import textwrap
from typing import NoReturn

from advisor.base.errors import UsageError
from advisor.base.text import did_you_mean


class Parser(argparse.ArgumentParser):
    """A parser for one command. Wrong arguments raise UsageError, with "did you mean" for options."""

    def __init__(self, prog: str, description: str, *examples: str) -> None:
        shown = "\n".join([f"example{'s' * (len(examples) > 1)}:", *(f"  {example}" for example in examples)])
        super().__init__(
            prog=prog,
            description="\n".join(textwrap.wrap(description, 78)),
            epilog=shown if examples else None,
            allow_abbrev=False,
            formatter_class=_help,
        )
        self.examples = examples

    def add_file(self, metavar: str, about: str) -> None:
        """The answers file, as a word of its own or after --answers; `answers_file` gives it."""
        self.add_argument("file", nargs="?", metavar=metavar, help=about)
        self.add_argument("--answers", metavar=metavar, help=argparse.SUPPRESS)

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The options. Raises UsageError."""
        options, unknown = self.parse_known_args(words)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            hint = did_you_mean(unknown[0], known) if unknown[0].startswith("-") else ""
            self.error(f"unknown argument {unknown[0]!r}{hint}")
        return options

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse a value that is not among the choices, with "did you mean"."""
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            name = "" if action.option_strings else f"{action.dest}: "  # argparse names options itself
            raise argparse.ArgumentError(
                action if action.option_strings else None,
                f"{name}{value!r} is not one of {', '.join(known)}{did_you_mean(str(value), known)}",
            )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing and leaving."""
        raise UsageError(f"{message}\nTry '{self.prog} --help'.")


def answers_file(options: argparse.Namespace, prog: str) -> str:
    """The answers file that was named once. Raises UsageError."""
    named = [name for name in (options.file, options.answers) if name is not None]
    if len(named) == 1:
        return str(named[0])
    wrong = "name the answers file once" if named else "name the answers file"
    raise UsageError(f"{wrong}, for example: {prog} answers.yaml\nTry '{prog} --help'.")


def _help(prog: str) -> argparse.HelpFormatter:
    """Help in 78 columns, with examples a line each. A fixed width saves argparse an import of shutil."""
    return argparse.RawDescriptionHelpFormatter(prog, width=78)
