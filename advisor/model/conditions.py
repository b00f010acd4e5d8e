"""The language of `when:`: conversion into boxes for the engine and into words for people.

All entries of a mapping must be true; of a list, one. A fact takes one answer, a list of answers, or `{not: ...}`; a
number takes band names. A some-of fact means "contains": one element, a list (any of them), or a mapping of `any`,
`all`, `not` and `only` (nothing but these, and at least one of them).

A situation of a caveat holds only where at least one of the facts that it names is stated: an assumption alone does not
raise it. `stated: [auth]` lists those that must be; `stated: []` means none, because the pattern alone raises it. A
fact in `presumed: [instances]` counts as met while its question has no answer; one in both lists counts as met where
the answer is "I don't know".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advisor.base.text import did_you_mean, number
from advisor.model.boxes import meet
from advisor.model.rulebase import PATTERN, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.model.rulebase import Band, Derived, Question, RuleBase

LEAST = math.ulp(0.0)  # the least number above zero: where a band begins that leaves out 0 alone
STATED = "stated"  # in the condition of a caveat: the facts that somebody must have answered
ANY = "*"  # at least one of the facts that the situation names
PRESUMED = "presumed"  # in the condition of a caveat: the facts that count as met while they have no answer
WORDS = (STATED, PRESUMED)


class ConditionError(Exception):
    """A condition that cannot be understood; `path` leads to the place inside the condition."""

    def __init__(self, message: str, path: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.path = path


def variables(
    questions: Iterable[Question], derived: Iterable[Derived], patterns: tuple[str, ...]
) -> tuple[Variable, ...]:
    """The dimensions of the space of cases; the pattern comes last."""
    made = []
    for q in questions:
        if q.type == "yes-no":
            made.append(Variable(q.id, q.id, "", ("no", "yes")))
        elif q.type == "number":
            made.append(Variable(q.id, q.id, "", tuple(b.id for b in q.bands)))
        elif q.type == "one-of":
            made.append(Variable(q.id, q.id, "", (*q.options, "other")))
        elif q.type == "some-of":
            made += [Variable(f"{q.id}={option}", q.id, option, ("no", "yes")) for option in q.options]
    made += [Variable(d.id, d.id, "", tuple(b.id for b in d.bands)) for d in derived]
    made.append(Variable(PATTERN, PATTERN, "", patterns))
    return tuple(made)


class Space:
    """The variables that conditions may name, with their numbers."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = tuple(variables)
        self.of_fact: dict[str, list[int]] = {}
        for i, variable in enumerate(self.variables):
            self.of_fact.setdefault(variable.fact, []).append(i)

    def situations(self, when: Any) -> list[tuple[dict[int, int], tuple[str, ...], tuple[str, ...]]]:
        """The condition as boxes, each with the facts that have to be stated for it, and those that are presumed.

        Raises ConditionError.
        """
        parts = [((i,), part) for i, part in enumerate(when)] if isinstance(when, list) and when else [((), when)]
        return [
            (box, self._facts_in(part, STATED, path, (ANY,)), self._facts_in(part, PRESUMED, path, ()))
            for path, part in parts
            for box in self.boxes(part, path)
        ]

    def _facts_in(
        self, when: Any, word: str, path: tuple[str | int, ...], otherwise: tuple[str, ...]
    ) -> tuple[str, ...]:
        if not isinstance(when, Mapping) or word not in when:
            return otherwise
        wanted = when[word]
        facts = tuple(str(fact) for fact in ([wanted] if isinstance(wanted, str) else wanted))
        for fact in facts:
            if fact not in self.of_fact:
                raise ConditionError(f"there is no fact {fact!r}{_hint(fact, self.of_fact)}", (*path, word))
            if word == PRESUMED and fact not in when:
                raise ConditionError(f"{fact} is presumed, and the situation does not name it", (*path, word))
        return facts

    def boxes(self, when: Any, path: tuple[str | int, ...] = ()) -> list[dict[int, int]]:
        """The condition as a union of boxes, whatever has to be stated for it. Raises ConditionError."""
        if isinstance(when, list):
            if not when:
                raise ConditionError("an empty list is never true; remove the condition, or list at least one", path)
            return [box for i, part in enumerate(when) for box in self.boxes(part, (*path, i))]
        if not isinstance(when, Mapping):
            raise ConditionError("a condition must be a mapping of facts to answers, or a list of such mappings", path)
        result: list[dict[int, int]] = [{}]
        for word in WORDS:
            self._facts_in(when, word, path, ())
        for fact, wanted in when.items():
            if fact in WORDS:
                continue
            parts = list(self._fact(str(fact), wanted, (*path, str(fact))))
            result = [both for box, part in itertools.product(result, parts) if (both := meet(box, part)) is not None]
        if not result:
            raise ConditionError("this is never true: its parts contradict each other", path)
        return result

    def _fact(self, fact: str, wanted: Any, path: tuple[str | int, ...]) -> Iterator[dict[int, int]]:
        numbers = self.of_fact.get(fact)
        if numbers is None:
            raise ConditionError(f"there is no fact {fact!r}{_hint(fact, self.of_fact)}", path)
        if self.variables[numbers[0]].element:
            yield from self._contains(numbers, wanted, path)
            return
        (variable,) = numbers
        values = self.variables[variable].values
        if isinstance(wanted, Mapping):
            if set(wanted) != {"not"}:
                raise ConditionError("only `not` is allowed here", path)
            mask = (1 << len(values)) - 1 & ~_mask(values, wanted["not"], (*path, "not"))
        else:
            mask = _mask(values, wanted, path)
        if not mask:
            raise ConditionError("this excludes every answer, so it is never true", path)
        if mask == (1 << len(values)) - 1:
            raise ConditionError("this allows every answer, so it has no effect; remove it", path)
        yield {variable: mask}

    def _contains(self, numbers: list[int], wanted: Any, path: tuple[str | int, ...]) -> Iterator[dict[int, int]]:
        elements = {self.variables[i].element: i for i in numbers}

        def pick(names: Any, where: tuple[str | int, ...]) -> list[int]:
            found = []
            for name in names if isinstance(names, list) else [names]:
                if not isinstance(name, str) or name not in elements:
                    raise ConditionError(f"there is no answer {name!r}{_hint(str(name), elements)}", where)
                found.append(elements[name])
            return found

        if not isinstance(wanted, Mapping):
            wanted = {"any": wanted}
        unknown = set(wanted) - {"any", "all", "not", "only"}
        if unknown or not wanted:
            raise ConditionError("only `any`, `all`, `not` and `only` are allowed here", path)
        base: dict[int, int] | None = dict.fromkeys(pick(wanted.get("all", []), path), 2)
        base = meet(base or {}, dict.fromkeys(pick(wanted.get("not", []), path), 1))
        choices = [pick(wanted[word], path) for word in ("any", "only") if word in wanted]
        if "only" in wanted and base is not None:
            allowed = choices[-1]
            base = meet(base, {i: 1 for i in numbers if i not in allowed})
        if base is None:
            raise ConditionError("this is never true: its parts contradict each other", path)
        for combination in itertools.product(*choices):
            both = meet(base, dict.fromkeys(combination, 2))
            if both is not None:
                yield both


def _mask(values: tuple[str, ...], wanted: Any, path: tuple[str | int, ...]) -> int:
    mask = 0
    for name in wanted if isinstance(wanted, list) else [wanted]:
        word = ("no", "yes")[name] if isinstance(name, bool) else str(name)
        if word not in values or word == "other":
            raise ConditionError(f"there is no answer {word!r}{_hint(word, values)}", path)
        mask |= 1 << values.index(word)
    return mask


def _hint(word: str, known: Any) -> str:
    return did_you_mean(word, list(known)) or f"; choose from: {', '.join(known)}"


# --- in words ---------------------------------------------------------------------------------------------------------


def say(when: Any, base: RuleBase) -> str:
    """The condition as one line: `a is x or y, and b is not z`; several situations are joined by `; or`."""
    if isinstance(when, list):
        return "; or ".join(say(part, base) for part in when)
    if not when:
        return "always"
    presumed = _listed(when.get(PRESUMED, ()))
    said = [
        f"{fact} {say_wanted(fact, wanted, base)}{' (or not stated)' if fact in presumed else ''}"
        for fact, wanted in when.items()
        if fact not in WORDS
    ]
    return ", and ".join([*said, *(f"{fact} is stated" for fact in _listed(when.get(STATED, ())))])


def _listed(facts: Any) -> list[str]:
    return [facts] if isinstance(facts, str) else list(facts)


def say_wanted(fact: str, wanted: Any, base: RuleBase) -> str:
    """What a condition asks of one fact, in words: `is 1 to 10 messages per second`, `includes ios`."""
    variables = base.of_fact.get(fact, ())
    several = bool(variables) and bool(base.variables[variables[0]].element)
    if isinstance(wanted, Mapping):
        words = {
            "any": ("includes", " or "),
            "all": ("includes", " and "),
            "not": ("does not include" if several else "is not", " or "),
            "only": ("is only", " or "),
        }
        return " and ".join(
            f"{words[key][0]} {_names(fact, part, base, words[key][1])}" for key, part in wanted.items()
        )
    return f"{'includes' if several else 'is'} {_names(fact, wanted, base, ' or ')}"


def _names(fact: str, names: Any, base: RuleBase, glue: str) -> str:
    listed = names if isinstance(names, list) else [names]
    words = [{True: "yes", False: "no"}.get(n, str(n)) if isinstance(n, bool) else str(n) for n in listed]
    bands = base.questions[fact].bands if fact in base.questions else ()
    if fact in base.derived:
        bands = base.derived[fact].bands
    if bands:
        spans = merge([band for band in bands if band.id in words])
        unit = base.questions[fact].unit if fact in base.questions else base.derived[fact].unit
        return glue.join(span(low, high, unit) for low, high in spans)
    return glue.join(words)


def merge(bands: list[Band]) -> list[tuple[float, float]]:
    """Neighbouring bands as single stretches (low, high)."""
    spans: list[tuple[float, float]] = []
    for band in bands:
        if spans and spans[-1][1] == band.low:
            spans[-1] = (spans[-1][0], band.high)
        else:
            spans.append((band.low, band.high))
    return spans


def span(low: float, high: float, unit: str) -> str:
    """A stretch of a number in words: `below 5 s`, `5 to 60 s`, `60 s or more`."""
    tail = f" {unit}" if unit else ""
    if math.isinf(high):
        return f"above 0{tail}" if low == LEAST else f"{number(low)}{tail} or more"
    if high == LEAST:
        return f"0{tail}"
    if low == LEAST:
        return f"above 0 and below {number(high)}{tail}"
    if low == 0:
        return f"below {number(high)}{tail}"
    return f"{number(low)} up to below {number(high)}{tail}"
