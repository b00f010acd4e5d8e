"""The files of a plain-text interview: keeping every answer at once, and saving the answers file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advisor.answers.draft import AskFirstError, Draft
from advisor.base.errors import InputError, OutputError
from advisor.base.text import visible
from advisor.interview import console, export
from advisor.interview.session import Session
from advisor.model.project import Project

MOST_LINES = 60  # of the differences that are shown


@dataclass
class Keeper:
    """The draft of an interview, and the last messages about it."""

    draft: Draft
    trouble: str = ""  # with the recovery file
    notice: str = ""  # about other programs

    def keep(self, project: Project) -> None:
        """Keep the answers at once, and print new messages about this and about other programs."""
        trouble = self.draft.keep(project)
        if trouble and trouble != self.trouble:
            console.say(f"Unsaved answers cannot be kept on disk: {trouble}")
        self.trouble = trouble
        notice = self.draft.notice()
        if notice and notice != self.notice:
            console.say(notice)
        self.notice = notice

    def choose_file(self, session: Session) -> bool:
        """Ask for a file until saving works or the person enters nothing; whether it was saved."""
        while name := console.line("Save the answers to file (Enter to skip): "):
            try:
                self.save_as(session, Path(name))
            except OutputError as error:
                console.say(error)
            else:
                return True
        return False

    def save_as(self, session: Session, file: Path) -> None:
        """Write the answers into this file and go on under its name. Raises OutputError."""
        self.draft = export.answers(session, self.draft, file)

    def save(self, session: Session, *, asking: bool, again: Callable[[Project], None] | None = None) -> bool:
        """Write the answers file; whether it was written. Raises OutputError if it was not, and no person can be asked.

        `again` takes the answers of a file that the person has read again; None: that is not offered.
        """
        try:
            self.draft = self.draft.save(session.project)
        except AskFirstError as error:
            if not asking:
                raise
            console.say(f"{error}.")
            return self.settle(session.project, again if error.changed else None, changed=error.changed)
        return True

    def settle(self, project: Project, again: Callable[[Project], None] | None, *, changed: bool) -> bool:
        """Let the person decide about a file that cannot simply be written; whether the answers were written."""
        mine = "write your answers into the changed file" if changed else "rewrite it and keep the old text as .bak"
        choices = [mine, "write your answers to a new file in the same folder"]
        choices.append("do not write; keep your answers in the recovery file")
        if again is not None:
            choices.append("read it again; u restores your answers")
        try:
            picked = console.pick(choices)
            if picked == 0:
                self.draft = self.draft.save(project, force=True)
            elif picked == 1:
                self.draft = self.draft.beside(project)
            elif picked == 3 and again is not None:
                self.draft, theirs = self.draft.reload()
                again(theirs)
        except (OutputError, InputError) as problem:
            console.say(problem)
            return False
        return picked < 2

    def export(self, session: Session, kind: export.Kind, where: Path) -> None:
        """Write the kit or the record. A person sees first what would be replaced; without one, only own files are."""
        part = export.plan(session, self.draft, kind, where)
        differing = [item for item in part.items if item.state == "differs"]
        if not console.somebody() and differing:
            if kind != "kit":
                raise OutputError(f"{visible(str(where))} already exists; nothing was written")
            console.say(*export.kit(session, where))  # replaces only its own, unchanged files
            return
        if not part.items:
            console.say(*part.notes, f"{export.TITLES[kind]}: {part.trouble}.")
            return
        if differing:
            console.say(f"{export.TITLES[kind]}, {part.words}")
            lines = [line for item in differing for line in (f"{visible(item.name)}:", *export.difference(item))]
            console.say(
                *lines[:MOST_LINES], *[f"and {len(lines) - MOST_LINES:,} more lines"][: len(lines) > MOST_LINES]
            )
            if not console.yes("Replace the files that differ? (- is removed, + is added)"):
                console.say("Nothing was written.")
                return
        self.draft, notes = export.write(session, self.draft, part)
        console.say(*notes)

    @property
    def name(self) -> str:
        """The answers file, safe to show."""
        return visible(str(self.draft.file))
