"""`advisor explain ID`: what an id, a title or a word means."""

from __future__ import annotations

from advisor.base.arguments import Parser
from advisor.base.errors import Exit, UsageError
from advisor.commands import streams


def parser() -> Parser:
    """The arguments."""
    made = Parser(
        "advisor explain",
        "Explain what an id or a title means, with its reasons and evidence. Without one: list everything by kind.",
        "advisor explain sse-buffering",
        "advisor explain long polling",
        "advisor explain --search heartbeat",
    )
    made.add_argument(
        "id", metavar="ID", nargs="*", help="an id or a title from a report, an answers file or a platform"
    )
    made.add_argument("--search", metavar="WORD", help="list everything whose explanation contains this word")
    made.add_argument("--today", metavar="DAY", help="calculate the age of values for this day, for example 2026-11-24")
    return made


def run(words: list[str]) -> int:
    """Print the explanation; the exit code."""
    options = parser().parse(words)
    from advisor.report import lookup
    from advisor.ruleset.stale import today_of

    base, today = streams.base(), today_of(options.today)
    if options.search is not None and options.id:
        raise UsageError("explain: give either an id or --search WORD")
    if options.search is not None:
        streams.page(lookup.search(options.search, base, streams.width(), today))
    elif not options.id:
        streams.page(lookup.groups(base, streams.width(), today))
    else:
        streams.page(lookup.explain(" ".join(options.id), base, streams.width(), today))
    return Exit.OK
