"""Whether the wall clock can be trusted: nobody is rung by one that has leapt since the service began.

A leap shows against the clock that only counts seconds since the machine was started, asleep or not, and that nobody
sets. The service does not know which of the two times is right: it stands still until the leap is taken back, or until
an operator has looked and starts it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)
TOLERANCE_S = 60.0
"""A clock that is set right by less than this leaps over no opening or closing by more than a call's ringing."""


def since_boot_s() -> float:
    """Seconds since the machine was started, those asleep among them where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockWatch:
    """Watches a wall clock from now on."""

    def __init__(self, wall: Callable[[], float], steady: Callable[[], float] = since_boot_s) -> None:
        self._wall, self._steady = wall, steady
        self._began = wall() - steady()
        self._told = False

    @property
    def leap_s(self) -> float:
        """By how much the wall clock has leapt; positive: ahead."""
        return self._wall() - self._steady() - self._began

    def trusted(self) -> bool:
        """Whether it has not leapt; the first time that it has is told in the log."""
        leap_s = self.leap_s
        if abs(leap_s) <= TOLERANCE_S:
            self._told = False
            return True
        if not self._told:
            self._told = True
            log.error(
                "the clock has leapt, nobody is rung; set it right, or check it and restart", leap_s=round(leap_s)
            )
        return False
