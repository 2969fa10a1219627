"""Traces over OTLP to a collector, from what a real store commits; the collector decodes real protobuf."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

from campaigns.dispositions import Disposition
from outbound.api.app import create_app
from outbound.errors import ConfigurationError
from outbound.observing import commits
from outbound.observing.tracing import Tracing
from outbound.services import Services
from outbound.settings import load_settings
from outbound.settling.settle import settle
from outbound.store import Store
from outbound.store.schema import campaigns
from tests.collector import Collector, collector
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BOB = "+447700900001", "+447700900002"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
"""The example of W3C Trace Context, section 3.2.4."""


@pytest.fixture
async def peer() -> AsyncIterator[Collector]:
    async with collector() as made:
        yield made


class Traced:
    """A store whose commits are told as spans."""

    def __init__(self, store: Store, tracing: Tracing) -> None:
        self.world, self.tracing = World(store), tracing
        self._running = asyncio.create_task(tracing.run())

    async def call(self, **campaign: Any) -> str:
        """Claim, intend and settle one call of a campaign that a request of ``TRACEPARENT`` made."""
        world = self.world
        key = await world.campaign([ANN], plan=False, **campaign)
        stamp = update(campaigns).where(campaigns.c.id == key).values(traceparent=TRACEPARENT)
        await world.store.write(lambda c: c.execute(stamp))
        await world.plan(key)
        (item,) = await world.claim()
        assert await world.intend(item) is not None
        result = world.result(item, Disposition.ACCEPTED)
        await world.store.write(lambda c: settle(c, result, now=world.now))
        return item.attempt_id

    async def close(self) -> None:
        """Send everything."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.tracing.close()


@pytest.fixture
async def traced(tmp_path: Path, peer: Collector) -> AsyncIterator[Traced]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    tracing = Tracing(endpoint=peer.url, name="test", store=store)
    commits.listen(await store.read(lambda connection: connection.engine), tracing.committed)
    made = Traced(store, tracing)
    await made.world.trunk()
    yield made
    await made.close()
    store.close()


async def test_a_notification_goes_on_in_the_trace_of_its_request(traced: Traced, peer: Collector) -> None:
    attempt_id = await traced.call(kind="notification")
    await traced.close()

    assert {span.trace_id for span in peer.spans} == {TRACE}
    assert {name if isinstance(name, str) else name[0] for name in peer.tree(TRACE)} == {"plan", "attempt"}
    (attempt,) = [span for span in peer.spans if span.name == "attempt"]
    assert attempt.parent_id == SPAN
    assert attempt.attributes["outbound.attempt.id"] == attempt_id
    assert attempt.attributes["outbound.disposition"] == "accepted"
    assert attempt.attributes["outbound.trunk"] == "default"
    (intent,) = [span for span in peer.spans if span.name == "intent"]
    assert intent.attributes["outbound.gate.code"] == "permitted"
    assert ANN.encode()[1:] not in peer.raw


async def test_an_attempt_of_a_campaign_has_a_trace_of_its_own_that_names_the_campaigns(
    traced: Traced, peer: Collector
) -> None:
    await traced.call()
    await traced.close()

    (plan,) = [span for span in peer.spans if span.name == "plan"]
    (attempt,) = [span for span in peer.spans if span.name == "attempt"]
    assert (plan.trace_id, plan.attributes["outbound.attempts"]) == (TRACE, 1)
    assert attempt.trace_id != TRACE
    assert attempt.links == (TRACE,)


async def test_a_write_has_a_span_within_the_callers_trace_and_a_read_has_none(
    services: Services, peer: Collector
) -> None:
    tracing = Tracing(endpoint=peer.url, name="test", store=services.store)
    app = create_app(replace(services, tracing=tracing))
    async with TestClient(TestServer(app)) as client:
        for method, path in (("POST", "/v1/optouts"), ("GET", "/v1/optouts")):
            async with client.request(method, path, headers={"traceparent": TRACEPARENT}) as answer:
                assert answer.status == 401
    await tracing.close()

    (span,) = peer.spans
    assert (span.name, span.trace_id, span.parent_id) == ("POST /v1/optouts", TRACE, SPAN)
    assert span.attributes["http.response.status_code"] == 401


async def test_a_collector_that_is_away_stops_nothing(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    async with collector() as gone:
        url = gone.url
    tracing = Tracing(endpoint=url, name="test", store=store)
    commits.listen(await store.read(lambda connection: connection.engine), tracing.committed)
    made = Traced(store, tracing)
    await made.world.trunk()
    await made.call(kind="notification")
    assert [row["state"] for row in await made.world.attempts()] == ["done"]
    await made.close()
    store.close()


def test_nothing_of_it_is_loaded_where_nobody_listens() -> None:
    program = (
        "import sys, outbound.up, outbound.api.app; print([name for name in sys.modules if 'opentelemetry' in name])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("endpoint", ["collector", "grpc://127.0.0.1:4317", "http://", "http://127.0.0.1:4318?x=1"])
def test_an_address_that_is_none_is_refused_at_the_start(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match=r"OUTBOUND_OTLP_ENDPOINT.*http://127\.0\.0\.1:4318"):
        load_settings(otlp_endpoint=endpoint)
