"""A worker's deliverer in a process of its own, with a clock that is ahead by some seconds, until it is killed."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from tests.outbound.webhook_world import Clock, a_world


class Ahead(Clock):
    """Runs, ahead of the time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def __call__(self) -> float:
        return time.time() + self._seconds


async def main(url: str, folder: Path, seconds: float) -> None:
    async with a_world(url, folder, clock=Ahead(seconds)) as world, world.worker() as task:
        await task


asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
