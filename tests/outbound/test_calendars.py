"""Holidays as the real library has them, and what becomes of questions that it cannot answer."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from campaigns.rules import RulesError, built_in_packs
from campaigns.rules.model import HolidaySource
from outbound.gatehouse.calendars import calendar_of, holidays_version

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    calendar_of.cache_clear()
    yield
    calendar_of.cache_clear()


def kinds(source: HolidaySource, subdivision: str, day: str) -> frozenset[str] | None:
    when = date.fromisoformat(day)
    return calendar_of(source, subdivision, when.year, when.year).kinds_of(when.toordinal())


def source_of(name: str) -> HolidaySource:
    (found,) = [pack.holidays for pack in built_in_packs() if pack.name == name]
    assert found is not None
    return found


@pytest.mark.parametrize("pack", [pack for pack in built_in_packs() if pack.holidays], ids=lambda pack: pack.name)
def test_library_answers_for_every_pack(pack: Any) -> None:
    calendar = calendar_of(pack.holidays, "", 2026, 2028)

    for year in (2026, 2027, 2028):
        assert "holiday" in (calendar.kinds_of(date(year, 12, 25).toordinal()) or ())
    assert calendar.first == date(2026, 1, 1).toordinal()
    assert calendar.last == date(2028, 12, 31).toordinal()
    assert calendar.kinds_of(calendar.last + 1) is None


@pytest.mark.parametrize(
    ("pack", "subdivision", "day", "expected"),
    [
        ("fr", "", "2026-07-14", {"holiday"}),
        ("fr", "", "2026-07-13", {"eve"}),
        ("fr", "", "2026-04-03", {"holiday"}),  # Good Friday, kept in Alsace and Moselle
        ("fr", "971", "2026-05-27", {"holiday"}),
        ("fr", "GP", "2026-05-27", {"holiday"}),
        ("fr", "", "2026-05-27", set()),
        ("it", "", "2026-12-31", {"eve"}),  # of a holiday in the next year
        ("it", "MI", "2026-12-07", {"holiday", "eve"}),  # Saint Ambrose, the day before the Immaculate Conception
        ("it", "", "2026-12-07", {"eve"}),
        ("es", "", "2026-09-11", {"holiday"}),  # Catalonia's, and nobody knows where the contact is
        ("es", "MD", "2026-09-11", set()),
        ("es", "ES-MD", "2026-05-02", {"holiday"}),
        ("au", "SA", "2026-12-24", {"half_day", "eve"}),
        ("au", "", "2026-12-24", {"eve"}),
        ("au", "", "2026-06-08", set()),  # the King's Birthday is no national holiday
        ("au", "NSW", "2026-06-08", {"holiday"}),
        ("nl", "", "2026-05-05", {"holiday"}),
        ("us-la", "", "2026-02-17", {"holiday"}),  # Mardi Gras
        ("us-la", "", "2026-11-01", {"holiday"}),
        ("us-al", "", "2026-04-27", {"holiday"}),
        ("us-ut", "", "2026-07-24", {"holiday"}),
        ("us-ri", "", "2026-08-10", {"holiday"}),
        ("us-pa", "", "2026-11-27", {"holiday"}),
        ("za", "", "2026-08-10", {"holiday"}),
    ],
)
def test_kinds_of_day(pack: str, subdivision: str, day: str, expected: set[str]) -> None:
    assert kinds(source_of(pack), subdivision, day) == expected


def test_pack_of_one_part_has_its_holidays_wherever_the_contact_is() -> None:
    assert kinds(source_of("us-la"), "TX", "2026-02-17") == {"holiday"}
    assert (
        calendar_of(source_of("us-la"), "TX", 2026, 2026).kinds == calendar_of(source_of("us-la"), "", 2026, 2026).kinds
    )


@pytest.mark.parametrize("name", ["fr", "es", "it", "de", "nz", "au"])
def test_part_that_the_library_does_not_have_is_as_good_as_unknown(name: str) -> None:
    source = source_of(name)

    assert calendar_of(source, "NOWHERE", 2026, 2026).kinds == calendar_of(source, "", 2026, 2026).kinds


@pytest.mark.parametrize("subdivision", ["", "MD", "CT"])
def test_a_known_part_keeps_the_holidays_of_the_whole_country(subdivision: str) -> None:
    for day in ("2026-01-01", "2026-05-01", "2026-12-25"):
        assert "holiday" in (kinds(source_of("es"), subdivision, day) or ())


def test_additions_and_removals_of_the_pack() -> None:
    source = HolidaySource(country="FR", add=("12-24",), remove=("12-25",))

    assert kinds(source, "", "2026-12-24") == {"holiday"}
    assert kinds(source, "", "2026-12-25") == set()


@pytest.mark.parametrize(
    ("source", "year", "message"),
    [
        (HolidaySource(country="XX"), 2026, r"of XX are not known.*correct the country"),
        (HolidaySource(country="US-XX"), 2026, r"of US-XX .*part 'XX'; write one of AK,"),
        (HolidaySource(country="FR", subdivisions_if_unknown=("YY",)), 2026, r"of FR .*part 'YY'; write one of 57,"),
        (HolidaySource(country="JP"), 2150, r"of JP .*no holiday in 2149, 2150, 2151; install a newer one"),
        (HolidaySource(country="JP"), 2099, r"of JP .*no holiday in 2100"),
        (HolidaySource(country="IN"), 2036, r"of IN .*UserWarning.*ask about nearer years"),
    ],
)
def test_what_the_library_does_not_have_is_refused(source: HolidaySource, year: int, message: str) -> None:
    with pytest.raises(RulesError, match=message):
        calendar_of(source, "", year, year)


def test_library_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)

    with pytest.raises(RulesError, match=r"holidays of FR are not known.*ModuleNotFoundError.*install the version"):
        calendar_of(HolidaySource(country="FR"), "", 2026, 2026)


def fail(*_: Any, **__: Any) -> Any:
    raise KeyError("broken")


def know_nothing(*_: Any, **__: Any) -> Any:
    return SimpleNamespace(__iter__=lambda: iter(()))


class NoDays(dict[date, str]):
    """A calendar of the library without a day in it."""

    subdivisions = ()
    supported_categories = ("public",)


def no_days(*_: Any, **__: Any) -> Any:
    return NoDays()


def warn(*_: Any, **__: Any) -> Any:
    warnings.warn("only from 2001 to 2035", UserWarning, stacklevel=1)
    return NoDays()


@pytest.mark.parametrize("answer", [fail, know_nothing, no_days, warn])
def test_library_that_is_broken_is_never_an_empty_calendar(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", SimpleNamespace(country_holidays=answer))

    with pytest.raises(RulesError, match=r"holidays of FR are not known: .*; .+\. Until then nobody there is reached"):
        calendar_of(HolidaySource(country="FR"), "", 2026, 2026)


def test_an_error_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    source = HolidaySource(country="FR")
    with monkeypatch.context() as broken:
        broken.setitem(sys.modules, "holidays", None)
        with pytest.raises(RulesError):
            calendar_of(source, "", 2026, 2026)

    assert kinds(source, "", "2026-07-14") == {"holiday"}
    assert calendar_of(source, "", 2026, 2026) is calendar_of(source, "", 2026, 2026)


def test_version_is_the_installed_one() -> None:
    assert holidays_version().split(".")[0].isdigit()
