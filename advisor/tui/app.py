"""The Textual program: its themes, the session that its screens show, and what happens before and after them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.content import Content
from textual.driver import Driver
from textual.scrollbar import ScrollBar
from textual.theme import Theme

from advisor.answers import Project
from advisor.draft import AskFirstError, Draft, open_draft
from advisor.errors import AdvisorError, Exit, OutputError
from advisor.facts import wrong_text
from advisor.interview import Session
from advisor.rulebase import Question, RuleBase
from advisor.text import visible
from advisor.tui import files
from advisor.tui.dialogs import AskText, Choose, Help
from advisor.tui.interview import InterviewScreen
from advisor.tui.widgets import PlainBars

DARK = Theme(
    "advisor-dark", primary="#7aa2f7", secondary="#8ab4c8", accent="#e0af68", success="#9ece6a", warning="#e0af68",
    error="#ff7a8a", background="#14161b", surface="#1b1e25", panel="#262a33", foreground="#d9dce3", dark=True,
)  # fmt: skip
LIGHT = Theme(
    "advisor-light", primary="#1f4fa8", secondary="#2b5f75", accent="#7a4d00", success="#2c6a12", warning="#7a4d00",
    error="#a1142e", background="#fbfbf9", surface="#f1f1ec", panel="#e3e3dc", foreground="#1d2026", dark=False,
)  # fmt: skip
WELCOME = """\
A feature is one thing whose clients are kept up to date: order status, chat, a dashboard. More features can follow.

You are then asked what it needs and what lies between its clients and your servers. Each question says why it is \
asked and how to find out; "I don't know" is always an answer, and r shows the result so far. Nothing that cannot \
change the result is asked."""
LEGEND = """\
Keys
  a number        takes that choice; 0 means "I don't know", which is never taken for no
  Enter, space    take or tick the highlighted choice
  b or left       the question before        right   the one after
  u               takes the last change back, whatever it was
  a               all answers: jump to any of them, take one away
  r               the result of the answers so far
  n, f            one more feature; go to, rename, copy or remove a feature
  e               writes the answers file and a starter kit
  q               saves and quits
  page up, down   scroll the text of the question
  ctrl+p          more commands, among them the theme

Marks
  the steps       x holds   - does not   ? not known yet   > the question at hand belongs to it
  the patterns    + can still come out   ? would go with the highlighted answer   - cannot any more, and why
"""


def run(base: RuleBase, file: str | None) -> int:
    """The interview in the terminal; the exit code. Raises AdvisorError for a file that is wrong."""
    draft, project = open_draft(file, base, mend=True)
    for name in ("COLUMNS", "LINES"):  # Textual would believe them for ever and never notice another size
        os.environ.pop(name, None)
    app = AdvisorApp(draft, project, _driver())
    app.run()
    app.draft.recovery.release()
    if isinstance(app.failure, AdvisorError):
        raise app.failure
    if app.failure is not None:
        app.failure.add_note("The answers so far are kept: start advisor the same way again to go on with them.")
        raise app.failure
    if app.session is None:
        return app.return_code or int(Exit.OK)
    from advisor.closing import closing

    saved = None if app.draft.problems and app.saved else app.saved
    sys.stdout.write(closing(app.session, app.draft.file, saved=saved))
    return app.return_code or int(Exit.OK)


def _driver() -> type[Driver] | None:
    """Textual's own driver, but for the size: it asks standard output, which may be a file, and draws on stderr."""
    if sys.platform == "win32":
        return None
    from textual.drivers.linux_driver import LinuxDriver

    class OnStderr(LinuxDriver):
        def _get_terminal_size(self) -> tuple[int, int]:
            return tuple(os.get_terminal_size(sys.__stderr__.fileno()))  # type: ignore[union-attr,return-value]  # cli.py has seen that it is a terminal

    return OnStderr


class AdvisorApp(App[None]):
    """Owns the session and its draft; the screens ask it for changes and show what comes of them."""

    TITLE = "advisor"
    CSS_PATH = "advisor.tcss"

    def __init__(self, draft: Draft, project: Project | None, driver: type[Driver] | None = None) -> None:
        ScrollBar.renderer = PlainBars
        super().__init__(driver)
        self.draft, self.project = draft, project
        self.left = draft.kept()
        self.session: Session | None = None
        self.saved = False
        if self.left is None and project is not None and project.features and not draft.problems:
            self.session, self.saved = Session.from_project(project, draft.base), True
        self.trouble = ""  # with the recovery file, as last told
        self.failure: Exception | None = None  # what ended the program, if something did
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        if "TEXTUAL_THEME" not in os.environ:
            ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]
            self.theme = "advisor-light" if ground in ("7", "15") else "advisor-dark"

    def _handle_exception(self, error: Exception) -> None:
        """A bug of ours ends the program at once; cli.py says so. Textual would print the whole rule base first."""
        self.failure = error
        self._return_code = int(Exit.BUG)
        if self.is_headless:  # a test wants to see it
            super()._handle_exception(error)
        else:
            self._close_messages_no_wait()

    @property
    def file_words(self) -> str:
        """The file's name, and a star while it lacks answers."""
        if self.draft.file is None:
            return "not saved yet"
        return f"{visible(str(self.draft.file), 60)}{'' if self.saved else ' *'}"

    # --- beginning ----------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> InterviewScreen:
        """The interview is the first screen: nothing is drawn before it."""
        return InterviewScreen()

    def on_mount(self) -> None:
        """Go on with what an earlier run left, or ask for the first feature's name."""
        if self.session is not None:
            self.keep(self.session)
        elif self.left is not None:
            files.left_over(self, self.left, self.begin)
        else:
            self.begin(None)

    def begin(self, left: Project | None) -> None:
        """Show the interview, with what an earlier run left or with the file."""
        if left is None and self.draft.problems:
            files.with_mistakes(self, lambda: self.go_on(self.project))
        else:
            self.go_on(left or self.project)

    def go_on(self, project: Project | None) -> None:
        """Show the interview; ask for the first feature's name where there is none."""
        if project is not None and project.features:
            self.start(Session.from_project(project, self.draft.base), saved=project is self.project)
            return

        def take(name: str | None) -> None:
            if name is None:
                self.exit()
            else:
                self.start(Session.new(self.draft.base, name, project=project), saved=False)

        question = "What is the first feature called?"
        self.push_screen(AskText(question, "feature 1", WELCOME, wrong_text), take)

    def start(self, session: Session, *, saved: bool) -> None:
        """Show the first question."""
        self.session, self.saved = session, saved
        self.show_all()
        self.keep(session)

    def show_all(self) -> None:
        """The interview, wherever it stands under other screens, after a change."""
        for screen in self.screen_stack:
            if isinstance(screen, InterviewScreen):
                screen.show()

    # --- changing -----------------------------------------------------------------------------------------------------

    def change(self, operation: Callable[[Session], Session]) -> bool:
        """Go on with what the operation makes of the session; say so if it is refused. Every change is kept at once."""
        assert self.session is not None
        try:
            session = operation(self.session)
        except AdvisorError as refused:
            self.tell(str(refused), wrong=True)
            return False
        if session.project is not self.session.project:
            self.saved = False
            self.session = session
            self.show_all()
            self.keep(session)
        else:
            self.session = session
            self.show_all()
        return True

    def keep(self, session: Session) -> None:
        """Keep the answers on the disk; say what is new about that, and about other programs at the same file."""
        trouble = self.draft.keep(session.project)
        trouble = f"The answers are not kept on disk: {trouble}" if trouble else self.draft.notice()
        if trouble and trouble != self.trouble:
            self.tell(trouble, wrong=True)
        self.trouble = trouble

    def jump(self, where: tuple[str, str] | None) -> None:
        """Where the list of all answers led."""
        if where is not None:
            operation, fact = where
            self.change(lambda session: getattr(session, operation)(fact))

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """A line for the person: in the interview it stays until something changes, elsewhere it goes by itself."""
        if isinstance(self.screen, InterviewScreen):
            self.screen.tell(text, wrong=wrong)
            return
        self.notify(text, severity="warning" if wrong else "information", timeout=6 if wrong else 3, markup=False)

    def help(self, question: Question | None) -> None:
        """The keys, the marks, and the question in full."""
        parts: list[Any] = []
        if question is not None:
            parts = [(question.ask, "bold"), f"\n\nWhy: {question.why}\n\nFind out: {question.find_out}\n"]
            parts += [f"\nadvisor explain {question.id} tells which rules read it.\n\n"]
        self.push_screen(Help(Content.assemble(*parts, LEGEND)))

    # --- saving -------------------------------------------------------------------------------------------------------

    def export(self) -> None:
        """Ask for the answers file, write it, then ask for the kit's folder."""
        file = self.draft.file

        def named(name: str | None) -> None:
            if name is not None:
                self.save_as(Path(name), self.export_kit)

        if file is not None:
            self.save_as(file, self.export_kit)
        else:
            note = "It can be read, edited and given to `advisor recommend`."
            self.push_screen(AskText("Write the answers to which file?", "answers.yaml", note, wrong_text), named)

    def save_as(self, file: Path, after: Callable[[], None]) -> None:
        """Write the answers, asking before anything is replaced that this interview did not write."""
        assert self.session is not None
        from advisor import export

        try:
            self.draft = export.answers(self.session, self.draft, file)
        except AskFirstError as error:
            files.in_the_way(self, error, lambda: self.has_saved(after))
        except OutputError as error:

            def again(chosen: object) -> None:
                if chosen == "replace" and self.session is not None:
                    try:
                        self.draft = export.answers(self.session, self.draft, file, force=True)
                    except OutputError as problem:
                        self.tell(str(problem), wrong=True)
                    else:
                        self.has_saved(after)

            choices: list[tuple[str, object]] = [("leave it as it is", None), ("replace it", "replace")]
            self.push_screen(Choose(f"{error}.", choices), again)
        else:
            self.has_saved(after)

    def has_saved(self, after: Callable[[], None]) -> None:
        """Say so and go on."""
        self.saved = True
        self.show_all()
        self.tell(f"Answers written to {visible(str(self.draft.file))}")
        after()

    def export_kit(self) -> None:
        """Ask for the kit's folder and write it."""

        def take(name: str | None) -> None:
            if name:
                self.write_kit(Path(name), force=False)

        where = self.draft.file.with_name("kit") if self.draft.file else Path("kit")
        note = "A starter kit for the recommended pattern. Escape leaves it out."
        self.push_screen(AskText("Write the kit into which folder?", str(where), note, wrong_text), take)

    def write_kit(self, where: Path, *, force: bool) -> None:
        """Write the kit; ask before files are replaced that were changed by hand."""
        assert self.session is not None
        from advisor import export

        try:
            notes = export.kit(self.session, where, force=force)
        except OutputError as error:
            if force:
                self.tell(str(error), wrong=True)
                return
            choices: list[tuple[str, object]] = [("leave it as it is", None), ("write the kit's files anyway", "force")]
            self.push_screen(
                Choose(str(error), choices), lambda c: self.write_kit(where, force=True) if c == "force" else None
            )
        else:
            self.push_screen(Help(Content("\n\n".join(notes))))

    def leave(self) -> None:
        """Save and quit. Without a file, ask for one; an empty name keeps the answers for the next run."""
        if self.session is None or (self.draft.file is None and not self.session.answers):
            self.draft.forget()
            self.exit()
        elif self.draft.file is not None:
            if self.saved:
                self.draft.forget()
                self.exit()
            else:
                self.save_as(self.draft.file, self.exit)
        else:

            def take(name: str | None) -> None:
                if name:
                    self.save_as(Path(name), self.exit)
                elif name is not None:
                    self.exit()

            note = "Empty: keep the answers for the next `advisor`."
            self.push_screen(AskText("Save the answers in which file?", "answers.yaml", note), take)

    async def action_quit(self) -> None:
        """Ctrl+q: quit at once; the recovery file has what is not saved."""
        if self.saved:
            self.draft.forget()
        self.exit()
