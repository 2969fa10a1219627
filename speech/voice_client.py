"""Asking a synthesiser process from asyncio, by way of the prompts on disk.

Nothing here blocks the event loop or holds an engine; what two ask for at once is rendered once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from speech import prompts
from speech.audio import silence
from speech.link import Link, LinkLost, Links
from speech.seams import SAMPLE_RATE_HZ, NothingToSay, Speech, SpeechError

log = logging.getLogger(__name__)

PAUSE_MS = 220
"""Silence between two sentences."""
DEADLINE_S = 10.0


class SynthesizerClient:
    """Speech from the cache, else from the process, sentence by sentence."""

    def __init__(self, socket: Path | str, cache: prompts.PromptCache | None = None) -> None:
        self._links = Links([socket], unavailable="synthesizer_unavailable")
        self._cache = cache
        self._identities: dict[tuple[str, str | None, int], str] = {}
        self._rendering: dict[tuple[str, bool], asyncio.Task[Speech]] = {}
        """By name, and by whether it is kept."""

    def start(self) -> None:
        """Begin to connect; also done by the first use."""
        self._links.start()

    async def close(self) -> None:
        """Disconnect; what is being rendered fails."""
        for task in tuple(self._rendering.values()):
            task.cancel()
        await self._links.close()

    async def synthesize(
        self,
        text: str,
        language: str,
        voice: str | None = None,
        *,
        rate: float = 1.0,
        deadline_s: float = DEADLINE_S,
        keep: bool = True,
    ) -> Speech:
        """Speak ``text`` whole; without ``keep`` past the cache, for words that may not stay on the disk.

        Raises :class:`SpeechError`: ``late``, ``synthesizer_unavailable``, or the engine's own.
        """
        before = time.monotonic() + deadline_s
        cut = _sentences(text)
        parts = [await self._sentence(part, language, voice, rate, before, keep=keep) for part in cut]
        if len(parts) == 1:
            return parts[0]
        return Speech(
            pcm=silence(PAUSE_MS).join(part.pcm for part in parts), sample_rate_hz=SAMPLE_RATE_HZ, voice=parts[0].voice
        )

    async def stream(
        self, text: str, language: str, voice: str | None = None, *, rate: float = 1.0, deadline_s: float = DEADLINE_S
    ) -> AsyncIterator[Speech]:
        """Speak ``text`` sentence by sentence, each with the pause that follows it; the next is rendered meanwhile.

        ``deadline_s`` holds for every sentence. Raises as :meth:`synthesize` does.
        """
        parts = _sentences(text)

        def begin(part: str) -> asyncio.Task[Speech]:
            before = time.monotonic() + deadline_s
            return asyncio.create_task(self._sentence(part, language, voice, rate, before))

        following: asyncio.Task[Speech] | None = begin(parts[0])
        try:
            for number in range(1, len(parts) + 1):
                assert following is not None
                speech = await following
                following = begin(parts[number]) if number < len(parts) else None
                if following is not None:
                    speech = Speech(
                        pcm=speech.pcm + silence(PAUSE_MS), sample_rate_hz=speech.sample_rate_hz, voice=speech.voice
                    )
                yield speech
        finally:
            if following is not None:
                following.cancel()

    async def warm(
        self,
        texts: Iterable[str],
        language: str,
        voice: str | None = None,
        *,
        rate: float = 1.0,
        deadline_s: float = 60.0,
    ) -> int:
        """Render what is not in the cache yet, behind everything urgent; returns how many sentences there are.

        ``deadline_s`` holds for every sentence. Raises as :meth:`synthesize` does.
        """
        wanted = dict.fromkeys(part for text in texts for part in prompts.sentences(text))
        for part in wanted:
            await self._sentence(part, language, voice, rate, time.monotonic() + deadline_s, background=True)
        return len(wanted)

    async def _sentence(
        self,
        text: str,
        language: str,
        voice: str | None,
        rate: float,
        before: float,
        *,
        background: bool = False,
        keep: bool = True,
    ) -> Speech:
        identity = await self._identity(language, voice, before)
        name = prompts.key(identity, language=language, rate=rate, text=text)
        if self._cache is not None and keep:
            cached = await asyncio.to_thread(self._cache.get, name)
            if cached is not None:
                return cached
        task = self._rendering.get((name, keep))
        if task is None:
            wish = {"text": text, "language": language, "voice": voice, "rate": rate, "background": background}
            rendering = self._render(wish, before, name=name if keep else None)
            task = self._rendering[name, keep] = asyncio.create_task(rendering)
            task.add_done_callback(lambda done: self._finished((name, keep), done))
        try:
            async with asyncio.timeout(before - time.monotonic()):
                return await asyncio.shield(task)
        except TimeoutError:
            raise SpeechError("the speech was not rendered in time", code="late") from None

    def _finished(self, which: tuple[str, bool], task: asyncio.Task[Speech]) -> None:
        self._rendering.pop(which, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have waited

    async def _render(self, wish: Mapping[str, object], before: float, *, name: str | None) -> Speech:
        """Have it rendered, and keep it by ``name`` if it has one."""
        while True:
            link = await self._link(before)
            try:
                reply, pcm = await link.request({"op": "render", **wish, "before": before})
            except LinkLost:
                continue
            break
        speech = Speech(pcm=pcm, sample_rate_hz=int(reply["rate_hz"]), voice=str(reply["voice"]))
        if self._cache is not None and name is not None:
            try:
                await asyncio.to_thread(self._cache.put, name, speech)
            except OSError as error:
                log.warning("prompt not kept", extra={"reason": error.strerror})
        return speech

    async def _identity(self, language: str, voice: str | None, before: float) -> str:
        """What speaks this language; asked again of every new process, for it may have got another voice."""
        while True:
            link = await self._link(before)
            known = self._identities.get((language, voice, link.generation))
            if known is not None:
                return known
            try:
                reply, _ = await link.request({"op": "identify", "language": language, "voice": voice})
            except LinkLost:
                continue
            identity = self._identities[language, voice, link.generation] = str(reply["identity"])
            return identity

    async def _link(self, before: float) -> Link:
        return await self._links.first(lambda connected: connected[0] if connected else None, before)


def _sentences(text: str) -> tuple[str, ...]:
    parts = prompts.sentences(text)
    if not parts:
        raise NothingToSay
    return parts
