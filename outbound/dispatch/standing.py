"""Tells operators how trunks stand now: open, resting or tripped, why and until when; it changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from campaigns.pacing import BreakerState
from outbound.dispatch import paces
from outbound.dispatch.paces import Pace
from outbound.settling.aftermath import TRUNK_POLICY
from outbound.store.schema import LIVE, attempts

ASKED = "the far end asked to be left alone (Retry-After)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a trunk stands."""

    state: str = "open"
    until: float | None = None
    reason: str = ""
    calls: int = 0


def standings(connection: Connection, names: Sequence[str], *, now: float) -> dict[str, Standing]:
    """How trunks stand at ``now``, by name."""
    kept = paces.read(connection, [paces.trunk_key(name) for name in names])
    counted = select(attempts.c.trunk, func.count().label("calls")).where(LIVE).group_by(attempts.c.trunk)
    live = Counter({row.trunk: row.calls for row in connection.execute(counted)})
    return {name: _standing(kept[paces.trunk_key(name)], live[name], now) for name in names}


def _standing(pace: Pace, calls: int, now: float) -> Standing:
    if pace.breaker.state(now) is not BreakerState.CLOSED:
        until, why = pace.breaker.rest_until, pace.breaker.why(TRUNK_POLICY)
        return Standing(state="tripped", until=until, reason=why, calls=calls)
    if pace.resting_until > now:
        return Standing(state="resting", until=pace.resting_until, reason=ASKED, calls=calls)
    return Standing(calls=calls)
