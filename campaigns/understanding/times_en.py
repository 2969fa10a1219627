"""Times as English speakers word them.

It only reads words; `campaigns.understanding.times` decides which instant they mean.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from campaigns.understanding.normal import normalise
from campaigns.understanding.numerals import english_numerals
from campaigns.understanding.wishes import Part, Wish, day_of_month, weekday_after

_DAY_WORDS = "monday tuesday wednesday thursday friday saturday sunday"
_DAYS = _DAY_WORDS.split()
_MONTH_WORDS = "january february march april may june july august september october november december"
_MONTHS = _MONTH_WORDS.split()
_UNIT = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_AMOUNT = {"a": 1.0, "an": 1.0, "half": 0.5, "couple": 2.0, "few": 3.0}

_DELAY = re.compile(
    r"\b(?:(?P<in>in|after|within|give me|for) )?(?:about |around |like |another )?"
    r"(?:(?P<amount>\d+|half|couple|few)|a (?P<loose>couple|few)|(?P<one>an?))(?: (?:of|an?))?(?P<half1> and a half)? "
    r"(?P<unit>minute|hour|day|week)s?(?P<half2> and a half)?(?P<after> from now| later|s time)?\b"
)
_SAME_TIME = re.compile(r"\b(same|this) time tomorrow\b")
_WEEKEND = re.compile(r"\bweekend\b")
_RELATIVE_DAY = re.compile(r"\b(day after tomorrow|tomorrow|tonight|today)\b")
_WEEKDAY = re.compile(rf"\b(?P<next>next )?(?P<day>{'|'.join(_DAYS)})s?\b")
_NEXT_WEEK = re.compile(r"\bnext week\b")
_MONTH_DAY = re.compile(
    rf"\b(?:(?P<month1>{'|'.join(_MONTHS)}) (?:the )?(?P<day1>\d{{1,2}})(?:st|nd|rd|th)?"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month2>{'|'.join(_MONTHS)})"
    rf"|the (?P<day3>\d{{1,2}})(?:st|nd|rd|th))\b"
)
_HOUR = r"(?P<hour>[01]?\d|2[0-3])"
_MERIDIEM = r"(?: ?(?P<meridiem>am|pm|a m|p m)\b)"
_PAST = re.compile(
    rf"\b(?P<minutes>half|quarter|a quarter|\d{{1,2}})(?: minutes?)? (?P<side>past|after|to|before|until) "
    rf"{_HOUR}\b{_MERIDIEM}?"
)
_CLOCK = re.compile(rf"\b{_HOUR} (?P<minute>[0-5]\d)\b{_MERIDIEM}?")
_OCLOCK = re.compile(rf"\b{_HOUR} oclock{_MERIDIEM}?")
_HOUR_ONLY = re.compile(rf"\b{_HOUR}{_MERIDIEM}")
_CUED = re.compile(
    rf"\b(?:at|around|about|by|after|before|until|from|past|maybe|say|for|like|towards) "
    rf"{_HOUR}\b(?! (?:minute|hour|day|week|time|of))"
)
_FOUR_FIGURES = re.compile(r"\b(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?: hours)?\b")
_THREE_FIGURES = re.compile(r"\b(?P<hour>[1-9])(?P<minute>[0-5]\d)\b" + _MERIDIEM + "?")
_BARE = re.compile(r"\b(?P<hour>[1-9]|1[0-2])\b(?!(?:st|nd|rd|th))")
_BEFORE = re.compile(r"\bbefore (?:\d|noon|lunch|midday)")
_LATER = re.compile(r"\b(later|some ?time|any ?time|again) (?:on )?today\b|\blater on\b")
_PARTS = (
    (re.compile(r"\b((first|1th) thing|early)\b"), Part.EARLY),
    (re.compile(r"\bmorning\b"), Part.MORNING),
    (re.compile(r"\bafter lunch\b|\bafternoon\b"), Part.AFTERNOON),
    (re.compile(r"\b(noon|midday|lunch|lunchtime|lunch time|lunch break)\b"), Part.NOON),
    (re.compile(r"\b(evening|after work|dinner|end of the day)\b"), Part.EVENING),
    (re.compile(r"\b(night|tonight)\b"), Part.NIGHT),
)
_THIS_PART = re.compile(r"\bthis (morning|afternoon|evening)\b")


def wish(text: str, now: datetime) -> Wish | None:
    """Read what ``text`` says of a time; ``None`` when it says nothing of one."""
    words = english_numerals(normalise(text, "en").text)
    delay = _delay(words)
    if delay is not None and (delay < timedelta(days=1) or _clock(_DELAY.sub(" ", words), bare=False) is None):
        return Wish(delay=delay)
    day = _day(words, now.date()) if delay is None else now.date() + delay
    part = next((part for pattern, part in _PARTS if pattern.search(words)), None)
    clock = _clock(words, bare=day is not None or part is not None)
    if clock is None and _LATER.search(words):
        return Wish(later=True)
    if clock is None and part is None and day is None:
        return None
    hour, minute, pm = clock or (None, 0, None)
    shift = timedelta(hours=-1) if _BEFORE.search(words) else timedelta()
    if shift and hour is None and part is Part.NOON:
        hour = 12
    return Wish(day=day, hour=hour, minute=minute, pm=pm, part=part, shift=shift)


def _delay(words: str) -> timedelta | None:
    if _SAME_TIME.search(words):
        return timedelta(days=1)
    for found in _DELAY.finditer(words):
        if not (found["in"] or found["after"]) or (found["in"] == "for" and not found["after"]):
            continue
        amount = found["amount"] or found["loose"] or found["one"]
        number = float(amount) if amount.isdigit() else _AMOUNT[amount]
        number += 0.5 if found["half1"] or found["half2"] else 0.0
        return number * _UNIT[found["unit"]]
    return None


def _day(words: str, today: date) -> date | None:
    if found := _RELATIVE_DAY.search(words):
        return today + timedelta(days={"day after tomorrow": 2, "tomorrow": 1}.get(found.group(), 0))
    if found := _MONTH_DAY.search(words):
        month = found["month1"] or found["month2"]
        day = int(found["day1"] or found["day2"] or found["day3"])
        return day_of_month(today, day, _MONTHS.index(month) + 1 if month else None)
    if found := _WEEKDAY.search(words):
        return weekday_after(today, _DAYS.index(found["day"]), 1 if found["next"] else 0)
    if _NEXT_WEEK.search(words):
        return weekday_after(today, 0, 1)
    if _WEEKEND.search(words):
        return weekday_after(today, 5)
    return today if _THIS_PART.search(words) else None


def _clock(words: str, *, bare: bool) -> tuple[int, int, bool | None] | None:
    words = _MONTH_DAY.sub(" ", words)
    if found := _PAST.search(words):
        minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(found["minutes"]) or int(found["minutes"])
        hour = int(found["hour"])
        if found["side"] in {"past", "after"}:
            return hour, minutes, _pm(found["meridiem"])
        return (hour - 1) or 12, 60 - minutes, _pm(found["meridiem"])
    for pattern in (_CLOCK, _OCLOCK, _HOUR_ONLY, _FOUR_FIGURES, _THREE_FIGURES, _CUED, *((_BARE,) if bare else ())):
        if found := pattern.search(words):
            groups = found.groupdict()
            return int(groups["hour"]), int(groups.get("minute") or 0), _pm(groups.get("meridiem"))
    return None


def _pm(meridiem: str | None) -> bool | None:
    return meridiem.startswith("p") if meridiem else None
