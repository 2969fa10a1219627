"""One utterance on its way to being understood; decoding begins in its pauses, before its end is certain.

It does not know what the words mean, nor when the utterance ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from dialer.equipment import Understanding
from speech.seams import SpeechError, Transcript

log = logging.getLogger(__name__)


class Utterance:
    """Feeds one utterance to a recogniser and waits for its words, but not for ever."""

    def __init__(self, understanding: Understanding, *, started_ms: int, patience_s: float) -> None:
        self.started_ms = started_ms
        self.paused = False
        self._understanding = understanding
        self._patience_s = patience_s
        self._early: asyncio.Task[Transcript] | None = None
        self._glimpse: asyncio.Task[Transcript] | None = None
        self._held = bytearray()

    def feed(self, pcm: bytes) -> None:
        """Take one frame; silence is held back while it may be the end, so that an early result stays good."""
        if self.paused:
            self._held += pcm
        else:
            self._understanding.feed(pcm)

    def pause(self, on_early: Callable[[Transcript], None]) -> None:
        """Begin to decode: this may be all. ``on_early`` is told what it is, unless speech goes on or it fails."""
        self.paused = True
        self._early = asyncio.create_task(self._understanding.result(self._patience_s))
        self._early.add_done_callback(lambda task: _look_at(task, on_early))

    def glimpse(self, on_words: Callable[[Transcript], None]) -> None:
        """Decode what was said so far while it goes on; ``on_words`` is told, unless that fails or nobody wants it."""
        if self._glimpse is None or self._glimpse.done():
            self._glimpse = asyncio.create_task(self._understanding.result(self._patience_s))
            self._glimpse.add_done_callback(lambda task: _look_at(task, on_words))

    def resume(self) -> None:
        """It was not all: forget the early result."""
        self._forget_early()
        self.paused = False
        self._understanding.feed(bytes(self._held))
        self._held.clear()

    async def result(self) -> Transcript:
        """What was said; nothing when the recogniser failed or took too long: the call goes on."""
        try:
            async with asyncio.timeout(self._patience_s):
                if self._early is not None:
                    return await self._early
                return await self._understanding.result(self._patience_s)
        except (SpeechError, TimeoutError) as error:
            log.warning("an utterance was not understood", extra={"code": getattr(error, "code", "late")})
            return Transcript(text="", confidence=0.0, engine="")
        finally:
            self.drop()

    def drop(self) -> None:
        """Want nothing more of it."""
        self._forget_early()
        if self._glimpse is not None:
            self._glimpse.cancel()
        self._understanding.close()

    def _forget_early(self) -> None:
        if self._early is not None:
            self._early.cancel()
            self._early = None


def _look_at(task: asyncio.Task[Transcript], on_early: Callable[[Transcript], None]) -> None:
    """A result that was thrown away may have failed unnoticed."""
    if not task.cancelled() and task.exception() is None:
        on_early(task.result())
