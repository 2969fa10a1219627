"""Vosk: understands while the customer is still speaking; partial texts, and a grammar where phrases are expected.

It decides nothing about when an utterance ends; its own endpoints only divide the text.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from speech.models import ModelStore
from speech.seams import SAMPLE_RATE_HZ, ModelMissing, Transcript

NAME = "vosk"
UNKNOWN = "[unk]"
TRUSTED = 0.7
"""A grammar's answer below this confidence, or with an unknown word in it, is decoded again without the grammar."""

_SPACES = re.compile(r"[^\w'\s]+|_")


class Vosk:
    """Vosk models in memory, one a language."""

    name = NAME
    streams = True

    def __init__(self, store: ModelStore, languages: tuple[str, ...]) -> None:
        """Load the models. Raises :class:`ModelMissing`."""
        import vosk

        vosk.SetLogLevel(-1)
        self._models = {language: vosk.Model(str(store.vosk(language))) for language in languages}
        self._recognizer: Callable[..., Any] = vosk.KaldiRecognizer

    def model(self, language: str) -> Any:
        """The loaded model for ``language``. Raises :class:`ModelMissing`."""
        if language not in self._models:
            raise ModelMissing(f"this Vosk worker serves {', '.join(self._models)}, not {language!r}")
        return self._models[language]

    def open(self, *, language: str, phrases: tuple[str, ...] = (), expects_digits: bool = False) -> VoskHearing:
        """Begin an utterance; with ``phrases`` their words are tried first, and anything else is decoded freely."""
        model = self.model(language)
        # Without an unknown word in the model a grammar would force a match: better none.
        known = known_phrases(model, phrases) if _all_known(model, UNKNOWN) else []

        def decoder(*, freely: bool) -> Any:
            grammar = () if freely or not known else (json.dumps([*known, UNKNOWN], ensure_ascii=False),)
            fresh = self._recognizer(model, float(SAMPLE_RATE_HZ), *grammar)
            fresh.SetWords(True)
            return fresh

        return VoskHearing(decoder, grammar=bool(known))


def known_phrases(model: Any, phrases: tuple[str, ...]) -> list[str]:
    """Phrases in the model's own spelling; one with a word it does not know would lose that word unnoticed."""
    plain = (" ".join(_SPACES.sub(" ", phrase.lower()).split()) for phrase in phrases)
    return [phrase for phrase in dict.fromkeys(plain) if phrase and _all_known(model, phrase)]


def _all_known(model: Any, phrase: str) -> bool:
    return all(model.vosk_model_find_word(word) >= 0 for word in phrase.split())


class VoskHearing:
    """One utterance being recognised while it sounds."""

    def __init__(self, decoder: Callable[..., Any], *, grammar: bool) -> None:
        self._decoder = decoder
        self._grammar = grammar
        self._stream = decoder(freely=False)
        self._pcm = bytearray()
        self._words: list[tuple[str, float]] = []
        self._partial = ""
        self._cpu_s = 0.0
        self._understood: tuple[int, Transcript] | None = None

    def feed(self, pcm: bytes) -> str | None:
        """Take audio; the text so far when it changed."""
        began = time.process_time()
        self._pcm += pcm
        if self._stream.AcceptWaveform(pcm):
            self._words += _words(self._stream.Result())
        running = json.loads(self._stream.PartialResult()).get("partial", "")
        self._cpu_s += time.process_time() - began
        text = " ".join(word for word in (*(word for word, _ in self._words), *running.split()) if word != UNKNOWN)
        if text == self._partial:
            return None
        self._partial = text
        return text

    def result(self) -> Transcript:
        """Close the running part and give everything since the beginning."""
        if self._understood is not None and self._understood[0] == len(self._pcm):
            return self._understood[1]
        began = time.process_time()
        self._words += _words(self._stream.FinalResult())
        words = self._words
        if self._grammar and not _trusted(words):
            words = self._freely()
        spoken = [(word, confidence) for word, confidence in words if word != UNKNOWN]
        self._cpu_s += time.process_time() - began
        transcript = Transcript(
            text=" ".join(word for word, _ in spoken),
            confidence=round(sum(confidence for _, confidence in spoken) / len(spoken), 3) if spoken else 0.0,
            engine=NAME,
            cpu_s=self._cpu_s,
        )
        self._understood = len(self._pcm), transcript
        return transcript

    def _freely(self) -> list[tuple[str, float]]:
        """Decode the whole utterance without the grammar: a match is never forced."""
        decoder = self._decoder(freely=True)
        words = _words(decoder.Result()) if decoder.AcceptWaveform(bytes(self._pcm)) else []
        return words + _words(decoder.FinalResult())


def _words(answer: str) -> list[tuple[str, float]]:
    """Words and their confidence from Vosk's JSON."""
    return [(str(word["word"]), float(word["conf"])) for word in json.loads(answer).get("result", ())]


def _trusted(words: list[tuple[str, float]]) -> bool:
    return bool(words) and all(word != UNKNOWN and confidence >= TRUSTED for word, confidence in words)


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Vosk:
    """Load the engine; every recogniser file offers this."""
    return Vosk(store, languages)
