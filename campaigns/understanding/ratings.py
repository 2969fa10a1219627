"""Ratings on a scale as people say them: "four", "a four out of five", "打四分".

It does not know what is rated, and takes no number that is not plainly the one meant.
"""

from __future__ import annotations

import re

from campaigns.understanding.normal import fold, is_unspaced, normalise
from campaigns.understanding.numerals import chinese_numerals, english_numerals

_PRONOUN = re.compile(r"\b(?:this|that|the|no|any|every|each|some|which|last|first) one\b|\bone of\b|\bones?elf\b")
_SCALE_ENGLISH = re.compile(
    r"\b(?:out )?of (?:a |the )?\d+\b|\b(?:from |between )\d+ (?:to|and) \d+\b|\bnot (?:a |an )?\d+\b"
)
_SCALE_CHINESE = re.compile(
    r"满分是?\d+分?|\d+分制|\d+分满分|从?\d+分?到\d+分?|不是\d+分?|10分(?=[^\d])(?!吧|啊|呀|了|的$)"
)
_MARKED = re.compile(r"(\d+)\s*(?:分|颗?星)")
_FILLERS = re.compile(
    r"我觉得|大概|应该|可以|还是|那就|就是|评价|选择|按键|我想|[我给打选按就吧啊呀嗯呃额哦是的了说那评]"
)
_SOUNDS_LIKE = {
    "won": "1",
    "to": "2",
    "too": "2",
    "free": "3",
    "tree": "3",
    "for": "4",
    "fore": "4",
    "fife": "5",
    "ate": "8",
}
"""What a recogniser writes for a number that is said by itself."""
_NUMBER = re.compile(r"\b\d+\b")


def read_rating(text: str, language: str, *, least: int, most: int) -> int | None:
    """The one whole number from ``least`` to ``most`` that ``text`` gives; ``None`` for none, or for several."""
    found = _chinese(text) if is_unspaced(language) else _english(text)
    within = {number for number in found if least <= number <= most}
    return within.pop() if len(within) == 1 and len(found) == 1 else None


def _english(text: str) -> set[int]:
    words = _PRONOUN.sub(" ", normalise(text, "en").text)
    if len(words.split()) == 1:
        words = _SOUNDS_LIKE.get(words.strip(), words)
    return {int(number) for number in _NUMBER.findall(_SCALE_ENGLISH.sub(" ", english_numerals(words)))}


def _chinese(text: str) -> set[int]:
    figures = chinese_numerals("".join(c if c.isalnum() else " " for c in fold(text)))
    figures = _SCALE_CHINESE.sub(" ", figures)
    marked = {int(number) for number in _MARKED.findall(figures)}
    bare = "".join(_FILLERS.sub("", figures).split())  # 一般 and 一下 hold a one that counts nothing
    return marked or ({int(bare)} if bare.isascii() and bare.isdigit() else set())
