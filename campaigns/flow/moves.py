"""What a step wants next; the engine turns each into exactly one last effect, or into the next step.

A move carries no state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from campaigns.dispositions import Disposition
from campaigns.flow.effects import Listen, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Enter another step; an empty name means the step has no way on."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Listen to the customer."""

    listen: Listen = field(default_factory=Listen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Ring a human agent."""

    queue: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Ask a system of the business."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Hang up; without a disposition, with what is settled."""

    disposition: Disposition | None = None
    outcome: str = ""


Move = Next | Wait | Transfer | Query | End
