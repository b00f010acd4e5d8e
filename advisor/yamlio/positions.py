"""The start and end of each node of a YAML text, to the character, for edits in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Spot(NamedTuple):
    """A node in its text: characters `start` to `end`, without line ends and comments that follow it.

    `kind` is map, seq or scalar; `flow` says whether a collection has brackets; `style` is a scalar's quote or block
    sign, "" for a plain one and "?" for one that is not written at all (the value of `? key` or `{key}`).
    `entries` are a mapping's keys and values, `items` a list's nodes, `text` a scalar's value.
    """

    kind: str
    start: int
    end: int
    flow: bool = False
    style: str = ""
    text: str = ""
    entries: tuple[tuple[Spot, Spot], ...] = ()
    items: tuple[Spot, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is written here: a value that is left out."""
        return self.start == self.end

    def get(self, key: str) -> tuple[Spot, Spot] | None:
        """A mapping's entry of this key."""
        return next((entry for entry in self.entries if entry[0].text == key), None)


def spots(text: str) -> Spot:
    """The root of a text that `yamlfile.parse` takes; there are neither anchors nor aliases in such a text."""
    import yaml

    events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            return _Finder(text, yaml, events).node(next(events))
    raise ValueError("no document")  # the parser has already refused such a text


class _Finder:
    def __init__(self, text: str, yaml: Any, events: Iterator[Any]) -> None:
        self.text, self.yaml, self.events = text, yaml, events

    def node(self, event: Any) -> Spot:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, self.yaml.ScalarEvent):
            style = event.style or ""
            if style in ("|", ">"):  # the mark is after the blank lines that follow
                end = start + len(self.text[start:end].rstrip())
            return Spot("scalar", start, end, style=style, text=event.value)
        if isinstance(event, self.yaml.MappingStartEvent):
            return self.mapping(start, flow=bool(event.flow_style))
        items = []
        while not isinstance(inner := next(self.events), self.yaml.SequenceEndEvent):
            items.append(self.node(inner))
        flow = bool(event.flow_style)
        end = inner.end_mark.index if flow else items[-1].end
        return Spot("seq", start, end, flow=flow, items=tuple(items))

    def mapping(self, start: int, *, flow: bool) -> Spot:
        entries = []
        while not isinstance(inner := next(self.events), self.yaml.MappingEndEvent):
            key = self.node(inner)
            value = self.node(next(self.events))
            if value.empty and not value.style and ":" not in self.text[key.end : value.start]:
                value = value._replace(start=key.end, end=key.end, style="?")
            entries.append((key, value))
        end = inner.end_mark.index if flow else entries[-1][1].end
        return Spot("map", start, end, flow=flow, entries=tuple(entries))
