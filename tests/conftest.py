"""Real servers that several rooms' tests share; each is started once, on a socket of its own, and ended."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def _postgres_bin() -> Path:
    found = shutil.which("postgres")
    candidates = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found and (Path(found).resolve().parent / "initdb").exists():
        candidates.insert(0, Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists():
            return folder
    raise RuntimeError("PostgreSQL's server is not installed: apt-get install postgresql (make test does it)")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL cluster on a unix socket; it refuses to run as root, so it has a user."""
    binaries = _postgres_bin()
    folder = Path(tempfile.mkdtemp(prefix="outbound-pg-"))
    as_owner: dict[str, int] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid}
    data = folder / "data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **as_owner}
    subprocess.run([binaries / "initdb", "-D", data, "-U", "outbound", "-A", "trust", "--no-sync"], **quiet)
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c log_min_messages=warning"
    log = folder / "log"
    subprocess.run([binaries / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start"], **quiet)
    try:
        yield f"postgresql+psycopg://outbound@/postgres?host={folder}"
    finally:
        subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)
