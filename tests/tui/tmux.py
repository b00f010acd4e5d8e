"""A real terminal: the program under tmux, keys typed into it, and what the screen then shows."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

PATIENCE_S = 60  # until a text must have come: for slow machines; a fast one waits for nothing


class Terminal:
    """tmux servers of its own, one for each `start`: one that is going away refuses the next session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets: list[Path] = []

    def tmux(self, *words: str, check: bool = True) -> str:
        command = ["tmux", "-S", str(self.sockets[-1]), *words]
        return subprocess.run(command, capture_output=True, text=True, check=check).stdout

    def start(self, command: str, size: str = "120x32", after: str = "sleep 600") -> None:
        """Run a command in the folder; `after` follows it."""
        self.sockets.append(self.folder / f"tmux-{len(self.sockets)}")
        width, height = size.split("x")
        env = f"env PYTHONPATH={Path.cwd()} XDG_STATE_HOME={self.folder} ADVISOR_DEBUG=1"
        line = f"cd {self.folder} && {env} {command}; echo ended with $?; exec {after}"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, line)

    def keys(self, *keys: str, until: str) -> str:
        """Press keys one after the other, wait for a text, and give back the screen.

        The picture must stand first: a key that comes before it is dropped.
        """
        self.settle()
        for key in keys:
            self.tmux("send-keys", key)
            time.sleep(0.05)
        return self.wait(until)

    def settle(self) -> None:
        """Wait until the screen stays the same."""
        shown, before = self.tmux("capture-pane", "-p"), ""
        while shown != before:
            time.sleep(0.25)
            shown, before = self.tmux("capture-pane", "-p"), shown

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self.tmux("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        """Paste a text, in brackets where the program asks for them."""
        file = self.folder / "pasted"
        file.write_text(text)
        self.tmux("load-buffer", str(file))
        self.tmux("paste-buffer", "-p", "-d")

    def wait(self, until: str, *, gone: bool = False) -> str:
        """Wait until a text is on the screen, or until it does `gone`; give back the screen."""
        end = time.monotonic() + PATIENCE_S
        shown = ""
        while time.monotonic() < end:
            shown = self.tmux("capture-pane", "-p")
            if (until in shown) is not gone:
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{until!r} never {'went' if gone else 'came'}:\n{shown}")

    def processes(self) -> list[int]:
        """The program, as far as it runs in this terminal."""
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        asked = ["ps", "-o", "pid=,args=", "--ppid", shell]
        listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        return [int(line.split()[0]) for line in listed.splitlines() if "-m advisor" in line]

    def resize(self, width: int, height: int) -> None:
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def kill(self) -> None:
        """The terminal goes away."""
        self.tmux("kill-server")

    def end(self) -> None:
        for _ in range(len(self.sockets)):
            self.tmux("kill-server", check=False)
            self.sockets.pop()
