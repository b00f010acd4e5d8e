"""The platform cards of rules/platforms/ as pydantic models: no value without source, date and confidence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from advisor.model.platforms import WAY
from advisor.ruleset.schema import Date, Id, Model, Prose, Review

Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\n]+$")]
Seconds = Annotated[float, Field(gt=0)]
Amount = Annotated[int | float | Line, AfterValidator(lambda v: int(v) if isinstance(v, float) and v == int(v) else v)]


class Sourced(Model):
    """The fields of every row of a card."""

    says: Prose
    setting: Line | None = None
    source: Url
    as_of: Date
    review: Review | None = None
    confidence: Literal["high", "medium", "low"]
    checked: Literal["read", "measured", "memory"] = "read"
    contested: Prose | None = None
    note: Prose | None = None


class Value(Sourced):
    """One thing that a platform does or has; `value` is a number with its unit, yes, no, none or a few words.

    A capacity with `per` is how many connections of the channels of `for` (none named: of every one) fit at the same
    time: in all, or on one instance.
    """

    value: Amount
    unit: Line | None = None
    per: Literal["all", "instance"] | None = None
    for_: Annotated[list[Id], Field(alias="for", default_factory=list)]

    @model_validator(mode="after")
    def _counted(self) -> Value:
        if self.per is not None and (isinstance(self.value, str) or self.value != int(self.value)):
            raise ValueError("a capacity with `per` is a whole number of connections")
        if self.for_ and self.per is None:
            raise ValueError("`for` is used together with `per`, in the capacity of a platform")
        return self


Values = Annotated[dict[Id, Value], Field(default_factory=dict)]


class Limit(Sourced):
    """What ends a connection or a request.

    idle: silence, cured by a heartbeat. first-byte, total: cured by a setting or another pattern. lifetime: cured by
    resuming alone. grace: between the signal to stop and the kill. rate: new connections per second.
    """

    kind: Literal["idle", "first-byte", "total", "lifetime", "grace", "rate"]
    for_: list[Id] = Field(alias="for")  # of `channels` in rules/patterns.yaml
    seconds: Seconds | Literal["none", "varies"] | None = None
    each_second: Seconds | None = None
    from_: Seconds | None = Field(None, alias="from")
    up_to: Seconds | None = None
    change: Literal["setting", "quota", "fixed"]

    @model_validator(mode="after")
    def _amounts(self) -> Limit:
        if (self.each_second is not None) != (self.kind == "rate") or (self.seconds is None) != (self.kind == "rate"):
            raise ValueError("a rate needs `each-second`, every other limit needs `seconds`")
        if self.change == "fixed" and self.up_to is not None:
            raise ValueError("a fixed limit must not have `up-to`")
        amount = self.seconds if isinstance(self.seconds, float) else None
        if amount is not None and not (self.from_ or 0) <= amount <= (self.up_to or amount):
            raise ValueError("`seconds` must be between `from` and `up-to`")
        return self


class Card(Model):
    """A file of rules/platforms/. Its id is the name of the file; `stands-at` makes it an answer to these questions."""

    name: Line
    also_called: Annotated[list[Line], Field(default_factory=list)]
    stands_at: list[Literal[WAY]]  # type: ignore[valid-type]  # the tuple is the list of the allowed words
    summary: Prose
    limits: Annotated[dict[Id, Limit], Field(default_factory=dict)]
    websocket: Values
    http2: Values
    buffering: Values
    compression: Values
    stickiness: Values
    connections: Values
    capacity: Values
    drain: Values
    status: Values
