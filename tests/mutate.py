"""Would anybody notice? Every rule is dropped, and every condition dropped, negated or swapped for another answer.

`python tests/mutate.py [RULE-ID ...]` prints the share of mutants that the prover, an example, a boundary case or a
scenario notices, and the survivors. Stored output does not count. All of them take half an hour of processor time and
have to come to 95 %. `--write` keeps the survivors in a file; a part (`--part K/N`, every N-th) or the mutants of some
rules must have none beside those.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import score
from support.boundary_cases import broken

from advisor.answers.file import parse
from advisor.engine.decision import accepted, decide, excluding, holds, know, offered, with_pattern
from advisor.engine.portfolio import Neighbours
from advisor.model.conditions import WORDS, ConditionError, Space
from advisor.model.rulebase import PATTERN, Example, RuleBase
from advisor.ruleset.cache import load
from advisor.ruleset.examples import instead
from advisor.ruleset.prove import prove

Mutant = tuple[str, RuleBase]
IN = " in situation "
LEAST = 0.95  # of all mutants have to be noticed
SURVIVORS = Path(__file__).resolve().parent / "mutants-unnoticed.txt"
HEAD = "# Written by `python tests/mutate.py --write`"


# --- mutants ----------------------------------------------------------------------------------------------------------


def mutants(base: RuleBase) -> Iterator[Mutant]:
    """Every mutant, with what was done to make it."""
    for part in ("excludes", "withholds", "accepts"):
        rules = getattr(base, part)
        for i, rule in enumerate(rules):
            for what, made in changed(rule, base, pattern=part == "accepts"):
                kept = (*rules[:i], *([made] if made else []), *rules[i + 1 :])
                yield what, base.replaced(**{part: kept}, diagram="")
    for s, step in enumerate(base.steps):
        for i, rule in enumerate(step.rules):
            for what, made in changed(rule, base, pattern=False):
                rules = (*step.rules[:i], *([made] if made else []), *step.rules[i + 1 :])
                steps = (*base.steps[:s], step._replace(rules=rules), *base.steps[s + 1 :])
                yield what, base.replaced(steps=steps, diagram="")
        if s:
            steps = (*base.steps[: s - 1], step, base.steps[s - 1], *base.steps[s + 1 :])
            yield f"step {step.id} before {base.steps[s - 1].id}", base.replaced(steps=steps, diagram="")
    for key, caveat in base.caveats.items():
        for what, made in changed(caveat, base, pattern=True):
            caveats = {k: c for k, c in base.caveats.items() if k != key or made}
            if made:
                caveats[key] = made
            yield what, base.replaced(caveats=caveats)


def changed(rule: Any, base: RuleBase, *, pattern: bool) -> Iterator[tuple[str, Any]]:
    """The rule dropped (None), with one pattern less, and with each condition dropped, negated or swapped."""
    yield f"{rule.id} dropped", None
    for i, name in enumerate(getattr(rule, "patterns", ())):
        if len(rule.patterns) > 1:
            yield f"{rule.id} without {name}", rule._replace(patterns=rule.patterns[:i] + rule.patterns[i + 1 :])
    space = Space([v for v in base.variables if pattern or v.name != PATTERN])
    itself = {f"{PATTERN} also {name}" for name in getattr(rule, "patterns", ()) if pattern and len(rule.patterns) == 1}
    for what, when in altered(rule.when, base):
        if what.partition(IN)[0] in itself:  # what is the primary needs no acceptance
            continue
        try:
            situations = space.situations(when)
        except ConditionError:
            continue
        nothing = [()] * len(rule.boxes)
        stated, presumed = getattr(rule, "stated", nothing), getattr(rule, "presumed", ()) or nothing
        if signs(situations) != signs(zip(rule.boxes, stated, presumed, strict=True)):
            made = {"boxes": tuple(box for box, _, _ in situations), "when": when}
            if hasattr(rule, "stated"):
                made["stated"] = tuple(facts for _, facts, _ in situations)
                made["presumed"] = tuple(facts for _, _, facts in situations)
            yield f"{rule.id}: {what}", rule._replace(**made)


def signs(situations: Iterable[tuple[dict[int, int], tuple[str, ...], tuple[str, ...]]]) -> set[Any]:
    """What tells two conditions apart: the boxes, each with the facts to be stated and those that are presumed."""
    return {(tuple(sorted(box.items())), tuple(stated), tuple(presumed)) for box, stated, presumed in situations}


def altered(when: Any, base: RuleBase) -> Iterator[tuple[str, Any]]:
    situations = when if isinstance(when, list) else [when]
    for i, situation in enumerate(situations):
        at = f"{IN}{i + 1}" if len(situations) > 1 else ""
        if len(situations) > 1:
            yield f"without situation {i + 1}", situations[:i] + situations[i + 1 :]
        for fact, wanted in situation.items():
            rest = {k: v for k, v in situation.items() if k != fact}
            if rest:
                yield f"without {fact}{at}", [*situations[:i], rest, *situations[i + 1 :]]
            for what, other in alternatives(fact, wanted, base) if fact not in WORDS else ():
                yield f"{fact} {what}{at}", [*situations[:i], {**situation, fact: other}, *situations[i + 1 :]]


def alternatives(fact: str, wanted: Any, base: RuleBase) -> Iterator[tuple[str, Any]]:
    if isinstance(wanted, dict):
        if set(wanted) == {"not"}:
            yield "not negated", wanted["not"]
        return
    yield "negated", {"not": wanted}
    names = wanted if isinstance(wanted, list) else [wanted]
    for i in range(len(names)):
        if len(names) > 1:
            yield f"without {names[i]}", names[:i] + names[i + 1 :]
    variable = base.variables[base.of_fact[fact][0]]
    values = [v for v in variable.values if v != "other"] if not variable.element else []
    other = next((v for v in values if v not in [str(n) for n in names] and values != ["no", "yes"]), None)
    if other is not None:
        yield f"also {other}", [*names, other]


# --- who notices ------------------------------------------------------------------------------------------------------


class Judged:
    """The scenarios as cases, decided fast: the primary of each feature and which labelled caveats are raised."""

    def __init__(self, base: RuleBase) -> None:
        self.labels = {(label.scenario, label.feature): label for label in score.labels(score.scenarios())}
        self.projects = []
        for item in score.scenarios():
            import json

            project = parse(json.dumps(item["answers"]), item["id"], base)
            self.projects.append((item["id"], project))

    def misses(self, base: RuleBase) -> set[str]:
        found = set()
        for scenario, project in self.projects:
            neighbours = Neighbours(project, base)
            for feature in project.features:
                name, facts = feature.name, project.answers(feature)
                label = self.labels[scenario, name]
                merged = neighbours.merged(name)
                case = know({**facts, "existing-connection": merged.connection} if merged else facts, base).lead
                primary = decide(case, base).primary
                where = f"{scenario}/{name}"
                if primary not in label.acceptable:
                    found.add(f"{where} {primary}")
                elif primary not in label.primary:
                    found.add(f"{where} best {primary}")
                if primary is not None:
                    full = with_pattern(case, primary, base)
                    fine = {primary, *dict(accepted(full, primary, base))}
                    found |= {f"{where} lacks {p}" for p in set(label.acceptable) - fine}
                    found |= {f"{where} accepts {p}" for p in set(label.never) & fine}
                    for caveat in label.must_warn:
                        if caveat not in base.caveats or not holds(base.caveats[caveat], full):
                            found.add(f"{where} warn {caveat}")
        return found


def notice(what: str, mutant: RuleBase, base: RuleBase, judged: Judged, before: set[str]) -> str:
    """Who notices the mutant: "" for nobody."""
    if any(True for _ in broken(mutant, what if what in base.caveats else "")):
        return "boundary"
    if broken_promises(mutant, base):
        return "example"
    findings = prove(mutant).findings
    if findings:
        return "prover"
    return "scenario" if judged.misses(mutant) - before else ""


def broken_promises(mutant: RuleBase, base: RuleBase) -> bool:
    """Whether an example beside a rule, the dropped one's included, does not come out any more."""
    excludes = [(e, "excluded") for rule in base.excludes for e in rule.examples]
    excludes += [(e, "withheld") for rule in base.withholds for e in rule.examples]
    choices = [(e, "primary") for step in base.steps for rule in step.rules for e in rule.examples]
    accepts = [(e, "acceptable") for rule in base.accepts for e in rule.examples]
    caveats = [(e, key) for key, caveat in base.caveats.items() for e in caveat.examples]
    return any(not _kept(example, kind, mutant) for example, kind in (*excludes, *choices, *accepts, *caveats))


def _kept(example: Example, kind: str, base: RuleBase) -> bool:
    case = know(example.given, base).lead
    if kind == "excluded":
        return excluding(example.expect, case, base) is not None
    if kind == "withheld":
        return not offered(example.expect, case, base)
    primary = decide(case, base).primary
    if kind == "primary" or primary is None:
        return primary == example.expect
    if kind == "acceptable":
        return example.expect in dict(accepted(with_pattern(case, primary, base), primary, base))
    if kind not in base.caveats:  # a mutant without it
        return example.expect != "raised"
    return not instead(base.caveats[kind], example, base)


def judged_part(only: list[str], part: int, of: int) -> tuple[Counter[str], list[str]]:
    """Who noticed how many of every `of`-th mutant from number `part` on ("" for nobody), and what nobody noticed."""
    base = load()
    judged = Judged(base)
    before = judged.misses(base)
    counts: Counter[str] = Counter()
    survivors = []
    for what, mutant in islice(mutants(base), part, None, of):
        rule = what.split(":")[0].split(" ")[0]
        if only and rule not in only:
            continue
        by = notice(rule, mutant, base, judged, before)
        counts[by] += 1
        if not by:
            survivors.append(what)
    return counts, survivors


def known_survivors() -> set[str]:
    """What nobody noticed when `--write` was used last."""
    return {line for line in SURVIVORS.read_text("utf-8").splitlines() if not line.startswith("#")}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rule", nargs="*", help="only mutants of these rules")
    parser.add_argument("--part", metavar="K/N", help="every N-th mutant, from number K on, in this process")
    parser.add_argument("--write", action="store_true", help=f"keep what nobody notices in {SURVIVORS.name}")
    options = parser.parse_args(words)
    base = load()
    assert not prove(base).findings, "mend the rules first: everything would look noticed"
    assert not [*broken(base)], "mend the boundary cases first: everything would look noticed"
    assert not broken_promises(base, base), "an example is not kept: everything would look noticed"
    start = time.monotonic()
    if options.part:
        part, of = map(int, options.part.split("/"))
        found = [judged_part(options.rule, part, of)]
    else:
        cores = os.cpu_count() or 1
        with ProcessPoolExecutor(cores) as pool:
            found = [*pool.map(judged_part, [options.rule] * cores, range(cores), [cores] * cores)]
    counts = sum((counted for counted, _ in found), Counter[str]())
    survivors = sorted(what for _, part in found for what in part)
    sys.stdout.write("".join(f"survives: {what}\n" for what in survivors))
    total, killed = counts.total(), counts.total() - len(survivors)
    by_whom = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if name)
    share = f"{killed} of {total} mutants noticed ({100 * killed / total:.1f} %)"
    sys.stdout.write(f"{share}: {by_whom}\n")
    sys.stderr.write(f"{time.monotonic() - start:.0f} s\n")
    if options.write:
        SURVIVORS.write_text("\n".join([f"{HEAD}: {share}", *survivors]) + "\n", "utf-8")
    if options.part or options.rule:
        new = sorted(set(survivors) - known_survivors())
        sys.stdout.write("".join(f"new: {what}\n" for what in new))
        return 1 if new else 0
    return 0 if killed / total >= LEAST else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
