"""YAML files as nodes with places: read within limits, checked while they are parsed, scalars as in YAML 1.2.

Nothing is composed or constructed by the YAML library: it only hands over events, one after the other, and reading stops
at the first one that goes too deep. Aliases, merge keys and foreign tags never take effect.
"""

from __future__ import annotations

import math
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from advisor.errors import InputError, Problem
from advisor.text import quoted, visible

MAX_DEPTH = 64
MAX_PROBLEMS = 20
STDIN = "<stdin>"
Step: TypeAlias = "str | int"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `text` is what was written; `odd` says what YAML 1.1 would make of it, where that differs."""

    value: str | bool | int | float | None
    line: int
    column: int
    text: str
    plain: bool
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Seq:
    """A list of nodes."""

    items: tuple[Node, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Map:
    """Nodes under their keys, in the order of the file; `keys` has the line and column of each key."""

    items: dict[str, Node]
    keys: dict[str, tuple[int, int]]
    line: int
    column: int


Node: TypeAlias = Scalar | Seq | Map


@dataclass(frozen=True, slots=True)
class Source:
    """A text with its name, and the problems found in it so far."""

    name: str
    lines: list[str]
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int, column: int, message: str) -> None:
        """Note a problem; the line that it is about goes with it, made visible and at most 120 columns long."""
        shown = visible(self.lines[line - 1], 120) if 0 < line <= len(self.lines) else ""
        self.problems.append(Problem(self.name, line, column, message, shown))

    def stop(self) -> None:
        """Raise an InputError with the first problems of the file, if there are any."""
        if not self.problems:
            return
        first = sorted(self.problems)[:MAX_PROBLEMS]
        if more := len(self.problems) - len(first):
            last = first[-1]
            message = f"{last.message} (and {more} more problems)"
            first[-1] = Problem(last.file, last.line, last.column, message, last.source)
        raise InputError(first)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_text(path: str | Path, limit: int = 256_000) -> str:
    """The text of a UTF-8 file of at most `limit` bytes; "-" is standard input. Raises InputError.

    A FIFO or a device is refused without being opened.
    """
    name = name_of(path)
    try:
        content = _stdin(limit) if name == STDIN else _file(path, limit)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path, a closed standard input
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError([Problem(name, 0, 0, f"cannot be read: {reason}")]) from None
    if isinstance(content, str):
        raise InputError([Problem(name, 0, 0, content)])
    if len(content) > limit:
        raise InputError([Problem(name, 0, 0, f"is larger than {limit:,} bytes")])
    return _decoded(content, name)


def name_of(path: str | Path) -> str:
    """How problems name this file."""
    return STDIN if str(path) == "-" else visible(str(path), 300)


def _stdin(limit: int) -> bytes:
    if sys.stdin is None:
        raise ValueError("standard input is closed")
    return sys.stdin.buffer.read(limit + 1)


def _file(path: str | Path, limit: int) -> bytes | str:
    """The first bytes of a file, one more than `limit` at most; or why it is not read."""
    if refused := _refusal(os.stat(path), limit):  # noqa: PTH116  # Path() would swallow trailing slashes: "file/"
        return refused
    # The file may have been exchanged since: so never wait for a writer, and look again.
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
        return "is a folder; name a file"
    if not stat.S_ISREG(status.st_mode):
        return 'is not an ordinary file; "-" reads standard input'
    return f"is {status.st_size:,} bytes large; at most {limit:,} are read" if status.st_size > limit else ""


def _decoded(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        raise InputError([Problem(name, 1, 1, "is UTF-16 or UTF-32; save it as UTF-8")])
    try:
        return content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        before = content.removeprefix(b"\xef\xbb\xbf")[: error.start].decode()
        lines = re.split("\r\n|\r|\n", before)
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8 text"
        raise InputError([Problem(name, len(lines), len(lines[-1]) + 1, message)]) from None


# --- parsing ----------------------------------------------------------------------------------------------------------

# YAML counts U+0085, U+2028 and U+2029 as line ends in version 1.1 and not in 1.2.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def parse(text: str, name: str, *, pure: bool = False) -> Node:
    """The one document of a YAML text. Raises InputError. `pure` does without libyaml."""
    text = text.removeprefix("\ufeff")
    source = Source(name, text.splitlines())
    if found := _FORBIDDEN.search(text):
        before = text[: found.start()].splitlines() or [""]
        line, column = len(before), len(before[-1]) + 1
        if text[: found.start()].endswith(("\n", "\r")):
            line, column = line + 1, 1
        source.add(line, column, f"the character {visible(found[0])} cannot stand in a YAML file{_hint(found[0])}")
        source.stop()
    node = _Parser(source, text, pure=pure).document()
    source.stop()
    return node


def _hint(character: str) -> str:
    return " (is this UTF-16 or a binary file?)" if character == "\0" else ""


class _Parser:
    """Turns the events of one text into nodes."""

    def __init__(self, source: Source, text: str, *, pure: bool) -> None:
        import yaml

        self.yaml = yaml
        self.source = source
        loader = yaml.SafeLoader if pure else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events = self.guarded(yaml.parse(text, Loader=loader))

    def guarded(self, events: Iterator[Any]) -> Iterator[Any]:
        """The events, with the library's errors as ours."""
        try:
            yield from events
        except self.yaml.MarkedYAMLError as error:
            self.broken(error)
        except (self.yaml.YAMLError, ValueError, OverflowError) as error:  # an escape beyond Unicode, such as "\UFFFFFFFF"
            self.source.add(0, 0, f"is not valid YAML: {visible(str(error), 200)}")
        self.source.stop()

    def broken(self, error: Any) -> None:
        mark = error.problem_mark or error.context_mark
        line, column = mark.line + 1, mark.column + 1
        for number in (line, line - 1):
            if tab := self.tab_in(number):
                self.source.add(number, tab, "a tab in the indentation; YAML indents with spaces only")
                return
        reason = visible(error.problem or error.context or "it cannot be understood", 200)
        where = ""
        if error.context and error.context_mark and error.context_mark.line + 1 != line:
            where = f" ({error.context} that starts in line {error.context_mark.line + 1})"
        self.source.add(line, column, f"is not valid YAML: {reason}{where}{_advice(reason)}")

    def tab_in(self, number: int) -> int:
        """The column of a tab in the indentation of a line, or 0."""
        line = self.source.lines[number - 1] if 0 < number <= len(self.source.lines) else ""
        return line[: len(line) - len(line.lstrip(" \t"))].find("\t") + 1

    def fail(self, event: Any, message: str) -> None:
        """Note a problem after which reading cannot go on."""
        self.add(event, message)
        self.source.stop()

    def add(self, event: Any, message: str) -> None:
        self.source.add(event.start_mark.line + 1, event.start_mark.column + 1, message)

    def document(self) -> Node:
        yaml, root = self.yaml, None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.fail(event, "a second document starts here; a file holds one")
                root = self.node(next(self.events), 0)
        if root is None or (isinstance(root, Scalar) and root.text == ""):
            self.source.add(1, 1, "the file is empty")
            self.source.stop()
        assert root is not None
        return root

    def node(self, event: Any, depth: int) -> Node:
        yaml = self.yaml
        if isinstance(event, yaml.AliasEvent):
            self.fail(event, f"an alias (*{visible(event.anchor, 40)}) is not read here; write the value out")
        if event.anchor is not None:
            self.fail(event, f"an anchor (&{visible(event.anchor, 40)}) is not read here; write the value out each time")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth >= MAX_DEPTH:
            self.fail(event, f"is nested more than {MAX_DEPTH} deep")
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{kind}"):
            self.foreign(event)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if kind == "map":
            return self.mapping(line, column, depth)
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Seq(tuple(items), line, column)

    def mapping(self, line: int, column: int, depth: int) -> Map:
        items: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while not isinstance(event := next(self.events), self.yaml.MappingEndEvent):
            key = self.key(event, depth)
            value = self.node(next(self.events), depth + 1)
            if key is None:
                continue
            if key in keys:
                self.add(event, f"the key {quoted(key)} stands in line {keys[key][0]} already")
                continue
            keys[key] = (event.start_mark.line + 1, event.start_mark.column + 1)
            items[key] = value
        return Map(items, keys, line, column)

    def key(self, event: Any, depth: int) -> str | None:
        """The key that this event begins, or None where it cannot be one."""
        node = self.node(event, depth + 1)
        if not isinstance(node, Scalar):
            self.add(event, "a list or a mapping cannot be a key")
        elif node.plain and node.text == "<<":
            self.add(event, "a merge key (<<) is not read here; write the values out")
        elif isinstance(node.value, str):
            return node.value
        else:
            self.add(event, f'the key {visible(node.text, 40)} is not a text; write "{visible(node.text, 40)}" if it is meant')
        return None

    def scalar(self, event: Any) -> Scalar:
        text, line, column = event.value, event.start_mark.line + 1, event.start_mark.column + 1
        if any("\ud800" <= character <= "\udfff" for character in text) and not text.isascii():
            self.add(event, "half of a surrogate pair is not a character")
        plain = event.style in (None, "") and event.tag in (None, "!")
        if plain and event.end_mark.line > event.start_mark.line:
            for number in range(line + 1, event.end_mark.line + 2):
                if tab := self.tab_in(number):
                    self.source.add(number, tab, "a tab in the indentation; YAML indents with spaces only")
        if event.tag not in (None, "!"):
            return self.tagged(event, text, line, column)
        if not plain:
            return Scalar(text, line, column, text, plain=False)
        return Scalar(resolve(text), line, column, text, plain=True, odd=odd(text))

    def tagged(self, event: Any, text: str, line: int, column: int) -> Scalar:
        kinds = {"str": str, "int": int, "float": (int, float), "bool": bool, "null": type(None)}
        kind = kinds.get(event.tag.removeprefix("tag:yaml.org,2002:"))
        if kind is None:
            self.foreign(event)
        value = text if kind is str else resolve(text)
        if kind is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.add(event, f"{quoted(text)} is not what its tag says")
        return Scalar(value, line, column, text, plain=False)

    def foreign(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.add(event, f"the tag {visible(tag, 60)} is not read here; leave it out")


def _advice(reason: str) -> str:
    if "mapping values are not allowed" in reason:
        return '; put a text that contains ": " in quotes'
    return "; put such a text in quotes" if "cannot start any token" in reason else ""


# --- scalars ----------------------------------------------------------------------------------------------------------

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*|(?=\.?[0-9])(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?)")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_ODD = tuple(
    (re.compile(pattern), what)
    for pattern, what in (
        (r"[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF", "true or false"),
        (r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", "a number in base 60"),
        (r"[-+]?0[0-9_]+", "an octal number"),
        (r"[-+]?0[0-9_]+\.[0-9_]*([eE][-+]?[0-9]+)?", "a number without the zeros"),
        (r"[-+]?0o[0-7]+|[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+", "a number that is not decimal"),
        (r"[-+]?(?=.*_)([0-9][0-9_]*)?(\.[0-9_]*)?([eE][-+]?[0-9]+)?", "a number without the _"),
        (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?", "a date"),
        (r"=|<<", "a special key"),
    )
)


def resolve(text: str) -> str | bool | int | float | None:
    """The value of a plain scalar: null, true, false, decimal numbers; yes, no, on, off, 012, 1_000, 1:30 stay texts.

    A number too large for a float is infinite.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789":
        if _NUMBER.fullmatch(text):
            whole = text.lstrip("+-").isdigit()
            return int(text) if whole and len(text) <= 300 else float(text)
        if _SPECIAL.fullmatch(text):
            return math.nan if text[1] in "nN" else math.copysign(math.inf, -1 if text[0] == "-" else 1)
    return text


def odd(text: str) -> str:
    """What a reader of YAML 1.1 would take a plain text of ours for, or ""."""
    if len(text) > 3 and text[0] not in "+-.0123456789":
        return ""
    return next((what for pattern, what in _ODD if pattern.fullmatch(text)), "")


# --- walking ----------------------------------------------------------------------------------------------------------


def plain(node: Node) -> Any:
    """The node as dicts, lists and scalars."""
    if isinstance(node, Map):
        return {key: plain(item) for key, item in node.items.items()}
    return [plain(item) for item in node.items] if isinstance(node, Seq) else node.value


def find(node: Node, path: Iterable[Step], *, key: bool = False) -> tuple[int, int]:
    """Line and column of the value (or of its key) at the end of `path`; steps that lead nowhere are passed over."""
    line, column = node.line, node.column
    for step in path:
        if isinstance(node, Map) and step in node.items:
            at = node.keys[str(step)]
            node = node.items[str(step)]
            line, column = at if key else (node.line, node.column)
        elif isinstance(node, Seq) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            line, column = node.line, node.column
    return line, column
