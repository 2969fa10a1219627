"""The rules that apply to one kind of reaching somebody, chosen and put together once for very many decisions.

A regime is made of packs and of the campaign's own terms for one purpose on one channel; it holds no contact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from campaigns.rules.calendar import Calendar
from campaigns.rules.model import (
    Ban,
    Cap,
    ConsentRule,
    Disclosure,
    Hours,
    RecordingRule,
    RefusalBar,
    Register,
    Rule,
    RulePack,
)
from campaigns.rules.windows import WHOLE_DAY, Span, Window, intersect

R = TypeVar("R", bound=Rule)
CAMPAIGN = "campaign"
"""What receipts cite for a campaign's own terms."""
_DAYS_KEPT = 4096


class Timetable:
    """What several rules together leave open of each local day; days are worked out once."""

    def __init__(self, hours: Sequence[Hours], in_force_from: int | None = None) -> None:
        self.hours = tuple(hours)
        self._in_force_from = in_force_from
        self._days: dict[int, tuple[Span, ...]] = {}

    def open_on(self, ordinal: int) -> tuple[Span, ...]:
        """What is open of a local day (``date.toordinal``)."""
        found = self._days.get(ordinal)
        if found is None:
            found = self._work_out(ordinal)
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            self._days[ordinal] = found
        return found

    def _work_out(self, ordinal: int) -> tuple[Span, ...]:
        if self._in_force_from is not None and ordinal < self._in_force_from:
            return ()
        left = WHOLE_DAY
        for rule in self.hours:
            left = intersect(left, rule.open_on(ordinal))
        return left


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """Everything the gate needs to know of rules for one purpose on one channel."""

    packs: tuple[str, ...]
    """Every pack that was looked at, with its version."""
    permitting: str
    """What a permission cites: the packs that could have forbidden it."""
    in_force_from: int | None
    """First local day on which any pack is in force; ``None``: there is none."""
    timetable: Timetable
    """Law, house and campaign together."""
    law: tuple[tuple[Hours, Timetable], ...]
    """Each rule of law and house by itself, to tell which one keeps it closed."""
    caps: tuple[Cap, ...] = ()
    consents: tuple[ConsentRule, ...] = ()
    bans: tuple[Ban, ...] = ()
    refusals: tuple[RefusalBar, ...] = ()
    registers: tuple[Register, ...] = ()
    closing_s: float = 0.0
    """Longest closing guard of the packs."""
    disclosures: tuple[Disclosure, ...] = ()
    """What the customer must be told, in the order of the packs."""
    recordings: tuple[RecordingRule, ...] = ()
    """On what terms the call may be recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTerms:
    """A campaign's own hours and caps: they narrow what the packs allow, never widen it."""

    windows: tuple[Window, ...] = ()
    caps: tuple[Cap, ...] = ()
    closing_s: float = 0.0


def compile_regime(
    packs: Sequence[RulePack],
    purpose: str,
    channel: str,
    *,
    own: OwnTerms | None = None,
    calendar: Callable[[RulePack], Calendar] | None = None,
) -> Regime:
    """Choose from ``packs`` what concerns ``purpose`` on ``channel``; all of it must allow.

    ``calendar`` looks up the holidays of a pack that needs them; without it their days are unknown, and closed.
    """
    own = own or OwnTerms()
    law = [hours for pack in packs for hours in _hours(pack, purpose, channel, calendar)]
    begins = min((pack.effective_from.toordinal() for pack in packs), default=None)
    both = list(law)
    if own.windows:
        both.append(_own_hours(own, purpose, channel))

    def chosen(rules: Callable[[RulePack], tuple[R, ...]]) -> tuple[R, ...]:
        return tuple(rule for pack in packs for rule in rules(pack) if rule.covers(purpose, channel))

    ids = tuple(pack.id for pack in packs)
    return Regime(
        packs=ids,
        permitting=", ".join(ids),
        in_force_from=begins,
        timetable=Timetable(both, begins),
        law=tuple((rule, Timetable([rule])) for rule in law),
        caps=(*chosen(lambda pack: pack.caps), *own.caps),
        consents=chosen(lambda pack: pack.consents),
        bans=chosen(lambda pack: pack.bans),
        refusals=chosen(lambda pack: pack.refusals),
        registers=chosen(lambda pack: pack.registers),
        disclosures=chosen(lambda pack: pack.disclosures),
        recordings=chosen(lambda pack: pack.recordings),
        closing_s=max([own.closing_s, *(guard.closing_s for guard in chosen(lambda pack: pack.guards))]),
    )


def _own_hours(own: OwnTerms, purpose: str, channel: str) -> Hours:
    return Hours(
        cite=CAMPAIGN,
        source="the campaign's windows",
        mark="H",
        purposes=frozenset({purpose}),
        channels=frozenset({channel}),
        windows=own.windows,
    )


def _hours(pack: RulePack, purpose: str, channel: str, calendar: Callable[[RulePack], Calendar] | None) -> list[Hours]:
    found = [rule for rule in pack.hours if rule.covers(purpose, channel)]
    if calendar is None or not any(rule.needs_calendar for rule in found):
        return found
    days = calendar(pack)
    return [_with_calendar(rule, days) if rule.needs_calendar else rule for rule in found]


def _with_calendar(rule: Hours, calendar: Calendar) -> Hours:
    return replace(rule, calendar=calendar)
