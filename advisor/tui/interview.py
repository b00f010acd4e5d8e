"""The screen that asks: one question, its choices, and beside it what the answers so far have decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from advisor.answering import RefusedError, fitting, say
from advisor.interview import Session
from advisor.overview import Preview
from advisor.rulebase import Question
from advisor.text import quoted
from advisor.tui import features, panes
from advisor.tui.choices import choices, hint, place, typed_before, typed_value
from advisor.tui.dialogs import AskText
from advisor.tui.widgets import Ask, Choice, Line, Numbered
from advisor.values import UNKNOWN, Other, Value

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp

NOTHING = Preview((), ())


class InterviewScreen(Screen[None]):
    """Shows the session of the app and hands every key on to it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (12, "-short"), (28, "-high")]  # noqa: RUF012  # the same
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("b,left", "back", "Back", key_display="b"),
        Binding("u", "undo", "Undo"),
        Binding("a", "answers", "All answers"),
        Binding("r", "result", "Result"),
        Binding("e", "export", "Export"),
        Binding("n", "more", "New feature"),
        Binding("f", "features", "Features"),
        Binding("q", "leave", "Quit"),
        Binding("right", "forward", "Forward", show=False),
        Binding("question_mark", "unknown", "I don't know", show=False),
        Binding("down", "list", "To the choices", show=False),
        Binding("pagedown", "scroll_text(1)", "Scroll", show=False),
        Binding("pageup", "scroll_text(-1)", "Scroll", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The panes, empty until the session is shown."""
        with Horizontal(id="head"):
            yield Static(id="file", markup=False)
            yield Static(id="feature", markup=False)
        with Horizontal(id="body"):
            with Vertical(id="main"):
                yield Static(id="progress", markup=False)
                with VerticalScroll(id="words", can_focus=False):
                    yield Static(id="ask", markup=False)
                    yield Static(id="why", markup=False)
                    yield Static(id="find", markup=False)
                    yield Static(id="now", markup=False)
                with Vertical(id="answers"):
                    yield Line("line")
                    yield Numbered("choices")
                    yield Static(id="hint", markup=False)
                yield Static(id="effect", markup=False)
            with VerticalScroll(id="side", can_focus=False):
                yield Static(id="path", markup=False)
                yield Static(id="patterns", markup=False)
                yield Static(id="caveats", markup=False)
        yield Static(id="told", markup=False)
        yield Static(id="strip", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    @property
    def owner(self) -> AdvisorApp:
        """The app, which has the session."""
        return self.app  # type: ignore[return-value]  # only AdvisorApp shows this screen

    @property
    def session(self) -> Session:
        """The interview as it is now."""
        assert self.owner.session is not None
        return self.owner.session

    def put(self, name: str, text: Content | str) -> None:
        """Text into a pane."""
        self.query_one(f"#{name}", Static).update(text)

    @property
    def side_width(self) -> int:
        """Columns of text in the side pane; 0 where it is not shown."""
        return self.query_one("#side").content_size.width

    def on_mount(self) -> None:
        """Show the question; the panes beside it follow when their width is known."""
        self.query_one(Line).display = False
        if self.owner.session is not None:
            self.show_middle()

    def on_resize(self) -> None:
        """Wrap the panes anew, once the new layout stands."""
        self.call_after_refresh(self.show_panes)

    # --- showing ------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Everything, after the session has changed."""
        self.show_middle()
        self.show_panes()

    def show_middle(self) -> None:
        """The question, and how far it is."""
        session = self.session
        question = session.question
        self.query_one("#told").display = False
        self.put("file", Content.assemble(("advisor", "bold"), f"   {self.owner.file_words}"))
        self.put("feature", panes.heading(session))
        self.put("progress", panes.progress(session))
        self.query_one("#words", VerticalScroll).scroll_home(animate=False)
        if question is None:
            self.show_end(session)
        else:
            self.show_question(session, question)

    def show_panes(self) -> None:
        """What stands beside the question."""
        if self.owner.session is None:
            return
        session = self.session
        self.put("path", panes.path(session, self.side_width))
        self.put("caveats", panes.caveats(session, self.side_width))
        self.put("strip", panes.strip(session))
        self.show_preview()

    def tell(self, text: str, *, wrong: bool) -> None:
        """A line that stays until something changes."""
        self.put("told", Content.styled(text, "bold $warning" if wrong else "italic"))
        self.query_one("#told").display = True

    def show_question(self, session: Session, question: Question) -> None:
        """The question at hand, with its choices or its line."""
        why, find, now = panes.reasons(session, question)
        self.put("ask", question.ask)
        self.put("why", why)
        self.put("find", find)
        self.put("now", now)
        answer = session.answers.get(question.id)
        line, numbered = self.query_one(Line), self.query_one(Numbered)
        typed = question.type in ("number", "text")
        line.display = typed
        listed = choices(session, question)
        ticked = answer if isinstance(answer, tuple) else ()
        numbered.fill(listed, ticked=ticked, at=place(listed, answer))
        if typed:
            line.fill(typed_before(answer), question.unit or "text", numeric=question.type == "number")
            line.focus()
        else:
            numbered.focus()
        given = "" if answer is None or ticked else f"Your answer: {say(question, answer)}"
        self.put("hint", "   ".join(part for part in (given, hint(question)) if part))

    def show_end(self, session: Session) -> None:
        """Nothing is left to ask: say so, and what can be done next."""
        pattern = session.verdict["features"][session.current]["primary"]
        title = session.base.patterns[pattern].title if pattern else "no pattern fits"
        name = quoted(session.feature.name, panes.NAME)
        if session.conflicts:
            self.put("ask", "These answers contradict each other, so there is nothing to ask.")
        else:
            self.put("ask", f"{name} is decided: {title}.")
        self.put("why", "Nothing that is not answered can change anything any more.")
        self.put("find", "")
        self.put("now", "")
        self.query_one(Line).display = False
        following = [("Show the result (r)", "result"), ("Export the answers and a starter kit (e)", "export")]
        following += [("Go through the answers again (a)", "answers"), ("Add another feature (n)", "more")]
        following += [("Save and quit (q)", "leave")]
        numbered = self.query_one(Numbered)
        numbered.fill([Choice(str(i), label, action) for i, (label, action) in enumerate(following, 1)])
        numbered.focus()
        self.put("hint", "")

    def show_preview(self) -> None:
        """What the highlighted or typed answer would do."""
        if self.owner.session is None:
            return
        session, question = self.session, self.session.question
        preview, said = NOTHING, Content("")
        if question is not None:
            value = self.candidate(question)
            if isinstance(value, str) and question.type == "number":
                said = Content.styled(value, "$error")
            elif value is not None:
                preview = session.preview(question.id, value)
                said = panes.effect(session, preview)
        self.put("effect", said)
        self.put("patterns", panes.patterns(session, preview, self.side_width))

    def candidate(self, question: Question) -> Value | None:
        """The answer that Enter would give now; None where there is none; for a wrong number, what is wrong with it."""
        numbered = self.query_one(Numbered)
        if question.type in ("number", "text") and self.query_one(Line).has_focus:
            return typed_value(question, self.query_one(Line).value)
        chosen = numbered.choice
        if chosen is None or isinstance(chosen.value, Ask):
            return None
        if chosen.ticks:  # what is ticked, and what the highlight would tick besides
            values = [*numbered.ticked, *([] if chosen.value in numbered.ticked else [chosen.value])]
            return tuple(values)  # type: ignore[arg-type]  # the list holds choices only
        return chosen.value  # type: ignore[return-value]  # of a question's choices

    # --- answering ----------------------------------------------------------------------------------------------------

    def on_numbered_moved(self) -> None:
        """Another highlight, another preview."""
        self.show_preview()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another number, another preview."""
        event.stop()
        self.show_preview()

    def on_numbered_picked(self, event: Numbered.Picked) -> None:
        """A choice was made: an answer, a text to ask for, or something to do next."""
        question = self.session.question
        if question is None:
            self.run_action_named(str(event.choice.value))
        elif isinstance(event.choice.value, Ask):
            self.ask_other(question)
        else:
            self.answer(question, event.choice.value)  # type: ignore[arg-type]  # of a question's choices

    def on_numbered_done(self, event: Numbered.Done) -> None:
        """Several were ticked."""
        if self.session.question is not None:
            self.answer(self.session.question, event.values)  # type: ignore[arg-type]  # of a question's choices

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A number or a text was typed."""
        event.stop()
        question = self.session.question
        if question is None:
            return
        value = typed_value(question, event.value)
        if value is None or (isinstance(value, str) and question.type == "number"):
            self.put("effect", Content.styled(str(value or "Type an answer, or ? for I don't know."), "bold $error"))
        else:
            self.answer(question, value)

    def answer(self, question: Question, value: Value) -> None:
        """Give the answer, or say why it is refused."""
        self.owner.change(lambda session: session.answer(question.id, value))

    def ask_other(self, question: Question) -> None:
        """Ask for the text of an answer that the list lacks."""

        def take(text: str | None) -> None:
            if text is None:
                return
            ticked = [v for v in self.query_one(Numbered).ticked if isinstance(v, str | Other)]
            self.answer(question, (*ticked, Other(text)) if question.type == "some-of" else Other(text))

        def check(text: str) -> str:
            try:
                fitting(question, (Other(text),) if question.type == "some-of" else Other(text))
            except RefusedError as refused:
                return str(refused)
            return ""

        note = "It is kept and shown; the rules know nothing about it."
        self.app.push_screen(AskText("Which one is it?", note=note, check=check), take)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def run_action_named(self, name: str) -> None:
        """One of the things to do next."""
        getattr(self, f"action_{name}")()

    def action_back(self) -> None:
        """To the question before."""
        self.owner.change(lambda session: session.back())

    def action_forward(self) -> None:
        """To the question after."""
        self.owner.change(lambda session: session.forward())

    def action_undo(self) -> None:
        """Take the last change back."""
        past = self.session.past
        if self.owner.change(lambda session: session.undo()):
            self.owner.tell(f"Taken back: {past[-1].change}")

    def action_unknown(self) -> None:
        """Answer "I don't know"."""
        if self.session.question is not None:
            self.answer(self.session.question, UNKNOWN)

    def action_list(self) -> None:
        """From the line to the choices under it."""
        self.query_one(Numbered).focus()
        self.show_preview()

    def action_scroll_text(self, direction: int) -> None:
        """Move the question's text where it does not fit."""
        self.query_one("#words", VerticalScroll).scroll_relative(y=4 * direction, animate=False)

    def action_more(self) -> None:
        """Add a feature."""
        features.add(self.owner)

    def action_features(self) -> None:
        """Go to another feature, or rename, copy or remove this one."""
        features.manage(self.owner)

    def action_answers(self) -> None:
        """All answers, to jump to one."""
        from advisor.tui.answers import AnswersScreen

        self.app.push_screen(AnswersScreen(self.session), self.owner.jump)

    def action_result(self) -> None:
        """The result of the answers so far."""
        from advisor.tui.results import ResultsScreen

        self.app.push_screen(ResultsScreen(self.session))

    def action_export(self) -> None:
        """Write the answers file and the kit."""
        self.owner.export()

    def action_help(self) -> None:
        """The keys, and the text of the question in full."""
        self.owner.help(self.session.question)

    def action_leave(self) -> None:
        """Save and quit."""
        self.owner.leave()
