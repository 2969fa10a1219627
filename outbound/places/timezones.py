"""Time zones: the copy of the tz database that is used is PyPI's ``tzdata``, never the system's, which may be older."""

from __future__ import annotations

import difflib
import zoneinfo
from collections import defaultdict
from functools import cache, lru_cache
from importlib.resources import files

from campaigns.gate import Zone
from outbound.places.tables import countries_table, subdivision_zones

zoneinfo.reset_tzpath(to=())
NOWHERE = frozenset({"Factory"})
"""Names in the database that are not the time of any place."""


@cache
def zone(name: str) -> Zone | None:
    """Resolve an IANA name; ``None`` when it is not one (then nobody in it is called)."""
    if name in NOWHERE:
        return None
    try:
        return Zone(name=name, tz=zoneinfo.ZoneInfo(name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zones(names: list[str]) -> tuple[Zone, ...]:
    """Resolve all names; empty (unknown) when any of them is not known."""
    found = [zone(name) for name in names]
    return tuple(item for item in found if item is not None) if all(found) else ()


@cache
def zone_names() -> tuple[str, ...]:
    """All IANA names of the tz database in use, those kept for backward compatibility among them."""
    names = (files("tzdata") / "zones").read_text(encoding="ascii").split()
    return tuple(name for name in names if name not in NOWHERE)


@cache
def links() -> dict[str, str]:
    """Name kept for backward compatibility -> the zone it stands for now."""
    source = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="ascii")
    pairs = (line.split() for line in source.splitlines() if line.startswith("L "))
    return {name: target for _, target, name in pairs}


@cache
def zones_in(country: str) -> tuple[str, ...]:
    """Return the zones of a country (ISO 3166-1); empty when the tz database knows none."""
    return countries_table().zones.get(country) or tuple(
        name for name, countries in _places("zone.tab").items() if country in countries
    )


@cache
def zones_of(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the zones of all countries and subdivisions; empty when those of any are not known."""
    known = subdivision_zones()
    each = [known.get(code) or (() if "-" in code else zones_in(code)) for code in codes]
    return tuple(dict.fromkeys(name for names in each for name in names)) if all(each) else ()


@cache
def countries_in(name: str) -> tuple[str, ...]:
    """Return every country whose time a zone keeps: the one it is named for comes first.

    Empty for names that are no place's (``UTC``, ``EST``), although the database links some of them to a zone.
    """
    if "/" not in name or name.startswith("Etc/"):
        return ()
    own, shared = _places("zone.tab"), _places("zone1970.tab")
    main = links().get(name, name)
    return tuple(dict.fromkeys([*own.get(name, own.get(main, ())), *shared.get(name, ())]))


@cache
def sharing_time(name: str) -> frozenset[str]:
    """Every country that keeps the time of ``name``, by whichever of its names."""
    main = links().get(name, name)
    return frozenset(countries_in(name)) | frozenset(_places("zone1970.tab").get(main, ()) if "/" in name else ())


@lru_cache(maxsize=512)
def similar_zones(name: str) -> str:
    """Name up to three zones that ``name`` may have meant, for an error's remedy."""
    wanted = name.replace(" ", "_").casefold()
    by_key = _zones_by_key()
    matches = difflib.get_close_matches(wanted, by_key, n=3, cutoff=0.7)
    return ", ".join(dict.fromkeys(by_key[key] for key in matches)) or "such as Europe/London or America/New_York"


@cache
def _places(table: str) -> dict[str, tuple[str, ...]]:
    """Zone -> countries, in the order of the table."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for line in (files("tzdata") / "zoneinfo" / table).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            countries, _, name = line.split("\t")[:3]
            found[name] += tuple(countries.split(","))
    return dict(found)


@cache
def _zones_by_key() -> dict[str, str]:
    """Zones by their whole name and by its last part, in small letters."""
    by_key: dict[str, str] = {}
    for known in zone_names():
        by_key.setdefault(known.rpartition("/")[2].casefold(), known)
        by_key[known.casefold()] = known
    return by_key
