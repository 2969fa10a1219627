"""What a postcode tells: subdivisions and zones; from the package zipcodes for the US, from tables elsewhere.

Countries without a table are not checked: their postcodes tell nothing that the country does not.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache

import zipcodes

from outbound.places.refusal import ZoneRefused
from outbound.places.tables import postcode_tables
from outbound.places.timezones import zone, zones_of

_ALLOWED = re.compile(r"[A-Z0-9]+")
_SEPARATORS = re.compile(r"[\s.\-]+")
MILITARY = frozenset({"AA", "AE", "AP"})
"""Where the US post carries what is addressed to soldiers and ships abroad."""
FREELY_ASSOCIATED = frozenset({"FM", "MH", "PW"})
"""Countries of their own that the US post serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostcodePlace:
    """Where a postcode is."""

    subdivisions: tuple[str, ...]
    """ISO 3166-2, or 3166-1 where the post serves another country."""
    zones: tuple[str, ...]
    """All candidates."""
    placeless: bool = False
    """Whether it is an address that is at no place (military mail)."""


def postcode_place(country: str, text: str) -> PostcodePlace | None:
    """Look a postcode up; ``None`` when nothing is known of it. Raises :class:`ZoneRefused` for what is none."""
    code = _SEPARATORS.sub("", text.strip().upper())
    if len(code) > 10 or not _ALLOWED.fullmatch(code):
        detail = f"{text.strip()[:20]!r} is not a postcode; correct postcode, or give region in its stead"
        raise ZoneRefused(detail, code="postcode_unknown", field="postcode")
    table = postcode_tables().get(country)
    if table is None:
        return None
    if country == "US":
        return _zip_code(code.zfill(table.digits)[:5])
    code = code.zfill(table.digits)
    subdivisions = table.subdivisions_of(code)
    zones = table.zones_of(code) or zones_of(subdivisions)
    return PostcodePlace(subdivisions=subdivisions, zones=zones) if subdivisions or zones else None


def _zip_code(code: str) -> PostcodePlace | None:
    """Look up a ZIP code of five digits; ``None`` when there is none."""
    counties = _counties_by_zip().get(code, ())
    states = {state for state, _ in counties}
    if not states:
        return None
    if states <= MILITARY:
        return PostcodePlace(subdivisions=(), zones=(), placeless=True)
    names = set(postcode_tables()["US"].zones_of(code))
    for state, county in counties:
        names |= _zones_by_county()[state, county] or set(zones_of((f"US-{state}",)))
    codes = tuple(sorted(state if state in FREELY_ASSOCIATED else f"US-{state}" for state in states))
    return PostcodePlace(subdivisions=codes, zones=tuple(sorted(names)))


@cache
def _counties_by_zip() -> dict[str, tuple[tuple[str, str], ...]]:
    """ZIP code -> states and counties; the package itself goes through all of its rows for each code."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in zipcodes.filter_by():
        place = (sys.intern(row["state"]), sys.intern(row["county"]))
        found[row["zip_code"]] = (*found.get(row["zip_code"], ()), place)
    return found


@cache
def _zones_by_county() -> dict[tuple[str, str], set[str]]:
    """State and county -> every zone: counties and ZIP codes are cut differently, and each row has one zone only."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in zipcodes.filter_by():
        names = found.setdefault((row["state"], row["county"]), set())
        if zone(row["timezone"]) is not None:
            names.add(row["timezone"])
    return found
