"""Whisper's vocabulary: byte-level byte-pair encoding, tokens to text and text to tokens.

It knows nothing of sound or models.
"""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

from speech.seams import ModelMissing

_WORDS = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+")
_NEVER = 1 << 30


class Tokens:
    """The vocabulary of one model."""

    def __init__(self, path: Path) -> None:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self._special: dict[str, int] = {token["content"]: token["id"] for token in document["added_tokens"]}
        self.first_special = min(self._special.values())
        vocabulary: dict[str, int] = document["model"]["vocab"]
        self._numbers = vocabulary
        merges: list[Any] = document["model"]["merges"]
        pairs = (tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in merges)
        self._rank = {pair: rank for rank, pair in enumerate(pairs)}
        self._letters = _byte_letters()
        self._pieces = {number: piece for piece, number in vocabulary.items()}
        self._bytes = {letter: value for value, letter in enumerate(self._letters)}

    def prompt(self, language: str | None) -> list[int]:
        """Tokens that ask for a transcription; ``language`` is named to multilingual models only."""
        words = ["<|startoftranscript|>"]
        if language is not None:
            if f"<|{language}|>" not in self._special:
                raise ModelMissing(f"Whisper does not know the language {language!r}")
            words += [f"<|{language}|>", "<|transcribe|>"]
        return [self._special[word] for word in (*words, "<|notimestamps|>")]

    def after(self, text: str) -> list[int]:
        """Tokens that put ``text`` before a prompt, as what was said just before."""
        return [self._special["<|startofprev|>"], *self.numbers(text)]

    def text(self, numbers: list[int]) -> str:
        """Join the text of tokens, leaving special ones out."""
        letters = "".join(self._pieces.get(number, "") for number in numbers if number < self.first_special)
        return bytes(self._bytes[letter] for letter in letters if letter in self._bytes).decode(errors="ignore").strip()

    def numbers(self, text: str) -> list[int]:
        """The tokens of ``text``, as the model was taught them."""
        return [self._numbers[piece] for word in _WORDS.findall(text) for piece in self._merged(word)]

    def _merged(self, word: str) -> list[str]:
        pieces = [self._letters[value] for value in word.encode()]
        while len(pieces) > 1:
            ranks = [self._rank.get(pair, _NEVER) for pair in itertools.pairwise(pieces)]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == _NEVER:
                break
            pieces[best : best + 2] = [pieces[best] + pieces[best + 1]]
        return pieces


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
