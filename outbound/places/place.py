"""Where a contact may be, by order of trust: its own zone, then its postal address, then its number.

It is resolved once per contact, never per decision. Zones are all candidates, and all of them must allow a call.
Jurisdictions are the union of what number and address tell, because the strictest rule wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumber

from outbound.places.address import AddressPlace, address_place
from outbound.places.number import NumberPlace, number_place, ordinary_place
from outbound.places.refusal import ZoneRefused
from outbound.places.tables import countries_table, with_others
from outbound.places.timezones import countries_in, links, sharing_time, similar_zones
from outbound.places.timezones import zone as known_zone

KnownBy = Literal["zone", "address", "number", "nothing"]
STATEFUL = "US"
"""The country whose subdivisions have rules of their own."""
SOME_STATE = "US-?"
"""In the United States, but nobody knows in which state: the rules of every state apply."""
NEEDED = "zone_needed"
NO_NUMBER = NumberPlace(zones=(), countries=())
SUPPLY = "give zone, such as Europe/London, or the address: country, region, postcode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a contact may be."""

    zones: tuple[str, ...]
    """IANA zones; every one of them must allow a call, and without any there is none."""
    jurisdictions: tuple[str, ...]
    """ISO 3166 codes of countries and subdivisions, sorted, and ``US-?``; empty only when nothing is known."""
    known_by: KnownBy
    """What told the zones."""


def place_of(number: PhoneNumber, *, zone: str = "", country: str = "", region: str = "", postcode: str = "") -> Place:
    """Resolve where a contact may be. Raises :class:`ZoneRefused` naming the field and what to supply."""
    return _place(number_place(number), zone, country, region, postcode)


def place_of_ordinary(
    country: str, calling_code: int, deciding: str, *, zone: str = "", address: tuple[str, str, str] = ("", "", "")
) -> Place:
    """Resolve as :func:`place_of` a number of a fixed line or a mobile, in an assigned range, by what decides it.

    ``address``: country, region, postcode. Raises :class:`ZoneRefused`.
    """
    return _place(ordinary_place(country, calling_code, deciding), zone, *address)


def place_without_number(*, zone: str = "", country: str = "", region: str = "", postcode: str = "") -> Place:
    """Resolve where somebody may be of whom no number is known; without zones where that does not tell.

    Raises :class:`ZoneRefused` for a zone or an address that there is not.
    """
    try:
        return _place(NO_NUMBER, zone, country, region, postcode)
    except ZoneRefused as error:
        if error.code != NEEDED:
            raise
    address = address_place(country, region, postcode) if country or region or postcode else None
    return Place(zones=(), jurisdictions=_jurisdictions(NO_NUMBER, "", address), known_by="nothing")


@lru_cache(maxsize=4096)
def jurisdictions_of(number: str) -> tuple[str, ...]:
    """Return the jurisdictions that an E.164 number tells by itself: for numbers of which nothing else is kept."""
    return _jurisdictions(number_place(phonenumbers.parse(number)), "", None)


def _place(told: NumberPlace, zone: str, country: str, region: str, postcode: str) -> Place:
    address = address_place(country, region, postcode) if country or region or postcode else None
    if zone and known_zone(zone) is None:
        raise ZoneRefused(f"there is no time zone {zone!r}; give an IANA name: {similar_zones(zone)}")
    names, known_by = _zones(told, zone, address)
    return Place(zones=names, jurisdictions=_jurisdictions(told, zone, address), known_by=known_by)


@lru_cache(maxsize=4096)
def number_zones_of(number: str) -> tuple[str, ...]:
    """Return every zone that an E.164 number by itself may be in; empty when it tells none."""
    return number_place(phonenumbers.parse(number)).zones


def _zones(told: NumberPlace, zone: str, address: AddressPlace | None) -> tuple[tuple[str, ...], KnownBy]:
    if zone:
        return (zone,), "zone"
    if address is not None:
        if not address.narrow and told.zones != address.zones and address.country in with_others(told.countries):
            # The country alone was given, and the number tells where in it.
            return told.zones or address.zones, "number" if told.zones else "address"
        if not address.zones:
            detail = "the address tells no time zone (military mail, an uninhabited place); give zone"
            raise ZoneRefused(detail, code=NEEDED)
        return address.zones, "address"
    if not told.zones:
        raise ZoneRefused(f"the number does not tell its time zone; {SUPPLY}", code=NEEDED)
    return told.zones, "number"


def _jurisdictions(told: NumberPlace, zone: str, address: AddressPlace | None) -> tuple[str, ...]:
    codes = set(told.jurisdictions)
    if address is not None:
        codes |= set(address.jurisdictions)
    if len(told.countries) > 1:
        # The number may be of several countries: take those that address or zone confirm.
        named = codes | set(countries_in(zone)[:1] if zone else ())
        codes |= named & set(told.countries) or set(told.countries[:1])
    if zone and not sharing_time(zone) & with_others(codes):
        codes |= set(countries_in(zone))
    codes = with_others(codes)
    if STATEFUL in codes:
        codes |= _state(codes, zone)
    return tuple(sorted(codes))


def _state(codes: set[str], zone: str) -> set[str]:
    """Tell the state by the contact's own zone where that lies in one alone, or say that no state is known.

    A zone says which clock the customer lives by. One that is not the number's state's names no other state, so that
    state's rules stay and none are added: the address is what names a state, and it always counts.
    """
    by_zone = countries_table().only_in.get(links().get(zone, zone))
    if by_zone:
        return {by_zone}
    known = any(code.startswith(f"{STATEFUL}-") for code in codes)
    return set() if known else {SOME_STATE}
