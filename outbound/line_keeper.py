"""Keeps a host's line processes alive: starts them, notices a death, has its calls settled, starts another.

It places no calls; the pool does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from dialer.link import LineError, LineProcess
from dialer.messages import CallEvent, CallResult, Released
from outbound.settling.recovery import Recovery
from outbound.together import together

log = structlog.get_logger(__name__)
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 10.0
PING_EVERY_S = 5.0
PING_TIMEOUT_S = 10.0
MUTE_PINGS = 3
"""A line that leaves so many pings in a row unanswered hangs, and would keep its calls for ever."""


class StartLine(Protocol):
    """Starts one line process by name."""

    def __call__(
        self,
        name: str,
        *,
        on_event: Callable[[CallEvent], None],
        on_result: Callable[[CallResult], Awaitable[None]],
        on_released: Callable[[Released], Awaitable[None]],
    ) -> Awaitable[LineProcess]:
        """Return the line once its engine runs; raises when it cannot start."""


class LineListener(Protocol):
    """What the pool does with what lines tell."""

    def on_event(self, event: CallEvent) -> None:
        """Take a live event."""

    async def on_result(self, result: CallResult) -> None:
        """Store a result; it is acknowledged when this returns."""

    async def on_released(self, released: Released) -> None:
        """Store a release."""

    def on_lost(self, line: LineProcess) -> None:
        """A line died; its calls are settled."""

    def kick(self) -> None:
        """A line is there again."""


class LineKeeper:
    """The line processes of one host, by name."""

    def __init__(self, names: list[str], start_line: StartLine, recovery: Recovery, listener: LineListener) -> None:
        self._names, self._start_line, self._recovery, self._listener = names, start_line, recovery, listener
        self._lines: dict[str, LineProcess] = {}

    @property
    def alive(self) -> dict[str, LineProcess]:
        """Lines that can take calls now."""
        return {name: line for name, line in self._lines.items() if line.alive}

    async def start(self) -> None:
        """Start every line beside each other. Raises the first one's error."""
        await together(self._start(name) for name in self._names)

    async def keep(self) -> None:
        """Respawn whatever dies, until cancelled."""
        await together(self._keep(name) for name in self._names)

    async def stop(self, timeout_s: float) -> None:
        """Let calls end within ``timeout_s``, then end the lines."""
        await asyncio.gather(*(line.stop(timeout_s) for line in self._lines.values()))

    async def _start(self, name: str) -> None:
        listener = self._listener
        line = await self._start_line(
            name, on_event=listener.on_event, on_result=listener.on_result, on_released=listener.on_released
        )
        self._lines[name] = line
        log.info("line up", line=name, engine=line.ready.engine, capacity=line.ready.capacity, pid=line.ready.pid)

    async def _keep(self, name: str) -> None:
        pause = FIRST_PAUSE_S
        while True:
            line = self._lines[name]
            code = await _death(line)
            log.warning("line died", line=name, exit_code=code, calls=len(line.placed))
            try:
                await self._recovery.settle_lost(list(line.placed))
            except Exception as error:  # the store may be full or away; their leases end, then the sweep settles them
                log.exception("calls of a lost line not settled", line=name, error=type(error).__name__)
            self._listener.on_lost(line)
            while self._lines[name] is line:
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE_S)
                try:
                    await self._start(name)
                except Exception as error:
                    log.exception("line does not start", line=name, error=type(error).__name__)
            self._listener.kick()


async def _death(line: LineProcess) -> int:
    """Wait until a line is gone, and end one that hangs; returns its exit code."""
    unanswered = 0
    while not line.died.done():
        await asyncio.wait({line.died}, timeout=PING_EVERY_S)
        try:
            await line.ping(PING_TIMEOUT_S)
        except LineError:
            unanswered += 1
        else:
            unanswered = 0
        if unanswered >= MUTE_PINGS and not line.died.done():
            log.error("line hangs, killing it", line=line.name, calls=len(line.placed))
            line.kill()
    return line.died.result()
