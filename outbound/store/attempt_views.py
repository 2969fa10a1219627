"""What operators see of attempts: lists, details, figures; it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from outbound.errors import NotFound
from outbound.store.schema import attempts, callbacks, campaigns, contacts, events, receipts

TIMELINE_LIMIT = 5000
FIGURES_LIMIT = 5000
"""Newest answered attempts that a campaign's figures are taken from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which attempts; ``None`` means all."""

    campaign_id: str | None = None
    number: str | None = None
    state: str | None = None
    disposition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """An attempt with what was written about it."""

    attempt: RowMapping
    timeline: Sequence[RowMapping]
    receipts: Sequence[RowMapping]


def _query() -> Select[Any]:
    return (
        select(attempts, campaigns.c.name.label("campaign"), contacts.c.name.label("name"))
        .join(campaigns, attempts.c.campaign_id == campaigns.c.id)
        .join(contacts, attempts.c.contact_id == contacts.c.id)
    )


def page(connection: Connection, chosen: Filter, *, before: str | None, limit: int) -> Sequence[RowMapping]:
    """List attempts, the newest first."""
    query = _query().order_by(attempts.c.id.desc()).limit(limit)
    for name in ("campaign_id", "number", "state", "disposition"):
        value = getattr(chosen, name)
        if value is not None:
            query = query.where(attempts.c[name] == value)
    if before is not None:
        query = query.where(attempts.c.id < before)
    return connection.execute(query).mappings().all()


def get(connection: Connection, attempt_id: str) -> RowMapping:
    """Read one attempt. Raises :class:`NotFound`."""
    row = connection.execute(_query().where(attempts.c.id == attempt_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no attempt {attempt_id}", code="attempt_not_found")
    return row


def detail(connection: Connection, attempt_id: str) -> Detail:
    """Read an attempt with its timeline and receipts. Raises :class:`NotFound`."""
    row = get(connection, attempt_id)
    timeline = select(events).where(events.c.attempt_id == attempt_id).order_by(events.c.id).limit(TIMELINE_LIMIT)
    kept = select(receipts).where(receipts.c.attempt_id == attempt_id).order_by(receipts.c.id)
    return Detail(
        attempt=row,
        timeline=connection.execute(timeline).mappings().all(),
        receipts=connection.execute(kept).mappings().all(),
    )


def timings(connection: Connection, campaign_id: str) -> Sequence[dict[str, Any]]:
    """Read the measured timings of a campaign's newest answered attempts."""
    query = (
        select(attempts.c.result["timings"])
        .where(attempts.c.campaign_id == campaign_id, attempts.c.answered_at.is_not(None))
        .where(attempts.c.result.is_not(None))
        .order_by(attempts.c.id.desc())
        .limit(FIGURES_LIMIT)
    )
    return [item for item in connection.execute(query).scalars() if isinstance(item, dict)]


def page_callbacks(
    connection: Connection, *, number: str | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List wishes to be called back, the newest first."""
    query = select(callbacks).order_by(callbacks.c.id.desc()).limit(limit)
    if number is not None:
        query = query.where(callbacks.c.number == number)
    if before is not None:
        query = query.where(callbacks.c.id < before)
    return connection.execute(query).mappings().all()
