"""One INSERT for both databases that passes over rows which are already there; knows no table."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_or_skip(connection: Connection, table: Table) -> Any:
    """Build ``INSERT … ON CONFLICT DO NOTHING`` in the dialect of ``connection``."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
