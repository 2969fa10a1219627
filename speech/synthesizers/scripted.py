"""The scripted voice: puts the text itself into the sound, for the scripted recogniser; for rehearsals and tests.

Nobody would want to be rung up by it.
"""

from __future__ import annotations

from speech import modem
from speech.models import ModelStore
from speech.seams import SAMPLE_RATE_HZ, NothingToSay, Speech

NAME = "scripted"


class Scripted:
    """A voice without a model, for every language: instant and always the same."""

    name = NAME

    def identify(self, *, language: str, voice: str | None = None) -> str:
        """Name what would speak; see :class:`speech.seams.Synthesizer`."""
        return f"{NAME}/1/data"

    def render(self, text: str, *, language: str, voice: str | None = None, rate: float = 1.0) -> Speech:
        """Put ``text`` into sound; ``rate`` changes nothing, since the recogniser keeps one pace."""
        if not text.strip():
            raise NothingToSay
        sound = modem.encode(text.strip())
        return Speech(pcm=sound.astype("<i2").tobytes(), sample_rate_hz=SAMPLE_RATE_HZ, voice=f"{NAME}:data")


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Scripted:
    """Load the engine; every synthesiser file offers this."""
    return Scripted()
