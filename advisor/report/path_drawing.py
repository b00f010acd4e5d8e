"""The steps as walked, drawn: a trunk with a station each, branches to what a step can give, and the path taken."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from advisor.report import svg, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.model.rulebase import Rule, RuleBase, Step
    from advisor.model.verdict import WalkedStep

WIDTH, TRUNK, LEFT = 360, 15, 36  # units: the drawing, the trunk's x, where text begins
LINE, SMALL, CHIP, GAP = 17, 15, 26, 12  # heights: a line of each kind, a chip; and between stations
COLUMNS, SMALL_COLUMNS, CHIP_COLUMNS = 42, 46, 34  # characters that fit, in wide letters too


def walk(
    steps: Sequence[WalkedStep], given: Sequence[Step], end: str | None, base: RuleBase, title: str, name: str
) -> str:
    """The drawing. `steps` are the verdict's; `given` are the same in the rule base, which knows all their branches.

    `end` is the pattern in which the path ends, None where it ends in none; `name` is unique on the page.
    """
    parts: list[str] = []
    y = 16.0
    ends: list[tuple[float, str]] = []
    rules = {step.id: step.rules for step in given}
    for number, step in enumerate(steps, 1):
        ends.append((y, step["state"]))
        made, height = _station(number, step, y)
        parts += made
        if step["state"] == "decided" and end:
            chip, more = _end(words.title(end, base), y, y + height)
            parts += chip
        else:
            chip, more = _branches(step, rules.get(step["step"], ()), y, y + height, base)
            parts = [*chip, *parts]
        y += height + more + GAP
    told = "; ".join(f"{i}. {step['title']} {step['state']}" for i, step in enumerate(steps, 1))
    described = f"{told}. {f'The path ends in {words.title(end, base)}.' if end else 'The path ends in no pattern.'}"
    return svg.drawing(*_trunk(ends), *parts, width=WIDTH, height=y - GAP, title=title, described=described, name=name)


def _trunk(ends: list[tuple[float, str]]) -> Iterator[str]:
    for (above, state), (below, _) in itertools.pairwise(ends):
        kind = "walked" if state == "passed" else "ahead"
        yield svg.tag("line", x1=TRUNK, y1=f"{above:g}", x2=TRUNK, y2=f"{below:g}", class_=kind)


def _station(number: int, step: WalkedStep, y: float) -> tuple[list[str], float]:
    """One step at height `y`: its parts, and how high they are."""
    state = step["state"]
    parts = [
        svg.tag("circle", cx=TRUNK, cy=f"{y:g}", r=11, class_=f"station {state}"),
        svg.text(str(number), TRUNK, y + 4, class_=f"number {state}", text_anchor="middle"),
    ]
    lines = svg.lines(step["title"], COLUMNS)
    parts += [svg.text(line, LEFT, y + 5 + i * LINE, class_=f"step {state}") for i, line in enumerate(lines)]
    return parts, 5 + len(lines) * LINE


def _branches(step: WalkedStep, rules: Sequence[Rule], y: float, at: float, base: RuleBase) -> tuple[list[str], float]:
    """What the step could give, or keeps where one of its rules held: a bend from `y`, and words from `at` on."""
    held = [rule for rule in rules if rule.id == step["rule"]]
    patterns = dict.fromkeys(pattern for rule in held or rules for pattern in rule.patterns)
    if not patterns:
        return [], 0
    leads = ", ".join(words.title(pattern, base) for pattern in patterns)
    lines = svg.lines(f"{'keeps' if held else 'could give'} {leads}", SMALL_COLUMNS)
    kind = "leads taken" if held else "leads"
    parts = [_bend(y, at - 3, "kept" if held else "branch")]
    parts += [svg.text(line, LEFT, at + 1 + i * SMALL, class_=kind) for i, line in enumerate(lines)]
    return parts, len(lines) * SMALL


def _end(title: str, y: float, at: float) -> tuple[list[str], float]:
    """The pattern in which the path ends, on a chip at the end of the last bend."""
    (line, *_) = svg.lines(title, CHIP_COLUMNS)
    middle = at + CHIP / 2 - 6
    chip = svg.tag(
        "rect", x=LEFT, y=f"{middle - CHIP / 2:g}", width=WIDTH - LEFT - 4, height=CHIP, rx=CHIP / 2, class_="chip"
    )
    return [
        _bend(y, middle, "taken"),
        chip,
        svg.text(line, LEFT + 16, middle + 5, class_="chip-text"),
    ], CHIP + 2


def _bend(y: float, to: float, kind: str) -> str:
    return svg.tag("path", d=f"M{TRUNK} {y + 11:g} Q{TRUNK} {to:g} {LEFT - 4} {to:g}", class_=kind)
