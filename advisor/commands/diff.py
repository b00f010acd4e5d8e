"""`advisor diff A B`: what changes between two answers files, or between two versions of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.arguments import Parser
from advisor.base.errors import Exit, UsageError
from advisor.commands import streams

if TYPE_CHECKING:
    from advisor.model.rulebase import RuleBase
    from advisor.model.verdict import Verdict


def parser() -> Parser:
    """The arguments."""
    made = Parser(
        "advisor diff",
        "Show what changes from A to B: patterns, confidence, caveats, files of the kit. "
        "Exit code 0: nothing; 1: something.",
        "advisor diff before.yaml after.yaml",
        "advisor diff answers.yaml answers.yaml --rules old-rules --rules rules",
    )
    made.add_argument("before", metavar="A", help="an answers file")
    made.add_argument("after", metavar="B", help="another one, or the same with --rules given twice")
    made.add_argument(
        "--rules", action="append", default=[], metavar="DIR", help="rules folder: of both, or given twice, of A and B"
    )
    return made


def run(words: list[str]) -> int:
    """Print the differences; the exit code."""
    options = parser().parse(words)
    if len(options.rules) > 2:
        raise UsageError("--rules: give one folder for both, or two, of A and of B")
    for folder in options.rules:
        if not Path(folder).is_dir():
            raise UsageError(f"--rules: {folder} is not a folder")
    from advisor.report.differences import differences
    from advisor.ruleset.cache import load

    bases = [load(folder) for folder in options.rules] or [streams.base()]
    before = _made(options.before, bases[0])
    after = _made(options.after, bases[-1])
    lines = list(differences(before, after, bases[0], bases[-1]))
    for line in lines:
        streams.data(line)
    return Exit.FINDINGS if lines else Exit.OK


def _made(file: str, base: RuleBase) -> tuple[Verdict, dict[str, bytes]]:
    """The verdict, and the files of the kit."""
    from advisor.answers.file import read
    from advisor.engine.portfolio import recommend
    from advisor.kit import build

    project = read(file, base)
    verdict = recommend(project, base)
    return verdict, build.build(project, verdict, base).files
