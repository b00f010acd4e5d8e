"""One file of a kit, as an option's manifest has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from advisor.kit.option_schema import FileEntry

IMAGE = "image"  # a file that another option takes from the chosen server


@dataclass(frozen=True, slots=True)
class File:
    """One file of a kit: copied as it is (`target` empty) or rendered for the language `target` with `extra` values.

    `beside` names options of any layer, as NAME or LAYER/NAME (of "between" only so): the file is written with one of
    them only. Empty: always. `apart` names those with which it is not written.
    `instances` is "one" or "several" for a file that only such a kit has.
    `of_server`: `files` puts the server's own template of that name in place of `source`.
    """

    source: Path
    to: str
    target: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    instances: str = ""
    of_server: str = ""

    def suits(self, names: Collection[str], instances: int) -> bool:
        """Whether a kit of these options, for so many instances, has this file."""
        with_option = not self.beside or any(name in names for name in self.beside)
        return (
            with_option
            and not any(name in names for name in self.apart)
            and self.instances in {"", "several" if instances > 1 else "one"}
        )


def files_of(folder: Path, entry: FileEntry) -> Iterator[File]:
    """The files of one entry of `files` in a manifest of this folder."""
    only: dict[str, Any] = {"beside": tuple(entry.beside), "apart": tuple(entry.apart), "instances": entry.instances}
    if entry.server:
        yield File(folder, entry.to, "json", of_server=entry.server, **only)
    elif entry.template:
        yield File(_resolved(folder / entry.template), entry.to, entry.target, entry.extra, **only)
    else:
        found = [_resolved(p) for p in sorted(folder.glob(entry.copy)) if p.name not in entry.without]
        yield from (File(path, f"{entry.to}{path.name}", **only) for path in found)


def _resolved(path: Path) -> Path:
    """A file that another option has too is named by a relative path: ../OPTION/FILE."""
    return path.parent.resolve() / path.name if ".." in path.parts else path
