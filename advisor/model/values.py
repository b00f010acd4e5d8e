"""What an answer can be: yes or no, a number, an option, several options, a text, or "I don't know"."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from advisor.model.verdict import Answer


class Other:
    """An option that is not in the list (`other: TEXT`). It is kept and shown, but no rule uses it.

    Not a NamedTuple: an answer that is a tuple is one of several options.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Other) else NotImplemented

    def __hash__(self) -> int:
        return hash((Other, self.text))

    def __repr__(self) -> str:
        return f"Other(text={self.text!r})"


class Unknown:
    """The answer "I don't know". One instance, `UNKNOWN`; a fact that is absent was not asked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

Choice: TypeAlias = "str | Other"
Value: TypeAlias = "bool | int | float | str | Other | tuple[Choice, ...] | Unknown"
# bool = yes-no, int/float = number, str/Other = one-of (or text), tuple = some-of


def plain_name(text: str) -> str:
    """A name without what people write in different ways: case, spaces, hyphens and dots."""
    return "".join(c for c in text.casefold() if c.isalnum())


def plain(value: Value) -> Answer:
    """An answer as JSON carries it, which has no infinity: such a number follows from a division by zero."""
    if isinstance(value, Unknown) or value in (math.inf, -math.inf):
        return None
    if isinstance(value, Other):
        return {"other": value.text}
    if isinstance(value, tuple):
        return [{"other": item.text} if isinstance(item, Other) else item for item in value]
    return value


def from_plain(answer: Value | Answer) -> Value:
    """The answer that `plain` gave; one that is in its own form stays as it is."""
    if answer is None:
        return UNKNOWN
    if isinstance(answer, dict):
        return Other(answer["other"])
    if isinstance(answer, list):
        return tuple(Other(item["other"]) if isinstance(item, dict) else item for item in answer)
    return answer
