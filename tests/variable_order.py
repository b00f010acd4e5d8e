"""Find an order of variables in which the decision diagram is small: `python tests/variable_order.py` (two minutes).

Writes rules/order.yaml. The method is sifting (R. Rudell, "Dynamic variable ordering for ordered binary decision
diagrams", 1993): each variable is moved through the whole order, neighbours swapping places, and left where the diagram
is smallest; the variables with most nodes first. The decision is the same in every order; only size and speed differ.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import advisor
from advisor.engine.decision_diagram import Diagram

FILE = Path(__file__).resolve().parent.parent / "rules" / "order.yaml"
HEAD = """\
# The order in which the decision diagram asks the variables. It changes no decision, only how large the diagram is.
# Written by `python tests/variable_order.py`; variables that are not named here are asked last.
order:
"""
WORSE = 1.5  # times as large: then a variable is not moved further in this direction


class Sifted:
    """A diagram whose neighbouring variables can swap places. A node keeps its number when its variable changes."""

    def __init__(self, diagram: Diagram) -> None:
        ends = range(len(diagram.ends))
        self.order = list(diagram.order)
        self.values = {v: len(diagram.base.variables[v].values) for v in self.order}
        self.root = diagram.root
        self.asks = [-1 if n in ends else diagram.order[diagram.asks[n]] for n in range(len(diagram.asks))]
        self.children = list(diagram.children)
        self.number = {(self.asks[n], c): n for n, c in enumerate(self.children) if c}
        self.of: dict[int, set[int]] = defaultdict(set)  # variable -> its nodes
        for (variable, _), n in self.number.items():
            self.of[variable].add(n)

    def swap(self, at: int) -> int:
        """Let the variables at this place and the next change places; return the size of the diagram then."""
        upper, lower = self.order[at], self.order[at + 1]
        moved = [n for n in self.of[upper] if any(self.asks[child] == lower for child in self.children[n])]
        for n in moved:
            del self.number[upper, self.children[n]]
        self.of[upper].difference_update(moved)
        for n in moved:
            after = tuple(
                self._node(upper, tuple(self.children[c][j] if self.asks[c] == lower else c for c in self.children[n]))
                for j in range(self.values[lower])
            )
            self.asks[n], self.children[n] = lower, after
            self.number[lower, after] = n
            self.of[lower].add(n)
        self.order[at], self.order[at + 1] = lower, upper
        return self._sweep()

    def _node(self, variable: int, children: tuple[int, ...]) -> int:
        if all(child == children[0] for child in children):
            return children[0]
        found = self.number.get((variable, children))
        if found is None:
            found = self.number[variable, children] = len(self.asks)
            self.asks.append(variable)
            self.children.append(children)
            self.of[variable].add(found)
        return found

    def _sweep(self) -> int:
        """Drop the nodes that the root no longer reaches; return how many are left."""
        seen, waiting = {self.root}, [self.root]
        while waiting:
            fresh = set(self.children[waiting.pop()]) - seen
            seen |= fresh
            waiting += fresh
        for nodes in self.of.values():
            dead = nodes - seen
            for n in dead:
                del self.number[self.asks[n], self.children[n]]
            nodes.difference_update(dead)
        return len(seen)

    def sift(self, variable: int, size: int) -> int:
        """Move one variable to its best place; return the size of the diagram then."""
        at = self.order.index(variable)
        best, place = size, at
        for step, end in ((1, len(self.order) - 1), (-1, 0)):
            while at != end:
                now = self.swap(min(at, at + step))
                at += step
                if now < best:
                    best, place = now, at
                if now > WORSE * size:
                    break
        while at != place:
            step = 1 if at < place else -1
            self.swap(min(at, at + step))
            at += step
        return best


def main() -> None:
    base = advisor.load_rules()
    sifted = Sifted(Diagram.build(base))
    size = before = sifted._sweep()
    for _ in range(2):
        for variable in sorted(sifted.order, key=lambda v: -len(sifted.of[v])):
            size = sifted.sift(variable, size)
    FILE.write_text(HEAD + "".join(f"  - {base.variables[v].name}\n" for v in sifted.order))
    print(f"{before} nodes before, {size} now: {FILE}")


if __name__ == "__main__":
    main()
