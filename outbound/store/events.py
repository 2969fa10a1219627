"""Events: what the world is told, appended in the transaction that made it true."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, text

from outbound.store.schema import events

_EVENT_LOCK = 0x0B0D


def append(
    connection: Connection,
    *,
    at: float,
    kind: str,
    campaign_id: str | None = None,
    attempt_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event. On PostgreSQL writers take turns, so that ids become visible in their order."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _EVENT_LOCK})
    row = {"at": at, "kind": kind, "campaign_id": campaign_id, "attempt_id": attempt_id, "data": data or {}}
    connection.execute(insert(events), row)
    connection.info["told"] = True
