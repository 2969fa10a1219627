"""How well our own voices are understood through a telephone: what they say, recognised back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campaigns.understanding.normal import normalise
from outbound.rehearsal.evaluation.clips import Clip
from outbound.rehearsal.likeness import share_of_words
from outbound.rehearsal.transcribing import pieces
from speech.seams import Recognizer

_FIGURES = str.maketrans("0123456789幺", "零一二三四五六七八九一")


@dataclass(slots=True, kw_only=True)
class Heard:
    """What was understood of one voice on one line."""

    sentences: int = 0
    share: float = 0.0
    """Sum over the sentences; see :attr:`understood`."""

    @property
    def understood(self) -> float:
        """Share (0..1) of the words, of the characters in Chinese, that came back."""
        return self.share / max(self.sentences, 1)


def understood(clips: Iterable[Clip], recognizer: Recognizer) -> dict[tuple[str, str, str], Heard]:
    """What comes back of ``sentences`` by language, voice and condition."""
    found: dict[tuple[str, str, str], Heard] = {}
    for clip in clips:
        if clip.group != "sentences":
            continue
        words = []
        for piece in pieces(clip.sound):
            hearing = recognizer.open(language=clip.language)
            hearing.feed(piece.astype("<i2").tobytes())
            words.append(hearing.result().text)
        heard = found.setdefault((clip.language, clip.voice, clip.condition), Heard())
        heard.sentences += 1
        heard.share += share_of_words(_plain(clip.text, clip.language), _plain(" ".join(words), clip.language))
    return found


def _plain(text: str, language: str) -> str:
    """Chinese as characters apart, figures as they are read one by one."""
    if language != "zh":
        return text
    return " ".join(normalise(text.translate(_FIGURES), language).text)
