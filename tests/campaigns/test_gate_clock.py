"""Local time in zones whose clocks are moved at any hour of any day, not only at those that governments now choose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from campaigns.gate import Zone
from campaigns.gate.clock import next_midnight, stretch
from campaigns.rules.windows import DAY_S, Span
from tests.campaigns.gate_world import instant

pytestmark = pytest.mark.unit

HOUR = 3600
BEGIN = int(instant("2026-11-24T00:00:00+00:00"))
OPEN: tuple[Span, ...] = ((9 * HOUR, 13 * HOUR), (14 * HOUR, 20 * HOUR))


class Moved(tzinfo):
    """A clock that shows ``before`` hours more than UTC until ``moved_at`` and ``after`` hours from then on."""

    def __init__(self, moved_at: float, before: float, after: float) -> None:
        self.moved_at = moved_at
        self.before = timedelta(hours=before)
        self.after = timedelta(hours=after)

    def fromutc(self, dt: datetime) -> datetime:
        moved = dt.replace(tzinfo=UTC).timestamp() >= self.moved_at
        return dt + (self.after if moved else self.before)

    def utcoffset(self, _: datetime | None) -> timedelta:
        return self.before

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta()

    def tzname(self, _: datetime | None) -> str:
        return "moved"


def shown(zone: Zone, at: float) -> datetime:
    return datetime.fromtimestamp(at, zone.tz)


def is_open(zone: Zone, at: float) -> bool:
    local = shown(zone, at)
    second = local.hour * HOUR + local.minute * 60 + local.second
    return any(start <= second < end for start, end in OPEN)


MOVES = [
    pytest.param(before, after, id=f"from {before:+} to {after:+}")
    for before, after in ((0, 1), (1, 0), (-5, -4), (-4, -5), (12, -12), (10.5, 11))
]


@pytest.mark.parametrize("hour", range(0, 49, 3))
@pytest.mark.parametrize(("before", "after"), MOVES)
def test_what_is_said_of_an_instant_holds_until_it_is_said_to(before: float, after: float, hour: int) -> None:
    zone = Zone(name="moved", tz=Moved(BEGIN + hour * HOUR + 777, before, after))
    for at in range(BEGIN + 29, BEGIN + 24 * HOUR, 7 * HOUR // 2):
        opened, until = stretch(lambda _: OPEN, zone, at)
        assert until > at
        assert opened is is_open(zone, at)
        instants = (*range(at, int(until), 599), until - 1)
        assert {is_open(zone, one) for one in instants} == {opened}
        midnight = next_midnight(zone, at)
        assert at < midnight
        assert {shown(zone, one).date() for one in (at, midnight - 1)} == {shown(zone, at).date()}


@pytest.mark.parametrize("ahead_s", range(1, 9))
def test_the_second_at_which_a_clock_is_moved_is_found_from_any_distance(ahead_s: int) -> None:
    """Neither one early, which would only be a step more, nor one late, which would ring by the wrong clock."""
    moved_at = BEGIN + 12 * HOUR
    zone = Zone(name="moved", tz=Moved(moved_at, 0, 3))
    assert stretch(lambda _: OPEN, zone, moved_at - ahead_s) == (True, moved_at)
    assert next_midnight(zone, moved_at - ahead_s) == moved_at


def test_a_day_is_worked_out_once_and_only_a_steady_one_is_relied_upon() -> None:
    """Very many questions ask for the same day; a clock that may move within it is read anew each time."""
    steady, moved = Zone(name="", tz=Moved(0, 1, 2)), Zone(name="", tz=Moved(BEGIN + 47 * HOUR, 1, 2))
    for zone in (steady, moved):
        next_midnight(zone, BEGIN + HOUR)
        next_midnight(zone, BEGIN + 2 * HOUR)
    assert steady.offsets == {BEGIN // DAY_S: 2 * HOUR}
    assert moved.offsets == {BEGIN // DAY_S: None}


@pytest.mark.parametrize(("kept", "left"), [(4095, 4096), (4096, 1)])
def test_days_are_forgotten_before_they_fill_the_memory(kept: int, left: int) -> None:
    zone = Zone(name="", tz=Moved(0, 1, 2), offsets=dict.fromkeys(range(kept)))
    next_midnight(zone, BEGIN)
    assert len(zone.offsets) == left
