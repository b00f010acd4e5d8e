"""Bursts of keys in a real terminal: whatever comes in one read, the interview goes on, and no answer is given unseen.

Each burst is one write. A question is seen if it stood on the terminal when the burst was written; so a burst answers
one question at most, and that one. The program tells of every answer and screen in a file; the picture is made of the
bytes that it writes. The seeds are new in every run; FUZZ_SEED=... gives those of an earlier one again.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from support.pty_driver import Driven, Picture

from advisor.answers.file import dump, read
from advisor.interview.session import Session
from advisor.model.rulebase import RuleBase

SIZE = (94, 44)  # without the pane beside the question, which would cut its lines
QUIET = 0.08  # seconds without a byte
FIRST = 20  # seconds at most for the first picture
PLAYERS = 5  # programs at once
ORDINARY, LONG = 25, 160  # seconds, then a slow machine has had enough bursts

KEYS = {
    **dict.fromkeys("0123456789", 3), **dict.fromkeys("baurn", 2), **dict.fromkeys("efw", 3),
    **dict.fromkeys("qxpsmdocyi?.", 1), "\r": 14, "\x1b": 4, "\t": 1, " ": 3, "\x7f": 1,
    "\x1b[A": 2, "\x1b[B": 5, "\x1b[C": 1, "\x1b[D": 1, "\x1b[H": 1, "\x1b[F": 1, "\x1b[5~": 1, "\x1b[6~": 1,
    "\x10": 2, "\x1bOP": 2, "\x1bOQ": 1, "\x03": 1, "\x11": 0.3,
}  # fmt: skip
SCREENS = {"AskText", "Choose", "Help", "AnswersScreen", "ExportScreen", "Replace", "ResultsScreen", "PortfolioScreen",
           "Palette", "FirstName", "ExampleScreen"}  # fmt: skip
TOLD = """\
import json, sys
from advisor.interview import session
from advisor.tui import turns
def tell(**said):
    with open("told.jsonl", "a") as file:
        print(json.dumps(said), file=file)
answer, confirm, push = session.Session.answer, session.Session.confirm, turns.Turns.push_screen
def answered(self, fact, value):
    given = answer(self, fact, value)
    tell(fact=fact)
    return given
def confirmed(self):
    given = confirm(self)
    tell(fact="the list")
    return given
def pushed(self, screen, *args, **more):
    tell(screen=type(screen).__name__)
    return push(self, screen, *args, **more)
session.Session.answer, session.Session.confirm, turns.Turns.push_screen = answered, confirmed, pushed
from advisor.cli import main
sys.exit(main(["a.yaml"]))
"""
EXAMPLES = Path("rules/examples")
LISTED = "usually has these answers"


def beginnings(base: RuleBase) -> list[str | None]:
    """Answers files to begin with: none, one near its end, one at a text, several features, one with much to ask."""
    text = Session.from_project(read(EXAMPLES / "notifications.yaml", base), base).clear("nginx-version")
    while text.question.type != "text":
        text = text.unknown(text.question.id)
    return [
        None,
        "features: [{name: call, media: yes}]\n",
        dump(text.project, base),
        "features: [{name: a, clients: [browser]}, {name: b, kind: chat, page: x}]\npath: {reverse-proxy: nginx}\n",
        (EXAMPLES / "support-desk.yaml").read_text(),
    ]


class Player:
    """One seed: a program and the bursts that it gets."""

    def __init__(self, seed: int, bursts: int, folder: Path, asks: dict[str, str], begins: str | None) -> None:
        self.random, self.left, self.folder = random.Random(seed), bursts, folder
        self.asks = asks
        folder.mkdir()
        (folder / "told.py").write_text(TOLD)
        self.from_nothing = begins is None
        if begins is not None:
            (folder / "a.yaml").write_text(begins)
        self.sent: list[str] = []
        self.wrong: list[str] = []
        self.seen = Counter()
        self.question = ""  # the one that was on the terminal last
        self.read = 0
        self.start()

    def start(self) -> None:
        """Run the program; it may have been left with a key."""
        self.driven, self.picture = Driven(["told.py"], self.folder, SIZE), Picture(SIZE)
        self.due, self.work = time.monotonic() + FIRST, 0

    def drawn(self) -> bool:
        """Take what it has drawn; whether it still runs."""
        try:
            data = os.read(self.driven.terminal, 1 << 16)
        except OSError:
            data = b""
        self.picture.feed(data)
        if self.picture.text:
            self.due = time.monotonic() + QUIET
        return bool(data)

    def ended(self) -> None:
        """It has closed its terminal: that is only right where a key has ended it."""
        while (code := self.driven.over()) is None:
            time.sleep(0.01)
        self.told()
        self.seen["end"] += 1
        if code != 0 or "Traceback" in self.picture.text:
            self.wrong.append(f"it ended with {code} after {self.sent[-5:]}: {self.picture.text[-600:]}")
        self.question = ""
        self.start()

    def told(self) -> None:
        """What came of the last burst, and what is asked now."""
        file = self.folder / "told.jsonl"
        lines = file.read_text().splitlines()[self.read :] if file.exists() else []
        self.read += len(lines)
        told = [json.loads(line) for line in lines]
        answered = [said["fact"] for said in told if "fact" in said]
        if answered and answered != [self.question]:
            self.wrong.append(f"{self.sent[-1:]} answered {answered}; {self.question!r} was on the screen")
        self.seen.update(said.get("screen", "answer") for said in told)
        shown = self.picture.text
        if LISTED in shown:
            self.question = "the list"
        for fact, ask in self.asks.items():
            if f"{ask} Why: " in shown or f"{ask} Find out: " in shown:
                self.question = fact
                self.seen[f"asks {fact}"] += 1

    def rests(self) -> bool:
        """Whether it has done nothing for a while; what it draws comes a while after the keys."""
        waits, work = self.driven.work()
        rests, self.work = waits and work == self.work, work
        self.due = time.monotonic() + QUIET
        return rests

    def play(self) -> bool:
        """Look at what came of the last burst and write the next; whether there was one more."""
        self.told()
        if self.left == 0:
            return False
        self.left -= 1
        keys = self.random.choices(list(KEYS), list(KEYS.values()), k=self.random.randint(1, 4))
        if not self.sent and self.from_nothing:
            keys = ["\x1bOQ"]  # the example is offered by the first dialog only, and by this key
        self.sent.append("".join(keys))
        os.write(self.driven.terminal, self.sent[-1].encode())
        self.due = time.monotonic() + QUIET
        return True


def play(players: list[Player], until: float) -> None:
    """All of them at the same time, until they have no more bursts or the time is over."""
    while players:
        if time.monotonic() > until:
            for player in players:
                player.left = 0
        wait = max(0.0, min(player.due for player in players) - time.monotonic())
        ready = select.select([player.driven.terminal for player in players], [], [], wait)[0]
        for player in list(players):
            if player.driven.terminal in ready:
                if not player.drawn():
                    player.ended()
            elif time.monotonic() >= player.due and player.rests() and not player.play():
                player.driven.end()
                players.remove(player)


@pytest.fixture
def bursts(base, tmp_path):
    """Play some seeds and give back the players."""
    asks = {fact: " ".join(question.ask.split()) for fact, question in base.questions.items()}
    assert len(set(asks.values())) == len(asks)
    files = beginnings(base)

    def run(count, each, seconds):
        seed, start, done = int(os.environ.get("FUZZ_SEED") or time.time()), time.monotonic(), []
        print(f"FUZZ_SEED={seed}")
        for first in range(0, count, PLAYERS):
            some = range(first, min(first + PLAYERS, count))
            now = [Player(seed + i, each, tmp_path / str(seed + i), asks, files[i % len(files)]) for i in some]
            done += now
            play(list(now), start + seconds * some.stop / count)
        for player in done:
            shutil.rmtree(player.folder)
        wrong = {player.folder.name: player.wrong for player in done if player.wrong}
        assert not wrong, f"FUZZ_SEED={seed}: {wrong}"
        seen = sum((player.seen for player in done), Counter())
        sent = sum(len(player.sent) for player in done)
        print(f"{sent} of {count} x {each} bursts in {time.monotonic() - start:.0f} s: {dict(seen)}")
        assert sent >= count * each / 20, "too slow to have tried anything"
        return seen

    return run


@pytest.mark.lab
def test_bursts_of_keys_end_nothing_and_answer_nothing_unseen(bursts):
    seen = bursts(5, 100, ORDINARY)
    assert seen["answer"] > 5


@pytest.mark.lab
@pytest.mark.long
@pytest.mark.timeout(1500)
def test_many_bursts_of_keys_on_every_screen(bursts, base):
    seen = bursts(20, 600, LONG)
    assert seen["answer"] > 60
    assert set(seen) >= SCREENS
    types = {base.questions[name.removeprefix("asks ")].type for name in seen if name.startswith("asks ")}
    assert types == {question.type for question in base.questions.values()}
