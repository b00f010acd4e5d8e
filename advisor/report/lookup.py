"""What `advisor explain` is asked for: an id, a title, an answer, several words, a near miss; lists and a search."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from advisor.base.errors import UsageError
from advisor.base.text import quoted, wrap
from advisor.model import platforms
from advisor.report.explain import catalogue, explained
from advisor.ruleset.stale import today_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from advisor.model.rulebase import RuleBase
    from advisor.report.card_text import Day
    from advisor.report.explain import Line

MOST = 20  # things that several words may match before they are no use
SPELT = 0.85  # similarity of a near miss that is explained at once
SIMILAR = 0.6  # similarity of a near miss that is offered
LONGEST = 80  # characters of what is compared: the time grows with their square


class Thing(NamedTuple):
    """One thing that can be explained, and what else it is called."""

    kind: str
    id: str
    render: Callable[[], Iterator[Line]]
    titles: tuple[str, ...]


def explain(wanted: str, base: RuleBase, width: int = 80, today: Day | None = None) -> str:
    """Everything the rule base says about what is wanted, as text.

    An id first (`kind:id` picks one where several things share it), then a title, an answer to a question, things whose
    title has all the words, and the nearest id or title. Raises UsageError where nothing is near.
    """
    things = _things(base, today)
    kind, _, name = wanted.strip().rpartition(":")
    form = _form(name)
    mine = [thing for thing in things if kind in ("", thing.kind)]
    found = [thing for thing in mine if thing.id == name] or [thing for thing in mine if _form(thing.id) == form]
    found = found or [thing for thing in mine if form in map(_form, thing.titles)]
    if found:
        return _text(found, width)
    answers = {} if kind else _answers(form, base)
    if answers:
        return _text([thing for thing in things if (thing.kind, thing.id) in answers], width, answers)
    if kind:
        raise UsageError(f"no {kind} is called {quoted(name)}; try `advisor explain` to list everything by kind")
    called = _called(mine)
    if close := get_close_matches(form, called, 1, SPELT) if len(form) <= LONGEST else []:
        nearest = called[close[0]]
        return f"Nothing is called {quoted(name)}; the nearest is {nearest.id}.\n\n{_text([nearest], width)}"
    words = form.split("-")
    having = [thing for thing in mine if _has(thing, words)] if form else []
    if len(having) == 1:
        return _text(having, width)
    if 1 < len(having) <= MOST:
        return f"Nothing is called {quoted(name)}. These have it in their title:\n\n{_list(having, width)}"
    near = get_close_matches(form, called, 3, SIMILAR) if len(form) <= LONGEST else []
    ids = ", ".join(dict.fromkeys(called[one].id for one in near))
    hint = f"did you mean {ids}? Or try" if ids else "try"
    raise UsageError(
        f"nothing is called {quoted(wanted)}; {hint} `advisor explain --search WORD`, or `advisor explain`"
    )


def search(word: str, base: RuleBase, width: int = 80, today: Day | None = None) -> str:
    """Everything whose explanation contains the word, as a list. Raises UsageError where nothing does."""
    wanted = word.casefold().strip()
    found = [
        thing for thing in _things(base, today) if wanted in " ".join(line for _, line in thing.render()).casefold()
    ]
    if not found or not wanted:
        raise UsageError(f"no explanation contains {quoted(word)}")
    return _list(found, width)


def groups(base: RuleBase, width: int = 80, today: Day | None = None) -> str:
    """Every id by kind."""
    kinds: dict[str, list[str]] = {}
    for thing in _things(base, today):
        kinds.setdefault(thing.kind, []).append(thing.id)
    parts = []
    for kind, ids in kinds.items():
        listed = wrap(", ".join(dict.fromkeys(ids)), width, "  ")
        parts.append(f"{kind} ({len(ids)})\n{listed}")
    return "\n\n".join([*parts, "Explain one with: advisor explain ID"]) + "\n"


# --- what things are called -------------------------------------------------------------------------------------------


def _things(base: RuleBase, today: Day | None) -> list[Thing]:
    titles: dict[tuple[str, str], tuple[str, ...]] = {}
    titles |= {("pattern", p.id): (p.title,) for p in base.patterns.values()}
    titles |= {("caveat", c.id): (c.title,) for c in base.caveats.values()}
    titles |= {("step", step.id): (step.title,) for step in base.steps}
    titles |= {("article step", step.id): (step.title,) for step in base.article}
    titles |= {("question", q.id): (q.ask,) for q in base.questions.values()}
    titles |= {("number", d.id): (d.title,) for d in base.derived.values()}
    titles |= {("platform", c.id): (c.name, *c.also_called) for c in platforms.cards(base).values()}
    now = today or today_of(None)
    return [Thing(kind, name, render, titles.get((kind, name), ())) for kind, name, render in catalogue(base, now)]


def _answers(form: str, base: RuleBase) -> dict[tuple[str, str], str]:
    """The questions that have this answer, by its id or its label, and what it is."""
    found = {}
    for question in base.questions.values():
        for option, label in question.options.items():
            if form in (_form(option), _form(label)):
                found["question", question.id] = option if _form(option) == _form(label) else f"{option}: {label}"
    return found


def _form(text: str) -> str:
    """Small letters, with a hyphen for all that separates words."""
    return "-".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def _has(thing: Thing, words: list[str]) -> bool:
    names = [_form(name) for name in (thing.id, *thing.titles)]
    return any(all(word in name for word in words) for name in names)


def _called(things: list[Thing]) -> dict[str, Thing]:
    """Every id and title in its form."""
    called: dict[str, Thing] = {}
    for thing in things:
        for name in (thing.id, *thing.titles):
            called.setdefault(_form(name), thing)
    return called


# --- text -------------------------------------------------------------------------------------------------------------


def _text(found: Iterable[Thing], width: int, answers: dict[tuple[str, str], str] | None = None) -> str:
    things = list(found)
    parts = [explained(thing.render(), width) for thing in things]
    if answers:
        said = "; ".join(f"{answers[thing.kind, thing.id]} (an answer to {thing.id})" for thing in things)
        parts.insert(0, wrap(said, width))
    elif len(things) > 1:
        parts.insert(0, f"Several things have this id: {', '.join(f'{t.kind}:{t.id}' for t in things)}.")
    return "\n\n".join(parts) + "\n"


def _list(things: Iterable[Thing], width: int) -> str:
    lines = []
    for thing in things:
        about = next((text for indent, text in thing.render() if indent == 2), "")
        lines.append(wrap(f"{thing.kind} {thing.id}: {about}", width, "    ", ""))
    return "\n".join(lines) + "\n"
