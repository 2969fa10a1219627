"""The robot's mouth on one leg: sentences rendered ahead, spoken in order, stopped within a frame.

It does not decide what to say or when to stop; it says how much was really heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dialer.legs import Leg, Playback
from dialer.story import Story
from speech.audio import silence
from speech.prompts import sentences
from speech.seams import FRAME_BYTES

SENTENCE_PAUSE_MS = 180
BYTES_PER_MS = 16


class Voice(Protocol):
    """Whatever turns a sentence into sound, usually a prompt cache before a synthesiser."""

    async def render(self, text: str, *, language: str, keep: bool) -> bytes:
        """Speak one sentence: s16le mono at 8000 Hz. Raises :class:`speech.seams.SpeechError`.

        ``keep``: whether its sound may be kept for other calls.
        """

    async def prepare(self, texts: Sequence[str], language: str) -> None:
        """Have texts rendered ahead of their use. Raises :class:`speech.seams.SpeechError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence as it is sounding."""

    text: str
    pcm: bytes

    @property
    def ms(self) -> int:
        """How long it takes."""
        return len(self.pcm) // BYTES_PER_MS

    def heard(self, played_ms: int) -> str:
        """The words that had sounded after ``played_ms``, cut back to whole words where the script has spaces."""
        if played_ms >= self.ms:
            return self.text
        length = len(self.text) * played_ms // max(1, self.ms)
        if " " not in self.text or self.text[length : length + 1] == " ":
            return self.text[:length]
        return self.text[:length].rpartition(" ")[0]


class Speaker:
    """Speaks on one leg.

    ``is_shared`` tells whether a sentence (and its language) is the same for everybody. The sound of any other lives in
    here alone, until the end of the call.
    """

    def __init__(self, leg: Leg, voice: Voice, story: Story, *, is_shared: Callable[[str, str], bool]) -> None:
        self._leg, self._voice, self._story, self._is_shared = leg, voice, story, is_shared
        self._ahead: dict[tuple[str, str], asyncio.Task[bytes]] = {}
        self._playback: Playback | None = None
        self._stopped: asyncio.Future[int] | None = None
        self._sounding = b""

    def now(self) -> bytes:
        """The 20 ms that leave us now, empty while the robot is silent: what an echo would be of."""
        if self._playback is None:
            return b""
        at = self._playback.played_ms * BYTES_PER_MS
        return self._sounding[at : at + FRAME_BYTES]

    def prepare(self, text: str, language: str) -> None:
        """Begin rendering the sentences of ``text`` that will be needed soon; two at most."""
        for sentence in sentences(text)[:2]:
            self._rendering(sentence, language)

    async def say(self, text: str, language: str, *, more: bool = False) -> bool:
        """Speak ``text``; returns whether all of it was heard, ``False`` when :meth:`stop` cut it.

        ``more`` follows: a pause ends the last sentence too. Raises :class:`speech.seams.SpeechError` when a sentence
        cannot be rendered.
        """
        self._stopped = asyncio.get_running_loop().create_future()
        try:
            return await self._say(sentences(text), language, self._stopped, more=more)
        finally:
            self._stopped = None

    def stop(self) -> None:
        """Fall silent now."""
        played_ms = self._playback.stop() if self._playback is not None else 0
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(played_ms)

    def close(self) -> None:
        """Fall silent and forget every sound."""
        self.stop()
        for task in self._ahead.values():
            task.cancel()
        self._ahead.clear()

    async def _say(self, parts: Sequence[str], language: str, stopped: asyncio.Future[int], *, more: bool) -> bool:
        for number, text in enumerate(parts, start=1):
            rendering = self._rendering(text, language)
            if number < len(parts):
                self._rendering(parts[number], language)
            first: set[asyncio.Future[Any]] = {rendering, stopped}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                return False
            if rendering.exception() is not None or self._is_shared(text, language):
                self._ahead.pop((language, text), None)  # what is shared is kept elsewhere
            sentence = Sentence(text=text, pcm=rendering.result())
            heard_all = await self._sound(sentence, language, stopped, pause=more or number < len(parts))
            if stopped.done() or not heard_all:
                return heard_all and number == len(parts)
        return True

    async def _sound(self, sentence: Sentence, language: str, stopped: asyncio.Future[int], *, pause: bool) -> bool:
        """Sound one sentence; returns whether all of it was heard."""
        self._sounding = sentence.pcm
        playback = self._playback = self._leg.play(sentence.pcm + (silence(SENTENCE_PAUSE_MS) if pause else b""))
        place = self._story.robot_begins(sentence.text, language)
        try:
            complete = await playback.wait()
        except asyncio.CancelledError:
            playback.stop()
            raise
        finally:
            self._playback = None
        if complete:
            return True
        played_ms = stopped.result() if stopped.done() else playback.played_ms
        if played_ms >= sentence.ms:
            return True
        self._story.robot_interrupted(place, heard_text=sentence.heard(played_ms), played_ms=played_ms)
        return False

    def _rendering(self, text: str, language: str) -> asyncio.Task[bytes]:
        key = (language, text)
        if key not in self._ahead:
            rendering = self._voice.render(text, language=language, keep=self._is_shared(text, language))
            self._ahead[key] = asyncio.create_task(rendering)
            self._ahead[key].add_done_callback(_look_at)
        return self._ahead[key]


def _look_at(task: asyncio.Task[bytes]) -> None:
    """What was rendered ahead and never said may have failed unnoticed."""
    if not task.cancelled():
        task.exception()
