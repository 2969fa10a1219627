"""Rows by their keys, many at once; the statements are built once for each table, which costs more than running them.

It knows no table and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, bindparam, select


def rows(
    connection: Connection, table: Table, keys: Collection[str], *, column: str = "id", lock: bool = False
) -> dict[str, RowMapping]:
    """Read the rows of ``keys``, by key; ``lock``: hold them until the unit of work ends."""
    if not keys:
        return {}
    found = connection.execute(_query(table, column, lock), {"keys": list(keys)}).mappings()
    return {row[column]: row for row in found}


@cache
def _query(table: Table, column: str, lock: bool) -> Select[Any]:
    query = select(table).where(table.c[column].in_(bindparam("keys", expanding=True)))
    return query.with_for_update() if lock else query
