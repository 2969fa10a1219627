"""The shapes of ``/v1/decisions``, ``/v1/rules`` and forecasts: part of the one contract that models.py begins.

A file of its own because models.py is long enough; nothing here reads or writes anything.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, RootModel, StringConstraints

from campaigns.dispositions import Disposition
from outbound.api.models import CampaignState, Consent, Instant, Name, Purpose, Window
from outbound.api.pacing_models import CapIn, Model

Channel = Literal["voice", "sms"]
ScopeWord = Literal["all", "marketing", "informational", "transactional", "emergency"]
Id = Annotated[str, StringConstraints(max_length=64)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]


class ScopeIn(Model):
    """What an opt-out, an opt-in or a consent speaks of."""

    scope: ScopeWord = "all"
    """A purpose, or all of them."""
    channel: Literal["", "voice", "sms"] = ""
    """Empty: every channel."""
    campaign_id: Id = ""
    """The only campaign that is meant; empty: every one."""


class OptOutFact(ScopeIn):
    """A supposed opt-out."""

    at: Instant | None = None
    """Without it: long ago."""


class OptInFact(ScopeIn):
    """A supposed act of the customer that takes opt-outs back."""

    at: Instant


class ConsentFact(ScopeIn):
    """A supposed consent."""

    kind: Literal["express", "express_written"]
    at: Instant | None = None
    """Without it: long ago."""
    expires_at: Instant | None = None
    withdrawn_at: Instant | None = None
    proof: bool = True
    """Whether it is recorded with proof."""


class RefusalFact(Model):
    """A supposed refusal of an offer."""

    at: Instant
    purpose: Purpose = Purpose.MARKETING


class ReachedFact(Model):
    """A supposed earlier attempt."""

    at: Instant
    channel: Channel = "voice"
    purpose: Purpose | None = None
    """Not known: it counts for every purpose."""
    campaign_id: Id = ""
    disposition: Disposition | None = None
    """Not known: it counts as any outcome."""
    answered: bool | None = None


class RegisterState(Model):
    """What a do-not-call register is supposed to say."""

    as_of: Instant | None = None
    """Date of the newest list that was loaded whole; without it none ever was."""
    listed: bool = False


class BudgetFact(Model):
    """What the campaign may still spend."""

    limit: Annotated[int, Field(ge=0, le=10**9)]
    used: Annotated[int, Field(ge=0, le=10**9)]
    frees_at: Instant | None = None


class DecisionIn(Model):
    """A question to the gate: would it let us reach this customer then?"""

    number: Number | None = None
    """E.164. It may be left out where ``zone`` or ``country`` says where the customer is."""
    zone: Annotated[str, StringConstraints(max_length=64)] = ""
    """The customer's IANA zone; it wins over the address, and that over the number."""
    country: Annotated[str, StringConstraints(max_length=64)] = ""
    region: Annotated[str, StringConstraints(max_length=64)] = ""
    postcode: Annotated[str, StringConstraints(max_length=16)] = ""
    purpose: Purpose | None = None
    """Needed, unless ``campaign_id`` is given."""
    channel: Channel = "voice"
    at: Instant | None = None
    """Without it: now."""
    campaign_id: Id | None = None
    """Ask as this campaign would: its purpose, terms and, if the number is in it, its contact."""
    consent: Consent = Consent.NONE
    """As an import would claim it, without proof."""
    windows: list[Window] = Field(default_factory=list)
    """The campaign's own hours."""
    caps: Annotated[list[CapIn], Field(max_length=20)] = Field(default_factory=list)
    """The campaign's own caps."""
    starts_at: Instant | None = None
    expires_at: Instant | None = None
    ring_timeout_s: Annotated[float, Field(ge=0, le=120)] = 25.0
    """How long it may ring: it must still be allowed then. Counts for calls only."""
    closing_guard_s: Annotated[float, Field(ge=0, le=7200)] = 0.0
    history: Annotated[list[ReachedFact], Field(max_length=1000)] = Field(default_factory=list)
    opt_outs: Annotated[list[OptOutFact], Field(max_length=100)] = Field(default_factory=list)
    opt_ins: Annotated[list[OptInFact], Field(max_length=100)] = Field(default_factory=list)
    consents: Annotated[list[ConsentFact], Field(max_length=100)] = Field(default_factory=list)
    refusals: Annotated[list[RefusalFact], Field(max_length=100)] = Field(default_factory=list)
    registers: Annotated[dict[str, RegisterState], Field(max_length=50)] = Field(default_factory=dict)
    house_lists: Annotated[list[Name], Field(max_length=20)] = Field(default_factory=list)
    budget: BudgetFact | None = None
    stored: bool = True
    """Whether what the store knows of the number counts too; ``false``: only what is supposed here."""
    rules: Annotated[list[dict[str, Any] | str], Field(max_length=20)] | None = None
    """Rule packs to be tried out, as TOML text or as its keys in JSON. They alone decide, unless ``in_force``."""
    in_force: bool = False
    """Whether the packs in force for the customer's jurisdictions apply besides ``rules``; a pack of ``rules`` then
    takes the place of the one of its name, and applies to its own jurisdictions."""


class RuleCited(Model):
    """A rule, with where it comes from."""

    rule: str
    """Pack, version and rule: ``fr@2026-11-22#telephone``."""
    source: str
    mark: str
    """V: statute or official text read; S: secondary source; M: memory; H: rule of the house."""


class DisclosureOut(RuleCited):
    """What the customer must be told."""

    when: str
    text: str
    within_s: float | None = None


class DecisionOut(Model):
    """The gate's answer."""

    allowed: bool
    code: str
    """Stable: ``permitted``, or why not (``opted_out``, ``outside_hours``…)."""
    reason: str
    rule: str
    """The deciding rule with pack and version."""
    source: str = ""
    mark: str = ""
    next_at: AwareDatetime | None = None
    """The earliest permitted instant, to the second, by what is known now; ``null``: never, or not within 400 days."""
    at: AwareDatetime
    """The instant that was asked about."""
    number: str = ""
    purpose: Purpose
    channel: Channel
    zones: list[str]
    """Where the customer may be; every zone must allow it."""
    jurisdictions: list[str]
    packs: list[str]
    """Every pack that was applied, with its version; the strictest wins."""
    disclosures: list[DisclosureOut] = Field(default_factory=list)
    """What must be said, in the order in which the packs name it."""
    tzdata: str
    """Version of the time zone data."""
    curable: bool = False
    """Whether ``next_at`` is ``null`` only until somebody supplies what ``reason`` names (a zone, consent…)."""
    campaign_state: CampaignState | None = None
    """Of the campaign that was named: only a running one reaches anybody."""
    contact_disposition: Disposition | None = None
    """Set when that campaign is done with the customer, and will not try again."""
    evidence: dict[str, Any] = Field(default_factory=dict)
    """What the gate was shown."""


class DecisionFault(Model):
    """A question of a batch that could not be asked; nobody is reached on it."""

    allowed: Literal[False] = False
    code: str
    reason: str
    field: str = ""


class DecisionsOut(Model):
    """Answers to a batch, in its order."""

    items: list[DecisionOut | DecisionFault]


class DecisionAnswer(RootModel[DecisionOut | DecisionsOut]):
    """One answer to one question, or ``items`` to a list of them."""


class RulePackIn(Model):
    """A rule pack to be put in force, as TOML text or as its keys."""

    pack: dict[str, Any] | str


class PutRulesQuery(Model):
    """How a pack is put in force."""

    loosen: bool = False
    """It is meant that the pack lacks places or rules which the one before it has."""


class RulePackOut(Model):
    """A rule pack in force."""

    name: str
    title: str
    version: str
    effective_from: str
    jurisdictions: list[str]
    origin: Literal["built-in", "operator"]
    put_in_force_at: AwareDatetime | None = None
    warnings: list[str] = Field(default_factory=list)
    """What the lint has to say."""
    rules: list[RuleCited] = Field(default_factory=list)


class RulesQuery(Model):
    """Whose rules; all without it."""

    number: Annotated[str, StringConstraints(max_length=64)] | None = None
    jurisdiction: Annotated[str, StringConstraints(max_length=8)] | None = None


class RulePacks(Model):
    """Rule packs, by name."""

    items: list[RulePackOut]


class ForecastQuery(Model):
    """How far to look ahead."""

    hours: Annotated[int, Field(ge=1, le=168)] = 24
    start: Instant | None = None
    """Without it: now."""


class ForecastHour(Model):
    """One hour to come."""

    start: AwareDatetime
    reachable: int
    """Customers whom the gate permits to reach at some time of this hour."""
    newly: int
    """Those of them who could not be reached in any hour before."""


class Forecast(Model):
    """Whom the gate would let a campaign reach, hour by hour, if nothing changed."""

    campaign_id: str
    at: AwareDatetime
    contacts: int
    """Customers that are not done with."""
    hours: list[ForecastHour]
    later: int
    """Reachable, but not within these hours."""
    never: dict[str, int]
    """Not reachable at all by what is known now, by the gate's code."""
