"""Days that are not like their weekday: holidays, their eves, half days; from dates that somebody else looked up.

A calendar knows its own reach: a day outside it is unknown, and nobody is reached on an unknown day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from campaigns.rules.windows import DAYS

_NOTHING: frozenset[str] = frozenset()
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEARLY = re.compile(r"(\d\d)-(\d\d)")
_ONCE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_EASTER = re.compile(r"easter([+-]\d{1,3})?")
_NTH = re.compile(rf"({'|'.join(_MONTHS)}) ({'|'.join(DAYS)}) ([1-5]|last)( [+-]\d{{1,2}})?")
_FORMS = "'12-24', '2026-12-31', 'easter-47' or 'nov thu 4 +1'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Kinds of day by day number (``date.toordinal``)."""

    first: int
    last: int
    """Days that are known: from, to (inclusive)."""
    kinds: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def kinds_of(self, ordinal: int) -> frozenset[str] | None:
        """``holiday``, ``eve``, ``half_day`` and the like; ``None`` for a day that is not known."""
        if self.first <= ordinal <= self.last:
            return self.kinds.get(ordinal, _NOTHING)
        return None


def make_calendar(
    holidays: Iterable[date],
    half_days: Iterable[date] = (),
    *,
    first: date,
    last: date,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> Calendar:
    """Make a calendar from looked-up dates and a pack's own additions and removals.

    ``add`` and ``remove`` are written as :func:`days_in` reads them; they are carried out in this order.
    """
    years = range(first.year - 1, last.year + 2)
    off = set(holidays)
    for texts, change in ((add, off.update), (remove, off.difference_update)):
        for text in texts:
            for year in years:
                change(days_in(text, year))
    kinds: dict[int, set[str]] = {}
    for day in off:
        kinds.setdefault(day.toordinal(), set()).add("holiday")
        kinds.setdefault(day.toordinal() - 1, set()).add("eve")
    for day in half_days:
        if day not in off:
            kinds.setdefault(day.toordinal(), set()).add("half_day")
    return Calendar(
        first=first.toordinal(),
        last=last.toordinal(),
        kinds={ordinal: frozenset(found) for ordinal, found in kinds.items()},
    )


def days_in(text: str, year: int) -> list[date]:
    """The days of ``year`` that ``text`` names: ``12-24`` every year, ``2026-12-31`` once, ``easter-47`` so many days
    from Western Easter Sunday, ``nov thu 4 +1`` the day after the fourth Thursday of November.

    Raises ``ValueError`` for anything else.
    """
    if found := _YEARLY.fullmatch(text):
        return _valid(year, int(found[1]), int(found[2]), text)
    if found := _ONCE.fullmatch(text):
        return [day for day in _valid(int(found[1]), int(found[2]), int(found[3]), text) if day.year == year]
    if found := _EASTER.fullmatch(text):
        return [easter(year) + timedelta(days=int(found[1] or 0))]
    if found := _NTH.fullmatch(text):
        days = _weekday_of_month(year, _MONTHS.index(found[1]) + 1, DAYS.index(found[2]), found[3])
        return [day + timedelta(days=int(found[4] or 0)) for day in days]
    raise ValueError(f"{text!r} is no day; write {_FORMS}")


def easter(year: int) -> date:
    """Western Easter Sunday (the anonymous Gregorian computus)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def _valid(year: int, month: int, day: int, text: str) -> list[date]:
    if (month, day) == (2, 29):
        return [date(year, 2, 29)] if year % 4 == 0 and (year % 100 or year % 400 == 0) else []
    try:
        return [date(year, month, day)]
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar; write {_FORMS}") from None


def _weekday_of_month(year: int, month: int, weekday: int, which: str) -> list[date]:
    first = date(year, month, 1)
    days = [first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * week) for week in range(5)]
    days = [day for day in days if day.month == month]
    if which == "last":
        return days[-1:]
    return days[int(which) - 1 : int(which)]
