"""The YAML files of the rules folder as pydantic models: what an author may write, checked when it is read.

Only `compile.py` and `rules schema` import this; a run that finds its rules in the cache never does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from advisor.model.cures import CHECKS
from advisor.model.rulebase import CostedAs, Holds
from advisor.model.verdict import TimeKey

TIMES = tuple(key.replace("_", "-") for key in get_args(TimeKey))
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(lambda s: " ".join(s.split()))
]
Date = Annotated[str, BeforeValidator(str), StringConstraints(pattern=r"^\d{4}(-\d\d(-\d\d)?)?( .*)?$")]
# When a dated statement is to be read again: never, so long after its date, or on a day.
Review = Annotated[str, BeforeValidator(str), StringConstraints(pattern=r"^(timeless|\d{1,3}[my]|\d{4}-\d\d-\d\d)$")]
YesNo = Annotated[
    bool,
    BeforeValidator(lambda v: {"yes": True, "no": False}.get(v, v) if isinstance(v, str) else v),
    WithJsonSchema({"enum": ["yes", "no", True, False]}),
]
When = dict[str, Any] | list[dict[str, Any]]
Ids = Id | Annotated[list[Id], Field(min_length=1)]


class Model(BaseModel):
    """A mapping in which an unknown key is an error; keys are written with hyphens."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda n: n.replace("_", "-"), validate_by_name=True
    )


class Evidence(Model):
    """Exactly one of article, source, measured, judgement; `says` is the content of the source or section."""

    article: Prose | None = None
    source: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    measured: Prose | None = None
    judgement: Prose | None = None
    says: Prose | None = None
    as_of: Date | None = None
    review: Review | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Evidence:
        kinds = [k for k in ("article", "source", "measured", "judgement") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise ValueError("give exactly one of article, source, measured, judgement")
        if kinds[0] in ("article", "source") and self.says is None:
            raise ValueError("add `says`: what the source or the section states")
        if kinds[0] in ("source", "measured") and self.as_of is None:
            raise ValueError("add `as-of`: the date of the source or the measurement")
        if self.review is not None and self.as_of is None:
            raise ValueError("`review` needs `as-of`: what has no date does not grow old")
        return self


EvidenceList = Annotated[list[Evidence], Field(min_length=1)]
Grounds = Annotated[list[Evidence], Field(json_schema_extra={"minItems": 1})]  # none: the prover says so


class Band(Model):
    """A stretch of a number: from <= number < below."""

    from_: float = Field(0, alias="from", ge=0)
    below: float | None = Field(None, gt=0)


Bands = Annotated[dict[Id, Band], Field(min_length=2)]


class WhenUnknown(Model):
    """What "I don't know" does: assume one value and list it, or consider all values; one leads to the headline."""

    assume: Any = None
    open: Any = None

    @model_validator(mode="after")
    def _one(self) -> WhenUnknown:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of `assume` and `open`")
        return self


class Question(Model):
    """One fact."""

    scope: Literal["feature", "path", "app"]
    type: Literal["yes-no", "number", "one-of", "some-of", "text"]
    ask: Prose
    why: Prose
    find_out: Prose
    unit: str = ""
    whole: YesNo = False
    minimum: float = 0
    bands: Bands | None = None
    options: dict[Id, str] | None = None
    when_unknown: WhenUnknown
    settled: YesNo = False
    alike: YesNo = False
    feeds: list[Literal["costs", "timing", "kit", "merge", "report"]] = []
    on_a_page: list[Id] = []

    @model_validator(mode="after")
    def _shape(self) -> Question:
        if (self.bands is not None) != (self.type == "number"):
            raise ValueError("`bands` is required for a number and not allowed elsewhere")
        if (self.options is not None) != (self.type in ("one-of", "some-of")):
            raise ValueError("`options` is required for one-of and some-of and not allowed elsewhere")
        return self


class Questions(Model):
    """rules/questions.yaml."""

    version: str = "1"
    questions: dict[Id, Question]


class Derived(Model):
    """A number that is calculated from others: the product of its factors, each to the power given."""

    title: Prose
    unit: str
    product: dict[Id, int]
    bands: Bands


class DerivedFile(Model):
    """rules/derived.yaml."""

    derived: dict[Id, Derived]


class OrderFile(Model):
    """rules/order.yaml: names of variables; a some-of question has one for each choice, FACT=CHOICE."""

    order: list[str]


class Prior(Model):
    """What one answer usually means for unstated facts."""

    id: Id
    when: When
    unsaid: list[Id] = []  # it holds only while none of these facts is stated
    usually: Annotated[dict[Id, Any], Field(min_length=1)]
    because: Prose


class OtherValue(Model):
    """Another value of a fact, and the share of projects that have it."""

    value: Any
    weight: Annotated[float, Field(gt=0, le=1)]


class Plausible(Model):
    """What else an unstated fact may well be; the first of a fact whose `when` holds counts."""

    id: Id
    fact: Id
    when: When = {}
    others: list[OtherValue]  # none: nothing else is plausible here
    evidence: EvidenceList


class Priors(Model):
    """rules/priors.yaml."""

    priors: list[Prior]
    plausible: list[Plausible] = []


class Pattern(Model):
    """One way of delivering events. rules/patterns.yaml explains each key."""

    group: Literal["core", "extended", "outside"]
    holds: Holds
    shareable: YesNo = False
    channel: Id | None = None
    costed_as: CostedAs | None = None
    times: Annotated[list[Literal[TIMES]], Field(min_length=1)] | None = None  # type: ignore[valid-type]  # the words
    title: Prose
    summary: Prose
    strengths: list[Prose]
    weaknesses: list[Prose]
    nearest_core: Id | None = None
    fallbacks: list[Id] = []
    carries: list[Id] = []
    evidence: EvidenceList


class Apart(Model):
    """What keeps two features of one page on connections of their own. rules/patterns.yaml explains each key."""

    rider_more_than_times: dict[Id, float] = {}
    rider_at_least: dict[Id, float] = {}
    carrier_below: dict[Id, float] = {}
    because: Prose
    evidence: EvidenceList


class Patterns(Model):
    """rules/patterns.yaml."""

    channels: dict[Id, Prose]
    apart: dict[Id, Apart] = {}
    patterns: dict[Id, Pattern]


class Example(Model):
    """A case beside a rule. `expect` is a pattern (decision), raised or silent (caveats)."""

    given: dict[str, Any]
    expect: Id


class _Rule(Model):
    id: Id
    when: When
    because: Prose
    raises: Ids = []  # the caveats that it raises when it decides
    evidence: Grounds = []
    examples: Annotated[list[Example], Field(min_length=1)]


class Exclude(_Rule):
    """The pattern cannot work, or is plainly wrong, in these cases."""

    exclude: Ids


class Withhold(_Rule):
    """The pattern could work, but is neither acceptable besides nor a fallback in these cases."""

    withhold: Id | Annotated[list[Id], Field(min_length=1)]


class Choose(_Rule):
    """The first of these that is not excluded is the primary. `doubt`: another pattern may be as good."""

    doubt: YesNo = False
    choose: Annotated[list[Id], Field(min_length=1)]


class Accept(_Rule):
    """Defensible besides the primary."""

    accept: Ids


class Keep(_Rule):
    """An article step that leaves only these patterns (a single one: it decides)."""

    keep: Annotated[list[Id], Field(min_length=1)]


class Otherwise(Model):
    """What holds where no rule of any step did."""

    id: Id
    choose: Annotated[list[Id], Field(min_length=1)]
    because: Prose
    evidence: Grounds = []
    examples: Annotated[list[Example], Field(min_length=1)]


class Step(Model):
    """Rules that must not disagree."""

    step: Id
    title: Prose
    rules: list[Choose] = []
    otherwise: Otherwise | None = None


class Waive(Model):
    """A finding that is accepted, by its id (`CODE:subject`), and why."""

    finding: str
    because: Prose


class Decision(Model):
    """rules/decision.yaml."""

    excludes: list[Exclude]
    withholds: list[Withhold] = []
    steps: Annotated[list[Step], Field(min_length=1)]
    accepts: list[Accept]
    waive: list[Waive] = []


class ArticleStep(Model):
    """One numbered step of the article."""

    step: Id
    title: Prose
    rules: list[Keep]


class Article(Model):
    """rules/article.yaml."""

    steps: Annotated[list[ArticleStep], Field(min_length=5, max_length=5)]


class Caveat(Model):
    """Something the team must know or do."""

    id: Id
    severity: Literal["breaks", "degrades", "note"]
    when: When
    standard: Ids = []  # the patterns that have it on their checklist
    yours: Prose | None = None  # why no kit can cure it
    first: YesNo = False
    at_once: YesNo = False  # data is lost or nothing works from the first use
    title: Prose
    why: Prose
    do: Annotated[dict[Id, Prose], Field(min_length=1)]  # a place or a product to what is to be done there
    begin: Id | None = None  # the place of `do` with the actual cure, where that is not the first one on the path
    figures: Prose | None = None
    evidence: Grounds = []
    examples: Annotated[list[Example], Field(min_length=1)]


class CureEntry(Model):
    """What a file of a kit cures, beside the file in a manifest under templates/."""

    caveat: Id
    check: Literal[tuple(CHECKS)]  # type: ignore[valid-type]  # the words; what to do and to see (model/cures.py)
    file: str = ""  # the name of one of several files that the entry copies
    lines: list[str] = []


class Caveats(Model):
    """A file of rules/caveats/."""

    caveats: list[Caveat]
    waive: list[Waive] = []


class ImpossibleItem(Model):
    """Answers that contradict each other."""

    id: Id
    when: When
    because: Prose


class ImpossibleFile(Model):
    """rules/impossible.yaml."""

    impossible: list[ImpossibleItem]


class BothSides(Model):
    """Cases in which a caveat is raised, and cases in which it is not."""

    raised: list[dict[str, Any]] = []
    silent: list[dict[str, Any]] = []


class BoundaryDecision(Model):
    """A case of the decision, and what must come out of it."""

    about: Prose
    given: dict[str, Any]
    primary: Id | None = None
    rule: Id | None = None
    fallback: Id | None = None
    acceptable: list[Id] = []
    unacceptable: list[Id] = []
    excluded: list[Id] = []


class Boundaries(Model):
    """A file of rules/boundaries/."""

    caveats: dict[Id, BothSides] = {}
    decisions: list[BoundaryDecision] = []
