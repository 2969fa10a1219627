"""Pacing: how many calls may begin now, and whose. Pure: instants and counts are arguments, nothing is started here."""

from __future__ import annotations

from campaigns.pacing.abandonment import (
    CONNECT_WITHIN_S,
    FCC_LIMIT,
    OFCOM_LIMIT,
    Abandonment,
    AnswerShare,
    Limit,
    target,
)
from campaigns.pacing.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerState,
    failed_campaign,
    failed_trunk,
)
from campaigns.pacing.bucket import TokenBucket
from campaigns.pacing.modes import MOST_CALLS_PER_AGENT, UNLIMITED, Mode, abandoned_share, places
from campaigns.pacing.shares import Lane, deal, served

__all__ = [
    "CONNECT_WITHIN_S",
    "FCC_LIMIT",
    "MOST_CALLS_PER_AGENT",
    "OFCOM_LIMIT",
    "UNLIMITED",
    "Abandonment",
    "AnswerShare",
    "Breaker",
    "BreakerPolicy",
    "BreakerState",
    "Lane",
    "Limit",
    "Mode",
    "TokenBucket",
    "abandoned_share",
    "deal",
    "failed_campaign",
    "failed_trunk",
    "places",
    "served",
    "target",
]
