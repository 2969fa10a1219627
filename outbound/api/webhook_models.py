"""The shapes of ``/v1/webhooks``; nothing here reads or writes anything."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from outbound.api.models import PRINTABLE, Instant, ListQuery
from outbound.api.pacing_models import Model

Url = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f]+$", max_length=2000)]
Description = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=120)]
KindPattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z_]+(\.[a-z_]+)*(\.\*)?)$", max_length=64)]
Kinds = Annotated[list[KindPattern], Field(max_length=50)]
MAX_OVERLAP_S = 7 * 86400


class DeliveryState(StrEnum):
    """Life of a delivery; a dead one was given up after its last try and may be replayed."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class WebhookIn(Model):
    """Where events are to be posted, after the Standard Webhooks specification."""

    url: Url
    """https; private addresses, and http to them, only where the operator allows them with
    ``OUTBOUND_WEBHOOK_PRIVATE_TARGETS``. Without user and password: the signature says who sends."""
    description: Description = ""
    kinds: Kinds = Field(default_factory=list)
    """Kinds of events, such as ``attempt.done`` or ``attempt.*``; none for all."""
    campaign_id: Annotated[str, StringConstraints(max_length=26)] | None = None
    """Only events of this campaign."""
    enabled: bool = True


class WebhookPatch(Model):
    """What is to be changed of a webhook; what is left out stays as it is."""

    url: Url | None = None
    description: Description | None = None
    kinds: Kinds | None = None
    enabled: bool | None = None
    """Once enabled again, everything that happened meanwhile is delivered."""


class WebhookOut(Model):
    """A webhook; its secret never comes back."""

    id: str
    url: str
    description: str
    kinds: list[str]
    campaign_id: str | None
    private_allowed: bool
    """It was made for a private address."""
    enabled: bool
    disabled_reason: str
    """Why the service disabled it; empty where an operator did."""
    failing_since: AwareDatetime | None
    """Since when nothing has arrived; after 5 days the webhook is disabled."""
    secrets: int
    """How many secrets sign now: more than one while a secret is turned over."""
    waiting: int
    """Deliveries that wait for their try."""
    dead: int
    """Deliveries that were given up."""
    oldest_waiting_at: AwareDatetime | None
    created_at: AwareDatetime


class WebhookCreated(WebhookOut):
    """A webhook with its new secret, which is shown this once."""

    secret: str | None = None
    """``whsec_`` and base64; ``null`` in a repeat under the same ``Idempotency-Key``: rotate it if it was lost."""


class SecretRotation(Model):
    """How a secret is to be turned over."""

    overlap_s: Annotated[int, Field(ge=0, le=MAX_OVERLAP_S)] = 86400
    """How long the old secret signs beside the new one."""


class DeliveriesQuery(ListQuery):
    """Which deliveries of a webhook; the newest first."""

    state: DeliveryState | None = None


class Delivery(Model):
    """One event on its way to one webhook."""

    id: int
    message_id: str
    """The header ``webhook-id``: the same over all tries and replays."""
    event_id: int
    kind: str
    campaign_id: str | None
    attempt_id: str | None
    state: DeliveryState
    tries: int
    next_at: AwareDatetime | None
    """When it is tried at the earliest; one of an attempt waits for the events before it."""
    last_code: int
    """HTTP status of the last try; 0 where there was none."""
    last_error: str
    created_at: AwareDatetime
    ended_at: AwareDatetime | None


class ReplayIn(Model):
    """Which past events are to be sent again: those after an id, or those since an instant."""

    since: Instant | None = None
    after_id: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    kinds: Kinds = Field(default_factory=list)
    """Fewer than the webhook's own; none for all of them."""

    @model_validator(mode="after")
    def _has_one_beginning(self) -> Self:
        if (self.since is None) == (self.after_id is None):
            raise ValueError("give either since or after_id")
        return self


class ReplayOut(Model):
    """What a replay did."""

    deliveries: int
    """How many were put on their way."""
    next_after_id: int | None = None
    """Give it as ``after_id`` to go on; ``null`` at the end."""
