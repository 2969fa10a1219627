"""Which expected phrases a doubtful reading may have been, by how they sound."""

from __future__ import annotations

import pytest

from speech.nearness import nearest, sound_of

pytestmark = pytest.mark.unit

ENGLISH = ("stop calling me", "not interested", "how much does it cost", "you have the wrong number", "yes please")
MANDARIN = ("不要再打电话给我了", "转人工", "没兴趣", "多少钱", "你打错了")


@pytest.mark.parametrize(
    ("heard", "phrase"),
    [
        ("You have the long number.", "you have the wrong number"),
        ("How much dose it costs?", "how much does it cost"),
        ("Knot in tree Ted", "not interested"),
    ],
)
def test_english_words_that_sound_alike(heard: str, phrase: str) -> None:
    [(best, likeness)] = nearest(heard, ENGLISH, "en", limit=1, least=0.5)
    assert best == phrase
    assert likeness < 1


@pytest.mark.parametrize(("heard", "phrase"), [("多少千", "多少钱"), ("沒進去", "没兴趣"), ("你打撮了。", "你打错了")])
def test_mandarin_syllables_are_compared_and_not_characters(heard: str, phrase: str) -> None:
    assert nearest(heard, MANDARIN, "zh", limit=1, least=0.8)[0][0] == phrase


@pytest.mark.parametrize(
    ("heard", "language"), [("the weather is lovely today", "en"), ("今天天气不错", "zh"), ("?!", "en"), ("", "zh")]
)
def test_what_sounds_like_no_phrase_is_near_none(heard: str, language: str) -> None:
    assert nearest(heard, ENGLISH if language == "en" else MANDARIN, language, limit=3, least=0.55) == []


def test_the_best_come_first_and_no_more_than_wanted() -> None:
    found = nearest("yes please", ("yes", "yes please", "yes please do"), "en", limit=2, least=0.1)
    assert [phrase for phrase, _ in found] == ["yes please", "yes please do"]
    assert found[0][1] == 1.0


def test_letters_that_are_not_heard_make_no_sound() -> None:
    assert sound_of("knight", "en") == sound_of("night", "en")
    assert sound_of("Phone!", "en") == sound_of("fone", "en")
