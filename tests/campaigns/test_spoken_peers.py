"""Numbers, days and months as others say them: num2words, cn2an and Babel (CLDR), number by number."""

from __future__ import annotations

import re
from datetime import date, timedelta

import cn2an
import pytest
from babel.dates import format_date
from num2words import num2words

from campaigns.flow.spoken import en, zh

pytestmark = pytest.mark.unit

SMALL, LARGE = range(3000), range(3000, 2_000_000, 997)
ROUND = [10**6, 10**8, 123_456_789]
TODAY = date(2026, 11, 26)


def words(text: str) -> str:
    """Words alone: peers differ in hyphens, commas and a British "and"."""
    return " ".join(re.sub(r",|\band\b", " ", text.replace("-", " ")).split())


def test_english_numbers_are_those_of_num2words() -> None:
    wrong = [n for n in (*SMALL, *LARGE, *ROUND) if words(en.number(n)) != words(num2words(n))]
    assert wrong == []


def test_english_ordinals_are_those_of_num2words() -> None:
    wrong = [n for n in range(1, 100) if words(en.ordinal(n)) != words(num2words(n, to="ordinal"))]
    assert wrong == []


def test_chinese_numbers_are_those_of_cn2an() -> None:
    """Both say 十 for 一十 and we say 两 where people do."""
    wrong = [
        n
        for n in (*SMALL, *LARGE, 10**8, 123_456_789)
        if zh.number(n).replace("两", "二") not in {cn2an.an2cn(n), cn2an.an2cn(n).replace("一十", "十", 1)}
    ]
    assert wrong == []


def test_days_and_months_are_those_of_cldr() -> None:
    for ahead in range(366):
        day = TODAY + timedelta(days=ahead)
        assert en.weekday(day) == format_date(day, "EEEE", locale="en")
        assert zh.weekday(day) == format_date(day, "EEEE", locale="zh")
        assert en.on_date(day, TODAY).startswith(format_date(day, "MMMM", locale="en"))
        assert format_date(day, "MMMM", locale="zh") in zh.on_date(day, TODAY)
