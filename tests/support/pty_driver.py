"""A program in a pseudo-terminal: type a key, and see how long it goes on drawing and how much."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

QUIET = 0.25  # seconds without a byte: it has drawn everything
NAMES = {"enter": "\r", "down": "\x1b[B", "up": "\x1b[A", "escape": "\x1b"}
TRIVIAL = """\
from textual.app import App
from textual.widgets import Static
class Trivial(App):
    def compose(self):
        yield Static("hello", id="hello")
    def on_key(self, event):
        self.query_one("#hello", Static).update(event.key)
Trivial().run()
"""


class Driven:
    """A Python program (its words after `python`) in a terminal of this size."""

    def __init__(self, words: list[str], folder: Path, size: tuple[int, int] = (120, 40)) -> None:
        self.started = time.perf_counter()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            for name in ("COLUMNS", "LINES", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
                os.environ.pop(name, None)
            os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "pycache")  # compiled once, as everywhere but here
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", XDG_STATE_HOME=str(folder / "state"))
            os.environ.setdefault("PYTHONPATH", str(Path.cwd()))
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, *words])  # itself, with the words of the test

    def settle(self, until: str = "", limit: float = 60) -> tuple[float, str]:
        """Seconds until the last byte (or until this text has come), and what was drawn."""
        start, last, drawn = time.perf_counter(), 0.0, b""
        while time.perf_counter() - start < limit:
            ready, _, _ = select.select([self.terminal], [], [], QUIET if last and not until else limit)
            if not ready:
                break
            try:
                drawn += os.read(self.terminal, 1 << 16)
            except OSError:
                break
            last = time.perf_counter() - start
            if until and until in visible(drawn):
                break
        return last, visible(drawn)

    def key(self, name: str) -> float:
        """Seconds from a key to the last byte of what it draws."""
        os.write(self.terminal, NAMES.get(name, name).encode())
        return self.settle()[0]

    def work(self) -> tuple[bool, int]:
        """Whether it waits for something, and how long it has worked until now, in ticks (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0] == "S", int(fields[11]) + int(fields[12])

    def memory(self) -> int:
        """Bytes that the program holds in RAM (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def over(self) -> int | None:
        """The exit code, if it has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)

    def end(self) -> None:
        """Kill it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class Picture:
    """What a terminal of this size shows after the bytes that were written to it."""

    SEQUENCE = re.compile(
        r"\x1b(?:\[([0-9;?<>=$ ]*)([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\\\)|P[^\x1b]*\x1b\\\\|[()].|[=>78])"
    )

    def __init__(self, size: tuple[int, int]) -> None:
        self.width, self.height = size
        self.rows = [[" "] * self.width for _ in range(self.height)]
        self.x = self.y = 0
        self.decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.rest = ""  # the beginning of a sequence

    def feed(self, drawn: bytes) -> None:
        """Draw these bytes."""
        text, at = self.rest + self.decode(drawn), 0
        self.rest = ""
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
            elif found := self.SEQUENCE.match(text, at):
                self.obey(found[1] or "", found[2] or "")
                at = found.end()
            elif len(text) - at > 100:
                at += 1
            else:
                self.rest = text[at:]
                return

    def put(self, character: str) -> None:
        """One character at the cursor."""
        if character == "\r":
            self.x = 0
        elif character == "\n":
            self.y = min(self.y + 1, self.height - 1)
        elif character.isprintable() and self.x < self.width:
            self.rows[self.y][self.x] = character
            self.x += 1

    def obey(self, numbers: str, what: str) -> None:
        """The sequences that move the cursor and clear the screen; colours do not matter here."""
        if what == "H":
            y, x = ([int(n or 1) for n in numbers.split(";")] + [1, 1])[:2]
            self.y, self.x = min(y, self.height) - 1, min(x, self.width) - 1
        elif what == "J" or (what == "h" and numbers == "?1049"):
            self.rows = [[" "] * self.width for _ in range(self.height)]

    @property
    def text(self) -> str:
        """Everything in one line, with single spaces."""
        return " ".join(" ".join("".join(row) for row in self.rows).split())


def visible(drawn: bytes) -> str:
    """The text without the control sequences."""
    return re.sub(
        r"\x1b(\[[0-9;?<>=]*[A-Za-z]|[()][A-Z0-9]|[\]P].*?(\x07|\x1b\\))", "", drawn.decode("utf-8", "ignore")
    )


def first_paint(words: list[str], folder: Path, text: str) -> float:
    """Seconds from the start of a program until a text is on the screen."""
    driven = Driven(words, folder)
    try:
        _, drawn = driven.settle(until=text)
        assert text in drawn, drawn[-2000:]
        return time.perf_counter() - driven.started
    finally:
        driven.end()
