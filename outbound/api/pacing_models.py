"""The shapes of how a campaign tries, spends and paces, part of the contract of REST version 1.

Nothing here reads or writes anything. Numbers are E.164, durations carry their unit.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from campaigns.dispositions import Disposition
from campaigns.pacing import Mode
from campaigns.rules import parse_period

E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")]
CallerId = Annotated[str, StringConstraints(pattern=r"^(\+[1-9]\d{6,14})?$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{0,14}$")]
"""The first digits of E.164 numbers."""
Destination = Annotated[str, StringConstraints(pattern=r"^!?\+[1-9]\d{0,14}$")]


class Model(BaseModel):
    """Base of all shapes: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class RetryPolicy(Model):
    """When and how often a customer is tried again."""

    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    delays_s: dict[Disposition, Annotated[int, Field(ge=1, le=14 * 86400)]] = Field(
        default_factory=lambda: {
            Disposition.BUSY: 600,
            Disposition.NO_ANSWER: 7200,
            Disposition.POWERED_OFF: 14400,
            Disposition.UNREACHABLE: 3600,
            Disposition.CONGESTION: 300,
            Disposition.FAILED: 600,
            Disposition.NO_MEDIA: 1800,
        }
    )
    """Seconds from the end of an attempt to the next, by disposition; a disposition that is not named is final."""
    spread_s: Annotated[int, Field(ge=0, le=86400)] = 0
    """Retries of customers who were tried together are spread over so long."""
    backoff: Annotated[float, Field(ge=1, le=10)] = 1.0
    """Factor by which the delay grows with every attempt that ended in the same way."""
    other_part_of_day: bool = False
    """Whether somebody who was not reached is tried in another part of their day (morning, afternoon, evening)."""
    other_number_after: Annotated[list[Disposition], Field(max_length=30)] = Field(default_factory=list)
    """Ends after which the customer's next number is tried."""
    max_by_disposition: dict[Disposition, Annotated[int, Field(ge=1, le=10)]] = Field(default_factory=dict)
    """How many attempts may end in a way until it is final."""


class CapIn(Model):
    """At most so many attempts to one customer of the campaign within a period."""

    attempts: Annotated[int, Field(ge=1, le=10_000)]
    per: Annotated[str, StringConstraints(max_length=40)]
    """``24 hours``, ``30 calendar days``, ``calendar week``, ``calendar month``. A gap is a cap of one."""
    channels: Annotated[list[Literal["voice", "sms"]], Field(min_length=1)] = ["voice", "sms"]
    outcomes: Annotated[list[Disposition | Literal["answered", "unanswered"]], Field(max_length=30)] = Field(
        default_factory=list
    )
    """Only attempts that ended so count; empty: all."""

    @model_validator(mode="after")
    def _has_a_period(self) -> Self:
        parse_period(self.per)
        return self


class BudgetIn(Model):
    """How much a campaign may spend."""

    attempts: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """In all."""
    attempts_per_day: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """Within any 24 hours."""
    spend: Annotated[float, Field(ge=0, le=10**9)] | None = None
    """Money in all, by the trunks' rates: a call begins only if it fits in, however long it lasts; one of which the
    rate is not known never does."""


class PacingIn(Model):
    """How calls wait for agents."""

    mode: Mode = Mode.AGENTLESS
    """``agentless``: the robot talks; ``progressive``: one call for each free agent; ``predictive``: more than agents
    are free, by the share of calls that are answered, with abandonment kept below its limit."""
    agents: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Agents behind ``agent_uri`` who take this campaign's calls; without any, none of these modes dials."""
    wrap_up_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """How long an agent is busy after a call."""
    abandonment_share: Annotated[float, Field(ge=0, le=0.03)] = 0.03
    """The greatest share of calls answered by a person that may find no agent; never above 3% (47 CFR
    64.1200(a)(7)). The limits of the rule packs hold besides: the strictest counts."""
    abandonment_period_s: Annotated[int, Field(ge=86400, le=30 * 86400)] = 86400
    """Over which it is kept."""


class BreakerIn(Model):
    """When a campaign whose calls fail is paused by itself."""

    window_s: Annotated[float, Field(ge=60, le=86400)] = 3600.0
    least: Annotated[int, Field(ge=5, le=200)] = 20
    """Fewer calls prove nothing."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Failed calls (broke down, invalid numbers, blocked as unwanted, no audio) at which it is paused."""
