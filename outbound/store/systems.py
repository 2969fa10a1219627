"""Systems of the business that call flows may ask, by the name the flows call them.

The secrets lie in the row as they are, for they must sign; nothing here shows them or knows how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from outbound.errors import NotFound
from outbound.store.schema import systems


def get(connection: Connection, name: str, *, to_change: bool = False) -> RowMapping:
    """Read a system, secrets included. Raises :class:`NotFound`."""
    query = select(systems).where(systems.c.name == name)
    row = connection.execute(query.with_for_update() if to_change else query).mappings().first()
    if row is None:
        detail = f"there is no system {name[:64]!r}; PUT /v1/systems/{name[:64]} tells where it is"
        raise NotFound(detail, code="system_not_found")
    return row


def page(connection: Connection, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """List systems by name."""
    query = select(systems).order_by(systems.c.name).limit(limit)
    if after is not None:
        query = query.where(systems.c.name > after)
    return connection.execute(query).mappings().all()


def put(connection: Connection, name: str, values: Mapping[str, Any], *, now: float) -> None:
    """Change a system, or store a new one with ``secrets`` among its ``values``."""
    if not connection.execute(update(systems).where(systems.c.name == name).values(**values)).rowcount:
        connection.execute(insert(systems), dict(values) | {"name": name, "created_at": now})


def remove(connection: Connection, name: str) -> None:
    """Delete a system and its secrets. Raises :class:`NotFound`."""
    if not connection.execute(delete(systems).where(systems.c.name == name)).rowcount:
        get(connection, name)


def missing(connection: Connection, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that nobody told where they are, in their order."""
    wanted = list(dict.fromkeys(names))
    found = set(connection.execute(select(systems.c.name).where(systems.c.name.in_(wanted))).scalars())
    return [name for name in wanted if name not in found]
