"""Countries and their regions as people write them: codes, names in the local language, with or without accents.

Names are ISO 3166's, from the package pycountry. Unknown names are refused with the nearest, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import pycountry

from outbound.places.refusal import ZoneRefused, nearest
from outbound.places.tables import countries_table
from outbound.places.timezones import zones_in

_LETTERS = re.compile(r"[^a-z0-9]+")
_VARIANTS = re.compile(r"[\[\]/;*()]")


@lru_cache(maxsize=2048)
def country_code(text: str) -> str:
    """Read a country: alpha-2, alpha-3 or name. Raises :class:`ZoneRefused` with the nearest."""
    found = _countries().get(_plain(text))
    if found is None:
        shown = text.strip()[:40]
        names = [country.name for country in pycountry.countries]
        remedy = nearest(text.strip(), names, example="an ISO 3166-1 code, such as US or GB")
        raise ZoneRefused(f"there is no country {shown!r}; {remedy}", code="country_unknown", field="country")
    return found


def is_place(code: str) -> bool:
    """Whether ``code`` (``FR``, ``US-FL``) names a country or a part of one."""
    if "-" in code:
        return pycountry.subdivisions.get(code=code) is not None
    return code in _countries().values()


@lru_cache(maxsize=8192)
def region_codes(country: str, text: str) -> tuple[str, ...]:
    """Read a region of ``country``: its ISO 3166-2 code, then those of what it is part of.

    ``FL``, ``US-FL`` and ``florida`` are the same. Raises :class:`ZoneRefused` with the nearest.
    """
    known = _regions(country)
    found = known.get(_plain(text))
    if found is None:
        names = [part.name for part in pycountry.subdivisions.get(country_code=country) or ()]
        example = f"an ISO 3166-2 code, such as {country}-{_example(country)}" if names else "none: it has no regions"
        remedy = nearest(text.strip(), names, example=example)
        shown = text.strip()[:40]
        raise ZoneRefused(f"{country} has no region {shown!r}; {remedy}", code="region_unknown", field="region")
    codes = [found]
    while parent := getattr(pycountry.subdivisions.get(code=codes[-1]), "parent_code", None):
        codes.append(parent)
    return tuple(codes)


@cache
def _countries() -> dict[str, str]:
    found: dict[str, str] = {}
    for country in pycountry.countries:
        names = (getattr(country, name, "") for name in ("name", "official_name", "common_name"))
        for name in (country.alpha_2, country.alpha_3, *names):
            found.setdefault(_plain(name), country.alpha_2)
    for code in countries_table().zones:
        if zones_in(code):
            found.setdefault(_plain(code), code)
    return found | {"uk": "GB"}


@cache
def _regions(country: str) -> dict[str, str]:
    """Regions by every way of writing them; of two with one name the larger wins."""
    found: dict[str, str] = {}
    parts = pycountry.subdivisions.get(country_code=country) or ()
    for part in sorted(parts, key=lambda part: (part.parent_code is not None, part.code)):
        found.setdefault(_plain(part.code), part.code)
        found.setdefault(_plain(part.code.partition("-")[2]), part.code)
    for part in sorted(parts, key=lambda part: (part.parent_code is not None, part.code)):
        for name in _VARIANTS.split(part.name):
            first, _, rest = name.partition(",")
            for written in (name, first, f"{rest} {first}"):
                if key := _plain(written):
                    found.setdefault(key, part.code)
    return found


def _example(country: str) -> str:
    first: str = min(part.code for part in pycountry.subdivisions.get(country_code=country) or ())
    return first.partition("-")[2]


@lru_cache(maxsize=16384)
def _plain(text: str) -> str:
    """Small letters and digits only: accents, spaces and punctuation do not count."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return _LETTERS.sub("", "".join(letter for letter in decomposed if not unicodedata.combining(letter)))
