"""Looks up holidays for rule packs; the only file that imports the ``holidays`` library.

It decides nothing, and never answers with fewer days than there may be: what the library cannot say is an error.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from threading import Lock

from campaigns.rules import Calendar, RulesError, make_calendar
from campaigns.rules.model import HolidaySource

ALL = "*"
HALF_DAY = "half_day"
_FILTERS = Lock()
"""The filters of warnings are the whole process's; two threads that put them back would mix them up."""
_CACHED = 1024
"""More than the packs times the subdivisions that are ever asked about together."""


@lru_cache(maxsize=_CACHED)
def calendar_of(source: HolidaySource, subdivision: str, first_year: int, last_year: int) -> Calendar:
    """The calendar of ``source`` from the first day of ``first_year`` to the last of ``last_year``.

    ``source.country`` may be a country (``FR``), or one part of it (``US-LA``) for a pack that speaks of that part
    only, whatever ``subdivision`` is. Otherwise ``subdivision`` is where the contact is (``NSW``, ``AU-NSW``, ``974``).
    Empty, or a name that the library does not have: not known, and then the holidays of all of
    ``source.subdivisions_if_unknown`` count.

    Raises :class:`RulesError` naming country and remedy where the library has no answer for every year.
    """
    country, _, own = source.country.partition("-")
    # The years around them, because a holiday makes its neighbours eves, and may be kept in the year before.
    years = range(first_year - 1, last_year + 2)
    days: set[date] = set()
    half_days: set[date] = set()
    whole = _ask(country)
    for part in (None, *_parts(source, own, subdivision.removeprefix(f"{country}-"), whole)):
        days |= _ask(country, part, years).days
        if source.half_days and HALF_DAY in whole.categories:
            half_days |= _ask(country, part, years, HALF_DAY).days
    _check_years(source.country, days, years)
    return make_calendar(
        sorted(days),
        sorted(half_days),
        first=date(first_year, 1, 1),
        last=date(last_year, 12, 31),
        add=source.add,
        remove=source.remove,
    )


@cache
def holidays_version() -> str:
    """The library's version, for receipts and the doctor; empty when it is not installed."""
    try:
        return version("holidays")
    except PackageNotFoundError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the library says of a country or a part of it."""

    days: frozenset[date]
    parts: tuple[str, ...]
    """Parts of the country that have holidays of their own."""
    names: frozenset[str]
    """These and their other names."""
    categories: frozenset[str]


def _parts(source: HolidaySource, own: str, asked: str, whole: _Answer) -> tuple[str, ...]:
    """Parts of the country whose holidays count, beside those of the whole."""
    if not own and asked in whole.names:
        return (asked,)
    wanted = (own,) if own else source.subdivisions_if_unknown
    for part in wanted:
        if part not in whole.names and part != ALL:
            remedy = f"write one of {', '.join(sorted(whole.parts)) or 'none'}"
            raise _no_answer(source.country, f"the holidays library does not have the part {part!r}", remedy)
    return whole.parts if ALL in wanted else wanted


def _ask(country: str, part: str | None = None, years: Iterable[int] = (), category: str = "public") -> _Answer:
    """Ask the library. Where it only warns (years beyond its tables of the moon) it has no answer either."""
    try:
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            # Here, so that a library that cannot be imported is one more that gives no answer.
            import holidays

            found = holidays.country_holidays(country, subdiv=part, years=years, categories=(category,))
            return _Answer(
                days=frozenset(found),
                parts=tuple(found.subdivisions),
                names=frozenset((*found.subdivisions, *getattr(found, "subdivisions_aliases", ()))),
                categories=frozenset(found.supported_categories),
            )
    except NotImplementedError as error:
        raise _no_answer(country, f"the holidays library says: {error}", "correct the country of [holidays]") from error
    except Exception as error:
        what = f"the holidays library failed ({type(error).__name__}: {error})"
        remedy = "install the version that constraints.txt names, or ask about nearer years"
        raise _no_answer(country, what, remedy) from error


def _check_years(country: str, days: Iterable[date], years: range) -> None:
    missing = sorted(set(years) - {day.year for day in days})
    if missing:
        what = f"the holidays library has no holiday in {', '.join(map(str, missing))}"
        raise _no_answer(country, what, "install a newer one, or ask about years that it covers")


def _no_answer(country: str, what: str, remedy: str) -> RulesError:
    return RulesError(f"the holidays of {country} are not known: {what}; {remedy}. Until then nobody there is reached.")
