"""Sentences that are finished, and those after which more comes."""

from __future__ import annotations

import pytest

from campaigns.understanding.endings import goes_on

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like to", "en"),
        ("Yes, but", "en"),
        ("Um,", "en"),
        ("call me on the", "en"),
        ("可以，但是", "zh"),
        ("我想", "zh"),
        ("那个", "zh"),
    ],
)
def test_more_comes(text: str, language: str) -> None:
    assert goes_on(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Yes.", "en"),
        ("No thank you", "en"),
        ("I would like to speak to someone", "en"),
        ("", "en"),
        ("好的", "zh"),
        ("转人工", "zh"),
        ("", "zh"),
        ("and", "xx"),
    ],
)
def test_it_is_all(text: str, language: str) -> None:
    assert not goes_on(text, language)
