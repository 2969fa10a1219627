"""PocketSphinx: small and frugal, English alone, its model in its own package; text so far while the customer speaks.

It is used only where it is named. An expected phrase is taken only where it sounds like what was understood freely.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from speech import audio
from speech.models import ModelStore
from speech.nearness import nearest
from speech.seams import SAMPLE_RATE_HZ, ModelMissing, Transcript

NAME = "pocketsphinx"
RATE_HZ = 16_000
ALIKE = 0.6
"""Likeness of a phrase to the free reading from which both are the same words, better spelled by the phrase."""
QUIETEST_DBFS = -55.0
"""Below this loudness there is nothing to understand, and a word would be made up."""
_SPACES = re.compile(r"[^a-z' ]+")


class PocketSphinx:
    """The English model in memory."""

    name = NAME
    streams = True

    def __init__(self, languages: tuple[str, ...]) -> None:
        """Load the model that comes with the package. Raises :class:`ModelMissing`."""
        if set(languages) != {"en"}:
            raise ModelMissing(f"PocketSphinx understands English only, not {', '.join(languages)}")
        try:
            import pocketsphinx
        except ImportError:
            raise ModelMissing("PocketSphinx is not installed: install outbound[pocketsphinx]") from None
        model = Path(pocketsphinx.get_model_path()) / "en-us"
        self._free = pocketsphinx.Decoder(
            hmm=str(model / "en-us"),
            lm=str(model / "en-us.lm.bin"),
            dict=str(model / "cmudict-en-us.dict"),
            samprate=float(RATE_HZ),
            loglevel="FATAL",
        )
        self._bound = pocketsphinx.Decoder(
            hmm=str(model / "en-us"),
            lm=None,
            dict=str(model / "cmudict-en-us.dict"),
            samprate=float(RATE_HZ),
            loglevel="FATAL",
        )
        self._grammar: tuple[str, ...] = ()

    def open(self, *, language: str, phrases: tuple[str, ...] = (), expects_digits: bool = False) -> SphinxHearing:
        """Begin an utterance; see :class:`speech.seams.Recognizer`."""
        if language != "en":
            raise ModelMissing(f"PocketSphinx understands English only, not {language!r}")
        plain = (" ".join(_SPACES.sub(" ", phrase.lower()).split()) for phrase in phrases)
        return SphinxHearing(self, tuple(dict.fromkeys(phrase for phrase in plain if phrase and self._knows(phrase))))

    def freely(self, pcm: bytes) -> str:
        """Decode 16 kHz s16le with the language model; empty for nothing."""
        return _decode(self._free, pcm)

    def among(self, phrases: tuple[str, ...], pcm: bytes) -> str:
        """Decode 16 kHz s16le as one of ``phrases``; empty when it is none of them to its end."""
        if phrases != self._grammar:
            body = " | ".join(phrases)
            self._bound.add_jsgf_string("expected", f"#JSGF V1.0; grammar expected; public <said> = {body};")
            self._bound.activate_search("expected")
            self._grammar = phrases
        found = _decode(self._bound, pcm)
        return found if found in phrases else ""

    def _knows(self, phrase: str) -> bool:
        return all(self._free.lookup_word(word) is not None for word in phrase.split())


def _decode(decoder: Any, pcm: bytes) -> str:
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return "" if found is None else str(found.hypstr)


class SphinxHearing:
    """One utterance being collected and decoded."""

    def __init__(self, engine: PocketSphinx, phrases: tuple[str, ...]) -> None:
        self._engine = engine
        self._phrases = phrases
        self._pcm = bytearray()
        self._looked = 0
        self._partial = ""
        self._cpu_s = 0.0
        self._understood: tuple[int, Transcript] | None = None

    def feed(self, pcm: bytes) -> str | None:
        """Take audio; the text so far, looked at once more for every second that came."""
        self._pcm += pcm
        if len(self._pcm) - self._looked < 2 * SAMPLE_RATE_HZ:
            return None
        self._looked = len(self._pcm)
        began = time.process_time()
        wide = self._wide()
        text = self._engine.freely(wide) if wide else ""
        self._cpu_s += time.process_time() - began
        if text == self._partial:
            return None
        self._partial = text
        return text

    def result(self) -> Transcript:
        """Decode everything fed so far, freely and as one of the phrases; what fits the sound better is the text."""
        if self._understood is not None and self._understood[0] == len(self._pcm):
            return self._understood[1]
        began = time.process_time()
        wide = self._wide()
        text = self._engine.freely(wide) if wide else ""
        phrase = self._engine.among(self._phrases, wide) if text and self._phrases else ""
        same = bool(phrase) and bool(nearest(text, (phrase,), "en", limit=1, least=ALIKE))
        self._cpu_s += time.process_time() - began
        transcript = Transcript(
            text=phrase if same else text,
            alternatives=(text,) if same and text != phrase else (),
            confidence=0.0 if not text else 0.8 if same else 0.5,
            engine=NAME,
            cpu_s=self._cpu_s,
        )
        self._understood = len(self._pcm), transcript
        return transcript

    def _wide(self) -> bytes:
        narrow = audio.samples(bytes(self._pcm))
        if not len(narrow) or audio.rms_dbfs(narrow) < QUIETEST_DBFS:
            return b""
        wide = audio.resample(narrow.astype(np.float32), SAMPLE_RATE_HZ, RATE_HZ)
        return bytes(np.clip(wide, -32768, 32767).astype("<i2").tobytes())


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> PocketSphinx:
    """Load the engine; every recogniser file offers this."""
    return PocketSphinx(languages)
