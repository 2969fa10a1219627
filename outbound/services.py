"""What the REST handlers and workers are given: the parts of a running host, wired by a composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outbound.callflows import CallflowLibrary
from outbound.observing.gauges import ServiceGauges
from outbound.observing.metrics import Metrics
from outbound.settings import Settings
from outbound.store import Store
from outbound.stream import EventStream

if TYPE_CHECKING:  # OpenTelemetry is loaded only where traces go somewhere
    from outbound.observing.tracing import Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One part whose life ``/healthz`` tells of."""

    name: str
    check: Callable[[], Awaitable[bool]]
    vital: bool = True
    """Whether the host can do nothing of its work without it."""


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
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the host is told to stop."""
    metrics: Metrics = field(default_factory=Metrics)
    """What this process counts of itself."""
    gauges: ServiceGauges | None = None
    """What the database says of the whole service; with the web role."""
    tracing: Tracing | None = None
    """Where spans go; ``None``: nowhere."""
