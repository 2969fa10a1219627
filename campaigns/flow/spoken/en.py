"""How values are said in English.

It knows nothing of templates or calls.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_UNITS = _UNIT_WORDS.split()
_TEN_WORDS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = _TEN_WORDS.split()
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTH_WORDS = "January February March April May June July August September October November December"
_MONTHS = _MONTH_WORDS.split()
_CURRENCIES = {
    "": ("dollar", "dollars", "cent", "cents"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "CAD": ("dollar", "dollars", "cent", "cents"),
    "AUD": ("dollar", "dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "JPY": ("yen", "yen", "sen", "sen"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
}


def number(value: int) -> str:
    """Say a whole number: 1234 -> one thousand two hundred thirty-four."""
    if value < 0:
        return f"minus {number(-value)}"
    if value < 20:
        return _UNITS[value]
    if value < 100:
        tens, unit = divmod(value, 10)
        return _TENS[tens] + (f"-{_UNITS[unit]}" if unit else "")
    scale, name = next((scale, name) for scale, name in _SCALES if value >= scale)
    head, rest = divmod(value, scale)
    return f"{number(head)} {name}" + (f" {number(rest)}" if rest else "")


def ordinal(value: int) -> str:
    """Say a rank: 21 -> twenty-first."""
    head, mark, last = number(value).rpartition("-")
    regular = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return head + mark + _ORDINALS.get(last, regular)


def money(amount: Decimal, currency: str) -> str:
    """Say an amount: 49.90 USD -> forty-nine dollars and ninety cents."""
    one, many, small_one, small_many = _CURRENCIES.get(currency, (currency, currency, "", ""))
    whole, small = divmod(int((amount * 100).to_integral_value()), 100)
    said = f"{number(whole)} {one if whole == 1 else many}"
    if not small:
        return said
    if not small_many:
        return f"{number(whole)} point {digits(f'{small:02d}')} {many}"
    cents = f"{number(small)} {small_one if small == 1 else small_many}"
    return f"{said} and {cents}" if whole else cents


def digits(value: str) -> str:
    """Say digits one by one, in threes and a last four: 5550123 -> five five five, zero one two three."""
    figures = [_UNITS[int(character)] for character in value if character in "0123456789"]
    groups: list[str] = []
    while figures:
        size = len(figures) if len(figures) <= 4 else 3
        groups.append(" ".join(figures[:size]))
        figures = figures[size:]
    return ", ".join(groups)


def spell(value: str) -> str:
    """Say letters and digits one by one."""
    characters = (_UNITS[int(c)] if c in "0123456789" else c.upper() for c in value if c.isalnum())
    return ", ".join(characters)


def on_date(value: date, today: date) -> str:
    """Say a date: December fifth."""
    said = f"{_MONTHS[value.month - 1]} {ordinal(value.day)}"
    return said if abs((value - today).days) < 300 else f"{said}, {_year(value.year)}"


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if year < 2010 or rest == 0:
        return number(year)
    return f"{number(century)} {number(rest) if rest > 9 else 'oh ' + number(rest)}"


def weekday(value: date, week: str = "") -> str:
    """Say the day of the week: Thursday."""
    return _WEEKDAYS[value.weekday()]


def day(value: date, today: date) -> str:
    """Say a day: today, tomorrow, Thursday, or Thursday, December third."""
    ahead = (value - today).days
    if ahead in {0, 1}:
        return ("today", "tomorrow")[ahead]
    name = weekday(value)
    return name if 1 < ahead < 7 else f"{name}, {on_date(value, today)}"


def clock(value: time) -> str:
    """Say a time: noon, three PM, three thirty PM."""
    if value.minute == 0 and value.hour in {0, 12}:
        return "noon" if value.hour else "midnight"
    return f"{_bare(value)} {'PM' if value.hour >= 12 else 'AM'}"


def _bare(value: time) -> str:
    said = number((value.hour - 1) % 12 + 1)
    if not value.minute:
        return said
    return f"{said} {'oh ' if value.minute < 10 else ''}{number(value.minute)}"


def window(start: time, end: time) -> str:
    """Say a stretch of time, to follow "between": nine AM and noon, two and four PM."""
    same_half = (start.hour < 12) == (end.hour < 12) and not {start, end} & {time(0), time(12)}
    return f"{_bare(start) if same_half else clock(start)} and {clock(end)}"


def moment(value: datetime, now: datetime) -> str:
    """Say a day and time: tomorrow at three PM, on Thursday at ten AM."""
    said = day(value.date(), now.date())
    near = value.date() - now.date() in {timedelta(0), timedelta(1)}
    return f"{'' if near else 'on '}{said} at {clock(value.time())}"
