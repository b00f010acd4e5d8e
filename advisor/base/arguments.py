"""argparse without abbreviations; errors are raised for the caller to print."""

from __future__ import annotations

import argparse
from typing import NoReturn

from advisor.base.errors import UsageError
from advisor.base.text import did_you_mean


class Parser(argparse.ArgumentParser):
    """A parser for one command. Wrong arguments raise UsageError, with "did you mean" for options."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False, formatter_class=_help)

    def parse(self, words: list[str]) -> argparse.Namespace:
        """The options. Raises UsageError."""
        options, unknown = self.parse_known_args(words)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            hint = did_you_mean(unknown[0], known) if unknown[0].startswith("-") else ""
            self.error(f"unknown argument {unknown[0]!r}{hint}")
        return options

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing and leaving."""
        raise UsageError(f"{message}\nTry '{self.prog} --help'.")


def _help(prog: str) -> argparse.HelpFormatter:
    """Help in 78 columns. A fixed width saves argparse an import of shutil for every option."""
    return argparse.HelpFormatter(prog, width=78)
