"""Which ends of the decision the cases of a box come to; what is worked out for one box answers all narrower ones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from advisor.engine.decision_diagram import CANNOT, Diagram
from advisor.model.boxes import Box, bits
from advisor.model.rulebase import RuleBase


class Reach:
    """The diagram as far as one box goes: each node's children that are left, and the ends that they lead to."""

    def __init__(self, box: Box, diagram: Diagram) -> None:
        self.box, self.diagram = box, diagram
        self.position = {variable: i for i, variable in enumerate(diagram.order)}
        self.bit = {name: 1 << i for i, name in enumerate(diagram.ends)}
        self.left = diagram.left(box)
        self.leads: dict[int, int] = {}  # to which ends, one bit for each
        for node in sorted(self.left):  # children come before parents
            leads = 0 if self.left[node] else 1 << node
            for child in self.left[node]:
                leads |= self.leads[child]
            self.leads[node] = leads

    @staticmethod
    def of(box: Box, base: RuleBase) -> Reach:
        """The reach of a box, kept: an answer is previewed before it is given."""
        return _kept(frozenset(box.items()), base)

    def possible(self) -> frozenset[str]:
        """Every primary that some case of the box gives (NONE for none)."""
        leads = self.leads[self.diagram.root]
        return frozenset(name for name, bit in self.bit.items() if leads & bit and name != CANNOT)

    def relevant(self) -> set[int]:
        """The variables that still matter to the primary, as the diagram has it."""
        return self.diagram.relevant_among(self.left, self.box)

    def reaches(self, narrow: Box, patterns: Iterable[str]) -> bool:
        """Whether some case of a box inside this one comes to one of these ends."""
        wanted = 0
        for pattern in patterns:
            wanted |= self.bit.get(pattern, 0)
        limited: dict[int, list[int]] = {}
        for variable, mask in narrow.items():
            if self.box.get(variable) != mask and variable in self.position:
                limited[self.position[variable]] = bits(mask)
        last = max(limited, default=-1)
        asks, children, leads = self.diagram.asks, self.diagram.children, self.leads
        seen: set[int] = set()
        waiting = [self.diagram.root]
        while waiting:
            node = waiting.pop()
            if node in seen or not leads[node] & wanted:
                continue
            if asks[node] > last:
                return True  # nothing below it asks what the narrower box limits
            seen.add(node)
            values = limited.get(asks[node])
            waiting += self.left[node] if values is None else [children[node][value] for value in values]
        return False


@lru_cache(maxsize=128)  # a megabyte each, at most
def _kept(items: frozenset[tuple[int, int]], base: RuleBase) -> Reach:
    return Reach(dict(items), Diagram.of(base))
