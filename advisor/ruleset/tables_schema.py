"""rules/costs.yaml and rules/timing.yaml as pydantic models: figures with evidence, and formulas over them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema, field_validator

from advisor.model.rulebase import CostedAs
from advisor.ruleset.schema import EvidenceList, Id, Model, Prose


class Figure(Model):
    """A measured, published or chosen number that the costs or the times take."""

    value: float = Field(ge=0)
    unit: str
    title: Prose
    evidence: EvidenceList


Arithmetic = Annotated[
    str,
    BeforeValidator(str),
    StringConstraints(pattern=r"^[a-z0-9 .,()+*/<>=\n-]+$"),
    WithJsonSchema({"type": ["string", "number"]}),  # YAML reads a lone 0 as a number
]
CostedBy = dict[CostedAs, Arithmetic]


class Formula(Model):
    """What one cost is, as arithmetic in words: the same for every pattern, or by the pattern's `costed-as`."""

    title: Prose
    unit: str
    is_: Arithmetic | Annotated[CostedBy, Field(min_length=4)] = Field(alias="is")
    evidence: EvidenceList


COST_FIGURES: Final = (  # what advisor/engine/costs.py uses
    "connection-headroom", "delivery-bytes", "delivery-segments", "descriptors-per-stream", "ephemeral-ports",
    "event-bytes", "exchange-bytes", "exchange-segments", "frame-bytes", "heartbeat-event-bytes", "held-answers-per-s",
    "keep-alive-s",
    "mask-bytes", "message-segments", "proxy-poll-memory-bytes", "proxy-socket-memory-bytes",
    "proxy-stream-memory-bytes", "request-time-s", "round-trip-s", "segment-bytes", "socket-memory-bytes",
    "stream-memory-bytes", "tls-memory-bytes", "tls-record-bytes",
)  # fmt: skip
TIMING_FIGURES: Final = (  # what advisor/engine/timing.py solves the times from
    "connect-patience-ms", "connects-per-s", "drain-s", "drain-share", "heartbeat-s", "heartbeat-share", "hold-s",
    "hold-share", "poll-slack-s", "read-timeout-heartbeats", "retry-limit-ms", "retry-max-ms", "retry-ms",
)  # fmt: skip


def _all_of(names: tuple[str, ...]) -> AfterValidator:
    def check(figures: dict[str, Figure]) -> dict[str, Figure]:
        missing = [name for name in names if name not in figures]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise ValueError(f"{', '.join(missing)} {verb} missing; the program needs every figure")
        return figures

    return AfterValidator(check)


class Costs(Model):
    """rules/costs.yaml."""

    figures: Annotated[
        dict[Id, Figure], _all_of(COST_FIGURES), Field(json_schema_extra={"required": list(COST_FIGURES)})
    ]
    formulas: dict[Id, Formula]


class Timing(Model):
    """rules/timing.yaml."""

    figures: Annotated[
        dict[Id, Figure], _all_of(TIMING_FIGURES), Field(json_schema_extra={"required": list(TIMING_FIGURES)})
    ]
    limits: None = None

    @field_validator("limits", mode="before")
    @classmethod
    def _elsewhere(cls, _: Any) -> None:
        raise ValueError("limits belong on the cards in rules/platforms/")


class Surprise(Model):
    """An answer that was another one than the other answers made likely, and in how many features of which kind."""

    fact: Id
    value: Any
    seen: Annotated[dict[Id, Annotated[int, Field(ge=1)]], Field(min_length=1)]


class Shares(Model):
    """rules/shares.yaml: counts over described features."""

    evidence: EvidenceList
    features: dict[Id, Annotated[int, Field(ge=1)]]
    surprises: list[Surprise]
