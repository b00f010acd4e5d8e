"""The command line: arguments, streams, exit codes. Each command imports what it needs, when it runs.

stdout carries data only; everything else goes to stderr.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from advisor.base.errors import AdvisorError, Exit, OutputError, ProblemsError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from advisor.kit.build import Kit
    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Verdict

SUMMARY = """\
usage: advisor [FILE] [--plain]            interview in the terminal; continues FILE and saves to it
       advisor recommend --answers FILE    recommend a pattern ("-" reads the answers from standard input)
       advisor new FILE                    write an answers file with comments, to fill in
       advisor explain ID                  explain a question, step, rule, pattern, caveat, platform or limit
       advisor rules check|graph|schema    check the rules, draw them, or print a JSON Schema
       advisor rules docs DIR              write the pages about caveats and platforms
       advisor rules stale                 list statements that are old or were never checked

advisor COMMAND --help lists the options of a command.
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
            stream.reconfigure(errors=errors)  # type: ignore[union-attr]  # nobody has replaced them yet


def _reported(error: Exception) -> int:
    """Print what went wrong and return the exit code."""
    if isinstance(error, BrokenPipeError):  # the reader has closed the pipe (`| head`)
        _no_more_output()
        return 141
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            _note(str(problem))
            if problem.source:
                _note(problem.source)
        return error.exit
    if isinstance(error, AdvisorError):
        _note(f"advisor: {error}")
        return error.exit
    if isinstance(error, OSError) and error.filename is None and error.errno in _NO_OUTPUT:
        _note(f"advisor: standard output cannot be written: {error.strerror}")
        _no_more_output()
        return Exit.USAGE
    if os.environ.get("ADVISOR_DEBUG"):
        raise error
    _note(f"advisor: internal error: {type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", []):
        _note(note)
    _note("This is a bug in advisor. Please report it with the answers file; ADVISOR_DEBUG=1 prints the traceback.")
    return Exit.BUG


def _no_more_output() -> None:
    """Redirect standard output to nowhere; otherwise the interpreter prints an error when it closes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    commands: dict[str, Callable[[list[str]], int]] = {
        "recommend": _recommend,
        "new": _new,
        "explain": _explain,
        "rules": _rules,
    }
    if words and words[0] in commands:
        return commands[words[0]](words[1:])
    if words and words[0] in ("-h", "--help", "help"):
        _data(SUMMARY)
        return Exit.OK
    if words and words[0] == "--version":
        from advisor import __version__

        _data(f"advisor {__version__}")
        return Exit.OK
    return _interview(words, list(commands))


# --- recommend --------------------------------------------------------------------------------------------------------


def _recommend(words: list[str]) -> int:
    from advisor.base.arguments import Parser

    parser = Parser("advisor recommend", "Recommend a pattern from an answers file, with reasons and caveats.")
    parser.add_argument("--answers", required=True, metavar="FILE", help='the answers file; "-" reads standard input')
    parser.add_argument("--format", default="text", metavar="FORMAT", help="text (default), markdown, json or html")
    parser.add_argument("--kit", metavar="DIR", help="also write the starter kit to this folder")
    parser.add_argument(
        "--force", action="store_true", help="replace files of the kit even if they were changed by hand"
    )
    options = parser.parse(words)
    _one_of("--format", options.format, ["text", "markdown", "json", "html"])
    from advisor.answers.file import read
    from advisor.engine.portfolio import recommend

    base = _base()
    project = read(options.answers, base)
    verdict = recommend(project, base)
    made = None
    if options.kit is not None or options.format == "html":
        from advisor.kit import build

        made = build.build(project, verdict, base)
    report = _report(options.format, verdict, base, made)
    if options.kit is not None and made is not None:
        from pathlib import Path

        from advisor.kit import writing

        for said in writing.write(made.files, made.notes, Path(options.kit), force=options.force):
            _note(f"advisor: {said}")
    _data(report)
    nothing = options.kit is not None and made is not None and made.needed and not made.files
    return int(verdict["exit"]) or (Exit.FINDINGS if nothing else Exit.OK)


def _report(form: str, verdict: Verdict, base: RuleBase, made: Kit | None) -> str:
    """The verdict in one of the formats; the HTML page includes the kit's files."""
    if form == "json":
        from advisor.report.json_text import json_text

        return json_text(verdict)
    if form == "markdown":
        from advisor.report.markdown import markdown

        return markdown(verdict, base)
    if form == "html":
        from advisor.report.html import html

        return html(verdict, base, made.files, made.notes) if made else html(verdict, base)
    from advisor.report.text import text

    return text(verdict, base, width=_width(), colour=_colour())


# --- new, explain, rules ----------------------------------------------------------------------------------------------


def _new(words: list[str]) -> int:
    from advisor.base.arguments import Parser

    parser = Parser("advisor new", "Write an answers file with every question as a comment.")
    parser.add_argument("file", metavar="FILE", help='the file to write; "-" writes to standard output')
    options = parser.parse(words)
    from advisor.answers.blank import new
    from advisor.base.text import shell_word

    content = new(_base())
    if options.file == "-":
        _data(content)
        return Exit.OK
    from pathlib import Path

    try:
        with Path(options.file).open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except FileExistsError:
        raise OutputError(f"{options.file} already exists and was not changed; choose another name") from None
    except OSError as error:
        raise OutputError(f"{options.file} cannot be written: {error.strerror}") from None
    then = f"advisor recommend --answers {shell_word(options.file)}"
    _note(f"advisor: {options.file} written; fill it in, then: {then}")
    return Exit.OK


def _explain(words: list[str]) -> int:
    from advisor.base.arguments import Parser

    parser = Parser("advisor explain", "Explain what an id means, with its reasons and evidence.")
    parser.add_argument(
        "id", metavar="ID", nargs="+", help="an id from a report or an answers file, or the name of a platform"
    )
    parser.add_argument(
        "--today", metavar="DAY", help="calculate the age of values for this day, for example 2026-11-24"
    )
    options = parser.parse(words)
    from advisor.report.explain import explain
    from advisor.ruleset.stale import today_of

    _data(explain(" ".join(options.id), _base(), _width(), today_of(options.today)))
    return Exit.OK


def _rules(words: list[str]) -> int:
    from advisor.base.arguments import Parser

    parser = Parser("advisor rules", "Check, draw, describe or document the rules.")
    parser.add_argument("what", metavar="check|docs|graph|schema|stale")
    parser.add_argument(
        "name",
        nargs="?",
        help="for schema: the kind of file (default: answers); for docs: the folder for caveats.md and platforms.md",
    )
    parser.add_argument("--folder", metavar="DIR", help="use this rules folder instead of the shipped one")
    parser.add_argument("--templates", metavar="DIR", help="for check: use this templates folder")
    parser.add_argument(
        "--older-than", default="12m", metavar="SPAN", help="for stale: minimum age: 12m (default) or 2y"
    )
    parser.add_argument("--today", metavar="DAY", help="for stale: calculate ages for this day, for example 2026-11-24")
    options = parser.parse(words)
    _one_of("command", options.what, ["check", "docs", "graph", "schema", "stale"])
    if options.what == "docs" and options.name is None:
        raise UsageError("rules docs: name the folder to write to, for example: advisor rules docs docs")
    from pathlib import Path

    from advisor.base.data import data

    folder = Path(options.folder) if options.folder else data("rules")
    for name, path in (("--folder", folder), ("--templates", options.templates)):
        if path and not Path(path).is_dir():
            raise UsageError(f"{name}: {path} is not a folder")
    if options.what == "check":
        return _check(folder, Path(options.templates or data("templates")))
    from advisor.ruleset.cache import load

    base = load(folder)
    if options.what == "graph":
        from advisor.report.flowchart import mermaid

        _data(mermaid(base))
        return Exit.OK
    if options.what == "stale":
        return _stale(base, options.older_than, options.today)
    if options.what == "docs":
        return _docs(base, Path(options.name))
    from advisor.ruleset.editor_schema import schema_text

    _data(schema_text(options.name or "answers", base))
    return Exit.OK


def _check(folder: Path, templates: Path) -> int:
    from advisor.kit.template_check import problems
    from advisor.report.rules_text import proof_lines
    from advisor.ruleset.boundaries import read
    from advisor.ruleset.compile import compile_folder
    from advisor.ruleset.prove import prove

    base = compile_folder(folder)
    proof, wrong = prove(base, read(folder, base)), problems(templates)
    for line in proof_lines(base, proof, wrong):
        _data(line)
    return Exit.FINDINGS if proof.findings or wrong else Exit.OK


def _docs(base: RuleBase, folder: Path) -> int:
    from advisor.base.writing import write_text
    from advisor.report.reference import pages

    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pages(base).items():
            path = folder / name
            write_text(path, text)
            _note(f"advisor: {path} written")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    return Exit.OK


def _stale(base: RuleBase, span: str, today: str | None) -> int:
    from advisor.report.rules_text import stale_lines
    from advisor.ruleset.stale import months_of, never_read, older_than, today_of

    months, now = months_of(span), today_of(today)
    unread = never_read(base, now)
    old, dated = older_than(base, months, now)
    for line in stale_lines(unread, old, dated, months):
        _data(line)
    return Exit.FINDINGS if old or unread else Exit.OK


# --- the interview ----------------------------------------------------------------------------------------------------


def _interview(words: list[str], commands: list[str]) -> int:
    from advisor.base.arguments import Parser

    parser = Parser("advisor", "Interview in the terminal.")
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse(words)
    if options.file and "." not in options.file and not os.path.exists(options.file):  # noqa: PTH110  # no pathlib here
        from advisor.base.text import did_you_mean

        close = did_you_mean(options.file, commands)
        if close:
            raise UsageError(f"unknown command {options.file!r}{close}\nTry 'advisor --help'.")
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))  # None: closed
    if not terminal and not options.plain:
        # Without a terminal Textual loops forever, so it must not even be imported.
        raise UsageError("the interview needs a terminal; use: advisor recommend --answers FILE (or advisor --plain)")
    if options.plain or os.environ.get("TERM") == "dumb" or os.environ.get("ACCESSIBLE"):
        from advisor.interview.plain import ask

        gc.enable()  # an interview runs for a long time
        return ask(_base(), options.file)
    from advisor.tui.app import run

    return run(_base(), options.file)  # it turns garbage collection on after its first screen


# --- streams ----------------------------------------------------------------------------------------------------------


def _base() -> RuleBase:
    from advisor.ruleset.cache import load

    return load()


def _data(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def _note(text: str) -> None:
    """Print a message. Control codes in quoted paths and names are made visible."""
    from advisor.base.text import visible

    sys.stderr.write(f"{visible(text, lines=True)}\n")


def _width() -> int:
    if not sys.stdout.isatty():
        return 80
    from shutil import get_terminal_size

    return max(40, min(get_terminal_size((80, 24)).columns, 100))


def _colour() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _one_of(name: str, given: str, allowed: list[str]) -> None:
    if given not in allowed:
        from advisor.base.text import did_you_mean

        raise UsageError(f"{name}: {given!r} is not one of {', '.join(allowed)}{did_you_mean(given, allowed)}")
