"""A wall clock that leaps is not trusted until it is right again."""

from __future__ import annotations

import pytest

from outbound.clock import ClockWatch, since_boot_s

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("leap_s", "trusted"), [(0.0, True), (59.0, True), (-59.0, True), (61.0, False), (-61.0, False), (32_400.0, False)]
)
def test_a_leap_against_the_steady_clock_shows(leap_s: float, trusted: bool) -> None:
    wall, steady = [1_000_000.0], [5000.0]
    watch = ClockWatch(lambda: wall[0], lambda: steady[0])
    wall[0] += 7200 + leap_s
    steady[0] += 7200
    assert watch.trusted() is trusted
    wall[0] -= leap_s
    assert watch.trusted()


def test_the_steady_clock_counts_seconds_and_never_goes_back() -> None:
    first = since_boot_s()
    assert 0 < first <= since_boot_s()
