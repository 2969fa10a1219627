"""What serves each language here, and how to get better: data for the command line to print.

It loads no engine and changes nothing on disk but the memory of verified hashes.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech.download import CATALOGUE
from speech.engines import choose_recognizer, choose_synthesizer
from speech.models import ModelStore, default_root
from speech.seams import ModelMissing

ALWAYS = ("en", "zh")
"""Languages looked at whatever lies on disk."""

_PACKAGES = {"vosk": "vosk", "whisper": "ctranslate2", "piper": "piper", "kokoro": "misaki", "pyttsx3": "pyttsx3"}
"""Engine -> import name of what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves one language one way."""

    engine: str
    model: str
    """Where its model or voice lies; empty when it needs none, or has none."""
    problem: str = ""
    """Why it does not work, with the remedy; empty when it does."""
    better: tuple[str, ...] = ()
    """What would improve it."""

    @property
    def works(self) -> bool:
        """Whether it can be used."""
        return not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What serves one language."""

    language: str
    recognizer: Serving
    voice: Serving


def diagnose(store: ModelStore, languages: Sequence[str]) -> tuple[Diagnosis, ...]:
    """Look at every language; nothing raises, what is missing is said."""
    return tuple(
        Diagnosis(language=language, recognizer=_recognizer(store, language), voice=_voice(store, language))
        for language in languages
    )


def report(root: Path | None = None) -> list[str]:
    """The diagnosis of the usual languages, and of those that ``root`` has a model for, in lines to print."""
    store = ModelStore(root=root or default_root())
    found = {folder.name for engine in ("vosk", "whisper", "piper") for folder in store.root.glob(f"{engine}/*/")}
    lines: list[str] = []
    for diagnosis in diagnose(store, sorted({*ALWAYS, *found})):
        lines += _lines(f"{diagnosis.language}: hears by", diagnosis.recognizer)
        lines += _lines(f"{diagnosis.language}: speaks by", diagnosis.voice)
    return lines


def _lines(title: str, serving: Serving) -> Iterator[str]:
    yield f"{title} {serving.engine}" + (f" ({serving.model})" if serving.model else "")
    if serving.problem:
        yield f"    does not work: {serving.problem}"
    for advice in serving.better:
        yield f"    better: {advice}"


def _recognizer(store: ModelStore, language: str) -> Serving:
    engine = choose_recognizer(store, language)
    better: list[str] = []
    if engine != "vosk":
        known = next((name for name, download in CATALOGUE.items() if download.language == language), None)
        by_hand = f"put a Vosk model into {store.root / 'vosk' / language}"
        better.append(f"words while they are spoken: {f'`outbound models get {known}`' if known else by_hand}")
    try:
        model = store.vosk(language) if engine == "vosk" else store.whisper(language)[0]
    except ModelMissing as error:
        return Serving(engine=engine, model="", problem=str(error), better=tuple(better))
    return Serving(engine=engine, model=str(model), problem=_not_installed(engine), better=tuple(better))


def _voice(store: ModelStore, language: str) -> Serving:
    engine = choose_synthesizer(store, language)
    if engine == "piper":
        return Serving(engine=engine, model=str(store.piper(language)), problem=_not_installed(engine))
    if engine == "kokoro":
        return Serving(engine=engine, model=str(store.kokoro()[1]), problem=_not_installed(engine))
    better = f"a natural voice: put a Piper voice (NAME.onnx, NAME.onnx.json) into {store.root / 'piper' / language}"
    more = ("a natural voice: `make mandarin`",) if language == "zh" else ()
    return Serving(engine=engine, model="", problem=_not_installed(engine), better=(*more, better))


def _not_installed(engine: str) -> str:
    package = _PACKAGES[engine]
    return (
        "" if importlib.util.find_spec(package) is not None else f"{package} is not installed: install outbound again"
    )
