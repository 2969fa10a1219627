"""How old the tz database in use is: laws on clocks change several times a year, and an old copy calls at wrong hours.

It compares and tells; whoever asks raises the alarm.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import tzdata

SYSTEM = Path("/usr/share/zoneinfo")
JULY = 7
REMEDY = "install a newer tzdata (make lock UPGRADE=1, then make install)"
_VERSION = re.compile(r"(?:# version )?(\d{4}[a-z]+)")


def tzdata_version() -> str:
    """IANA's version of the tz database in use, such as ``2026f``."""
    return str(tzdata.IANA_VERSION)


def tzdata_age(now: datetime, *, system: Path = SYSTEM) -> str | None:
    """Say in a sentence with the remedy why the tz database in use is too old; ``None`` when it is not."""
    ours = tzdata_version()
    theirs = _system_version(system)
    if theirs is not None and theirs > ours:
        return f"the tz database in use is {ours} and the system has {theirs}; {REMEDY}"
    year = int(ours[:4])
    if now.year > year + 1 or (now.year > year and now.month >= JULY):
        return f"the tz database in use is {ours}, of an earlier year; {REMEDY}"
    return None


def _system_version(folder: Path) -> str | None:
    """Read the version of the system's copy; ``None`` where there is none or it does not say."""
    for name in ("tzdata.zi", "+VERSION"):
        try:
            with (folder / name).open(encoding="utf-8") as file:
                found = _VERSION.match(file.readline())
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found[1]
    return None
