"""Consents: grants and withdrawals as events with their proof, never overwritten; which one counts the gate decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, RowMapping, func, insert, select

from outbound.ids import new_id
from outbound.store import by_number, events
from outbound.store.erased import names_of
from outbound.store.optouts import PURPOSES
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
    """Store that consent was withdrawn: all that ``about`` covers of what was told before, of whatever kind.

    It is no older than any of that: neither a clock that was ahead nor the order in which systems tell saves a grant.
    """
    events.take_turn(connection)
    about = replace(about, at=max(about.at, _newest_grant(connection, about)))
    return _record(connection, about, {"event": "withdrawn", "kind": ""}, now)


def of(connection: Connection, names: Sequence[str]) -> Sequence[RowMapping]:
    """Read somebody's grants and withdrawals, in the order they were told."""
    return by_number.rows_of(connection, consents, names)


def page(
    connection: Connection, *, names: Sequence[str] | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List grants and withdrawals, the newest first."""
    return by_number.page(connection, consents, names=names, before=before, limit=limit)


def _newest_grant(connection: Connection, about: About) -> float:
    """When somebody last consented to some of what ``about`` speaks of; 0 for never."""
    theirs = by_number.theirs(consents, names_of(connection, about.number))
    granted = select(func.max(consents.c.at)).where(theirs, consents.c.event == "granted")
    if about.scope in PURPOSES:
        granted = granted.where(consents.c.scope.in_(("all", about.scope)))
    if about.channel:
        granted = granted.where(consents.c.channel.in_(("", about.channel)))
    if about.only_campaign:
        granted = granted.where(consents.c.only_campaign.in_(("", about.only_campaign)))
    return float(connection.execute(granted).scalar() or 0.0)


def _record(connection: Connection, about: About, values: Mapping[str, object], now: float) -> RowMapping:
    consent_id = new_id(now)
    row = asdict(about) | dict(values) | {"id": consent_id, "created_at": now}
    connection.execute(insert(consents), row)
    names = ("id", "number", "kind", "scope", "channel", "only_campaign", "source", "at")
    kind = f"consent.{row['event']}"
    events.append(connection, at=now, kind=kind, data={name: row[name] for name in names})
    return by_number.get(connection, consents, consent_id)
