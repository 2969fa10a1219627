"""Knows whether a database is the one that was last seen here, or another, such as an older copy of it.

It remembers one event outside the database and decides nothing.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select, text, update

from outbound.store.events import take_turn
from outbound.store.schema import events, secrets

FILE = "seen"
"""File in the journal directory: the newest event when a dialer last looked."""
COPY = 1
"""SQLite's ``user_version`` in a copy, by which it says of itself that it is one; 0 in a database at work."""

HOME = "home"
"""Row of ``secrets`` that says which PostgreSQL database it was written in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event that was there. Events only grow, so a database without it, or with another in its place, is older."""

    event_id: int
    at: float
    kind: str
    looked_at: float
    """When it was the newest, in epoch seconds by the clock of who looked."""


def newest(connection: Connection, *, now: float) -> Seen | None:
    """Read the newest event, if there is any."""
    query = select(events.c.id, events.c.at, events.c.kind).order_by(events.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Seen(event_id=row.id, at=row.at, kind=row.kind, looked_at=now)


def holds(connection: Connection, seen: Seen) -> bool:
    """Whether the database still has that very event."""
    row = connection.execute(select(events.c.at, events.c.kind).where(events.c.id == seen.event_id)).first()
    return row is not None and (row.at, row.kind) == (seen.at, seen.kind)


def is_copy(connection: Connection) -> bool:
    """Whether the database is a copy that was put into place, as far as it can tell by itself.

    SQLite's copies are marked when they are made. A PostgreSQL database remembers which cluster's database it is, and a
    dump that was restored elsewhere remembers another; one restored over itself is found out by :func:`holds` alone.
    """
    if connection.dialect.name == "sqlite":
        return bool(connection.exec_driver_sql("PRAGMA user_version").scalar_one() == COPY)
    remembered = connection.execute(select(secrets.c.value).where(secrets.c.name == HOME)).scalar()
    return remembered is not None and bytes(remembered) != _home(connection)


def take_home(connection: Connection) -> None:
    """Have the database be itself from now on, in the caller's transaction: what a copy asks for was done."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version = 0")
        return
    take_turn(connection)
    home = _home(connection)
    mine = update(secrets).where(secrets.c.name == HOME).values(value=home)
    if not connection.execute(mine).rowcount:
        connection.execute(insert(secrets).values(name=HOME, value=home))


def journal_of(connection: Connection, lines: Collection[str]) -> bytes | None:
    """The mark of the journal directory in which ``lines`` wrote last."""
    found = connection.execute(select(secrets.c.value).where(secrets.c.name == _journal_key(lines))).scalar()
    return None if found is None else bytes(found)


def take_journal(connection: Connection, lines: Collection[str], mark: bytes) -> None:
    """Remember in which journal directory ``lines`` write from now on."""
    take_turn(connection)
    mine = update(secrets).where(secrets.c.name == _journal_key(lines)).values(value=mark)
    if not connection.execute(mine).rowcount:
        connection.execute(insert(secrets).values(name=_journal_key(lines), value=mark))


def _journal_key(lines: Collection[str]) -> str:
    return f"journal:{hashlib.sha256(min(lines).encode()).hexdigest()[:24]}"


def _home(connection: Connection) -> bytes:
    """Which database of which PostgreSQL cluster this is."""
    which = text(
        "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid"
        " FROM pg_database WHERE datname = current_database()"
    )
    return hashlib.sha256(connection.execute(which).scalar_one().encode()).digest()


def read(directory: Path) -> Seen | None:
    """Read what was remembered; ``None`` when nothing was, or a crash tore it."""
    try:
        return Seen(**json.loads((directory / FILE).read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None


def write(directory: Path, seen: Seen) -> None:
    """Remember; not forced to disk, for an older event serves as well. Dialers that share the directory do so alike."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=f"{FILE}.", delete=False) as fresh:
        fresh.write(json.dumps(asdict(seen)))
    Path(fresh.name).replace(directory / FILE)
