"""The command line: which command runs, what an error looks like, exit codes. Each command is a module of commands/.

stdout carries data only; everything else goes to stderr.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

from advisor.base.errors import AdvisorError, Exit, OutputError, ProblemsError
from advisor.commands import COMMANDS, streams

LISTED = "\n".join(f"  {command:11} {about}" for command, about in COMMANDS.items())
SUMMARY = f"""\
usage: advisor [FILE] [--plain]            interview in the terminal; continues FILE and saves to it
       advisor COMMAND [ARGUMENT ...]

{LISTED}

advisor COMMAND --help lists the options of a command, with examples.
advisor --version (-V) prints the version.
Exit codes: 0 success, 1 findings, 2 wrong usage or input, 3 no pattern fits, 70 internal error, 130 interrupted."""


_NO_OUTPUT = (errno.ENOSPC, errno.EIO, errno.EBADF)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:  # a short-lived process: garbage collection would cost more than it frees
        gc.disable()
    if sys.stdout is None:
        return _reported(OutputError("standard output is closed, so nothing can be printed"))
    if argv is None:
        _take_any_letter()
    try:
        code = _run(words)
        sys.stdout.flush()
        if argv is None:
            gc.freeze()  # skip the final collection at exit
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last line of defence: a bug must not look like bad input
        return _reported(error)
    return code


def _take_any_letter() -> None:
    r"""Write letters that standard output lacks as \u4e2d; bytes of standard input that are none are refused later."""
    for stream, errors in ((sys.stdout, "backslashreplace"), (sys.stdin, "surrogateescape")):
        if stream is not None:
            stream.reconfigure(errors=errors)  # type: ignore[union-attr]  # they are still the interpreter's own


def _reported(error: Exception) -> int:
    """Print what went wrong and return the exit code."""
    if isinstance(error, BrokenPipeError):  # the reader has closed the pipe (`| head`)
        _no_more_output()
        return 141
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            streams.note(str(problem))
            if problem.source:
                streams.note(problem.source)
        return error.exit
    if isinstance(error, AdvisorError):
        streams.note(f"advisor: {error}")
        return error.exit
    if isinstance(error, OSError) and error.filename is None and error.errno in _NO_OUTPUT:
        streams.note(f"advisor: standard output cannot be written: {error.strerror}")
        _no_more_output()
        return Exit.USAGE
    if os.environ.get("ADVISOR_DEBUG"):
        raise error
    streams.note(f"advisor: internal error: {type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", []):
        streams.note(note)
    streams.note(
        "This is a bug in advisor. Please report it with the answers file; ADVISOR_DEBUG=1 prints the traceback."
    )
    return Exit.BUG


def _no_more_output() -> None:
    """Redirect standard output to nowhere; otherwise the interpreter prints an error when it closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    word, rest = (words[0], words[1:]) if words else ("", [])
    if word == "help" and rest and rest[0] in COMMANDS:
        word, rest = rest[0], ["--help"]
    if word in COMMANDS:
        from importlib import import_module

        return int(import_module(f"advisor.commands.{word}").run(rest))
    if word in ("-h", "--help", "help"):
        streams.data(SUMMARY)
        return Exit.OK
    if word in ("-V", "--version"):
        from advisor import __version__

        streams.data(f"advisor {__version__}")
        return Exit.OK
    from advisor.commands import interview

    return interview.run(words)
