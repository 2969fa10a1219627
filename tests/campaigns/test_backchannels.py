"""The little words of a listener, and words that are more."""

from __future__ import annotations

import pytest

from campaigns.understanding.backchannels import is_backchannel

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", ["Mm-hmm.", "Uh-huh", "Right.", "Okay, okay", "Yeah, I see.", "Oh, great, thank you."])
def test_english_murmurs(text: str) -> None:
    assert is_backchannel(text, "en")


@pytest.mark.parametrize("text", ["嗯", "嗯嗯，好的", "对对对", "哦，知道了", "好，谢谢"])
def test_mandarin_murmurs(text: str) -> None:
    assert is_backchannel(text, "zh")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("No.", "en"),
        ("Okay, stop calling me", "en"),
        ("Right now I am busy", "en"),
        ("What?", "en"),
        ("好的，转人工", "zh"),
        ("不对", "zh"),
        ("好像打错了", "zh"),
        ("ja", "de"),
    ],
)
def test_what_says_more_is_none(text: str, language: str) -> None:
    assert not is_backchannel(text, language)
