"""A customer changes a delivery by telephone, in the shop's own system; the whole way with real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import outbound.up
from outbound.rehearsal.client import RestClient
from outbound.up import running_host
from outbound.webhooks import signing
from tests.acceptance.talking_line import CHANGER, talking_lines
from tests.acceptance.test_host import Operator, settings
from tests.outbound.system_world import Shop, a_shop, parcel_system

pytestmark = pytest.mark.acceptance

PARCEL = {"business": "Northwind", "callback_number": "+442079460000", "parcel": "coffee machine", "order": "A-1042"}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with a_shop(signing.new_secret()) as running:
        yield running


@pytest.mark.parametrize("fault", ["", "503", "drop"])
async def test_a_delivery_is_changed_in_the_shops_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shop: Shop, fault: str
) -> None:
    monkeypatch.setattr(outbound.up, "line_starter", talking_lines)
    chosen = settings(tmp_path, engine="loopback", webhook_private_targets="127.0.0.0/8")
    async with running_host(chosen) as host, RestClient(host.url, host.api_key) as client:
        operator = Operator(host, client)
        await operator.trunk("127.0.0.1:5060")
        made = await client.put("/v1/systems/parcels", {"url": shop.url})
        shop.restart(parcel_system.ParcelSystem(made["secret"]))
        shop.faults = ["", fault]
        values = PARCEL | {"delivery_day": "2026-12-05"}
        attempt_id = await operator.notify(CHANGER, callflow="delivery_reschedule", variables=values)
        done = await operator.until(attempt_id, "attempt.done")
        attempt = await operator.attempt(attempt_id)
    assert (done["disposition"], done["outcome"]) == ("accepted", "day_changed")
    assert (shop.system.days["A-1042"], shop.system.changes) == (attempt["variables"]["new_day"], 1)
    asked = [entry["data"] for entry in attempt["timeline"] if entry["kind"] == "call.system"]
    assert [(entry["operation"], entry["state"]) for entry in asked] == [
        ("offer_days", "asked"),
        ("offer_days", "replied"),
        ("change_day", "asked"),
        ("change_day", "replied"),
    ]
    assert "A-1042" not in str(asked), "what is asked is in the transcript, and nowhere else"
