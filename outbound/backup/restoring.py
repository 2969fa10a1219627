"""Puts a copy of the database into place: checked before, at once or not at all, never over one that is in use.

The next start finds the mark that a copy bears and fails closed (outbound/backup/reconcile.py).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from outbound.backup.copying import copy_sqlite, libpq, put_in_place, sync_directory
from outbound.errors import ConfigurationError, Conflict, Invalid
from outbound.lock import DirectoryLock
from outbound.store.migrate import revisions

LOG = "-wal"
INDEX = "-shm"


def restore(url: str, data_dir: Path, source: Path, *, keep_old: bool, now: float) -> Path | None:
    """Make ``source`` the database; return where the old one is kept, ``None`` when there was none.

    Raises :class:`ConfigurationError` over a running host or on PostgreSQL, :class:`Conflict` over an existing database
    unless ``keep_old``, :class:`Invalid` when ``source`` is no whole database of this or an earlier version.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise ConfigurationError(
            "a PostgreSQL database is restored with its own tools, every part of the service stopped: "
            f'pg_restore --clean --if-exists --no-owner --dbname="{libpq(parsed)}" {source}; '
            "the dialers find out by their journals when they start"
        )
    place = Path(parsed.database or "")
    lock = DirectoryLock(data_dir)
    lock.acquire()
    try:
        return _restore(place, source, keep_old=keep_old, now=now)
    finally:
        lock.release()


def _restore(place: Path, source: Path, *, keep_old: bool, now: float) -> Path | None:
    if place.exists() and not keep_old:
        raise Conflict(f"{place} exists; --keep-old keeps it aside", code="database_exists")
    log = source.with_name(source.name + LOG)
    if log.is_file() and log.stat().st_size:
        raise Invalid(f"{source} is a part only: {log} belongs to it; make copies with: outbound backup FILE")
    place.parent.mkdir(parents=True, exist_ok=True)
    staged = place.with_name(place.name + ".restoring")
    try:
        copy_sqlite(source, staged, at_rest=True)
        check(staged)
        aside = _keep_aside(place, now) if place.exists() else None
        for suffix in (LOG, INDEX):  # of a database that is not there: SQLite would play them into the new one
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        put_in_place(staged, place)
    finally:
        staged.unlink(missing_ok=True)
    return aside


def check(path: Path) -> None:
    """Raise :class:`Invalid` unless a file is a whole database of this version of the service or an earlier one."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check(10)")]
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            version = None
            if "alembic_version" in tables:
                version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise Invalid(f"the copy cannot be read ({error}); take another", code="copy_unreadable") from error
    if said != ["ok"]:
        raise Invalid(f"the copy is damaged ({said[0]}); take another", code="copy_damaged")
    if version is None:
        raise Invalid("the file is no database of this service", code="copy_foreign")
    if version[0] not in revisions():
        detail = f"the copy is of a newer version of the service (schema {version[0]}); install that version"
        raise Invalid(detail, code="copy_newer")


def _keep_aside(place: Path, now: float) -> Path:
    """Give the old database a second name, with what its log holds; its place is never empty meanwhile."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = place.with_name(f"{place.name}.{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise Conflict(f"{aside} exists; try again in a second", code="database_exists")
    log = place.with_name(place.name + LOG)
    if log.is_file():  # only where the old one was beyond reading
        shutil.copyfile(log, aside.with_name(aside.name + LOG))
    try:
        os.link(place, aside)
    except OSError:  # a file system without second names
        shutil.copyfile(place, aside)
    sync_directory(place.parent)
    return aside
