"""One leg's events as things to wait for: answered, ended, digits.

It observes and never acts on the leg.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dialer.legs import Answered, Digit, Ended, LegEvent, Ringing, Trying


class LegWatch:
    """Collects the events of one leg; give :meth:`on_event` to ``Engine.dial``."""

    def __init__(
        self,
        *,
        on_ringing: Callable[[Ringing], None] = lambda event: None,
        on_digit: Callable[[str], None] = lambda digit: None,
        on_ended: Callable[[Ended], None] = lambda event: None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[Answered] = loop.create_future()
        self._ended: asyncio.Future[Ended] = loop.create_future()
        self._on_ringing, self._on_digit, self._on_ended = on_ringing, on_digit, on_ended

    @property
    def answered(self) -> Answered | None:
        """The answer, once it came."""
        return self._answered.result() if self._answered.done() else None

    @property
    def ended(self) -> Ended | None:
        """How the leg ended, once it did."""
        return self._ended.result() if self._ended.done() else None

    def on_event(self, event: LegEvent) -> None:
        """Take one event of the leg."""
        match event:
            case Ringing():
                self._on_ringing(event)
            case Answered():
                if not self._answered.done():
                    self._answered.set_result(event)
            case Digit():
                self._on_digit(event.digit)
            case Ended():
                if not self._ended.done():
                    self._ended.set_result(event)
                    self._on_ended(event)
            case Trying():
                pass

    async def settled(self, timeout_s: float) -> Answered | Ended | None:
        """Wait until the leg was answered or ended; ``None`` when neither happened in time."""
        first: set[asyncio.Future[Any]] = {self._answered, self._ended}
        await asyncio.wait(first, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return self.ended or self.answered

    async def wait_ended(self, timeout_s: float | None = None) -> Ended | None:
        """Wait until the leg ended; ``None`` when it did not in time."""
        await asyncio.wait({self._ended}, timeout=timeout_s)
        return self.ended
