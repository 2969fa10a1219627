"""What a telephone number tells of where its customer is: every zone and jurisdiction it may be in, never a guess.

The number plan's area codes are taken at their word, although numbers are carried along when people move: that is why
a zone or an address of the contact's own is trusted more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

from outbound.places.tables import PrefixTable, countries_table, number_tables
from outbound.places.timezones import zones_in, zones_of

PLACELESS = frozenset(
    {PhoneNumberType.TOLL_FREE, PhoneNumberType.UNKNOWN, PhoneNumberType.VOIP, PhoneNumberType.PERSONAL_NUMBER}
)
"""Types whose numbers may be anywhere: only the contact's own zone or address counts."""
NANP = 1
WORLD = "001"
"""The number data's region of calling codes that belong to no country, such as satellites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPlace:
    """Where a number may be."""

    zones: tuple[str, ...]
    """All candidates; empty when the number does not tell."""
    countries: tuple[str, ...]
    """ISO 3166-1; one when the number tells, several when it may be any of them, none for satellites."""
    jurisdictions: tuple[str, ...] = ()
    """Country and subdivisions; empty unless the number tells its country."""


@cache
def _known(country: str, calling_code: int, prefix: str) -> NumberPlace:
    """Look up a number that is in an assigned range of ``country``, by the first digits that decide."""
    table = _table(calling_code)
    subdivisions = table.subdivisions_of(prefix) if table else ()
    inside = tuple(code for code in subdivisions if code.partition("-")[0] == country)
    corrected = table.zones_of(prefix) if table and (inside or not subdivisions) else ()
    return NumberPlace(
        zones=corrected or zones_of(inside) or zones_in(country), countries=(country,), jurisdictions=(country, *inside)
    )


def number_place(number: PhoneNumber) -> NumberPlace:
    """Return every zone and jurisdiction ``number`` may be in."""
    calling_code = number.country_code or 0
    digits = phonenumbers.national_significant_number(number)
    if calling_code == NANP:
        return _in_north_america(digits)
    regions = _regions(calling_code)
    country = regions[0] if len(regions) == 1 else _region_of(number)
    if country is None:
        return NumberPlace(zones=(), countries=regions)
    if phonenumbers.number_type(number) in PLACELESS:
        return NumberPlace(zones=(), countries=(country,), jurisdictions=(country,))
    return ordinary_place(country, calling_code, deciding_digits(calling_code, digits))


def ordinary_place(country: str, calling_code: int, deciding: str) -> NumberPlace:
    """Return where a number of a fixed line or a mobile in ``country`` may be, by its deciding digits.

    ``country`` says nothing in North America.
    """
    if calling_code == NANP:
        return _area(deciding) or NumberPlace(zones=(), countries=_regions(NANP))
    return _known(country, calling_code, deciding)


def deciding_digits(calling_code: int, digits: str) -> str:
    """Return how much of a number's national ``digits`` decides where it is: few beginnings serve very many numbers."""
    return digits[:3] if calling_code == NANP else _deciding(calling_code, digits[:6])


@lru_cache(maxsize=65536)
def _deciding(calling_code: int, digits: str) -> str:
    table = _table(calling_code)
    return table.known_beginning(digits) if table else ""


@cache
def _table(calling_code: int) -> PrefixTable | None:
    return number_tables().get(str(calling_code))


@cache
def iso_country(region: str) -> str:
    """Return what ISO 3166-1 calls a region of the number data."""
    return countries_table().called.get(region, region)


def _region_of(number: PhoneNumber) -> str | None:
    region = phonenumbers.region_code_for_number(number)
    return None if region in (None, WORLD) else iso_country(region)


def _in_north_america(digits: str) -> NumberPlace:
    """Read the area code: the number data asks 25 countries in turn and knows no more.

    That is fine for numbers reserved for fiction, too: their area code is as good as any.
    """
    found = _area(digits[:3])
    if found is None:
        return NumberPlace(zones=(), countries=_regions(NANP))
    if len(digits) != 10 or digits[3] in "01":
        return NumberPlace(zones=(), countries=found.countries, jurisdictions=found.jurisdictions)
    return found


@lru_cache(maxsize=1024)
def _area(code: str) -> NumberPlace | None:
    subdivisions = number_tables()[str(NANP)].subdivisions_of(code)
    return _known(subdivisions[0].partition("-")[0], NANP, code) if subdivisions else None


@lru_cache(maxsize=512)
def _regions(calling_code: int) -> tuple[str, ...]:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(calling_code, ())
    return tuple(dict.fromkeys(iso_country(region) for region in regions if region != WORLD))
