"""When the customer wishes to be called: "tomorrow at three", relative to an instant that is given.

It has no clock of its own and does not know which hours are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from campaigns.understanding import times_en, times_zh
from campaigns.understanding.wishes import Part, Wish

_READERS: Mapping[str, Callable[[str, datetime], Wish | None]] = {"en": times_en.wish, "zh": times_zh.wish}

FIRST_HOUR, LAST_HOUR = 8, 20
"""Hours within which a bare "at eight" is guessed to be meant."""


_USUAL = {
    Part.EARLY: time(9),
    Part.MORNING: time(10),
    Part.NOON: time(12),
    Part.AFTERNOON: time(15),
    Part.EVENING: time(18),
    Part.NIGHT: time(19, 30),
}
_ENDS = {Part.EARLY: 10, Part.MORNING: 12, Part.NOON: 14, Part.AFTERNOON: 18, Part.EVENING: 21, Part.NIGHT: 21}
_PM = {Part.AFTERNOON, Part.EVENING, Part.NIGHT}


def read_time(text: str, language: str, now: datetime) -> datetime | None:
    """Read the instant that ``text`` wishes for, in the zone of ``now`` (aware); ``None`` when it names none.

    An hour without a.m. or p.m. is taken within business hours, and never lies in the past. A wall-clock time that a
    change of clocks skips moves to the instant after the gap.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    reader = _READERS.get(language)
    try:
        wish = reader(text, now) if reader else None
        return _resolve(wish, now) if wish else None
    except OverflowError:  # "in a billion years"
        return None


def _resolve(wish: Wish, now: datetime) -> datetime | None:
    if wish.delay is not None:
        return (now.astimezone(UTC) + wish.delay).astimezone(now.tzinfo).replace(second=0, microsecond=0)
    if wish.later:
        return _later_today(now)
    return _at(wish, now)


def _at(wish: Wish, now: datetime) -> datetime | None:
    today = now.date()
    if wish.hour is None:
        if wish.part is None:
            return None if wish.day in {None, today} else _moment(wish.day or today, time(10), now)
        return _part_of(wish, now)
    for day in (wish.day,) if wish.day else (today, today + timedelta(days=1)):
        for hour in _hours(wish, guess_evening=day == today):
            at = _moment(day, time(hour, wish.minute), now)
            if at.astimezone(UTC) + wish.shift > now.astimezone(UTC):
                return (at.astimezone(UTC) + wish.shift).astimezone(now.tzinfo)
    return None


def _hours(wish: Wish, *, guess_evening: bool) -> tuple[int, ...]:
    hour = wish.hour or 0
    if hour > 12 or hour == 0:
        return (hour,)
    if wish.pm is not None or wish.part is not None:
        pm = wish.pm if wish.pm is not None else wish.part in _PM or (wish.part is Part.NOON and hour < 4)
        return (hour % 12 + 12,) if pm or (hour == 12 and wish.pm is None) else (hour % 12,)
    guess = hour if FIRST_HOUR <= hour <= 12 else hour + 12
    if guess_evening and guess < 12 and guess + 12 <= LAST_HOUR:
        return (guess, guess + 12)
    return (guess,)


def _part_of(wish: Wish, now: datetime) -> datetime | None:
    """ "In the morning" without an hour: its usual time, or what is left of it today."""
    assert wish.part is not None
    at = _moment(wish.day or now.date(), _USUAL[wish.part], now)
    if at > now:
        return at
    if wish.day is None:
        return _moment(now.date() + timedelta(days=1), _USUAL[wish.part], now)
    soon = _later_today(now, hours=1)
    return soon if soon is not None and soon.hour < _ENDS[wish.part] else None


def _later_today(now: datetime, hours: int = 2) -> datetime | None:
    at = (now.astimezone(UTC) + timedelta(hours=hours)).astimezone(now.tzinfo).replace(second=0, microsecond=0)
    return at if at.date() == now.date() and at.hour < LAST_HOUR else None


def _moment(day: date, clock: time, now: datetime) -> datetime:
    wall = datetime.combine(day, clock, tzinfo=now.tzinfo)
    return wall.astimezone(UTC).astimezone(now.tzinfo)
