"""How much of a sentence was heard when it was cut."""

from __future__ import annotations

import pytest

from dialer.speaking import Sentence

pytestmark = pytest.mark.unit

SECOND = bytes(16000)


@pytest.mark.parametrize(
    ("text", "played_ms", "heard"),
    [
        ("one two three four", 1000, "one two three four"),
        ("one two three four", 500, "one two"),
        ("one two three four", 390, "one two"),
        ("one two three four", 100, ""),
        ("one two three four", 0, ""),
        ("四五六七", 500, "四五"),
    ],
)
def test_whole_words_were_heard(text: str, played_ms: int, heard: str) -> None:
    assert Sentence(text=text, pcm=SECOND).heard(played_ms) == heard
