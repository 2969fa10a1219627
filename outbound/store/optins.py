"""Opt-ins: the customer's own acts that take back earlier opt-outs, as events; what they lift the gate decides."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert

from outbound.ids import new_id
from outbound.store import by_number, events
from outbound.store.schema import opt_ins


def record(
    connection: Connection,
    *,
    number: str,
    scope: str,
    channel: str = "",
    source: str,
    words: str,
    proof: str = "",
    at: float,
    now: float,
) -> RowMapping:
    """Store an opt-in of an E.164 number.

    ``at``: when the customer did it, kept as ``created_at``, since it lifts only opt-outs that are older than the act;
    told of late it must not lift what was said meanwhile.
    """
    opt_in_id = new_id(now)
    told = {"number": number, "scope": scope, "channel": channel, "source": source}
    connection.execute(
        insert(opt_ins), told | {"id": opt_in_id, "words": words, "proof": proof, "created_at": min(at, now)}
    )
    events.append(connection, at=now, kind="optin.created", data={"id": opt_in_id} | told)
    return by_number.get(connection, opt_ins, opt_in_id)


def of(connection: Connection, names: Sequence[str]) -> Sequence[RowMapping]:
    """Read somebody's opt-ins, the oldest first."""
    return by_number.rows_of(connection, opt_ins, names)


def page(
    connection: Connection, *, names: Sequence[str] | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List opt-ins, the newest first by when they were told."""
    return by_number.page(connection, opt_ins, names=names, before=before, limit=limit)
