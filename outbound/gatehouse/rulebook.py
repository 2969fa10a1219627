"""The rules in force: the packs that come with the product, those the operator put in force, and their holidays.

It chooses packs and looks holidays up; what they mean is decided in ``campaigns/gate``. A pack or a calendar that
cannot be read raises :class:`RulesError`, and nobody is reached on a guess.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Connection

from campaigns.gate import OwnTerms, Regime, compile_regime
from campaigns.rules import (
    AbandonmentLimit,
    Calendar,
    RulePack,
    RulesError,
    applicable,
    built_in_packs,
    merge,
    read_pack,
)
from outbound.gatehouse.calendars import calendar_of
from outbound.store import rulepacks

YEARS_AHEAD = 2
"""Holidays are known for so many years after the one that is asked about: the gate looks 400 days ahead."""


@dataclass(frozen=True, slots=True)
class Edition:
    """All packs in force at one moment; compared by ``key``."""

    key: str
    packs: tuple[RulePack, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edition) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def edition(connection: Connection) -> Edition:
    """The packs in force as this unit of work sees them. Raises :class:`RulesError` when one cannot be read."""
    found, broken = readable(connection)
    for trouble in broken.values():
        raise RulesError(trouble)
    return found


def readable(connection: Connection) -> tuple[Edition, dict[str, str]]:
    """The packs in force that can be read, and by name what is wrong with the others; only for showing and mending."""
    rows = rulepacks.versions(connection)
    return _edition(tuple((row["id"], row["name"], json.dumps(row["document"])) for row in rows))


@lru_cache(maxsize=8)
def _edition(rows: tuple[tuple[str, str, str], ...]) -> tuple[Edition, dict[str, str]]:
    """The built-in packs with the operator's: each version follows the one before, a withdrawal ends them all."""
    own: dict[str, list[str]] = {}
    for _, name, document in rows:
        own[name] = [*own.get(name, ()), document] if json.loads(document) else []
    packs, broken = built_in_packs(), {}
    for name, documents in own.items():
        try:
            for document in documents:
                packs = merge(packs, [read_pack(json.loads(document), file=f"rule pack {name}")])
        except RulesError as error:
            broken[name] = str(error)
    return Edition("in force " + " ".join(row[0] for row in rows), packs), broken


def with_packs(base: Edition | None, packs: Sequence[RulePack], key: str) -> Edition:
    """An edition that is not in force: ``packs`` alone, or in place of those of the same name in ``base``."""
    if base is None:
        return Edition(f"alone {key}", merge((), packs))
    return Edition(f"{base.key} with {key}", merge(base.packs, packs))


def regime(
    chosen: Edition, jurisdictions: Collection[str], purpose: str, channel: str, own: OwnTerms, *, at: float
) -> Regime:
    """The rules for reaching a contact of ``jurisdictions`` around the instant ``at``. Raises :class:`RulesError`."""
    year = datetime.fromtimestamp(at, UTC).year
    return _regime(chosen, tuple(sorted(jurisdictions)), purpose, channel, own, year)


def packs_for(chosen: Edition, jurisdictions: Collection[str]) -> tuple[RulePack, ...]:
    """The packs that apply to a contact who may be in any of ``jurisdictions``."""
    return applicable(chosen.packs, tuple(jurisdictions))


def check_holidays(pack: RulePack, *, year: int) -> None:
    """Raise :class:`RulesError` if the holidays that a pack speaks of cannot be looked up around ``year``."""
    if pack.holidays is not None:
        calendar_of(pack.holidays, "", year - 1, year + YEARS_AHEAD)


def abandonment_limits(
    chosen: Edition, jurisdictions: Collection[str], purpose: str, *, at: float
) -> tuple[AbandonmentLimit, ...]:
    """How many of the customers of ``jurisdictions`` may answer a call and find no agent; all of it holds at ``at``.

    Rules hold by the customer's own day: a limit counts as soon as its day has begun anywhere, until it is over
    everywhere.
    """
    today = datetime.fromtimestamp(at, UTC).date().toordinal()
    return _abandonment_limits(chosen, tuple(sorted(jurisdictions)), purpose, today)


@lru_cache(maxsize=512)
def _abandonment_limits(
    chosen: Edition, jurisdictions: tuple[str, ...], purpose: str, today: int
) -> tuple[AbandonmentLimit, ...]:
    days = (today - 1, today, today + 1)
    rules = (rule for pack in applicable(chosen.packs, jurisdictions) for rule in pack.abandonment)
    return tuple(rule for rule in rules if rule.covers(purpose, "voice") and any(map(rule.holds_on, days)))


@lru_cache(maxsize=2048)
def _regime(
    chosen: Edition, jurisdictions: tuple[str, ...], purpose: str, channel: str, own: OwnTerms, year: int
) -> Regime:
    def calendar(pack: RulePack) -> Calendar:
        return _calendar(pack, jurisdictions, year)

    packs = applicable(chosen.packs, jurisdictions)
    return compile_regime(packs, purpose, channel, own=own, calendar=calendar)


def _calendar(pack: RulePack, jurisdictions: tuple[str, ...], year: int) -> Calendar:
    """The holidays a pack means for a contact; where several parts of the country are possible, those of all."""
    assert pack.holidays is not None  # the reader refuses a pack that speaks of holidays without saying whose
    source = pack.holidays
    parts = [code.partition("-")[2] for code in jurisdictions if code.startswith(f"{source.country}-")]
    parts += [code for code in jurisdictions if code in pack.jurisdictions and code not in (source.country, "*")]
    first, last = year - 1, year + YEARS_AHEAD
    found = [calendar_of(source, part, first, last) for part in parts if part != "?"]
    return _together(found or [calendar_of(source, "", first, last)])


def _together(calendars: list[Calendar]) -> Calendar:
    first = calendars[0]
    if len(calendars) == 1:
        return first
    days = {day for calendar in calendars for day in calendar.kinds}
    nothing: frozenset[str] = frozenset()
    kinds = {day: nothing.union(*(calendar.kinds.get(day, nothing) for calendar in calendars)) for day in days}
    return Calendar(first=first.first, last=first.last, kinds=kinds)
