"""One thread that owns an engine and does one thing at a time, in order; what can wait comes last.

It knows nothing of sockets or of what is done.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[int, int, Callable[[], Any] | None, "asyncio.Future[Any] | None"]


class EngineThread:
    """Runs submitted functions in order, foreground before background; results come back to the event loop."""

    def __init__(self) -> None:
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._order = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T], *, background: bool = False) -> asyncio.Future[T]:
        """Queue ``work``; the future may be cancelled while it waits, and then it is not done at all."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((int(background), next(self._order), work, future))
        return future

    async def close(self) -> None:
        """End after what is running; what waits is dropped."""
        self._jobs.put((-1, next(self._order), None, None))
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while True:
            _, _, work, future = self._jobs.get()
            if work is None or future is None:
                return
            if future.cancelled():
                continue
            try:
                result, error = work(), None
            except Exception as caught:
                result, error = None, caught
            try:
                self._loop.call_soon_threadsafe(_settle, future, result, error)
            except RuntimeError:  # the loop has closed: nobody waits any more
                return


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
