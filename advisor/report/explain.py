"""What one id means: a question, a step, a rule, a pattern, a caveat, a platform, a limit, a cost, a figure, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from advisor.base.text import wrap
from advisor.model import platforms
from advisor.model.answers_in_words import named
from advisor.model.conditions import say, span
from advisor.model.rulebase import Place
from advisor.model.values import Other
from advisor.report import card_text, caveat_words, cost_tables, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from advisor.model.platforms import Card, Row
    from advisor.model.rulebase import (
        Band,
        Caveat,
        Derived,
        Evidence,
        Example,
        Impossible,
        Pattern,
        Prior,
        Question,
        Rule,
        RuleBase,
        Step,
    )
    from advisor.model.verdict import Kind
    from advisor.report.card_text import Day

KINDS: tuple[Kind, ...] = ("article", "source", "measured", "judgement")
Line: TypeAlias = "tuple[int, str]"  # indent, text


def explained(lines: Iterable[Line], width: int) -> str:
    """The lines of one thing, wrapped."""
    return "\n".join(_wrapped(lines, width))


def catalogue(base: RuleBase, now: Day) -> list[tuple[str, str, Callable[[], Iterator[Line]]]]:
    """Everything that has an id: its kind, the id, and what prints it. Kinds in the order in which they are shown.

    The age of the values of platforms is counted up to `now`.
    """
    steps = [("step", step) for step in base.steps] + [("article step", step) for step in base.article]
    rules: list[tuple[str, Step | None, Rule]] = [("exclusion", None, rule) for rule in base.excludes]
    rules += [(kind, step, rule) for kind, step in steps for rule in step.rules]
    rules += [("withholding", None, rule) for rule in base.withholds]
    rules += [("acceptance", None, rule) for rule in base.accepts]
    things: list[tuple[str, str, Callable[[], Iterator[Line]]]] = []
    things += [("question", q.id, _bind(_question, q, base)) for q in base.questions.values()]
    things += [("number", d.id, _bind(_derived, d, base)) for d in base.derived.values()]
    things += [("step", step.id, _bind(_step, (kind, step), base)) for kind, step in steps]
    things += [("rule", rule.id, _bind(_rule, (kind, step, rule), base)) for kind, step, rule in rules]
    things += [("pattern", p.id, _bind(_pattern, p, base)) for p in base.patterns.values()]
    things += [("caveat", c.id, _bind(_caveat, c, base)) for c in base.caveats.values()]
    things += [("prior", p.id, _bind(_prior, p, base)) for p in base.priors]
    things += [("impossible", i.id, _bind(_impossible, i, base)) for i in base.impossible]
    for card in platforms.cards(base).values():
        things.append(("platform", card.id, _bind(_platform, (card, now), base)))
        things += [("limit", row.id, _bind(_limit, (card, row, now), base)) for row in card.groups.get("limits", ())]
    things += [("cost", name, _bind(_cost, (name, f), base)) for name, f in base.tables["costs"]["formulas"].items()]
    things += [("apart", name, _bind(_apart, (name, a), base)) for name, a in base.tables["apart"].items()]
    for table in (base.tables["costs"], base.tables["timing"]):
        things += [("figure", name, _bind(_figure, (name, figure), base)) for name, figure in table["figures"].items()]
    return things


def _bind(
    render: Callable[[Any, RuleBase], Iterator[Line]], thing: Any, base: RuleBase
) -> Callable[[], Iterator[Line]]:
    return lambda: render(thing, base)


def _wrapped(lines: Iterable[Line], width: int) -> Iterator[str]:
    for indent, line in lines:
        if not line:
            yield ""
            continue
        pad = " " * indent
        hang = pad + "  " if line.startswith("- ") else pad
        yield from wrap(line, width, hang, pad).split("\n")


# --- each kind --------------------------------------------------------------------------------------------------------


def _question(question: Question, base: RuleBase) -> Iterator[Line]:
    yield 0, f"{question.id} (question about the {question.scope}, {question.type})"
    yield from ((0, ""), (2, question.ask), (2, f"Why: {question.why}"), (2, f"How to find out: {question.find_out}"))
    if question.options:
        yield 2, "Answers:"
        for option, label in question.options.items():
            yield 4, f"- {option}: {label}" if label != option else f"- {option}"
    yield from _bands(question.bands, question.unit)
    lead = named(question.id, question.lead, base)
    if question.mode == "assume":
        guess = question.type != "text" and not isinstance(question.lead, Other)
        yield 2, f"If unknown: assumes {lead if guess else 'nothing'} and lists the assumption."
    else:
        yield 2, f"If unknown: considers every answer; the headline is for {lead}."
    used = [name for name, when in _conditions(base) if _names(when, question.id)]
    used += [d.id for d in base.derived.values() if question.id in d.factors]
    if used:
        yield 2, f"Used by: {', '.join(dict.fromkeys(used))}."
    if question.feeds:
        yield 2, f"Also used for: {', '.join(question.feeds)}."
    yield 2, "In rules/questions.yaml."


def _derived(derived: Derived, base: RuleBase) -> Iterator[Line]:
    yield 0, f"{derived.id} (number calculated from answers)"
    yield from ((0, ""), (2, derived.title))
    up = " x ".join(f for f, e in derived.factors.items() for _ in range(max(e, 0))) or "1"
    down = [f for f, e in derived.factors.items() for _ in range(max(-e, 0))]
    yield 2, f"{derived.id} = {up}{''.join(f' / {f}' for f in down)}, in {derived.unit}."
    yield from _bands(derived.bands, derived.unit)
    used = [name for name, when in _conditions(base) if _names(when, derived.id)]
    if used:
        yield 2, f"Used by: {', '.join(dict.fromkeys(used))}."
    yield 2, "In rules/derived.yaml."


def _step(pair: tuple[str, Step], base: RuleBase) -> Iterator[Line]:
    kind, step = pair
    yield 0, f"{step.id} ({kind} {step.number})"
    yield from ((0, ""), (2, step.title), (2, "Rules:"))
    for rule in step.rules:
        yield 4, f"- {rule.id}: {say(rule.when, base)}, gives {', '.join(rule.patterns)}"
    yield 2, f"In {step.rules[0].place.file}." if step.rules else "It has no rules."


def _rule(triple: tuple[str, Step | None, Rule], base: RuleBase) -> Iterator[Line]:
    kind, step, rule = triple
    verb = {"exclusion": "excludes", "step": "chooses", "article step": "keeps", "acceptance": "also accepts",
            "withholding": "does not name besides"}[kind]  # fmt: skip
    yield 0, f"{rule.id} (rule: {kind if step is None else f'{kind} {step.id}'})"
    yield from ((0, ""), (2, rule.because), (2, f"When: {say(rule.when, base)}."))
    yield 2, f"It {verb}: {', '.join(words.title(p, base) for p in rule.patterns)}."
    if rule.raises:
        yield 2, f"When it decides, it raises: {', '.join(rule.raises)}."
    yield from _evidence(rule.evidence)
    yield from _examples(rule.examples, base, "excludes " if kind == "exclusion" else "")
    yield from _place(rule.place)


def _pattern(pattern: Pattern, base: RuleBase) -> Iterator[Line]:
    group = {
        "core": "one of the four patterns of the article",
        "extended": "in addition to the article's four patterns",
    }
    yield 0, f"{pattern.id} (pattern: {group.get(pattern.group, 'not compared by the article')})"
    yield from ((0, ""), (2, f"{pattern.title}. {pattern.summary}"))
    for title, items in (("Strengths:", pattern.strengths), ("Weaknesses:", pattern.weaknesses)):
        if items:
            yield 2, title
            yield from ((4, f"- {item}") for item in items)
    if pattern.nearest_core not in ("", pattern.id):
        yield 2, f"Nearest of the article's patterns: {words.title(pattern.nearest_core, base)}."
    if pattern.fallbacks:
        yield 2, f"Falls back to: {', '.join(words.title(p, base) for p in pattern.fallbacks)}."
    yield from _evidence(pattern.evidence)
    yield from _place(pattern.place)


def _caveat(caveat: Caveat, base: RuleBase) -> Iterator[Line]:
    yield 0, f"{caveat.id} (caveat: {caveat.severity})"
    yield from ((0, ""), (2, caveat.title), (2, f"Why: {caveat.why}"), (2, "Do:"))
    for advice in caveat.do:
        yield 4, f"- {caveat_words.where(advice)}: {advice.text}"
    yield 2, f"Raised when: {say(caveat.when, base)}."
    raising = [rule.id for rule in _rules(base) if caveat.id in rule.raises]
    if raising:
        yield 2, f"Also raised by the rules {', '.join(raising)}, when they decide."
    cures = dict.fromkeys(f"{cure.file} ({cure.check})" for cure in base.cures if cure.caveat == caveat.id)
    if cures:
        yield 2, f"Cured by files of the kit: {', '.join(cures)}."
    if caveat.yours:
        yield 2, f"No kit cures it: {caveat.yours}"
    yield from _evidence(caveat.evidence)
    yield from _examples(caveat.examples, base)
    yield from _place(caveat.place)


def _apart(named_apart: tuple[str, Any], base: RuleBase) -> Iterator[Line]:
    name, apart = named_apart
    conditions = [
        *(f"its {fact} is more than {n:g} times that of the other" for fact, n in apart["more_than_times"].items()),
        " or ".join(f"its {fact} is {named(fact, n, base)} or more" for fact, n in apart["at_least"].items()),
        " or ".join(f"{fact} of the other is below {named(fact, n, base)}" for fact, n in apart["below"].items()),
    ]
    yield 0, f"{name} (two features of one page on connections of their own)"
    yield from ((0, ""), (2, apart["because"]))
    yield 2, f"When: {', and '.join(c for c in conditions if c)}."
    yield from _place(Place(*apart["place"]))


def _prior(prior: Prior, base: RuleBase) -> Iterator[Line]:
    yield 0, f"{prior.id} (usual answers)"
    yield from (
        (0, ""),
        (2, prior.because),
        (2, f"When: {say(prior.when, base)}."),
        *([(2, f"Only while none of these is stated: {', '.join(prior.unsaid)}.")] if prior.unsaid else []),
        (2, "Assumes, unless stated otherwise:"),
    )
    yield from ((4, f"- {fact}: {named(fact, given, base)}") for fact, given in prior.usually.items())
    yield from _place(prior.place)


def _impossible(impossible: Impossible, base: RuleBase) -> Iterator[Line]:
    yield 0, f"{impossible.id} (answers that contradict each other)"
    yield from ((0, ""), (2, impossible.because), (2, f"Together: {say(impossible.when, base)}."))
    yield from _place(impossible.place)


def _platform(pair: tuple[Card, Day], base: RuleBase) -> Iterator[Line]:
    return card_text.lines(*pair, base)


def _limit(triple: tuple[Card, Row, Day], base: RuleBase) -> Iterator[Line]:
    return card_text.limit_lines(*triple, base)


def _cost(pair: tuple[str, dict[str, Any]], base: RuleBase) -> Iterator[Line]:
    name, formula = pair
    yield 0, f"{name} (cost, in {formula['unit']})"
    yield from ((0, ""), (2, f"{formula['title']}."))
    for of, arithmetic in cost_tables.formula_lines(formula, base):
        yield 2, f"{of or name} = {arithmetic}"
    yield from _raw_evidence(formula["evidence"])
    yield 2, "`advisor explain` explains each name in it."
    yield from _place(Place(*formula["place"]))


def _figure(pair: tuple[str, dict[str, Any]], base: RuleBase) -> Iterator[Line]:
    name, figure = pair
    yield 0, f"{name} (figure)"
    yield from ((0, ""), (2, f"{figure['title']}: {words.quantity(figure['value'])} {figure['unit']}."))
    yield from _raw_evidence(figure["evidence"])
    used = [
        formula
        for formula, f in base.tables["costs"]["formulas"].items()
        if any(name in str(text).replace("(", " ").replace(")", " ").split() for text in _texts(f["is"]))
    ]
    if used:
        yield 2, f"Used by: {', '.join(used)}."
    yield from _place(Place(*figure["place"]))


def _texts(arithmetic: Any) -> Iterable[Any]:
    return arithmetic.values() if isinstance(arithmetic, dict) else [arithmetic]


# --- parts ------------------------------------------------------------------------------------------------------------


def _bands(bands: Iterable[Band], unit: str) -> Iterator[Line]:
    listed = list(bands)
    if listed:
        yield 2, "Bands:"
        yield from ((4, f"- {band.id}: {span(band.low, band.high, unit)}") for band in listed)


def _evidence(items: Iterable[Evidence]) -> Iterator[Line]:
    yield 2, "Evidence:"
    for item in items:
        yield 4, f"- {words.evidence(item.data())}"
        if item.url:
            yield 6, item.url


def _raw_evidence(items: Iterable[dict[str, Any]]) -> Iterator[Line]:
    """Evidence as it is in a table that the program takes as plain data."""
    yield 2, "Evidence:"
    for item in items:
        kind: Kind = next(k for k in KINDS if k in item)
        text = " ".join(str(item["says"] if kind in ("article", "source") else item[kind]).split())
        where, as_of = str(item.get("article", "")), str(item.get("as-of", ""))
        yield 4, f"- {words.evidence({'kind': kind, 'text': text, 'where': where, 'url': '', 'as_of': as_of})}"
        if kind == "source":
            yield 6, item["source"]


def _examples(items: Iterable[Example], base: RuleBase, verb: str = "") -> Iterator[Line]:
    for i, example in enumerate(items):
        if not i:
            yield 2, "Examples:"
        given = ", ".join(f"{fact}: {named(fact, answer, base)}" for fact, answer in example.given.items())
        yield 4, f"- {given or 'nothing stated'} -> {verb}{example.expect}"


def _place(place: Place) -> Iterator[Line]:
    yield 2, f"In {place.file}:{place.line}:{place.column}."


def _rules(base: RuleBase) -> Iterator[Rule]:
    steps = [step.rules for step in (*base.steps, *base.article)]
    for rules in (base.excludes, base.withholds, base.accepts, *steps):
        yield from rules


def _conditions(base: RuleBase) -> Iterator[tuple[str, Any]]:
    yield from ((rule.id, rule.when) for rule in _rules(base))
    yield from ((caveat.id, caveat.when) for caveat in base.caveats.values())


def _names(when: Any, fact: str) -> bool:
    return any(fact in situation for situation in (when if isinstance(when, list) else [when]))
