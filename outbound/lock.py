"""Keeps one SQLite file to one host and a dialer's name to one dialer: two would be two writers of the same files."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from outbound.errors import ConfigurationError


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
