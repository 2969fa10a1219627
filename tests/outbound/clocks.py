"""Zones that open and close alike, for tests of places."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache

import tzdata


@cache
def clock(name: str) -> tuple[timedelta | None, ...]:
    """UTC offsets over the two years after the tz database was made."""
    tz = zoneinfo.ZoneInfo(name)
    start = datetime(int(tzdata.IANA_VERSION[:4]), 1, 1, tzinfo=UTC)
    return tuple((start + timedelta(days=day)).astimezone(tz).utcoffset() for day in range(0, 730, 5))
