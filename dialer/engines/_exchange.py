"""The counter between the asyncio thread and an engine's own thread: jobs go in, plain data comes out, in order.

It starts no thread and knows no engine; whoever owns the thread calls :meth:`Exchange.work` in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from dialer.legs import LegError

log = logging.getLogger(__name__)

T = TypeVar("T")


class Exchange:
    """Jobs to the engine thread, calls back to the loop; a batch of calls costs one wake-up of the loop."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = wake
        self._jobs: deque[tuple[Callable[[], Any], asyncio.Future[Any] | None]] = deque()
        self._out: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._gate = threading.Lock()
        self._flushing = False
        self._closed = False

    async def run(self, job: Callable[[], T]) -> T:
        """Run ``job`` in the engine thread. Raises what it raises, or :class:`LegError` when the engine has stopped."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._hand_in(job, future)
        return await future

    def cast(self, job: Callable[[], Any]) -> None:
        """Run ``job`` in the engine thread and tell nobody how it went; dropped when the engine has stopped."""
        with contextlib.suppress(LegError):
            self._hand_in(job, None)

    def _hand_in(self, job: Callable[[], Any], future: asyncio.Future[Any] | None) -> None:
        with self._gate:
            if self._closed:
                raise LegError("the engine has stopped: start it before using its legs", code="engine_stopped")
            self._jobs.append((job, future))
        self._wake()

    def post(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function`` soon on the asyncio thread (any thread may ask)."""
        self.leave(function, *arguments)
        self.ring()

    def leave(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function`` on the asyncio thread after the next :meth:`ring`."""
        self._out.append((function, arguments))

    def ring(self) -> None:
        """Wake the loop for everything that was left."""
        if self._out and not self._flushing:
            self._flushing = True
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody is left to be told
                self._loop.call_soon_threadsafe(self._flush)

    def work(self) -> None:
        """Run what was handed in (engine thread)."""
        while self._jobs:
            job, future = self._jobs.popleft()
            result, error = None, None
            try:
                result = job()
            except Exception as exc:
                error = _bare(exc)
            if future is not None:
                self.post(_set, future, result, error)

    def close(self) -> None:
        """Take no more jobs and fail those that wait (engine thread)."""
        with self._gate:
            self._closed = True
        while self._jobs:
            _, future = self._jobs.popleft()
            if future is not None:
                self.post(_set, future, None, LegError("the engine stopped meanwhile", code="engine_stopped"))

    def _flush(self) -> None:
        self._flushing = False
        while self._out:
            function, arguments = self._out.popleft()
            try:
                function(*arguments)
            except Exception:
                log.exception("a callback of a leg failed")


def _bare(error: Exception) -> Exception:
    """Without its traceback: the frames would keep the engine's objects alive outside its thread."""
    if not isinstance(error, LegError):
        log.error("a job of the engine failed", extra={"trace": traceback.format_exc()})
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _set(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
