"""Keeps one SQLite file to one host and a dialer's name to one dialer: two would be two writers of the same files."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from outbound.errors import ConfigurationError, Unavailable

_NAMES = 0x0B0E
"""Space of the advisory locks on the names of dialers."""
RENEW_S = 5.0
"""How often a dialer looks whether its name is still its own."""


class DirectoryLock:
    """An advisory lock on a file in ``data_dir``; the kernel drops it when the process ends, however it ends."""

    def __init__(self, data_dir: Path, name: str = "lock") -> None:
        self._path = data_dir / name
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock. Raises :class:`ConfigurationError` that names who holds it and the remedy."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the data directory {self._path.parent} cannot be written ({error.strerror}); set OUTBOUND_DATA_DIR"
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode(errors="replace").strip() or "another process"
            os.close(self._fd)
            raise ConfigurationError(
                f"{self._path.parent} is in use by process {holder}; stop it or set another OUTBOUND_DATA_DIR"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class NameLock:
    """A dialer's name in a PostgreSQL database, for machines that share no directory.

    A second dialer of the name would take the first one's calls for its own leftovers, and make them again. The server
    drops the lock with the connection, soon after the machine is gone.
    """

    def __init__(self, url: str, name: str) -> None:
        self._engine, self._name = create_engine(url, isolation_level="AUTOCOMMIT"), name
        self._connection: Connection | None = None
        self._held = False

    @property
    def held(self) -> bool:
        """Whether the name was ours when it was last looked at; else nobody is called."""
        return self._held

    def renew(self) -> None:
        """Look whether the name is still ours, and take it again where the server has dropped it.

        Raises :class:`ConfigurationError` when another dialer has it by now.
        """
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return
        except DBAPIError:
            self.release()
        with contextlib.suppress(Unavailable):
            self.acquire()

    async def keep(self) -> None:
        """Look again and again. Raises :class:`ConfigurationError` when another dialer has the name."""
        while True:
            await asyncio.sleep(RENEW_S)
            await asyncio.to_thread(self.renew)

    def acquire(self) -> None:
        """Take the name. Raises :class:`ConfigurationError` when another dialer has it."""
        try:
            self._connection = self._engine.connect()
            for setting, value in (("idle", 10), ("interval", 5), ("count", 3)):
                self._connection.execute(text(f"SET tcp_keepalives_{setting} = {value}"))
            take = text("SELECT pg_try_advisory_lock(:space, hashtext(:name))")
            taken = self._connection.execute(take, {"space": _NAMES, "name": self._name}).scalar_one()
        except DBAPIError as error:
            self.release()
            raise Unavailable(f"the database cannot be opened ({error.orig}); check database_url") from error
        if not taken:
            self.release()
            raise ConfigurationError(f"a dialer named {self._name} runs already; give this one another --name")
        self._held = True

    def release(self) -> None:
        """Give the name back."""
        self._held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._engine.dispose()
