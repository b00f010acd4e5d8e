"""The decision as a reduced decision diagram: what can still come out, what still matters, what is nearest. Exact.

An end is a pattern, NONE (no rule gives one) or CANNOT (such a case does not occur). An inner node asks one variable
and has a child for each of its values; no two nodes are alike and none has only one child, so a node that is there
matters. The rules are laid over each other from the last to the first, so the diagram stays small while it grows.
How small depends much on the order in which the variables are asked: rules/order.yaml has a good one for the shipped
rules, and what it does not name is asked last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

from advisor.engine.space import cannot_occur
from advisor.model.boxes import Box, bits
from advisor.model.rulebase import RuleBase

NONE = ""
CANNOT = "\0"
MOST_CHANGES = 3  # variables
Changes = dict[int, int]  # variable number -> value number


class TooWideError(Exception):
    """The diagram grew over its budget. Rule bases like the shipped one need a hundredth of it."""


class Diagram:
    """The function from cases to the primary pattern, over the variables of `order`.

    `ends[i]` is node i's pattern; inner nodes follow the ends: `asks[n]` is the position in `order` that node n asks,
    `children[n]` the node for each value.
    """

    def __init__(self, base: RuleBase, order: Sequence[int], ends: Sequence[str], budget: int = 200_000) -> None:
        self.base = base
        self.order = tuple(order)
        self.ends = tuple(ends)
        self.budget = budget
        self.asks: list[int] = [len(self.order)] * len(ends)
        self.children: list[tuple[int, ...]] = [()] * len(ends)
        self.root = 0
        self._numbers: dict[tuple[int, tuple[int, ...]], int] = {}

    # --- building -----------------------------------------------------------------------------------------------------

    @staticmethod
    def build(base: RuleBase) -> Diagram:
        """Lay the rules over each other, last first. Raises TooWideError."""
        rules = [(rule.boxes, rule.patterns) for step in base.steps for rule in step.rules]
        outs = [(rule.boxes, rule.patterns) for rule in base.excludes]
        impossible = cannot_occur(base, [box for boxes, _ in (*rules, *outs) for box in boxes])
        read = dict.fromkeys((*decision_order(base), *(v for box in impossible for v in box)))
        order = [*(v for v in base.order if v in read), *(v for v in read if v not in base.order)]
        made = Diagram(base, order, (NONE, CANNOT, *base.patterns))
        end = {name: number for number, name in enumerate(made.ends)}
        made.root = end[NONE]
        for boxes, patterns in reversed(rules):
            chosen = made.root  # where all patterns of a rule are excluded, the next rule decides
            for pattern in reversed(patterns):
                rest = chosen
                chosen = end[pattern]
                for out, names in outs:
                    if pattern in names:
                        for box in out:
                            chosen = made.lay(box, rest, chosen)
            for box in boxes:
                made.root = made.lay(box, chosen, made.root)
        for box in impossible:
            made.root = made.lay(box, end[CANNOT], made.root)
        return made.compact()

    def lay(self, box: Box, inside: int, outside: int) -> int:
        """The node that is `inside` for the cases of the box and `outside` for all others."""
        position = {variable: i for i, variable in enumerate(self.order)}
        limits = sorted((position[variable], mask) for variable, mask in box.items())
        return self._lay(limits, 0, inside, outside, {})

    def _lay(
        self, limits: list[tuple[int, int]], at: int, inside: int, outside: int, memo: dict[tuple[int, int, int], int]
    ) -> int:
        if inside == outside or at == len(limits):
            return inside
        key = (at, inside, outside)
        found = memo.get(key)
        if found is None:
            first = min(limits[at][0], self.asks[inside], self.asks[outside])
            mask, after = -1, at
            if limits[at][0] == first:
                mask, after = limits[at][1], at + 1
            children = []
            for value in range(len(self.base.variables[self.order[first]].values)):
                out = self.child(outside, first, value)
                if mask >> value & 1:
                    children.append(self._lay(limits, after, self.child(inside, first, value), out, memo))
                else:
                    children.append(out)
            found = memo[key] = self._node(first, tuple(children))
        return found

    def child(self, node: int, position: int, value: int) -> int:
        """The node after the variable at `position` has this value; the node itself where it does not ask it."""
        return self.children[node][value] if self.asks[node] == position else node

    def _node(self, position: int, children: tuple[int, ...]) -> int:
        if all(child == children[0] for child in children):
            return children[0]
        key = (position, children)
        number = self._numbers.get(key)
        if number is None:
            number = len(self.asks)
            if number > self.budget:
                raise TooWideError
            self._numbers[key] = number
            self.asks.append(position)
            self.children.append(children)
        return number

    def compact(self) -> Diagram:
        """The same diagram with only the nodes that the root reaches, children before parents."""
        made = Diagram(self.base, self.order, self.ends, self.budget)
        new = {number: number for number in range(len(self.ends))}
        for node in sorted(self.left({})):
            if node >= len(self.ends):
                new[node] = made._node(self.asks[node], tuple(new[child] for child in self.children[node]))
        made.root = new[self.root]
        return made

    def text(self) -> str:
        """As JSON, which `of` reads."""
        inner = range(len(self.ends), len(self.asks))
        nodes = [[self.asks[n], *self.children[n]] for n in inner]
        data = {"order": self.order, "ends": self.ends, "root": self.root, "nodes": nodes}
        return json.dumps(data, separators=(",", ":"))

    @staticmethod
    @lru_cache(maxsize=16)
    def of(base: RuleBase) -> Diagram:
        """The diagram of a rule base: the one that came with it, or a new one. Raises TooWideError."""
        if not base.diagram:
            return Diagram.build(base)
        data = json.loads(base.diagram)
        made = Diagram(base, data["order"], data["ends"])
        numbers = list(range(len(data["ends"]) + len(data["nodes"])))  # the same ints in every tuple: half the memory
        for position, *children in data["nodes"]:
            made.asks.append(position)
            made.children.append(tuple([numbers[child] for child in children]))
        made.root = data["root"]
        return made

    @cached_property
    def distinct(self) -> list[tuple[int, ...]]:
        """The children of each node, each once."""
        return [tuple(dict.fromkeys(children)) for children in self.children]

    # --- questions ----------------------------------------------------------------------------------------------------

    def outcome(self, case: Sequence[int]) -> str:
        """The primary of one full case (NONE or CANNOT where there is none)."""
        node = self.root
        while self.children[node]:
            node = self.children[node][case[self.order[self.asks[node]]]]
        return self.ends[node]

    def left(self, known: Box) -> dict[int, tuple[int, ...]]:
        """Every node that some completion of what is known passes through, ends included, and its children there."""
        masks = [known.get(variable, self.base.full[variable]) for variable in self.order]
        limited = [mask != self.base.full[v] for mask, v in zip(masks, self.order, strict=True)]
        values = [bits(mask) for mask in masks]
        found: dict[int, tuple[int, ...]] = {}
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if node not in found:
                children = self.distinct[node]
                if children and limited[self.asks[node]]:
                    every = self.children[node]
                    children = tuple(dict.fromkeys([every[value] for value in values[self.asks[node]]]))
                found[node] = children
                waiting += children
        return found

    def possible(self, known: Box) -> set[str]:
        """Every primary that some completion gives (NONE for none)."""
        return {self.ends[n] for n in self.left(known) if n < len(self.ends)} - {CANNOT}

    def relevant(self, known: Box) -> set[int]:
        """The variables that still matter: two completions that differ in nothing else give different primaries."""
        return self.relevant_among(self.left(known), known)

    def relevant_among(self, left: Mapping[int, tuple[int, ...]], known: Box) -> set[int]:
        """`relevant`, from what `left` gave for the same box."""
        memo: dict[tuple[int, int], bool] = {}
        found: set[int] = set()
        for node in sorted(left):
            after = left[node]
            if len(after) < 2 or self.order[self.asks[node]] in found:
                continue
            if any(self._differ(a, b, known, memo) for i, a in enumerate(after) for b in after[i + 1 :]):
                found.add(self.order[self.asks[node]])
        return found

    def _differ(self, a: int, b: int, known: Box, memo: dict[tuple[int, int], bool]) -> bool:
        """Whether some completion leads the two nodes to different ends, both of which can occur."""
        if a == b:
            return False
        if not self.children[a] and not self.children[b]:
            return CANNOT not in (self.ends[a], self.ends[b])
        key = (a, b) if a < b else (b, a)
        found = memo.get(key)
        if found is None:
            first = min(self.asks[a], self.asks[b])
            variable = self.order[first]
            found = memo[key] = any(
                self._differ(self.child(a, first, value), self.child(b, first, value), known, memo)
                for value in bits(known.get(variable, self.base.full[variable]))
            )
        return found

    def nearest(self, case: Sequence[int]) -> dict[str, Changes]:
        """For every other primary, the fewest variables to change from this case, and their new values.

        Of two sets with as many changes, the one that touches fewer settled facts and names no "something else". Sets
        of more than MOST_CHANGES are left out: a result that takes four other answers helps no reader.
        """
        settled = {i for q in self.base.questions.values() if q.settled for i in self.base.of_fact[q.id]}
        cost, furthest = {self.root: 0}, MOST_CHANGES * 102
        before: dict[int, tuple[int, int]] = {}  # node -> the node before it on the cheapest way, and the value taken
        for node in range(self.root, len(self.ends) - 1, -1):  # parents come before children
            if node not in cost:
                continue
            variable = self.order[self.asks[node]]
            price = 101 if variable in settled else 100
            names = self.base.variables[variable].values
            for value, child in enumerate(self.children[node]):
                vague = names[value] == "other"
                way = cost[node] + (price + vague if value != case[variable] else 0)
                if way <= furthest and (child not in cost or way < cost[child]):
                    cost[child] = way
                    before[child] = (node, value)
        here = self.outcome(case)
        found = {name: n for n, name in enumerate(self.ends) if n in cost and name not in (here, NONE, CANNOT)}
        return {name: self._way(case, n, before) for name, n in found.items()}

    def _way(self, case: Sequence[int], node: int, before: dict[int, tuple[int, int]]) -> Changes:
        changes: Changes = {}
        while node != self.root:
            node, value = before[node]
            variable = self.order[self.asks[node]]
            if value != case[variable]:
                changes[variable] = value
        return dict(reversed(changes.items()))


def decision_order(base: RuleBase) -> list[int]:
    """The variables that the decision reads, in the order in which its rules, then its exclusions, first name them."""
    rules = [*(rule for step in base.steps for rule in step.rules), *base.excludes]
    return list(dict.fromkeys(v for rule in rules for box in rule.boxes for v in box))
