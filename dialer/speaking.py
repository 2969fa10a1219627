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
from speech.pace import slowed
from speech.prompts import paused, sentences
from speech.seams import FRAME_BYTES

SENTENCE_PAUSE_MS = 180
BACK_MS = 200
"""A sentence that was held goes on this much before the place where it fell silent."""
HELD_AT_MOST_S = 5.0
LATE_S = 0.6
"""A sentence that is not rendered after this much waiting is bridged: nobody is to hear silence for 1.5 s."""
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
        self._ahead: dict[tuple[str, str, bool], asyncio.Task[bytes]] = {}
        self._playback: Playback | None = None
        self._stopped: asyncio.Future[int] | None = None
        self._sounding = b""
        self._began_ms = 0
        self._held: asyncio.Future[None] | None = None
        self._fillers: dict[str, tuple[str, asyncio.Task[bytes]]] = {}
        self._filling: asyncio.Task[None] | None = None
        self.asked_s: float | None = None
        """When the first question of what is being said began to sound, on the loop's clock."""

    def now(self) -> bytes:
        """The 20 ms that leave us now, empty while the robot is silent: what an echo would be of."""
        if self._playback is None:
            return b""
        at = self._playback.played_ms * BYTES_PER_MS
        return self._sounding[at : at + FRAME_BYTES]

    def prepare(self, text: str, language: str, *, slow: bool = False) -> None:
        """Begin rendering the sentences of ``text`` that will be needed soon; two at most."""
        for sentence in sentences(text)[:2]:
            self._rendering(sentence, language, slow)

    def prepare_filler(self, text: str, language: str) -> None:
        """Have ready what :meth:`fill` says in ``language``; it is the same for everybody."""
        if language not in self._fillers:
            rendering = asyncio.create_task(self._voice.render(text, language=language, keep=True))
            rendering.add_done_callback(_look_at)
            self._fillers[language] = text, rendering

    def fill(self, language: str) -> None:
        """Say that it takes a moment, if that is ready and nothing sounds; what is said next waits for its end."""
        text, rendering = self._fillers.get(language, ("", None))
        ready = rendering is not None and rendering.done() and not rendering.cancelled()
        busy = self._playback is not None or (self._filling is not None and not self._filling.done())
        if rendering is None or not ready or busy or rendering.exception() is not None:
            return
        self._filling = asyncio.create_task(self._fill(Sentence(text=text, pcm=rendering.result()), language))

    async def _fill(self, sentence: Sentence, language: str) -> None:
        self._story.robot_begins(sentence.text, language)
        self._began_ms = 0
        await self._play(sentence, b"")

    async def say(self, text: str, language: str, *, more: bool = False, slow: bool = False) -> bool:
        """Speak ``text``; returns whether all of it was heard, ``False`` when :meth:`stop` cut it.

        ``more`` follows: a pause ends the last sentence too. ``slow``: for a customer who asked for it.
        Raises :class:`speech.seams.SpeechError` when a sentence cannot be rendered.
        """
        self._stopped = asyncio.get_running_loop().create_future()
        self._held, self.asked_s = None, None
        try:
            return await self._say(paused(text), language, self._stopped, more=more, slow=slow)
        finally:
            self._stopped = None

    def hold(self) -> None:
        """Fall silent now, for a moment: :meth:`resume` goes on, :meth:`stop` does not. Held once more it stays so."""
        if self._stopped is None or self._held is not None:
            return
        self._held = asyncio.get_running_loop().create_future()
        if self._playback is not None:
            self._playback.stop()

    def resume(self) -> None:
        """Go on after :meth:`hold`."""
        if self._held is not None and not self._held.done():
            self._held.set_result(None)

    def stop(self) -> None:
        """Fall silent now."""
        played_ms = self._began_ms + self._playback.stop() if self._playback is not None else 0
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(played_ms)

    def close(self) -> None:
        """Fall silent and forget every sound."""
        self.stop()
        for task in self._ahead.values():
            task.cancel()
        self._ahead.clear()
        for _, filler in self._fillers.values():
            filler.cancel()

    async def _say(
        self, parts: Sequence[tuple[str, int]], language: str, stopped: asyncio.Future[int], *, more: bool, slow: bool
    ) -> bool:
        for number, (text, pause_ms) in enumerate(parts, start=1):
            rendering = self._rendering(text, language, slow)
            if number < len(parts):
                self._rendering(parts[number][0], language, slow)
            first: set[asyncio.Future[Any]] = {rendering, stopped}
            done, _ = await asyncio.wait(first, timeout=LATE_S, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                self.fill(language)
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if self._filling is not None:
                await asyncio.wait({self._filling})
            if stopped.done():
                return False
            if rendering.exception() is not None or self._is_shared(text, language):
                self._ahead.pop((language, text, slow), None)  # what is shared is kept elsewhere
            sentence = Sentence(text=text, pcm=rendering.result())
            usual_ms = SENTENCE_PAUSE_MS if more or number < len(parts) else 0
            heard_all = await self._sound(sentence, language, stopped, pause_ms=usual_ms + pause_ms)
            if stopped.done() or not heard_all:
                return heard_all and number == len(parts)
        return True

    async def _sound(self, sentence: Sentence, language: str, stopped: asyncio.Future[int], *, pause_ms: int) -> bool:
        """Sound one sentence; returns whether all of it was heard."""
        if not await self._released(stopped):
            return False
        if self.asked_s is None and any(mark in sentence.text for mark in "?？"):
            self.asked_s = asyncio.get_running_loop().time()
        place = self._story.robot_begins(sentence.text, language)
        played_ms = 0
        while True:
            self._began_ms = max(0, played_ms - BACK_MS)
            complete, more_ms = await self._play(sentence, silence(pause_ms))
            played_ms = self._began_ms + more_ms
            if complete or played_ms >= sentence.ms:
                return True
            if self._held is None or not await self._released(stopped):
                break
        played_ms = max(played_ms, stopped.result() if stopped.done() else 0)
        self._story.robot_interrupted(place, heard_text=sentence.heard(played_ms), played_ms=played_ms)
        return False

    async def _play(self, sentence: Sentence, pause: bytes) -> tuple[bool, int]:
        """Play a sentence from where it is to begin; returns whether it came to its end, and how far it came."""
        self._sounding = sentence.pcm[self._began_ms * BYTES_PER_MS :]
        playback = self._playback = self._leg.play(self._sounding + pause)
        try:
            complete = await playback.wait()
        except asyncio.CancelledError:
            playback.stop()
            raise
        finally:
            self._playback = None
        return complete, playback.played_ms

    async def _released(self, stopped: asyncio.Future[int]) -> bool:
        """Wait as long as we are held; returns whether to go on."""
        if self._held is not None:
            first: set[asyncio.Future[Any]] = {self._held, stopped}
            await asyncio.wait(first, timeout=HELD_AT_MOST_S, return_when=asyncio.FIRST_COMPLETED)
            self._held = None
        return not stopped.done()

    def _rendering(self, text: str, language: str, slow: bool) -> asyncio.Task[bytes]:
        key = (language, text, slow)
        if key not in self._ahead:
            self._ahead[key] = asyncio.create_task(self._render(text, language, slow))
            self._ahead[key].add_done_callback(_look_at)
        return self._ahead[key]

    async def _render(self, text: str, language: str, slow: bool) -> bytes:
        pcm = await self._voice.render(text, language=language, keep=self._is_shared(text, language))
        return await asyncio.to_thread(slowed, pcm) if slow else pcm


def _look_at(task: asyncio.Task[bytes]) -> None:
    """What was rendered ahead and never said may have failed unnoticed."""
    if not task.cancelled():
        task.exception()
