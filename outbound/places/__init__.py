"""Where a contact may be: time zones and jurisdictions, from its own zone, its postal address and its number."""

from outbound.places.number import NANP, WORLD, deciding_digits, iso_country
from outbound.places.place import (
    Place,
    jurisdictions_of,
    number_zones_of,
    place_of,
    place_of_ordinary,
    place_without_number,
)
from outbound.places.refusal import ZoneRefused
from outbound.places.regions import is_place
from outbound.places.timezones import similar_zones, zone, zones
from outbound.places.tzversion import tzdata_age, tzdata_version

__all__ = [
    "NANP",
    "WORLD",
    "Place",
    "ZoneRefused",
    "deciding_digits",
    "is_place",
    "iso_country",
    "jurisdictions_of",
    "number_zones_of",
    "place_of",
    "place_of_ordinary",
    "place_without_number",
    "similar_zones",
    "tzdata_age",
    "tzdata_version",
    "zone",
    "zones",
]
