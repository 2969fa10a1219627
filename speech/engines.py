"""Engines by name: a file's name in speech/recognizers or speech/synthesizers is its name in configuration.

An engine is imported only when it is named, so that a process holds no more than it uses.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import cast

from speech.models import ModelStore
from speech.seams import Hearing, ModelMissing, Recognizer, Speech, SpeechError, Synthesizer

AUTO = "auto"
PLAIN = "pyttsx3"
"""The voice that is always there."""

_NOT_ENGINES = frozenset({"mel", "tokens"})


class UnknownEngine(SpeechError):
    """No engine has this name; the message lists those there are."""

    code = "unknown_engine"
    retryable = False


def names(kind: str) -> tuple[str, ...]:
    """Names of the engines of ``kind`` (``recognizer`` or ``synthesizer``), without importing them."""
    package = importlib.import_module(f"speech.{kind}s")
    found = {module.name for module in pkgutil.iter_modules(package.__path__)}
    return tuple(sorted(found - _NOT_ENGINES))


def _module(kind: str, name: str) -> ModuleType:
    if name not in names(kind):
        raise UnknownEngine(f"no {kind} is called {name!r}: there are {', '.join((AUTO, *names(kind)))}")
    return importlib.import_module(f"speech.{kind}s.{name}")


def choose_recognizer(store: ModelStore, language: str) -> str:
    """Name the recogniser that serves ``language`` best here: Vosk where its model is on disk, else Whisper."""
    try:
        store.vosk(language)
    except ModelMissing:
        return "whisper"
    return "vosk"


def choose_synthesizer(store: ModelStore, language: str) -> str:
    """Name the voice that serves ``language`` best here: Piper if it has one, Kokoro for Mandarin, else eSpeak NG."""
    try:
        store.piper(language)
    except ModelMissing:
        return "kokoro" if language == "zh" and _has_kokoro(store) else PLAIN
    return "piper" if importlib.util.find_spec("piper") is not None else PLAIN


def _has_kokoro(store: ModelStore) -> bool:
    """Whether the model, its styles, and what reads Chinese are all there."""
    if any(importlib.util.find_spec(name) is None for name in ("misaki", "jieba", "onnxruntime")):
        return False
    try:
        store.kokoro()
    except ModelMissing:
        return False
    return True


def load_recognizer(name: str, store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Recognizer:
    """Load a recogniser with the model for ``languages``; ``auto`` gives each language its best engine.

    Raises :class:`UnknownEngine` or :class:`ModelMissing`.
    """
    if name == AUTO:
        served: dict[str, list[str]] = {}
        for language in languages:
            served.setdefault(choose_recognizer(store, language), []).append(language)
        loaded = {
            engine: load_recognizer(engine, store, tuple(spoken), threads=threads) for engine, spoken in served.items()
        }
        if len(loaded) == 1:
            return next(iter(loaded.values()))
        return BestEars({language: loaded[engine] for engine, spoken in served.items() for language in spoken})
    return cast("Recognizer", _module("recognizer", name).load(store, languages, threads=threads))


def load_synthesizer(name: str, store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Synthesizer:
    """Load a synthesiser for ``languages``; ``auto`` gives each language its best voice, and any other eSpeak NG."""
    if name != AUTO:
        return cast("Synthesizer", _module("synthesizer", name).load(store, languages, threads=threads))
    plain = load_synthesizer(PLAIN, store, (), threads=threads)
    served: dict[str, list[str]] = {}
    for language in languages:
        served.setdefault(choose_synthesizer(store, language), []).append(language)
    natural = {
        language: engine
        for name, spoken in served.items()
        if name != PLAIN
        for engine in [load_synthesizer(name, store, tuple(spoken), threads=threads)]
        for language in spoken
    }
    return BestVoice(natural=natural, plain=plain) if natural else plain


class BestEars:
    """Several recognisers as one: each language goes to its own."""

    name = AUTO

    def __init__(self, engines: Mapping[str, Recognizer]) -> None:
        self._engines = engines
        self.streams = any(engine.streams for engine in engines.values())

    def open(self, *, language: str, phrases: tuple[str, ...] = (), expects_digits: bool = False) -> Hearing:
        """Begin an utterance; see :class:`speech.seams.Recognizer`."""
        engine = self._engines.get(language)
        if engine is None:
            raise ModelMissing(f"this recogniser serves {', '.join(self._engines)}, not {language!r}")
        return engine.open(language=language, phrases=phrases, expects_digits=expects_digits)


class BestVoice:
    """Several synthesisers as one: each natural one for its languages, the plain one for every other."""

    name = AUTO

    def __init__(self, *, natural: Mapping[str, Synthesizer], plain: Synthesizer) -> None:
        self._natural, self._plain = natural, plain

    def _serving(self, language: str) -> Synthesizer:
        return self._natural.get(language, self._plain)

    def identify(self, *, language: str, voice: str | None = None) -> str:
        """Name what would speak; see :class:`speech.seams.Synthesizer`."""
        return self._serving(language).identify(language=language, voice=voice)

    def render(self, text: str, *, language: str, voice: str | None = None, rate: float = 1.0) -> Speech:
        """Speak; see :class:`speech.seams.Synthesizer`."""
        return self._serving(language).render(text, language=language, voice=voice, rate=rate)
