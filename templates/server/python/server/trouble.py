"""Errors that no caller sees: printed once on standard error, and answered without internal details."""

from __future__ import annotations

import sys
import time
import traceback

from server.events import LogAway
from server.wire import HttpError

QUIET_S = 60.0  # the same error is not printed again within this time: a thousand clients may meet it at once
KINDS = 100  # errors that are remembered

_said: dict[str, float] = {}


def say(doing: str, error: BaseException) -> None:
    """Write what failed, with its traceback."""
    kind = f"{doing}: {error!r}"
    now = time.monotonic()
    if now - _said.get(kind, -QUIET_S) < QUIET_S:
        return
    if len(_said) >= KINDS:
        _said.clear()
    _said[kind] = now
    lines = traceback.format_exception(error)
    sys.stderr.write(f"server: {doing} failed (printed at most once a minute):\n{''.join(lines)}")


def answer_to(doing: str, error: Exception) -> HttpError:
    """The HTTP error for a client whose request met this error, which is printed unless it is an expected one."""
    if isinstance(error, HttpError):
        return error
    if isinstance(error, LogAway):
        return HttpError(503, str(error), retry_after="1")
    say(doing, error)
    return HttpError(503, f"{doing} failed; the server's output has the reason", retry_after="1")
