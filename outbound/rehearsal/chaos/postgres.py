"""A PostgreSQL cluster of the run's own, on a unix socket in a folder of its own, to be crashed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

from outbound.errors import Unavailable
from outbound.rehearsal.chaos.family import Relative, dies_with_us, family, kill

RESTART_S = 0.3
START_WITHIN_S = 60.0


class Postgres:
    """A cluster and the server on it, which is started again whenever it ends."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder, self._log, self._data = folder, log, folder / "cluster"
        self._binaries = _binaries()
        self._process: asyncio.subprocess.Process | None = None
        self._closing = False
        self._keeping: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy URL of its database."""
        return f"postgresql+psycopg://outbound@/postgres?host={self._folder}"

    def family(self) -> list[Relative]:
        """The server's processes."""
        return family(self._process.pid) if self._process is not None else []

    async def start(self) -> None:
        """Make the cluster and serve it. Raises :class:`Unavailable`."""
        await asyncio.to_thread(self._make)
        self._keeping = asyncio.create_task(self._keep(), name="keeps PostgreSQL")
        until = time.monotonic() + START_WITHIN_S
        while not await asyncio.to_thread(self._answers):
            if time.monotonic() > until:
                raise Unavailable(f"PostgreSQL does not start: see {self._log}", code="postgresql_not_ready")
            await asyncio.sleep(0.05)

    def crash(self) -> None:
        """Kill -9 its first process; the others end by themselves."""
        if self._process is not None and self._process.returncode is None:
            kill(self._process.pid)

    def limit_files(self, to_bytes: int | None) -> None:
        """What :func:`outbound.rehearsal.chaos.family.limit_files` does, as the user whose processes they are."""
        limit = "unlimited" if to_bytes is None else str(to_bytes)
        for process in self.family():
            command = ["prlimit", "--pid", str(process.pid), f"--fsize={limit}:unlimited"]
            subprocess.run(command, check=False, stderr=subprocess.DEVNULL, **_owner())  # noqa: S603

    async def stop(self) -> None:
        """End it for good."""
        self._closing = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()  # a smart shutdown: all its clients are gone by now
                try:
                    await asyncio.wait_for(self._process.wait(), 10)
                except TimeoutError:
                    self._process.kill()
        if self._keeping is not None:
            await self._keeping

    def _make(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if _owner():
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        command = [str(self._binaries / "initdb"), "-D", str(self._data), "-U", "outbound", "-A", "trust", "--no-sync"]
        with self._log.open("ab") as log:
            made = subprocess.run(command, cwd=self._folder, stdout=log, stderr=log, check=False, **_owner())  # noqa: S603
        if made.returncode != 0:
            raise Unavailable(f"initdb failed: see {self._log}", code="postgresql_not_ready")

    async def _keep(self) -> None:
        while not self._closing:
            self._process = await asyncio.create_subprocess_exec(
                *(str(self._binaries / "postgres"), "-D", str(self._data), "-k", str(self._folder)),
                *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._folder,
                process_group=0,
                preexec_fn=dies_with_us(signal.SIGQUIT),
                **_owner(),
            )
            copying = asyncio.create_task(self._copy(self._process))
            await self._process.wait()
            if not self._closing:
                await asyncio.sleep(RESTART_S)  # its other processes still hold the shared memory
            copying.cancel()
            await asyncio.gather(copying, return_exceptions=True)

    async def _copy(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        with self._log.open("ab", buffering=0) as log:
            while data := await process.stderr.read(65536):
                log.write(data)

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self._folder), user="outbound", dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _owner() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: it then runs as the user its package made."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("postgres")
    return {"user": owner.pw_uid, "group": owner.pw_gid}


def _binaries() -> Path:
    found = shutil.which("initdb") or shutil.which("postgres")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists():
            return folder
    raise Unavailable(
        "PostgreSQL's server is not installed: install Debian's package postgresql, or choose --layout embedded",
        code="postgresql_missing",
    )
