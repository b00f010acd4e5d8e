"""Reading a text file within limits: its kind, size and encoding are checked first."""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import TYPE_CHECKING

from advisor.base.errors import InputError, Problem
from advisor.base.text import visible

if TYPE_CHECKING:
    from pathlib import Path

STDIN = "<stdin>"
_MARK = b"\xef\xbb\xbf"


def read_text(path: str | Path, limit: int = 256_000, *, mark: bool = False) -> str:
    """The text of a UTF-8 file of at most `limit` bytes; "-" is standard input. Raises InputError.

    A FIFO or a device is refused without being opened. `mark` keeps a byte order mark at the beginning.
    """
    content = _content(path, limit)
    return _decoded(content if mark else content.removeprefix(_MARK), name_of(path))


def salvage_text(path: str | Path, limit: int = 256_000) -> tuple[str, list[Problem]]:
    """The text of a file of which some bytes may not be UTF-8: they become U+FFFD, and the first one is a problem.

    A byte order mark is kept. Raises InputError if the file is not text.
    """
    content = _content(path, limit)
    try:
        return _decoded(content, name_of(path)), []
    except InputError as error:
        text = content.decode(errors="replace")
        if "\0" in text or text.count("\ufffd") > 1 + len(text) // 20:
            raise
        return text, error.problems


def name_of(path: str | Path) -> str:
    """The name of this file in messages."""
    return STDIN if str(path) == "-" else visible(str(path), 300)


def _content(path: str | Path, limit: int) -> bytes:
    """At most `limit` bytes of a file. Raises InputError."""
    name = name_of(path)
    try:
        content = _stdin(limit) if str(path) == "-" else _file(path, limit)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path, a closed standard input
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError([Problem(name, 0, 0, f"cannot be read: {reason}")]) from None
    if isinstance(content, str):
        raise InputError([Problem(name, 0, 0, content)])
    if len(content) > limit:
        raise InputError([Problem(name, 0, 0, f"has more than {limit:,} bytes, which is the limit")])
    return content


def _stdin(limit: int) -> bytes:
    if sys.stdin is None:
        raise ValueError("standard input is closed")
    return sys.stdin.buffer.read(limit + 1)


def _file(path: str | Path, limit: int) -> bytes | str:
    """The first bytes of a file, one more than `limit` at most; or why it is not read."""
    if refused := _refusal(os.stat(path), limit):  # noqa: PTH116  # Path() would swallow trailing slashes: "file/"
        return refused
    # The file may have been replaced since: do not block on a FIFO, and check again.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb", buffering=0) as file:
        if refused := _refusal(os.fstat(file.fileno()), limit):
            return refused
        content = b""
        while len(content) <= limit and (part := file.read(limit + 1 - len(content))):
            content += part
        return content


def _refusal(status: os.stat_result, limit: int) -> str:
    if stat.S_ISDIR(status.st_mode):
        return "is a folder, not a file; name a file"
    if not stat.S_ISREG(status.st_mode):
        return 'is not a regular file; name one, or write "-" for standard input'
    return f"has {status.st_size:,} bytes; the limit is {limit:,}" if status.st_size > limit else ""


def _decoded(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        raise InputError([Problem(name, 1, 1, "the file is encoded in UTF-16 or UTF-32; save it as UTF-8")])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line, column = place_after(error.object[: error.start].decode().removeprefix("\ufeff"))
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8 text"
        raise InputError([Problem(name, line, column, message)]) from None


def place_after(before: str) -> tuple[int, int]:
    """Line and column of the character that follows this text."""
    lines = re.split("\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1
