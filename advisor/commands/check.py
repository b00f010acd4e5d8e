"""`advisor check FILE...`: whether answers files can be read, for a pre-commit hook."""

from __future__ import annotations

from advisor.base.arguments import Parser
from advisor.base.errors import Exit, InputError
from advisor.commands import streams


def parser() -> Parser:
    """The arguments."""
    made = Parser(
        "advisor check",
        "Check answers files without deciding anything. Exit code 0: all can be read; 2: a file has a mistake.",
        "advisor check answers.yaml",
    )
    made.add_argument("files", metavar="FILE", nargs="+", help='an answers file; "-" reads standard input')
    return made


def run(words: list[str]) -> int:
    """Read every file; the exit code."""
    options = parser().parse(words)
    from advisor.answers.file import read
    from advisor.base.text import plural

    base, wrong = streams.base(), []
    for name in options.files:
        try:
            project = read(name, base)
        except InputError as error:
            wrong += error.problems
        else:
            for note in project.notes:
                streams.note(f"advisor: {note}")
            streams.note(f"advisor: {name}: {plural(len(project.features), 'feature')}, no mistake")
    if wrong:
        raise InputError(wrong)
    return Exit.OK
