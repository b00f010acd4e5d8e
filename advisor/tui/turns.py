"""Handles one key at a time, and drops keys that were pressed before the screen was drawn.

A terminal may hand over several keys at once: a double press, a slow line, a machine that was busy. Textual passes each
on before the one before it has had its effect, so that the second of a pair would answer a question that was not yet
shown, or close a dialog a second time. Here the next key waits until the one before has had its effect. A key that was
pressed before its question or dialog was drawn is dropped; only text for the line of a dialog, which the person has
just asked for, is kept. Private names of Textual are used here, in reads.py and in calm.py.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from textual import events
from textual._time import get_time  # the clock of `Message.time`
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.dom import DOMNode
from textual.errors import NoWidget
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from advisor.tui.reads import keep_times

ALWAYS = frozenset({"ctrl+q", "ctrl+z", "ctrl+c"})  # they answer nothing
ROUNDS = 3  # a key and its binding, what these cause, a screen that this opens


class Turns(App[None]):
    """An app whose keys wait for each other. A turn begins when something else is asked or another screen is shown."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.turn = 0
        self.began_at, self.seen_at = 0.0, math.inf  # when the turn began, and when it was drawn
        self.drawn_at = 0.0  # when anything was
        self.inbox: deque[Message] = deque()
        self.busy = False  # a key has not had its whole effect yet
        keep_times()
        super().__init__(*args, **more)

    # --- what is on the screen ----------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """The first screen has not been drawn yet."""
        self.new_turn()

    def new_turn(self) -> None:
        """Something else is asked from now on: it is for keys that are pressed once it has been drawn."""
        self.turn += 1
        self.began_at, self.seen_at = get_time(), math.inf
        screen = self.screen
        screen.call_later(self._await_widgets, self.turn, screen)

    def _await_widgets(self, turn: int, screen: Screen[Any]) -> None:
        """The screen has its widgets: wait until each knows whether it is to be drawn, then until it is."""
        if turn == self.turn:
            _all([*screen.walk_children(), screen], partial(screen.call_after_refresh, self._see, turn, screen))

    def _see(self, turn: int, screen: Screen[Any]) -> None:
        """The screen is drawn, unless something has asked Textual to delay that."""
        if turn != self.turn:
            return
        if self._batch_count:
            self.set_timer(0.02, partial(self._await_widgets, turn, screen))
            return
        self.seen_at = max(self.began_at, self.drawn_at)
        self.call_later(self._go_on)

    def post_display_hook(self) -> None:
        """Textual has drawn something."""
        self.drawn_at = get_time()

    def push_screen(self, *args: Any, **more: Any) -> Any:
        """Show another screen in front."""
        pushed = super().push_screen(*args, **more)
        self.new_turn()
        return pushed

    def pop_screen(self) -> AwaitComplete:
        """Show the screen behind."""
        popped: AwaitComplete = super().pop_screen()
        self.new_turn()
        return popped

    # --- keys ---------------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Keys, clicks and pasted texts one after the other; everything else at once."""
        given = isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded
        if given and not isinstance(event, events.MouseMove):
            self.inbox.append(event)
            await self._go_on()
        else:
            await super().on_event(event)

    async def _go_on(self) -> None:
        """Take the next keys, until one has effects to wait for."""
        while self.inbox and not self.busy:
            event = self.inbox[0]
            text = self._for_a_dialog(event)
            always = text or (isinstance(event, events.Key) and event.key in ALWAYS)
            if self.seen_at == math.inf and event.time >= self.began_at and not always:
                return  # until it is known whether the screen was drawn before
            self.inbox.popleft()
            if event.time < self.seen_at and not always:
                if isinstance(event, events.MouseDown):
                    self.screen.suppress_click()
                continue
            path = self._path(self._target(event))
            self.busy = not text  # which stays in its line
            await super().on_event(event)  # type: ignore[arg-type]  # `on_event` has put events only into the inbox
            if self.busy:
                self._follow(path, ROUNDS)

    def _for_a_dialog(self, event: Message) -> bool:
        """Whether it is text for the line of a dialog."""
        if not isinstance(self.screen, ModalScreen) or not isinstance(self.focused, Input):
            return False
        return isinstance(event, events.Paste) or (
            isinstance(event, events.Key) and (event.is_printable or event.key == "backspace")
        )

    def _target(self, event: Message) -> DOMNode:
        """What Textual passes the event on to."""
        if isinstance(event, events.MouseEvent):
            try:
                return self.get_widget_at(event.x, event.y)[0]
            except NoWidget:
                return self.screen
        return self.focused or self.screen

    def _path(self, target: DOMNode) -> list[DOMNode]:
        """Everything that takes part in handling an event, the app last."""
        above = [node for node in target.ancestors_with_self if node is not self]
        return [*above, *(screen for screen in self.screen_stack if screen not in above), self]

    def _follow(self, path: list[DOMNode], rounds: int) -> None:
        """Follow an event and its messages through the queues of their widgets; the next key comes after them."""

        def arrived() -> None:
            if rounds > 1:
                self._follow(self._path(self.focused or self.screen), rounds - 1)
            else:
                self.busy = False
                self.call_later(self._go_on)

        _one_by_one(path, arrived)


class Once:
    """A screen that closes only once, and not while another one is in front of it."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close it and give the result back."""
        if not self.is_active:  # type: ignore[attr-defined]  # of the screen beside it
            return AwaitComplete()
        closing: AwaitComplete = super().dismiss(result)  # type: ignore[misc]  # the same
        return closing


def _one_by_one(nodes: list[DOMNode], then: Callable[[], None]) -> None:
    """Call `then` when each node, one after the other, has handled what it had been sent."""
    for i, node in enumerate(nodes):
        if node.call_later(_one_by_one, nodes[i + 1 :], then):  # else it is going away
            return
    then()


def _all(nodes: Iterable[DOMNode], then: Callable[[], object]) -> None:
    """Call `then` when all nodes have handled what they have been sent."""
    waiting: set[int] = set()

    def handled(number: int) -> None:
        waiting.discard(number)
        if not waiting:
            then()

    for number, node in enumerate(nodes):
        if node.call_later(handled, number):
            waiting.add(number)
