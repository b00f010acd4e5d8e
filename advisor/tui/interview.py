"""The screen of a question: its text, its choices, and in the side pane the result of the answers so far."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Input

from advisor.answers.check import RefusedError, fitting
from advisor.base.text import visible
from advisor.interview import ending
from advisor.interview.session import Session
from advisor.model.answers_in_words import labelled
from advisor.model.rulebase import Question
from advisor.model.values import UNKNOWN, Other, Value
from advisor.tui import features, panes, pauses
from advisor.tui.calm import CalmScroll, CalmVertical
from advisor.tui.choices import choices, hint, likely, place, typed_before, typed_value
from advisor.tui.dialogs import AskText
from advisor.tui.screens import Shows
from advisor.tui.side import NOTHING, Side
from advisor.tui.widgets import Ask, Choice, Keys, Line, Next, Numbered, Text

LETTERS = frozenset("baurefnq?")  # the keys of the screen that could be typed into its line


class InterviewScreen(Shows):
    """Shows the session of the app and applies every key to it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (panes.WIDE, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (panes.SHORT, "-short"), (panes.HIGH, "-high")]  # noqa: RUF012  # the same
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "help"),
        Binding("b,left", "back", "back", key_display="b", tooltip="previous question"),
        Binding("u", "undo", "undo", tooltip="undo the last change, whatever it was"),
        Binding("a", "answers", "answers", tooltip="go to any answer, remove one"),
        Binding("r", "result", "result", tooltip="show what the answers lead to, and the starter kit"),
        Binding("e", "export", "write", tooltip="write the answers, the decision record, the kit"),
        Binding("f", "features", "features", tooltip="show all features side by side; rename, copy, remove"),
        Binding("n", "more", "new", tooltip="add a feature on the same path and servers"),
        Binding("q", "leave", "quit", tooltip="save and quit"),
        Binding("right", "forward", "next question", show=False),
        Binding("question_mark", "unknown", "I don't know", show=False),
        Binding("escape,down", "list", "leave the line", key_display="esc", tooltip="go from the line to the choices"),
        Binding("pagedown", "scroll_text(1)", "scroll the text of the question", show=False),
        Binding("pageup", "scroll_text(-1)", "scroll it back", show=False),
    ]
    drawn = (0, 0)  # the size for which everything was last drawn
    filled = ""  # the line before the person typed anything
    side: Side | None = None
    long = False  # whether the list of choices scrolls
    told = Content("")  # messages, shown instead of the effect of the highlighted answer

    def compose(self) -> ComposeResult:
        """The panes, empty until the session is shown."""
        yield Text("head", wraps=False)
        with Horizontal(id="body"):
            with Vertical(id="main"):
                yield Text("progress")
                with CalmScroll(id="words", can_focus=False):
                    yield Text("question")
                with CalmVertical(id="answers"):
                    yield Line("line")
                    yield Numbered("choices")
                yield Text("effect")
            with VerticalScroll(id="side", can_focus=False):
                yield Text("path", wraps=False)
                yield Text("patterns", wraps=False)
                yield Text("caveats", wraps=False)
        yield Text("strip", wraps=False)
        yield Keys(id="keys", markup=False)

    def put(self, name: str, text: Content | str) -> None:
        """Text into a pane."""
        self.query_one(f"#{name}", Text).put(text)

    @property
    def asked(self) -> Question | None:
        """The question that is on the screen; None at a pause and at the end."""
        return None if self.session.pause else self.session.question

    @property
    def side_width(self) -> int:
        """Columns of text in the side pane; 0 where it is not shown."""
        return panes.side_width(self.drawn[0])

    def on_mount(self) -> None:
        """Show the question."""
        self.query_one(Line).display = False
        width, height = self.app.size  # Textual would set these only after it has drawn everything without them
        self.set_class(width >= panes.WIDE, "-wide").set_class(width < panes.WIDE, "-narrow")
        self.set_class(height < panes.SHORT, "-tiny").set_class(height >= panes.HIGH, "-high")
        self.set_class(panes.SHORT <= height < panes.HIGH, "-short")
        self.draw(self.app.size)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap everything for the new size."""
        self.draw(event.size)

    def draw(self, size: Size) -> None:
        """Everything, for this size."""
        if self.drawn != size:
            self.drawn = (size.width, size.height)
            self.show()

    # --- showing ------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Everything, after the session or the size has changed."""
        if self.owner.session is None:
            return
        session = self.session
        question = self.asked
        width, _ = self.drawn
        self.told = Content("")
        self.put("head", panes.head(session, self.owner.file_words, width))
        self.put("progress", panes.progress(session))
        self.query_one("#words", VerticalScroll).scroll_home(animate=False)
        if session.pause:
            self.show_pause(session)
        elif question is None:
            self.show_end(session)
        else:
            self.show_question(session, question)
        if self.side_width:
            self.side = Side(session, self.side_width, self.drawn[1] - 2)
            self.put("path", self.side.path)
            self.put("caveats", self.side.caveats)
        else:
            self.put("strip", panes.strip(session, width - 2))
        self.show_preview()

    def tell(self, text: str, *, wrong: bool) -> None:
        """A line that stays until something changes or the highlight moves."""
        self.told = Content.styled(text, "bold $text-warning" if wrong else "bold")
        self.show_preview()

    def show_question(self, session: Session, question: Question) -> None:
        """The current question, with its choices or its line."""
        answer = session.answers.get(question.id)
        line, numbered = self.query_one(Line), self.query_one(Numbered)
        typed = question.type in ("number", "text")
        line.display = typed
        listed = choices(session, question)
        ticked = answer if isinstance(answer, tuple) else ()
        width, rows = panes.text_width(self.drawn[0]), panes.room(session, self.drawn, line=typed)
        text = panes.question(session, question, width, rows, len(listed))
        self.put("question", text)
        self.long = panes.height(text, width) + len(listed) > rows
        shown_first = place(listed, likely(session, question) if answer is None else answer)
        numbered.fill(listed, session, ticked=ticked, at=shown_first)
        if typed:
            number, before = question.type == "number", typed_before(answer)
            shown = f"{before} {question.unit}".strip() if before and number else question.unit or "text"
            self.filled = "" if number else before  # letters are commands beside an empty line only
            line.fill(self.filled, shown, session, LETTERS if number else "?")
            line.focus()
        else:
            numbered.focus()
        self.show_keys(in_line=typed)

    def show_pause(self, session: Session) -> None:
        """Show the list of usual answers, or that the pattern is settled, and the ways to go on."""
        self.put("question", pauses.text(session))
        self.query_one(Line).display = False
        self.query_one(Keys).typing = False
        numbered = self.query_one(Numbered)
        listed = pauses.choices(session, self.owner, self.action_result, panes.text_width(self.drawn[0]))
        numbered.fill(listed, session)
        numbered.focus()

    def show_end(self, session: Session) -> None:
        """Show that nothing is left to ask, and what can be done next."""
        self.put("question", panes.end(session))
        self.query_one(Line).display = False
        self.query_one(Keys).typing = False
        following: list[tuple[str, Callable[[], object]]] = [("show the result (r)", self.action_result)]
        following += [("export the answers, the decision record and the kit (e)", self.action_export)]
        following += [("see all features side by side (f)", self.action_features)] if session.several else []
        following += [("add another feature (n)", self.action_more)]
        following += [
            ("go through the answers again (a)", self.action_answers),
            ("save and quit (q)", self.action_leave),
        ]
        first = ending.next_fact(session) if not session.conflicts else None
        if first is not None:
            following.insert(0, (f"answer {first}, the first thing to find out", partial(self.owner.ask, first)))
        left = features.unfinished(session)
        if left is not None:
            name = visible(session.project.features[left].name, panes.NAME)
            go_on = partial(self.owner.open_feature, left)
            following.insert(0, (f"continue with {name}, which has questions left", go_on))
        numbered = self.query_one(Numbered)
        numbered.fill([Choice(str(i), label, Next(do)) for i, (label, do) in enumerate(following, 1)], session)
        numbered.focus()

    def show_preview(self) -> None:
        """What the highlighted or typed answer would do."""
        if self.owner.session is None:
            return
        session, question = self.session, self.asked
        preview, said = NOTHING, Content("")
        if session.pause:
            said = Content.styled(pauses.doing(session), "dim")
        if question is not None:
            value = self.candidate(question)
            if isinstance(value, str) and question.type == "number":
                said = Content.styled(value, "$text-error")
            elif value is not None:
                preview = session.preview(question.id, value)
                said = panes.effect(session, preview)
            said = Content.assemble(said, "\n" if said.plain else "", (self.doing(question), "dim"))
        self.put("effect", self.told if self.told.plain else said)
        if self.side_width and self.side is not None:
            self.put("patterns", self.side.patterns(preview))

    def doing(self, question: Question) -> str:
        """The present answer, and what the keys do now."""
        numbered, line, answer = self.query_one(Numbered), self.query_one(Line), self.session.answers.get(question.id)
        if numbered.waits:
            return f"You typed the beginning of {numbered.waits}"
        given = "" if answer is None or isinstance(answer, tuple) else f"Your answer: {labelled(question, answer)}. "
        rests = numbered.choice is not None and numbered.choice.rests
        given += f"{len(numbered.choices)} choices: down shows more. " if self.long else ""
        typed = line is self.focused and line.typed
        return f"{given}{hint(question, typed=typed, rests=rests, given=answer is not None)}"

    def candidate(self, question: Question) -> Value | None:
        """The answer that Enter would give now; None where there is none; for a wrong number, what is wrong with it."""
        numbered = self.query_one(Numbered)
        line = self.query_one(Line)
        if question.type in ("number", "text") and line is self.focused:
            return typed_value(question, line.value)
        chosen = numbered.choice
        if chosen is None or isinstance(chosen.value, Ask):
            return None
        if chosen.ticks:  # what is ticked, and what the highlight would tick besides
            values = [*numbered.ticked, *([] if chosen.value in numbered.ticked else [chosen.value])]
            return tuple(values)  # type: ignore[arg-type]  # the list holds choices only
        return chosen.value  # type: ignore[return-value]  # of a question's choices

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the keys that work where the focus is now."""
        self.show_keys(in_line=isinstance(event.widget, Line))

    def show_keys(self, *, in_line: bool) -> None:
        """Show the keys that work: letters are none where they belong to the line."""
        asked = self.asked if self.owner.session is not None else None
        text = asked is not None and asked.type == "text"
        self.query_one(Keys).typing = in_line and (text or self.query_one(Line).typed)

    # --- answering ----------------------------------------------------------------------------------------------------

    def on_numbered_moved(self) -> None:
        """Another highlight, another preview."""
        self.told = Content("")
        self.show_preview()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another number, another preview."""
        event.stop()
        if event.value != self.filled:
            self.told = Content("")
        self.show_keys(in_line=event.input.has_focus)
        self.show_preview()

    def on_numbered_picked(self, event: Numbered.Picked) -> None:
        """A choice was made: an answer, a text to ask for, or something to do next."""
        value, question = event.choice.value, self.asked
        if event.asked is not self.session:
            return  # it was for a question that is no longer asked
        if isinstance(value, Next):
            value.do()
        elif question is not None and isinstance(value, Ask):
            self.ask_other(question)
        elif question is not None:
            self.answer(question, value)  # type: ignore[arg-type]  # of a question's choices

    def on_numbered_done(self, event: Numbered.Done) -> None:
        """Several were ticked."""
        if event.asked is self.session and self.asked is not None:
            self.answer(self.asked, event.values)  # type: ignore[arg-type]  # of a question's choices

    def on_line_entered(self, event: Line.Entered) -> None:
        """A number or a text was typed."""
        event.stop()
        question = self.asked
        if event.asked is not self.session or question is None:
            return
        value = typed_value(question, event.text)
        if value is None and question.type == "number":
            value = self.session.answers.get(question.id)  # the empty line shows it
        if value is None or (isinstance(value, str) and question.type == "number"):
            wrong = str(value or "Type an answer, or ? for I don't know.")
            self.put("effect", Content.styled(wrong, "bold $text-error"))
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

        note = "It is kept and shown, but no rule uses it."
        self.app.push_screen(AskText("Which one?", note=note, check=check), take)

    # --- keys ---------------------------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """To the question before."""
        self.owner.change(lambda session: session.back())

    def action_forward(self) -> None:
        """To the question after."""
        self.owner.change(lambda session: session.forward())

    def action_unknown(self) -> None:
        """Answer "I don't know"; at a pause, go on."""
        if self.session.pause:
            self.owner.change(lambda session: session.go_on())
        elif self.asked is not None:
            self.answer(self.asked, UNKNOWN)

    def action_list(self) -> None:
        """From the line to the choices under it."""
        self.set_focus(self.query_one(Numbered))
        self.show_preview()

    def action_scroll_text(self, direction: int) -> None:
        """Move the question's text where it does not fit."""
        self.query_one("#words", VerticalScroll).scroll_relative(y=4 * direction, animate=False)

    def action_more(self) -> None:
        """Add a feature."""
        features.add(self.owner)

    def action_features(self) -> None:
        """All features side by side."""
        from advisor.tui.portfolio import PortfolioScreen

        self.app.push_screen(PortfolioScreen())

    def action_answers(self) -> None:
        """All answers, to jump to one."""
        from advisor.tui.answers import AnswersScreen

        self.app.push_screen(AnswersScreen(self.session), self.owner.jump)

    def action_result(self) -> None:
        """The result of the answers so far."""
        from advisor.tui.results import ResultsScreen

        self.app.push_screen(ResultsScreen(self.session))

    def action_help(self) -> None:
        """The keys, and the text of the question in full."""
        self.owner.action_help()
