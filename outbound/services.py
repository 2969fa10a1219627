"""What the REST handlers and workers are given: the parts of a running host, wired by a composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from outbound.callflows import CallflowLibrary
from outbound.settings import Settings
from outbound.store import Store
from outbound.stream import EventStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One part whose life ``/healthz`` tells of."""

    name: str
    check: Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of a host."""

    settings: Settings
    store: Store
    callflows: CallflowLibrary
    stream: EventStream
    enqueue: Callable[..., Awaitable[None]]
    """``await enqueue("plan_campaign", campaign_id)``: a job for an arq worker, safe to run twice or never."""
    kick: Callable[[], None]
    """Tell the line pool that something became due."""
    clock: Callable[[], float]
    """Seconds since the epoch."""
    health: Sequence[Health] = field(default=())
    """What must be alive for the host to be healthy."""
