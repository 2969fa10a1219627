"""A backup is restored after more calls were made than it knows of: nobody is rung again, nothing runs by itself."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outbound.backup.copying import back_up
from outbound.backup.restoring import restore
from outbound.rehearsal.client import RestClient
from outbound.up import running_host
from tests.acceptance.test_host import daytime, settings
from tests.dialer.sipp_peer import sipp

pytestmark = pytest.mark.acceptance

ANN, BEN, CLEO, EVE = (f"+44770090000{number}" for number in range(1, 5))
CAMPAIGN = {
    "callflow": "shipping_alert",
    "purpose": "transactional",
    "variables": {"business": "Northwind", "callback_number": "+442079460000"},
}
AHEAD = timedelta(seconds=5)


async def a_campaign(client: RestClient, *numbers: str, **changes: Any) -> str:
    made = await client.post("/v1/campaigns", {**CAMPAIGN, "name": "Parcels", **changes})
    own = {"parcel": "coffee machine", "delivery_day": "2026-12-05", "delivery_window": "9:00-12:00"}
    for number in numbers:
        contact = {"number": number, "zone": daytime(), "variables": own}
        await client.post(f"/v1/campaigns/{made['id']}/contacts", contact)
    return str(made["id"])


async def until(client: RestClient, kind: str, count: int) -> list[dict[str, Any]]:
    """Wait for so many events of a kind since the beginning."""
    found = []
    async with asyncio.timeout(90):
        async for event in client.follow():
            if event["kind"] == kind:
                found.append(event)
            if len(found) == count:
                return found
    raise AssertionError


async def test_who_was_called_after_the_backup_is_not_called_again(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    async with sipp("answer_then_bye", "-m", "20") as customer:
        async with running_host(settings(data)) as host, RestClient(host.url, host.api_key) as client:
            await client.post("/v1/trunks", {"name": "default", "host": customer.address})
            begins = (datetime.now(UTC) + AHEAD).isoformat()
            waiting = await a_campaign(client, ANN, BEN, CLEO, starts_at=begins)
            draft = await a_campaign(client, EVE)
            await client.post(f"/v1/campaigns/{waiting}/start")
            await until(client, "attempt.due", 3)
            await asyncio.to_thread(back_up, settings(data).sqlalchemy_url, copy)
            await client.post(f"/v1/campaigns/{draft}/start")
            await client.post("/v1/optouts", {"number": "+447700900009", "words": "stop"})
            await until(client, "campaign.completed", 2)
        rung = Counter(invite.splitlines()[0] for invite in customer.received("INVITE"))
        assert sorted(rung.values()) == [1, 1, 1, 1]
        await asyncio.to_thread(restore, settings(data).sqlalchemy_url, data, copy, keep_old=True, now=time.time())
        async with running_host(settings(data)) as host, RestClient(host.url, host.api_key) as client:
            told = (await until(client, "store.restored", 2))[-1]["data"]
            assert (told["missing_sends"], told["unknown_contacts"], told["paused"]) == (4, 0, 1)
            assert (await client.get(f"/v1/campaigns/{waiting}"))["state"] == "paused"
            attempts = await client.items("/v1/attempts")
            assert Counter(attempt["disposition"] for attempt in attempts) == {"hung_up": 4}
            await client.post(f"/v1/campaigns/{waiting}/resume")
            await client.post(f"/v1/campaigns/{draft}/start")
            await until(client, "campaign.completed", 2)
        assert Counter(invite.splitlines()[0] for invite in customer.received("INVITE")) == rung
