"""Reads the tables beside it, once: what prefixes of numbers and postcodes tell, zones of subdivisions, countries.

The tables correct and complete the data of packages; each correction says why in the table.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_RANGE = re.compile(r"([A-Z]?)(\d+)-\1(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixTable:
    """What the beginning of a number or a postcode tells; the longest entry wins."""

    subdivisions: Mapping[str, tuple[str, ...]]
    """It may be in any of these: ISO 3166-2, or 3166-1 where the subdivision is a country of its own."""
    zones: Mapping[str, tuple[str, ...]]
    """Zones where they are not simply those of the subdivisions."""
    digits: int = 0
    """Length of a whole postcode, for those that lost leading zeros."""

    def subdivisions_of(self, code: str) -> tuple[str, ...]:
        """Return where ``code`` may be; empty when the table does not say."""
        return self.subdivisions.get(_longest(self.subdivisions, code), ())

    def zones_of(self, code: str) -> tuple[str, ...]:
        """Return the zones of ``code`` where they are not simply those of its subdivisions; else empty."""
        prefix = _longest(self.zones, code)
        return () if len(prefix) < len(_longest(self.subdivisions, code)) else self.zones.get(prefix, ())

    def known_beginning(self, code: str) -> str:
        """Return the longest beginning of ``code`` that either of them knows: what comes behind it tells no more."""
        return max(_longest(self.subdivisions, code), _longest(self.zones, code), key=len)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountriesTable:
    """Countries that need correcting."""

    zones: Mapping[str, tuple[str, ...]]
    """Country -> its zones, where the tz database's list is not what is wanted."""
    also: Mapping[str, tuple[str, ...]]
    """Country or subdivision -> other codes whose rules hold there too."""
    called: Mapping[str, str]
    """The number data's own codes -> ISO 3166-1."""
    only_in: Mapping[str, str]
    """Zone -> the one state it lies in."""


@cache
def number_tables() -> dict[str, PrefixTable]:
    """Tables by calling code."""
    return _prefix_tables("nanp.toml") | _prefix_tables("numbers.toml")


@cache
def postcode_tables() -> dict[str, PrefixTable]:
    """Tables by country."""
    return _prefix_tables("postcodes.toml")


@cache
def countries_table() -> CountriesTable:
    """Corrections of countries."""
    data = _read("countries.toml")
    return CountriesTable(
        zones={country: tuple(names.split()) for country, names in data["zones"].items()},
        also={code: tuple(others.split()) for code, others in data["also"].items()},
        called=data["called"],
        only_in=data["only_in"],
    )


@cache
def subdivision_zones() -> dict[str, tuple[str, ...]]:
    """Zones by subdivision (ISO 3166-2), in countries of several zones."""
    data = _read("subdivisions.toml").items()
    return {f"{country}-{part}": tuple(names.split()) for country, parts in data for part, names in parts.items()}


def with_others(codes: Iterable[str]) -> set[str]:
    """Add the codes whose rules hold there too: ``PR`` is ``US`` and ``US-PR`` as well."""
    also = countries_table().also
    return {code for own in codes for code in (own, *also.get(own, ()))}


def _prefix_tables(file: str) -> dict[str, PrefixTable]:
    tables: dict[str, PrefixTable] = {}
    for key, part in _read(file).items():
        places: dict[str, tuple[str, ...]] = {}
        for code, prefixes in part.get("subdivisions", {}).items():
            for prefix in _expand(prefixes):
                places[prefix] = (*places.get(prefix, ()), code)
        zones = {
            prefix: tuple(entry["zones"].split())
            for entry in part.get("zones", ())
            for prefix in _expand(entry["codes"])
        }
        tables[key] = PrefixTable(subdivisions=places, zones=zones, digits=part.get("digits", 0))
    return tables


def _expand(text: str) -> Iterator[str]:
    """Yield prefixes; ``35-38`` stands for four of them, ``V3-V5`` for three."""
    for item in text.split():
        found = _RANGE.fullmatch(item)
        if found is None:
            yield item
            continue
        letter, first, last = found.groups()
        for number in range(int(first), int(last) + 1):
            yield f"{letter}{number:0{len(first)}}"


def _longest(entries: Mapping[str, tuple[str, ...]], code: str) -> str:
    for length in range(min(len(code), 6), 0, -1):
        if code[:length] in entries:
            return code[:length]
    return ""


def _read(file: str) -> dict[str, Any]:
    return tomllib.loads((files("outbound.places") / file).read_text(encoding="utf-8"))
