"""What leaves an interview: the answers file and the starter kit. Nothing is replaced unless `force` says so."""

from __future__ import annotations

from pathlib import Path

from advisor.draft import Draft, on_disk
from advisor.errors import OutputError
from advisor.interview import Session
from advisor.recovery import Recovery
from advisor.text import plural, visible


def answers(session: Session, draft: Draft, file: Path, *, force: bool = False) -> Draft:
    """Write the answers file; the draft goes on under its name. Raises OutputError with nothing changed."""
    if draft.file is not None and file.absolute() == draft.file.absolute():
        return draft.save(session.project, force=force)
    if not force and on_disk(file) is not None:
        raise OutputError(f"{visible(str(file))} exists already; nothing was written")
    saved = Draft(draft.base, file, recovery=Recovery(file)).save(session.project, force=True)
    draft.forget()
    return saved


def kit(session: Session, where: Path, *, force: bool = False) -> list[str]:
    """Write the starter kit; what there is to say about it. Raises OutputError with nothing changed."""
    from advisor import folder
    from advisor.kit import build

    made = build(session.project, session.verdict, session.base)
    if not made.files:
        return [*made.notes, "No kit was written."]
    done = folder.write(made.files, where, force=force)
    shown = visible(str(where))
    said = f"{plural(len(made.files), 'file')} of the kit {'are in' if done == 'unchanged' else 'written to'} {shown}."
    return [*made.notes, f"{said} Start it with: python3 {shown}/start.py"]
