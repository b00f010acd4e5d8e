"""Names of features and of the project."""

from __future__ import annotations

from collections.abc import Collection

from advisor.answers.check import RefusedError
from advisor.answers.file import same_name
from advisor.answers.read_fact import wrong_text
from advisor.base.text import quoted


def checked_name(name: str, taken: Collection[str]) -> str:
    """The name as it is kept. Raises RefusedError if it cannot be shown, or is that of another feature."""
    if wrong := wrong_text(name):
        raise RefusedError(wrong[0].upper() + wrong[1:])
    if any(same_name(name) == same_name(other) for other in taken):
        raise RefusedError(f"A feature named {quoted(name.strip())} already exists.")
    return name.strip()
