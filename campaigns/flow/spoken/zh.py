"""How values are said in Mandarin.

It knows nothing of templates or calls.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

_DIGITS = "零一二三四五六七八九"
_WEEKDAYS = "一二三四五六日"
_CURRENCIES = {"USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "HKD": "港元", "TWD": "新台币"}


def number(value: int) -> str:
    """Say a whole number: 1234 -> 一千二百三十四."""
    if value < 0:
        return "负" + number(-value)
    if value >= 10**8:
        return _scaled(value, 10**8, "亿")
    if value >= 10**4:
        return _scaled(value, 10**4, "万")
    if value < 10:
        return _DIGITS[value]
    said = _below_ten_thousand(value)
    return said.removeprefix("一") if value < 20 else said


def _scaled(value: int, scale: int, name: str) -> str:
    head, rest = divmod(value, scale)
    if not rest:
        return number(head) + name
    gap = "零" if rest < scale // 10 else ""
    tail = "一" + number(rest) if 10 <= rest < 20 else number(rest)
    return number(head) + name + gap + tail


def _below_ten_thousand(value: int) -> str:
    said, gap = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure, value = divmod(value, scale)
        if figure:
            said += ("零" if gap else "") + _DIGITS[figure] + name
            gap = False
        elif said and value:
            gap = True
    return said


def money(amount: Decimal, currency: str) -> str:
    """Say an amount: 49.90 -> 四十九元九角; foreign ones with a decimal point."""
    whole, small = divmod(int((amount * 100).to_integral_value()), 100)
    if currency not in {"", "CNY"}:
        name = _CURRENCIES.get(currency, currency)
        return number(whole) + (f"点{_plain(f'{small:02d}'.rstrip('0'))}" if small else "") + name
    tens, units = divmod(small, 10)
    said = (f"{number(whole)}元" if whole or not small else "") + (f"{_DIGITS[tens]}角" if tens else "")
    return said + (f"{'零' if not tens and whole else ''}{_DIGITS[units]}分" if units else "")


def _plain(value: str) -> str:
    return "".join(_DIGITS[int(character)] for character in value)


def digits(value: str) -> str:
    """Say digits one by one, in threes and a last four, with 幺 for one."""
    figures = _plain("".join(c for c in value if c in "0123456789")).replace("一", "幺")
    groups: list[str] = []
    while figures:
        size = len(figures) if len(figures) <= 4 else 3
        groups.append(figures[:size])
        figures = figures[size:]
    return "，".join(groups)


def spell(value: str) -> str:
    """Say letters and digits one by one."""
    return "，".join(_DIGITS[int(c)] if c in "0123456789" else c.upper() for c in value if c.isalnum())


def on_date(value: date, today: date) -> str:
    """Say a date: 十二月五号."""
    said = f"{number(value.month)}月{number(value.day)}号"
    return said if abs((value - today).days) < 300 else f"{_plain(str(value.year))}年{said}"


def weekday(value: date, week: str = "") -> str:
    """Say the day of the week: 星期四, or with another word for week: 周四."""
    return f"{week or '星期'}{_WEEKDAYS[value.weekday()]}"


def day(value: date, today: date) -> str:
    """Say a day: 今天, 明天, 后天, 星期四, or 十二月三号星期四."""
    ahead = (value - today).days
    if ahead in {0, 1, 2}:
        return ("今天", "明天", "后天")[ahead]
    name = weekday(value)
    near = 2 < ahead < 7 and value.weekday() > today.weekday()
    return name if near else f"{on_date(value, today)}{name}"


def clock(value: time) -> str:
    """Say a time: 下午三点半."""
    parts = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    part = next(name for end, name in parts if value.hour < end)
    return part + _bare(value)


def _bare(value: time) -> str:
    hour = (value.hour - 1) % 12 + 1 if value.hour else 0
    said = "两点" if hour == 2 else f"{number(hour)}点"
    if value.minute == 30:
        return said + "半"
    if not value.minute:
        return said
    return said + ("零" if value.minute < 10 else "") + number(value.minute) + "分"


def window(start: time, end: time) -> str:
    """Say a stretch of time: 上午九点到中午十二点."""
    first, second = clock(start), clock(end)
    return f"{first}到{_bare(end) if first[:2] == second[:2] else second}"


def moment(value: datetime, now: datetime) -> str:
    """Say a day and time: 明天下午三点."""
    return day(value.date(), now.date()) + clock(value.time())
