"""Whisper through CTranslate2: understands one finished utterance at a time, on one core, in a short context.

It decides nothing about when an utterance begins or ends, and answers "" rather than guess at silence or noise.
"""

from __future__ import annotations

import json
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech import audio
from speech.models import ModelStore
from speech.recognizers.mel import FRAMES_A_SECOND, RATE_HZ, log_mel
from speech.seams import SAMPLE_RATE_HZ, ModelMissing, Transcript

NAME = "whisper"

CONTEXT_S = 8
"""Shortest context; the usual 30 s would cost five times the CPU for the same words."""
LONGEST_S = 28
"""Longer utterances are understood piece by piece."""
TOKENS_A_SECOND = 8
"""Nobody speaks faster: a decoder that goes on is running in circles."""
SHORTEST_S = 0.1
QUIETEST_DBFS = -55.0
"""Below this loudness there is nothing to understand, and Whisper would invent words."""

_BRACKETED = re.compile(r"[\[(*♪<][^\])*♪>]*[\])*♪>]")
_WORD = re.compile(r"\w")
_ALWAYS_INVENTED = re.compile(
    r"(thanks|thank you( so much| very much)?) for (watching|listening|viewing).*|.*\bsubscribe\b.*"
    r"|subtitles? by.*|transcri(bed|ption) by.*|.*amara\.org.*|.*字幕.*|.*订阅.*|.*請不吝.*|謝謝觀看|谢谢观看",
    re.IGNORECASE,
)
_OFTEN_INVENTED = frozenset({"you", "thank you", "bye", "bye bye", "so", "oh", "hmm", "the", "i", "uh", "okay", "yeah"})


class Whisper:
    """A Whisper model in memory."""

    name = NAME
    streams = False

    def __init__(self, store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> None:
        """Load the one model that serves ``languages``. Raises :class:`ModelMissing`."""
        import ctranslate2

        folders = {language: store.whisper(language) for language in languages}
        folder, multilingual = next((found for found in folders.values() if found[1]), folders[languages[0]])
        if not multilingual and set(languages) != {"en"}:
            raise ModelMissing(f"the Whisper model in {folder} understands English only, not {', '.join(languages)}")
        self._storage = ctranslate2.StorageView
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
        )
        self._tokens = Tokens(folder / "tokenizer.json")
        self.languages = languages
        self._multilingual = multilingual

    def open(self, *, language: str, phrases: tuple[str, ...] = (), expects_digits: bool = False) -> WhisperHearing:
        """Begin an utterance; ``phrases`` are not used: a prompt may be echoed back where nothing was said."""
        if language not in self.languages:
            raise ModelMissing(f"this Whisper worker serves {', '.join(self.languages)}, not {language!r}")
        return WhisperHearing(self, language, expects_digits)

    def understand(self, sound: NDArray[np.float32], language: str, *, expects_digits: bool) -> tuple[str, float]:
        """Understand at most 28 s of 16 kHz sound; returns (text, confidence 0..1)."""
        seconds = len(sound) / RATE_HZ
        context_s = min(30, max(CONTEXT_S, 4 * math.ceil((seconds + 0.5) / 4)))
        picture = log_mel(sound, context_s * FRAMES_A_SECOND)
        prompt = self._tokens.prompt(language if self._multilingual else None)
        encoded = self._model.encode(self._storage.from_array(picture[None]))
        [result] = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            no_repeat_ngram_size=0 if expects_digits else 3,
            max_length=len(prompt) + math.ceil(TOKENS_A_SECOND * seconds) + 8,
            return_scores=True,
            return_no_speech_prob=True,
        )
        text = unloop(self._tokens.text(result.sequences_ids[0]), seconds)
        return judge(text, certainty=math.exp(result.scores[0]), nothing=result.no_speech_prob)


def unloop(text: str, seconds: float) -> str:
    """Say once what the decoder repeated for want of an end: more words than anybody speaks in ``seconds``."""
    words = text.split()
    for size in range(1, len(words) // 3 + 1):
        unit = words[:size]
        if len(words) > 4 * seconds and all(word == unit[place % size] for place, word in enumerate(words)):
            return " ".join(unit)
    return text


def judge(text: str, *, certainty: float, nothing: float) -> tuple[str, float]:
    """Drop what Whisper makes up; returns (text, confidence), ("", 0.0) for nothing.

    ``certainty``: mean token probability; ``nothing``: the model's own probability that nobody spoke.
    """
    text = " ".join(_BRACKETED.sub(" ", text).split())
    bare = text.strip(" .,!?-…").lower()
    if not _WORD.search(text) or _ALWAYS_INVENTED.fullmatch(bare):
        return "", 0.0
    confidence = certainty * (1.0 - 0.5 * nothing)
    if bare in _OFTEN_INVENTED and (nothing > 0.5 or certainty < 0.3):
        return "", 0.0
    if nothing > 0.8 and certainty < 0.5:
        return "", 0.0
    return text, round(min(1.0, max(0.0, confidence)), 3)


class WhisperHearing:
    """One utterance being collected."""

    def __init__(self, engine: Whisper, language: str, expects_digits: bool) -> None:
        self._engine = engine
        self._language = language
        self._expects_digits = expects_digits
        self._pcm = bytearray()
        self._understood: tuple[int, Transcript] | None = None

    def feed(self, pcm: bytes) -> str | None:
        """Collect audio; Whisper has no partial texts."""
        self._pcm += pcm
        return None

    def result(self) -> Transcript:
        """Understand what was fed so far."""
        if self._understood is not None and self._understood[0] == len(self._pcm):
            return self._understood[1]
        began = time.process_time()
        narrow = audio.samples(bytes(self._pcm))
        heard = self._pieces(narrow) if self._worth_a_look(narrow) else []
        texts = [text for text, _ in heard if text]
        transcript = Transcript(
            text=" ".join(texts),
            confidence=min((confidence for text, confidence in heard if text), default=0.0),
            engine=NAME,
            cpu_s=time.process_time() - began,
        )
        self._understood = len(self._pcm), transcript
        return transcript

    def _worth_a_look(self, narrow: audio.Samples) -> bool:
        return len(narrow) >= SHORTEST_S * SAMPLE_RATE_HZ and audio.rms_dbfs(narrow) > QUIETEST_DBFS

    def _pieces(self, narrow: audio.Samples) -> list[tuple[str, float]]:
        wide = audio.resample(narrow.astype(np.float32) / audio.FULL_SCALE, SAMPLE_RATE_HZ, RATE_HZ)
        return [
            self._engine.understand(piece, self._language, expects_digits=self._expects_digits) for piece in _cut(wide)
        ]


def _cut(wide: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cut at the quietest fifth of a second before 28 s, so that no word is torn apart."""
    pieces, frame = [], RATE_HZ // 5
    while len(wide) > LONGEST_S * RATE_HZ:
        earliest = (LONGEST_S - 6) * RATE_HZ
        frames = wide[earliest : LONGEST_S * RATE_HZ].reshape(-1, frame)
        end = earliest + int(np.square(frames).sum(axis=1).argmin()) * frame + frame // 2
        pieces.append(wide[:end])
        wide = wide[end:]
    return [*pieces, wide]


class Tokens:
    """Whisper's vocabulary: prompts in, text out (byte-level BPE; only decoding is needed)."""

    def __init__(self, path: Path) -> None:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self._special: dict[str, int] = {token["content"]: token["id"] for token in document["added_tokens"]}
        self._first_special = min(self._special.values())
        vocabulary: dict[str, int] = document["model"]["vocab"]
        self._pieces = {number: piece for piece, number in vocabulary.items()}
        self._bytes = {letter: value for value, letter in enumerate(_byte_letters())}

    def prompt(self, language: str | None) -> list[int]:
        """Tokens that ask for a transcription; ``language`` is named to multilingual models only."""
        words = ["<|startoftranscript|>"]
        if language is not None:
            if f"<|{language}|>" not in self._special:
                raise ModelMissing(f"Whisper does not know the language {language!r}")
            words += [f"<|{language}|>", "<|transcribe|>"]
        return [self._special[word] for word in (*words, "<|notimestamps|>")]

    def text(self, numbers: list[int]) -> str:
        """Join the text of tokens, leaving special ones out."""
        letters = "".join(self._pieces.get(number, "") for number in numbers if number < self._first_special)
        return bytes(self._bytes[letter] for letter in letters if letter in self._bytes).decode(errors="ignore").strip()


def _byte_letters() -> list[str]:
    """The printable stand-in of each byte in byte-level BPE vocabularies: itself, or the next letter from 256 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    letters, following = [], 256
    for value in range(256):
        if value in plain:
            letters.append(chr(value))
        else:
            letters.append(chr(following))
            following += 1
    return letters


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Whisper:
    """Load the engine; every recogniser file offers this."""
    return Whisper(store, languages, threads=threads)
