"""Opt-outs against running dialers: once an opt-out was answered, no INVITE to that number leaves any more."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outbound.rehearsal.client import RestClient
from outbound.up import running_host
from tests.acceptance.busy_peer import BusyPeer
from tests.acceptance.test_host import daytime, settings

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

CUSTOMERS = 2000
AT_ONCE = 8
"""Opt-outs on their way at the same time."""
NUMBERS = [f"+44770090{n:04d}" for n in range(CUSTOMERS)]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[RestClient]:
    quick = settings(tmp_path, lines=2, max_calls_per_second=100.0)
    async with running_host(quick) as host, RestClient(host.url, host.api_key) as client:
        yield client


@pytest.fixture
def peer() -> Any:
    made = BusyPeer()
    yield made
    made.close()


async def start_campaign(client: RestClient, address: str) -> str:
    """A campaign that rings everybody once, as fast as the lines can."""
    trunk = {"name": "default", "host": address, "calls_per_second": 1000, "channels": 100}
    await client.post("/v1/trunks", trunk)
    variables = {"business": "Northwind", "callback_number": "+442079460000", "parcel": "coffee machine"}
    variables |= {"delivery_day": "2026-12-05", "delivery_window": "9:00-12:00"}
    campaign = {"name": "Race", "callflow": "shipping_alert", "purpose": "transactional", "variables": variables}
    once = {"retry": {"max_attempts": 1, "delays_s": {}}, "max_concurrent": 100}
    created = await client.post("/v1/campaigns", campaign | once)
    people = [{"number": number, "zone": daytime()} for number in NUMBERS]
    await client.post(f"/v1/campaigns/{created['id']}/contacts", people)
    await client.post(f"/v1/campaigns/{created['id']}/start", {})
    return str(created["id"])


async def test_no_invite_leaves_after_an_opt_out_was_answered(client: RestClient, peer: BusyPeer) -> None:
    campaign_id = await start_campaign(client, peer.address)
    answered: dict[str, float] = {}
    order = random.Random(3).sample(NUMBERS, CUSTOMERS)

    async def opt_out_some() -> None:
        while order:
            number = order.pop()
            await client.post("/v1/optouts", {"number": number, "words": "stop"})
            answered[number] = time.time()

    await asyncio.gather(*(opt_out_some() for _ in range(AT_ONCE)))
    async with asyncio.timeout(60):
        async for event in client.follow():
            if event["kind"] == "campaign.completed" and event["campaign_id"] == campaign_id:
                break
    late = {
        number: at - answered[number] for number, times in peer.rung.items() for at in times if at > answered[number]
    }
    assert late == {}
    assert all(len(times) == 1 for times in peer.rung.values())
    # both sides must have had a chance, or nothing was shown
    assert len(peer.rung) > CUSTOMERS / 20
    assert CUSTOMERS - len(peer.rung) > CUSTOMERS / 20
