"""What the gate is asked and what it answers, as plain values. Instants are UTC epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from campaigns.rules import CONSENT_RANK

INFINITY = float("inf")
ALL = "all"
_PURPOSES = frozenset({"marketing", "informational", "transactional", "emergency"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A time zone a contact may be in."""

    name: str
    tz: tzinfo
    offsets: dict[int, int | None] = field(default_factory=dict, compare=False, repr=False)
    """What :mod:`campaigns.gate.clock` has worked out, by UTC day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an opt-out, an opt-in or a consent speaks of."""

    purpose: str = ALL
    """A purpose; ``all``, like any word that is no purpose, means every one."""
    channel: str = ""
    """Empty: every channel."""
    campaign: str = ""
    """Id of the only campaign that is meant; empty: every one."""

    def bars(self, question: Question) -> bool:
        """Whether an opt-out of this scope covers the question; what is not understood covers it."""
        return (
            (self.purpose == question.purpose or self.purpose not in _PURPOSES)
            and (not self.channel or self.channel == question.channel)
            and (not self.campaign or self.campaign == question.campaign.id)
        )

    def permits(self, question: Question) -> bool:
        """Whether an opt-in or a consent of this scope covers the question; what is not understood does not."""
        return (
            (self.purpose in (question.purpose, ALL))
            and (not self.channel or self.channel == question.channel)
            and (not self.campaign or self.campaign == question.campaign.id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """The customer asked not to be reached."""

    id: str
    at: float
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptIn:
    """The customer, by an act of their own, asked to be reached again."""

    id: str
    at: float
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The customer agreed to be reached."""

    id: str
    kind: str
    """``express`` or ``express_written``."""
    scope: Scope = Scope()
    at: float
    until: float = INFINITY
    """When it ends by itself."""
    proven: bool = False
    """Recorded with proof, rather than claimed by an import."""

    @property
    def rank(self) -> int:
        """How strong it is; a kind that is not known is no consent."""
        return CONSENT_RANK.get(self.kind, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """The customer took consent back: every earlier one that it covers has ended."""

    id: str
    at: float
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The customer refused an offer."""

    id: str
    at: float
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """An earlier attempt that left."""

    at: float
    channel: str = "voice"
    purpose: str = ""
    """Empty: not known, counts for every purpose."""
    campaign: str = ""
    outcome: str = ""
    """Its disposition; empty: not known, counts as any."""
    answered: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFact:
    """What a do-not-call register says of the number."""

    as_of: float | None
    """Date of the newest list that was loaded whole; ``None``: none ever was."""
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One of the house's own lists holds the number."""

    name: str
    since: float
    """When the newest list that holds it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the campaign may still spend."""

    limit: float
    used: float
    frees_at: float = INFINITY
    """When some of it is free again."""
    money: bool = False
    """Whether money is counted, in the currency of the trunks' rates, rather than attempts; it does not suffice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTerms:
    """What a campaign itself asks for; its windows and caps are in the regime."""

    id: str = ""
    starts_at: float | None = None
    expires_at: float | None = None
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything the gate looks at, besides the regime."""

    at: float
    purpose: str
    channel: str
    zones: tuple[Zone, ...]
    """All zones the contact may be in; every one of them must allow it. Empty: unknown."""
    opt_outs: tuple[OptOut, ...] = ()
    opt_ins: tuple[OptIn, ...] = ()
    consents: tuple[Consent, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    history: tuple[Reached, ...] = ()
    registers: Mapping[str, RegisterFact] = field(default_factory=dict)
    house_lists: tuple[Listing, ...] = ()
    """The house's own lists that hold the number: opt-outs that were told in bulk."""
    campaign: CampaignTerms = CampaignTerms()
    guard_s: float = 0.0
    """It must still be allowed so long after: the time the telephone rings."""
    barred: bool = False
    """No trunk of the campaign may carry a call to this destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's answer."""

    allowed: bool
    code: str
    """Stable; ``permitted`` or one of :data:`CODES`."""
    reason: str
    rule: str
    """The deciding rule with its pack and version: ``fr@2026-11-22#telephone``."""
    source: str = ""
    mark: str = ""
    next_at: float | None = None
    """The earliest permitted instant as far as is known now; ``None`` when there is none."""


CODES = {
    "purpose_unknown": "the purpose is none that is known",
    "channel_unknown": "the channel is none that is known",
    "destination_not_allowed": "no trunk of the campaign may call that destination",
    "opted_out": "the customer asked not to be reached",
    "zone_unknown": "the customer's time zone is not known",
    "rules_unknown": "no rule is known for that day",
    "banned": "the law forbids it outright",
    "consent_missing": "the consent that is needed is not there",
    "register_missing": "a do-not-call register was not consulted",
    "register_stale": "a do-not-call register is out of date",
    "registered": "the number is on a do-not-call register",
    "refused_before": "the customer refused, and may not be asked again yet",
    "expired": "the deadline has passed",
    "not_started": "the campaign has not begun",
    "outside_hours": "it is outside the permitted hours",
    "outside_campaign_windows": "it is outside the campaign's own hours",
    "attempt_cap": "the customer was tried as often as is allowed",
    "budget_spent": "the campaign's budget is spent",
}
"""Why the gate refuses."""
