"""Where an interview is kept: the answers file, and what may stand in the way of writing it."""

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
    """The answers file was not written: the person has to decide. `changed`: somebody else has changed it meanwhile."""

    def __init__(self, message: str, *, changed: bool) -> None:
        super().__init__(message)
        self.changed = changed


@dataclass(frozen=True)
class Draft:
    """The file of an interview (None: not named yet), and the text that it held when it was last read or written.

    `problems` are the mistakes in that text; what was read of it is then not all that it says.
    """

    base: RuleBase
    file: Path | None
    seen: str | None = None  # None: there was no such file
    problems: tuple[Problem, ...] = ()
    recovery: Recovery = field(default_factory=lambda: Recovery(None), compare=False)
    stamp: Stamp = field(default=None, compare=False)  # of the file when it was seen

    # --- the recovery file --------------------------------------------------------------------------------------------

    def keep(self, project: Project) -> str:
        """Write the recovery file; what went wrong in words, or ""."""
        return self.recovery.keep(dump(project, self.base))

    def kept(self) -> Project | None:
        """What an earlier interview left in a recovery file without saving it; None if there is nothing new."""
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
        """Take the recovery file away."""
        self.recovery.forget()

    def notice(self) -> str:
        """What the person should know about other programs at work on the same file, in a sentence, or ""."""
        if self.file is None:
            return ""
        name = visible(str(self.file), 60)
        if self.stamp != _stamp(self.file) and not self._untouched():
            return f"Another program has changed {name}. When you save, you choose which answers to keep."
        return f"Another advisor is also working on {name}." if self.recovery.others else ""

    def _untouched(self) -> bool:
        """Whether the file holds to the byte what it held; not if it holds no text any more."""
        try:
            return self.file is not None and on_disk(self.file) == self.seen
        except OutputError:
            return False

    # --- the answers file ---------------------------------------------------------------------------------------------

    def save(self, project: Project, *, force: bool = False) -> Draft:
        """Write the answers into the file and forget the recovery file; the draft as it is now.

        What else the file says stays. Raises OutputError with nothing changed if it cannot be written, and (without
        `force`) AskFirstError if somebody else has changed its answers since, or if it would have to be written anew.
        With `force` our answers go into what stands there now; if it is written anew, the old text stays as FILE.bak.
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
        """Write the answers into a new file beside this one, and go on under its name. Raises OutputError."""
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
        """The file read again. Raises InputError if it has mistakes, OutputError if it is gone."""
        assert self.file is not None
        text = on_disk(self.file)
        if text is None:
            raise OutputError(f"{visible(str(self.file))} no longer exists")
        project = parse(text, visible(str(self.file), 300), self.base)
        return replace(self, seen=text, problems=(), stamp=_stamp(self.file)), project

    def holds(self, project: Project) -> bool:
        """Whether the file says these answers, as it is on the disk now."""
        try:
            now = on_disk(self.file) if self.file is not None else None
            return now is not None and parse(now, "", self.base) == project
        except (InputError, OutputError):
            return False

    def would_write(self, project: Project) -> str:
        """The text that the file would have after `save`. Raises OutputError for what is no answers file at all."""
        return self._changed(on_disk(self.file) if self.file is not None else None, project)[0]

    def _same(self, now: str) -> bool:
        """Whether the file still says what it said, whatever became of its comments."""
        if now == self.seen:
            return True
        try:
            return self.seen is not None and parse(now, "", self.base) == parse(self.seen, "", self.base)
        except InputError:
            return False

    def _changed(self, now: str | None, project: Project) -> tuple[str, str]:
        """The text with these answers in it, and "", or why it is one that is written anew."""
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

    Raises OutputError if its folder does not exist, InputError for a file that is wrong; `mend` takes what can be read
    of a text with mistakes, and the draft then has its `problems`.
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
    """What the file holds now; None if there is none. Raises OutputError for what is no text at all."""
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
