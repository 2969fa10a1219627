"""Calling rules as data: one TOML file per jurisdiction, read once from the package; decides nothing itself."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60


class RulesError(Exception):
    """A rule pack cannot be read; the message names the file, the key and the remedy. Nobody is reached on a guess."""

    code = "rules_unreadable"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Allowed local wall-clock time on some weekdays."""

    days: frozenset[int]
    """0 is Monday, as in ``datetime.weekday``."""
    start_minute: int
    """Minutes after midnight, inclusive."""
    end_minute: int
    """Exclusive; not above ``start_minute`` when the window crosses midnight into the next day."""

    def holds(self, weekday: int, minute: int) -> bool:
        """Whether a local weekday and minute of the day lie inside."""
        if self.start_minute < self.end_minute:
            return weekday in self.days and self.start_minute <= minute < self.end_minute
        return (weekday in self.days and minute >= self.start_minute) or (
            (weekday - 1) % 7 in self.days and minute < self.end_minute
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingCap:
    """At most ``attempts`` to one number within any ``hours`` hours, over all campaigns."""

    attempts: int
    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePack:
    """The rules of one jurisdiction."""

    name: str
    version: str
    source: str
    windows: tuple[Window, ...]
    caps: tuple[RollingCap, ...]
    consent_for_marketing: str
    """The least consent a marketing call with an artificial voice needs: ``none``, ``express``, ``express_written``."""

    @property
    def id(self) -> str:
        """Name and version, as receipts cite it."""
        return f"{self.name}@{self.version}"


def minute_of_day(text: str) -> int:
    """Read ``HH:MM`` (``24:00`` is the end of the day) as minutes after midnight. Raises ``ValueError``."""
    hours, separator, minutes = text.partition(":")
    if not separator or not hours.isdigit() or not minutes.isdigit():
        raise ValueError(f"{text!r} is not HH:MM")
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > MINUTES_A_DAY:
        raise ValueError(f"{text!r} is not a time of day")
    return value


def parse_window(days: list[str], start: str, end: str) -> Window:
    """Build a window from day names and wall-clock times. Raises ``ValueError`` that names what is wrong."""
    unknown = [day for day in days if day not in DAYS]
    if unknown or not days:
        raise ValueError(f"days {unknown or days} must be some of {', '.join(DAYS)}")
    begin, finish = minute_of_day(start), minute_of_day(end)
    if begin == finish:
        raise ValueError(f"window {start}-{end} is empty; for a whole day write 00:00-24:00")
    return Window(days=frozenset(DAYS.index(day) for day in days), start_minute=begin, end_minute=finish)


def parse_pack(text: str, *, source: str) -> RulePack:
    """Parse a rule pack. Raises :class:`RulesError` naming the file and the key."""
    try:
        data = tomllib.loads(text)
        return RulePack(
            name=str(data["name"]),
            version=str(data["version"]),
            source=str(data["source"]),
            windows=tuple(parse_window(item["days"], item["start"], item["end"]) for item in data["windows"]),
            caps=tuple(RollingCap(attempts=int(c["attempts"]), hours=float(c["hours"])) for c in data["caps"]),
            consent_for_marketing=str(data["consent_for_marketing"]),
        )
    except KeyError as error:
        raise RulesError(f"{source}: key {error} is missing; add it as in campaigns/rules/default.toml") from error
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise RulesError(f"{source}: {error}; correct the file") from error


@cache
def load_pack(name: str) -> RulePack:
    """Load a pack of this package by its file name. Raises :class:`RulesError` when it is absent or unreadable."""
    folder = files("campaigns.rules")
    path = folder / f"{name}.toml"
    if not path.is_file():
        known = sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))
        raise RulesError(f"there is no rule pack {name!r}; known are {', '.join(known)}")
    return parse_pack(path.read_text(encoding="utf-8"), source=f"{name}.toml")
