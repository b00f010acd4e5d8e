"""`advisor rules WHAT`: check, draw, describe, document and date the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.arguments import Parser
from advisor.base.errors import Exit, OutputError, UsageError
from advisor.commands import streams

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from advisor.model.rulebase import RuleBase

WHAT = ("check", "docs", "graph", "schema", "stale")


def parser() -> Parser:
    """The arguments."""
    made = Parser(
        "advisor rules",
        "check: prove that the rules have no gaps or contradictions. graph: draw the decision as Mermaid. "
        "schema: print a JSON Schema. docs: write the pages about caveats and platforms. stale: list what is to be "
        "read again; the exit code is 1 if any of it is overdue.",
        "advisor rules check",
        "advisor rules graph --answers answers.yaml",
        "advisor rules schema verdict",
        "advisor rules stale",
    )
    made.add_argument("what", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
    made.add_argument(
        "name",
        nargs="?",
        help="for schema: the kind of file (default: answers); for docs: the folder for caveats.md and platforms.md; "
        "for graph: a step, to draw it alone",
    )
    made.add_argument("--answers", metavar="FILE", help="for graph: draw what these answers walk through")
    made.add_argument("--folder", metavar="DIR", help="use this rules folder instead of the shipped one")
    made.add_argument("--templates", metavar="DIR", help="for check: use this templates folder")
    made.add_argument(
        "--older-than", metavar="SPAN", help="for stale: list also what is this old (12m, 2y), due or not"
    )
    made.add_argument("--unread", action="store_true", help="for stale: list also what was written from memory")
    made.add_argument("--today", metavar="DAY", help="for stale: as if it were this day, for example 2026-11-24")
    return made


def run(words: list[str]) -> int:
    """Do what is asked; the exit code."""
    options = parser().parse(words)
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
    if options.what == "schema":
        return _schema(folder, options.name or "answers")
    from advisor.ruleset.cache import load

    base = load(folder)
    if options.what == "graph":
        return _graph(base, options)
    if options.what == "stale":
        return _stale(base, options)
    return _docs(base, Path(options.name))


def _schema(folder: Path, name: str) -> int:
    """Print a schema; that of a rules file also while the rules have a mistake, since then it is needed most."""
    from advisor.base.errors import RuleBaseError
    from advisor.ruleset.cache import load
    from advisor.ruleset.editor_schema import WITH_RULES, schema_text

    try:
        base = load(folder)
    except RuleBaseError:
        if name in WITH_RULES:
            raise
        base = None
        streams.note("advisor: the rules have mistakes (advisor rules check lists them): the schema takes any id")
    streams.data(schema_text(name, base))
    return Exit.OK


def _check(folder: Path, templates: Path) -> int:
    from advisor.kit.template_check import problems, unserved
    from advisor.report.rules_text import proof_lines
    from advisor.ruleset.boundaries import read
    from advisor.ruleset.compile import compile_folder
    from advisor.ruleset.prove import prove

    base = compile_folder(folder)
    proof = prove(base, read(folder, base))
    wrong = problems(templates) or unserved(templates, base)
    for line in proof_lines(base, proof, wrong):
        streams.data(line)
    return Exit.FINDINGS if proof.findings or wrong else Exit.OK


def _graph(base: RuleBase, options: Namespace) -> int:
    from advisor.report import flowchart

    if options.answers is None:
        streams.data(flowchart.mermaid(base) if options.name is None else flowchart.of_step(options.name, base))
        return Exit.OK
    from advisor.answers.file import read
    from advisor.engine.portfolio import recommend

    streams.data(flowchart.walked(recommend(read(options.answers, base), base), base))
    return Exit.OK


def _docs(base: RuleBase, folder: Path) -> int:
    from advisor.base.writing import write_text
    from advisor.report.reference import pages

    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in pages(base).items():
            path = folder / name
            write_text(path, text)
            streams.note(f"advisor: {path} written")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    return Exit.OK


def _stale(base: RuleBase, options: Namespace) -> int:
    from advisor.report.rules_text import stale_lines
    from advisor.ruleset.stale import dated, months_of, older_than, overdue, today_of

    months = None if options.older_than is None else months_of(options.older_than)
    today = today_of(options.today)
    every = dated(base, today)
    late = overdue(every, today)
    listed = [statement for statement in every if statement.unread and options.unread]
    if months is not None:
        listed += [statement for statement in older_than(every, months) if statement not in listed]
    for line in stale_lines(late, listed, every):
        streams.data(line)
    return Exit.FINDINGS if late else Exit.OK
