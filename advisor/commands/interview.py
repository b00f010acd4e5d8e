"""`advisor [FILE]`: the interview in the terminal, or as numbered lines."""

from __future__ import annotations

import gc
import os
import sys

from advisor.base.arguments import Parser
from advisor.base.errors import UsageError
from advisor.commands import COMMANDS, streams


def parser() -> Parser:
    """The arguments."""
    made = Parser(
        "advisor",
        "Interview in the terminal. It continues FILE, keeps its comments and order, and saves to it.",
        "advisor answers.yaml",
    )
    made.add_argument("file", nargs="?", metavar="FILE", help="the answers file, new or begun")
    made.add_argument("--plain", action="store_true", help="ask in numbered lines, for pipes and screen readers")
    return made


def run(words: list[str]) -> int:
    """Ask; the exit code."""
    options = parser().parse(words)
    if options.file and "." not in options.file and not os.path.exists(options.file):  # noqa: PTH110  # no pathlib here
        from advisor.base.text import did_you_mean

        close = did_you_mean(options.file, COMMANDS)
        if close:
            raise UsageError(f"unknown command {options.file!r}{close}\nTry 'advisor --help'.")
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))  # None: closed
    if not terminal and not options.plain:
        # Without a terminal Textual loops forever, so it must not even be imported.
        raise UsageError("the interview needs a terminal; use: advisor recommend FILE (or advisor --plain)")
    if options.plain or os.environ.get("TERM") == "dumb" or os.environ.get("ACCESSIBLE"):
        from advisor.interview.plain import ask

        gc.enable()  # an interview runs for a long time
        return ask(streams.base(), options.file)
    from advisor.tui.app import run as on_screen

    return on_screen(streams.base(), options.file)  # it turns garbage collection on after its first screen
