"""The interview as plain numbered prompts, line by line: for pipes, simple terminals and screen readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from advisor.answers import typed
from advisor.answers.check import RefusedError
from advisor.answers.draft import open_draft
from advisor.base.errors import AdvisorError, Exit, InputError, OutputError
from advisor.base.text import plural, quoted, visible, wrap
from advisor.interview import console, pausing, plain_text
from advisor.interview.closing import closing
from advisor.interview.plain_text import WIDTH
from advisor.interview.saving import Keeper
from advisor.interview.session import Session
from advisor.model.project import Project
from advisor.model.rulebase import Question, RuleBase
from advisor.model.values import Value

NAMING = """\
A feature is one part of your product whose clients get updates: "order status", "support chat". Type its name, or press
Enter to use the name in parentheses. Questions about it follow; type help there to see what else you can type."""
HELP = """\
Type the number of a choice, or the number or text that the question asks for.
  ?               I don't know; at a pause: go on without an answer
  b back          f forward          u undo          help this text
  a answers       list all answers   g ID  go to a question    x ID  remove an answer
  p preview       show what each answer would rule out; p ANSWER: only for that answer
  w where         show what the answers have decided so far: patterns, steps, caveats
  r result        show the result of the answers so far
  explain ID      explain a question, rule, step, pattern or caveat, with its evidence
  features        list them; n NAME  add one   s NAME  go to one   rename NAME   copy NAME   remove
  project NAME    rename the project
  e export        write the answers file and the starter kit     save [FILE]  write only the answers
  record [FILE]   write the decision record
  q quit          save and quit      leave  quit without saving; the next run offers to continue
If a question asks for text, type a colon before a command (:b)."""
LONG = {
    "back": "b", "forward": "f", "undo": "u", "goto": "g", "clear": "x", "answers": "a", "preview": "p", "where": "w",
    "result": "r", "new": "n", "select": "s", "export": "e", "quit": "q", "h": "help",
}  # fmt: skip


class Leave(Exception):  # noqa: N818  # not an error: the person has had enough
    """The interview ends; `save` says whether the answers file is written."""

    def __init__(self, *, save: bool = True) -> None:
        super().__init__()
        self.save = save


def ask(base: RuleBase, file: str | None) -> int:
    """Run the interview on standard input and output; the exit code. Raises AdvisorError for a bad file."""
    draft, project = open_draft(file, base, mend=console.somebody())
    plain = Plain(Keeper(draft))
    code, save = int(Exit.OK), True
    try:
        plain.begin(project)
        plain.questions()
    except Leave as leave:
        save = leave.save
    except EOFError:
        pass
    except KeyboardInterrupt:
        console.say("")
        code = int(Exit.INTERRUPTED)
    try:
        return plain.end(code, save=save)
    finally:
        plain.keeper.draft.recovery.release()


@dataclass
class Plain:
    """The state of the conversation."""

    keeper: Keeper
    session: Session | None = None
    read: Project | None = None  # what the interview took from its file

    # --- beginning and end --------------------------------------------------------------------------------------------

    def begin(self, project: Project | None) -> None:
        """Continue with a file or with unsaved answers, or begin with a name."""
        console.say("The interview as plain prompts. Type help for the commands.", "")
        draft = self.keeper.draft
        left = draft.kept()
        if left is not None:
            console.say("Found unsaved answers from an earlier interview.")
            if console.yes("Continue with them?"):
                self.start(Session.from_project(left, draft.base))
                return
            draft.forget()
        if draft.problems:
            console.say(f"{self.keeper.name} could be read except for {plural(len(draft.problems), 'mistake')}:")
            console.say_all(plain_text.mistakes(draft.problems))
            console.say("The file is not changed until you agree.")
            if not console.yes("Continue with the answers that could be read?"):
                raise InputError(list(draft.problems))
        if project is not None and project.features:
            self.read = project
            self.start(Session.from_project(project, draft.base))
            return
        while self.session is None:
            name = console.line("What is the name of the first feature? (feature 1) ") or "feature 1"
            if name in ("?", "help"):
                console.say(NAMING, "")
                continue
            try:
                self.start(Session.new(draft.base, name, project=project))
            except RefusedError as refused:
                console.say(refused)

    def start(self, session: Session) -> None:
        """Show the first question, and create the recovery file, so that another interview can notice this one."""
        self.session = session
        self.keeper.keep(session.project)

    def end(self, code: int, *, save: bool) -> int:
        """Save, and print the result."""
        if self.session is None:
            return code
        session, keeper, asking = self.session, self.keeper, code == Exit.OK and console.somebody()
        nothing_new = bool(keeper.draft.problems) and session.project == self.read
        saved = keeper.draft.holds(session.project)
        try:
            if save and not saved and not nothing_new:
                named = keeper.draft.file is not None
                saved = keeper.save(session, asking=asking) if named else asking and keeper.choose_file(session)
        except (EOFError, KeyboardInterrupt):
            pass
        except OutputError as error:
            console.say(f"{error}.")
            code = int(error.exit) if code == Exit.OK else code
        if saved or nothing_new:
            keeper.draft.forget()
        else:
            keeper.keep(session.project)
        said = closing(session, keeper.draft.file, saved=None if nothing_new else saved)
        console.say("", said.rstrip("\n"))
        return code

    # --- questions ----------------------------------------------------------------------------------------------------

    def questions(self) -> None:
        """Ask until nothing is left, then for what to do next."""
        shown: tuple[object, ...] | None = None
        while True:
            session = self.here
            question = session.question
            key = (session.feature.name, question.id if question else None, session.pause, session.listing)
            if key != shown:
                for conflict in session.conflicts:
                    console.say(wrap(f"The answers contradict each other: {conflict}", WIDTH))
                ended = plain_text.asked(session, question) if question else plain_text.ended(session)
                console.say_all(plain_text.paused(session) if session.pause else ended)
                shown = key
            line = console.line(self.prompt(question))
            try:
                shown = shown if self.handle(line, question) else None
            except AdvisorError as error:
                console.say(error)

    @property
    def here(self) -> Session:
        """The session, once there is one."""
        assert self.session is not None
        return self.session

    def prompt(self, question: Question | None) -> str:
        """The prompt before the typed line."""
        if self.here.pause == "list":
            return "y, a number or ?: "
        if question is None or self.here.pause:
            return "Next: "
        kind = {
            "number": f"Number ({question.unit})" if question.unit else "Number",
            "text": "Text (:help for the commands)",
        }
        return f"{kind.get(question.type, 'Several numbers, or none' if question.type == 'some-of' else 'Number')}: "

    def handle(self, line: str, question: Question | None) -> bool:
        """Handle one typed line; whether the same question stays and is not shown again."""
        word, _, rest = line.strip().partition(" ")
        command = word.removeprefix(":")
        command = LONG.get(command, command)
        paused = self.here.pause is not None
        typed_text = question is not None and question.type == "text" and not paused
        if (word.startswith(":") or not typed_text) and command in self.commands:
            return self.commands[command](rest.strip())
        if paused:
            return self.at_pause(line.strip())
        if question is None:
            console.say(f"{quoted(line)} is not a command. Type help for the commands.")
            return True
        if not line.strip():
            return True
        self.change(self.here.answer(question.id, self.read_answer(line.strip(), question)))
        return False

    def at_pause(self, line: str) -> bool:
        """Handle what is typed at a pause that is no command; whether it stays and is not shown again."""
        here = self.here
        number = int(line) - 1 if line.isdecimal() and len(line) < 4 else -1
        if line.lower() in ("?", "unknown"):
            self.change(here.go_on())
        elif here.pause == "list" and line.lower() in ("y", "yes"):
            self.change(here.confirm())
        elif here.pause == "list" and 0 <= number < len(here.listing):
            self.change(here.goto(here.listing[number].fact))
        elif here.pause == "settled" and 0 <= number < len(onward := pausing.onward(here)):
            if (part := onward[number].part) is None:
                console.say_all(self.result(""))
                return True
            self.change(here.go_on(part))
        elif line:
            console.say(f"{quoted(line)} is not one of the choices. Type help for the commands.")
            return True
        return not line or here is self.here

    def read_answer(self, line: str, question: Question) -> Value:
        """The typed line as an answer. Raises RefusedError."""
        return typed.answer(line, question, lambda: console.line("Which? "))

    # --- commands -----------------------------------------------------------------------------------------------------

    @property
    def commands(self) -> dict[str, Callable[[str], bool]]:
        """Each returns whether the current question stays as it is."""
        go: dict[str, Callable[[str], Session]] = {
            "b": lambda _: self.here.back(),
            "f": lambda _: self.here.forward(),
            "u": lambda _: self.here.undo(),
            "g": self.here.goto,
            "x": lambda fact: self.here.clear(fact or (self.here.question.id if self.here.question else "")),
            "n": self.here.add_feature,
            "s": self.select,
            "rename": self.here.rename_feature,
            "copy": self.here.duplicate_feature,
            "remove": lambda _: self.here.remove_feature(),
            "project": self.here.rename_project,
        }
        tell: dict[str, Callable[[str], Iterable[str]]] = {
            "a": lambda _: plain_text.answers(self.here),
            "p": self.preview,
            "w": lambda _: plain_text.standing(self.here),
            "features": lambda _: plain_text.features(self.here),
            "r": self.result,
            "explain": self.explain,
            "help": lambda _: [HELP],
        }
        do: dict[str, Callable[[str], bool]] = {
            "e": self.export,
            "record": self.record,
            "save": self.save_as,
            "q": leave,
            "leave": leave_unsaved,
        }

        def moved(make: Callable[[str], Session]) -> Callable[[str], bool]:
            def run(rest: str) -> bool:
                self.change(make(rest))
                return False

            return run

        def said(words: Callable[[str], Iterable[str]]) -> Callable[[str], bool]:
            def run(rest: str) -> bool:
                console.say_all(words(rest))
                return True

            return run

        return {**{k: moved(f) for k, f in go.items()}, **{k: said(f) for k, f in tell.items()}, **do}

    def change(self, session: Session) -> None:
        """Go on with this session, after its answers are safe in the recovery file."""
        if session.project is not self.here.project:
            self.keeper.keep(session.project)
        self.session = session

    def select(self, name: str) -> Session:
        """The feature of this name or number."""
        names = [feature.name for feature in self.here.project.features]
        if name in names:
            return self.here.select(names.index(name))
        if name.isdecimal():
            return self.here.select(int(name[:6]) - 1)
        raise RefusedError(f"There is no feature {quoted(name)}; there are: {', '.join(map(visible, names))}.")

    def preview(self, line: str) -> Iterable[str]:
        """What each answer would rule out, or the one that was typed."""
        question = self.here.question
        if question is None or self.here.pause:
            return ["No question is being asked now."]
        if not line:
            return plain_text.previews(self.here, question)
        seen = self.here.preview(question.id, self.read_answer(line, question))
        return [wrap(f"That answer: {plain_text.preview(self.here, seen)}", WIDTH)]

    def result(self, _: str) -> Iterable[str]:
        """The verdict on the answers so far."""
        from advisor.report.text import text

        return [text(self.here.verdict, self.here.base, width=WIDTH).rstrip("\n")]

    def explain(self, name: str) -> Iterable[str]:
        """What an id means, and the evidence for it."""
        from advisor.report.lookup import explain

        if not name and self.here.question is not None:
            name = self.here.question.id
        return [explain(name, self.here.base, WIDTH).rstrip("\n")]

    def save_as(self, name: str) -> bool:
        """Write the answers file, under a name if one is given; whether it was written."""
        written = True
        if name:
            self.keeper.save_as(self.here, Path(name))
        elif self.keeper.draft.file is None:
            written = self.keeper.choose_file(self.here)
        else:
            written = self.keeper.save(self.here, asking=console.somebody(), again=self.again)
        if written:
            console.say(f"Answers written to {self.keeper.name}.")
        return written

    def again(self, project: Project) -> None:
        """Go on with the answers of the file, read again."""
        self.session = self.here.replaced_by(project, "the file was read again")

    def export(self, _: str) -> bool:
        """Write the answers file and the kit; the kit also if the answers shall have no file yet."""
        if self.save_as("") or self.keeper.draft.file is None:
            where = console.line("Write the kit to folder (Enter to skip): ")
            if where:
                self.keeper.export(self.here, "kit", Path(where))
        return True

    def record(self, name: str) -> bool:
        """Write the decision record."""
        name = name or console.line("Write the decision record to file (Enter to skip): ")
        if name:
            self.keeper.export(self.here, "record", Path(name))
        return True


def leave(_: str) -> bool:
    """Save and quit."""
    raise Leave


def leave_unsaved(_: str) -> bool:
    """Quit; the answers stay in the recovery file."""
    raise Leave(save=False)
