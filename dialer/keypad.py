"""Digits as they are entered: how many belong together, and when an entry is complete.

It knows no meaning of a digit.
"""

from __future__ import annotations

import asyncio

PAUSE_S = 3.0
"""A pause this long ends the entering of digits."""
SAME_PRESS_S = 1.0
"""Two reports of one key by different methods within this are one press."""
TERMINATOR = "#"


class Keypad:
    """The keys a customer pressed and nobody took yet; they may be pressed ahead of the question."""

    def __init__(self) -> None:
        self.pressed = ""
        self.until = 0.0
        """When the entry counts as complete, on the loop's clock."""
        self._last: tuple[str, str, float] | None = None

    def press(self, digit: str, method: str) -> bool:
        """Take one report of a key; returns whether it is a new press, not the same one heard another way."""
        now = asyncio.get_running_loop().time()
        if self._last is not None:
            key, by, at = self._last
            if key == digit and by != method and now - at < SAME_PRESS_S:
                return False
        self._last = (digit, method, now)
        self.pressed += digit
        self.until = now + PAUSE_S
        return True

    def entered(self, wanted: int) -> str:
        """Take a complete entry: ``wanted`` digits, ended by ``#``, or followed by a pause; empty while incomplete."""
        head, terminator, _ = self.pressed.partition(TERMINATOR)
        if head and terminator and len(head) <= wanted:
            self.pressed = self.pressed[len(head) + 1 :]
            return head
        if len(self.pressed) >= wanted or (self.pressed and asyncio.get_running_loop().time() >= self.until):
            keys, self.pressed = self.pressed[:wanted], self.pressed[wanted:]
            return keys
        return ""

    def clear(self) -> None:
        """Forget everything."""
        self.pressed = ""
