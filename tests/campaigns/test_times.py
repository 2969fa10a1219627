"""Times as customers word them, in English and Mandarin, relative to a Tuesday at 10:20 in New York."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.understanding.times import read_time
from tests.campaigns.flows import NOW

pytestmark = pytest.mark.unit

ENGLISH = [
    ("call me tomorrow at three", "11-25 15:00"),
    ("tomorrow at 3 p.m.", "11-25 15:00"),
    ("Tomorrow at 3:30.", "11-25 15:30"),
    ("tomorrow morning", "11-25 10:00"),
    ("tomorrow", "11-25 10:00"),
    ("tomorrow at nine in the evening", "11-25 21:00"),
    ("the day after tomorrow in the afternoon", "11-26 15:00"),
    ("same time tomorrow", "11-25 10:20"),
    ("in two hours", "11-24 12:20"),
    ("in half an hour", "11-24 10:50"),
    ("in an hour and a half", "11-24 11:50"),
    ("give me twenty minutes", "11-24 10:40"),
    ("ten minutes from now", "11-24 10:30"),
    ("in a couple of hours", "11-24 12:20"),
    ("in three days", "11-27 10:20"),
    ("in three days at four pm", "11-27 16:00"),
    ("after six", "11-24 18:00"),
    ("any time after four pm tomorrow", "11-25 16:00"),
    ("before noon", "11-24 11:00"),
    ("before five", "11-24 16:00"),
    ("I'm busy until three", "11-24 15:00"),
    ("at eight", "11-24 20:00"),
    ("at nine", "11-25 09:00"),
    ("at twelve", "11-24 12:00"),
    ("half past four", "11-24 16:30"),
    ("quarter to five", "11-24 16:45"),
    ("twenty five past two", "11-24 14:25"),
    ("three o'clock", "11-24 15:00"),
    ("15:00", "11-24 15:00"),
    ("seventeen thirty", "11-24 17:30"),
    ("8 am", "11-25 08:00"),
    ("monday morning", "11-30 10:00"),
    ("friday at ten", "11-27 10:00"),
    ("on Tuesday at three", "11-24 15:00"),
    ("next friday at two", "12-04 14:00"),
    ("next week", "11-30 10:00"),
    ("at the weekend", "11-28 10:00"),
    ("december fifth at noon", "12-05 12:00"),
    ("the 30th", "11-30 10:00"),
    ("tonight", "11-24 19:30"),
    ("this afternoon", "11-24 15:00"),
    ("this evening at seven", "11-24 19:00"),
    ("in the morning", "11-25 10:00"),
    ("after work", "11-24 18:00"),
    ("later today", "11-24 12:20"),
    ("first thing tomorrow", "11-25 09:00"),
    ("later", None),
    ("some other time", None),
    ("one more time", None),
    ("I have two kids", None),
    ("today at nine am", None),
    ("no", None),
    ("", None),
]
MANDARIN = [
    ("明天下午三点", "11-25 15:00"),
    ("明天下午三点再打给我", "11-25 15:00"),
    ("明早九点", "11-25 09:00"),
    ("后天", "11-26 10:00"),
    ("周五下午", "11-27 15:00"),
    ("星期天", "11-29 10:00"),
    ("下周一上午十点半", "11-30 10:30"),
    ("礼拜三晚上八点", "11-25 20:00"),
    ("今晚八点", "11-24 20:00"),
    ("晚上", "11-24 19:30"),
    ("中午", "11-24 12:00"),
    ("六点以后", "11-24 18:00"),
    ("两点半", "11-24 14:30"),
    ("3点一刻", "11-24 15:15"),
    ("15:30", "11-24 15:30"),
    ("两个小时后", "11-24 12:20"),
    ("半小时后再打", "11-24 10:50"),
    ("一个半小时以后", "11-24 11:50"),
    ("过十分钟", "11-24 10:30"),
    ("三天后", "11-27 10:20"),
    ("十二月五号下午两点", "12-05 14:00"),
    ("今天晚点", "11-24 12:20"),
    ("晚点", None),
    ("一会儿", None),
    ("我说一下", None),
    ("不要", None),
]


def spelled(at: datetime | None) -> str | None:
    return at.strftime("%m-%d %H:%M") if at else None


@pytest.mark.parametrize(("text", "expected"), ENGLISH)
def test_english(text: str, expected: str | None) -> None:
    assert spelled(read_time(text, "en", NOW)) == expected


@pytest.mark.parametrize(("text", "expected"), MANDARIN)
def test_mandarin(text: str, expected: str | None) -> None:
    assert spelled(read_time(text, "zh", NOW)) == expected


@pytest.mark.parametrize(
    ("text", "clock", "expected"),
    [
        ("in the afternoon", (16, 0), "11-25 15:00"),
        ("this afternoon", (16, 0), "11-24 17:00"),
        ("this afternoon", (17, 30), None),
        ("tonight", (20, 30), None),
        ("at three", (16, 0), "11-25 15:00"),
        ("at seven", (8, 0), "11-24 19:00"),
        ("later today", (19, 0), None),
        ("today", (9, 0), None),
    ],
)
def test_a_time_that_has_passed_is_never_given(text: str, clock: tuple[int, int], expected: str | None) -> None:
    now = NOW.replace(hour=clock[0], minute=clock[1])
    assert spelled(read_time(text, "en", now)) == expected


def test_a_wall_clock_time_that_does_not_exist_comes_after_the_gap() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    at = read_time("tomorrow at 2:30 am", "en", datetime(2026, 3, 28, 12, 0, tzinfo=berlin))
    assert at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert spelled(at) == "03-29 03:30"


def test_a_delay_is_real_time_also_over_a_change_of_clocks() -> None:
    now = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert spelled(read_time("in two hours", "en", now)) == "03-29 04:30"


def test_now_must_be_aware() -> None:
    with pytest.raises(ValueError, match="aware"):
        read_time("tomorrow", "en", NOW.replace(tzinfo=None))


def test_a_language_without_times_reads_none() -> None:
    assert read_time("morgen um drei", "de", NOW) is None


@given(st.text(max_size=60), st.sampled_from(["en", "zh"]))
def test_no_text_breaks_it(text: str, language: str) -> None:
    at = read_time(text, language, NOW)
    assert at is None or (at.tzinfo is not None and at > NOW - timedelta(minutes=1))


WORDS = (
    "tomorrow tonight today next in after before at half past quarter to three thirty 15 30 monday december 31 fifth a "
    "couple of hours days weeks minutes noon morning pm am 999999999999 week the and"
)


@given(st.lists(st.sampled_from(WORDS.split()), max_size=8).map(" ".join))
def test_no_words_of_time_break_it(text: str) -> None:
    at = read_time(text, "en", NOW)
    assert at is None or at > NOW - timedelta(minutes=1)
