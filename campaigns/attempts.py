"""The life of an attempt: guarded transitions, and whether and when another follows. It moves nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from campaigns.dispositions import Disposition

NEVER_RETRIED_CAUSES = frozenset({"line_lost", "lease_expired"})
"""Hangup causes after which the customer may have been reached: another call could be the second for one notice."""


class State(StrEnum):
    """Where an attempt stands."""

    DUE = "due"
    CLAIMED = "claimed"
    DIALING = "dialing"
    DONE = "done"
    UNDETERMINED = "undetermined"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.DUE: frozenset({State.CLAIMED, State.DONE}),
    State.CLAIMED: frozenset({State.DUE, State.DIALING, State.DONE}),
    State.DIALING: frozenset({State.DUE, State.DONE, State.UNDETERMINED}),
    State.UNDETERMINED: frozenset({State.DONE}),
    State.DONE: frozenset(),
}
"""``dialing -> due`` only when it is certain that nothing was sent (the line said so before its send window closed)."""


class TransitionError(Exception):
    """An attempt was asked to go where its state does not lead."""

    code = "transition_forbidden"
    retryable = False


def check_transition(before: State, after: State) -> None:
    """Raise :class:`TransitionError` unless ``before`` leads to ``after``."""
    if after not in TRANSITIONS[before]:
        allowed = ", ".join(sorted(TRANSITIONS[before])) or "nothing"
        raise TransitionError(f"an attempt that is {before} cannot become {after}; it can become {allowed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon a customer is tried again."""

    max_attempts: int
    delays_s: Mapping[Disposition, float]
    """From the end of an attempt to the next, by disposition; one that is not named is final."""


def retry_delay_s(
    policy: RetryPolicy, *, disposition: Disposition, ordinal: int, answered: bool = False, hangup_cause: str = ""
) -> float | None:
    """Seconds from the end of attempt number ``ordinal`` (from 1) to the next, or ``None`` when there is no next.

    A call that broke down after it was answered is not made again: the customer may have heard what it was about.
    """
    if ordinal >= policy.max_attempts or hangup_cause in NEVER_RETRIED_CAUSES:
        return None
    if answered and disposition is Disposition.FAILED:
        return None
    return policy.delays_s.get(disposition)
