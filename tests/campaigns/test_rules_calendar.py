"""Calendars of days that are not like their weekday, and what hours make of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules import Calendar, Hours, make_calendar, parse_windows
from campaigns.rules.calendar import days_in, easter

pytestmark = pytest.mark.unit

YEAR = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}


def kinds(calendar: Calendar, day: str) -> frozenset[str] | None:
    return calendar.kinds_of(date.fromisoformat(day).toordinal())


def test_a_holiday_makes_the_day_before_an_eve() -> None:
    calendar = make_calendar([date(2026, 7, 14)], **YEAR)

    assert kinds(calendar, "2026-07-13") == {"eve"}
    assert kinds(calendar, "2026-07-14") == {"holiday"}
    assert kinds(calendar, "2026-07-15") == frozenset()


def test_a_holiday_before_a_holiday_is_its_eve_too() -> None:
    calendar = make_calendar([date(2026, 12, 25), date(2026, 12, 26)], **YEAR)

    assert kinds(calendar, "2026-12-25") == {"holiday", "eve"}


def test_the_first_holiday_after_the_end_makes_the_last_day_an_eve() -> None:
    assert kinds(make_calendar([date(2027, 1, 1)], **YEAR), "2026-12-31") == {"eve"}


def test_days_outside_are_not_known() -> None:
    calendar = make_calendar([], **YEAR)

    assert kinds(calendar, "2025-12-31") is None
    assert kinds(calendar, "2026-01-01") == frozenset()
    assert kinds(calendar, "2026-12-31") == frozenset()
    assert kinds(calendar, "2027-01-01") is None


def test_half_days_are_no_holidays_and_make_no_eves() -> None:
    calendar = make_calendar([date(2026, 12, 25)], [date(2026, 12, 24), date(2026, 12, 25)], **YEAR)

    assert kinds(calendar, "2026-12-23") == frozenset()
    assert kinds(calendar, "2026-12-24") == {"half_day", "eve"}
    assert kinds(calendar, "2026-12-25") == {"holiday"}


def test_a_half_day_far_from_any_holiday_is_one() -> None:
    assert kinds(make_calendar([], [date(2026, 6, 15)], **YEAR), "2026-06-15") == {"half_day"}


def test_a_pack_adds_and_removes_days() -> None:
    calendar = make_calendar([date(2026, 10, 12)], add=["easter-47", "12-24"], remove=["10-12", "2026-12-24"], **YEAR)

    assert kinds(calendar, "2026-02-17") == {"holiday"}
    assert kinds(calendar, "2026-02-16") == {"eve"}
    assert kinds(calendar, "2026-10-12") == frozenset()
    assert kinds(calendar, "2026-10-11") == frozenset()
    assert kinds(calendar, "2026-12-24") == frozenset()


@pytest.mark.parametrize(
    ("text", "year", "expected"),
    [
        ("12-24", 2026, ["2026-12-24"]),
        ("02-29", 2024, ["2024-02-29"]),
        ("02-29", 2026, []),
        ("02-29", 2100, []),
        ("02-29", 2000, ["2000-02-29"]),
        ("2026-12-31", 2026, ["2026-12-31"]),
        ("2026-12-31", 2027, []),
        ("easter", 2026, ["2026-04-05"]),
        ("easter-47", 2025, ["2025-03-04"]),
        ("easter+60", 2026, ["2026-06-04"]),
        ("nov thu 4", 2026, ["2026-11-26"]),
        ("nov thu 4 +1", 2026, ["2026-11-27"]),
        ("nov thu 4 +10", 2026, ["2026-12-06"]),
        ("nov mon 1 +1", 2026, ["2026-11-03"]),
        ("may mon last", 2026, ["2026-05-25"]),
        ("may mon 5", 2026, []),
        ("jun mon 5", 2026, ["2026-06-29"]),
        ("jan mon 1 -4", 2026, ["2026-01-01"]),
    ],
)
def test_days_that_a_text_names(text: str, year: int, expected: list[str]) -> None:
    assert [day.isoformat() for day in days_in(text, year)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24-12",
        "12-32",
        "02-30",
        "2026-13-01",
        "2026-12-1",
        "easter 47",
        "easter-4700",
        "thu nov 4",
        "nov thu 6",
        "12-24 ",
    ],
)
def test_any_other_text_is_refused_with_the_ways_to_write_days(text: str) -> None:
    ways = r"'12-24', '2026-12-31', 'easter-47' or 'nov thu 4 \+1'"
    with pytest.raises(ValueError, match=rf"^'{text}' is no day( of the calendar)?; write {ways}$"):
        days_in(text, 2026)


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (1700, "04-11"),
        (1734, "04-25"),
        (1886, "04-25"),
        (1961, "04-02"),
        (2000, "04-23"),
        (2008, "03-23"),
        (2011, "04-24"),
        (2019, "04-21"),
        (2026, "04-05"),
        (2285, "03-22"),
    ],
)
def test_easter_of_known_years(year: int, expected: str) -> None:
    assert easter(year).isoformat() == f"{year}-{expected}"


FULL_MOONS = (
    *("04-14", "04-03", "03-23", "04-11", "03-31", "04-18", "04-08", "03-28", "04-16", "04-05"),
    *("03-25", "04-13", "04-02", "03-22", "04-10", "03-30", "04-17", "04-07", "03-27"),
)
"""Paschal full moons of the years 1900 to 2199 by golden number, as almanacs print them."""


def test_easter_is_the_sunday_after_the_full_moon_of_the_almanacs() -> None:
    for year in range(1900, 2200):
        moon = date.fromisoformat(f"{year}-{FULL_MOONS[year % 19]}")
        assert easter(year) == moon + timedelta(days=6 - moon.weekday() or 7)


@given(st.integers(1583, 9000))
def test_easter_is_a_sunday_between_its_bounds(year: int) -> None:
    found = easter(year)

    assert found.weekday() == 6
    assert date(year, 3, 22) <= found <= date(year, 4, 25)


def hours(*texts: str, closed_on: frozenset[str] = frozenset(), calendar: Calendar | None = None) -> Hours:
    windows = tuple(window for text in texts for window in parse_windows(text))
    everything = {"purposes": frozenset({"marketing"}), "channels": frozenset({"voice"})}
    return Hours(
        cite="x@1#h", source="", mark="H", windows=windows, closed_on=closed_on, calendar=calendar, **everything
    )


def clock(rule: Hours, day: str) -> list[str]:
    return [
        "-".join(f"{second // 3600:02}:{second % 3600 // 60:02}" for second in span)
        for span in rule.open_on(date.fromisoformat(day).toordinal())
    ]


CALENDAR = make_calendar([date(2026, 7, 14), date(2026, 12, 25)], [date(2026, 12, 24)], **YEAR)


def test_hours_of_holidays_eves_half_days_and_dates() -> None:
    rule = hours(
        "mon-fri 09:00-20:00",
        "sat 10:00-16:00",
        "eve 10:00-19:00",
        "half_day 00:00-15:00",
        "12-23 00:00-18:30",
        closed_on=frozenset({"holiday"}),
        calendar=CALENDAR,
    )

    assert clock(rule, "2026-07-10") == ["09:00-20:00"]
    assert clock(rule, "2026-07-11") == ["10:00-16:00"]
    assert clock(rule, "2026-07-12") == []
    assert clock(rule, "2026-07-13") == ["10:00-19:00"]
    assert clock(rule, "2026-07-14") == []
    assert clock(rule, "2026-12-23") == ["09:00-18:30"]
    assert clock(rule, "2026-12-24") == ["10:00-15:00"]
    assert clock(rule, "2026-12-25") == []


def test_special_windows_never_open_a_closed_day() -> None:
    rule = hours("mon-fri 09:00-20:00", "07-12 00:00-24:00", "eve 00:00-24:00", calendar=CALENDAR)

    assert clock(rule, "2026-07-12") == []
    assert clock(rule, "2026-07-13") == ["09:00-20:00"]


def test_without_a_calendar_or_beyond_it_every_day_is_closed() -> None:
    assert clock(hours("daily 09:00-20:00", closed_on=frozenset({"holiday"})), "2026-07-10") == []
    assert clock(hours("daily 09:00-20:00", "eve 09:00-12:00"), "2026-07-10") == []
    beyond = hours("daily 09:00-20:00", closed_on=frozenset({"holiday"}), calendar=CALENDAR)
    assert clock(beyond, "2027-07-10") == []
    assert clock(hours("daily 09:00-20:00", "12-24 09:00-12:00"), "2027-12-24") == ["09:00-12:00"]


def test_windows_over_midnight_are_the_next_day_s_too_unless_they_did_not_begin() -> None:
    rule = hours("mon-tue 22:00-02:00", closed_on=frozenset({"holiday"}), calendar=CALENDAR)

    assert clock(rule, "2026-07-06") == ["22:00-24:00"]
    assert clock(rule, "2026-07-07") == ["00:00-02:00", "22:00-24:00"]
    assert clock(rule, "2026-07-08") == ["00:00-02:00"]
    assert clock(rule, "2026-07-14") == []
    assert clock(rule, "2026-07-15") == []


def test_a_night_that_began_before_its_rule_was_in_force_is_not_carried_over() -> None:
    begins = date(2026, 7, 8).toordinal()
    rule = replace(hours("daily 22:00-02:00"), from_day=begins, until_day=begins + 2)

    assert clock(rule, "2026-07-07") == ["00:00-24:00"]
    assert clock(rule, "2026-07-08") == ["22:00-24:00"]
    assert clock(rule, "2026-07-09") == ["00:00-02:00", "22:00-24:00"]
    assert clock(rule, "2026-07-10") == ["00:00-24:00"]


@given(st.integers(0, 3000))
def test_no_day_is_open_longer_for_being_special(ahead: int) -> None:
    day = date(2020, 1, 1) + timedelta(days=ahead)
    calendar = make_calendar([day], first=day, last=day)
    plain = hours("mon-fri 09:00-20:00", "sat 10:00-16:00")
    special = hours("mon-fri 09:00-20:00", "sat 10:00-16:00", "holiday 08:00-12:00", calendar=calendar)

    ((start, end),) = plain.open_on(day.toordinal()) or ((0, 0),)
    assert all(start <= begin < until <= end for begin, until in special.open_on(day.toordinal()))
