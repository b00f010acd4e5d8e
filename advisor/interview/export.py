"""The exports of an interview: answers file, decision record and starter kit, and their differences from the disk.

Files are replaced only with `force`, and never if they have changed since they were compared.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from advisor.answers.draft import Draft, on_disk
from advisor.answers.recovery import Recovery
from advisor.base.errors import AdvisorError, OutputError
from advisor.base.text import plural, shell_word, visible
from advisor.base.writing import write_text
from advisor.interview.session import Session

MOST = 1 << 22  # bytes of a file that are compared; no exported file is as long
State = Literal["new", "same", "differs"]
Kind = Literal["answers", "record", "kit", "page"]
TITLES: dict[Kind, str] = {
    "answers": "answers file",
    "record": "decision record",
    "kit": "starter kit",
    "page": "report (HTML)",
}
COMMITTED: tuple[Kind, ...] = ("answers", "record", "kit")  # what a team keeps beside its code


class ExistsError(OutputError):
    """The file was not written: one of this name exists, and the person has not agreed to replace it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file: its present content (None: no file) and its new content."""

    name: str
    path: Path
    before: bytes | None
    after: bytes

    @property
    def state(self) -> State:
        """How the two compare."""
        if self.before is None:
            return "new"
        return "same" if self.before == self.after else "differs"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to export and where to; `trouble` says why it cannot be written, if so."""

    kind: Kind
    where: Path
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def words(self) -> str:
        """`new`, `same`, `differs`; for a kit `38 files: 37 same, 1 differs`."""
        if self.trouble:
            return self.trouble
        if self.kind != "kit":
            return self.items[0].state
        counts = Counter(item.state for item in self.items)
        return f"{plural(len(self.items), 'file')}: {', '.join(f'{n} {state}' for state, n in counts.items())}"


# --- looking ----------------------------------------------------------------------------------------------------------


def plan(session: Session, draft: Draft, kind: Kind, where: Path) -> Part:
    """What would be written, and how it differs from the disk. Nothing is written."""
    notes: tuple[str, ...] = ()
    try:
        if kind == "answers":
            made = {"": _answers_text(session, draft, where).encode()}
        elif kind == "record":
            from advisor.report.record import record

            made = {"": record(session.verdict, session.base, _named(draft)).encode()}
        elif kind == "page":
            made = {"": _page(session, _named(draft)).encode()}
        else:
            from advisor.kit.build import build

            kit = build(session.project, session.verdict, session.base)
            made, notes = dict(kit.files), tuple(kit.notes)
            if not made:
                return Part(kind, where, (), notes, "there is no kit for these answers")
        items = [Item(name or str(where), where / name if name else where, _on_disk(where / name), after)
                 for name, after in made.items()]  # fmt: skip
    except AdvisorError as error:
        return Part(kind, where, (), notes, str(error))
    order: list[State] = ["differs", "new", "same"]
    return Part(kind, where, tuple(sorted(items, key=lambda item: order.index(item.state))), notes)


def _named(draft: Draft) -> str:
    """The answers file as the commands of a report name it: they are in one folder."""
    return draft.file.name if draft.file is not None else "answers.yaml"


def _page(session: Session, file: str) -> str:
    """The report as a page, with the files of the kit where there is one."""
    from advisor.kit.build import build
    from advisor.report.html import html

    try:
        kit = build(session.project, session.verdict, session.base)
    except AdvisorError as error:
        return html(session.verdict, session.base, notes=[str(error)], file=file)
    return html(session.verdict, session.base, kit.files or None, kit.notes, file)


def _answers_text(session: Session, draft: Draft, file: Path) -> str:
    own = draft.file is not None and file.absolute() == draft.file.absolute()
    return (draft if own else Draft(draft.base, file, None)).would_write(session.project)


def _on_disk(path: Path) -> bytes | None:
    try:
        if not path.is_symlink() and not path.exists():
            return None
        if not path.is_file() or path.stat().st_size > MOST:
            raise OutputError(f"{visible(str(path))} is not a file that can be replaced; choose another name")
        return path.read_bytes()
    except OSError as error:
        raise OutputError(f"{visible(str(path))} cannot be read: {error.strerror or error}") from None


def difference(item: Item) -> Iterator[str]:
    """The lines that would go (-) and come (+), with three around them; a new file whole."""
    before, after = (_lines(text) for text in (item.before or b"", item.after))
    found = list(difflib.unified_diff(before, after, "now", "then", lineterm="", n=3))
    yield from found[2:] or (["  no difference"] if item.state != "differs" else ["  only the line endings differ"])


def _lines(content: bytes) -> list[str]:
    return [visible(line.expandtabs(4)) for line in content.decode("utf-8", "replace").splitlines()]


# --- writing ----------------------------------------------------------------------------------------------------------


def write(session: Session, draft: Draft, part: Part) -> tuple[Draft, list[str]]:
    """Write a part as it was compared; return the new draft and messages to show.

    Raises OutputError with nothing of the part changed, also where a file has changed since `plan` looked at it.
    """
    for item in part.items:
        if _on_disk(item.path) != item.before:
            raise OutputError(f"{visible(str(item.path))} has changed since it was compared; nothing was written")
    shown = visible(str(part.where))
    if part.kind == "answers":
        return answers(session, draft, part.where, force=True), [f"The answers are in {shown}."]
    if part.kind in ("record", "page"):
        text(part.where, part.items[0].after.decode(), force=True)
        return draft, [f"The {TITLES[part.kind]} is in {shown}."]
    from advisor.kit import writing

    return draft, writing.write({item.name: item.after for item in part.items}, part.notes, part.where, force=True)


def next_steps(parts: Iterable[Part], written: Collection[Kind]) -> Iterator[str]:
    """What to do now, where no kit was written that could be started."""
    places = {part.kind: part for part in parts}
    kit, record, file = (places[kind] for kind in ("kit", "record", "answers"))
    if "kit" in written:
        return
    if kit.items:
        yield "The starter kit was not written; press 3 to tick it."
        return
    yield from kit.notes or (f"Starter kit: {kit.trouble}.",)
    if "record" in written:
        yield f"Next: {visible(str(record.where))} lists what to do first."
    elif "answers" in written:
        yield f"Next: advisor recommend --answers {shell_word(str(file.where))} prints what to do first."


def answers(session: Session, draft: Draft, file: Path, *, force: bool = False) -> Draft:
    """Write the answers file; the draft goes on under its name. Raises OutputError with nothing changed.

    ExistsError, where only `force` is missing; AskFirstError, where a person has to look at the draft's own file.
    """
    if draft.file is not None and file.absolute() == draft.file.absolute():
        return draft.save(session.project, force=force)
    if not force and on_disk(file) is not None:
        raise ExistsError(f"{visible(str(file))} already exists; nothing was written")
    saved = Draft(draft.base, file, recovery=Recovery(file)).save(session.project, force=True)
    draft.forget()
    return saved


def text(file: Path, content: str, *, force: bool = False) -> None:
    """Write a text whole or not at all. Raises OutputError; ExistsError where something else is there already."""
    before = _on_disk(file)
    if before == content.encode():
        return
    if before is not None and not force:
        raise ExistsError(f"{visible(str(file))} already exists; nothing was written")
    try:
        write_text(file, content)
    except OSError as error:
        raise OutputError(f"{visible(str(file))} cannot be written: {error.strerror or error}") from None


def kit(session: Session, where: Path, *, force: bool = False) -> list[str]:
    """Write the starter kit; return messages to show. Raises OutputError with nothing changed."""
    from advisor.kit import writing
    from advisor.kit.build import build

    made = build(session.project, session.verdict, session.base)
    if not made.files:
        return [*made.notes, "No kit was written."]
    return writing.write(made.files, made.notes, where, force=force)
