"""The verdict, key by key: the same as rules/schema/verdict.schema.json, and a test compares the two.

Ids are those of the rules; `answer` values are as in an answers file, None where an answer is not known.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

Level: TypeAlias = Literal["high", "medium", "low"]
Severity: TypeAlias = Literal["breaks", "degrades", "note"]
Kind: TypeAlias = Literal["article", "source", "measured", "judgement"]  # of evidence
Result: TypeAlias = Literal["true", "false", "unknown"]


class OtherAnswer(TypedDict):
    """An answer that is not among the listed options."""

    other: str


Answer: TypeAlias = "bool | float | str | OtherAnswer | list[str | OtherAnswer] | None"


class Evidence(TypedDict):
    """Where a statement comes from; `url` and `as_of` are empty where there is none."""

    kind: Kind
    text: str
    where: str
    url: str
    as_of: str


Scale: TypeAlias = Literal["patterns", "at_ten_times"]  # of the costs
CostKey: TypeAlias = Literal[
    "requests_per_h",
    "queries_per_h",
    "total_bytes_per_h",
    "overhead_bytes_per_h",
    "worst_delay_s",
    "held_connections",
    "proxy_descriptors",
    "worker_connections",
    "upstream_ports",
    "server_memory_bytes",
    "proxy_memory_bytes",
    "billed_hours_per_h",
]  # that a column of the tables shows
TimeKey: TypeAlias = Literal[
    "heartbeat_s", "hold_s", "retry_ms", "retry_max_ms", "drain_s", "connect_patience_ms", "read_timeout_s"
]


# --- patterns ---------------------------------------------------------------------------------------------------------


class Acceptable(TypedDict):
    """An acceptable pattern, the primary first."""

    id: str
    why: str
    evidence: list[Evidence]


class Rejection(TypedDict):
    """A pattern that is not acceptable, and the rule that rejects it."""

    id: str
    rule: str
    why: str


class Article(TypedDict):
    """What the article's five steps alone give: the pattern and the step that settled it, or None."""

    primary: str | None
    step: int | None


class Riskiest(TypedDict):
    """The unstated fact whose other answers matter most, and the patterns that they give."""

    fact: str
    decides: list[str]


class Assumption(TypedDict):
    """The value assumed for an unstated fact; `decides` are the patterns that another answer alone would give."""

    fact: str
    value: Answer
    text: str
    decides: list[str]


class AskNext(TypedDict):
    """The unanswered question that alone can change the pattern."""

    fact: str
    ask: str
    decides: list[str]


class Change(TypedDict):
    """The fewest answers that lead to another pattern."""

    to: str
    set: dict[str, Answer]
    text: str


class Contradiction(TypedDict):
    """Stated answers that cannot all hold."""

    id: str
    why: str


# --- caveats ----------------------------------------------------------------------------------------------------------


# Where something is to be done, in the order of the path.
Place: TypeAlias = Literal[
    "client", "cdn", "load-balancer", "reverse-proxy", "service-mesh", "path", "platform", "hosting-layer",
    "server-stack", "existing-stack", "server", "broker", "team",
]  # fmt: skip


class Doing(TypedDict):
    """One thing to do. `at` is a place on the path: a fact whose stated answer the text is about, or a general one."""

    at: Place
    text: str


class RaisedCaveat(TypedDict):
    """Something that will bite: `because` of what is stated, or of the rule that decided.

    `figures` are None where no number of its text is known. `cured_by`: files of the kit; empty where it is yours.
    """

    id: str
    severity: Severity
    title: str
    because: str
    why: str
    do: list[Doing]
    figures: str | None
    evidence: list[Evidence]
    cured_by: list[str]


class SharedCaveat(RaisedCaveat):
    """A caveat that several features raise alike, listed once for them."""

    features: list[str]


class Handled(TypedDict):
    """A caveat of the patterns' checklist that the kit cures, with the files that do it."""

    id: str
    title: str
    cured_by: list[str]
    features: list[str]


class KeptCaveat(TypedDict):
    """What would bite if a transport were kept."""

    id: str
    severity: Severity
    title: str
    because: str


class IfKept(TypedDict):
    """A transport in use or proposed that is not the recommended one, and what keeping it would raise."""

    pattern: str
    caveats: list[KeptCaveat]


CaveatIf = TypedDict("CaveatIf", {"id": str, "severity": Severity, "title": str, "if": dict[str, Answer]})


# --- numbers ----------------------------------------------------------------------------------------------------------


class Input(TypedDict):
    """A number (or yes-no) from which the costs were calculated."""

    value: float | bool
    assumed: bool


class Cost(TypedDict):
    """One pattern's costs in steady operation; None where a value does not apply. Bytes are on the clients' hop."""

    requests_per_client_per_h: float
    requests_per_h: float
    queries_per_h: float
    uplink_requests_per_h: float
    deliveries_per_s: float
    overhead_bytes_per_h: float
    total_bytes_per_h: float
    worst_delay_s: float
    held_connections: float
    held_per_instance: float
    proxy_descriptors: float | None
    worker_connections: float | None
    upstream_ports: float | None
    upstream_addresses: float | None
    server_memory_bytes: float
    proxy_memory_bytes: float | None
    billed_hours_per_h: float | None


class Costs(TypedDict):
    """Every pattern's costs, at the stated number of clients and at ten times as many."""

    inputs: dict[str, Input]
    fanout_per_s: float
    patterns: dict[str, Cost]
    at_ten_times: dict[str, Cost]


class PathLimit(TypedDict):
    """A limit on the path, by a platform or as stated (then `platform` is empty). Times in seconds."""

    id: str
    platform: str
    at: list[str]
    where: str
    kind: Literal["idle", "first-byte", "total", "lifetime", "grace"]
    seconds: float
    up_to: float | None
    change: Literal["setting", "quota", "fixed"]
    setting: str
    says: str
    url: str
    as_of: str
    confidence: Level
    contested: str


class Conflict(TypedDict):
    """Two limits between which no time fits."""

    between: list[str]
    text: str


class Timing(TypedDict):
    """The solved times, whole seconds (`_s`) and milliseconds (`_ms`); `binding` has the reason for each."""

    heartbeat_s: int
    hold_s: int
    retry_ms: int
    retry_max_ms: int
    drain_s: int
    connect_patience_ms: int
    read_timeout_s: int
    binding: dict[str, str]
    conflicts: list[Conflict]
    limits: list[PathLimit]


# --- the steps as walked ----------------------------------------------------------------------------------------------


class WalkedCondition(TypedDict):
    """One condition of a rule, what was answered and how it came out."""

    fact: str
    wanted: str
    answer: Answer
    result: Result


class WalkedRule(TypedDict):
    """One rule with all its conditions."""

    rule: str
    result: Result
    conditions: list[WalkedCondition]


class WalkedStep(TypedDict):
    """One step of the decision or of the article; `rule` and `because` of the rule that held."""

    step: str
    title: str
    state: Literal["passed", "decided", "not-reached"]
    rule: str | None
    because: str | None
    rules: list[WalkedRule]


# --- a feature, a project ---------------------------------------------------------------------------------------------


class FeatureVerdict(TypedDict):
    """The verdict of one feature. `alone` is its pattern before the features of its page were merged."""

    name: str
    primary: str | None
    alone: str | None
    acceptable: list[Acceptable]
    rejected: list[Rejection]
    fallback: str | None
    outside: bool
    nearest_core: str | None
    article: Article
    departs: str | None
    confidence: Level
    confidence_why: str
    riskiest: Riskiest | None
    stated: list[str]
    caveats: list[RaisedCaveat]
    contradictions: list[Contradiction]
    caveats_if: list[CaveatIf]
    if_kept: list[IfKept]
    assumptions: list[Assumption]
    open: list[str]
    matters: list[str]
    ask_next: AskNext | None
    changes: list[Change]
    costs: Costs
    timing: Timing
    steps: list[WalkedStep]
    article_steps: list[WalkedStep]


class Connection(TypedDict):
    """A connection that several features of one page share."""

    page: str
    pattern: str
    features: list[str]


class Reuse(TypedDict):
    """Advice where no page is stated: `feature` could use the connection of the feature `could_use`."""

    feature: str
    could_use: str


class HeldByPage(TypedDict):
    """What one page holds open in one browser; `page` is "" and `http2` None where they are not stated."""

    page: str
    features: list[str]
    streams: int
    tabs: float
    total: float
    http2: bool | None


class SharedTiming(TypedDict):
    """The strictest times of the features."""

    heartbeat_s: int
    hold_s: int


class Shared(TypedDict):
    """What the features of a project have in common."""

    connections: list[Connection]
    reuse: list[Reuse]
    pages: list[HeldByPage]
    caveats: list[SharedCaveat]
    handled: list[Handled]
    timing: SharedTiming


class RulesVersion(TypedDict):
    """Which rules decided."""

    version: str
    sha256: str


class Verdict(TypedDict):
    """The verdict of a whole project."""

    schema: Literal[2]
    project: str
    rules: RulesVersion
    features: list[FeatureVerdict]
    shared: Shared
    exit: Literal[0, 3]
