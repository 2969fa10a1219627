"""Trunks: the ways out to the telephone network, with the credentials that only the dialer gets to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from outbound.errors import Conflict, NotFound
from outbound.store.schema import campaigns, trunks

OPEN_STATES = ("draft", "running", "paused")
COLUMNS = ("calls_per_second", "channels")


def create(connection: Connection, name: str, settings: Mapping[str, Any], *, now: float) -> RowMapping:
    """Store a trunk; ``settings`` is all of ``TrunkSettings``. Raises :class:`Conflict` when the name is taken."""
    known = connection.execute(select(trunks.c.deleted_at).where(trunks.c.name == name)).first()
    if known is not None and known.deleted_at is None:
        raise Conflict(f"trunk {name!r} exists; replace it with PUT or choose another name", code="trunk_exists")
    row = _row(settings) | {"created_at": now, "deleted_at": None}
    if known is None:
        connection.execute(insert(trunks), row | {"name": name})
    else:
        connection.execute(update(trunks).where(trunks.c.name == name).values(**row))
    return get(connection, name)


def get(connection: Connection, name: str) -> RowMapping:
    """Read a trunk, password included. Raises :class:`NotFound` naming those there are."""
    query = select(trunks).where(trunks.c.name == name, trunks.c.deleted_at.is_(None))
    row = connection.execute(query).mappings().first()
    if row is None:
        names = connection.execute(select(trunks.c.name).where(trunks.c.deleted_at.is_(None)).limit(20)).scalars().all()
        there = f"there are {', '.join(names)}" if names else "there is none yet: POST /v1/trunks"
        raise NotFound(f"there is no trunk {name!r}; {there}", code="trunk_not_found")
    return row


def replace(connection: Connection, name: str, settings: Mapping[str, Any]) -> RowMapping:
    """Replace a trunk's settings; without ``password`` among them the stored one stays. Raises :class:`NotFound`."""
    old = get(connection, name)
    kept = {"password": old["settings"].get("password", "")}
    connection.execute(update(trunks).where(trunks.c.name == name).values(**_row(kept | dict(settings))))
    return get(connection, name)


def page(connection: Connection, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """List trunks by name."""
    query = select(trunks).where(trunks.c.deleted_at.is_(None)).order_by(trunks.c.name).limit(limit)
    if after is not None:
        query = query.where(trunks.c.name > after)
    return connection.execute(query).mappings().all()


def users(connection: Connection, names: Sequence[str]) -> Counter[str]:
    """Count the campaigns that are not over and may go out through a trunk, by trunk."""
    still_open = campaigns.c.state.in_(OPEN_STATES)
    query = select(campaigns.c.trunk, func.count().label("campaigns")).where(campaigns.c.trunk.in_(names), still_open)
    counted = Counter({row.trunk: row.campaigns for row in connection.execute(query.group_by(campaigns.c.trunk))})
    others = select(campaigns.c.trunk, campaigns.c.settings["fallback_trunks"]).where(still_open)
    for trunk, fallbacks in connection.execute(others):
        counted.update(name for name in set(fallbacks or ()) & set(names) if name != trunk)
    return counted


def remove(connection: Connection, name: str, *, now: float) -> None:
    """Delete a trunk and its credentials. Raises :class:`NotFound`, or :class:`Conflict` while campaigns need it."""
    get(connection, name)
    using = users(connection, [name])[name]
    if using:
        detail = f"trunk {name!r} is in use by {using} campaign(s) that are not over; cancel them or give them another"
        raise Conflict(detail, code="trunk_in_use", members={"in_use": using})
    if connection.execute(select(campaigns.c.id).where(campaigns.c.trunk == name).limit(1)).first() is None:
        connection.execute(delete(trunks).where(trunks.c.name == name))
    else:
        connection.execute(update(trunks).where(trunks.c.name == name).values(settings={}, deleted_at=now))


def _row(settings: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: settings[name] for name in COLUMNS}
    return columns | {"settings": {key: value for key, value in settings.items() if key not in COLUMNS}}
