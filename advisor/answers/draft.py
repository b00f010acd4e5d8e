"""The file of an interview, and the reasons why it may not be written without asking."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from advisor.answers.file import dump, parse, salvage
from advisor.answers.recovery import Recovery
from advisor.answers.rewrite import splice
from advisor.base.errors import InputError, OutputError, Problem
from advisor.base.text import plural, quoted, visible
from advisor.base.textfile import read_text, salvage_text
from advisor.base.writing import copy_of, free, write_text
from advisor.model.project import Project
from advisor.model.rulebase import RuleBase

Stamp = tuple[int, int, int] | None


class AskFirstError(OutputError):
    """The answers file was not written: the person has to decide. `changed`: another program has changed it."""

    def __init__(self, message: str, *, changed: bool) -> None:
        super().__init__(message)
        self.changed = changed


@dataclass(frozen=True)
class Draft:
    """The file of an interview (None: not named yet), and the text that it held when it was last read or written.

    `problems` are the mistakes in that text; it then contains more than what was read.
    """

    base: RuleBase
    file: Path | None
    seen: str | None = None  # None: there was no such file
    problems: tuple[Problem, ...] = ()
    recovery: Recovery = field(default_factory=lambda: Recovery(None), compare=False)
    stamp: Stamp = field(default=None, compare=False)  # of the file when it was seen

    # --- the recovery file --------------------------------------------------------------------------------------------

    def keep(self, project: Project) -> str:
        """Write the recovery file; return an error message, or ""."""
        return self.recovery.keep(dump(project, self.base))

    def kept(self) -> Project | None:
        """The unsaved answers of an earlier interview, from its recovery file; None if there is nothing new."""
        try:
            saved = parse(self.seen, "", self.base) if self.seen is not None else None
        except InputError:
            saved = None

        def left(path: Path) -> Project | None:
            try:
                project, _ = salvage(read_text(path), visible(str(path)), self.base)
            except InputError:
                return None
            return project if project.features and project != saved else None

        return self.recovery.take(left)

    def forget(self) -> None:
        """Delete the recovery file."""
        self.recovery.forget()

    def notice(self) -> str:
        """A sentence about other programs that work on the same file, or ""."""
        if self.file is None:
            return ""
        name = visible(str(self.file), 60)
        if self.stamp != _stamp(self.file) and not self._untouched():
            return f"Another program has changed {name}. When you save, you choose which answers to keep."
        return f"Another advisor is also working on {name}." if self.recovery.others else ""

    def _untouched(self) -> bool:
        """Whether the file has the same bytes as before; False if it is not text any more."""
        try:
            return self.file is not None and on_disk(self.file) == self.seen
        except OutputError:
            return False

    # --- the answers file ---------------------------------------------------------------------------------------------

    def save(self, project: Project, *, force: bool = False) -> Draft:
        """Write the answers to the file and delete the recovery file; return the new draft.

        Everything else in the file stays. Raises OutputError, with nothing changed, if it cannot be written. Without
        `force`, raises AskFirstError if another program has changed its answers or if it would have to be rewritten.
        With `force`, the answers go into the file as it is now; if it is rewritten, the old text is kept as FILE.bak.
        """
        assert self.file is not None
        name = visible(str(self.file))
        now = on_disk(self.file)
        if now is not None and not force and not self._same(now):
            raise AskFirstError(f"{name} has been changed by another program; nothing was written", changed=True)
        text, why_anew = self._changed(now, project)
        if why_anew and not force:
            raise AskFirstError(f"{name} {why_anew}; nothing was written", changed=False)
        try:
            if why_anew and now != text:
                copy_of(self.file)
            if now != text:
                write_text(self.file, text)
        except OSError as error:
            raise OutputError(f"{name} cannot be written: {error.strerror or error}") from None
        self.forget()
        return replace(self, seen=text, problems=(), stamp=_stamp(self.file))

    def beside(self, project: Project) -> Draft:
        """Write the answers to a new file in the same folder and continue with that file. Raises OutputError."""
        assert self.file is not None
        other = free(self.file)
        text, _ = self._changed(self.seen, project)
        try:
            write_text(other, text)
        except OSError as error:
            raise OutputError(f"{visible(str(other))} cannot be written: {error.strerror or error}") from None
        self.forget()
        return Draft(self.base, other, text, recovery=Recovery(other), stamp=_stamp(other))

    def reload(self) -> tuple[Draft, Project]:
        """Read the file again. Raises InputError if it has mistakes, OutputError if it no longer exists."""
        assert self.file is not None
        text = on_disk(self.file)
        if text is None:
            raise OutputError(f"{visible(str(self.file))} no longer exists")
        project = parse(text, visible(str(self.file), 300), self.base)
        return replace(self, seen=text, problems=(), stamp=_stamp(self.file)), project

    def holds(self, project: Project) -> bool:
        """Whether the file on the disk contains these answers now."""
        try:
            now = on_disk(self.file) if self.file is not None else None
            return now is not None and parse(now, "", self.base) == project
        except (InputError, OutputError):
            return False

    def would_write(self, project: Project) -> str:
        """The text that the file would have after `save`. Raises OutputError if it is not text."""
        return self._changed(on_disk(self.file) if self.file is not None else None, project)[0]

    def _same(self, now: str) -> bool:
        """Whether the file still contains the same answers; comments do not count."""
        if now == self.seen:
            return True
        try:
            return self.seen is not None and parse(now, "", self.base) == parse(self.seen, "", self.base)
        except InputError:
            return False

    def _changed(self, now: str | None, project: Project) -> tuple[str, str]:
        """The text with these answers, and why the file has to be rewritten ("" if it does not)."""
        anew = dump(project, self.base)
        if now is None or not now.strip("\ufeff \t\r\n"):
            return anew, ""
        if self.problems and now == self.seen:
            return anew, f"has {plural(len(self.problems), 'mistake')} and would have to be rewritten"
        if self.seen is None:
            why = "it did not exist when you started"
        elif "\ufffd" in now:
            why = "it contains bytes that are not UTF-8 (or U+FFFD in their place)"
        elif _only_comments(now):
            return f"{now.rstrip()}\n\n{anew}", ""
        else:
            try:
                return splice(now, project, self.base), ""
            except (InputError, OutputError) as error:
                why = str(error)
        return anew, f"would have to be rewritten: {why}"


def open_draft(file: str | None, base: RuleBase, *, mend: bool = False) -> tuple[Draft, Project | None]:
    """The draft for a file, and the answers in it (None if it does not exist yet, or is empty).

    Raises OutputError if its folder does not exist, InputError for a file with mistakes. `mend` reads what it can from
    such a file, and the draft then has its `problems`.
    """
    if file is None:
        return Draft(base, None), None
    path = Path(file)
    if not path.parent.is_dir():
        raise OutputError(f"the folder {quoted(str(path.parent), 200)} does not exist; create it first")
    if not os.path.lexists(path):
        return Draft(base, path, recovery=Recovery(path)), None
    stamp, name = _stamp(path), visible(file, 300)
    problems: tuple[Problem, ...] = ()
    project: Project | None
    if mend:
        text, wrong = salvage_text(path)
        project, found = salvage(text, name, base)
        problems = tuple(wrong + found)
        if _only_comments(text):
            project, problems = None, tuple(wrong)
    else:
        text = read_text(path, mark=True)
        project = parse(text, name, base)
    return Draft(base, path, text, problems, Recovery(path), stamp), project


def on_disk(path: Path) -> str | None:
    """The current text of the file; None if there is none. Raises OutputError if it is not text."""
    if not os.path.lexists(path):
        return None
    try:
        return salvage_text(path)[0]
    except InputError as error:
        raise OutputError(f"{error}; nothing was written") from None


def _only_comments(text: str) -> bool:
    return all(line.lstrip("\ufeff \t")[:1] in ("", "#") for line in text.splitlines())


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
