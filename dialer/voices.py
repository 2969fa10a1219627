"""Which synthesiser process speaks a language, and who speaks instead when it cannot.

It renders nothing and caches nothing: that is done behind :class:`speech.client.SynthesizerClient`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from speech.recorded import Recorded
from speech.seams import Speech, SpeechError

log = logging.getLogger(__name__)

ANY = "*"
"""The language of a voice that speaks whatever no other does."""
PATIENCE_S = 2.0
"""How long the customer may wait for a sentence before the next voice says it."""


class Synthesis(Protocol):
    """One synthesiser process with its cache; :class:`speech.client.SynthesizerClient` is one."""

    async def synthesize(
        self, text: str, language: str, voice: str | None = None, *, deadline_s: float = ..., keep: bool = ...
    ) -> Speech:
        """Speak ``text``, past the cache unless ``keep``. Raises :class:`SpeechError`."""

    async def warm(self, texts: Iterable[str], language: str) -> int:
        """Render what is not in the cache yet. Raises :class:`SpeechError`."""


class Voices:
    """The voices of one line process, best first for each language; implements :class:`dialer.speaking.Voice`."""

    def __init__(self, voices: Mapping[str, Sequence[Synthesis]], recorded: Recorded | None = None) -> None:
        self._voices, self._recorded = voices, recorded or Recorded(None)

    async def render(self, text: str, *, language: str, keep: bool) -> bytes:
        """Speak one sentence: s16le mono at 8000 Hz; what a person has spoken is taken as it is.

        Raises the last voice's :class:`SpeechError`. ``keep``: whether its sound may be kept for other calls.
        """
        if (spoken := self._recorded.find(text, language)) is not None:
            return spoken.pcm
        failed = SpeechError(f"no voice speaks {language!r}: start a synthesiser for it", code="no_voice")
        for voice in self._serving(language):
            try:
                return (await voice.synthesize(text, language, deadline_s=PATIENCE_S, keep=keep)).pcm
            except SpeechError as error:
                log.warning("a voice failed", extra={"language": language, "code": error.code})
                failed = error
        raise failed

    async def prepare(self, texts: Sequence[str], language: str) -> None:
        """Have prompts rendered ahead by the best voice. Raises :class:`SpeechError`."""
        for voice in self._serving(language)[:1]:
            await voice.warm(texts, language)

    def _serving(self, language: str) -> Sequence[Synthesis]:
        return [*self._voices.get(language, ()), *self._voices.get(ANY, ())]
