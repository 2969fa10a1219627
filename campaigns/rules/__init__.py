"""Calling rules as data: one TOML file per jurisdiction, and what reads, checks and chooses them."""

from __future__ import annotations

from campaigns.rules.book import applicable, built_in_packs, load_pack, merge
from campaigns.rules.calendar import Calendar, make_calendar
from campaigns.rules.model import (
    CHANNELS,
    CONSENT_RANK,
    PURPOSES,
    AbandonmentLimit,
    Cap,
    Hours,
    RulePack,
    RulesError,
)
from campaigns.rules.reading import parse_pack, parse_period, read_pack
from campaigns.rules.windows import Window, parse_windows, week_window

__all__ = [
    "CHANNELS",
    "CONSENT_RANK",
    "PURPOSES",
    "AbandonmentLimit",
    "Calendar",
    "Cap",
    "Hours",
    "RulePack",
    "RulesError",
    "Window",
    "applicable",
    "built_in_packs",
    "load_pack",
    "make_calendar",
    "merge",
    "parse_pack",
    "parse_period",
    "parse_windows",
    "read_pack",
    "week_window",
]
