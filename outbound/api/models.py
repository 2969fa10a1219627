"""The shapes of REST version 1 in one place, because they are one contract (OpenAPI is generated from here).

Nothing here reads or writes anything. Numbers are E.164, instants RFC 3339 with an offset, durations carry their unit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from campaigns.dispositions import Disposition
from campaigns.routing import Order
from outbound.api.pacing_models import (
    E164,
    BreakerIn,
    BudgetIn,
    CallerId,
    CapIn,
    Destination,
    Model,
    PacingIn,
    Prefix,
    RetryPolicy,
)

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Variables = Annotated[dict[VariableName, Annotated[str, StringConstraints(max_length=500)]], Field(max_length=50)]
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
HeaderValue = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=255)]
OptOutScope = Literal["all", "marketing", "informational", "transactional"]
Channel = Literal["", "voice", "sms"]
Codec = Literal["PCMU", "PCMA", "G722"]
CODECS: tuple[Codec, ...] = ("PCMU", "PCMA")
FIRST_YEAR, LAST_YEAR = 2000, 2100


def _plausible(instant: datetime) -> datetime:
    if not FIRST_YEAR <= instant.year < LAST_YEAR:
        raise ValueError(f"the year must be from {FIRST_YEAR} to {LAST_YEAR - 1}")
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""RFC 3339 with an offset, in a year that makes sense."""


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
    """Exclusive; earlier than ``start`` when the window crosses midnight into the next day."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"the window {self.start}-{self.end} is empty; for a whole day write 00:00-24:00")
        return self


class FaqIn(Model):
    """A question that customers ask, and its answer, in each language of the call flow."""

    ask: dict[Language, Annotated[list[Sentence], Field(min_length=1, max_length=20)]]
    """Examples of how it is asked; it is known by meaning."""
    say: dict[Language, Sentence]


class CampaignIn(Model):
    """A campaign to be created."""

    name: Name
    callflow: Slug
    purpose: Purpose
    trunk: Slug = "default"
    fallback_trunks: Annotated[list[Slug], Field(max_length=10)] = Field(default_factory=list)
    """Where calls go that ``trunk`` may not carry or has no room for, in this order."""
    routing: Order = Order.LISTED
    """``listed``: the trunks in their order; ``cheapest``: by their rates for the number."""
    caller_id: CallerId = ""
    """Shown instead of the trunk's own."""
    caller_ids: Annotated[dict[Prefix, E164], Field(max_length=200)] = Field(default_factory=dict)
    """Shown to numbers of a prefix, such as one's own number of that region; the longest prefix counts."""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    default_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO 3166 region for numbers given without ``+``; without it they are refused."""
    variables: Variables = Field(default_factory=dict)
    """For every contact; a contact's own variables win."""
    windows: list[Window] = Field(default_factory=list)
    caps: Annotated[list[CapIn], Field(max_length=20)] = Field(default_factory=list)
    """Narrower than the law's, as windows are."""
    budget: BudgetIn = Field(default_factory=BudgetIn)
    closing_guard_s: Annotated[float, Field(ge=0, le=7200)] = 0.0
    """No attempt begins so shortly before closing time; the time it may ring is always kept free."""
    retry: RetryPolicy = Field(default_factory=RetryPolicy)
    order: Literal["as_planned", "best_time"] = "as_planned"
    """``best_time``: each customer at the permitted hour within a day at which customers have answered most."""
    valid_for_s: Annotated[int, Field(ge=60, le=90 * 86400)] | None = None
    """Seconds after which a customer's notice is of no use any more, from when the contact came in: it then ends as
    ``expired``."""
    share: Annotated[float, Field(ge=0.1, le=100)] = 1.0
    """Weight among campaigns of the same priority that wait for the same trunk."""
    pacing: PacingIn = Field(default_factory=PacingIn)
    breaker: BreakerIn | None = Field(default_factory=BreakerIn)
    """When the campaign is paused by itself; ``null``: never."""
    max_concurrent: Annotated[int, Field(ge=1, le=1000)] = 50
    ring_timeout_s: Annotated[float, Field(ge=5, le=120)] = 25.0
    max_duration_s: Annotated[float, Field(ge=10, le=3600)] = 300.0
    agent_uri: Annotated[str, StringConstraints(pattern=r"^(sips?:[^\s<>\"]+)?$", max_length=200)] = ""
    """SIP URI that is rung when a customer asks for a person."""
    starts_at: Instant | None = None
    expires_at: Instant | None = None
    """Attempts not made by then end as ``expired``."""
    faq: Annotated[dict[Word, FaqIn], Field(max_length=30)] = Field(default_factory=dict)
    """Questions answered at any step, besides those of the call flow; one of the same name is answered as said here."""
    on_machine: Literal["as_flow", "leave_message", "hang_up"] = "as_flow"
    """An answering machine: as the call flow says; a message, which the flow then must have; or none, whatever it says.
    There is no SMS channel yet that could be asked for here."""
    record: bool = True


class CampaignPatch(Model):
    """Fields of a draft campaign to be changed; those left out stay as they are."""

    name: Name | None = None
    callflow: Slug | None = None
    purpose: Purpose | None = None
    trunk: Slug | None = None
    fallback_trunks: Annotated[list[Slug], Field(max_length=10)] | None = None
    routing: Order | None = None
    caller_id: CallerId | None = None
    caller_ids: Annotated[dict[Prefix, E164], Field(max_length=200)] | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] | None = None
    default_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    variables: Variables | None = None
    windows: list[Window] | None = None
    caps: Annotated[list[CapIn], Field(max_length=20)] | None = None
    budget: BudgetIn | None = None
    closing_guard_s: Annotated[float, Field(ge=0, le=7200)] | None = None
    retry: RetryPolicy | None = None
    order: Literal["as_planned", "best_time"] | None = None
    valid_for_s: Annotated[int, Field(ge=60, le=90 * 86400)] | None = None
    share: Annotated[float, Field(ge=0.1, le=100)] | None = None
    pacing: PacingIn | None = None
    breaker: BreakerIn | None = None
    max_concurrent: Annotated[int, Field(ge=1, le=1000)] | None = None
    ring_timeout_s: Annotated[float, Field(ge=5, le=120)] | None = None
    max_duration_s: Annotated[float, Field(ge=10, le=3600)] | None = None
    agent_uri: Annotated[str, StringConstraints(pattern=r"^(sips?:[^\s<>\"]+)?$", max_length=200)] | None = None
    starts_at: Instant | None = None
    expires_at: Instant | None = None
    faq: Annotated[dict[Word, FaqIn], Field(max_length=30)] | None = None
    on_machine: Literal["as_flow", "leave_message", "hang_up"] | None = None
    record: bool | None = None


class CampaignCounts(Model):
    """How far a campaign is."""

    contacts: int = 0
    """Customers in the campaign."""
    due: int = 0
    """Attempts that wait for their time or a free line."""
    in_progress: int = 0
    """Attempts that are being made now."""
    done: int = 0
    """Attempts that are over."""
    undetermined: int = 0
    """Attempts of which nobody knows how they ended."""
    dispositions: dict[Disposition, int] = Field(default_factory=dict)
    """Customers by their final disposition."""


class Campaign(CampaignIn):
    """A campaign as it stands."""

    id: str
    state: CampaignState
    pause_reason: str = ""
    """Why it was paused by itself; empty when an operator did."""
    spent: float = 0.0
    """What its calls have cost by the trunks' rates, those in progress at the most they may cost."""
    kind: Literal["campaign", "notification"] = "campaign"
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    counts: CampaignCounts = Field(default_factory=CampaignCounts)


class ContactIn(Model):
    """One customer of a campaign. In CSV, every column that is not one of these fields is a variable."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    number_2: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""
    """Another number of the same customer, tried where the campaign's retry policy says so."""
    number_3: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""
    ref: Annotated[str, StringConstraints(max_length=120)] = ""
    """The operator's own id for this customer."""
    name: Annotated[str, StringConstraints(max_length=120)] = ""
    language: Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3})?$")] = ""
    zone: Annotated[str, StringConstraints(max_length=64)] = ""
    """IANA zone; without it the address tells, then the number, and all zones it may be in must allow the call."""
    country: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""
    """Country of the postal address, ISO 3166-1; the rules of its place apply besides those of the number's."""
    region: Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)] = ""
    """State, province or other region of the address: ISO 3166-2 (``US-FL``, ``FL``) or its name."""
    postcode: Annotated[str, StringConstraints(max_length=20, strip_whitespace=True)] = ""
    """Postcode of the address."""
    consent: Consent = Consent.NONE
    variables: Variables = Field(default_factory=dict)


class Contact(ContactIn):
    """A customer of a campaign as stored; of the address the jurisdictions are kept."""

    jurisdictions: list[str] = Field(default_factory=list)
    """Where the customer may be, ISO 3166; the rules of all of them apply."""

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


class ContactsResult(Model):
    """What became of contacts sent as JSON: good ones are in, bad ones are listed."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects: list[Reject] = Field(default_factory=list)
    """Every row that was rejected, and every duplicate under the code ``duplicate``."""


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
    """The first 100, duplicates among them; all of them at ``/v1/imports/{id}/rejects``."""
    read_as: str = ""
    """How the file was read: format, encoding, delimiter."""
    error: str = ""
    """Why the whole file was refused, with the remedy."""
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class NotificationIn(Model):
    """One customer, now."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    """E.164, with ``+``."""
    callflow: Slug
    purpose: Purpose
    trunk: Slug = "default"
    fallback_trunks: Annotated[list[Slug], Field(max_length=10)] = Field(default_factory=list)
    """Where the call goes if ``trunk`` may not carry it or has no room."""
    routing: Order = Order.LISTED
    caller_id: CallerId = ""
    """Shown instead of the trunk's own."""
    number_2: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""
    """Another number of the same customer, tried where the campaign's retry policy says so."""
    number_3: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""
    name: Annotated[str, StringConstraints(max_length=120)] = ""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    zone: Annotated[str, StringConstraints(max_length=64)] = ""
    """IANA zone; without it the address tells, then the number, and all zones it may be in must allow the call."""
    country: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""
    """Country of the postal address, ISO 3166-1; the rules of its place apply besides those of the number's."""
    region: Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)] = ""
    """State, province or other region of the address: ISO 3166-2 (``US-FL``, ``FL``) or its name."""
    postcode: Annotated[str, StringConstraints(max_length=20, strip_whitespace=True)] = ""
    """Postcode of the address."""
    consent: Consent = Consent.NONE
    variables: Variables = Field(default_factory=dict)
    retry: RetryPolicy = Field(default_factory=lambda: RetryPolicy(max_attempts=1))
    ring_timeout_s: Annotated[float, Field(ge=5, le=120)] = 25.0
    max_duration_s: Annotated[float, Field(ge=10, le=3600)] = 300.0
    agent_uri: Annotated[str, StringConstraints(pattern=r"^(sips?:[^\s<>\"]+)?$", max_length=200)] = ""
    expires_at: Instant | None = None
    faq: Annotated[dict[Word, FaqIn], Field(max_length=30)] = Field(default_factory=dict)
    """Questions answered at any step, besides those of the call flow; one of the same name is answered as said here."""
    on_machine: Literal["as_flow", "leave_message", "hang_up"] = "as_flow"
    """An answering machine: as the call flow says; a message, which the flow then must have; or none, whatever it says.
    There is no SMS channel yet that could be asked for here."""
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
    overlap_s: float = 0.0
    """Both spoke at once."""
    owed_s: float = 0.0
    """Silences over 1.5 s in which it was the robot's turn."""
    own_answer_to_audio_s: float | None = None
    """By the program's own clock."""
    own_turn_gaps_s: list[float] = Field(default_factory=list)


class Receipt(Model):
    """Why the gate allowed or refused."""

    at: AwareDatetime
    allowed: bool
    code: str
    reason: str
    rule: str
    """Rule and version that decided."""
    source: str = ""
    """Where the rule is written."""
    mark: str = ""
    """V: statute or official text read; S: secondary source; M: memory; H: rule of the house."""
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
    trunk: str = ""
    """The trunk it went out through."""
    cost: float | None = None
    """By the trunk's rates; while the call lasts, the most it may cost."""
    abandoned: bool = False
    """A person answered a call that was meant for an agent, and none took it."""


class ResolveIn(Model):
    """What an operator found out about an undetermined attempt."""

    disposition: Literal[
        Disposition.NO_ANSWER,
        Disposition.FAILED,
        Disposition.BUSY,
        Disposition.INFORMED,
        Disposition.ACCEPTED,
        Disposition.DECLINED,
        Disposition.CANCELLED,
    ]
    again: bool = False
    """Whether another attempt is planned, as the gate permits."""
    note: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=500)] = ""
    """How you know; kept in the attempt's timeline."""


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
    scope: OptOutScope = "all"
    """Everything, or one purpose."""
    channel: Channel = ""
    """Empty: on all channels."""
    only_campaign: Annotated[str, StringConstraints(max_length=26)] = ""
    """Id of the one campaign that is not wanted; empty: all of them."""
    source: Literal["rest", "agent", "inbound"] = "rest"
    """Who tells it: an integrator's system, an agent who was told, or the customer who called in."""
    words: Annotated[str, StringConstraints(max_length=500)] = ""
    """What the customer said or wrote, kept as it is: say in ``scope`` what it covers."""
    campaign_id: Annotated[str, StringConstraints(max_length=26)] | None = None
    """Where it was said; it does not narrow what is covered."""


class OptOut(OptOutIn):
    """An opt-out as stored; it is never deleted, only the customer's own act brings a number back."""

    id: str
    source: Literal["speech", "digits", "sms", "agent", "rest", "import", "inbound"]  # type: ignore[assignment]
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


class Membership(Model):
    """A customer's place in one campaign."""

    campaign_id: str
    campaign: str
    contact_id: str
    ref: str = ""
    name: str = ""
    disposition: Disposition | None = None


class Journey(Model):
    """Everything that is known of a number, over all campaigns."""

    number: str
    campaigns: list[Membership] = Field(default_factory=list)
    attempts: list[Attempt] = Field(default_factory=list)
    """The newest 200."""
    opt_outs: list[OptOut] = Field(default_factory=list)
    callbacks: list[CallbackOut] = Field(default_factory=list)


class TrunkSettings(Model):
    """A way out to the telephone network, but for its name."""

    kind: Literal["ip", "registrar"] = "ip"
    host: Annotated[str, StringConstraints(pattern=r"^[^\s/@]+$", max_length=255)]
    """``host`` or ``host:port`` of the proxy or registrar."""
    proxy: Annotated[str, StringConstraints(pattern=r"^[^\s/@]*$", max_length=255)] = ""
    """``host`` or ``host:port`` of an outbound proxy that all requests go through; empty for none."""
    username: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=120)] = ""
    password: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=200)] = Field(default="", repr=False)
    """Left out when a trunk is replaced: the stored one is kept."""
    realm: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=120)] = "*"
    caller_id: CallerId = ""
    display_name: Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=60)] = ""
    asserted_identity: bool = False
    """Whether to send P-Asserted-Identity (RFC 3325)."""
    user_phone: bool = False
    """Whether number URIs carry ``;user=phone`` (RFC 3261 §19.1.1)."""
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] = Field(default_factory=dict)
    """Extra headers on every INVITE."""
    codecs: Annotated[list[Codec], Field(min_length=1)] = Field(default_factory=lambda: list(CODECS))
    transport: Literal["udp", "tcp", "tls"] = "udp"
    follow_redirects: bool = False
    calls_per_second: Annotated[float, Field(gt=0, le=1000)] = 10.0
    channels: Annotated[int, Field(ge=1, le=10000)] = 30
    destinations: Annotated[list[Destination], Field(max_length=500)] = Field(default_factory=list)
    """Prefixes that may be called, such as ``+44``; ``!+4470`` forbids one; the longest that matches counts. Empty:
    ordinary numbers everywhere, and none that is dear (premium rate, shared cost, satellite)."""
    rates: Annotated[dict[Prefix, Annotated[float, Field(ge=0, le=1000)]], Field(max_length=5000)] = Field(
        default_factory=dict
    )
    """Price a minute by prefix, in the currency of your contract; the longest that matches counts."""
    billing_increment_s: Annotated[int, Field(ge=1, le=60)] = 60
    """Seconds that are charged for when begun."""


class TrunkIn(TrunkSettings):
    """A way out to the telephone network."""

    name: Slug


class TrunkOut(TrunkSettings):
    """A trunk as stored; the password never comes back."""

    name: Slug
    password: Literal["", "***"] = ""
    in_use: int = 0
    """Campaigns that are not over and go out through it."""
    state: Literal["open", "resting", "tripped"] = "open"
    """``resting``: the far end asked to be left alone (Retry-After); ``tripped``: too many calls failed on it."""
    state_until: AwareDatetime | None = None
    state_reason: str = ""
    calls: int = 0
    """Calls in progress, which hold a channel each."""
    created_at: AwareDatetime


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


class LintResult(Model):
    """What the lint says of a document."""

    ok: bool
    findings: list[FindingOut]


class Callflow(Model):
    """A call flow that can be used."""

    name: str
    title: str = ""
    source: Literal["built-in", "operator"]
    languages: list[str]
    variables: list[str]
    """Names of the values it has a use for."""
    required: list[str] = Field(default_factory=list)
    """Those of them that campaign or contact must supply."""
    steps: list[str]
    findings: list[FindingOut] = Field(default_factory=list)
    document: dict[str, Any] | None = None


class SimulateIn(Model):
    """A conversation in text."""

    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    variables: Variables = Field(default_factory=dict)
    zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"
    now: Instant | None = None
    can_hand_off: bool = True
    inputs: Annotated[list[Annotated[str, StringConstraints(max_length=500)]], Field(max_length=100)]
    """What the customer does, in order: words; ``#1`` digits; ``(silence)``, ``(noise)``, ``(machine)``, ``(hangup)``,
    ``(connected)`` and ``(no agent)`` for a handoff, ``(reply ok day=2026-12-05; slot=morning)`` and ``(no reply)`` for
    a system of the business that a flow asks."""


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
    """Values collected on the way."""
    opted_out: bool = False
    callback_at: AwareDatetime | None = None
    callback_words: str = ""
    unused: int = 0
    """Inputs left over when the call had ended."""


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


class ApiKeyIn(Model):
    """A key to be made."""

    name: Name
    """Who or what uses it."""


class ApiKeyOut(Model):
    """An operator's key."""

    id: str
    name: str
    prefix: str
    """How the key begins, to tell keys apart."""
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None = None


class ApiKeyCreated(ApiKeyOut):
    """A key that was just made."""

    key: str | None = None
    """The secret, shown once; ``null`` when the request was a repeat under its ``Idempotency-Key``."""


class SessionIn(Model):
    """An API key to be exchanged for a browser session."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FieldError(Model):
    """One thing that is wrong with a request."""

    field: str
    """Path of the field, such as ``windows[0].start``; ``body`` for the whole."""
    code: str
    reason: str


class Problem(Model):
    """RFC 9457 problem details; ``code`` is stable, ``detail`` names what is wrong and the remedy."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    retryable: bool = False
    """Whether the same request may succeed later."""
    errors: list[FieldError] | None = None


Item = TypeVar("Item")


class Page(Model, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = None
    """Give it as ``cursor`` for the next page; ``null`` at the end."""


class ListQuery(Model):
    """Which page of a list."""

    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    """``next_cursor`` of the page before."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class CampaignsQuery(ListQuery):
    """Which campaigns; the newest first."""

    state: CampaignState | None = None
    kind: Literal["campaign", "notification"] = "campaign"


class ContactsQuery(ListQuery):
    """Which contacts, in the order they came."""

    disposition: Disposition | None = None


class AttemptsQuery(ListQuery):
    """Which attempts of a campaign; the newest first."""

    state: AttemptState | None = None
    disposition: Disposition | None = None
    number: Annotated[str, StringConstraints(max_length=32)] | None = None


class AllAttemptsQuery(AttemptsQuery):
    """Which attempts; the newest first."""

    campaign_id: Annotated[str, StringConstraints(max_length=26)] | None = None


class NumberQuery(ListQuery):
    """Which entries of a number; the newest first."""

    number: Annotated[str, StringConstraints(max_length=32)] | None = None


class ImportQuery(Model):
    """How a file of contacts is read."""

    ignore_columns: Annotated[str, StringConstraints(max_length=2000)] = ""
    """Comma-separated names of columns that are left out."""


class EventsQuery(Model):
    """Where the event stream begins."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    """Id of the last event that is known; ``Last-Event-ID`` wins. Without either: from now on."""
