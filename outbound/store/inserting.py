"""Inserts for both databases: one that passes over rows which are already there, one for very many; knows no table.

Many rows go past SQLAlchemy to the driver, within the transaction of the connection: that costs a quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = tuple[Any, ...]
PARAMETERS = 999
"""What every SQLite takes in one statement."""


def insert_or_skip(connection: Connection, table: Table) -> Any:
    """Build ``INSERT … ON CONFLICT DO NOTHING`` in the dialect of ``connection``."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def insert_many(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert ``rows`` in their order, as the drivers take them (JSON as text); none of them may be there already."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, rows)
        return
    together = PARAMETERS // len(columns)
    whole = len(rows) - len(rows) % together
    for start in range(0, whole, together):
        values = tuple(chain.from_iterable(rows[start : start + together]))
        connection.exec_driver_sql(_insert(table.name, columns, together), values)
    if whole < len(rows):
        connection.exec_driver_sql(_insert(table.name, columns, 1), list(rows[whole:]))


@lru_cache(maxsize=64)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    """Write one statement for several rows: SQLite runs it in one go, without Python's lock in between."""
    values = ", ".join([f"({', '.join('?' * len(columns))})"] * rows)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}"  # noqa: S608 - names


def _copy(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
