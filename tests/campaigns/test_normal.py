"""Normalisation: how words are compared, and that each still knows where it stood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.understanding.normal import fold, normalise
from campaigns.understanding.vocabulary import _Patterns

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "language", "normal"),
    [
        ("Don't STOP!", "en", " do not stop "),
        ("I can’t, won't", "en", " i can not will not "),
        ("café ＯＫ", "en", " cafe okay "),
        ("at 3 p.m. please", "en", " at 3 pm please "),
        ("gonna", "en", " going to "),
        ("who's", "en", " who is "),
        ("", "en", " "),
        ("不要 再打，了！", "zh", "不要再打了"),
        ("請說", "zh", "请说"),
        ("ＯＫ", "zh", "ok"),
    ],
)
def test_words_are_folded_and_spelled_out(text: str, language: str, normal: str) -> None:
    assert normalise(text, language).text == normal


def test_clauses_end_at_punctuation_but_not_in_abbreviations() -> None:
    normal = normalise("No, at 3 p.m. please. Bye", "en")
    assert [normal.text[start:end].strip() for start, end in normal.clauses] == ["no", "at 3 pm please", "bye"]
    normal = normalise("不是，你打错了。", "zh")
    assert [normal.text[start:end] for start, end in normal.clauses] == ["不是", "你打错了"]


@given(st.text(max_size=60), st.sampled_from(["en", "zh"]))
def test_every_character_knows_its_origin(text: str, language: str) -> None:
    normal = normalise(text, language)
    assert len(normal.origin) == len(normal.text)
    assert all(0 <= start <= end <= len(text) for start, end in normal.origin)
    assert all(0 <= start < end <= len(normal.text) for start, end in normal.clauses)


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_pattern_with_a_character_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="means nothing here"):
        _Patterns("en", {}).source("stop? calling")
