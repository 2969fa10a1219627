"""Ratings as people say them; what is not plainly one number is none."""

from __future__ import annotations

import pytest

from campaigns.understanding.ratings import read_rating

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        ("four", 4),
        ("For.", 4),
        ("Two!", 2),
        ("A four, I guess.", 4),
        ("four out of five", 4),
        ("I'd say 5", 5),
        ("on a scale from one to five, three", 3),
        ("not a five, more like a four", 4),
        ("maybe three?", 3),
        ("this one was easy", None),
        ("no one helped me", None),
        ("a four or a five", None),
        ("four point five", None),
        ("ten", None),
        ("a ten out of five", None),
        ("thank you for calling", None),
        ("I don't know", None),
        ("", None),
    ],
)
def test_english(said: str, rating: int | None) -> None:
    assert read_rating(said, "en", least=1, most=5) == rating


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        ("四分", 4),
        ("打四分", 4),
        ("五分吧。", 5),
        ("我给三", 3),
        ("两分", 2),
        ("四星", 4),
        ("满分5分，我给4分", 4),
        ("从一到五，三分", 3),
        ("一", 1),
        ("一般", None),
        ("等一下", None),
        ("十分满意", None),
        ("三到四分", None),
        ("九分", None),
    ],
)
def test_mandarin(said: str, rating: int | None) -> None:
    assert read_rating(said, "zh", least=1, most=5) == rating
