"""Whisper through CTranslate2: understands one finished utterance at a time, on one core, in a short context.

It decides nothing about when an utterance begins or ends, and answers "" rather than guess at silence or noise.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech import audio
from speech.models import ModelStore
from speech.nearness import nearest
from speech.recognizers.mel import FRAMES_A_SECOND, RATE_HZ, log_mel
from speech.recognizers.tokens import Tokens
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

SURE = 0.9
"""A reading this certain is not doubted."""
SHORT_S = 6.0
"""The expected phrases are short; a long utterance is none of them."""
MOST_CANDIDATES = 3
"""Expected phrases that are tried as they are, and readings of a decoder that has seen the nearest of them."""
MOST_SEEN = 8
"""Expected phrases, the nearest, that the decoder sees before it reads a doubtful sound again."""
LEAST_LIKENESS = 0.55
"""Whatever sounds less like the first reading (0..1) is none of what may have been said."""

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
        """Begin an utterance; ``phrases`` are checked against the sound where the reading is doubtful (ADR 14).

        They are never put into the prompt: it may be echoed back where nothing was said.
        """
        if language not in self.languages:
            raise ModelMissing(f"this Whisper worker serves {', '.join(self.languages)}, not {language!r}")
        return WhisperHearing(self, language, phrases, expects_digits)

    def understand(
        self, sound: NDArray[np.float32], language: str, phrases: tuple[str, ...] = (), *, expects_digits: bool
    ) -> tuple[str, float, tuple[str, ...]]:
        """Understand at most 28 s of 16 kHz sound; returns (text, confidence 0..1, other readings)."""
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
        raw = unloop(self._tokens.text(result.sequences_ids[0]), seconds)
        text, confidence = judge(raw, certainty=math.exp(result.scores[0]), nothing=result.no_speech_prob)
        if not text or confidence >= SURE or seconds > SHORT_S:
            return text, confidence, ()
        return text, confidence, self._other_readings(encoded, prompt, text, phrases, language, seconds)

    def _other_readings(
        self, encoded: Any, prompt: list[int], text: str, phrases: tuple[str, ...], language: str, seconds: float
    ) -> tuple[str, ...]:
        """Expected phrases, and readings biased to them, that sound like the first and that the sound bears out.

        The best first. Biased readings may be echoes of the phrases, so they have to pass by the sound alone.
        """
        seen = [phrase for phrase, _ in nearest(text, phrases, language, limit=MOST_SEEN, least=0.0)]
        if not seen or any(_holds(text, phrase) for phrase in seen):
            return ()
        tried = (*seen[:MOST_CANDIDATES], *self._read_again(encoded, prompt, seen, seconds))
        near = nearest(text, tried, language, limit=2 * MOST_CANDIDATES, least=LEAST_LIKENESS)
        near = [(words, likeness) for words, likeness in near if _bare(words) != _bare(text)]
        if not near:
            return ()
        readings = [self._tokens.numbers(_as_written(words)) for words in (text, *(words for words, _ in near))]
        repeated = self._storage.from_array(np.repeat(np.asarray(encoded), len(readings), axis=0))
        frames = [math.ceil(seconds * FRAMES_A_SECOND / 2)] * len(readings)
        aligned = self._model.align(repeated, prompt[:-1], readings, frames)
        own, *others = (sum(math.log(max(p, 1e-10)) for p in one.text_token_probs) for one in aligned)
        borne_out = [
            (own - other, phrase)
            for (phrase, likeness), other in zip(near, others, strict=True)
            if own - other <= allowance(likeness)
        ]
        return tuple(phrase for _, phrase in sorted(borne_out))

    def _read_again(self, encoded: Any, prompt: list[int], seen: Sequence[str], seconds: float) -> list[str]:
        """What a decoder that has just seen ``seen`` makes of the sound, the likeliest first."""
        words = "".join(f"{_as_written(phrase)}{'.' if phrase.isascii() else '。'}" for phrase in seen)
        prompt = [*self._tokens.after(words), *prompt]
        [result] = self._model.generate(
            encoded,
            [prompt],
            beam_size=MOST_CANDIDATES,
            num_hypotheses=MOST_CANDIDATES,
            no_repeat_ngram_size=3,
            max_length=len(prompt) + math.ceil(TOKENS_A_SECOND * seconds) + 8,
        )
        texts = (unloop(self._tokens.text(numbers), seconds) for numbers in result.sequences_ids)
        return [text for text in texts if _bare(text)]


def allowance(likeness: float) -> float:
    """How much less probable (nats) than the reading a phrase may be: more, the more alike they sound (0..1)."""
    return 3.0 + 60.0 * max(0.0, likeness - LEAST_LIKENESS) ** 2


def _holds(text: str, phrase: str) -> bool:
    """Whether a reading says an expected phrase to the letter: all of it, or one too long to be there by chance."""
    whole, part = _bare(text), _bare(phrase)
    return whole == part or (len(part) >= (8 if part.isascii() else 4) and part in whole)


def _bare(words: str) -> str:
    return "".join(character for character in words.casefold() if character.isalnum())


def _as_written(words: str) -> str:
    """As Whisper writes it: a space and a capital before Latin letters, no full stop."""
    bare = words.strip(" .,!?。，！？")
    return f" {bare[0].upper()}{bare[1:]}" if bare[:1].isascii() else bare


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

    def __init__(self, engine: Whisper, language: str, phrases: tuple[str, ...], expects_digits: bool) -> None:
        self._engine = engine
        self._language = language
        self._phrases = phrases
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
        texts = [text for text, _, _ in heard if text]
        transcript = Transcript(
            text=" ".join(texts),
            alternatives=heard[0][2] if len(heard) == 1 else (),
            confidence=min((confidence for text, confidence, _ in heard if text), default=0.0),
            engine=NAME,
            cpu_s=time.process_time() - began,
        )
        self._understood = len(self._pcm), transcript
        return transcript

    def _worth_a_look(self, narrow: audio.Samples) -> bool:
        return len(narrow) >= SHORTEST_S * SAMPLE_RATE_HZ and audio.rms_dbfs(narrow) > QUIETEST_DBFS

    def _pieces(self, narrow: audio.Samples) -> list[tuple[str, float, tuple[str, ...]]]:
        wide = audio.resample(narrow.astype(np.float32) / audio.FULL_SCALE, SAMPLE_RATE_HZ, RATE_HZ)
        return [
            self._engine.understand(piece, self._language, self._phrases, expects_digits=self._expects_digits)
            for piece in _cut(wide)
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


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Whisper:
    """Load the engine; every recogniser file offers this."""
    return Whisper(store, languages, threads=threads)
