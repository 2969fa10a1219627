"""The time zones a number may be in: candidates only, from the number plan and a table of its known faults.

It never guesses one zone where several are possible: every candidate must allow the call.
"""

from __future__ import annotations

import difflib
from functools import cache, lru_cache
from importlib.resources import files

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType
from phonenumbers import timezone as number_zones

from outbound.zones import zone

UNKNOWN = "Etc/Unknown"
PLACELESS = frozenset({PhoneNumberType.TOLL_FREE, PhoneNumberType.UNKNOWN, PhoneNumberType.VOIP})
"""Types whose numbers may be anywhere: only the contact's own zone counts."""

FAULTS: dict[str, tuple[str, ...]] = {
    "212": ("Africa/Casablanca", "Africa/El_Aaiun"),
    "213": ("Africa/Algiers",),
    "1219": ("America/Chicago", "America/Indiana/Indianapolis"),
    "1270": ("America/Chicago", "America/Kentucky/Louisville"),
    "1364": ("America/Chicago", "America/Kentucky/Louisville"),
    "1850": ("America/Chicago", "America/New_York"),
    "1867": ("America/Whitehorse", "America/Yellowknife", "America/Inuvik", "America/Rankin_Inlet", "America/Iqaluit"),
    "1931": ("America/Chicago", "America/New_York"),
    "628": ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"),
    "643301": ("Pacific/Auckland", "Pacific/Chatham"),
}
"""Prefixes (without ``+``) for which the number data names a wrong zone or only one of several; longest wins."""
_LONGEST = max(map(len, FAULTS))


def candidate_zones(number: PhoneNumber) -> tuple[str, ...]:
    """Return every zone ``number`` may be in; empty when nothing can be said."""
    if phonenumbers.number_type(number) in PLACELESS:
        return ()
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    for length in range(_LONGEST, 2, -1):
        if digits[:length] in FAULTS:
            return FAULTS[digits[:length]]
    found = tuple(number_zones.time_zones_for_number(number))
    return () if UNKNOWN in found or not all(zone(name) for name in found) else found


@cache
def zone_names() -> tuple[str, ...]:
    """All IANA names of the tz database in use."""
    return tuple((files("tzdata") / "zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=512)
def similar_zones(name: str) -> str:
    """Name up to three zones that ``name`` may have meant, for an error's remedy."""
    wanted = name.replace(" ", "_").casefold()
    by_key = _zones_by_key()
    matches = difflib.get_close_matches(wanted, by_key, n=3, cutoff=0.7)
    return ", ".join(dict.fromkeys(by_key[key] for key in matches)) or "such as Europe/London or America/New_York"


@cache
def _zones_by_key() -> dict[str, str]:
    """Zones by their whole name and by its last part, in small letters."""
    by_key: dict[str, str] = {}
    for known in zone_names():
        by_key.setdefault(known.rpartition("/")[2].casefold(), known)
        by_key[known.casefold()] = known
    return by_key
