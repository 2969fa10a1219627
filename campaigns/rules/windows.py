"""Hours: local wall-clock windows by kind of day, and which parts of one local day they leave open.

It has no clock, no zone and no calendar: whoever asks names the day and says what kind of day it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = ("holiday", "eve", "half_day")
"""Kinds of day beside the weekday; ``eve`` is the day before a holiday."""
DAY_S = 86400
Span = tuple[int, int]
"""Seconds after local midnight: from, to (exclusive)."""
WHOLE_DAY: tuple[Span, ...] = ((0, DAY_S),)
_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_DATE = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d)|(0[13-9]|1[0-2])-30|(0[13578]|1[02])-31")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Allowed local wall-clock time on some days."""

    days: frozenset[int] = frozenset()
    """0 is Monday, as in ``datetime.weekday``; empty for a window of special days."""
    special: str = ""
    """A kind of day (``eve``) or a date (``12-24``) to which the window narrows its weekday; empty otherwise."""
    start_s: int
    """Seconds after midnight, inclusive."""
    end_s: int
    """Exclusive; not above ``start_s`` when the window crosses midnight into the next day."""

    @property
    def crosses(self) -> bool:
        """Whether it ends on the day after it began."""
        return self.end_s <= self.start_s

    @property
    def own_day(self) -> Span:
        """Its part on the day on which it begins."""
        return self.start_s, DAY_S if self.crosses else self.end_s


def parse_windows(text: str) -> tuple[Window, ...]:
    """Read ``mon-fri,sun 09:00-21:00``, ``daily 22:00-02:00``, ``eve 10:00-19:00`` or ``12-24 09:00-18:30``.

    Raises ``ValueError`` that names what is wrong and shows how it is written.
    """
    days, separator, hours = text.strip().rpartition(" ")
    begin, dash, end = hours.partition("-")
    if not separator or not dash:
        raise ValueError(f"{text!r} is no window; write it as 'mon-fri 09:00-20:00'")
    start_s, end_s = second_of_day(begin), second_of_day(end)
    if start_s in (end_s, DAY_S):
        raise ValueError(f"the window {hours} is empty; for a whole day write 00:00-24:00")
    weekdays: set[int] = set()
    specials: list[str] = []
    for part in days.replace(" ", "").split(","):
        if part in KINDS or _DATE.fullmatch(part):
            specials.append(part)
        else:
            weekdays |= _weekdays(part)
    made = [Window(special=special, start_s=start_s, end_s=end_s) for special in specials]
    if weekdays:
        made.insert(0, Window(days=frozenset(weekdays), start_s=start_s, end_s=end_s))
    if any(window.special and window.crosses for window in made):
        raise ValueError(f"the window {text!r} narrows a day and cannot cross midnight; end it at 24:00")
    return tuple(made)


def week_window(days: Iterable[str], start: str, end: str) -> Window:
    """Build a window from day names and ``HH:MM``. Raises ``ValueError``."""
    (window,) = parse_windows(f"{','.join(days)} {start}-{end}")
    return window


def second_of_day(text: str) -> int:
    """Read ``HH:MM`` (``24:00`` is the end of the day) as seconds after midnight. Raises ``ValueError``."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day; write it as HH:MM, 00:00 to 24:00")
    value = int(found[1]) * 3600 + int(found[2]) * 60
    if value > DAY_S:
        raise ValueError(f"{text!r} is after the end of the day; the last is 24:00")
    return value


def intersect(one: tuple[Span, ...], other: tuple[Span, ...]) -> tuple[Span, ...]:
    """What is open in both."""
    if one == WHOLE_DAY:
        return other
    if other == WHOLE_DAY:
        return one
    parts = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return joined(part for part in parts if part[0] < part[1])


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sort spans and join those that touch."""
    made: list[Span] = []
    for start, end in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return tuple(made)


def _weekdays(text: str) -> set[int]:
    if text == "daily":
        return set(range(7))
    first, dash, last = text.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        known = ", ".join((*DAYS, "daily", *KINDS))
        raise ValueError(f"{text!r} is no day; days are {known}, spans such as mon-fri, and dates such as 12-24")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
