"""The shapes of REST version 1: what operators send and what they get back (OpenAPI is generated from here).

Nothing here reads or writes anything. Numbers are E.164, instants RFC 3339 with an offset, durations carry their unit.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from campaigns.dispositions import Disposition

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Variables = Annotated[dict[str, Annotated[str, StringConstraints(max_length=500)]], Field(max_length=50)]


class Model(BaseModel):
    """Base of all shapes: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Purpose(StrEnum):
    """Why somebody is reached; mixed content counts as marketing."""

    MARKETING = "marketing"
    INFORMATIONAL = "informational"
    TRANSACTIONAL = "transactional"
    EMERGENCY = "emergency"


class CampaignState(StrEnum):
    """Life of a campaign."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """Life of an attempt: due, claimed, dialing, done; or undetermined."""

    DUE = "due"
    CLAIMED = "claimed"
    DIALING = "dialing"
    DONE = "done"
    UNDETERMINED = "undetermined"


class Consent(StrEnum):
    """The customer's consent to be reached by an artificial voice."""

    NONE = "none"
    EXPRESS = "express"
    EXPRESS_WRITTEN = "express_written"


class Window(Model):
    """Allowed local hours on some weekdays, narrower than the law's: the gate always takes the stricter."""

    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1)]
    start: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    """Local wall-clock time, ``HH:MM``, inclusive."""
    end: Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
    """Exclusive."""


class RetryPolicy(Model):
    """When and how often a customer is tried again."""

    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    delays_s: dict[Disposition, Annotated[int, Field(ge=1, le=14 * 86400)]] = Field(
        default_factory=lambda: {
            Disposition.BUSY: 600,
            Disposition.NO_ANSWER: 7200,
            Disposition.CONGESTION: 300,
            Disposition.FAILED: 600,
            Disposition.NO_MEDIA: 1800,
        }
    )
    """Seconds from the end of an attempt to the next, by disposition; a disposition that is not named is final."""


class CampaignIn(Model):
    """A campaign to be created."""

    name: Name
    callflow: Slug
    purpose: Purpose
    trunk: Slug = "default"
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    default_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO 3166 region for numbers given without ``+``; without it they are refused."""
    variables: Variables = Field(default_factory=dict)
    """For every contact; a contact's own variables win."""
    windows: list[Window] = Field(default_factory=list)
    retry: RetryPolicy = Field(default_factory=RetryPolicy)
    max_concurrent: Annotated[int, Field(ge=1, le=1000)] = 50
    ring_timeout_s: Annotated[float, Field(ge=5, le=120)] = 25.0
    max_duration_s: Annotated[float, Field(ge=10, le=3600)] = 300.0
    agent_uri: Annotated[str, StringConstraints(pattern=r"^(sips?:[^\s<>\"]+)?$", max_length=200)] = ""
    """SIP URI that is rung when a customer asks for a person."""
    starts_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    """Attempts not made by then end as ``expired``."""
    record: bool = True


class CampaignCounts(Model):
    """How far a campaign is."""

    contacts: int = 0
    due: int = 0
    in_progress: int = 0
    done: int = 0
    undetermined: int = 0
    dispositions: dict[Disposition, int] = Field(default_factory=dict)


class Campaign(CampaignIn):
    """A campaign as it stands."""

    id: str
    state: CampaignState
    kind: Literal["campaign", "notification"] = "campaign"
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    counts: CampaignCounts = Field(default_factory=CampaignCounts)


class ContactIn(Model):
    """One customer of a campaign. In CSV, every column that is not one of these fields is a variable."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    ref: Annotated[str, StringConstraints(max_length=120)] = ""
    """The operator's own id for this customer."""
    name: Annotated[str, StringConstraints(max_length=120)] = ""
    language: Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3})?$")] = ""
    zone: Annotated[str, StringConstraints(max_length=64)] = ""
    """IANA zone; without it the number's zones are used, and all of them must allow the call."""
    consent: Consent = Consent.NONE
    variables: Variables = Field(default_factory=dict)


class Contact(ContactIn):
    """A customer of a campaign as stored."""

    id: str
    campaign_id: str
    disposition: Disposition | None = None
    attempts: int = 0


class Reject(Model):
    """A row that was not taken, and why."""

    row: int
    """1-based line number of the file (the header is line 1), or position in the JSON list."""
    field: str
    code: str
    reason: str
    """A sentence with the remedy."""


class ImportState(StrEnum):
    """Life of an import."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Import(Model):
    """An import of contacts: good rows are in, bad ones are listed."""

    id: str
    campaign_id: str
    state: ImportState
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects: list[Reject] = Field(default_factory=list)
    """The first 100; all of them at ``/v1/imports/{id}/rejects``."""
    error: str = ""
    """Why the whole file was refused, with the remedy."""
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class NotificationIn(Model):
    """One customer, now."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    callflow: Slug
    purpose: Purpose
    trunk: Slug = "default"
    name: Annotated[str, StringConstraints(max_length=120)] = ""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    zone: Annotated[str, StringConstraints(max_length=64)] = ""
    consent: Consent = Consent.NONE
    variables: Variables = Field(default_factory=dict)
    retry: RetryPolicy = Field(default_factory=lambda: RetryPolicy(max_attempts=1))
    ring_timeout_s: Annotated[float, Field(ge=5, le=120)] = 25.0
    agent_uri: Annotated[str, StringConstraints(pattern=r"^(sips?:[^\s<>\"]+)?$", max_length=200)] = ""
    expires_at: AwareDatetime | None = None
    record: bool = True


class TimelineEntry(Model):
    """Something that happened in an attempt."""

    id: int
    at: AwareDatetime
    kind: str
    data: dict[str, Any] = Field(default_factory=dict)


class TurnOut(Model):
    """One turn of the transcript."""

    who: Literal["robot", "customer", "agent"]
    text: str
    at_s: float
    intent: str | None = None
    interrupted: bool = False


class TimingsOut(Model):
    """Measured from the recording, in seconds."""

    answer_to_audio_s: float | None = None
    turn_gaps_s: list[float] = Field(default_factory=list)
    barge_in_stops_s: list[float] = Field(default_factory=list)
    dead_air_s: float = 0.0
    duration_s: float = 0.0


class Receipt(Model):
    """Why the gate allowed or refused."""

    at: AwareDatetime
    allowed: bool
    code: str
    reason: str
    rule: str
    """Rule and version that decided."""
    next_at: AwareDatetime | None = None
    evidence: dict[str, Any] = Field(default_factory=dict)


class Attempt(Model):
    """One try to reach one contact on one channel."""

    id: str
    campaign_id: str
    campaign: str
    contact_id: str
    number: str
    name: str = ""
    channel: Literal["voice"] = "voice"
    ordinal: int
    """1 for the first attempt."""
    state: AttemptState
    due_at: AwareDatetime
    dialed_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    disposition: Disposition | None = None
    outcome: str = ""
    hangup_cause: str = ""
    sip_code: int = 0
    step: str = ""
    """The step a live call is in."""


class AttemptDetail(Attempt):
    """An attempt with everything that is known of it."""

    timeline: list[TimelineEntry] = Field(default_factory=list)
    transcript: list[TurnOut] = Field(default_factory=list)
    variables: dict[str, str] = Field(default_factory=dict)
    timings: TimingsOut = Field(default_factory=TimingsOut)
    receipts: list[Receipt] = Field(default_factory=list)
    recording: str = ""
    """Path of the recording below this server, empty when there is none."""


class OptOutIn(Model):
    """Somebody who must not be reached."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    scope: Literal["all", "marketing", "informational", "transactional"] = "all"
    words: Annotated[str, StringConstraints(max_length=500)] = ""
    """What the customer said or wrote; matched as text when ``scope`` is left out by channels."""


class OptOut(OptOutIn):
    """An opt-out as stored; it is never deleted, only the customer's own act brings a number back."""

    id: str
    source: Literal["speech", "digits", "rest", "import", "sms", "agent"]
    campaign_id: str | None = None
    attempt_id: str | None = None
    created_at: AwareDatetime


class CallbackOut(Model):
    """A wish to be called at another time."""

    id: str
    attempt_id: str
    number: str
    at: AwareDatetime | None
    words: str
    created_at: AwareDatetime


class TrunkIn(Model):
    """A way out to the telephone network."""

    name: Slug
    kind: Literal["ip", "registrar"] = "ip"
    host: Annotated[str, StringConstraints(pattern=r"^[^\s/@]+$", max_length=255)]
    username: str = ""
    password: str = Field(default="", repr=False)
    realm: str = "*"
    caller_id: Annotated[str, StringConstraints(pattern=r"^(\+[1-9]\d{6,14})?$")] = ""
    display_name: Annotated[str, StringConstraints(max_length=60)] = ""
    asserted_identity: bool = False
    codecs: list[Literal["PCMU", "PCMA", "G722"]] = ["PCMU", "PCMA"]
    transport: Literal["udp", "tcp", "tls"] = "udp"
    follow_redirects: bool = False
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    channels: Annotated[int, Field(ge=1, le=10000)] = 30


class TrunkOut(TrunkIn):
    """A trunk as stored; the password never comes back."""

    password: Literal["", "***"] = ""
    in_use: int = 0


class CallflowIn(Model):
    """A call flow of the operator's own, as the YAML document's content."""

    document: dict[str, Any]


class FindingOut(Model):
    """What the lint says of a call flow."""

    severity: Literal["error", "warning"]
    code: str
    file: str
    step: str
    message: str
    remedy: str


class Callflow(Model):
    """A call flow that can be used."""

    name: str
    title: str = ""
    source: Literal["built-in", "operator"]
    languages: list[str]
    variables: list[str]
    """Names that must be supplied by campaign or contact."""
    steps: list[str]
    findings: list[FindingOut] = Field(default_factory=list)
    document: dict[str, Any] | None = None


class SimulateIn(Model):
    """A conversation in text."""

    language: str = "en"
    variables: Variables = Field(default_factory=dict)
    zone: str = "UTC"
    now: AwareDatetime | None = None
    can_hand_off: bool = True
    inputs: Annotated[list[Annotated[str, StringConstraints(max_length=500)]], Field(max_length=100)]
    """What the customer does, in order: words; ``#1`` digits; ``(silence)``, ``(machine)``, ``(hangup)``."""


class SimulatedTurn(Model):
    """One entry of a simulated conversation."""

    who: Literal["robot", "customer", "engine"]
    text: str
    step: str = ""
    intent: str | None = None


class Simulation(Model):
    """How the conversation went."""

    turns: list[SimulatedTurn]
    ended: bool
    disposition: Disposition | None = None
    outcome: str = ""
    variables: dict[str, str] = Field(default_factory=dict)


class Stats(Model):
    """Figures of a campaign."""

    counts: CampaignCounts
    answer_to_audio_p50_s: float | None = None
    answer_to_audio_p95_s: float | None = None
    turn_gap_p50_s: float | None = None
    turn_gap_p95_s: float | None = None


class LiveEvent(Model):
    """One message of the event stream (SSE ``data``); ``id`` is the SSE id, resumable by ``Last-Event-ID``."""

    id: int
    at: AwareDatetime
    kind: str
    """``campaign.*`` (state changes), ``attempt.*`` (due, dialing, done…) or ``call.<EventKind>``."""
    campaign_id: str | None = None
    attempt_id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class ApiKeyOut(Model):
    """An operator's key; the secret is shown once."""

    id: str
    name: str
    prefix: str
    created_at: AwareDatetime


class Problem(Model):
    """RFC 9457 problem details; ``code`` is stable."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[Reject] | None = None


Item = TypeVar("Item")


class Page(Model, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = None
    """Give it as ``cursor`` for the next page; ``null`` at the end."""


def utc(value: datetime) -> datetime:
    """Read a stored naive-UTC or aware instant as aware."""
    from datetime import UTC

    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
