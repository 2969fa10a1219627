"""Consents: grants and withdrawals as events with their proof, never overwritten; which one counts the gate decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, RowMapping, insert

from outbound.ids import new_id
from outbound.store import by_number, events
from outbound.store.schema import consents


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose consent to what, and how it came; the names are those of the table."""

    number: str
    scope: str
    channel: str = ""
    only_campaign: str = ""
    source: str
    words: str = ""
    at: float
    """When the customer did so."""


def grant(
    connection: Connection, about: About, *, kind: str, proof: str, expires_at: float | None, now: float
) -> RowMapping:
    """Store that consent was given. ``kind``: ``express`` or ``express_written``."""
    values = {"event": "granted", "kind": kind, "proof": proof, "expires_at": expires_at}
    return _record(connection, about, values, now)


def withdraw(connection: Connection, about: About, *, now: float) -> RowMapping:
    """Store that consent was withdrawn: all earlier grants that ``about`` covers, of whatever kind."""
    return _record(connection, about, {"event": "withdrawn", "kind": ""}, now)


def of(connection: Connection, names: Sequence[str]) -> Sequence[RowMapping]:
    """Read somebody's grants and withdrawals, in the order they were told."""
    return by_number.rows_of(connection, consents, names)


def page(
    connection: Connection, *, names: Sequence[str] | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List grants and withdrawals, the newest first."""
    return by_number.page(connection, consents, names=names, before=before, limit=limit)


def _record(connection: Connection, about: About, values: Mapping[str, object], now: float) -> RowMapping:
    consent_id = new_id(now)
    row = asdict(about) | dict(values) | {"id": consent_id, "created_at": now}
    connection.execute(insert(consents), row)
    names = ("id", "number", "kind", "scope", "channel", "only_campaign", "source", "at")
    kind = f"consent.{row['event']}"
    events.append(connection, at=now, kind=kind, data={name: row[name] for name in names})
    return by_number.get(connection, consents, consent_id)
