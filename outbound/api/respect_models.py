"""The shapes of REST version 1 for what customers want and allow: opt-ins, consents, refusals, registers, messages.

A file beside models.py, which is long enough without them; opt-outs stay there, as a part of a number's journey.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from outbound.api.models import Channel, ImportState, Instant, OptOut, OptOutScope
from outbound.api.pacing_models import Model

Number = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Words = Annotated[str, StringConstraints(max_length=500)]
NeededWords = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
NeededProof = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
CampaignId = Annotated[str, StringConstraints(max_length=26)]
NOT_THEIR_OWN = ("agent", "rest", "import")


def _own_act(value: Any) -> Any:
    if value in NOT_THEIR_OWN:
        raise ValueError(
            "only the customer's own act brings a number back: sms, speech, digits, inbound or web_form; "
            f"{value!r} is somebody else's"
        )
    return value


class OptInIn(Model):
    """A customer who wants to be reached again."""

    number: Number
    scope: OptOutScope = "all"
    """What is wanted again: everything, or one purpose."""
    channel: Channel = ""
    """Empty: on all channels."""
    source: Annotated[Literal["sms", "speech", "digits", "inbound", "web_form"], BeforeValidator(_own_act)]
    """How the customer said so; an agent's or an integrator's word is not enough."""
    words: NeededWords
    """What the customer said, wrote or did."""
    proof: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] = ""
    """The evidence, as text or URL; needed for ``web_form``."""
    at: Instant | None = None
    """When the customer did so; left out: now. Only older opt-outs are lifted."""

    @model_validator(mode="after")
    def _has_proof(self) -> Self:
        if self.source == "web_form" and not self.proof:
            raise ValueError("a web form needs proof: the URL or the text of what was filled in, when and from where")
        return self


class OptIn(Model):
    """An opt-in as stored; it is never deleted."""

    id: str
    number: str
    scope: str
    channel: str
    source: str
    words: str
    proof: str
    at: AwareDatetime
    """When the customer did so."""


class ConsentAct(Model):
    """What a grant and a withdrawal of consent have in common."""

    number: Number
    scope: OptOutScope = "all"
    """Everything, or one purpose."""
    channel: Channel = ""
    """Empty: on all channels."""
    only_campaign: CampaignId = ""
    """Id of the one campaign that is meant; empty: all of them."""
    source: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,15}$")]
    """How it came, in a word: ``web_form``, ``paper``, ``speech``, ``sms``, ``agent``…"""
    words: Words = ""
    """What the customer said or wrote."""
    at: Instant | None = None
    """When the customer did so; left out: now."""


class ConsentIn(ConsentAct):
    """Consent that a customer gave."""

    kind: Literal["express", "express_written"]
    proof: NeededProof
    """The evidence, as text or URL."""
    expires_at: Instant | None = None


class WithdrawalIn(ConsentAct):
    """Consent that a customer took back: all that was given before and is covered."""


class ConsentOut(Model):
    """A grant or withdrawal of consent as stored; it is never changed or deleted."""

    id: str
    event: Literal["granted", "withdrawn"]
    number: str
    kind: str
    """Empty for a withdrawal, which is of every kind."""
    scope: str
    channel: str
    only_campaign: str
    source: str
    words: str
    proof: str
    at: AwareDatetime
    expires_at: AwareDatetime | None = None
    created_at: AwareDatetime


class Refusal(Model):
    """An offer that a customer refused: no opt-out, but in some countries nobody may ask again for a time."""

    id: str
    number: str
    purpose: str
    words: str
    source: str
    campaign_id: str | None = None
    attempt_id: str | None = None
    created_at: AwareDatetime


class RegisterIn(Model):
    """A do-not-call register."""

    kind: Literal["national", "house"]
    """``national``: consulted where a rule pack asks for it, and must be fresh; ``house``: covers all, only grows."""


class Register(RegisterIn):
    """A do-not-call register as it stands."""

    name: str
    as_of: AwareDatetime | None = None
    """Date of the newest list that was loaded whole."""
    entries: int = 0
    """Numbers in it when that was loaded."""
    loaded_at: AwareDatetime | None = None
    loading: str | None = None
    """The import that is at work now."""
    created_at: AwareDatetime


class RegisterQuery(Model):
    """How a list is loaded."""

    as_of: Annotated[str, StringConstraints(max_length=40)] | None = None
    """The list's own date (``2026-11-20``, or RFC 3339), not in the future; needed for a national register."""
    mode: Literal["replace", "add"] | None = None
    """``replace``: the list is whole and numbers it lacks leave the register; left out for a national one.
    ``add``: numbers are only added; left out for a house list, for which there is nothing else."""
    shrink: bool = False
    """Whether the list may be less than half as long as the one it replaces."""
    default_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """ISO 3166 region of numbers without ``+``; without it they are refused."""


class RegisterReject(Model):
    """A line that holds no number, and why."""

    row: int
    """1-based line of the file."""
    reason: str


class RegisterImport(Model):
    """How the loading of a list goes."""

    id: str
    name: str
    """Of the register."""
    state: ImportState
    mode: Literal["replace", "add"]
    as_of: AwareDatetime
    rows: int = 0
    """Lines that are settled."""
    accepted: int = 0
    """Lines that held a number."""
    rejected: int = 0
    rejects: list[RegisterReject] = Field(default_factory=list)
    """The first 100; all of them at ``…/rejects``."""
    error: str = ""
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class InboundMessageIn(Model):
    """A text message that a customer sent us."""

    sender: Number = Field(alias="from")
    """The customer's number."""
    to: Annotated[str, StringConstraints(max_length=64)] = ""
    """Ours, as it was dialled."""
    text: Annotated[str, StringConstraints(max_length=2000)]
    offered: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=40)]], Field(max_length=20)] = (
        Field(default_factory=list)
    )
    """Words that our message told the customer to answer with in order to stop, such as ``R``."""
    asked_yes: bool = False
    """Whether our message asked for a yes to messages: only then does a yes opt in."""


class InboundCallIn(Model):
    """What a customer wants who called us, as the telephone system or a person tells it."""

    sender: Number = Field(alias="from")
    """The customer's number."""
    to: Annotated[str, StringConstraints(max_length=64)] = ""
    """Ours, as it was dialled."""
    act: Literal["opt_out", "opt_in", "refusal"]
    scope: OptOutScope = "all"
    """Everything, or one purpose; a refusal is always of one."""
    channel: Channel = ""
    """Empty: on all channels."""
    words: NeededWords
    """What the customer said or pressed."""

    @model_validator(mode="after")
    def _refuses_something(self) -> Self:
        if self.act == "refusal" and self.scope == "all":
            raise ValueError("say in scope what was refused: marketing, informational or transactional")
        return self


class Understood(Model):
    """What was made of a message or call; at most one of the three is there."""

    meaning: Literal["opt_out", "opt_in", "refusal", "help", "none"]
    opt_out: OptOut | None = None
    opt_in: OptIn | None = None
    refusal: Refusal | None = None
