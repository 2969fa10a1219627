"""Shows at a scrape what the database and the queue say of the whole service; a second scrape soon gets the same.

Figures of the database are the whole service's; only processes with the web role show them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from arq.constants import default_queue_name
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from outbound.observing.readings import Reading, count_undetermined, read
from outbound.store import Store

log = structlog.get_logger(__name__)
FRESH_S = 1.0
SLOW_FRESH_S = 60.0
"""What takes long to count is counted so often, in the background."""
TIMEOUT_S = 3.0


class ServiceGauges(Collector):
    """The whole service, as the database and the queue say; read by :meth:`refresh`, shown at a scrape."""

    def __init__(self, registry: CollectorRegistry, store: Store, redis_url: str, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._redis = Redis.from_url(redis_url, socket_timeout=1.0, socket_connect_timeout=1.0) if redis_url else None
        self._reading: Reading | None = None
        self._jobs: int | None = None
        self._undetermined: int | None = None
        self._read_at = self._counted_at = float("-inf")
        self._turn = asyncio.Lock()
        self._counting: asyncio.Task[None] | None = None
        registry.register(self)

    async def refresh(self) -> None:
        """Read again what is older than a second; what cannot be read is not shown."""
        async with self._turn:
            if time.monotonic() - self._read_at < FRESH_S:
                return
            await asyncio.gather(self._read(), self._look_at_queue())
            self._read_at = time.monotonic()
            if self._counting is None and self._read_at - self._counted_at > SLOW_FRESH_S:
                self._counting = asyncio.create_task(self._count())

    async def counted(self) -> None:
        """Wait for what is being counted in the background."""
        if self._counting is not None:
            await self._counting

    async def close(self) -> None:
        """Disconnect from the queue."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)
        if self._redis is not None:
            await self._redis.aclose()

    async def _read(self) -> None:
        self._reading = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                self._reading = await self._store.read(lambda connection: read(connection, now=self._clock()))
        except Exception as error:  # a scrape tells what it can
            log.warning("database not read for a scrape", error=type(error).__name__)

    async def _look_at_queue(self) -> None:
        self._jobs = None
        try:
            if self._redis is not None:
                self._jobs = await self._redis.zcard(default_queue_name)
        except (RedisError, OSError):
            return

    async def _count(self) -> None:
        try:
            self._undetermined = await self._store.survey(count_undetermined)
        except Exception as error:
            log.warning("undetermined attempts not counted", error=type(error).__name__)
        finally:
            self._counted_at, self._counting = time.monotonic(), None

    def collect(self) -> Iterator[Metric]:
        """Show what was read."""
        yield _gauge("outbound_store_readable", "1 when the database answered this scrape.", self._reading is not None)
        if self._jobs is not None:
            yield _gauge("outbound_queue_jobs", "Jobs in the queue, those for later among them.", self._jobs)
        if self._undetermined is not None:
            told = "Attempts of which nobody knows whether they were placed."
            yield _gauge("outbound_undetermined", told, self._undetermined)
        if self._reading is not None:
            yield from _attempts(self._reading)
            yield from _trunks(self._reading)
            yield from _webhooks(self._reading)


def _attempts(found: Reading) -> Iterator[Metric]:
    states = [((state,), number) for state, number in found.live.items()]
    yield _gauges("outbound_attempts_live", "Attempts at work, by state.", ("state",), states)
    yield _gauge("outbound_attempts_due", "Attempts whose time has come; 10000 means as many or more.", found.due)
    yield _gauge("outbound_oldest_due_seconds", "How long the longest due attempt has waited.", found.oldest_due_s)


def _trunks(found: Reading) -> Iterator[Metric]:
    def each(name: str, told: str, value: Callable[[int], float]) -> Metric:
        rows = [((trunk.name,), value(place)) for place, trunk in enumerate(found.trunks)]
        return _gauges(name, told, ("trunk",), rows)

    trunks = found.trunks
    yield each("outbound_trunk_channels", "Calls a trunk takes at once.", lambda place: trunks[place].channels)
    yield each("outbound_trunk_channels_in_use", "Attempts at work on it.", lambda place: trunks[place].in_use)
    yield each("outbound_trunk_tokens", "Calls that may begin at once.", lambda place: trunks[place].tokens)
    yield each(
        "outbound_trunk_rest_seconds",
        "How long the far end still asked to be left alone.",
        lambda place: trunks[place].resting_s,
    )
    rows = [((scope, name), state) for scope, name, state in found.breakers]
    told = "Circuit breaker: 0 closed, 1 half open, 2 open; of campaigns the worst."
    yield _gauges("outbound_breaker_state", told, ("scope", "name"), rows)


def _webhooks(found: Reading) -> Iterator[Metric]:
    hooks = found.webhooks
    yield _gauge("outbound_webhooks_enabled", "Webhooks that are told.", hooks.enabled)
    yield _gauge("outbound_webhooks_failing", "Webhooks that refuse at present.", hooks.failing)
    yield _gauge(
        "outbound_webhook_deliveries_waiting", "Deliveries waiting; 10000 means as many or more.", hooks.waiting
    )
    yield _gauge("outbound_webhook_deliveries_dead", "Deliveries given up; 10000 means as many or more.", hooks.dead)
    yield _gauge("outbound_webhook_oldest_waiting_seconds", "Age of the oldest of them.", hooks.oldest_s)
    yield _gauge(
        "outbound_webhook_events_behind", "Events the slowest webhook has not turned into deliveries.", hooks.behind
    )


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=float(value))


def _gauges(name: str, told: str, labels: Sequence[str], rows: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for values, value in rows:
        family.add_metric(values, float(value))
    return family
