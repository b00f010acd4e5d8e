"""The two looks of the program, and which one is shown: the one asked for, the one chosen last, the terminal's own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from textual.theme import Theme

from advisor.answers.recovery import state_folder

DARK = Theme(
    "advisor-dark", primary="#7aa2f7", secondary="#8ab4c8", accent="#e0af68", success="#9ece6a", warning="#e0af68",
    error="#ff7a8a", background="#14161b", surface="#1b1e25", panel="#262a33", foreground="#d9dce3", dark=True,
)  # fmt: skip
LIGHT = Theme(
    "advisor-light", primary="#1f4fa8", secondary="#2b5f75", accent="#7a4d00", success="#2c6a12", warning="#7a4d00",
    error="#a1142e", background="#fbfbf9", surface="#f1f1ec", panel="#e3e3dc", foreground="#1d2026", dark=False,
)  # fmt: skip
NAMES = {"light": LIGHT.name, "dark": DARK.name}


def wanted(known: set[str]) -> tuple[str, str]:
    """The theme to begin with, and what is wrong with ADVISOR_THEME, if something is."""
    own = os.environ.get("ADVISOR_THEME", "")
    ground = os.environ.get("COLORFGBG", "").rpartition(";")[2]  # some terminals tell their colours in it
    terminal = "light" if ground in ("7", "15") else "dark"
    named = [NAMES.get(name, name) for name in (own, os.environ.get("TEXTUAL_THEME", ""), remembered(), terminal)]
    wrong = ""
    if own and named[0] not in known:
        wrong = 'ADVISOR_THEME names no theme: write light, dark or a name that ctrl+p, "Choose a theme" lists.'
    return next(name for name in named if name in known), wrong


def remembered() -> str:
    """The theme that was chosen last, or ""."""
    folder = state_folder()
    if folder is not None:
        with suppress(OSError, UnicodeDecodeError):
            return (folder / "theme").read_text("utf-8").strip()
    return ""


def remember(name: str) -> None:
    """Begin with this theme from now on. Where that cannot be written, the next run begins as this one did."""
    folder = state_folder()
    if folder is not None:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            Path(folder / "theme").write_text(f"{name}\n", "utf-8")
