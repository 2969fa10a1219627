"""Health that tells the truth: alive, ready, which part is ill, and whether that matters to the host's own work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from outbound.api.app import create_app
from outbound.errors import ConfigurationError
from outbound.observing import endpoint
from outbound.observing.health import HealthDesk, Status
from outbound.services import Health, Services

pytestmark = pytest.mark.integration


async def well() -> bool:
    return True


async def ill() -> bool:
    return False


async def broken() -> bool:
    raise RuntimeError("secret inside")


async def ask(services: Services, path: str) -> tuple[int, Any]:
    async with TestClient(TestServer(create_app(services))) as client, client.get(path) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, await answer.json()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_part_that_the_work_needs_fails_the_host(services: Services, path: str) -> None:
    parts = [Health(name="queue", check=well), Health(name="lines", check=ill), Health(name="speech", check=broken)]
    status, told = await ask(replace(services, health=parts), path)

    assert (status, told["status"]) == (503, "failing")
    assert {name: check["ok"] for name, check in told["checks"].items()} == {
        "queue": True,
        "lines": False,
        "speech": False,
        "store": True,
        "tzdata": True,
    }
    assert "secret" not in str(told)


async def test_a_part_that_can_be_missed_for_a_while_does_not(services: Services) -> None:
    parts = [Health(name="queue", check=ill, vital=False)]

    assert (await ask(replace(services, health=parts), "/readyz"))[0] == 200
    assert (await ask(replace(services, health=parts), "/healthz"))[1]["status"] == "degraded"


async def test_whoever_answers_is_alive_however_ill(services: Services) -> None:
    assert await ask(replace(services, health=[Health(name="lines", check=ill)]), "/livez") == (
        200,
        {"status": "alive"},
    )


async def test_readiness_ends_the_moment_a_host_is_to_leave(services: Services) -> None:
    desk = HealthDesk(services)
    assert (await desk.ask()).ready

    services.draining.set()

    report = await desk.ask()  # asked a moment ago: the parts are not asked again
    assert (report.status, report.ready) == (Status.DRAINING, False)


async def test_a_store_that_cannot_be_written_fails_the_host(services: Services) -> None:
    desk = HealthDesk(services)
    assert (await desk.ask()).status is Status.OK
    services.store.close()

    report = await HealthDesk(services).ask()
    assert (report.status, report.checks["store"].ok) == (Status.FAILING, False)
    assert (await desk.ask()).ready  # asked a moment ago: not asked again


@pytest.fixture
async def port(services: Services) -> AsyncIterator[str]:
    runner = await endpoint.serve(services, 0)
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_host_without_rest_says_the_same_on_a_port_of_its_own(port: str) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/livez", "/readyz", "/healthz"):
            async with session.get(port + path) as answer:
                assert answer.status == 200, path
        async with session.get(port + "/metrics") as answer:
            assert answer.content_type == "text/plain"
            families = {family.name for family in text_string_to_metric_families(await answer.text())}
        async with session.get(port + "/v1/campaigns") as answer:
            assert answer.status == 404
    assert {"outbound_attempts", "outbound_event_loop_stall_seconds", "outbound_store_commit_seconds"} <= families
    assert "outbound_attempts_due" not in families  # the whole service is shown where there is REST


async def test_a_port_in_use_is_named(port: str, services: Services) -> None:
    taken = int(port.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=f"port {taken}.*OUTBOUND_METRICS_PORT"):
        await endpoint.serve(services, taken)
