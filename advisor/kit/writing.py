"""Write a kit to the disk; the notes to print about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from advisor.base import folder
from advisor.base.text import plural, shell_word, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def write(files: Mapping[str, bytes], notes: Iterable[str], where: Path, *, force: bool = False) -> list[str]:
    """Write the files of a kit, if it has any; its notes and what else there is to say.

    Raises OutputError with nothing changed.
    """
    if not files:
        return [*notes]
    done = folder.write(files, where, force=force)
    came = "are in" if done == "unchanged" else "written to"
    said = f"{plural(len(files), 'file')} of the kit {came} {visible(str(where))}. {_start(where)}"
    return [*notes, said, *folder.notes(where, done)]


def _start(where: Path) -> str:
    if os.name == "nt":
        return "Its start.py and its event server need Linux or macOS; WSL is Linux."
    return f"Start it with: python3 {shell_word(str(where / 'start.py'))}"
