"""The Textual program: its themes, its session, and what happens before and after the screens."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.command import CommandPalette, Provider
from textual.driver import Driver
from textual.screen import ModalScreen
from textual.scrollbar import ScrollBar

from advisor.answers.draft import Draft, open_draft
from advisor.base.errors import AdvisorError, Exit
from advisor.base.text import visible
from advisor.interview.session import Session
from advisor.model.project import Project
from advisor.model.rulebase import RuleBase
from advisor.tui import files, helping
from advisor.tui.commands import Commands, Palette
from advisor.tui.dialogs import AskText, Choose, Help
from advisor.tui.first import FirstName
from advisor.tui.interview import InterviewScreen
from advisor.tui.screens import Shows
from advisor.tui.themes import DARK, LIGHT, remember, wanted
from advisor.tui.turns import Turns
from advisor.tui.widgets import Hint, PlainBars

if TYPE_CHECKING:
    from advisor.interview.export import Part

WELCOME = """\
advisor recommends how a feature of your product gets updates from your servers in real time (WebSocket, Server-Sent \
Events, long polling or another way), and writes down why, with a decision record and a starter kit that runs.

A feature is one part whose clients get updates: order status, chat, a dashboard. You are asked what it needs and what \
is between its clients and your servers. "I don't know" is always allowed; questions that cannot change the \
result are left out. More features can follow."""


def run(base: RuleBase, file: str | None) -> int:
    """The interview in the terminal; the exit code. Raises AdvisorError for a file that is wrong."""
    draft, project = open_draft(file, base, mend=True)
    for name in ("COLUMNS", "LINES"):  # with them set, Textual would never notice another size
        os.environ.pop(name, None)
    app = AdvisorApp(draft, project, _driver())
    app.run()
    app.draft.recovery.release()
    if isinstance(app.failure, AdvisorError):
        raise app.failure
    if app.failure is not None:
        app.failure.add_note("Your answers are kept: start advisor the same way again to continue with them.")
        raise app.failure
    if app.session is None:
        return app.return_code or int(Exit.OK)
    from advisor.interview.closing import closing

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


class AdvisorApp(Turns):
    """Owns the session and its draft; the screens ask it for changes and show the results."""

    TITLE = "advisor"
    CSS_PATH = "advisor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False),
        Binding("ctrl+c", "help_quit", show=False, priority=True),  # a line would copy
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Commands}

    def __init__(self, draft: Draft, project: Project | None, driver: type[Driver] | None = None) -> None:
        ScrollBar.renderer = PlainBars
        super().__init__(driver)
        self.draft, self.project = draft, project
        self.left = draft.kept()
        self.session: Session | None = None
        self.saved = False
        if self.left is None and project is not None and project.features and not draft.problems:
            self.session, self.saved = Session.from_project(project, draft.base), True
        self.trouble = ""  # with the recovery file or the theme, as last shown
        self.failure: Exception | None = None  # what ended the program, if something did
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme, self.trouble = wanted({*self.available_themes})

    def _handle_exception(self, error: Exception) -> None:
        """An internal error ends the program at once; cli.py reports it. Textual would print the whole rule base."""
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

    def on_ready(self) -> None:
        """The first screen is ready. Present objects live until the end, so garbage collection can skip them."""
        if not self.is_headless:
            gc.freeze()
            gc.enable()

    def on_mount(self) -> None:
        """Continue with the answers of an earlier run, or ask for the first feature's name."""
        self.watch(self, "theme", remember, init=False)
        if self.trouble:
            self.notify(self.trouble, severity="warning", timeout=8, markup=False)
        if self.session is not None:
            self.call_after_refresh(self.keep, self.session)  # the screen can then show messages
        elif self.left is not None:
            files.left_over(self, self.left, self.begin)
        else:
            self.begin(None)

    def begin(self, left: Project | None) -> None:
        """Show the interview, with unsaved answers of an earlier run or with the file."""
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

        self.push_screen(FirstName(WELCOME), take)

    def start(self, session: Session, *, saved: bool) -> None:
        """Show the first question."""
        self.session, self.saved = session, saved
        self.show_all()
        self.new_turn()
        self.keep(session)

    def show_all(self) -> None:
        """Update all screens that show the session, also those under others, after a change."""
        for screen in self.screen_stack:
            if isinstance(screen, Shows):
                screen.show()

    # --- changing -----------------------------------------------------------------------------------------------------

    def change(self, operation: Callable[[Session], Session]) -> bool:
        """Apply an operation to the session; show a message if it is refused. Every change is kept at once."""
        assert self.session is not None
        try:
            session = operation(self.session)
        except AdvisorError as refused:
            self.tell(str(refused), wrong=True)
            return False
        changed = session.project is not self.session.project
        self.session, self.saved = session, self.saved and not changed
        self.show_all()
        self.new_turn()
        if changed:
            self.keep(session)
        return True

    def keep(self, session: Session) -> None:
        """Keep the answers on the disk; show new messages about this and about other programs that use the file."""
        trouble = self.draft.keep(session.project)
        trouble = f"Unsaved answers cannot be kept on disk: {trouble}" if trouble else self.draft.notice()
        if trouble and trouble != self.trouble:
            self.tell(trouble, wrong=True)
        self.trouble = trouble

    def jump(self, where: tuple[str, str] | None) -> None:
        """Where the list of all answers led."""
        if where is not None:
            operation, fact = where
            self.change(lambda session: getattr(session, operation)(fact))

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """A line for the person, on a screen that has a place for it until something changes, elsewhere for seconds."""
        if isinstance(self.screen, InterviewScreen):
            self.screen.tell(text, wrong=wrong)
        elif hints := self.screen.query(Hint):
            hints.first().tell(text, wrong=wrong)
        else:
            self.notify(text, severity="warning" if wrong else "information", timeout=6 if wrong else 3, markup=False)

    def action_help(self) -> None:
        """The full question, and the keys and marks of the current screen."""
        if not isinstance(self.screen, Help):
            session = self.session if isinstance(self.screen, InterviewScreen) else None
            self.push_screen(Help(helping.text(self.screen, session)))

    # --- going somewhere ----------------------------------------------------------------------------------------------

    def home(self) -> InterviewScreen:
        """The interview, with nothing in front of it."""
        while not isinstance(self.screen, InterviewScreen):
            self.pop_screen()
        return self.screen

    async def act(self, action: str) -> None:
        """An action of the interview, from any screen."""
        await self.run_action(action, self.home())

    def ask(self, fact: str, feature: int | None = None) -> None:
        """Go to a question of a feature, from any screen."""
        self.home()
        if feature is not None and self.session is not None and feature != self.session.current:
            self.change(lambda session: session.select(feature))
        self.change(lambda session: session.goto(fact))

    def open_feature(self, index: int) -> None:
        """Go to a feature's questions, from any screen."""
        self.home()
        self.change(lambda session: session.select(index))

    def open_tab(self, index: int) -> None:
        """Open a tab of the result, from any screen."""
        from advisor.tui.results import ResultsScreen

        self.home()
        if self.session is not None:
            self.push_screen(ResultsScreen(self.session, index))

    def action_command_palette(self) -> None:
        """Show all commands by name, or return to them from their help."""
        opened = [screen for screen in self.screen_stack if isinstance(screen, CommandPalette)]
        if isinstance(self.screen, AskText | Choose):  # its text would be lost
            self.tell("Answer this first, or leave it with Escape; then ctrl+p shows the commands.", wrong=True)
            return
        if not opened:
            self.push_screen(Palette())
        while opened and self.screen is not opened[0]:
            self.pop_screen()

    def action_help_quit(self) -> None:
        """Ctrl+c: say which keys quit."""
        if self.session is None:
            self.tell("Escape quits, and so does ctrl+q.")
            return
        first = (
            "Escape closes this; then q" if isinstance(self.screen, ModalScreen) else "q (in a line: Escape, then q)"
        )
        self.tell(f"{first} saves and quits. ctrl+q quits at once; the next run offers to continue.")

    def switch_theme(self) -> None:
        """Light to dark, dark to light."""
        self.theme = DARK.name if self.theme == LIGHT.name else LIGHT.name

    # --- saving -------------------------------------------------------------------------------------------------------

    def export(self) -> None:
        """Everything that can be written, compared with the disk."""
        from advisor.tui.export import ExportScreen

        self.push_screen(ExportScreen(self.draft.file))

    def write(self, part: Part) -> list[str]:
        """Write one part of an export; return messages to show. Raises OutputError."""
        assert self.session is not None
        from advisor.interview import export

        self.draft, said = export.write(self.session, self.draft, part)
        if part.kind == "answers":
            self.saved = True
            self.show_all()
        return said

    async def action_quit(self) -> None:
        """Ctrl+q: quit at once; unsaved answers are in the recovery file."""
        if self.session is not None:
            if self.still_saved(self.session):
                self.draft.forget()
            else:
                self.draft.keep(self.session.project)
        self.exit()

    def still_saved(self, session: Session) -> bool:
        """Whether the file still contains the saved answers; another program may have changed it.

        Answers that were read of a file with mistakes are nothing to save.
        """
        self.saved = self.saved and (bool(self.draft.problems) or self.draft.holds(session.project))
        return self.saved
