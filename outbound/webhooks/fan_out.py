"""Turns events into deliveries, from each webhook's cursor on, in one transaction with it: none is lost, none doubled.

The table of events is the outbox; a webhook with very much waiting leaves the rest there. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from outbound.store.inserting import insert_or_skip
from outbound.store.schema import events, webhooks
from outbound.store.schema import webhook_deliveries as deliveries
from outbound.webhooks.kinds import stream_of, wants

BATCH = 500
"""Events that are looked at in one unit of work."""
BACKLOG = 20_000
"""Deliveries of one webhook that may wait; what is beyond stays in the outbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the webhooks are after one unit of work."""

    more: bool
    """There may be further events to be spread at once."""
    full: frozenset[str]
    """Webhooks for which so much waits that their further events stay in the outbox."""


def fan_out(
    connection: Connection,
    *,
    now: float,
    passing_over: Collection[str] = (),
    batch: int = BATCH,
    backlog: int = BACKLOG,
) -> Progress:
    """Give every webhook its next events, but for some. Two workers never serve the same webhook at once."""
    newest = connection.execute(select(func.max(events.c.id))).scalar() or 0
    query = (
        select(webhooks)
        .where(webhooks.c.enabled, webhooks.c.deleted_at.is_(None), webhooks.c.cursor < newest)
        .where(webhooks.c.id.not_in(passing_over))
        .order_by(webhooks.c.cursor, webhooks.c.id)
        .with_for_update(skip_locked=True)
    )
    behind = connection.execute(query).mappings().all()
    full = frozenset(row["id"] for row in behind if _is_full(connection, row["id"], backlog))
    more = False
    for cursor, alike in groupby((row for row in behind if row["id"] not in full), key=lambda row: row["cursor"]):
        group = list(alike)
        found = connection.execute(_after(cursor).limit(batch)).mappings().all()
        for webhook in group:
            spread(connection, webhook, [event for event in found if wants(webhook, event)], now=now)
        move = update(webhooks).where(webhooks.c.id.in_([webhook["id"] for webhook in group]))
        connection.execute(move.values(cursor=found[-1]["id"]))
        more = more or len(found) == batch
    return Progress(more=more, full=full)


def spread(
    connection: Connection, webhook: Mapping[Any, Any], found: Sequence[Mapping[Any, Any]], *, now: float
) -> None:
    """Store a delivery of each event that has none yet."""
    if not found:
        return
    same = {"webhook_id": webhook["id"], "state": "waiting", "tries": 0, "next_at": now, "created_at": now}
    rows = [same | {"event_id": event["id"], "stream": stream_of(event)} for event in found]
    connection.execute(insert_or_skip(connection, deliveries), rows)


def events_after(connection: Connection, cursor: int, *, limit: int) -> Sequence[RowMapping]:
    """The next events without what they say."""
    return connection.execute(_after(cursor).limit(limit)).mappings().all()


def _after(cursor: int) -> Any:
    columns = (events.c.id, events.c.at, events.c.kind, events.c.campaign_id, events.c.attempt_id)
    return select(*columns).where(events.c.id > cursor).order_by(events.c.id)


def _is_full(connection: Connection, webhook_id: str, backlog: int) -> bool:
    waiting = select(deliveries.c.id).where(deliveries.c.webhook_id == webhook_id, deliveries.c.state == "waiting")
    count = select(func.count()).select_from(waiting.limit(backlog).subquery())
    return (connection.execute(count).scalar() or 0) >= backlog
