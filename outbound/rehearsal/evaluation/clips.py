"""The sound that is evaluated: the built-in corpus spoken by the voices at hand, or clips in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from outbound.errors import Invalid
from outbound.rehearsal.evaluation.channel import CONDITIONS, through
from outbound.yaml_files import parse_yaml
from speech.audio import Samples, read_wav, samples
from speech.engines import load_synthesizer
from speech.models import ModelStore
from speech.seams import SAMPLE_RATE_HZ, ModelMissing, SpeechError

VOICES = {
    "en": (("piper", None), ("kokoro", None)),
    "zh": (("kokoro", "zf_xiaoxiao"), ("kokoro", "zm_yunxi")),
}
"""Engine and voice by language; what is not installed is left out. How a robot's voice is understood says little of how
people are: the plain one is not among them."""
RATES = (0.9, 1.0, 1.15)
"""How fast it is spoken, in turn."""
MEANINGS: Mapping[str, frozenset[str]] = {
    "no": frozenset({"no", "refuse_offer"}),
    "stop": frozenset({"opt_out"}),
    "opt_out": frozenset({"opt_out", "cancel"}),
    "callback": frozenset({"call_later", "busy_now"}),
    "call_later": frozenset({"call_later", "busy_now"}),
    "who": frozenset({"who_is_this"}),
    "already": frozenset({"already_done"}),
    "wrong": frozenset({"wrong_person"}),
    "hello": frozenset({"greeting"}),
}
"""Intents that are right where a clip is meant so; others by their own name."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One utterance on one line."""

    name: str
    language: str
    condition: str
    sound: Samples
    """8 kHz."""
    text: str
    group: str
    """``replies``, ``digits``, ``out_of_domain``, ``people``, ``machines``, ``networks`` or ``sentences``."""
    meant: str = ""
    """What it is to be taken for; empty where for nothing."""
    voice: str = ""

    @property
    def right(self) -> frozenset[str]:
        """Intents that take it as it was meant."""
        return MEANINGS.get(self.meant, frozenset({self.meant}))


def corpus() -> dict[str, Any]:
    """The built-in sentences."""
    source = "corpus.yaml"
    text = resources.files("outbound.rehearsal.evaluation").joinpath(source).read_text(encoding="utf-8")
    return parse_yaml(text, source=source)


def spoken(languages: Iterable[str], *, voices: Mapping[str, Iterable[tuple[str, str | None]]] = VOICES) -> list[Clip]:
    """The built-in corpus, spoken by every voice there is, on a clean and a noisy line."""
    wanted, store = corpus(), ModelStore()
    return [
        clip
        for language in languages
        for engine, voice in voices[language]
        for clip in _by_voice(wanted, store, language, engine, voice)
    ]


def _by_voice(
    wanted: Mapping[str, Any], store: ModelStore, language: str, engine: str, voice: str | None
) -> Iterator[Clip]:
    try:
        synthesizer = load_synthesizer(engine, store, (language,))
        named = synthesizer.identify(language=language, voice=voice)
    except (ModelMissing, SpeechError, ImportError):
        return
    for group, meant, text in _sentences(wanted, language):
        rate = RATES[len(text) % len(RATES)] if group != "sentences" else 1.0
        sound = samples(synthesizer.render(text, language=language, voice=voice, rate=rate).pcm)
        for place, condition in enumerate(CONDITIONS):
            yield Clip(
                name=f"{named}: {text}",
                language=language,
                condition=condition,
                sound=through(sound, condition, seed=place + len(text)),
                text=text,
                group=group,
                meant=meant,
                voice=named,
            )


def _sentences(wanted: Mapping[str, Any], language: str) -> Iterator[tuple[str, str, str]]:
    for group, by_language in wanted.items():
        found = by_language.get(language, [])
        named = found.items() if isinstance(found, dict) else [("", found)]
        for meant, texts in named:
            for text in texts:
                yield group, str(meant), text


def from_folder(folder: Path) -> list[Clip]:
    """Clips of a ``manifest.json``: a list of objects with ``clean`` and ``noisy`` (WAV files), ``text``, ``lang`` (or
    ``language``), ``group`` and ``intent``. Raises :class:`Invalid` naming what cannot be read."""
    path = folder / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [clip for entry in entries for clip in _of_entry(folder, entry)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path}: {error}; see docs/eval.md for what a manifest holds") from error


def _of_entry(folder: Path, entry: Mapping[str, Any]) -> Iterator[Clip]:
    meant = str(entry.get("intent") or "")
    spoken_in = str(entry.get("language") or entry["lang"])
    group = "digits" if meant in DIGITS else "replies" if meant else "out_of_domain"
    languages = ("en", "zh") if entry.get("group") == "multi" else (spoken_in,)
    for condition in CONDITIONS:
        sound, rate_hz = read_wav(folder / str(entry[condition]))
        if rate_hz != SAMPLE_RATE_HZ:
            raise ValueError(f"{entry[condition]} has {rate_hz} Hz; {SAMPLE_RATE_HZ} Hz is needed")
        for language in languages:
            yield Clip(
                name=str(entry.get("id") or entry[condition]),
                language=language,
                condition=condition,
                sound=sound[:, 0],
                text=str(entry.get("text") or ""),
                group=group,
                meant=meant,
                voice=str(entry.get("kind") or ""),
            )
