"""YAML as nodes with positions, checked while it is parsed.

The YAML library only delivers events, one after the other; it composes and constructs nothing. Reading ends at the
first event that is nested too deep. Aliases, merge keys and foreign tags never take effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from advisor.base.errors import InputError, Problem
from advisor.base.text import quoted, visible
from advisor.base.textfile import place_after, read_text
from advisor.yamlio.scalars import odd, resolve

__all__ = ["Map", "Node", "Scalar", "Seq", "Source", "attempt", "find", "parse", "plain", "read_text"]

MAX_DEPTH = 64
TOO_DEEP = f"lists and mappings are nested more than {MAX_DEPTH} levels deep; is a closing bracket missing?"
MAX_PROBLEMS = 20  # that are reported
MAX_COUNTED = 200  # after which reading ends: hints cost time
Step: TypeAlias = "str | int"


class Scalar(NamedTuple):
    """A single value. `text` is what was written; `odd` says what YAML 1.1 would make of it, where that differs."""

    value: str | bool | int | float | None
    line: int
    column: int
    text: str
    plain: bool
    odd: str = ""


class Seq(NamedTuple):
    """A list of nodes."""

    items: tuple[Node, ...]
    line: int
    column: int


class Map(NamedTuple):
    """Nodes under their keys, in the order of the file; `keys` has the line and column of each key."""

    items: dict[str, Node]
    keys: dict[str, tuple[int, int]]
    line: int
    column: int


Node: TypeAlias = Scalar | Seq | Map


class Source:
    """A text with its name, and the problems and notes found in it so far."""

    __slots__ = ("lines", "name", "notes", "patient", "problems")

    def __init__(self, name: str, lines: list[str], *, patient: bool = False) -> None:
        self.patient: Final = patient  # does not end the reading because of many problems
        self.name: Final = name
        self.lines: Final = lines
        self.problems: Final[list[Problem]] = []
        self.notes: Final[list[str]] = []  # what was read in another way than it was written

    def note(self, line: int, column: int, message: str) -> None:
        """Add what the reader of the file should know, though nothing is wrong."""
        self.notes.append(f"{self.name}:{line}:{column}: {message}")

    def add(self, line: int, column: int, message: str) -> None:
        """Add a problem, with its line of the file (visible, at most 120 columns).

        Raises InputError where there are too many to go on.
        """
        shown = visible(self.lines[line - 1], 120) if 0 < line <= len(self.lines) else ""
        self.problems.append(Problem(self.name, line, column, message, shown))
        if len(self.problems) >= MAX_COUNTED and not self.patient:
            self.stop()

    def stop(self) -> None:
        """Raise an InputError with the first problems of the file, if there are any."""
        if not self.problems:
            return
        first = sorted(self.problems)[:MAX_PROBLEMS]
        if more := len(self.problems) - len(first):
            last = first[-1]
            at_least = "at least " if len(self.problems) >= MAX_COUNTED else ""
            message = f"{last.message} (and {at_least}{more} more {'problem' if more == 1 else 'problems'})"
            first[-1] = Problem(last.file, last.line, last.column, message, last.source)
        raise InputError(first)


# --- parsing ----------------------------------------------------------------------------------------------------------

# YAML counts U+0085, U+2028 and U+2029 as line ends in version 1.1 and not in 1.2.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def parse(text: str, name: str, *, pure: bool = False) -> Node:
    """The document of a YAML text. Raises InputError. `pure` parses without libyaml."""
    text = text.removeprefix("\ufeff")
    source = Source(name, text.splitlines())
    if found := FORBIDDEN.search(text):
        source.add(*place_after(text[: found.start()]), forbidden(found[0]))
        source.stop()
    node = _Parser(source, text, pure=pure).document()
    source.stop()
    return node


def attempt(text: str, name: str) -> tuple[Node | None, list[Problem], int]:
    """The nodes of a text and its problems; None if one of them, the last, ended the reading.

    Then the line in which the broken thing begins comes with it (0: that is not known).
    """
    source = Source(name, text.splitlines(), patient=True)
    parser = _Parser(source, text, pure=False)
    try:
        return parser.document(), source.problems, 0
    except InputError:
        return None, source.problems, parser.began


def forbidden(character: str) -> str:
    """The message for a character that YAML does not allow."""
    hint = " (is this UTF-16 or a binary file?)" if character == "\0" else ""
    return f"the character {visible(character)} is not allowed in a YAML file{hint}"


_TAGS = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}


class _Parser:
    """Turns the events of one text into nodes."""

    def __init__(self, source: Source, text: str, *, pure: bool) -> None:
        import yaml

        self.yaml = yaml
        self.source = source
        self.tabs = "\t" in text
        self.began = 0  # the line in which what is broken begins, where the library says so
        self.tabbed: set[int] = set()  # lines whose tab is noted already
        loader = yaml.SafeLoader if pure else getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events = self.guarded(yaml.parse(text, Loader=loader))

    def guarded(self, events: Iterator[Any]) -> Iterator[Any]:
        """The events; errors of the library become problems of the source."""
        try:
            yield from events
        except self.yaml.MarkedYAMLError as error:
            self.broken(error)
            self.source.stop()
        except (self.yaml.YAMLError, ValueError, OverflowError) as error:  # "\UFFFFFFFF" in the pure reader
            self.source.add(0, 0, f"this is not valid YAML: {visible(str(error), 200)}")
            self.source.stop()

    def broken(self, error: Any) -> None:
        mark = error.problem_mark or error.context_mark
        line, column = mark.line + 1, mark.column + 1
        if line > len(self.source.lines) > 0:  # libyaml ends a file without a last line feed one line too low
            line, column = len(self.source.lines), len(self.source.lines[-1]) + 1
        for number in (line, line - 1):
            if self.no_tabs(number):
                return
        reason = visible(error.problem or error.context or "the reason is unknown", 200)
        where = ""
        self.began = error.context_mark.line + 1 if error.context_mark else 0
        if "maximum nesting depth" in reason:  # libyaml from 0.2.6 on may get there before we see the first bracket
            self.source.add(line, column, TOO_DEEP)
            return
        if error.context and error.context_mark and error.context_mark.line + 1 != line:
            where = f" ({error.context} that starts in line {error.context_mark.line + 1})"
        self.source.add(line, column, f"this is not valid YAML: {reason}{where}{_advice(reason)}")

    def no_tabs(self, number: int) -> bool:
        """Note a tab in the indentation of a line. Whether there is one."""
        line = self.source.lines[number - 1] if 0 < number <= len(self.source.lines) else ""
        column = line[: len(line) - len(line.lstrip(" \t"))].find("\t") + 1
        if column and number not in self.tabbed:
            self.tabbed.add(number)
            self.source.add(number, column, "this line is indented with a tab; YAML allows only spaces there")
        return column > 0

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
                    self.fail(event, "a second YAML document starts here; a file may contain only one")
                root = self.node(next(self.events), 0)
        if root is None or (isinstance(root, Scalar) and root.text == ""):
            self.source.add(1, 1, "the file is empty")
            self.source.stop()
        assert root is not None
        return root

    def node(self, event: Any, depth: int) -> Node:
        yaml = self.yaml
        if self.tabs:
            self.no_tabs(event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            self.fail(event, f"aliases (*{visible(event.anchor, 40)}) are not supported; write the value itself")
        if event.anchor is not None:
            self.fail(event, f"anchors (&{visible(event.anchor, 40)}) are not supported; remove it")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth >= MAX_DEPTH:
            self.fail(event, TOO_DEEP)
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
                self.add(event, f"the key {quoted(key)} is already in line {keys[key][0]}; remove one of them")
                continue
            keys[key] = (event.start_mark.line + 1, event.start_mark.column + 1)
            items[key] = value
        return Map(items, keys, line, column)

    def key(self, event: Any, depth: int) -> str | None:
        """The key that this event begins, or None where it cannot be one."""
        node = self.node(event, depth + 1)
        if not isinstance(node, Scalar):
            self.add(event, "a list or a mapping cannot be a key; write a word before the colon")
        elif node.plain and node.text == "<<":
            self.add(event, "merge keys (<<) are not supported; write the values themselves")
        elif isinstance(node.value, str):
            return node.value
        else:
            self.add(event, f"a key must be text; put {visible(node.text, 40) or 'it'} in quotes")
        return None

    def scalar(self, event: Any) -> Scalar:
        text, line, column = event.value, event.start_mark.line + 1, event.start_mark.column + 1
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self.add(event, "this text contains half of a surrogate pair, which is not a character; remove it")
        plain = event.style in (None, "") and event.tag in (None, "!")
        if plain and event.end_mark.line > event.start_mark.line:
            for number in range(line + 1, event.end_mark.line + 2):
                self.no_tabs(number)
        if event.tag not in (None, "!"):
            return self.tagged(event, text, line, column)
        if not plain:
            return Scalar(text, line, column, text, plain=False)
        return Scalar(resolve(text), line, column, text, plain=True, odd=odd(text))

    def tagged(self, event: Any, text: str, line: int, column: int) -> Scalar:
        kind = event.tag.removeprefix("tag:yaml.org,2002:")
        value = text if kind == "str" else resolve(text)
        if kind not in _TAGS:
            self.foreign(event)
        elif type(value) not in _TAGS[kind]:
            self.add(event, f"{quoted(text)} does not match its tag; remove the tag")
        return Scalar(value, line, column, text, plain=False)

    def foreign(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.add(event, f"the tag {visible(tag, 60)} is not supported; remove it")


def _advice(reason: str) -> str:
    if "mapping values are not allowed" in reason:
        return '; if a text contains ": ", put it in quotes'
    return "; put a text that begins with it in quotes" if "cannot start any token" in reason else ""


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
