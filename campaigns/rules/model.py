"""What a rule pack says, as plain values; one pack is one file in this folder, and it decides nothing itself.

Every rule cites its source and how sure we are of it: ``V`` official or statute text was read, ``S`` a secondary
source, ``M`` from memory, ``H`` a rule of the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from campaigns.rules.calendar import Calendar
from campaigns.rules.windows import WHOLE_DAY, Span, Window, intersect, joined

PURPOSES = ("marketing", "informational", "transactional", "emergency")
CHANNELS = ("voice", "sms")
CONSENT_RANK = {"none": 0, "express": 1, "express_written": 2}
"""Kinds of consent, the weakest first."""
MARKS = ("V", "S", "M", "H")
EVERYWHERE = "*"


class RulesError(Exception):
    """A rule pack cannot be used; the message names the file, the key and the remedy. Nobody is reached on a guess."""

    code = "rules_unreadable"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule of a pack has."""

    cite: str
    """``fr@2026-11-22#telephone``: pack, version and rule, as receipts name it."""
    source: str
    mark: str
    purposes: frozenset[str]
    channels: frozenset[str]
    from_day: int | None = None
    """First local day (``date.toordinal``) on which it holds; ``None``: always has."""
    until_day: int | None = None
    """First local day on which it holds no more."""

    def covers(self, purpose: str, channel: str) -> bool:
        """Whether it speaks of reaching somebody for ``purpose`` on ``channel``."""
        return purpose in self.purposes and channel in self.channels

    def holds_on(self, ordinal: int) -> bool:
        """Whether it is in force on a local day."""
        return (self.from_day is None or self.from_day <= ordinal) and (
            self.until_day is None or ordinal < self.until_day
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Rule):
    """Local hours; several such rules must all be open, the windows of one are alternatives."""

    windows: tuple[Window, ...]
    closed_on: frozenset[str] = frozenset()
    """Kinds of day without any hours: ``holiday``, ``half_day``, ``eve``."""
    calendar: Calendar | None = None
    """The days meant by these kinds; filled in by whoever can look holidays up."""

    @property
    def needs_calendar(self) -> bool:
        """Whether it cannot be answered without knowing holidays."""
        return bool(self.closed_on) or any(window.special and "-" not in window.special for window in self.windows)

    def open_on(self, ordinal: int) -> tuple[Span, ...]:
        """What it leaves open of one local day. A day of unknown kind is closed; special windows only ever narrow."""
        if not self.holds_on(ordinal):
            return WHOLE_DAY
        kinds = self._kinds(ordinal)
        if kinds is None or kinds & self.closed_on:
            return ()
        weekday = (ordinal + 6) % 7
        spans = [window.own_day for window in self.windows if weekday in window.days]
        spans += self._carried(ordinal)
        left = joined(spans)
        for special in sorted(kinds):
            narrow = joined(window.own_day for window in self.windows if window.special == special)
            left = intersect(left, narrow) if narrow else left
        return left

    def _carried(self, ordinal: int) -> list[Span]:
        """What windows that began the day before, and cross midnight, leave open of this day."""
        before = ordinal - 1
        crossing = [window for window in self.windows if window.crosses and (before + 6) % 7 in window.days]
        if not crossing or not self.holds_on(before):
            return []
        kinds = self._kinds(before)
        if kinds is None or kinds & self.closed_on:
            return []
        return [(0, window.end_s) for window in crossing if window.end_s]

    def _kinds(self, ordinal: int) -> frozenset[str] | None:
        kinds: frozenset[str] | None = frozenset()
        if self.needs_calendar:
            kinds = self.calendar.kinds_of(ordinal) if self.calendar is not None else None
        if kinds is None:
            return None
        day = date.fromordinal(ordinal)
        return kinds | {f"{day.month:02}-{day.day:02}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap(Rule):
    """At most so many attempts within a period."""

    attempts: int
    period_s: float | None = None
    """A rolling period of so many seconds; or:"""
    calendar_days: int | None = None
    """so many local calendar days, today included; or:"""
    calendar_unit: str = ""
    """the local calendar ``week`` (from Monday) or ``month``."""
    scope: str = "number"
    """``number``: over all campaigns; ``campaign``: within one."""
    outcomes: frozenset[str] = frozenset()
    """Dispositions that count, ``answered`` and ``unanswered`` among them; empty: every attempt."""
    unless_consent: str = ""
    """A kind of consent that lifts the cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule(Rule):
    """Consent that must be there."""

    needs: str
    max_age_s: float | None = None
    proof: bool = False
    """Whether it must be recorded with proof, rather than claimed by an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban(Rule):
    """What is forbidden outright."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalBar(Rule):
    """How long nobody is asked again after refusing an offer."""

    days: int | None
    """Whole local calendar days after the day of the refusal; ``None``: for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Rule):
    """A do-not-call register that must be consulted."""

    register: str
    """Name under which it is imported."""
    max_age_s: float
    lifted_by: str = ""
    """A kind of consent that makes consulting it needless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard(Rule):
    """How long before closing time the last call may begin, if it rings for less."""

    closing_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonmentLimit(Rule):
    """How many customers may answer a call that was meant for an agent and find none. It bounds how far a campaign
    dials ahead, and forbids no single call."""

    share: float
    """The greatest share of calls answered by a person; 0: no call begins without a free agent."""
    period_s: float
    """Over which it is measured, campaign by campaign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure(Rule):
    """What the customer must be told."""

    when: str
    """``start``, ``end``, ``voicemail``, ``message`` or ``on_request``."""
    text: str
    """What the law wants, for the operator."""
    within_s: float | None = None
    say: Mapping[str, str] = field(default_factory=dict)
    """Language -> a sentence that does it, said by itself; without one it is the flow's author's to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule(Rule):
    """On what terms a call may be recorded."""

    needs: str
    """``notice``: the customer is told; ``consent``: and said yes; ``never``: it may not."""
    say: Mapping[str, str] = field(default_factory=dict)
    """Language -> the notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutTerms:
    """How customers of a jurisdiction say stop, and what is owed to them then."""

    honour: str = ""
    """The legal limit, in words; the product honours every opt-out at once."""
    words: tuple[str, ...] = ()
    wording: Mapping[str, str] = field(default_factory=dict)
    """Language -> the sentence in a message that tells how to stop."""
    source: str = ""
    mark: str = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaySource:
    """Which holidays a pack means; looked up outside the core."""

    country: str
    """``FR``; or one part of a country, ``US-LA``, for a pack that speaks of that part only."""
    subdivisions_if_unknown: tuple[str, ...] = ()
    """Where it is not known which part of the country a contact is in, holidays of these count too; ``*``: of all."""
    half_days: bool = False
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePack:
    """The rules of one jurisdiction."""

    name: str
    title: str
    version: str
    effective_from: date
    jurisdictions: tuple[str, ...]
    """ISO 3166 codes of countries and subdivisions; ``*``: everywhere; empty: where no other pack speaks."""
    holidays: HolidaySource | None = None
    hours: tuple[Hours, ...] = ()
    caps: tuple[Cap, ...] = ()
    consents: tuple[ConsentRule, ...] = ()
    bans: tuple[Ban, ...] = ()
    refusals: tuple[RefusalBar, ...] = ()
    registers: tuple[Register, ...] = ()
    guards: tuple[Guard, ...] = ()
    abandonment: tuple[AbandonmentLimit, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    recordings: tuple[RecordingRule, ...] = ()
    opt_out: OptOutTerms = field(default_factory=OptOutTerms)
    notes: tuple[str, ...] = ()
    """What the pack cannot express, for the operator to know."""

    @property
    def id(self) -> str:
        """Name and version, as receipts cite it."""
        return f"{self.name}@{self.version}"
