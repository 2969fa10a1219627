"""One process of the product under a supervisor such as systemd's: started again whenever it ends, until told to stop.

It knows the command line and what the process prints, nothing of what the process does.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outbound.rehearsal.chaos.family import Relative, dies_with_us, family, kill

RESTART_S = 0.2
MAX_RESTART_S = 2.0
READY_WORDS = b"Ctrl-C"
"""A part prints how it is stopped once it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """One end of a part's process."""

    part: str
    code: int
    """Negative: the signal."""
    at: float
    """Epoch seconds."""
    asked: bool
    """Whether we made it end."""
    ready: bool
    """Whether it had come up."""


class Part:
    """``outbound COMMAND``, kept running."""

    def __init__(self, *command: str, name: str, role: str, environment: Mapping[str, str], log: Path) -> None:
        self.name, self.role = name, role
        self.exits: list[Exit] = []
        self.key = ""
        """The operator's key, where the part printed one."""
        self.ready = asyncio.Event()
        self._command, self._environment, self._log = command, environment, log
        self._process: asyncio.subprocess.Process | None = None
        self._asked = False
        self._closing = False
        self._keeping: asyncio.Task[None] | None = None
        self._copying: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int:
        """Its process id; 0 between two lives."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else 0

    def start(self) -> None:
        """Begin to keep it running; ``ready`` is set whenever it has come up."""
        self._keeping = asyncio.create_task(self._keep(), name=f"keeps {self.name}")

    def family(self) -> list[Relative]:
        """The process and its children."""
        return family(self.pid) if self.pid else []

    def kill(self) -> None:
        """Kill -9."""
        self._asked = True
        if self.pid:
            kill(self.pid)

    async def drain(self, within_s: float) -> float | None:
        """Ask it to stop; returns after how long it ended, ``None`` when it did not in time or not with 0."""
        process = self._process
        if process is None or process.returncode is not None:
            return None
        began, self._asked = time.monotonic(), True
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            code = await asyncio.wait_for(process.wait(), within_s)
            return time.monotonic() - began if code == 0 else None
        kill(process.pid)
        return None

    async def stop(self, within_s: float) -> float | None:
        """Ask it to stop and do not start it again; returns what :meth:`drain` does."""
        self._closing = True
        took = await self.drain(within_s)
        if self._keeping is not None:
            await self._keeping
        for copying in list(self._copying):
            copying.cancel()
        await asyncio.gather(*self._copying, return_exceptions=True)
        return took

    async def _keep(self) -> None:
        pause = RESTART_S
        while not self._closing:
            process = await self._spawn()
            code = await process.wait()
            was_up = self.ready.is_set()
            self.ready.clear()
            self.exits.append(Exit(part=self.name, code=code, at=time.time(), asked=self._asked, ready=was_up))
            pause = RESTART_S if was_up else min(pause * 2, MAX_RESTART_S)
            self._asked = False
            if not self._closing:
                await asyncio.sleep(pause)

    async def _spawn(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "outbound", *self._command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,  # a pipe, not a file: a full disk must not be felt in what is printed
            env=self._environment,
            process_group=0,  # a Ctrl-C at the terminal is ours to handle
            limit=1 << 20,
            preexec_fn=dies_with_us(signal.SIGTERM),
        )
        self._process = process
        copying = asyncio.create_task(self._copy(process), name=f"log of {self.name}")
        self._copying.add(copying)
        copying.add_done_callback(self._copying.discard)
        return process

    async def _copy(self, process: asyncio.subprocess.Process) -> None:
        """Keep what it and its children print, and notice when it is up."""
        assert process.stdout is not None
        with self._log.open("ab", buffering=0) as log:
            async for line in process.stdout:
                log.write(line)
                words = line.split()
                if words[:1] == [b"key"]:
                    self.key = words[1].decode()
                if words[:1] == [READY_WORDS] and process is self._process:
                    self.ready.set()
