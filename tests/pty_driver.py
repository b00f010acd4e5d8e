"""A program in a pseudo-terminal: type a key, and see how long it goes on drawing and how much."""

from __future__ import annotations

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
            os.execv(sys.executable, [sys.executable, *words])  # itself, with words of ours

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

    def memory(self) -> int:
        """Bytes that the program holds in RAM (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def end(self) -> None:
        """Kill it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def visible(drawn: bytes) -> str:
    """The text without the control sequences."""
    return re.sub(
        r"\x1b(\[[0-9;?<>=]*[A-Za-z]|[()][A-Z0-9]|[\]P].*?(\x07|\x1b\\))", "", drawn.decode("utf-8", "ignore")
    )


def first_paint(words: list[str], folder: Path, text: str) -> float:
    """Seconds from the start of a program until a text stands on the screen."""
    driven = Driven(words, folder)
    try:
        _, drawn = driven.settle(until=text)
        assert text in drawn, drawn[-2000:]
        return time.perf_counter() - driven.started
    finally:
        driven.end()
