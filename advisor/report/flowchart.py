"""The decision as a Mermaid flowchart: the steps in order, rules with their conditions in words, patterns as ends."""

from __future__ import annotations

import itertools
import re
import textwrap
from typing import TYPE_CHECKING

from advisor.base.errors import UsageError
from advisor.base.text import did_you_mean, visible
from advisor.model.conditions import say
from advisor.report import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from advisor.model.rulebase import Rule, RuleBase, Step
    from advisor.model.verdict import FeatureVerdict, Verdict

MARKS = {"true": "as the rule asks", "false": "otherwise", "unknown": "not known"}
WIDTH = 48  # characters of a label's line


def mermaid(base: RuleBase) -> str:
    """The whole decision, and the article's five steps beside it, as one `flowchart TD`, ending with a newline."""
    return "\n".join(["flowchart TD", *_decision(base), *_excludes(base), *_article(base)]) + "\n"


def of_step(name: str, base: RuleBase) -> str:
    """One step alone, which fits a page. Raises UsageError for a step that there is not."""
    found = next((step for step in base.steps if step.id == name), None)
    if found is None:
        names = [step.id for step in base.steps]
        raise UsageError(
            f"there is no step {name!r}{did_you_mean(name, names) or '; the steps are ' + ', '.join(names)}"
        )
    step = node("s", found.id)
    lines = ["flowchart TD", f"  {step}{{{{{label(f'{found.number}. {found.title}')}}}}}"]
    ends = dict.fromkeys(p for rule in found.rules for p in rule.patterns)
    lines += [f"  {node('p', pattern)}([{label(words.title(pattern, base))}])" for pattern in ends]
    for rule in found.rules:
        lines.append(f"  {step} --> {_rule('r', rule, base)}")
        lines += _choices(node("r", rule.id), rule.patterns)
    return "\n".join(lines) + "\n"


def walked(verdict: Verdict, base: RuleBase) -> str:
    """The steps that each feature walked through, with the rules that were tried in the step that decided."""
    lines = ["flowchart TD"]
    for number, feature in enumerate(verdict["features"], 1):
        lines.append(f"  subgraph feature_{number} [{label(visible(feature['name']))}]")
        lines += [f"    {line}" for line in _walk(f"f{number}", feature, base)]
        lines.append("  end")
    return "\n".join(lines) + "\n"


def _walk(prefix: str, feature: FeatureVerdict, base: RuleBase) -> Iterator[str]:
    passed = [step["title"] for step in feature["steps"] if step["state"] == "passed"]
    decided = next((step for step in feature["steps"] if step["state"] == "decided"), None)
    end = f"{prefix}_end"
    primary = feature["primary"]
    yield f"{end}([{label(words.title(primary, base) if primary else 'No pattern fits')}])"
    before = ""
    if passed:
        before = f"{prefix}_passed"
        yield f"{before}[{label('Steps that nothing in the answers asks for:', *passed)}]"
    if decided is None:
        if before:
            yield f"{before} --> {end}"
        return
    step = f"{prefix}_step"
    yield f"{step}{{{{{label(decided['title'])}}}}}"
    if before:
        yield f"{before} --> {step}"
    for rule in decided["rules"]:
        name = f"{prefix}_{node('r', rule['rule'])}"
        facts = [f"{c['fact']}: {MARKS[c['result']]}" for c in rule["conditions"]]
        yield f"{name}[{label(rule['rule'], *facts)}]"
        yield f"{step} {'==>' if rule['rule'] == decided['rule'] else '-.->'} {name}"
        if rule["rule"] == decided["rule"]:
            yield f"{name} ==> {end}"


def label(*lines: str) -> str:
    """A quoted Mermaid label; every character that Mermaid or HTML would read is a character reference."""
    wrapped = [part for line in lines for part in textwrap.wrap(line, WIDTH, break_on_hyphens=False) or [""]]
    return '"' + "<br/>".join(map(escape, wrapped)) + '"'


def escape(text: str) -> str:
    """Text for the inside of a quoted label: `#` and what HTML reads become `#code;`, Mermaid's own references."""
    return re.sub(r"""[#&<>"'`\\;]""", lambda m: f"#{ord(m[0])};", text)


def node(kind: str, name: str) -> str:
    """A node's id: letters, digits and underscores, with the kind in front so that no keyword can come out."""
    return f"{kind}_{re.sub(r'[^A-Za-z0-9]', '_', name)}"


def _decision(base: RuleBase) -> Iterator[str]:
    yield '  start(["The answers"])'
    used = dict.fromkeys(p for step in base.steps for rule in step.rules for p in rule.patterns)
    used.update(dict.fromkeys(p for rule in base.excludes for p in rule.patterns))
    for pattern in used:
        yield f"  {node('p', pattern)}([{label(words.title(pattern, base))}])"
    yield '  none(["No pattern fits"])'
    names = [node("s", step.id) for step in base.steps]
    if names:
        yield f"  start --> {names[0]}"
    for step, name, after in zip(base.steps, names, [*names[1:], "none"], strict=True):
        yield f"  {name}{{{{{label(f'{step.number}. {step.title}')}}}}}"
        for rule in step.rules:
            yield f"  {name} --> {_rule('r', rule, base)}"
            yield from _choices(node("r", rule.id), rule.patterns)
        yield f"  {name} -. no rule holds .-> {after}"


def _choices(name: str, patterns: Sequence[str]) -> Iterator[str]:
    for i, pattern in enumerate(patterns):
        arrow = "==>" if i == 0 else "-. if the former is excluded .->"
        yield f"  {name} {arrow} {node('p', pattern)}"


def _rule(kind: str, rule: Rule, base: RuleBase) -> str:
    return f"{node(kind, rule.id)}[{label(rule.id, say(rule.when, base))}]"


def _excludes(base: RuleBase) -> Iterator[str]:
    if not base.excludes:
        return
    yield '  subgraph excludes ["Excluded beforehand"]'
    yield from (f"    {_rule('x', rule, base)}" for rule in base.excludes)
    yield "  end"
    for rule in base.excludes:
        yield from (f"  {node('x', rule.id)} --x {node('p', pattern)}" for pattern in rule.patterns)


def _article(base: RuleBase) -> Iterator[str]:
    yield '  subgraph article ["The five steps of the article"]'
    yield from (f"    {line}" for line in _article_steps(base.article, base))
    yield "  end"


def _article_steps(steps: Sequence[Step], base: RuleBase) -> Iterator[str]:
    names = [node("a", step.id) for step in steps]
    for step, name in zip(steps, names, strict=True):
        yield f"{name}{{{{{label(f'{step.number}. {step.title}')}}}}}"
        for rule in step.rules:
            kept = ", ".join(words.title(pattern, base) for pattern in rule.patterns)
            yield f"{name} --> {_rule('ar', rule, base)}"
            yield f"{node('ar', rule.id)} ==> {node('ak', rule.id)}([{label(f'keeps {kept}')}])"
    yield from (f"{one} -. then .-> {other}" for one, other in itertools.pairwise(names))
