"""Piper: a natural voice, one language a voice; the neural network runs on as many cores as it is told.

It neither caches nor splits: it renders the one text it is given.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from typing import Any

import numpy as np

from speech import audio
from speech.models import ModelStore
from speech.seams import ModelMissing, NothingToSay, Speech, SpeechError

NAME = "piper"
LONGEST_CHARACTERS = 2000
STEADY = "+steady"
"""Ending of a voice's name that takes the chance out of it: the same text always sounds the same (for rehearsals)."""

_PHONEME_BLOCK = re.compile(r"\[\[|\]\]")  # Piper reads [[…]] as phonemes: never let a customer's name be that


class Piper:
    """Piper voices in memory, one a language."""

    name = NAME

    def __init__(self, store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> None:
        """Load a voice for each of ``languages``. Raises :class:`ModelMissing`."""
        import onnxruntime
        import piper

        self._tuning = piper.SynthesisConfig
        self._version = importlib.metadata.version("piper-tts")
        self._voices: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        for language in languages:
            path = store.piper(language)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            config = piper.PiperConfig.from_dict(json.loads(path.with_name(path.name + ".json").read_text("utf-8")))
            self._voices[language] = piper.PiperVoice(session=session, config=config)
            self._names[language] = path.stem

    def identify(self, *, language: str, voice: str | None = None) -> str:
        """Name what would speak; see :class:`speech.seams.Synthesizer`."""
        name = self._names.get(language)
        if name is None or voice not in (None, name, name + STEADY, STEADY):
            known = ", ".join(f"{name} ({spoken})" for spoken, name in self._names.items()) or "none"
            raise ModelMissing(f"no Piper voice {voice or ''} for {language!r} is loaded; loaded: {known}")
        return f"{NAME}/{self._version}/{name}{STEADY if _is_steady(voice) else ''}"

    def render(self, text: str, *, language: str, voice: str | None = None, rate: float = 1.0) -> Speech:
        """Speak; see :class:`speech.seams.Synthesizer`."""
        self.identify(language=language, voice=voice)
        plain = _PHONEME_BLOCK.sub(" ", text).strip()
        if len(plain) > LONGEST_CHARACTERS:
            raise SpeechError(
                f"text of {len(plain)} characters, at most {LONGEST_CHARACTERS} are spoken at once: split it",
                code="text_too_long",
                retryable=False,
            )
        engine = self._voices[language]
        chance = 0.0 if _is_steady(voice) else None  # None: as the voice was trained
        pace = engine.config.length_scale / rate
        tuning = self._tuning(length_scale=pace, noise_scale=chance, noise_w_scale=chance)
        chunks = [chunk.audio_int16_array for chunk in engine.synthesize(plain, syn_config=tuning)] if plain else []
        sound = np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.int16)
        speech = audio.telephone_speech(sound, engine.config.sample_rate, voice=f"{NAME}:{self._names[language]}")
        if not speech.pcm:
            raise NothingToSay
        return speech


def phonemes(text: str) -> str:
    """Read American English as IPA, as eSpeak NG writes it: Piper carries it for its own voices."""
    from piper.phonemize_espeak import EspeakPhonemizer

    return " ".join("".join(sentence) for sentence in EspeakPhonemizer().phonemize("en-us", text))


def _is_steady(voice: str | None) -> bool:
    return voice is not None and voice.endswith(STEADY)


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Piper:
    """Load the engine; every synthesiser file offers this."""
    return Piper(store, languages, threads=threads)
