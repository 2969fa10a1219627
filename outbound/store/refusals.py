"""Refused offers: no opt-outs, but events with legal effect in some countries; nothing is cancelled here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert, select

from outbound.ids import new_id
from outbound.store import by_number, events
from outbound.store.schema import refusals


def record(
    connection: Connection,
    *,
    number: str,
    purpose: str,
    words: str,
    source: str,
    campaign_id: str | None = None,
    attempt_id: str | None = None,
    now: float,
) -> RowMapping:
    """Store that somebody refused what was offered, once an attempt; return the one that is kept."""
    events.take_turn(connection)
    if attempt_id is not None:
        known = select(refusals).where(refusals.c.attempt_id == attempt_id).order_by(refusals.c.id)
        row = connection.execute(known).mappings().first()
        if row is not None:
            return row
    refusal_id = new_id(now)
    told = {"number": number, "purpose": purpose, "source": source}
    place = {"campaign_id": campaign_id, "attempt_id": attempt_id}
    connection.execute(insert(refusals), told | place | {"id": refusal_id, "words": words, "created_at": now})
    events.append(connection, at=now, kind="refusal.recorded", data={"id": refusal_id} | told, **place)
    return by_number.get(connection, refusals, refusal_id)


def of(connection: Connection, names: Sequence[str]) -> Sequence[RowMapping]:
    """Read somebody's refusals, the oldest first."""
    return by_number.rows_of(connection, refusals, names)


def page(
    connection: Connection, *, names: Sequence[str] | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List refusals, the newest first."""
    return by_number.page(connection, refusals, names=names, before=before, limit=limit)
