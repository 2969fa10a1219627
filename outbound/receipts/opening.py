"""Opens the database for the receipts' commands: read-only, as it stands at one instant, beside a running service."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from outbound.errors import Unavailable
from outbound.store.schema import receipt_days


@contextmanager
def read_only(url: str) -> Iterator[Connection]:
    """Lend a connection that sees one instant and changes nothing. Raises :class:`Unavailable` with the remedy."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            as_of_now(connection)
            if not inspect(connection).has_table(receipt_days.name):
                raise Unavailable("the database is of an older version; start the service once to bring it up to date")
            yield connection
    except DBAPIError as error:
        remedy = "check OUTBOUND_DATABASE_URL and OUTBOUND_DATA_DIR"
        raise Unavailable(f"the database cannot be read ({error.orig}); {remedy}") from error
    finally:
        engine.dispose()


def as_of_now(connection: Connection) -> None:
    """Have a fresh connection read everything as of its first query; SQLite does so by itself."""
    if connection.dialect.name == "postgresql" and not connection.in_transaction():
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    path = Path(parsed.database or "")
    if not path.is_file():
        raise Unavailable(f"there is no database {path}; check OUTBOUND_DATABASE_URL and OUTBOUND_DATA_DIR")
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=30))
    event.listen(engine, "connect", _leave_transactions_alone)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _leave_transactions_alone(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # SQLAlchemy emits BEGIN itself: without it each query sees another instant
