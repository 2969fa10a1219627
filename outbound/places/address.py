"""What a postal address tells of where a contact is: country, region and postcode, each checked, none guessed.

It knows no streets: a region or a postcode is enough to tell zone and jurisdiction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from outbound.places.postcodes import postcode_place
from outbound.places.refusal import ZoneRefused
from outbound.places.regions import country_code, region_codes
from outbound.places.tables import subdivision_zones
from outbound.places.timezones import zones_in


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPlace:
    """Where an address is."""

    country: str
    """ISO 3166-1."""
    zones: tuple[str, ...]
    """All candidates; empty for addresses that are not at a place (military mail)."""
    jurisdictions: tuple[str, ...]
    """Country, subdivisions and those they are part of."""
    narrow: bool
    """Whether region or postcode told the zones, rather than the country alone."""


@lru_cache(maxsize=65536)
def address_place(country: str, region: str, postcode: str) -> AddressPlace:
    """Resolve an address of which any part may be empty. Raises :class:`ZoneRefused` naming the part and the remedy."""
    if not country and region[2:3] == "-":
        country = region[:2]
    if not country:
        detail = "the address has no country; give country as ISO 3166-1, such as US"
        raise ZoneRefused(detail, code="country_needed", field="country")
    code = country_code(country)
    parts = region_codes(code, region) if region.strip() else ()
    found = postcode_place(code, postcode) if postcode.strip() else None
    if found is None and not parts and postcode.strip() and code == "US":
        detail = f"there is no ZIP code {postcode.strip()[:12]!r}; correct postcode, or give region (the state)"
        raise ZoneRefused(detail, code="postcode_unknown", field="postcode")
    if found and found.placeless:
        return AddressPlace(country=code, zones=(), jurisdictions=(code, *parts), narrow=True)
    by_region, by_postcode = _zones_of(code, parts), found.zones if found else ()
    codes = found.subdivisions if found else ()
    if by_postcode and (not by_region or set(codes) & set(parts)):
        zones = by_postcode
    else:
        # Region and postcode disagree, or one of them says nothing: whatever either allows.
        zones = tuple(dict.fromkeys([*by_postcode, *by_region]))
    jurisdictions = tuple(dict.fromkeys([code, *parts, *codes]))
    return AddressPlace(country=code, zones=zones or zones_in(code), jurisdictions=jurisdictions, narrow=bool(zones))


def _zones_of(country: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the zones of the smallest known part; empty when it is not known where in the country it is."""
    known, everywhere = subdivision_zones(), zones_in(country)
    inside = next((known[part] for part in parts if part in known), ())
    return inside or (everywhere if parts and len(everywhere) == 1 else ())
