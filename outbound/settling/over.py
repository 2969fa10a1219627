"""A call that is over, with everything that is known of it: what settling, its aftermath and what follows work on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping

from dialer.messages import CallResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """A call that has just ended, under the fence that was awaited."""

    attempt: RowMapping
    """As it was before."""
    contact: RowMapping
    campaign: RowMapping
    trunk: RowMapping | None
    """``None`` when it is not there any more."""
    result: CallResult
    abandoned: bool
    """Answered by a person, meant for an agent, and none took it."""
    cost: float | None
    """By the trunk's rates; ``None`` when they do not say."""
