"""Numbers as they are dictated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.understanding.numerals import chinese_numerals, english_numerals, spoken_code, spoken_digits

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("three thirty", "3 30"),
        ("twenty five", "25"),
        ("december fifth", "december 5th"),
        ("twenty first", "21th"),
        ("one twenty", "1 20"),
        ("a second", "a second"),
    ],
)
def test_english_numbers_are_written_as_figures(words: str, written: str) -> None:
    assert english_numerals(words) == written


@pytest.mark.parametrize(
    ("words", "written"), [("三点十五", "3点15"), ("二十", "20"), ("两个", "2个"), ("十二月三十一", "12月31")]
)
def test_chinese_numbers_are_written_as_figures(words: str, written: str) -> None:
    assert chinese_numerals(words) == written


@pytest.mark.parametrize(
    ("text", "language", "digits"),
    [
        ("nine four one oh three", "en", "94103"),
        ("It's four two double one, please", "en", "4211"),
        ("forty two eleven", "en", "4211"),
        ("94103.", "en", "94103"),
        ("9-4-1-0-3", "en", "94103"),
        ("triple seven", "en", "777"),
        ("I really do not know what you want from me today one", "en", ""),
        ("我的号码是幺三五", "zh", "135"),
        ("一二三，四", "zh", "1234"),
        ("", "en", ""),
    ],
)
def test_digits_are_taken_from_a_dictation(text: str, language: str, digits: str) -> None:
    assert spoken_digits(text, language) == digits


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("A B one two", "en", "AB12"),
        ("SW1A 1AA", "en", "SW1A1AA"),
        ("alpha bravo seven", "en", "AB7"),
        ("double you", "en", "UU"),
        ("b 二 七", "zh", "B27"),
    ],
)
def test_codes_are_taken_from_a_dictation(text: str, language: str, code: str) -> None:
    assert spoken_code(text, language) == code


@given(st.text(max_size=40), st.sampled_from(["en", "zh"]))
def test_a_code_is_plain_capitals_and_digits(text: str, language: str) -> None:
    code = spoken_code(text, language)
    assert code == code.upper()
    assert code.isascii()
    assert code.isalnum() or not code
