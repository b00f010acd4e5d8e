"""The interview as plain numbered prompts, line by line: for pipes, simple terminals and screen readers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advisor import export
from advisor.answering import RefusedError, say, unknown_means
from advisor.closing import closing
from advisor.draft import Draft, open_draft
from advisor.errors import AdvisorError, Exit, OutputError
from advisor.interview import Session
from advisor.rulebase import Question, RuleBase
from advisor.scalars import resolve
from advisor.text import nearest, plural, quoted, visible, wrap
from advisor.values import UNKNOWN, Choice, Other, Value

WIDTH = 78
HELP = """\
Answer with the number of a choice, or with the number or the text that is asked for.
  unknown  I don't know (0 where there are numbered choices)
  b back    f forward    u undo    a all answers    g ID  go to a question    x ID  take an answer away
  r result so far    n NAME  one more feature    s NAME  go on with another feature
  e export answers and kit    q save and quit    ? or h  this help
Where a text is asked for, write a colon before a command (:b)."""


class Leave(Exception):  # noqa: N818  # not an error: the person has had enough
    """The interview ends."""


def ask(base: RuleBase, file: str | None) -> int:
    """Run the interview on standard input and output; the exit code. Raises AdvisorError for a bad file."""
    draft, project = open_draft(file, base)
    plain = Plain(draft)
    code = int(Exit.OK)
    try:
        plain.begin(project)
        plain.questions()
    except (Leave, EOFError):
        pass
    except KeyboardInterrupt:
        print()
        code = int(Exit.INTERRUPTED)
    return plain.end(code)


@dataclass
class Plain:
    """The state of the conversation."""

    draft: Draft
    session: Session | None = None
    told: str = ""  # the trouble with the recovery file that was last reported

    # --- beginning and end --------------------------------------------------------------------------------------------

    def begin(self, project: object) -> None:
        """Go on with a file, with what an earlier run left, or begin with names."""
        from advisor.answers import Project

        print("The interview as plain prompts. Type ? for help.\n")
        left = self.draft.kept()
        if left is not None:
            print("Answers of an earlier interview were never saved.")
            if self.yes("Go on with them?"):
                self.session = Session.from_project(left, self.draft.base)
                return
            self.draft.forget()
        if isinstance(project, Project):
            self.session = Session.from_project(project, self.draft.base)
            return
        while self.session is None:
            name = self.line("What is the first feature called? (feature 1) ") or "feature 1"
            try:
                self.session = Session.new(self.draft.base, name)
            except RefusedError as refused:
                print(refused)

    def end(self, code: int) -> int:
        """Save and say what came out."""
        if self.session is None:
            return code
        if self.draft.file is None:
            if code == Exit.OK and sys.stdin.isatty():
                self.choose_file()
            if self.draft.file is None:
                self.draft.keep(self.session.project)
        if self.draft.file is not None:
            try:
                self.draft = self.draft.save(self.session.project)
            except OutputError as error:
                self.draft.keep(self.session.project)
                print(f"{error}. The answers are in {visible(str(self.draft.recovery))}.")
                return int(error.exit) if code == Exit.OK else code
        print(f"\n{closing(self.session, self.draft.file, saved=self.draft.file is not None)}", end="")
        return code

    def choose_file(self) -> None:
        """Ask where to save, until it works or nothing is said."""
        while self.session is not None:
            try:
                name = self.line("Save the answers in which file? (empty: not now) ")
            except (EOFError, KeyboardInterrupt):
                return
            if not name:
                return
            try:
                self.draft = export.answers(self.session, self.draft, Path(name))
            except OutputError as error:
                print(error)
            else:
                return

    # --- questions ----------------------------------------------------------------------------------------------------

    def questions(self) -> None:
        """Ask until nothing is left, then for what to do next."""
        shown: tuple[str, str | None] | None = None
        while True:
            session = self.here
            question = session.question
            key = (session.feature.name, question.id if question else None)
            if key != shown:
                self.show(question)
                shown = key
            typed = self.line(self.prompt(question))
            try:
                shown = shown if self.handle(typed, question) else None
            except AdvisorError as error:
                print(error)

    @property
    def here(self) -> Session:
        """The session, once there is one."""
        assert self.session is not None
        return self.session

    def show(self, question: Question | None) -> None:
        """The question with its reasons and choices."""
        session = self.here
        progress = session.progress
        name = quoted(session.feature.name)
        for conflict in session.conflicts:
            print(wrap(f"The answers contradict each other: {conflict}", WIDTH))
        if question is None:
            pattern = session.so_far
            shown = session.base.patterns[pattern].title if pattern else "no pattern fits"
            print(f"\nNothing is left to ask about {name}: {shown}.")
            print("r shows the result, e exports, n NAME adds a feature, a lists all answers, q saves and quits.")
            return
        print(f"\n{name}: {progress.answered} answered, {progress.left}  [{question.id}]")
        print(wrap(question.ask, WIDTH))
        print(wrap(question.why, WIDTH, "       ", "  Why: "))
        print(wrap(question.find_out, WIDTH, "       ", "  Find out: "))
        print(wrap(session.reason(question.id), WIDTH, "       ", "  It can change: "))
        for number, label in enumerate(labels(question), 1):
            print(f"  {number:2} {label}")
        unknown = "unknown" if question.type in ("number", "text") else " 0"
        print(f"  {unknown} I don't know ({unknown_means(question, session.standing, session.base)})")
        if question.id in session.answers:
            print(f"  answered: {say(question, session.answers[question.id])}")

    def prompt(self, question: Question | None) -> str:
        """What stands before the typed line."""
        if question is None:
            return "Next: "
        kind = {"number": f"Number ({question.unit})" if question.unit else "Number", "text": "Text"}
        return f"{kind.get(question.type, 'Several numbers, or none' if question.type == 'some-of' else 'Number')}: "

    def handle(self, typed: str, question: Question | None) -> bool:
        """One typed line; whether the same question stays without being shown again."""
        word, _, rest = typed.strip().partition(" ")
        command = word.removeprefix(":")
        if (word.startswith(":") or question is None or question.type != "text") and command in self.commands:
            return self.commands[command](rest.strip())
        if question is None:
            print(f"{quoted(typed)} is no command. Type ? for help.")
            return True
        if not typed.strip():
            return True
        self.change(self.here.answer(question.id, self.read(typed.strip(), question)))
        return False

    def read(self, typed: str, question: Question) -> Value:
        """The typed line as an answer. Raises RefusedError."""
        if typed.casefold() == "unknown" or (typed == "0" and question.type not in ("number", "text")):
            return UNKNOWN
        if question.type == "text":
            return typed
        if question.type == "number":
            value = resolve(typed)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise RefusedError(f"{quoted(typed)} is not a number; write plain digits, or unknown.")
            return value
        if question.type == "yes-no":
            choices = {"1": True, "2": False, "yes": True, "no": False, "y": True, "n": False}
            if typed.casefold() not in choices:
                raise RefusedError("Write 1 for yes, 2 for no, 0 for I don't know.")
            return choices[typed.casefold()]
        if question.type == "one-of":
            return self.choice(typed, question)
        if typed.casefold() == "none":
            return ()
        other, mark, text = typed.partition("other:")
        parts = other.replace(",", " ").split() + ([f"other:{text}"] if mark else [])
        return tuple(self.choice(part, question) for part in parts)

    def choice(self, typed: str, question: Question) -> Choice:
        """One option by its number, its id or `other: TEXT`. Raises RefusedError."""
        options = list(question.options)
        if typed.casefold().startswith("other:"):
            return Other(typed[6:].strip())
        if typed in options:
            return typed
        if typed.isdecimal() and 1 <= int(typed[:6]) <= len(options):
            return options[int(typed[:6]) - 1]
        if typed.casefold() == "other" or (typed.isdecimal() and int(typed[:6]) == len(options) + 1):
            return Other(self.line("Which? "))
        near = nearest(typed, options)
        raise RefusedError(f"{quoted(typed)} is none of the choices{f'; did you mean {near}?' if near else '.'}")

    # --- commands -----------------------------------------------------------------------------------------------------

    @property
    def commands(self) -> dict[str, Callable[[str], bool]]:
        """Each returns whether the question at hand stays as it is."""
        go: dict[str, Callable[[str], Session]] = {
            "b": lambda _: self.here.back(),
            "f": lambda _: self.here.forward(),
            "u": lambda _: self.here.undo(),
            "g": self.here.goto,
            "x": lambda fact: self.here.clear(fact or (self.here.question.id if self.here.question else "")),
            "n": self.here.add_feature,
            "s": self.select,
        }
        say_: dict[str, Callable[[str], None]] = {
            "a": self.all_answers,
            "r": self.result,
            "e": self.write,
            "?": lambda _: print(HELP),
            "h": lambda _: print(HELP),
        }

        def moved(make: Callable[[str], Session]) -> Callable[[str], bool]:
            def run(rest: str) -> bool:
                self.change(make(rest))
                return False

            return run

        def said(tell: Callable[[str], None]) -> Callable[[str], bool]:
            def run(rest: str) -> bool:
                tell(rest)
                return True

            return run

        def leave(_: str) -> bool:
            raise Leave

        return {**{k: moved(f) for k, f in go.items()}, **{k: said(f) for k, f in say_.items()}, "q": leave}

    def change(self, session: Session) -> None:
        """Go on with this session, after its answers are safe in the recovery file."""
        changed = session.project is not self.here.project
        self.session = session
        trouble = self.draft.keep(session.project) if changed else self.told
        if trouble and trouble != self.told:
            print(f"The answers are not kept on disk: {trouble}")
        self.told = trouble

    def select(self, name: str) -> Session:
        """The feature of this name or number."""
        names = [feature.name for feature in self.here.project.features]
        if name in names:
            return self.here.select(names.index(name))
        if name.isdecimal():
            return self.here.select(int(name[:6]) - 1)
        raise RefusedError(f"There is no feature {quoted(name)}; there are: {', '.join(map(visible, names))}.")

    def all_answers(self, _: str) -> None:
        """Every question that is answered, parked or open, one a line."""
        notes = {"parked": " (kept; cannot change anything now)", "open": "-"}
        for row in self.here.rows:
            if row.value is not None:
                print(f"  {row.question.id}: {say(row.question, row.value)}{notes.get(row.state, '')}")
            elif row.state == "open":
                print(f"  {row.question.id}: -")
        print(f"{plural(len(self.here.project.features), 'feature')}; g ID goes to a question.")

    def result(self, _: str) -> None:
        """The verdict on the answers so far."""
        from advisor.report_text import text

        print(text(self.here.verdict, self.here.base, width=WIDTH), end="")

    def write(self, _: str) -> None:
        """Write the answers file and the kit."""
        if self.draft.file is None:
            self.choose_file()
        else:
            self.draft = self.draft.save(self.here.project)
            print(f"Answers written to {visible(str(self.draft.file))}.")
        where = self.line("Write the kit into which folder? (empty: no kit) ")
        if where:
            for note in export.kit(self.here, Path(where)):
                print(note)

    # --- lines --------------------------------------------------------------------------------------------------------

    def yes(self, question: str) -> bool:
        """Whether the person says yes."""
        while True:
            typed = self.line(f"{question} (1 yes, 2 no) ").casefold()
            if typed in ("1", "y", "yes", "2", "n", "no"):
                return typed in ("1", "y", "yes")

    def line(self, prompt: str) -> str:
        """One typed line without its end. What comes through a pipe is shown, so that the transcript can be read."""
        if sys.stdin.isatty():
            return input(prompt).strip()
        print(prompt, end="", flush=True)
        typed = sys.stdin.readline()
        if not typed:
            print()
            raise EOFError
        print(visible(typed.strip(), 200), flush=True)
        return typed.strip()


def labels(question: Question) -> list[str]:
    """The numbered choices of a question; none for numbers and texts."""
    if question.type == "yes-no":
        return ["yes", "no"]
    return [*question.options.values(), "something else (other: TEXT)"] if question.options else []
