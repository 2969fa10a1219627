"""Numbers as they are spoken, turned into digits.

It does not judge what a number is for.
"""

from __future__ import annotations

import re

from campaigns.understanding.normal import fold, is_unspaced, normalise
from campaigns.understanding.vocabulary import vocabulary

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ENGLISH_UNITS = {word: number for number, word in enumerate(_UNITS.split())}
ENGLISH_TENS = {word: 10 * number for number, word in enumerate(_TENS.split(), 2)}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
ENGLISH_ORDINALS = {word: number for number, word in enumerate(_ORDINALS.split(), 1)} | {"thirtieth": 30}
_CHINESE = {character: number for number, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_CHINESE_NUMBER = re.compile(r"[零〇一二两三四五六七八九幺]?十[一二三四五六七八九]?|[零〇一二两三四五六七八九幺]")
_NATO = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
)
_LETTERS = {word: word[0] for word in _NATO.split()} | {
    "bee": "b", "be": "b", "see": "c", "sea": "c", "dee": "d", "gee": "g", "jay": "j", "kay": "k", "el": "l",
    "em": "m", "en": "n", "pee": "p", "cue": "q", "queue": "q", "are": "r", "ess": "s", "tee": "t", "you": "u",
    "why": "y", "zed": "z", "zee": "z", "ex": "x", "ay": "a",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_MOST_OTHER_WORDS = 4


def english_numerals(words: str) -> str:
    """Write the number words of normalised English as digits: ``three thirty`` -> ``3 30``, ``fifth`` -> ``5th``."""
    written: list[str] = []
    tens = 0
    for word in words.split():
        unit = ENGLISH_UNITS.get(word, ENGLISH_ORDINALS.get(word))
        ordinal = "th" if word in ENGLISH_ORDINALS else ""
        if tens and unit is not None and 0 < unit < 10:
            written[-1] = f"{tens + unit}{ordinal}"
            tens = 0
            continue
        tens = ENGLISH_TENS.get(word, 0)
        if tens:
            written.append(str(tens))
        elif unit is not None and word != "second":
            written.append(f"{unit}{ordinal}")
        else:
            written.append(word)
    return " ".join(written)


def chinese_numerals(text: str) -> str:
    """Write the Chinese numbers below a hundred as digits: ``三点十五`` -> ``3点15``."""
    return _CHINESE_NUMBER.sub(lambda found: str(_chinese(found.group())), text)


def _chinese(text: str) -> int:
    if "十" not in text:
        return _CHINESE[text]
    tens, _, units = text.partition("十")
    return 10 * (_CHINESE[tens] if tens else 1) + (_CHINESE[units] if units else 0)


def spoken_digits(text: str, language: str) -> str:
    """Read the digits dictated in ``text``; an empty string when it is not a dictation."""
    return spoken_code(text, language, letters=False)


def spoken_code(text: str, language: str, *, letters: bool = True) -> str:
    """Read dictated digits and letters ("double one, bravo") as capitals and digits; empty when there are none."""
    if is_unspaced(language):
        kept = (c for c in chinese_numerals(fold(text)) if c.isascii() and c.isalnum())
        return "".join(c for c in kept if letters or c.isdigit()).upper()
    return _dictated(normalise(text, language).text, language, letters=letters)


def _dictated(words: str, language: str, *, letters: bool) -> str:
    plain = {**vocabulary(language).digits, "oh": "0", "o": "0", "nought": "0", "naught": "0"}
    code, other, times = "", 0, 1
    for word in english_numerals(words).split():
        if word in _REPEATS:
            times = _REPEATS[word]
            continue
        read = plain.get(word, word if word.isascii() and word.isdigit() else "")
        if not read and letters:
            read = _LETTERS.get(word, word if word.isascii() and (len(word) == 1 or _mixed(word)) else "")
        code += read * times
        other += not read
        times = 1
    return code.upper() if other <= _MOST_OTHER_WORDS else ""


def _mixed(word: str) -> bool:
    return any(character.isdigit() for character in word)
