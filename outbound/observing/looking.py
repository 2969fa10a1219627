"""Starts what watches a host, each part to be ended with the host's stack; what they see is theirs."""

from __future__ import annotations

import gc
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from outbound.observing import commits, endpoint
from outbound.observing.gauges import ServiceGauges
from outbound.observing.loop import LoopWatch
from outbound.observing.metrics import Metrics
from outbound.services import Services
from outbound.store import Store

if TYPE_CHECKING:
    from outbound.observing.tracing import Tracing


async def at_commits(
    store: Store, metrics: Metrics, otlp_endpoint: str, name: str, stack: AsyncExitStack
) -> Tracing | None:
    """Count what this process commits; where there is a collector, return what sends it as traces while it runs."""
    engine = await store.read(lambda connection: connection.engine)
    if not otlp_endpoint:
        commits.listen(engine, metrics.committed)
        return None
    from outbound.observing.tracing import Tracing  # OpenTelemetry costs its import, and nothing where nobody listens

    tracing = Tracing(endpoint=otlp_endpoint, name=name, store=store)
    stack.push_async_callback(tracing.close)
    commits.listen(engine, metrics.committed, tracing.committed)
    return tracing


def at_the_service(metrics: Metrics, store: Store, redis_url: str, stack: AsyncExitStack) -> ServiceGauges:
    """Show what the database and the queue say of the whole service."""
    gauges = ServiceGauges(metrics.registry, store, redis_url, time.time)
    stack.push_async_callback(gauges.close)
    return gauges


def at_the_loop(metrics: Metrics, stack: AsyncExitStack) -> None:
    """Watch the event loop from when the host serves somebody: nobody waits for a host that starts.

    What was loaded by now stays: the collector of cycles, which stops every thread, need not walk it again and again.
    """
    gc.collect()
    gc.freeze()
    stack.callback(gc.unfreeze)
    loop_watch = LoopWatch(metrics.stalls.observe)
    loop_watch.start()
    stack.callback(loop_watch.stop)


async def from_outside(services: Services, stack: AsyncExitStack) -> str:
    """Serve metrics and health on a port of their own where one is set; return its address, else nothing."""
    port = services.settings.metrics_port
    if port is None:
        return ""
    runner = await endpoint.serve(services, port)
    stack.push_async_callback(runner.cleanup)
    return endpoint.address_of(services.settings.host, runner)
