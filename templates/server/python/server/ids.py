"""Event ids, `<epoch>-<n>`: made, taken apart, and placed against what the log still has."""

from __future__ import annotations

import re

ID = re.compile(r"([0-9a-f]{12})-(0|[1-9][0-9]{0,17})\Z")


def make(epoch: str, n: int) -> str:
    """The id of event `n`. An epoch lives as long as its log; inside it n counts 1, 2, 3 ... without a gap."""
    return f"{epoch}-{n}"


def number(cursor: str, epoch: str) -> int | None:
    """The n of an id of this epoch; None for anything else."""
    match = ID.match(cursor)
    return int(match[2]) if match and match[1] == epoch else None


def place(cursor: str, epoch: str, oldest: int, latest: int) -> int | str:
    """Where a stream that has seen everything up to `cursor` goes on: its n, or why it cannot (the reset's reason).

    The cursor comes from the client, so it may be anything. `oldest` is the first n that the log still has
    (latest + 1 if it has none): a cursor of oldest - 1 misses nothing.
    """
    match = ID.match(cursor)
    if match is None:
        return "malformed"
    n = int(match[2])
    if match[1] != epoch:
        return "epoch"
    if n > latest:
        return "future"
    return n if n >= oldest - 1 else "trimmed"
