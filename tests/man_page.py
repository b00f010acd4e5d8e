"""The manual page, made from the commands' parsers: `python tests/man_page.py` writes docs/advisor.1."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "advisor.1"


def page() -> str:
    """The page in roff (man macros)."""
    from advisor.commands import COMMANDS

    lines = [
        '.TH ADVISOR 1 "" "advisor" "User Commands"',
        ".SH NAME",
        r"advisor \- choose how to push data to clients in real time",
        ".SH SYNOPSIS",
        r".B advisor",
        r"[\fIFILE\fR] [\-\-plain]",
        ".br",
        r".B advisor",
        r"\fICOMMAND\fR [\fIARGUMENT\fR ...]",
        ".SH DESCRIPTION",
        "Without a command, advisor asks about a project in the terminal, recommends WebSocket, Server-Sent Events,",
        "long polling, short polling or something else, and says why. With a command, it does the same from a file.",
    ]
    for command, about in (("interview", "ask in the terminal"), *COMMANDS.items()):
        parser = import_module(f"advisor.commands.{command}").parser()
        lines += [
            ".SH COMMAND: " + command.upper() if command in COMMANDS else ".SH THE INTERVIEW",
            roff(about[0].upper() + about[1:]) + ".",
        ]
        lines += [line for action in parser._actions for line in option(action)]
        lines += [".PP", "Examples:", *(f".br\n.B {roff(example)}" for example in parser.examples)]
    lines += [
        ".SH EXIT STATUS",
        *(f".TP\n{code}\n{says}" for code, says in CODES.items()),
        ".SH ENVIRONMENT",
        *(f".TP\n.B {name}\n{roff(says)}" for name, says in ENVIRONMENT.items()),
    ]
    return "\n".join(lines) + "\n"


CODES = {
    0: "Success.",
    1: "Findings: a check found something, files differ, or nothing could be written.",
    2: "Wrong usage or input.",
    3: "No pattern fits.",
    70: "Internal error: a bug in advisor.",
    130: "Interrupted.",
    141: "The reader of the output has gone.",
}
ENVIRONMENT = {
    "ADVISOR_CACHE": "Folder of the cache; empty: no cache. Default: $XDG_CACHE_HOME or ~/.cache.",
    "ADVISOR_DEBUG": "If set, an internal error prints its traceback.",
    "PAGER": "The program that shows a long report on a terminal; empty: none. Default: less.",
    "NO_COLOR, FORCE_COLOR": "No colours; colours although the output is no terminal.",
}


def option(action: argparse.Action) -> list[str]:
    """One argument with its help."""
    if action.help == argparse.SUPPRESS:
        return []
    takes = "" if action.nargs == 0 else (str(action.metavar or "") or "|".join(map(str, action.choices or ())))
    names = ", ".join(action.option_strings)
    label = rf"\fB{roff(names)}\fR {roff(takes)}".rstrip() if names else rf"\fI{roff(takes or action.dest)}\fR"
    about = (action.help or "").rstrip(".")
    return [".TP", label, roff(about[:1].upper() + about[1:]) + "."]


def roff(text: str) -> str:
    """Text for a line of its own: backslashes and hyphens escaped, no leading dot or quote."""
    escaped = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped[:1] in {".", "'"} else escaped


if __name__ == "__main__":
    sys.path.insert(0, str(PAGE.parent.parent))
    PAGE.write_text(page(), encoding="utf-8")
