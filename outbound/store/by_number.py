"""Rows that belong to a person, looked up by the names the person goes by; no other file asks these tables by number.

Somebody who was erased and came back has several names: the number, and the token that stands for it in older rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, bindparam, select


def theirs(table: Table, names: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a row of ``table`` belongs to who goes by ``names``."""
    return table.c.number.in_(names)


def rows_of(connection: Connection, table: Table, names: Sequence[str]) -> Sequence[RowMapping]:
    """Read all rows of somebody, the oldest first."""
    return connection.execute(_rows_of(table), {"names": list(names)}).mappings().all()


@cache
def _rows_of(table: Table) -> Select[Any]:
    """Built once: it is asked four times for every decision of the gate."""
    mine = table.c.number.in_(bindparam("names", expanding=True))
    return select(table).where(mine).order_by(table.c.created_at, table.c.id)


def page(
    connection: Connection, table: Table, *, names: Sequence[str] | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List rows, those of everybody where ``names`` is ``None``, the newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if names is not None:
        query = query.where(theirs(table, names))
    if before is not None:
        query = query.where(table.c.id < before)
    return connection.execute(query).mappings().all()


def get(connection: Connection, table: Table, row_id: str) -> RowMapping:
    """Read one row."""
    return connection.execute(select(table).where(table.c.id == row_id)).mappings().one()
