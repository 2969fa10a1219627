"""Notices when the event loop does nothing else for too long, measures it, and says in the log where it was.

The loop is measured where it begins and ends to wait, so an idle loop costs nothing and no stall is missed; a thread
looks now and then whether one lasts, to take its stack. It interrupts nothing.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

log = structlog.get_logger(__name__)
LIMIT_S = 0.05
"""A call's audio is a matter of the line processes; what waits for the loop is REST, claims and opt-outs."""
LOOK_S = 0.05
"""Twenty looks a second cost a fifth of a percent of a core."""
QUIET_S = 10.0
"""A stall is told in the log, those within so long after it are counted: a log would make them worse."""
FRAMES = 16


class LoopWatch:
    """Watches the running event loop from :meth:`start` to :meth:`stop`."""

    def __init__(self, observe: Callable[[float], None], *, limit_s: float = LIMIT_S) -> None:
        self._observe, self._limit_s = observe, limit_s
        self._busy_since = 0.0
        """0 while the loop waits."""
        self._caught: tuple[float, str] = (0.0, "")
        self._quiet_until = 0.0
        self._untold = 0
        self._stop = threading.Event()
        self._restore: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; call on the loop. A loop without a selector (none of asyncio's on Unix) is not watched."""
        selector = getattr(asyncio.get_running_loop(), "_selector", None)  # asyncio offers no other place to look from
        if selector is None:
            return
        wait = selector.select

        def measured(timeout: float | None = None) -> Any:
            self._pause()
            began = time.perf_counter()
            ready = wait(timeout)
            self._busy_since = time.perf_counter()
            if timeout is not None and (late := self._busy_since - began - timeout) > self._limit_s:
                self._tell(late, "it was not woken: the machine or another thread had the processor")
            return ready

        def restore() -> None:
            selector.select = wait

        selector.select, self._restore = measured, restore
        ident = threading.get_ident()
        self._thread = threading.Thread(target=self._look, args=(ident,), name="loop-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._restore()
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _pause(self) -> None:
        """The loop has done what there was to do."""
        since, self._busy_since = self._busy_since, 0.0
        if since and (seconds := time.perf_counter() - since) > self._limit_s:
            caught, where = self._caught
            self._tell(seconds, where if caught == since else "it was over before anybody looked")

    def _tell(self, seconds: float, where: str) -> None:
        self._observe(seconds)
        now = time.perf_counter()
        if now < self._quiet_until:
            self._untold += 1
            return
        log.warning("event loop stalled", seconds=round(seconds, 3), where=where, untold=self._untold)
        self._quiet_until, self._untold = now + QUIET_S, 0

    def _look(self, ident: int) -> None:
        while not self._stop.wait(LOOK_S):
            since = self._busy_since
            if since and self._caught[0] != since and time.perf_counter() - since > self._limit_s:
                frame = sys._current_frames().get(ident)
                if frame is not None:
                    self._caught = (since, _where(frame))


def _where(frame: FrameType) -> str:
    """The innermost frames, the innermost last; places in the code, never values."""
    stack = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=FRAMES, lookup_lines=False)
    return " > ".join(
        f"{'/'.join(Path(item.filename).parts[-2:])}:{item.lineno} {item.name}" for item in reversed(stack)
    )
