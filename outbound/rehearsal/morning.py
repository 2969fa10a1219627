"""A time zone in which it is mid-morning now: the rules on calling hours hold in a rehearsal as they do outside."""

from __future__ import annotations

from datetime import datetime, timedelta

MORNING_HOUR = 10
"""From 10:00 to 10:59: inside 09:00-20:00 with hours to spare on either side."""


def morning_zone(now_utc: datetime) -> tuple[str, datetime]:
    """Return an IANA zone and its wall-clock time. The signs of Etc/GMT zones are inverted: Etc/GMT-3 is UTC+3."""
    offset = MORNING_HOUR - now_utc.hour
    if offset < -12:
        offset += 24
    zone = "Etc/GMT" if offset == 0 else f"Etc/GMT{-offset:+d}"
    return zone, (now_utc + timedelta(hours=offset)).replace(tzinfo=None)
