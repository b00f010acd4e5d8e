"""Every pair of keys in one read on every screen: nothing ends, and only the question on the screen is answered.

`u` undoes the last change, whichever question it answered, and may do nothing beyond that.

The ordinary run takes a sample that is new each time, for some seconds; `--long` takes all pairs of each screen, or as
many as there is time for, in an order that is new each time. What fails names its keys, and FUZZ_SEED=... gives the
same sample again.
"""

from __future__ import annotations

import itertools
import os
import random
import time

import pytest
from support.keystrokes import at_once, looked
from textual import events
from textual.widgets import OptionList

from advisor.base.errors import OutputError
from advisor.interview import export
from advisor.tui import files
from advisor.tui.export import ExportScreen, Replace
from advisor.tui.interview import InterviewScreen
from advisor.tui.results import ResultsScreen
from advisor.tui.widgets import Line, Numbered

EVERYWHERE = ["2", "y", "question_mark", "z", "space", "enter", "escape", "down", "ctrl+p", "f1"]
LONG = 7  # seconds for each screen; the order of the pairs is new in each run
SECONDS, LEAST = 10, 10  # of the ordinary run: as many pairs as that time allows, and this many in any case
CHARACTERS = {"question_mark": "?", "space": " ", "enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f"}
TEXT = """\
path: {reverse-proxy: nginx, nginx-version: "1.22.1"}
features:
  - {name: orders, media: no, background-delivery: no, clients: [browser], existing-stack: [], kind: dashboard}
  - {name: chat, kind: chat}
"""


def asking(fact):
    return lambda app: app.change(lambda session: session.goto(fact))


def ended(app):
    """The screen on which nothing is left to ask."""
    session = app.session
    while session.question is not None:
        session = session.unknown(session.question.id)
    app.session = session
    app.show_all()
    STAGES["end"] = lambda app: (setattr(app, "session", session), app.show_all())  # it takes seconds to come there


def settled(session):
    """At the pause that says so."""
    session = session.select(0)
    while session.pause != "settled":
        session = session.unknown(session.question.id)
    return session


def new(app):
    app.session = None
    app.go_on(None)


def replacing(app):
    part = export.plan(app.session, app.draft, "answers", app.draft.file)
    app.push_screen(Replace(list(part.items)))


STAGES = {
    "yes or no": asking("media"),
    "list": asking("kind"),
    "ticks": asking("clients"),
    "number": asking("payload-bytes"),
    "answered number": asking("latency-need-ms"),
    "text": asking("nginx-version"),
    "end": ended,
    "usual answers": lambda app: app.change(lambda session: session.select(1)),
    "settled": lambda app: app.change(settled),
    "first name": new,
    "example": lambda app: (new(app), app.screen.call_later(app.screen.action_example)),
    "name": lambda app: app.screen.action_more(),
    "choice": lambda app: files.replace(app, OutputError("it is there"), lambda: None),
    "help": lambda app: app.action_help(),
    "answers": lambda app: app.screen.action_answers(),
    "export": lambda app: app.push_screen(ExportScreen(app.draft.file)),
    "replace": replacing,
    "result": lambda app: app.push_screen(ResultsScreen(app.session)),
    "why": lambda app: app.push_screen(ResultsScreen(app.session, 1)),
    "changes": lambda app: app.push_screen(ResultsScreen(app.session, 3)),
    "features": lambda app: app.screen.action_features(),
    "palette": lambda app: app.action_command_palette(),
}
ANSWERED_BY = {"answers", "palette", "changes"}  # screens from which an answer to the current question can be changed


def pairs(screen):
    """Every two keys: those of all screens, and its own."""
    own = [key for binding in screen.BINDINGS for key in binding.key.split(",")]
    keys = list(dict.fromkeys([*EVERYWHERE, *own]))
    return list(itertools.product(keys, keys))


def facts(project):
    """All answers with their places."""
    own = {(feature.name, fact): value for feature in project.features for fact, value in feature.facts.items()}
    return {**own, **{("", fact): value for fact, value in {**project.path, **project.app}.items()}}


def differing(before, after):
    """The facts that two projects answer differently, in the features that both of them have."""
    was, now = facts(before), facts(after)
    changed = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
    both = {feature.name for feature in before.features} & {feature.name for feature in after.features}
    return {fact for place, fact in changed if place in ("", *both)}


class Stage:
    """The program, at one of the screens as often as wanted."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot
        self.session = app.session.answer("latency-need-ms", 2000).goto("media")
        self.here = None
        self.ends = 0
        app.exit = self.exit

    def exit(self, *_args, **_more):
        self.ends += 1

    async def at(self, name):
        """Restart at this screen, if anything is not as it was there."""
        app = self.app
        if self.here is not None and self.here == (name, *self.state()):
            return
        while not isinstance(app.screen, InterviewScreen):
            await app.pop_screen()
        app.session, app.saved = self.session, False
        app.show_all()
        app.new_turn()
        STAGES[name](app)
        for _ in range(2):
            await self.pilot.pause()
            await looked(app)
        self.here = (name, *self.state())

    def state(self):
        """What keys change: the answers, the screens, the text of the line, what is highlighted and ticked."""
        app = self.app
        lines = [line.value for line in app.screen.query(Line)]
        lists = [(listed.highlighted, tuple(listed.ticked), listed.typed) for listed in app.screen.query(Numbered)]
        rows = [rows.highlighted for rows in app.screen.query(OptionList)]
        return app.session, tuple(app.screen_stack), lines, lists, rows

    async def press(self, name, pair):
        """These keys at once at this screen; what is wrong then."""
        await self.at(name)
        app = self.app
        before = app.session
        for key in pair:
            app.post_message(events.Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))
        await at_once(self.pilot)
        if app._exception is not None:
            return f"{pair} on {name!r} ended it: {app._exception!r}"
        if before is None or app.session is None:
            return ""
        changed = differing(before.project, app.session.project)
        asked = before.question.id if before.question else ""
        allowed = {asked} if isinstance(app.screen_stack[0], InterviewScreen) else set()
        if before.pause == "list":
            allowed = {row.fact for row in before.listing}
        if name in ANSWERED_BY:
            allowed |= changed if len(changed) == 1 else set()
        if "u" in pair and before.past:
            allowed |= differing(before.past[-1].project, before.project)
        return f"{pair} on {name!r} changed {changed}; {asked!r} was asked" if changed - allowed else ""


def played(drive, chosen):
    """Play (screen, pair) until they or the time are over; how many there were, and what was wrong."""
    found = {"wrong": [], "count": 0}

    async def then(pilot):
        stage = Stage(pilot.app, pilot)
        for name, pair in chosen(stage):
            if name not in found:
                await stage.at(name)
            found[name] = found.get(name, 0) + 1
            found["count"] += 1
            if said := await stage.press(name, pair):
                found["wrong"].append(said)
                return

    drive(then=then, text=TEXT)
    return found


@pytest.mark.long
def test_a_sample_of_pairs_of_keys(drive):
    seed = int(os.environ.get("FUZZ_SEED") or time.time())
    print(f"FUZZ_SEED={seed}")
    rng, until = random.Random(seed), time.monotonic() + SECONDS

    def chosen(stage):
        names = list(STAGES)
        tried = itertools.count()
        while time.monotonic() < until or next(tried) < LEAST:
            name = rng.choice(names)
            own = [k for binding in stage.app.screen.BINDINGS for k in getattr(binding, "key", "").split(",") if k]
            yield name, (rng.choice([*EVERYWHERE, *own]), rng.choice([*EVERYWHERE, *own]))

    found = played(drive, chosen)
    print(found)
    assert not found["wrong"], f"FUZZ_SEED={seed}: {found['wrong']}"
    assert found["count"] >= LEAST


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", STAGES)
def test_every_pair_of_keys(drive, name):
    seed = int(os.environ.get("FUZZ_SEED") or time.time())
    print(f"FUZZ_SEED={seed}")
    wanted, tried = [], 0

    async def then(pilot):
        nonlocal tried
        stage = Stage(pilot.app, pilot)
        await stage.at(name)
        wanted.extend(pairs(pilot.app.screen))
        random.Random(seed).shuffle(wanted)
        until = time.monotonic() + LONG
        for pair in wanted:
            said = await stage.press(name, pair)
            assert not said, f"FUZZ_SEED={seed}: {said}"
            tried += 1
            if time.monotonic() > until and tried >= LEAST:
                return

    drive(then=then, text=TEXT)
    print(f"{tried} of {len(wanted)} pairs on {name!r}")
    assert len(wanted) >= len(EVERYWHERE) ** 2
    assert tried >= LEAST
