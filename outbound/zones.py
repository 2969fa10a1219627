"""Time zones: the copy of the tz database that is used is PyPI's ``tzdata``, never the system's, which may be older."""

from __future__ import annotations

import zoneinfo
from functools import cache

from campaigns.gate import Zone

zoneinfo.reset_tzpath(to=())


@cache
def zone(name: str) -> Zone | None:
    """Resolve an IANA name; ``None`` when it is not one (then nobody in it is called)."""
    try:
        return Zone(name=name, tz=zoneinfo.ZoneInfo(name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zones(names: list[str]) -> tuple[Zone, ...]:
    """Resolve all names; empty (unknown) when any of them is not known."""
    found = [zone(name) for name in names]
    return tuple(item for item in found if item is not None) if all(found) else ()
