"""The life of an attempt: guarded transitions. It moves nothing itself; campaigns/retries.py says what follows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where an attempt stands."""

    DUE = "due"
    CLAIMED = "claimed"
    DIALING = "dialing"
    DONE = "done"
    UNDETERMINED = "undetermined"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.DUE: frozenset({State.CLAIMED, State.DONE, State.UNDETERMINED}),
    State.CLAIMED: frozenset({State.DUE, State.DIALING, State.DONE, State.UNDETERMINED}),
    State.DIALING: frozenset({State.DUE, State.DONE, State.UNDETERMINED}),
    State.UNDETERMINED: frozenset({State.DONE}),
    State.DONE: frozenset(),
}
"""``dialing -> due`` only when it is certain that nothing was sent (the line said so before its send window closed).
``due -> undetermined`` and ``claimed -> undetermined`` only when a journal holds a send that the database has lost."""


class TransitionError(Exception):
    """An attempt was asked to go where its state does not lead."""

    code = "transition_forbidden"
    retryable = False


def check_transition(before: State, after: State) -> None:
    """Raise :class:`TransitionError` unless ``before`` leads to ``after``."""
    if after not in TRANSITIONS[before]:
        allowed = ", ".join(sorted(TRANSITIONS[before])) or "nothing"
        raise TransitionError(f"an attempt that is {before} cannot become {after}; it can become {allowed}")
