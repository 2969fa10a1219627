"""The scripted recogniser: reads the text that the scripted voice put into the sound; for rehearsals and tests.

It understands no human speech: where no scripted voice spoke, it hears nothing.
"""

from __future__ import annotations

import time

from speech import audio, modem
from speech.models import ModelStore
from speech.seams import SAMPLE_RATE_HZ, Transcript

NAME = "scripted"

_PARTIAL_EVERY_BYTES = SAMPLE_RATE_HZ * 2 // 5


class Scripted:
    """A recogniser without a model, for every language."""

    name = NAME
    streams = True

    def open(self, *, language: str, phrases: tuple[str, ...] = (), expects_digits: bool = False) -> ScriptedHearing:
        """Begin an utterance; what is said is in the sound, so language and phrases change nothing."""
        return ScriptedHearing()


class ScriptedHearing:
    """One utterance being collected."""

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._read_bytes = 0
        self._partial = ""

    def feed(self, pcm: bytes) -> str | None:
        """Take audio; the text so far when it grew (looked at every 200 ms)."""
        self._pcm += pcm
        if len(self._pcm) - self._read_bytes < _PARTIAL_EVERY_BYTES:
            return None
        self._read_bytes = len(self._pcm)
        text = self._text(self._messages())
        if text == self._partial:
            return None
        self._partial = text
        return text

    def result(self) -> Transcript:
        """Read everything fed so far; confidence 1 when it came whole, else 0.5."""
        began = time.process_time()
        messages = self._messages()
        whole = bool(messages) and all(message.complete for message in messages)
        return Transcript(
            text=self._text(messages),
            confidence=1.0 if whole else 0.5 if messages else 0.0,
            engine=NAME,
            cpu_s=time.process_time() - began,
        )

    def _messages(self) -> tuple[modem.Message, ...]:
        return modem.decode(audio.samples(bytes(self._pcm)))

    @staticmethod
    def _text(messages: tuple[modem.Message, ...]) -> str:
        return " ".join(message.text for message in messages if message.text)


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Scripted:
    """Load the engine; every recogniser file offers this."""
    return Scripted()
