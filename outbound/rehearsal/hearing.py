"""A customer's sense of whether the other side is speaking, from the level of what arrives. It understands no words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

FRAME_S = 0.02
LOUD_RMS = 260.0
"""About -42 dB below full scale: above line noise and mu-law's floor, below any voice."""
PAUSE_S = 0.35
"""A pause shorter than this is part of speaking (wavemeasure's ruler uses the same)."""


class Sense:
    """Follows what is heard, frame by frame (320 bytes, s16le at 8000 Hz), on the asyncio thread."""

    def __init__(self) -> None:
        self.sounding_s = 0.0
        """How long the other side has been speaking in this turn, pauses included."""
        self.quiet_s = 0.0
        """How long it has been quiet."""
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def take(self, frame: bytes) -> None:
        """Take one frame."""
        sound = np.frombuffer(frame, dtype="<i2").astype(np.float32)
        if len(sound) and float(np.sqrt(np.mean(sound * sound))) > LOUD_RMS:
            self.sounding_s += FRAME_S + (self.quiet_s if 0.0 < self.quiet_s < PAUSE_S else 0.0)
            self.quiet_s = 0.0
        else:
            self.quiet_s += FRAME_S
        for condition, future in self._waiters:
            if not future.done() and condition():
                future.set_result(None)

    def forget(self) -> None:
        """A new turn begins: what was heard so far no longer counts."""
        self.sounding_s = self.quiet_s = 0.0

    async def until(self, condition: Callable[[], bool], *, at_most_s: float) -> bool:
        """Wait until ``condition`` holds after some frame; ``False`` when it did not in time."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, future)
        self._waiters.append(entry)
        try:
            async with asyncio.timeout(at_most_s):
                await future
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._waiters.remove(entry)
