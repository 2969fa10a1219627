"""A PostgreSQL cluster for measuring: its own folder and socket, and ``fsync`` on, as in production.

It is started and ended; nobody crashes it (the cluster that is crashed is in ``chaos/postgres.py``).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outbound.rehearsal.gauges import TICKS

DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running server."""

    url: str
    """SQLAlchemy URL of its empty database."""
    pid: int

    def cpu_s(self) -> float:
        """Processor seconds of the server and all its processes, also of those that have ended."""
        total = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(folder.name) == self.pid:
                total += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == self.pid:
                total += int(fields[11]) + int(fields[12])
        return total / TICKS


def binaries() -> Path | None:
    """Where PostgreSQL's server is installed; ``None`` when it is not."""
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else []
    candidates += sorted(DEBIAN.glob("*/bin"), reverse=True)
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def cluster(programs: Path) -> Iterator[Cluster]:
    """Serve a new cluster until the block is left, in a folder of its own, which its owner must be able to reach."""
    folder = Path(tempfile.mkdtemp(prefix="outbound-bench-pg-"))
    owner = _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    data = folder / "data"
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **owner}
    make = [str(programs / "initdb"), "-D", str(data), "-U", "outbound", "-A", "trust", "--no-sync"]
    subprocess.run(make, **quiet)  # noqa: S603 - programs of the system, arguments of ours
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    options = f"-k {folder} -c listen_addresses= -c fsync=on -c synchronous_commit=on -c max_wal_size=4GB"
    subprocess.run([*control, "-o", options, "start"], **quiet)  # noqa: S603
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        yield Cluster(url=f"postgresql+psycopg://outbound@/postgres?host={folder}", pid=pid)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)  # noqa: S603
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, int]:
    """PostgreSQL refuses to run as root: it then runs as the user its package made."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("postgres")
    return {"user": owner.pw_uid, "group": owner.pw_gid}
