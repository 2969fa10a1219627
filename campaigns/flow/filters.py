"""The filters of templates: how a value that came as text is understood and said.

A value that a filter cannot read is said as it stands; a filter never fails in a call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from campaigns.flow.spoken import SPOKEN, Spoken

_MONEY = re.compile(
    r"\s*(?P<before>[A-Z]{3}|[$€£¥￥])?\s*(?P<amount>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,12}(?:\.\d{1,2})?)\s*(?P<after>[A-Z]{3}|[$€£元])?\s*"
)
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "￥": "CNY", "元": "CNY"}
_WINDOW = re.compile(r"\s*(\d{1,2}(?::\d{2})?)\s*(?:-|–|to|/)\s*(\d{1,2}(?::\d{2})?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to speak: in which language, and from which moment "tomorrow" counts."""

    language: str
    now: datetime

    @property
    def spoken(self) -> Spoken:
        """The language's way of saying values."""
        return SPOKEN[self.language]


def money_of(value: str) -> tuple[Decimal, str] | None:
    """Read ``49.90 USD``, ``$49.90`` or ``49.90``: the amount and its ISO 4217 code (or nothing)."""
    found = _MONEY.fullmatch(value)
    if found is None:
        return None
    currency = found["before"] or found["after"] or ""
    return Decimal(found["amount"].replace(",", "")), _SYMBOLS.get(currency, currency)


def date_of(value: str) -> date | None:
    """Read ``2026-12-05``, also at the front of an instant."""
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def time_of(value: str) -> time | None:
    """Read ``9``, ``09:00`` or the clock of an instant."""
    value = value.strip()
    if "T" in value:
        moment = moment_of(value)
        return moment.time() if moment else None
    hour, _, minute = value.partition(":")
    if hour.isascii() and hour.isdigit() and ((minute.isascii() and minute.isdigit()) or not minute):
        return time(int(hour), int(minute or 0)) if int(hour) < 24 and int(minute or 0) < 60 else None
    return None


def moment_of(value: str) -> datetime | None:
    """Read an RFC 3339 instant."""
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


def window_of(value: str) -> tuple[time, time] | None:
    """Read ``9:00-12:00``."""
    found = _WINDOW.fullmatch(value)
    start, end = (time_of(found[1]), time_of(found[2])) if found else (None, None)
    return (start, end) if start and end else None


def _money(value: str, argument: str, manner: Manner) -> str:
    read = money_of(value)
    return manner.spoken.money(read[0], read[1] or argument) if read else value


def _number(value: str, argument: str, manner: Manner) -> str:
    plain = value.strip().replace(",", "")
    readable = plain.isascii() and plain.removeprefix("-").isdigit() and len(plain) <= 12
    return manner.spoken.number(int(plain)) if readable else value


def _digits(value: str, argument: str, manner: Manner) -> str:
    return manner.spoken.digits(value) or value


def _phone(value: str, argument: str, manner: Manner) -> str:
    """Say a telephone number; ``argument`` is the country code that callers at home leave out."""
    return manner.spoken.digits(value.strip().removeprefix(f"+{argument or '1'}")) or value


def _spell(value: str, argument: str, manner: Manner) -> str:
    return manner.spoken.spell(value) or value


def _date(value: str, argument: str, manner: Manner) -> str:
    read = date_of(value)
    return manner.spoken.on_date(read, manner.now.date()) if read else value


def _day(value: str, argument: str, manner: Manner) -> str:
    read = date_of(value)
    return manner.spoken.day(read, manner.now.date()) if read else value


def _weekday(value: str, argument: str, manner: Manner) -> str:
    """Say the day of the week; ``argument`` is another word for week (周), where the language has several."""
    read = date_of(value)
    return manner.spoken.weekday(read, argument) if read else value


def _time(value: str, argument: str, manner: Manner) -> str:
    read = time_of(value)
    return manner.spoken.clock(read) if read else value


def _window(value: str, argument: str, manner: Manner) -> str:
    read = window_of(value)
    return manner.spoken.window(*read) if read else value


def _moment(value: str, argument: str, manner: Manner) -> str:
    read = moment_of(value)
    if read is None or not 2000 < read.year < 3000:
        return value
    return manner.spoken.moment(read.astimezone(manner.now.tzinfo) if read.tzinfo else read, manner.now)


def _default(value: str, argument: str, manner: Manner) -> str:
    return value or argument


def _text(value: str, argument: str, manner: Manner) -> str:
    return value


FILTERS: Mapping[str, Callable[[str, str, Manner], str]] = {
    "date": _date,
    "day": _day,
    "default": _default,
    "digits": _digits,
    "moment": _moment,
    "money": _money,
    "number": _number,
    "phone": _phone,
    "spell": _spell,
    "text": _text,
    "time": _time,
    "weekday": _weekday,
    "window": _window,
}
"""Name -> (value, argument, manner) -> words."""

READERS: Mapping[str, Callable[[str], object | None]] = {
    "date": date_of,
    "day": date_of,
    "moment": moment_of,
    "money": money_of,
    "time": time_of,
    "window": window_of,
}
"""Variable types whose values must be readable, and what reads them."""
