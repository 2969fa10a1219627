"""Values as people say them: digits, codes, days, amounts of money and names; what is not plainly one is empty.

It does not know what a value is for, nor whether it is right: it is said back to the customer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from campaigns.understanding.matcher import understand
from campaigns.understanding.normal import fold, is_unspaced, normalise
from campaigns.understanding.numerals import ENGLISH_TENS, ENGLISH_UNITS, spoken_code
from campaigns.understanding.times import read_time

KINDS = ("digits", "code", "date", "money", "name")
LONGEST_NAME = 5
"""Words of a name."""
_CURRENCIES = {
    "dollar": "USD", "dollars": "USD", "bucks": "USD", "euro": "EUR", "euros": "EUR", "pound": "GBP", "pounds": "GBP",
    "quid": "GBP", "yuan": "CNY",
}  # fmt: skip
_CENTS = frozenset({"cent", "cents", "pence", "penny", "p"})
_FIGURES = re.compile(r"\d+(?:\.\d{1,2})?")
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "￥": "CNY"}
_ZH_NUMBER = "零一二三四五六七八九"
_ZH_DIGITS = {character: number for number, character in enumerate(_ZH_NUMBER)} | {"〇": 0, "两": 2}
_ZH_MONEY = re.compile(
    r"(?P<whole>[\d.]+|[零〇一二两三四五六七八九十百千万]+)(?:块钱?|元|圆|块)(?P<tens>[\d一二两三四五六七八九])?(?:毛|角)?(?:(?P<ones>[\d一二三四五六七八九])分)?"
)
_NAME_LEADS = {
    "en": re.compile(
        r"^(?:(?:yes|yeah|sure|well|um|uh|it is|it's|my name is|my name's|the name is|this is|i am|i'm|that is|that's)"
        r"\b[\s,]*)+",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"^(?:(?:我|名字)?(?:叫|姓名是|名字是|是|姓))"),
}
_NAME = re.compile(r"[^\W\d_]+(?:[ '’\-][^\W\d_]+)*")


def read_value(kind: str, text: str, language: str, now: datetime) -> str:
    """The value of ``kind`` in ``text``: digits, a code, a date (ISO 8601), an amount (``49.90 USD``) or a name."""
    return _READERS[kind](text, language, now)


def pressed_value(kind: str, keys: str, now: datetime) -> str:
    """The value of ``kind`` that keys stand for: ``20261205`` a day, ``49*90`` an amount; no name can be pressed."""
    if kind == "date":
        try:
            return datetime.strptime(keys, "%Y%m%d").date().isoformat()
        except ValueError:
            return ""
    if kind == "money":
        found = re.fullmatch(r"(\d{1,7})(?:\*(\d{2}))?", keys)
        return f"{int(found[1])}.{found[2] or '00'}" if found else ""
    return "" if kind == "name" else keys


def _digits(text: str, language: str, now: datetime) -> str:
    return spoken_code(text, language, letters=False)


def _code(text: str, language: str, now: datetime) -> str:
    return spoken_code(text, language, letters=True)


def _date(text: str, language: str, now: datetime) -> str:
    found = read_time(text, language, now)
    day: date | None = found.date() if found else None
    return day.isoformat() if day else ""


def _money(text: str, language: str, now: datetime) -> str:
    amount, currency = _chinese_money(text) if is_unspaced(language) else _english_money(text)
    return f"{amount:.2f} {currency}".strip() if amount is not None else ""


def _english_money(text: str) -> tuple[Decimal | None, str]:
    currency = next((code for sign, code in _SIGNS.items() if sign in text), "")
    if written := _FIGURES.findall(text.replace(",", "")):
        words = set(re.findall(r"[a-z]+", fold(text)))
        currency = currency or next((code for word, code in _CURRENCIES.items() if word in words), "")
        if len(written) == 1 or (len(written) == 2 and words & _CENTS):
            cents = Decimal(written[1]) / 100 if len(written) == 2 else Decimal(0)
            return Decimal(written[0]) + cents, currency
    groups, currency = _number_groups(normalise(text, "en").text.split(), currency)
    if not groups or len(groups) > 2 or (len(groups) == 2 and groups[1] > 99):
        return None, ""
    return Decimal(groups[0]) + (Decimal(groups[1]) / 100 if len(groups) == 2 else 0), currency


def _number_groups(words: list[str], currency: str) -> tuple[list[int], str]:
    """Numbers one after the other: ``forty nine ninety`` are two; ``one hundred and twenty`` is one."""
    groups: list[int] = []
    total = part = 0
    open_, tens = False, False
    for word in words:
        if word in _CURRENCIES:
            currency = _CURRENCIES[word]
        value = ENGLISH_UNITS.get(word, ENGLISH_TENS.get(word))
        if value is not None:
            joins = open_ and (part % 100 == 0 or (tens and 0 < value < 10))
            if open_ and not joins:
                groups.append(total + part)
                total = part = 0
            part, open_, tens = part + value, True, word in ENGLISH_TENS
        elif word == "hundred" and open_:
            part, tens = part * 100, False
        elif word == "thousand" and open_:
            total, part, tens = total + part * 1000, 0, False
        elif open_ and word in _CURRENCIES:
            groups.append(total + part)
            total, part, open_ = 0, 0, False
    return [*groups, total + part] if open_ else groups, currency


def _chinese_money(text: str) -> tuple[Decimal | None, str]:
    found = _ZH_MONEY.search(normalise(text, "zh").text)
    if found is None:
        return None, ""
    whole = Decimal(found["whole"]) if found["whole"][0].isdigit() else Decimal(_chinese_number(found["whole"]))
    tens, ones = (_figure(found[name]) for name in ("tens", "ones"))
    return whole + Decimal(tens) / 10 + Decimal(ones) / 100, "CNY"


def _figure(text: str | None) -> int:
    return 0 if not text else int(text) if text.isdigit() else _ZH_DIGITS[text]


def _chinese_number(text: str) -> int:
    """Read 一百二十, 三千零五, 两万."""
    total = section = digit = 0
    for character in text:
        if character in _ZH_DIGITS:
            digit = _ZH_DIGITS[character]
        elif character == "万":
            total, section, digit = (section + digit) * 10000, 0, 0
        else:
            unit = {"十": 10, "百": 100, "千": 1000}[character]
            section, digit = section + (digit or 1) * unit, 0
    return total + section + digit


def _name(text: str, language: str, now: datetime) -> str:
    lead = _NAME_LEADS.get(language)
    bare = text.strip(" .,!?。，！？")
    named = lead.sub("", bare).strip() if lead else bare
    whole = _NAME.fullmatch(named)
    if whole is None or len(named.split()) > LONGEST_NAME or (is_unspaced(language) and len(named) > LONGEST_NAME):
        return ""
    if understand(named, language) and named == bare:
        return ""  # "yes", "hello", "no thank you" are no names
    return named if is_unspaced(language) else " ".join(word[:1].upper() + word[1:] for word in named.split())


_READERS: Mapping[str, Callable[[str, str, datetime], str]] = {
    "digits": _digits,
    "code": _code,
    "date": _date,
    "money": _money,
    "name": _name,
}
