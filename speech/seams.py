"""The seams of speech: what a recogniser, a synthesiser and their results look like.

Nothing here knows of calls, processes or sockets. Audio is s16le mono at 8000 Hz unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

SAMPLE_RATE_HZ = 8000
FRAME_MS = 20
FRAME_BYTES = SAMPLE_RATE_HZ * FRAME_MS // 1000 * 2


class SpeechError(Exception):
    """Speech could not be recognised or rendered."""

    code = "speech_failed"
    retryable = True

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class ModelMissing(SpeechError):
    """A model or voice is not on disk; the message says how to get it."""

    code = "model_missing"
    retryable = False


class NothingToSay(SpeechError):
    """Nothing audible came out: there is nothing to read in the text."""

    code = "nothing_to_say"
    retryable = False

    def __init__(self) -> None:
        super().__init__("nothing audible came out: there is nothing to read in the text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a recogniser understood of one utterance."""

    text: str
    """Words as the engine gives them, trimmed; empty when nothing was understood."""
    alternatives: tuple[str, ...] = ()
    """Other readings that the sound bears out, best first; none where the engine is sure or cannot tell."""
    confidence: float
    """0..1, the engine's own estimate; engines are not comparable with each other."""
    engine: str
    """The engine's file name in speech/recognizers, for example ``whisper``."""
    cpu_s: float = 0.0
    """CPU seconds spent on this utterance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Rendered speech."""

    pcm: bytes
    """s16le mono at ``sample_rate_hz``, leading and trailing silence trimmed to at most 30 ms."""
    sample_rate_hz: int
    voice: str
    """Name of the voice that spoke, for example ``piper:joe``."""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.pcm) / 2 / self.sample_rate_hz


class Hearing(Protocol):
    """One utterance being recognised; lives in the recogniser process and is not shared between threads."""

    def feed(self, pcm: bytes) -> str | None:
        """Take more audio; return the partial text when it changed and the engine streams, else ``None``."""

    def result(self) -> Transcript:
        """Recognise everything fed so far. May be called again after more audio was fed (speculative decoding)."""


@runtime_checkable
class Recognizer(Protocol):
    """A recognition engine with its model loaded."""

    name: str
    streams: bool
    """Whether :meth:`Hearing.feed` gives partial texts."""

    def open(self, *, language: str, phrases: tuple[str, ...] = (), expects_digits: bool = False) -> Hearing:
        """Begin an utterance in ``language`` (BCP 47 primary tag: ``en``, ``zh``, ``ko``).

        ``phrases`` are what is likely to be said here; an engine may bias towards them and never forces a match.
        ``expects_digits``: numbers are likely to be dictated, so repeated words are meant.
        Raises :class:`ModelMissing` for a language without a model.
        """


@runtime_checkable
class Synthesizer(Protocol):
    """A synthesis engine with its voice loaded."""

    name: str

    def identify(self, *, language: str, voice: str | None = None) -> str:
        """Name engine, version and voice that would speak: ``piper/1.8.0/en_US-joe-medium``; part of the cache key.

        Raises :class:`ModelMissing` for a language or voice that is not there.
        """

    def render(self, text: str, *, language: str, voice: str | None = None, rate: float = 1.0) -> Speech:
        """Speak ``text`` (plain, already normalised for reading) at ``rate`` times the usual speed.

        Raises :class:`SpeechError` when nothing audible came out.
        """
