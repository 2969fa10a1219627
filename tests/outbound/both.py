"""Tests of SQL that differs run on SQLite and PostgreSQL alike: an empty database of either kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

KINDS = ["sqlite", "postgresql"]


def empty_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """URL of a database without tables."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url
