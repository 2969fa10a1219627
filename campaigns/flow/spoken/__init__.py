"""How values are said aloud in each language, one module per language; none of them knows where a value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Protocol

from campaigns.flow.spoken import en, zh


class Spoken(Protocol):
    """What a module of this folder offers; every function returns words that a voice reads aloud naturally."""

    def number(self, value: int) -> str:
        """Say a whole number."""

    def money(self, amount: Decimal, currency: str) -> str:
        """Say an amount; ``currency`` is ISO 4217, or empty for the language's own."""

    def digits(self, value: str) -> str:
        """Say digits one by one, in groups."""

    def spell(self, value: str) -> str:
        """Say letters and digits one by one."""

    def on_date(self, value: date, today: date) -> str:
        """Say a date, with the year only where it is needed."""

    def weekday(self, value: date, week: str = "") -> str:
        """Say the day of the week; ``week``: another word for it, where the language has several."""

    def day(self, value: date, today: date) -> str:
        """Say a day as people do: today, tomorrow, Thursday."""

    def clock(self, value: time) -> str:
        """Say a time of day."""

    def window(self, start: time, end: time) -> str:
        """Say a stretch of time, to follow "between"."""

    def moment(self, value: datetime, now: datetime) -> str:
        """Say a day and time."""


SPOKEN: Mapping[str, Spoken] = {"en": en, "zh": zh}
"""Language -> its module."""
