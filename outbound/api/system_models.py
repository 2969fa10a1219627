"""The shapes of ``/v1/systems``; nothing here reads or writes anything."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from outbound.api.pacing_models import Model
from outbound.api.webhook_models import Description, Url

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Value = Annotated[str, StringConstraints(max_length=500)]


class SystemIn(Model):
    """Where a system of the business is asked."""

    url: Url
    """https; private addresses, and http to them, only where the operator allows them with
    ``OUTBOUND_WEBHOOK_PRIVATE_TARGETS``. Without user and password: the signature says who asks."""
    description: Description = ""


class SystemOut(Model):
    """A system; its secret never comes back."""

    name: str
    url: str
    description: str
    private_allowed: bool
    """It was stored with a private address."""
    secrets: int
    """How many secrets sign now: more than one while a secret is turned over."""
    created_at: AwareDatetime


class SystemCreated(SystemOut):
    """A system with its new secret, which is shown this once."""

    secret: str | None = None
    """``whsec_`` and base64; ``null`` where nothing new was made, and in a repeat under the same ``Idempotency-Key``:
    rotate it if it was lost."""


class TrialIn(Model):
    """A question to try a system with; it is told that it is a trial."""

    operation: Word
    values: Annotated[dict[Word, Value], Field(max_length=50)] = Field(default_factory=dict)
    deadline_s: Annotated[float, Field(ge=1, le=30)] = 8.0


class TrialOut(Model):
    """What a system answered."""

    result: str
    """Its word; empty when there was no answer that can be used."""
    values: dict[str, str]
    problem: str
    """Why there was none."""
    took_s: float
