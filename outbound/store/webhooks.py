"""Webhooks: where events are posted, and how far each is behind; what becomes of single events is in the neighbour.

The secrets lie in the row as they are, for they must sign; nothing here shows them or knows how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from outbound.errors import NotFound
from outbound.ids import new_id
from outbound.store import events, webhook_deliveries
from outbound.store.schema import events as events_table
from outbound.store.schema import webhook_deliveries as deliveries
from outbound.store.schema import webhooks

DISABLED = "webhook.disabled"
THERE = webhooks.c.deleted_at.is_(None)


def create(connection: Connection, row: Mapping[str, Any], *, now: float) -> RowMapping:
    """Store a webhook, as columns without id and cursor: it begins with the next event."""
    webhook_id = new_id(now)
    newest = connection.execute(select(func.max(events_table.c.id))).scalar() or 0
    connection.execute(insert(webhooks), dict(row) | {"id": webhook_id, "cursor": newest, "created_at": now})
    return get(connection, webhook_id)


def get(connection: Connection, webhook_id: str, *, to_change: bool = False) -> RowMapping:
    """Read a webhook, secrets included. Raises :class:`NotFound`."""
    query = select(webhooks).where(webhooks.c.id == webhook_id, THERE)
    row = connection.execute(query.with_for_update() if to_change else query).mappings().first()
    if row is None:
        raise NotFound("there is no such webhook; GET /v1/webhooks lists them", code="webhook_not_found")
    return row


def page(connection: Connection, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """List webhooks in the order they were made."""
    query = select(webhooks).where(THERE).order_by(webhooks.c.id).limit(limit)
    if after is not None:
        query = query.where(webhooks.c.id > after)
    return connection.execute(query).mappings().all()


def change(connection: Connection, webhook_id: str, values: Mapping[str, Any], *, now: float) -> RowMapping:
    """Change columns of a webhook; what waits is tried at once where that may help. Raises :class:`NotFound`."""
    old = get(connection, webhook_id, to_change=True)
    fresh = values.get("enabled", False) and not old["enabled"]
    moved = values.get("url", old["url"]) != old["url"]
    changed = dict(values)
    if fresh or moved:
        changed |= {"failing_since": None}
    if "enabled" in values:
        changed |= {"disabled_reason": ""}
    if changed:
        connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**changed))
    if fresh or moved:
        webhook_deliveries.hasten(connection, webhook_id, now=now)
    return get(connection, webhook_id)


def delete(connection: Connection, webhook_id: str, *, now: float) -> None:
    """Delete a webhook and its secrets; its deliveries go with the sweep. Raises :class:`NotFound`."""
    get(connection, webhook_id, to_change=True)
    emptied = {"deleted_at": now, "enabled": False, "secrets": [], "url": "", "description": ""}
    connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(**emptied))


def disable(connection: Connection, webhook_id: str, *, reason: str, code: str, now: float) -> None:
    """Post to a webhook no longer, and tell why; what waits goes on waiting."""
    events.take_turn(connection)
    mine = (webhooks.c.id == webhook_id) & webhooks.c.enabled & THERE
    if connection.execute(update(webhooks).where(mine).values(enabled=False, disabled_reason=reason)).rowcount:
        events.append(connection, at=now, kind=DISABLED, data={"id": webhook_id, "reason": code})


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """The webhooks that are posted to."""

    ids: frozenset[str]
    behind: bool
    """There are events that some of them have not looked at."""


def active(connection: Connection) -> Active:
    """Those that are posted to; a read that costs next to nothing, above all where there is none."""
    rows = connection.execute(select(webhooks.c.id, webhooks.c.cursor).where(webhooks.c.enabled, THERE)).all()
    newest = connection.execute(select(func.max(events_table.c.id))).scalar() or 0 if rows else 0
    return Active(ids=frozenset(row.id for row in rows), behind=any(row.cursor < newest for row in rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far one webhook is behind."""

    webhook_id: str
    enabled: bool
    waiting: int
    dead: int
    oldest_waiting_s: float
    """Age of the oldest delivery that waits; 0 where none does."""
    unread_events: int
    """Events that were not looked at yet, wanted or not."""


def lag(connection: Connection, now: float) -> list[Lag]:
    """How far every webhook is behind, in the order they were made."""
    columns = (webhooks.c.id, webhooks.c.enabled, webhooks.c.cursor)
    rows = connection.execute(select(*columns).where(THERE).order_by(webhooks.c.id)).all()
    newest = connection.execute(select(func.max(events_table.c.id))).scalar() or 0 if rows else 0
    found = counts(connection, [row.id for row in rows])
    return [
        Lag(
            webhook_id=row.id,
            enabled=row.enabled,
            waiting=found[row.id].waiting,
            dead=found[row.id].dead,
            oldest_waiting_s=max(now - (found[row.id].oldest_at or now), 0.0),
            unread_events=max(newest - row.cursor, 0),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Deliveries of one webhook that have not arrived."""

    waiting: int = 0
    dead: int = 0
    oldest_at: float | None = None


def counts(connection: Connection, webhook_ids: Sequence[str]) -> dict[str, Counts]:
    """Count what has not arrived, by webhook; each that was asked for is there."""
    told = {}
    for webhook_id in webhook_ids:
        numbers = {}
        for state in ("waiting", "dead"):
            mine = (deliveries.c.webhook_id == webhook_id) & (deliveries.c.state == state)
            numbers[state] = connection.execute(select(func.count()).select_from(deliveries).where(mine)).scalar() or 0
        oldest = (
            select(deliveries.c.created_at)
            .where(deliveries.c.webhook_id == webhook_id, deliveries.c.state == "waiting")
            .order_by(deliveries.c.id)
            .limit(1)
        )
        told[webhook_id] = Counts(**numbers, oldest_at=connection.execute(oldest).scalar())
    return told
