"""Changes the answers in an answers file in place and leaves everything else untouched.

Comments, blank lines, order, quotes, line endings and the style of lists and mappings stay. The result is parsed again
and returned only if it contains exactly the wanted answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from advisor.answers.blank import placeholder
from advisor.answers.file import parse, written
from advisor.base.errors import InputError, OutputError
from advisor.model.project import Feature, Project
from advisor.model.rulebase import RuleBase
from advisor.model.values import Other, Unknown, Value, plain
from advisor.yamlio.edits import Edits, OverlapError
from advisor.yamlio.positions import Spot, spots

Facts = Mapping[str, Value]


def splice(text: str, wanted: Project, base: RuleBase) -> str:
    """The text of an answers file with the answers of `wanted`. Raises OutputError if that is not possible.

    Raises InputError if the text is no answers file.
    """
    now = parse(text, "", base)
    if now == wanted:
        return text
    body = text.removeprefix("\ufeff")
    for item_by_item in (True, False):
        try:
            new = text[: len(text) - len(body)] + _Splice(body, now, wanted, base, item_by_item).done()
            if parse(new, "", base) == wanted:
                return new
        except (InputError, OverlapError):
            continue
    raise OutputError("its layout does not allow a change in place")


def same_features(old: Sequence[Feature], new: Sequence[Feature]) -> list[int | None]:
    """For each new feature the old one that it was, in order.

    That is the one of the same name, else one between the same neighbours whose facts it mostly still has.
    """
    found: list[int | None] = [None] * len(new)
    names = SequenceMatcher(None, [f.name for f in old], [f.name for f in new], autojunk=False)
    first, start = 0, 0  # of the stretch between two that have their names
    for i, j, size in names.get_matching_blocks():
        for place in range(start, j):
            kept = {at: _kept(old[at].facts, new[place].facts) for at in range(first, i)}
            best = max(kept, key=lambda at: kept[at], default=None)
            if best is not None and kept[best] >= 0.5:
                found[place], first = best, best + 1
        found[j : j + size] = range(i, i + size)
        first, start = i + size, j + size
    return found


def _kept(old: Facts, new: Facts) -> float:
    """The share of the old facts that still hold; of no facts, all do."""
    return sum(new.get(fact) == value for fact, value in old.items()) / len(old) if old else 1


class _Splice:
    """One rewriting: the nodes of the text, and the edits so far."""

    def __init__(self, text: str, now: Project, wanted: Project, base: RuleBase, item_by_item: bool) -> None:
        self.edits = Edits(text)
        self.root = spots(text)
        self.now, self.wanted, self.base, self.item_by_item = now, wanted, base, item_by_item
        self.json = _is_json(text)

    def done(self) -> str:
        """The new text. Raises OverlapError."""
        if self.now.name != self.wanted.name:
            entry = self.root.get("project")
            if entry is None:
                self.section("project", [], self.write(self.wanted.name))
            else:
                self.value(*entry, self.wanted.name)
        self.shared("path", self.now.path, self.wanted.path)
        self.shared("app", self.now.app, self.wanted.app)
        self.features()
        return self.edits.done()

    # --- sections -----------------------------------------------------------------------------------------------------

    def shared(self, scope: str, now: Facts, wanted: Facts) -> None:
        """The facts under `path:` or `app:`."""
        if now == wanted:
            return
        entry = self.root.get(scope)
        if entry is None:
            facts = [f"{fact}: {self.write(wanted[fact])}" for fact in self.ordered(wanted)]
            self.section(scope, facts, self.braces(wanted))
        elif entry[1].kind == "map":
            end = self.edits.block_end(entry[1].end, self.edits.column(entry[0].start))
            self.facts(entry[1], now, wanted, (entry[0].end, end))
        elif entry[1].empty and entry[1].style != "?" and not self.root.flow:
            self.fill(*entry, wanted)
        else:
            self.edits.value(*entry, self.braces(wanted))

    def section(self, name: str, lines: list[str], inline: str) -> None:
        """A new entry of the whole file, at its place among the others."""
        order = ["project", "path", "app", "features"]
        before = [entry for key in order[: order.index(name)] if (entry := self.root.get(key))]
        if self.root.flow:
            after = max((self.root.entries.index(entry) for entry in before), default=-1)
            self.flow_entries(self.root, set(), [(after, name, inline)])
            return
        indent = " " * self.edits.column(self.root.entries[0][0].start)
        new = [f"{indent}{name}:", *(f"{indent}  {line}" for line in lines)] if lines else [f"{indent}{name}: {inline}"]
        if before:
            last = max(before, key=lambda entry: entry[0].start)
            at = self.edits.block_end(max(last[1].end, last[0].end), len(indent))
            blank = self.edits.next_line(at) >= len(self.edits.text) or self.edits.blank(self.edits.next_line(at))
            self.edits.lines_after(at, [""] * blank + new)
        else:
            start = self.edits.line_start(self.root.entries[0][0].start)
            self.edits.put(start, start, "".join(line + self.edits.newline for line in new))

    def fill(self, key: Spot, value: Spot, wanted: Facts) -> None:
        """Facts under a heading that has none yet."""
        column = self.edits.column(key.start)
        end = self.edits.block_end(value.end, column)
        open_lines = {fact: at for fact in wanted if (at := self.open_line(fact, (value.end, end), ())) is not None}
        indent = min((self.edits.indent(at) for at in open_lines.values()), default=column + 2)
        indent = indent if indent > column else column + 2
        for fact in self.ordered(wanted):
            line = f"{' ' * indent}{fact}: {self.write(wanted[fact])}"
            self.line_at(open_lines.get(fact), fact, line, value.end)

    # --- one mapping of facts -----------------------------------------------------------------------------------------

    def facts(self, node: Spot, now: Facts, wanted: Facts, block: tuple[int, int]) -> None:
        """The facts of a mapping; `block` has its first and last place where it is in block style."""
        order = list(self.base.questions)
        kept = [(k, v) for k, v in node.entries if k.text == "name" or k.text in wanted]
        for key, value in kept:
            if key.text in wanted and wanted[key.text] != now[key.text]:
                self.value(key, value, wanted[key.text])
        drop = {i for i, entry in enumerate(node.entries) if entry not in kept}
        new = [fact for fact in self.ordered(wanted) if fact not in now]
        places = []
        for fact in new:
            earlier = [e for e in kept if e[0].text == "name" or order.index(e[0].text) < order.index(fact)]
            places.append(
                max(earlier, key=lambda e: order.index(e[0].text) if e[0].text in order else -1) if earlier else None
            )
        if node.flow:
            inserts = [
                (node.entries.index(place) if place else -1, fact, self.write(wanted[fact]))
                for fact, place in zip(new, places, strict=True)
            ]
            self.flow_entries(node, drop, inserts)
            return
        for i in sorted(drop):
            self.edits.drop_entry(*node.entries[i])
        first = node.entries[0][0]
        begin = self.edits.line_start(first.start)
        indent = " " * self.edits.column(first.start)
        for fact, place in zip(new, places, strict=True):
            line = f"{indent}{fact}: {self.write(wanted[fact])}"
            at = self.open_line(fact, block, node.entries)
            if at is None and place is None:
                self.edits.put(begin, begin, line + self.edits.newline)
            else:
                self.line_at(at, fact, line, max(place[0].end, place[1].end) if place else begin)

    def flow_entries(self, node: Spot, drop: set[int], new: Sequence[tuple[int, str, str]]) -> None:
        """A mapping in brackets without some entries and with new ones: after which, the key, the value."""
        if not drop and not new:
            return
        parts = [(key.start, max(key.end, value.end)) for key, value in node.entries]
        texts = [(after, f"{json.dumps(key) if self.json else key}: {value}") for after, key, value in new]
        self.edits.flow(node, parts, drop, texts)

    def open_line(self, fact: str, block: tuple[int, int], entries: Sequence[tuple[Spot, Spot]]) -> int | None:
        """A line `#fact: ...` in a block: a question that is not answered yet, as the template writes it."""
        pattern = re.compile(rf"^[ ]*#[ ]?{re.escape(fact)}[ ]*:", re.MULTILINE)
        for found in pattern.finditer(self.edits.text, *block):
            at = self.edits.line_start(found.end())
            if at >= block[0] and not any(key.start <= at < value.end for key, value in entries):
                return at
        return None

    def line_at(self, at: int | None, fact: str, line: str, after: int) -> None:
        """A new line: in the place of the template's open line `at`, else after it, else after the line of `after`."""
        if at is None:
            self.edits.lines_after(after, [line])
        elif self.edits.text[at : self.edits.line_end(at)].strip() == placeholder(self.base.questions[fact]):
            self.edits.put(at, self.edits.line_end(at), line)
        else:
            self.edits.lines_after(at, [line])

    # --- features -----------------------------------------------------------------------------------------------------

    def features(self) -> None:
        """The list of features: the same ones changed in their places, others removed and added."""
        entry = self.root.get("features")
        assert entry is not None  # the reader has seen them
        node = entry[1]
        was = same_features(self.now.features, self.wanted.features)
        column = self.edits.column(node.start)
        for old, feature in zip(was, self.wanted.features, strict=True):
            if old is not None:
                self.feature(node.items[old], self.now.features[old], feature, column)
        drop = {i for i in range(len(node.items)) if i not in was}
        new: list[tuple[int, Feature]] = []
        after = -1
        for old, feature in zip(was, self.wanted.features, strict=True):
            if old is not None:
                after = old
            else:
                new.append((after, feature))
        if node.flow:
            if drop or new:
                parts = [(item.start, item.end) for item in node.items]
                self.edits.flow(node, parts, drop, [(i, self.braces(f.facts, f.name)) for i, f in new])
            return
        for i in sorted(drop):
            self.drop_feature(node, i, column)
        for i, feature in new:
            self.add_feature(node, i, feature, column)

    def feature(self, node: Spot, now: Feature, wanted: Feature, column: int) -> None:
        """One feature in its place."""
        entry = node.get("name")
        if entry is not None and now.name != wanted.name:
            self.value(*entry, wanted.name)
        if now.facts != wanted.facts:
            self.facts(node, now.facts, wanted.facts, (node.start, self.edits.block_end(node.end, column)))

    def drop_feature(self, node: Spot, i: int, column: int) -> None:
        """A block list of features without this one, its comments and the blank lines before the next."""
        edits = self.edits
        start = edits.line_start(edits.dash(node.items[i], column))
        end = edits.next_line(edits.block_end(node.items[i].end, column))
        if i + 1 < len(node.items):
            while edits.blank(end):
                end = edits.next_line(end)
        else:
            while start and edits.blank(edits.line_start(start - 1)) and i:
                start = edits.line_start(start - 1)
        edits.put(start, end, "")

    def add_feature(self, node: Spot, after: int, feature: Feature, column: int) -> None:
        """One more feature after the one of this number (-1: before the first)."""
        edits, indent = self.edits, " " * column
        inner = " " * (node.items[0].start - edits.dash(node.items[0], column))
        inner = inner if edits.leads(node.items[0].start) is False and len(inner) < 9 else "  "
        lines = [f"{indent}-{inner[1:]}name: {self.write(feature.name)}"]
        lines += [f"{indent}{inner}{fact}: {self.write(feature.facts[fact])}" for fact in self.ordered(feature.facts)]
        if after < 0:
            start = edits.line_start(edits.dash(node.items[0], column))
            edits.put(start, start, "".join(line + edits.newline for line in [*lines, ""]))
            return
        gaps = [edits.text[item.end : other.start].split(edits.newline) for item, other in pairwise(node.items)]
        apart = not gaps or any(not line.strip() for gap in gaps for line in gap[1:-1])
        edits.lines_after(edits.block_end(node.items[after].end, column), [""] * apart + lines)

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, key: Spot, value: Spot, wanted: Value) -> None:
        """Another value for a key, in the style of the present one."""
        inner = value.get("other") if value.kind == "map" else None
        if isinstance(wanted, Other) and inner is not None and self.item_by_item:
            self.edits.value(*inner, self.restyled(inner[1], wanted.text))
        elif isinstance(wanted, tuple) and wanted and value.kind == "seq" and value.items and self.item_by_item:
            self.choices(value, wanted)
        else:
            self.edits.value(key, value, self.restyled(value, wanted))

    def choices(self, node: Spot, wanted: tuple[str | Other, ...]) -> None:
        """A list of options: what is no longer chosen goes, what is new comes last."""
        texts = [str(choice.text if isinstance(choice, Other) else choice) for choice in wanted]
        here = [item.entries[0][1].text if item.entries else item.text for item in node.items]
        same = SequenceMatcher(None, here, texts, autojunk=False) if any(isinstance(c, Other) for c in wanted) else None
        kept = (
            {i + j for i, _, size in same.get_matching_blocks() for j in range(size)}
            if same
            else {i for i, text in enumerate(here) if text in texts}
        )
        drop = {i for i in range(len(here)) if i not in kept}
        new = [self.write(c) for c, text in zip(wanted, texts, strict=True) if text not in {here[i] for i in kept}]
        last = max(kept, default=-1)
        if node.flow:
            self.edits.flow(node, [(i.start, i.end) for i in node.items], drop, [(last, text) for text in new])
            return
        if last < 0:
            raise OverlapError  # no item stays: the whole list is rewritten
        column = self.edits.column(node.start)
        for i in sorted(drop):
            dash = self.edits.dash(node.items[i], column)
            self.edits.drop_lines(dash, node.items[i].end)
        self.edits.lines_after(node.items[last].end, [f"{' ' * column}- {text}" for text in new])

    def restyled(self, old: Spot, wanted: Value) -> str:
        """A value, with the old value's quotes and its words for yes, no and unknown."""
        new = self.write(wanted)
        if self.json or old.kind != "scalar":
            return new
        if isinstance(wanted, bool) and old.text in ("true", "false"):
            return "true" if wanted else "false"
        if isinstance(wanted, Unknown) and old.text in ("~", "null"):
            return old.text
        if isinstance(wanted, str) and wanted.isprintable():
            if old.style == "'":
                return "'" + wanted.replace("'", "''") + "'"
            if old.style == '"' and not new.startswith('"'):
                return f'"{new}"'
        return new

    def write(self, value: Value) -> str:
        """A value in one line."""
        return json.dumps(plain(value), ensure_ascii=False) if self.json else written(value)

    def braces(self, facts: Facts, name: str | None = None) -> str:
        """Facts in brackets, after the name if there is one."""
        entries: list[tuple[str, Value]] = [("name", name)] if name is not None else []
        entries += [(fact, facts[fact]) for fact in self.ordered(facts)]
        return f"{{{', '.join(f'{json.dumps(k) if self.json else k}: {self.write(v)}' for k, v in entries)}}}"

    def ordered(self, facts: Facts) -> list[str]:
        """The facts in the order of the questions."""
        return [fact for fact in self.base.questions if fact in facts]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
