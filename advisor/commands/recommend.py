"""`advisor recommend FILE`: the report, and the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.base.arguments import Parser, answers_file
from advisor.base.errors import Exit, UsageError
from advisor.commands import streams

if TYPE_CHECKING:
    from argparse import Namespace

    from advisor.kit.build import Kit
    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Verdict

FORMATS = ("text", "markdown", "json", "html")


def parser() -> Parser:
    """The arguments."""
    made = Parser(
        "advisor recommend",
        "Recommend a pattern from an answers file, with reasons and caveats.",
        "advisor recommend answers.yaml --kit my-kit",
        "advisor recommend answers.yaml --full",
        "advisor recommend answers.yaml --set latency-need-ms=30000 --feature 'order status'",
    )
    made.add_file("FILE", 'the answers file; "-" reads standard input')
    made.add_argument("--format", default="text", choices=FORMATS, help="text (default), markdown, json or html")
    made.add_argument("--full", action="store_true", help="print everything instead of one page (text, markdown)")
    made.add_argument("-o", "--output", metavar="FILE", help="write the report to this file")
    made.add_argument("--feature", metavar="NAME", help="report on this feature only")
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FACT=VALUE",
        help="decide as if this were the answer (repeatable)",
    )
    made.add_argument("--kit", metavar="DIR", help="also write the starter kit to this folder")
    made.add_argument("--force", action="store_true", help="replace files of the kit even if they were changed by hand")
    made.add_argument("--quiet", action="store_true", help="print no report; with --kit, write the kit only")
    made.add_argument(
        "--color", default="auto", choices=("auto", "always", "never"), help="colours: auto (default), always or never"
    )
    made.add_argument("--no-pager", action="store_true", help="print a long report without a pager")
    return made


def run(words: list[str]) -> int:
    """Print the report, and write the kit; the exit code."""
    options = parser().parse(words)
    file = answers_file(options, "advisor recommend")
    from advisor.answers.file import read
    from advisor.answers.what_if import what_if
    from advisor.engine.portfolio import recommend

    base = streams.base()
    project = read(file, base)
    for setting in options.set:
        project = what_if(project, setting, options.feature, base)
    for note in project.notes:
        streams.note(f"advisor: {note}")
    whole = recommend(project, base)
    verdict = whole if options.feature is None else _only(options.feature, whole)
    made = None
    if options.kit is not None or options.format == "html":
        from advisor.kit import build

        made = build.build(project, whole, base)
    report = "" if options.quiet else _report(options, file, verdict, base, made)
    if options.kit is not None and made is not None:
        from pathlib import Path

        from advisor.kit import writing

        for said in writing.write(made.files, made.notes, Path(options.kit), force=options.force):
            streams.note(f"advisor: {said}")
    if options.output is not None and not options.quiet:
        streams.save(report, options.output)
    elif not options.quiet and options.format == "text" and not options.no_pager:
        streams.page(report)
    elif not options.quiet:
        streams.data(report)
    nothing = options.kit is not None and made is not None and made.needed and not made.files
    return int(verdict["exit"]) or (Exit.FINDINGS if nothing else Exit.OK)


def _coloured(options: Namespace) -> bool:
    """A file gets colours only where they are asked for."""
    return streams.colour("never" if options.color == "auto" and options.output is not None else options.color)


def _only(name: str, verdict: Verdict) -> Verdict:
    """The verdict of one feature, decided among the others. Raises UsageError."""
    from advisor.answers.file import same_name

    names = [feature["name"] for feature in verdict["features"]]
    found = [feature for feature in verdict["features"] if same_name(feature["name"]) == same_name(name)]
    if not found:
        from advisor.base.text import did_you_mean, quoted

        hint = did_you_mean(name, names) or f"; the features are {', '.join(map(quoted, names))}"
        raise UsageError(f"--feature: there is no feature {quoted(name)}{hint}")
    return {**verdict, "features": found, "exit": 0 if found[0]["primary"] else 3}


def _report(options: Namespace, file: str, verdict: Verdict, base: RuleBase, made: Kit | None) -> str:
    """The verdict in one of the formats; the HTML page includes the kit's files."""
    form, colour = options.format, _coloured(options)
    if form == "json":
        from advisor.report.json_text import json_text

        return json_text(verdict)
    if form == "markdown" and not options.full:
        from advisor.report.record import record

        return record(verdict, base, file)
    if form == "markdown":
        from advisor.report.markdown import markdown

        return markdown(verdict, base)
    if form == "html":
        from advisor.report.html import html

        return html(verdict, base, made.files, made.notes, file) if made else html(verdict, base, file=file)
    if options.full:
        from advisor.report.text import text

        return text(verdict, base, width=streams.width(), colour=colour)
    from advisor.report.one_page import one_page

    return one_page(verdict, base, width=streams.width(), colour=colour, file=file)
