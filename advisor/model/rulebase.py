"""The types of the rule base: questions, bands, patterns, steps, rules, caveats, and the variables that they use.

All of it is made by `ruleset.compile` from the YAML in rules/, or by `ruleset.serialise` from what a cache kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from advisor.model.advice import Advice
from advisor.model.arithmetic import multiply, power
from advisor.model.boxes import Box
from advisor.model.cures import Cure
from advisor.model.shares import Shares
from advisor.model.values import UNKNOWN, Other, Unknown, Value

if TYPE_CHECKING:
    from advisor.model.verdict import Evidence as EvidenceData
    from advisor.model.verdict import TimeKey

Scope = Literal["feature", "path", "app"]
QuestionType = Literal["yes-no", "number", "one-of", "some-of", "text"]
Severity = Literal["breaks", "degrades", "note"]
Holds = Literal["stream", "request", "connection", "nothing"]
CostedAs = Literal["short-polls", "long-polls", "streams", "sockets"]
PATTERN = "pattern"  # the name of the feature's pattern in the conditions of accepts and caveats


class Place(NamedTuple):
    """A place in the rules folder; line and column count from 1."""

    file: str
    line: int
    column: int


class Evidence(NamedTuple):
    """Why something is believed; `text` is its content. `where` is the article's section, `url` the address.

    `review`: `timeless`, a span after `as_of` such as 18m or 2y, or a day; empty where it follows from the kind.
    """

    kind: Literal["article", "source", "measured", "judgement"]
    text: str
    where: str = ""
    url: str = ""
    as_of: str = ""
    review: str = ""

    def data(self) -> EvidenceData:
        """As the verdict carries it."""
        return {"kind": self.kind, "text": self.text, "where": self.where, "url": self.url, "as_of": self.as_of}


class Band(NamedTuple):
    """A named stretch of a number: low <= number < high."""

    id: str
    low: float
    high: float


class Question(NamedTuple):
    """One fact: how it is asked, and what "I don't know" does.

    `mode` is "assume" (the lead value is used and listed as an assumption) or "open" (every value is considered; the
    lead value leads to the headline). `lead` is a Value; for a text it is an empty string.
    """

    id: str
    scope: Scope
    type: QuestionType
    ask: str
    why: str
    find_out: str
    unit: str
    options: dict[str, str]
    bands: tuple[Band, ...]
    minimum: float
    whole: bool
    mode: Literal["assume", "open"]
    lead: Value
    settled: bool  # describes the feature itself, not a need: offered last in "what would change it"
    feeds: tuple[str, ...]  # other uses than the decision: costs, timing, kit, merge, report
    alike: bool = False  # the features of one product usually have the same answer
    on_a_page: tuple[str, ...] = ()  # the options with which there is a page in a browser
    also_called: Mapping[str, str] = MappingProxyType({})  # other names of the options, as `plain_name` writes them
    place: Place = Place("rules/questions.yaml", 1, 1)


class Derived(NamedTuple):
    """A number that is calculated from others: the product of each source to the power of its exponent."""

    id: str
    title: str
    unit: str
    factors: dict[str, int]
    bands: tuple[Band, ...]
    place: Place = Place("rules/derived.yaml", 1, 1)


class Variable(NamedTuple):
    """One dimension of the space of cases.

    A some-of question gives one yes-no variable per element, named `fact=element`; every other question gives one,
    named like it. `values` are option ids, band ids, or ("no", "yes"); a one-of ends with "other".
    """

    name: str
    fact: str
    element: str
    values: tuple[str, ...]


class Example(NamedTuple):
    """A case beside a rule, and what the rule must do with it."""

    given: dict[str, Value]
    expect: str  # a pattern for excludes, choices and accepts; "raised" or "silent" for caveats
    place: Place


class Ground(NamedTuple):
    """A row of a platform card that is in doubt, on which a condition rests where this answer was given.

    `patterns`: those for which it does; every one where it is empty. `doubt` says what is to be checked, and why.
    """

    fact: str
    answer: str
    patterns: tuple[str, ...]
    doubt: str


class Typed(NamedTuple):
    """Platforms that a condition names one by one, though cards say what they have in common."""

    id: str  # of the rule
    fact: str
    answers: tuple[str, ...]
    place: Place


class Rule(NamedTuple):
    """One rule. `boxes` is its condition as a union; `patterns` is what it excludes, chooses (in order) or accepts.

    `doubt`: another pattern may be as good, and no answer decides between them, so a verdict that rests on it is not
    sure. `raises` are the caveats that it raises when it decides, with any pattern.
    """

    id: str
    boxes: tuple[Box, ...]
    when: Any  # as written, for people
    patterns: tuple[str, ...]
    because: str
    evidence: tuple[Evidence, ...]
    examples: tuple[Example, ...]
    place: Place
    doubt: bool = False
    grounds: tuple[Ground, ...] = ()
    raises: tuple[str, ...] = ()


class Step(NamedTuple):
    """Rules that must not disagree. Earlier steps win over later ones."""

    id: str
    title: str
    number: int
    rules: tuple[Rule, ...]


class Caveat(NamedTuple):
    """Something the team must know or do. `figures` is printed only when every number it names is known.

    `stated` has for each box the facts that must have been stated for it, `presumed` those that count as met while
    they have no answer. `standard`: the patterns that have it on their checklist. `yours`: why no kit can cure it.
    `first`: printed first. `at_once`: data is lost or nothing works from the first use.
    """

    id: str
    severity: Severity
    boxes: tuple[Box, ...]
    stated: tuple[tuple[str, ...], ...]
    when: Any
    first: bool
    standard: tuple[str, ...]
    yours: str
    title: str
    why: str
    do: tuple[Advice, ...]
    figures: str
    evidence: tuple[Evidence, ...]
    examples: tuple[Example, ...]
    place: Place
    grounds: tuple[Ground, ...] = ()
    presumed: tuple[tuple[str, ...], ...] = ()
    at_once: bool = False
    begin: str = ""  # the place of `do` that a report in short names; empty: the first on the path


class Pattern(NamedTuple):
    """A way of delivering events; rules/patterns.yaml explains each field. Fallbacks are tried in order.

    What an extended pattern takes from its nearest core pattern is filled in. Where nothing is held `channel` is empty;
    outside the article it is too, and so are `costed_as` and `times`.
    """

    id: str
    group: Literal["core", "extended", "outside"]
    holds: Holds
    shareable: bool
    channel: str
    costed_as: CostedAs | Literal[""]
    times: tuple[TimeKey, ...]
    title: str
    summary: str
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    nearest_core: str
    fallbacks: tuple[str, ...]
    carries: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    place: Place


class Impossible(NamedTuple):
    """A combination of answers that contradicts itself."""

    id: str
    boxes: tuple[Box, ...]
    when: Any
    because: str
    place: Place


class Prior(NamedTuple):
    """What one answer usually means for unstated facts: a better assumption than the question's own."""

    id: str
    boxes: tuple[Box, ...]
    when: Any
    usually: dict[str, Value]
    because: str
    place: Place
    unsaid: tuple[str, ...] = ()  # it holds only while none of these is stated


class Plausible(NamedTuple):
    """What else an unstated fact may well be: other values, each with the share of projects that have it.

    `boxes`: the cases for which this is meant. The first of a fact that holds counts.
    """

    id: str
    boxes: tuple[Box, ...]
    when: Any
    fact: str
    others: tuple[tuple[Value, float], ...]
    evidence: tuple[Evidence, ...]
    place: Place


class Waiver(NamedTuple):
    """A finding that the authors accept, and why."""

    finding: str
    because: str
    place: Place


class RuleBase:
    """The whole rules folder, cross-checked. `full[v]` is the mask of all values of variable v.

    Compared and hashed by identity: lru_cache keeps results for it, so it must never be modified.
    """

    SAID: Final = (
        "version", "sha256", "questions", "derived", "patterns", "variables", "excludes", "withholds", "steps",
        "accepts", "article", "caveats", "impossible", "priors", "plausible", "tables", "waivers", "order", "diagram",
        "platforms", "channels", "typed", "cures", "shares",
    )  # fmt: skip
    __slots__ = (*SAID, "full", "index", "of_fact")  # the last three follow from the variables

    def __init__(  # noqa: PLR0913  # one argument for each part of the folder, always named
        self,
        *,
        version: str,
        sha256: str,
        questions: dict[str, Question],
        derived: dict[str, Derived],
        patterns: dict[str, Pattern],
        variables: tuple[Variable, ...],
        excludes: tuple[Rule, ...],
        withholds: tuple[Rule, ...] = (),  # what is neither acceptable besides nor a fallback, though it could work
        steps: tuple[Step, ...],
        accepts: tuple[Rule, ...],
        article: tuple[Step, ...],
        caveats: dict[str, Caveat],
        impossible: tuple[Impossible, ...],
        priors: tuple[Prior, ...],
        plausible: tuple[Plausible, ...],
        tables: dict[str, Any],  # apart, costs and timing, as in their files, each with its place; and the limits
        waivers: tuple[Waiver, ...],
        order: tuple[int, ...] = (),  # of variables, in which the diagram stays small
        diagram: str = "",  # of the decision, as decision_diagram.py writes it; empty until somebody needs it
        platforms: str = "[]",  # the platform cards as JSON text, which platforms.py reads: few commands need them
        channels: Mapping[str, str] = MappingProxyType({}),  # what a limit can be for, and its name for people
        typed: tuple[Typed, ...] = (),
        cures: tuple[Cure, ...] = (),  # what the files of the kits cure
        shares: Shares = Shares({}, ()),  # noqa: B008  # a value that never changes
    ) -> None:
        self.version: Final = version
        self.sha256: Final = sha256
        self.questions: Final = questions
        self.derived: Final = derived
        self.patterns: Final = patterns
        self.variables: Final = variables
        self.excludes: Final = excludes
        self.withholds: Final = withholds
        self.steps: Final = steps
        self.accepts: Final = accepts
        self.article: Final = article
        self.caveats: Final = caveats
        self.impossible: Final = impossible
        self.priors: Final = priors
        self.plausible: Final = plausible
        self.tables: Final = tables
        self.waivers: Final = waivers
        self.order: Final = order
        self.diagram: Final = diagram
        self.platforms: Final = platforms
        self.channels: Final = dict(channels)
        self.typed: Final = typed
        self.cures: Final = cures
        self.shares: Final = shares
        of_fact: dict[str, tuple[int, ...]] = {}
        for i, v in enumerate(variables):
            of_fact[v.fact] = (*of_fact.get(v.fact, ()), i)
        self.full: Final = tuple((1 << len(v.values)) - 1 for v in variables)
        self.index: Final = {v.name: i for i, v in enumerate(variables)}
        self.of_fact: Final = of_fact

    def replaced(self, **parts: Any) -> RuleBase:
        """The same rule base with other parts."""
        return RuleBase(**{name: getattr(self, name) for name in self.SAID} | parts)

    def encode(self, fact: str, value: Value) -> Box:
        """The box of the cases in which `fact` (not derived) has this answer. UNKNOWN and texts limit nothing."""
        return _encoded(self, fact, value)

    def number(self, derived: Derived, answers: dict[str, Value]) -> float | None:
        """The derived number, or None where a source is not known. A division by zero gives infinity."""
        product = 1.0
        for fact, exponent in derived.factors.items():
            value = answers.get(fact, UNKNOWN)
            if not isinstance(value, int | float):
                return None
            product = multiply(product, power(float(value), exponent))
        return product


@lru_cache(maxsize=4096)  # one verdict tries a hundred variations of the same answers
def _encoded(base: RuleBase, fact: str, value: Value) -> Box:
    question = base.questions[fact]
    if isinstance(value, Unknown) or question.type == "text":
        return {}
    if question.type == "some-of":
        assert isinstance(value, tuple)
        chosen = {choice for choice in value if isinstance(choice, str)}
        return {i: 2 if base.variables[i].element in chosen else 1 for i in base.of_fact[fact]}
    (variable,) = base.of_fact[fact]
    if question.type == "yes-no":
        return {variable: 2 if value else 1}
    if question.type == "number":
        assert isinstance(value, int | float)
        return {variable: 1 << band_of(question.bands, value)}
    name = "other" if isinstance(value, Other) else value
    assert isinstance(name, str)
    return {variable: 1 << base.variables[variable].values.index(name)}


def band_of(bands: tuple[Band, ...], value: float) -> int:
    """The number of the band that holds `value`; bands tile [0, infinity)."""
    for i, band in enumerate(bands):
        if value < band.high:
            return i
    return len(bands) - 1
