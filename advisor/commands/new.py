"""`advisor new FILE`: an answers file to fill in."""

from __future__ import annotations

from advisor.base.arguments import Parser
from advisor.base.errors import Exit, OutputError
from advisor.commands import streams


def parser() -> Parser:
    """The arguments."""
    made = Parser("advisor new", "Write an answers file with every question as a comment.", "advisor new answers.yaml")
    made.add_argument("file", metavar="FILE", help='the file to write; "-" writes to standard output')
    return made


def run(words: list[str]) -> int:
    """Write the file; the exit code."""
    options = parser().parse(words)
    from advisor.answers.blank import new
    from advisor.base.text import shell_word

    content = new(streams.base())
    if options.file == "-":
        streams.data(content)
        return Exit.OK
    from pathlib import Path

    path = Path(options.file)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(content)
            except BaseException:  # a full disk, Ctrl-C: no half of a file is left
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise OutputError(f"{options.file} already exists and was not changed; choose another name") from None
    except OSError as error:
        raise OutputError(f"{options.file} cannot be written: {error.strerror}") from None
    then = f"advisor recommend {shell_word(options.file)}"
    streams.note(f"advisor: {options.file} written; fill it in, then: {then}")
    return Exit.OK
