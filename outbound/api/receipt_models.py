"""The shapes of REST version 1 for receipts, evidence and erasure.

A file beside models.py, because that is one contract of 700 lines already and nobody but these routes reads these.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from outbound.api.models import ListQuery
from outbound.api.pacing_models import Model


class KeptReceipt(Model):
    """An answer of the gate as it is kept, with its place in the chain."""

    id: int
    day: str | None = None
    """UTC day whose chain it is in; ``null`` for one from before receipts were chained."""
    seq: int | None = None
    """Its place in the day, from 1."""
    at: AwareDatetime
    campaign_id: str
    contact_id: str
    attempt_id: str | None = None
    channel: str
    purpose: str
    allowed: bool
    code: str
    reason: str
    rule: str
    """Rule and version that decided."""
    source: str
    """Where the rule is written."""
    next_at: AwareDatetime | None = None
    """The next instant at which it would be permitted."""
    evidence: dict[str, Any] = Field(default_factory=dict)
    """What the gate was shown: zones, versions of rules and data, ids of opt-outs and consents, earlier attempts."""
    personal: dict[str, Any] | None = None
    """Who it was about; ``null`` once they were erased."""
    salt: str = ""
    """Hexadecimal; with ``personal`` it gives ``commitment``."""
    commitment: str = ""
    before: str = ""
    """Hash of the receipt before it."""
    hash: str = ""
    """SHA-256 of ``before`` and of what it says here; docs/receipts.md has the recipe."""
    at_s: float
    """``at`` in seconds since the epoch, as it is hashed."""
    next_at_s: float | None = None


class ReceiptsQuery(ListQuery):
    """Which receipts; the newest first."""

    number: Annotated[str, StringConstraints(max_length=32)] | None = None
    campaign_id: Annotated[str, StringConstraints(max_length=26)] | None = None
    code: Annotated[str, StringConstraints(max_length=48)] | None = None
    allowed: bool | None = None


class EvidenceQuery(Model):
    """How evidence is shown."""

    format: Literal["json", "html"] | None = None
    """Left out: as ``Accept`` asks."""


class ChainFinding(Model):
    """Something in the chain that is not as it was written."""

    day: str
    seq: int | None = None
    what: str
    remedy: str


class ChainDay(Model):
    """A day of the chain that receipts shown here are in."""

    day: str
    count: int
    head: str
    """Hash of its last receipt."""
    state: Literal["unbroken", "broken", "unchecked"]
    """``unchecked``: too much to verify for one answer; ``outbound receipts verify`` does."""
    findings: list[ChainFinding] = Field(default_factory=list)


class EvidencePlace(Model):
    """A person's place in a campaign."""

    contact_id: str
    campaign_id: str
    campaign: str
    purpose: str
    ref: str
    name: str
    zones: list[str]
    jurisdictions: list[str]
    consent: str
    """As the import claims it."""
    disposition: str | None = None
    created_at: AwareDatetime


class EvidenceAttempt(Model):
    """What was done."""

    id: str
    campaign_id: str
    contact_id: str
    channel: str
    ordinal: int
    state: str
    due_at: AwareDatetime
    dialed_at: AwareDatetime | None = None
    """When the call was placed; ``null``: it never was."""
    answered_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    disposition: str | None = None
    outcome: str = ""
    hangup_cause: str = ""
    sip_code: int = 0


class Statement(Model):
    """What a person told us, or somebody for them."""

    kind: Literal["opt_out", "opt_in", "consent_granted", "consent_withdrawn", "refusal", "callback"]
    id: str
    at: AwareDatetime
    scope: str = ""
    """``all`` or a purpose."""
    channel: str = ""
    """Empty for all."""
    only_campaign: str = ""
    consent: str = ""
    """Kind of consent."""
    source: str = ""
    words: str = ""
    proof: str = ""
    campaign_id: str | None = None
    attempt_id: str | None = None
    until: AwareDatetime | None = None
    """When consent ends, or when a call was wished for."""


class RegisterState(Model):
    """A do-not-call register as it stands now; what it was when a decision was made is in the receipt's evidence."""

    name: str
    kind: str
    as_of: AwareDatetime | None = None
    generation: int
    entries: int
    loaded_at: AwareDatetime | None = None


class ErasureKept(Model):
    """That somebody was erased."""

    at: AwareDatetime
    token: str
    counts: dict[str, int]


class NumberEvidence(Model):
    """Everything that bears on whether a number was rightly reached or not reached."""

    about: Literal["number"] = "number"
    number: str
    """As it was asked for."""
    made_at: AwareDatetime
    contacts: list[EvidencePlace]
    receipts: list[KeptReceipt]
    """In the order in which they were written."""
    attempts: list[EvidenceAttempt]
    statements: list[Statement]
    erasures: list[ErasureKept]
    registers: list[RegisterState]
    chain: list[ChainDay]
    complete: bool
    """``false``: there is more than is shown; ``/v1/receipts?number=`` has all receipts."""


class RuleCount(Model):
    """How often a rule decided."""

    allowed: bool
    code: str
    rule: str
    source: str
    receipts: int


class CampaignEvidence(Model):
    """A campaign, and what the gate said in sum; the first line of its evidence."""

    about: Literal["campaign"] = "campaign"
    id: str
    name: str
    purpose: str
    state: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    made_at: AwareDatetime
    contacts: int
    receipts: int
    counts: list[RuleCount]
    registers: list[RegisterState]
    chain: list[ChainDay]


class EvidenceLine(Model):
    """One line of a campaign's evidence; exactly one field besides ``type`` is there, the one that ``type`` names."""

    type: Literal["campaign", "receipt", "attempt", "statement"]
    campaign: CampaignEvidence | None = None
    receipt: KeptReceipt | None = None
    attempt: EvidenceAttempt | None = None
    statement: Statement | None = None


class Erasure(Model):
    """What was erased of a person."""

    token: str
    """Stands for the number from now on; nobody but this service can tell which number."""
    erased: dict[str, int]
    """Rows by what they were; empty for somebody who was erased before and has not come back."""
