"""The parent's side of a process of the cast: starts it, hears its JSON lines, and sees that it ends.

It knows neither calls nor telephones; what the lines mean is for whoever started the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outbound.errors import Unavailable

STOP_WITHIN_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line a process said."""

    kind: str
    at_monotonic: float = 0.0
    """``time.monotonic()`` of this machine."""
    data: dict[str, Any] = field(default_factory=dict)


class Child:
    """One process: ``python -m module arguments``; ``hear`` gets its lines, and ``gone`` when there are no more."""

    def __init__(
        self, module: str, *arguments: str, name: str, log: Path, hear: Callable[[Told], None] = lambda told: None
    ) -> None:
        self.name = name
        self.log = log
        self._command = (sys.executable, "-m", module, *arguments)
        self._hear = hear
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._first: asyncio.Future[Told] | None = None

    @property
    def returncode(self) -> int | None:
        """Exit code, ``None`` while it runs or was never started."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start the process; :meth:`ready` tells when it can be used."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._first = asyncio.get_running_loop().create_future()
        with self.log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # nobody here multiplies matrices; threads cost time
            )
        self._reading = asyncio.create_task(self._read(), name=f"cast-{self.name}")

    async def ready(self, *, within_s: float = 30.0) -> Told:
        """Wait for the process's first line. Raises :class:`Unavailable` that says why there is none."""
        assert self._first is not None
        try:
            told = await asyncio.wait_for(asyncio.shield(self._first), within_s)
        except TimeoutError:
            raise Unavailable(
                f"{self.name} was not ready within {within_s:g} s: see {self.log}", code="rehearsal_not_ready"
            ) from None
        if told.kind == "failed":
            raise Unavailable(f"{self.name}: {told.data.get('reason')}", code="rehearsal_not_ready")
        return told

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._first is not None
        async for line in self._process.stdout:
            told = Told(**json.loads(line))
            if not self._first.done():
                self._first.set_result(told)
            self._hear(told)
        if not self._first.done():
            reason = f"ended before it was ready; see {self.log}"
            self._first.set_result(Told(kind="failed", data={"reason": reason}))
        self._hear(Told(kind="gone", at_monotonic=time.monotonic()))

    async def stop(self) -> None:
        """Close its standard input, which ends it; kill it when it does not end in time. Idempotent."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await self._reading
