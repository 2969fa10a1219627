"""Which processes a process has below it, from /proc; and the limits and signals that reach them by id alone.

It touches nothing that is not below the process it is asked about.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """One process, told from a later one with the same id by when it began."""

    pid: int
    parent: int
    began: int
    """Clock ticks after boot."""
    command: str
    """Arguments, separated by spaces."""

    @property
    def alive(self) -> bool:
        """Whether it still runs; one that only waits to be reaped does not."""
        stat = _stat(self.pid)
        return stat is not None and int(stat[19]) == self.began and stat[0] != "Z"


def family(pid: int) -> list[Relative]:
    """The process ``pid`` and everything below it, the nearest first."""
    everybody = {relative.pid: relative for relative in _everybody()}
    found = [everybody[pid]] if pid in everybody else []
    for elder in found:
        found.extend(relative for relative in everybody.values() if relative.parent == elder.pid)
    return found


def kill(pid: int, sign: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process that may just have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sign)


def dies_with_us(sign: signal.Signals) -> Callable[[], None]:
    """Return what a child calls to get ``sign`` when this process ends, however it does (prctl(2))."""
    return lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, sign)


def limit_files(processes: Iterable[Relative], *, to_bytes: int | None) -> None:
    """Let no file of these processes grow beyond ``to_bytes``, as a full disk would; ``None`` takes that back."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            soft = hard if to_bytes is None else to_bytes
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))


def _everybody() -> Iterable[Relative]:
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        stat = _stat(pid)
        if stat is None:
            continue
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            command = b" ".join(words).decode(errors="replace")
            yield Relative(pid=pid, parent=int(stat[1]), began=int(stat[19]), command=command)


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
