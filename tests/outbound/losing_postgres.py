"""A real PostgreSQL server behind a socket on which the answer to a COMMIT is lost, the server killed right then."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from tests.conftest import _postgres_bin

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"


def crash_and_restart(folder: Path) -> None:
    """Kill the server as a power cut would (its processes), and start it again with the options it had."""
    as_owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid}
    command = [
        _postgres_bin() / "pg_ctl",
        "-D",
        folder / "data",
        "-m",
        "immediate",
        "-w",
        "-l",
        folder / "log",
        "restart",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_owner)


class LosingPostgres:
    """Passes everything on in both directions, until told to lose the answer to the next COMMIT."""

    def __init__(self, real_url: str, folder: Path) -> None:
        self._server = Path(str(make_url(real_url).query["host"]))
        self.url = make_url(real_url).set(query={"host": str(folder)}).render_as_string(hide_password=False)
        self._armed = False
        self.lost = asyncio.Event()
        """The COMMIT is done, its answer is lost, and the server is up again."""

    def lose_the_next_commit(self) -> None:
        """From now on."""
        self._armed = True
        self.lost.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        try:
            theirs = await asyncio.open_unix_connection(str(self._server / SOCKET))
        except OSError:
            writer.close()
            return
        losing = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._to_server(reader, theirs[1], losing))
                both.create_task(self._to_client(theirs[0], writer, losing))
        except* (OSError, _OverError):
            pass
        finally:
            for each in (writer, theirs[1]):
                each.close()

    async def _to_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if self._armed and b"COMMIT\x00" in data:
                self._armed = False
                losing.set()
            writer.write(data)
        raise _OverError

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if losing.is_set():
                assert b"COMMIT\x00" in data  # it is done
                await asyncio.to_thread(crash_and_restart, self._server)
                self.lost.set()
                break
            writer.write(data)
        raise _OverError


class _OverError(Exception):
    """One side has closed."""


@asynccontextmanager
async def losing_postgres(real_url: str) -> AsyncIterator[LosingPostgres]:
    """Stand before the server of ``real_url``."""
    with tempfile.TemporaryDirectory(prefix="outbound-pg-") as folder:
        made = LosingPostgres(real_url, Path(folder))
        server = await asyncio.start_unix_server(made.serve, str(Path(folder, SOCKET)))
        try:
            yield made
        finally:
            server.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.wait_closed(), 5)
