"""Times as Mandarin speakers word them.

It only reads words; `campaigns.understanding.times` decides which instant they mean.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from campaigns.understanding.normal import fold, normalise
from campaigns.understanding.numerals import chinese_numerals
from campaigns.understanding.wishes import Part, Wish, day_of_month, weekday_after

_UNIT = {
    "小时": timedelta(hours=1),
    "钟头": timedelta(hours=1),
    "分钟": timedelta(minutes=1),
    "天": timedelta(days=1),
    "周": timedelta(weeks=1),
    "星期": timedelta(weeks=1),
    "礼拜": timedelta(weeks=1),
}
_UNITS = "|".join(_UNIT)
_DELAY = re.compile(
    rf"(?P<over>过)?(?:(?P<lead>半)个?|(?P<number>\d+)个?(?P<and>半)?)(?P<unit>{_UNITS})(?P<plus>半)?(?P<after>以后|之后|后|过后)?(?!\d)"
)
_COLON = re.compile(r"(\d{1,2})[:：.](\d{2})")
_WEEKDAY = re.compile(r"(?P<next>下+)?(?:这|本)?个?(?:周|星期|礼拜)(?P<day>[1-6日天末])")
_NEXT_WEEK = re.compile(r"下个?(?:周|星期|礼拜)")
_MONTH_DAY = re.compile(r"(?:(?P<month>\d{1,2})月)?(?P<day>\d{1,2})[号日]")
_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:点|时)钟?(?:(?P<half>半)|(?P<quarters>[13])刻|(?P<minute>\d{1,2})分?)?")
_RELATIVE = (("大后天", 3), ("后天", 2), ("明天", 1), ("明儿", 1), ("明日", 1), ("明早", 1), ("明晚", 1), ("今", 0))
_PARTS = (
    (re.compile("凌晨"), Part.EARLY),
    (re.compile("早上|早晨|明早|上午|今早|早点"), Part.MORNING),
    (re.compile("下午|午后"), Part.AFTERNOON),
    (re.compile("中午|午饭"), Part.NOON),
    (re.compile("傍晚|下班"), Part.EVENING),
    (re.compile("晚上|今晚|明晚|夜里|晚饭"), Part.NIGHT),
)
_BEFORE = re.compile(r"(?:点|半|刻|分|中午)(?:以前|之前|前)")


def wish(text: str, now: datetime) -> Wish | None:
    """Read what ``text`` says of a time; ``None`` when it says nothing of one."""
    words = _COLON.sub(r"\1点\2分", chinese_numerals(fold(text)))
    words = normalise(words, "zh").text
    if (delay := _delay(words)) is not None:
        return Wish(delay=delay)
    day = _day(words, now.date())
    part = next((part for pattern, part in _PARTS if pattern.search(words)), None)
    clock = _clock(words)
    if clock is None and part is None and "今天" in words and re.search("晚[点些一]|等|待会", words):
        return Wish(later=True)
    if clock is None and part is None and day is None:
        return None
    hour, minute = clock or (None, 0)
    shift = timedelta(hours=-1) if _BEFORE.search(words) else timedelta()
    return Wish(day=day, hour=hour, minute=minute, part=part, shift=shift)


def _delay(words: str) -> timedelta | None:
    for found in _DELAY.finditer(words):
        short = found["unit"] in {"小时", "钟头", "分钟"}
        if not (found["after"] or found["over"] or (short and re.match("(再|打|来|联系)", words[found.end() :]))):
            continue
        number = 0.5 if found["lead"] else float(found["number"]) + (0.5 if found["and"] or found["plus"] else 0.0)
        if not short and _clock(words):
            continue
        return number * _UNIT[found["unit"]]
    return None


def _day(words: str, today: date) -> date | None:
    if found := _MONTH_DAY.search(words):
        return day_of_month(today, int(found["day"]), int(found["month"]) if found["month"] else None)
    if found := _WEEKDAY.search(words):
        named = {"日": 6, "天": 6, "末": 5}
        weekday = named[found["day"]] if found["day"] in named else int(found["day"]) - 1
        return weekday_after(today, weekday, len(found["next"] or ""))
    for word, days in _RELATIVE:
        if word in words:
            return today + timedelta(days=days)
    return weekday_after(today, 0, 1) if _NEXT_WEEK.search(words) else None


def _clock(words: str) -> tuple[int, int] | None:
    found = _CLOCK.search(words)
    if found is None or int(found["hour"]) > 23:
        return None
    minute = 30 if found["half"] else 15 * int(found["quarters"] or 0) or int(found["minute"] or 0)
    return (int(found["hour"]), minute) if minute < 60 else None
