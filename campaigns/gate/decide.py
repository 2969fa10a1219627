"""The gate's one question: may this contact be reached now, and if not, why, and from when."""

from __future__ import annotations

from campaigns.gate.checks import CHECKS, HORIZON_S, Check
from campaigns.gate.facts import INFINITY, Decision, Question
from campaigns.gate.obstacle import Obstacle
from campaigns.gate.regime import Regime

_MOST_STEPS = 20_000
"""Steps from obstacle to obstacle: far more than a horizon of midnights in many zones has."""


def decide(question: Question, regime: Regime) -> Decision:
    """Answer whether the contact may be reached at ``question.at``; a refusal carries the next permitted instant.

    The next instant is the earliest permitted one, to the second, by what is known now; ``None`` when there is none
    within the horizon and before the campaign's deadline.
    """
    first = _first(question, regime, question.at)
    if first is None:
        return Decision(
            allowed=True, code="permitted", reason="every rule allows it", rule=regime.permitting, next_at=question.at
        )
    return Decision(
        allowed=False,
        code=first.code,
        reason=first.reason,
        rule=first.rule,
        source=first.source,
        mark=first.mark,
        next_at=_next(question, regime, first),
    )


def _first(question: Question, regime: Regime, at: float) -> Obstacle | None:
    for check in CHECKS:
        found = check(question, regime, at)
        if found is not None:
            return found
    return None


def _next(question: Question, regime: Regime, first: Obstacle) -> float | None:
    """Step from obstacle to obstacle until none is left."""
    end = min(question.at + HORIZON_S, question.campaign.expires_at or INFINITY)
    found: Obstacle | None = first
    here = question.at
    for _ in range(_MOST_STEPS):
        if found is None:
            return here
        here = found.until
        if here >= end:
            return None
        found = _first(question, regime, here)
    return None


__all__ = ["Check", "decide"]
