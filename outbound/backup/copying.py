"""Copies a database while the service works on it: a whole file at one instant, on disk before it has its name.

It reads and never writes the database at work; what a copy holds and what it lacks is in docs/backup.md.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url

from outbound.backup.lineage import COPY
from outbound.errors import Conflict, Invalid, Unavailable

PG_DUMP = "pg_dump"


def back_up(url: str, target: Path) -> None:
    """Write a copy of the database to ``target``, readable by its owner alone.

    Raises :class:`Conflict` when ``target`` exists, :class:`Unavailable` naming the remedy when it cannot be written.
    """
    if target.exists():
        raise Conflict(f"{target} exists; name another file", code="backup_exists")
    parsed = make_url(url)
    partial = target.with_name(target.name + ".partial")
    try:
        if parsed.get_backend_name() == "sqlite":
            copy_sqlite(Path(parsed.database or ""), partial)
        else:
            _dump(parsed, partial)
        put_in_place(partial, target)
    except OSError as error:
        raise Unavailable(f"{target} cannot be written ({error.strerror}); free space or name another file") from error
    finally:
        partial.unlink(missing_ok=True)


def copy_sqlite(source: Path, target: Path, *, at_rest: bool = False) -> None:
    """Copy ``source`` as it stands at one instant to ``target``, which says of itself that it is a copy.

    ``VACUUM INTO`` reads in one transaction, beside which the service writes on, and leaves out what was deleted.
    ``at_rest``: nobody works on ``source``, which may lie where nothing can be written.
    """
    if not source.is_file():
        raise Unavailable(f"there is no database {source}; check OUTBOUND_DATABASE_URL and OUTBOUND_DATA_DIR")
    target.unlink(missing_ok=True)
    _private(target)
    try:
        how = "mode=ro&immutable=1" if at_rest else "mode=ro"
        address = f"file:{quote(str(source.absolute()))}?{how}"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as reading:
            reading.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(target)) as copy:
            copy.execute(f"PRAGMA user_version = {COPY}")
            copy.commit()
    except sqlite3.DatabaseError as error:
        raise Invalid(f"{source} cannot be copied ({error})", code="database_unreadable") from error


def put_in_place(partial: Path, target: Path) -> None:
    """Give a file that was written its name: it is on disk before, and its name is when this returns."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    sync_directory(target.parent)


def sync_directory(directory: Path) -> None:
    """Have names in ``directory`` survive a crash."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: Path) -> None:
    """Create an empty file that its owner alone may read: it is going to hold numbers and passwords."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def dump_command(url: URL, target: Path) -> list[str]:
    """The command that dumps a PostgreSQL database; the password goes by ``PGPASSWORD`` or ``~/.pgpass``."""
    return [PG_DUMP, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", f"--dbname={libpq(url)}"]


def libpq(url: URL) -> str:
    """The URL as PostgreSQL's own tools take it, without the password."""
    return url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _dump(url: URL, target: Path) -> None:
    if shutil.which(PG_DUMP) is None:
        said = " ".join(dump_command(url, target.with_suffix("")))
        raise Unavailable(f"pg_dump of PostgreSQL's client tools is not here; install them, or run elsewhere: {said}")
    target.unlink(missing_ok=True)
    _private(target)
    password = {"PGPASSWORD": url.password} if url.password else {}
    # the arguments are ours and the operator's own settings; no shell reads them
    done = subprocess.run(  # noqa: S603
        dump_command(url, target), env=os.environ | password, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(f"pg_dump failed: {done.stderr.strip()}")
