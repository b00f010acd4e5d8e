"""Where an interview is kept: the answers file, and beside it a recovery file that holds every answer at once."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.answers import Project, dump, parse
from advisor.errors import InputError, OutputError
from advisor.rulebase import RuleBase
from advisor.splice import splice
from advisor.text import quoted, visible
from advisor.textfile import read_text


@dataclass(frozen=True)
class Draft:
    """The file of an interview (None: not named yet), and the text that it held when it was last read or written."""

    base: RuleBase
    file: Path | None
    seen: str | None = None  # None: there was no such file

    @property
    def recovery(self) -> Path | None:
        """Beside the file, or in the user's state folder; None where there is no such folder."""
        if self.file is not None:
            return self.file.with_name(f".{self.file.name}.recovery")
        root = os.environ.get("XDG_STATE_HOME")
        try:
            return (Path(root) if root else Path.home() / ".local" / "state") / "advisor" / "unsaved.yaml"
        except RuntimeError:
            return None

    def keep(self, project: Project) -> str:
        """Write the recovery file; what went wrong in words, or ""."""
        path = self.recovery
        if path is None:
            return "there is no home folder for a recovery file"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, dump(project, self.base), sync=False)
        except OSError as error:
            return f"{visible(str(path))}: {error.strerror or error}"
        return ""

    def kept(self) -> Project | None:
        """What an earlier interview left in the recovery file without saving it; None if there is nothing new."""
        path = self.recovery
        if path is None or not path.is_file():
            return None
        try:
            text = read_text(path)
            project = parse(text, visible(str(path)), self.base)
        except InputError:
            return None
        saved = dump(parse(self.seen, "", self.base), self.base) if self.seen is not None else None
        return None if text == saved else project

    def forget(self) -> None:
        """Take the recovery file away."""
        if self.recovery is not None:
            with suppress(OSError):
                self.recovery.unlink(missing_ok=True)

    def save(self, project: Project, *, force: bool = False) -> Draft:
        """Write the answers file and forget the recovery file; the draft as it is now.

        Raises OutputError with nothing changed if the file cannot be written, or (without `force`) if somebody else has
        changed it since, or if the way in which it is written allows no change in place. `force` then writes it anew,
        and keeps the old text as FILE.bak.
        """
        assert self.file is not None
        now = on_disk(self.file)
        if now is not None and now != self.seen and not force:
            raise OutputError(f"{visible(str(self.file))} has been changed by somebody else; nothing was written")
        text = self._in_place(now, project)
        if text is None and not force:
            raise OutputError(
                f"{visible(str(self.file))} cannot be changed in place, and nothing was written; "
                "written anew, it would lose what it says besides the answers"
            )
        if now != text or text is None:
            try:
                if text is None:
                    text = dump(project, self.base)
                    _write(free(self.file.with_name(f"{self.file.name}.bak")), now or "")
                _write(self.file, text)
            except OSError as error:
                raise OutputError(f"{visible(str(self.file))} cannot be written: {error.strerror or error}") from None
        self.forget()
        return replace(self, seen=text)

    def _in_place(self, now: str | None, project: Project) -> str | None:
        """The text of the file with these answers; None if nothing can be kept of what stands there."""
        if now is None or not now.strip():
            return dump(project, self.base)
        if self.seen is None:  # another file, which is to be replaced
            return None
        try:
            return splice(now, project, self.base)
        except (InputError, OutputError):
            return None

    def named(self, file: Path) -> Draft:
        """The same interview under the name of a file. Its recovery file moves along with the next answer."""
        self.forget()
        return Draft(self.base, file, None)


def open_draft(file: str | None, base: RuleBase) -> tuple[Draft, Project | None]:
    """The draft for a file, and the answers in it (None if it does not exist yet).

    Raises InputError for a file that is wrong, OutputError if its folder does not exist.
    """
    if file is None:
        return Draft(base, None), None
    path = Path(file)
    if not path.parent.is_dir():
        raise OutputError(f"the folder {quoted(str(path.parent), 200)} does not exist")
    if not os.path.lexists(path):
        return Draft(base, path), None
    text = read_text(path, mark=True)
    return Draft(base, path, text), parse(text, visible(file, 300), base)


def free(path: Path) -> Path:
    """The first of orders.yaml.bak, orders.yaml.bak-2, ... that there is no file of."""
    for number in range(2, 10_000):
        if not os.path.lexists(path):
            return path
        path = path.with_name(f"{path.name.removesuffix(f'-{number - 1}')}-{number}")
    raise OutputError(f"there are too many files named {visible(path.name)}")


def on_disk(path: Path) -> str | None:
    """What the file holds now; None if there is none. Raises OutputError for what is no answers file at all."""
    if not os.path.lexists(path):
        return None
    try:
        return read_text(path, mark=True)
    except InputError as error:
        raise OutputError(f"{error}; nothing was written") from None


def _write(path: Path, text: str, *, sync: bool = True) -> None:
    """The whole file or nothing, with the permissions that it had; a link stays one."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        made.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask)
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
