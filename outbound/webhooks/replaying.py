"""Sends a range of past events to a webhook again, a bounded part at a time; what waits already is left as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from outbound.store import webhook_deliveries
from outbound.store.schema import events
from outbound.webhooks.fan_out import events_after, spread
from outbound.webhooks.kinds import wanted, wants

PART = 2000
"""Events that are looked at in one unit of work."""
UNORDERED_S = 300.0
"""A later event may tell of an earlier instant by so much: calls report with a delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay of a range did."""

    deliveries: int
    next_after_id: int | None
    """Where to go on; ``None`` at the end."""


def replay_range(
    connection: Connection,
    webhook: Mapping[Any, Any],
    *,
    after_id: int,
    since: float,
    kinds: Sequence[str],
    now: float,
    part: int = PART,
) -> Replayed:
    """Send what the webhook wants of the events after ``after_id`` that happened from ``since`` on again.

    Events that its cursor has not reached are not past: they come by themselves.
    """
    found = [event for event in events_after(connection, after_id, limit=part) if event["id"] <= webhook["cursor"]]
    chosen = [
        event for event in found if event["at"] >= since and wants(webhook, event) and wanted(event["kind"], kinds)
    ]
    waiting = webhook_deliveries.revive(connection, webhook["id"], [event["id"] for event in chosen], now=now)
    spread(connection, webhook, chosen, now=now)
    return Replayed(deliveries=len(chosen) - waiting, next_after_id=found[-1]["id"] if len(found) == part else None)


def last_before(connection: Connection, since: float) -> int:
    """Id of an event behind which everything that happened from ``since`` on is; by halving, for there is no index."""
    low, high = 0, connection.execute(select(func.max(events.c.id))).scalar() or 0
    while low < high:
        middle = (low + high + 1) // 2
        at = connection.execute(
            select(events.c.at).where(events.c.id >= middle).order_by(events.c.id).limit(1)
        ).scalar()
        if at is None or at >= since - UNORDERED_S:
            high = middle - 1
        else:
            low = middle
    return low
