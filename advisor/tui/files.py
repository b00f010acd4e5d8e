"""Saving answers and texts, and the dialogs for it: a name, a file with mistakes, a file that already exists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from advisor.answers.draft import AskFirstError
from advisor.answers.read_fact import wrong_text
from advisor.base.errors import InputError, OutputError
from advisor.base.text import plural, visible
from advisor.interview.plain_text import mistakes
from advisor.model.project import Project
from advisor.tui.dialogs import AskText, Choose
from advisor.tui.host import Host

LEFT = "They are in the recovery file: the last run ended before they were saved. Escape quits and keeps them there."


def left_over(app: Host, left: Project, then: Callable[[Project | None], None]) -> None:
    """Offer the unsaved answers of an earlier run; `then` gets them, or None. Escape quits and keeps them for later."""

    def decide(chosen: object) -> None:
        if chosen is None:
            app.exit()
            return
        if chosen == "file":
            app.draft.forget()
        then(left if chosen == "left" else None)

    choices: list[tuple[str, object]] = [("continue with them", "left"), ("start without them", "file")]
    app.push_screen(Choose("Found unsaved answers from an earlier interview.", choices, LEFT), decide)


def with_mistakes(app: Host, then: Callable[[], None]) -> None:
    """Show the mistakes of the file; continue with what could be read, or quit and print them."""
    draft = app.draft

    def decide(chosen: object) -> None:
        if chosen == "go on":
            then()
        else:
            app.failure = InputError(list(draft.problems))
            app.exit(return_code=2)

    words = f"{visible(str(draft.file), 60)} could be read except for {plural(len(draft.problems), 'mistake')}."
    note = "\n".join([*mistakes(draft.problems), "", "The file is not changed until you agree."])
    choices: list[tuple[str, object]] = [
        ("continue with what could be read", "go on"),
        ("quit and correct the file", None),
    ]
    app.push_screen(Choose(words, choices, note), decide)


def leave(app: Host) -> None:
    """Save and quit. Without a file, ask for one; an empty name keeps the answers for the next run."""
    file = app.draft.file
    if app.session is None or (app.still_saved(app.session) if file is not None else not app.session.answers):
        app.draft.forget()
        app.exit()
    elif file is not None:
        save(app, file)
    else:
        ask_file(app, "answers.yaml", "Leave it empty to keep the answers for the next run of advisor.")


def ask_file(app: Host, text: str, note: str) -> None:
    """Ask for a file, and save and quit; again with the same text where that file cannot be written."""

    def take(name: str | None) -> None:
        if name:
            save(app, Path(name), refused=lambda why: ask_file(app, name, f"{why}."))
        elif name is not None:
            app.exit()

    app.push_screen(AskText("Which file should the answers be saved in?", text, note), take)


def save(app: Host, file: Path, *, force: bool = False, refused: Callable[[str], object] | None = None) -> None:
    """Write the answers and quit; ask before anything is replaced that this interview did not write."""
    assert app.session is not None
    from advisor.interview import export

    try:
        app.draft = export.answers(app.session, app.draft, file, force=force)
    except AskFirstError as error:
        in_the_way(app, error)
    except export.ExistsError as error:
        replace(app, error, lambda: save(app, file, force=True))
    except OutputError as error:
        if refused is not None:
            refused(str(error))
        else:
            app.tell(str(error), wrong=True)
    else:
        app.saved = True
        app.exit()


def save_text(app: Host, file: Path, text: str) -> None:
    """Ask where to, and save a text; ask before something else is replaced, and again where it cannot be written."""
    from advisor.interview import export

    def put(name: Path, *, force: bool = False) -> None:
        try:
            export.text(name, text, force=force)
        except export.ExistsError as error:
            replace(app, error, lambda: put(name, force=True))
        except OutputError as error:
            ask(str(name), f"{error}.")
        else:
            app.tell(f"Saved in {visible(str(name))}.")

    def take(name: str | None) -> None:
        if name:
            put(Path(name))

    def ask(name: str, note: str) -> None:
        app.push_screen(AskText("Which file should it be saved in?", name, note, wrong_text), take)

    ask(str(file), "")


def replace(app: Host, error: OutputError, then: Callable[[], None]) -> None:
    """Ask whether a file may be replaced; `then` does it."""
    choices: list[tuple[str, object]] = [("do not write it", None), ("replace it", "replace")]
    app.push_screen(Choose(f"{error}.", choices), lambda chosen: then() if chosen else None)


def in_the_way(app: Host, error: AskFirstError) -> None:
    """Let the person decide about an answers file that cannot simply be written; quit if it was written."""

    def decide(chosen: object) -> None:
        session = app.session
        if session is None or chosen is None:
            return
        try:
            if chosen == "mine":
                app.draft = app.draft.save(session.project, force=True)
            elif chosen == "beside":
                app.draft = app.draft.beside(session.project)
            else:
                app.draft, project = app.draft.reload()
                app.change(lambda now: now.replaced_by(project, "the file was read again"))
                app.saved = True
                app.show_all()
                app.tell("The file was read again; u restores your answers")
                return
        except (OutputError, InputError) as problem:
            app.tell(str(problem), wrong=True)
        else:
            app.saved = True
            app.exit()

    if error.changed:
        choices: list[tuple[str, object]] = [("write your answers into the changed file", "mine")]
        choices += [("read the file again (u restores your answers)", "reload")]
    else:
        choices = [("rewrite it and keep the old text as .bak", "mine")]
    choices = [("do not write it", None), *choices, ("write your answers to a new file in the same folder", "beside")]
    note = "Your answers are in the recovery file; ctrl+q quits and keeps them there for the next run."
    app.push_screen(Choose(f"{error}.", choices, note), decide)
