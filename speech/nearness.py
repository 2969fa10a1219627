"""How alike words sound, whatever their letters: finds the expected phrases that a doubtful reading may have been.

It hears nothing and decides nothing; who has the sound checks the candidates against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

_SPELLINGS = (
    (r"[^a-z ]+", ""),
    (r"\bkn|\bgn", "n"),
    (r"\bwr", "r"),
    (r"ph", "f"),
    (r"igh", "y"),
    (r"gh|(?<=[aeiou])h\b", ""),
    (r"tch|ch", "C"),
    (r"sh|(?<=[a-z])tion|(?<=[a-z])cial", "S"),
    (r"th", "T"),
    (r"ck|q|c(?![eiyC])", "k"),
    (r"c", "s"),
    (r"x", "ks"),
    (r"z", "s"),
    (r"w", "v"),
    (r"[aeiouy]+", "a"),
    (r"(.)\1+", r"\1"),
)
_RULES = tuple((re.compile(pattern), sound) for pattern, sound in _SPELLINGS)
_MERGED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"))
"""Sounds of Mandarin that speakers and telephones hardly tell apart."""


def nearest(text: str, phrases: Iterable[str], language: str, *, limit: int, least: float) -> list[tuple[str, float]]:
    """The ``limit`` phrases that sound most like ``text``, each with its likeness from ``least`` to 1, best first."""
    heard = sound_of(text, language)
    if not heard:
        return []
    matcher = SequenceMatcher(None, "", heard, autojunk=False)
    near: list[tuple[float, str]] = []
    for phrase in dict.fromkeys(phrases):
        sound = sound_of(phrase, language)
        matcher.set_seq1(sound)
        if sound and matcher.real_quick_ratio() >= least and (likeness := matcher.ratio()) >= least:
            near.append((likeness, phrase))
    near.sort(key=lambda found: -found[0])
    return [(phrase, likeness) for likeness, phrase in near[:limit]]


@lru_cache(maxsize=4096)
def sound_of(text: str, language: str) -> str:
    """A rough writing of how ``text`` sounds; for Mandarin its syllables without tones, where pypinyin is installed."""
    if language == "zh":
        return _syllables(text)
    plain = unicodedata.normalize("NFKD", text.lower())
    for pattern, sound in _RULES:
        plain = pattern.sub(sound, plain)
    return " ".join(plain.split())


def _syllables(text: str) -> str:
    bare = "".join(character for character in text if character.isalnum())
    try:
        import pypinyin
    except ImportError:
        return bare
    joined = " ".join(pypinyin.lazy_pinyin(bare, errors="ignore"))
    for sound, merged in _MERGED:
        joined = joined.replace(sound, merged)
    return joined
