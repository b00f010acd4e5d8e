"""What an answer can be: yes or no, a number, an option, several options, a text, or "I don't know"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True, order=True)
class Other:
    """An option that the list lacks (`other: TEXT`). It is kept and shown and decides nothing."""

    text: str


class Unknown:
    """The answer "I don't know". One instance, `UNKNOWN`; a fact that is absent was not asked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

Choice: TypeAlias = "str | Other"
Value: TypeAlias = "bool | int | float | str | Other | tuple[Choice, ...] | Unknown"
# bool = yes-no, int/float = number, str/Other = one-of (or text), tuple = some-of
