"""Local time: what a timetable says at an instant, and until when it goes on saying so.

The wall clock is read at the instant itself; no local time is ever turned into an instant, because in a spring gap it
has none and in an autumn overlap two. An instant at which a clock is moved ends whatever was said before it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from math import floor

from campaigns.gate.facts import INFINITY, Zone
from campaigns.rules.windows import DAY_S, Span

OpenOn = Callable[[int], tuple[Span, ...]]
"""Local day (``date.toordinal``) -> what is open of it."""
EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAYS_KEPT = 4096


def stretch(open_on: OpenOn, zone: Zone, at: float) -> tuple[bool, float]:
    """Whether it is open at ``at``, and the instant until which this is certain (later than ``at``)."""
    whole = floor(at)
    day, second, steady = wall_clock(zone, whole)
    is_open, edge = False, DAY_S
    for start, end in open_on(day):
        if second < start:
            edge = start
            break
        if second < end:
            is_open, edge = True, end
            break
    until = whole + edge - second
    return is_open, until if steady else _unless_moved(zone, whole, until)


def opening(open_on: OpenOn, zone: Zone, at: float, guard_s: float, limit: float) -> float:
    """The first instant from ``at`` on from which it stays open longer than ``guard_s``; infinity beyond ``limit``."""
    begin = here = at
    while here <= limit:
        is_open, until = stretch(open_on, zone, here)
        if not is_open:
            begin = until
        elif until > begin + guard_s:
            return begin
        here = until
    return INFINITY


def next_midnight(zone: Zone, at: float) -> float:
    """When the local day ends, or the clock is moved before."""
    whole = floor(at)
    _, second, steady = wall_clock(zone, whole)
    until = whole + DAY_S - second
    return until if steady else _unless_moved(zone, whole, until)


def local_day(zone: Zone, at: float) -> int:
    """The local day (``date.toordinal``)."""
    return wall_clock(zone, floor(at))[0]


def wall_clock(zone: Zone, at: int) -> tuple[int, int, bool]:
    """Local day, second of the day, and whether the clock surely is not moved for a day to come."""
    utc_day = at // DAY_S
    try:
        offset = zone.offsets[utc_day]
    except KeyError:
        offset = _remember(zone, utc_day)
    if offset is None:
        local = datetime.fromtimestamp(at, zone.tz)
        return local.toordinal(), local.hour * 3600 + local.minute * 60 + local.second, False
    days, second = divmod(at + offset, DAY_S)
    return days + EPOCH_DAY, second, True


def _remember(zone: Zone, utc_day: int) -> int | None:
    """The zone's offset in seconds, if it is the same all through this UTC day and the next; else ``None``."""
    begin = utc_day * DAY_S
    found = {_offset(zone, begin + hours * 3600) for hours in range(0, 49, 6)}
    if len(zone.offsets) >= _DAYS_KEPT:
        zone.offsets.clear()
    zone.offsets[utc_day] = found.pop() if len(found) == 1 else None
    return zone.offsets[utc_day]


def _offset(zone: Zone, at: int) -> int:
    local = datetime.fromtimestamp(at, zone.tz)
    return round((local.replace(tzinfo=UTC) - datetime.fromtimestamp(at, UTC)).total_seconds())


def _unless_moved(zone: Zone, at: int, until: int) -> float:
    """``until``, or the instant before it at which the clock of the zone is moved."""
    offset = _offset(zone, at)
    if _offset(zone, until) == offset:
        return until
    before, after = at, until
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after
