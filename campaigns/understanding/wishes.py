"""A time as it was worded, before it is decided which instant is meant.

It reads no words and has no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Part(StrEnum):
    """Parts of a day."""

    EARLY = "early"
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A time as it was worded."""

    delay: timedelta | None = None
    """"in two hours"."""
    day: date | None = None
    hour: int | None = None
    minute: int = 0
    pm: bool | None = None
    """``None`` when neither a.m. nor p.m. was said."""
    part: Part | None = None
    shift: timedelta = timedelta()
    """"before six" is earlier than six."""
    later: bool = False
    """"later today": some time from now."""


def weekday_after(today: date, weekday: int, weeks: int = 0) -> date:
    """The coming ``weekday`` (0 = Monday), today included; with ``weeks`` = 1 the one of the next calendar week."""
    if weeks:
        return today + timedelta(days=weekday - today.weekday() + 7 * weeks)
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def day_of_month(today: date, day: int, month: int | None = None) -> date | None:
    """The coming date with this day (and month), today included; ``None`` when there is none within a year."""
    for ahead in range(366):
        candidate = today + timedelta(days=ahead)
        if candidate.day == day and month in {None, candidate.month}:
            return candidate
    return None
