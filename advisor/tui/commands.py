"""The command palette: every action, question, feature and tab by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from advisor.base.text import visible
from advisor.model.answers_in_words import labelled
from advisor.tui.host import Host, host
from advisor.tui.panes import NAME
from advisor.tui.turns import Once

ACTIONS = {
    "result": ("Show the result so far", "Key r"),
    "features": ("Show all features side by side", "Key f: what they share, what conflicts"),
    "export": ("Export: write the answers, the decision record, the starter kit", "Key e"),
    "answers": ("Show all answers", "Key a: go to one, remove one"),
    "undo": ("Undo the last change", "Key u"),
    "back": ("Go to the question before", "Key b"),
    "forward": ("Go to the question after", "Key right arrow"),
    "unknown": ("Answer: I don't know", "Key ?"),
    "more": ("Add a feature", "Key n"),
    "help": ("Help", "Key F1"),
    "leave": ("Save and quit", "Key q"),
}


class Palette(Once, CommandPalette):
    """All commands by name."""

    HELP = "Every command, question, feature and tab by name. Type a part of the name; up and down move, Enter runs it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "help"),
        Binding("escape", "escape", "back"),
    ]

    def __init__(self) -> None:
        super().__init__(placeholder="Search for commands ...", id="--command-palette")


class Commands(Provider):
    """Offers them where a session is open."""

    @property
    def owner(self) -> Host:
        """The app, which has the session."""
        return host(self.screen)

    def listed(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """The name, the help and the action of every command."""
        owner, session = self.owner, self.owner.session
        if session is not None:
            for action, (name, more) in ACTIONS.items():
                yield name, more, partial(owner.act, action)
            from advisor.tui.results import TABS

            for i, tab in enumerate(TABS):
                yield f"Result: {tab}", f"Key r, then {i + 1}", partial(owner.open_tab, i)
            for i, feature in enumerate(session.project.features):
                yield f"Feature: {visible(feature.name, NAME)}", "Go to its questions", partial(owner.open_feature, i)
            for fact, question in session.base.questions.items():
                answer = session.answers.get(fact)
                said = f"Answered: {labelled(question, answer)}" if answer is not None else f"Not answered; {fact}"
                yield f"Question: {question.ask}", said, partial(owner.ask, fact)
        yield "Switch between light and dark", "", owner.switch_theme
        yield "Choose a theme", "", owner.action_change_theme

    async def discover(self) -> Hits:
        """Everything, while nothing is typed."""
        for name, more, act in self.listed():
            yield DiscoveryHit(name, act, help=more)

    async def search(self, query: str) -> Hits:
        """What fits the typed text."""
        matcher = self.matcher(query)
        for name, more, act in self.listed():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), act, help=more)
