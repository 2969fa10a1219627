"""Events: what the world is told, appended in the transaction that made it true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, text

from outbound.store.schema import events

_EVENT_LOCK = 0x0B0D
_TURN = text("SELECT pg_advisory_xact_lock(:key)")
_APPEND = insert(events)
_HELD = "turn"
"""Key in ``Connection.info`` of the transaction that has its turn already: asking again is a round trip for nothing."""


def take_turn(connection: Connection) -> None:
    """Have this unit of work see everything that told of itself before, and be seen by all that tell after it.

    Call it before reading what is decided on: on PostgreSQL a unit that waited only when it told would commit what it
    decided although an opt-out was answered meanwhile, or wait for rows of one that waits for it. SQLite has 1 writer.
    """
    if connection.dialect.name != "postgresql":
        return
    # the innermost: what is locked behind a savepoint is free again when that is rolled back
    current = connection.get_nested_transaction() or connection.get_transaction()
    if current is None or connection.info.get(_HELD) is not current:
        connection.execute(_TURN, {"key": _EVENT_LOCK})
        connection.info[_HELD] = connection.get_nested_transaction() or connection.get_transaction()


def append(
    connection: Connection,
    *,
    at: float,
    kind: str,
    campaign_id: str | None = None,
    attempt_id: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event."""
    row = {"at": at, "kind": kind, "campaign_id": campaign_id, "attempt_id": attempt_id, "data": data or {}}
    append_all(connection, [row])


def append_all(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append events, as rows of their table. On PostgreSQL writers take turns: ids become visible in their order."""
    if not rows:
        return
    take_turn(connection)
    connection.execute(_APPEND, [dict(row) for row in rows])
    connection.info["told"] = True
