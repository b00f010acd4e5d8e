"""What the screens show beside the question: excluded patterns, the article's steps, caveats, all answers, reasons.

Everything is for the answers of one feature that count (`standing`), in the order of the questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from advisor.engine.claims import raised
from advisor.engine.completions import completions
from advisor.engine.confidence import without_unlisted
from advisor.engine.decision import Answers, result_of, usually
from advisor.engine.reach import Reach
from advisor.engine.relevance import Relevance
from advisor.interview.ruled_out import Fallen, possible
from advisor.model.patterns import compared
from advisor.model.rulebase import Question, RuleBase, Severity, Step
from advisor.model.values import Unknown, Value

ARTICLE = '"WebSockets, Server-Sent Events, and Long Polling"'  # its title, without the second half
State = Literal["passed", "holds", "open", "not-reached"]


@dataclass(frozen=True, slots=True)
class Preview:
    """What one answer would do: the patterns that it rules out and those that it leaves; or why it is refused."""

    falls: tuple[str, ...]
    left: tuple[str, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ArticleStep:
    """One of the article's steps as far as it is known: what it keeps where it holds, and whether that settles it."""

    number: int
    title: str
    state: State
    keeps: tuple[str, ...]
    settles: bool
    certain: bool  # no step before it is open: what it keeps is not subject to them
    asks: bool  # the current question belongs to this step


@dataclass(frozen=True, slots=True)
class Raised:
    """A caveat that the answers so far raise, for certain or perhaps."""

    id: str
    severity: Severity
    title: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One question in the list of all answers."""

    question: Question
    value: Value | None
    state: Literal["answered", "parked", "open", "skipped"]
    ruled_out: int


def preview(fact: str, value: Value, standing: Answers, base: RuleBase) -> Preview:
    """What this answer would rule out of what the others leave possible."""
    before = possible(tuple((f, v) for f, v in standing.items() if f != fact), base)
    after = possible(tuple({**standing, fact: value}.items()), base)
    falls = tuple(p for p in base.patterns if p in before and p not in after)
    return Preview(falls, tuple(p for p in base.patterns if p in after))


def article_steps(box: Mapping[int, int], at: str, standing: Answers, base: RuleBase) -> list[ArticleStep]:
    """The article's steps with their results so far; `at` is the current question.

    A step that would rest on an "I don't know" is passed, as in the verdict, unless another answer makes one likely.
    """
    stated = {fact: value for fact, value in standing.items() if not isinstance(value, Unknown)}
    unsaid = standing.keys() - stated.keys() - usually(stated, base).keys()
    left = compared(base)
    sure, settled = True, False
    made = []
    for step in base.article:
        state, kept = _state(step, box, unsaid, base)
        if settled:
            state, kept = "not-reached", ()
        keeps = tuple(p for p in left if p in kept)
        left = keeps or left
        sure = sure and state != "open"
        settles = sure and not settled and len(left) == 1
        settled = settled or settles
        asks = any(at == base.variables[v].fact for rule in step.rules for named in rule.boxes for v in named)
        made.append(ArticleStep(step.number, step.title, state, keeps, settles, sure, asks))
    return made


def _state(
    step: Step, box: Mapping[int, int], unsaid: Collection[str], base: RuleBase
) -> tuple[State, tuple[str, ...]]:
    """The state of the step's first rule that can still be true, and the patterns that it keeps."""
    for rule in step.rules:
        told = [b for b in rule.boxes if not any(base.variables[variable].fact in unsaid for variable in b)]
        result = result_of(told, dict(box), base)
        if result == "true":
            return "holds", rule.patterns
        if result == "unknown":
            return "open", ()
    return "passed", ()


def caveats(found: Relevance, standing: Answers, base: RuleBase) -> list[Raised]:
    """What the answers so far raise: breaks before degrades before notes, the certain ones first in each.

    An answer that is not listed warns of all that "I don't know" warns of, as in the verdict.
    """
    names = dict(raised(found.box, found.possible, base))
    doubtful = without_unlisted(standing)
    if doubtful != dict(standing):
        box = completions(doubtful, base).box
        also = raised(box, Reach.of(box, base).possible(), base)
        names = {**dict.fromkeys(also, "possible"), **names}
    listed = [base.caveats[name] for name in base.caveats if name in names]
    made = [Raised(c.id, c.severity, c.title, names[c.id] == "certain") for c in listed]
    return sorted(made, key=lambda c: (get_args(Severity).index(c.severity), not c.certain))


def rows(
    answers: Answers, standing: Answers, found: Relevance, ruled_out: Sequence[Fallen], base: RuleBase
) -> list[Row]:
    """Every question with its answer and the effect of that answer."""
    named = Counter(fact for item in ruled_out for fact in item.facts)
    made = []
    for fact, question in base.questions.items():
        state: Literal["answered", "parked", "open", "skipped"] = "skipped"
        if fact in answers:
            state = "answered" if fact in standing else "parked"
        elif fact in found.reasons:
            state = "open"
        made.append(Row(question, answers.get(fact), state, named[fact]))
    return made


FED = {
    "costs": "it is used to calculate the costs",
    "timing": "it is used to calculate the times (heartbeat, hold, retry)",
    "kit": "the starter kit depends on it",
    "report": "it suggests likely answers to what you do not know",
}
MERGE = "which features share a connection, and therefore which pattern they use"


def reason(fact: str, found: Relevance, base: RuleBase) -> str:
    """What an answer to this open question can still change, in words that follow "Affects:"."""
    why = found.reasons.get(fact)
    if why is None:
        return "nothing now."
    if why.kind == "pattern":
        return "the recommended pattern."
    if why.kind == "caveat":
        return f'not the pattern, but whether this caveat applies: "{base.caveats[why.id].title}".'
    if why.kind == "feeds" and why.id == "merge":
        return f"{MERGE}."
    if why.kind == "feeds":
        return f"not the pattern; {FED.get(why.id, f'{why.id} needs it')}."
    what = "acceptable, too" if why.kind == "acceptable" else "the fallback"
    return f"not the pattern, but whether {base.patterns[why.id].title} is {what}."
