"""``/v1/systems``: secrets shown once, targets refused with the field, a trial, and no campaign without its systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outbound.callflows import CallflowLibrary
from outbound.services import Services
from outbound.settings import Settings
from outbound.store import Store
from outbound.stream import EventStream
from outbound.webhooks import signing
from tests.outbound.conftest import CAMPAIGN, Api, Clock, Enqueued, a_person
from tests.outbound.system_world import Shop, a_shop, parcel_system

pytestmark = pytest.mark.integration

SYSTEM = {"url": "https://8.8.8.8/ask", "description": "Parcels"}
DELIVERY = {"business": "Northwind", "callback_number": "+12025550100"}


@pytest.fixture
async def services(store: Store, tmp_path: Path, clock: Clock, enqueued: Enqueued) -> Services:
    """A host that may ask systems on this machine."""
    stream = EventStream(store)
    stream.start()
    made = Services(
        settings=Settings(data_dir=tmp_path, webhook_private_targets="127.0.0.0/8"),
        store=store,
        callflows=CallflowLibrary(store),
        stream=stream,
        enqueue=enqueued,
        kick=lambda: None,
        clock=clock,
    )
    enqueued.services = made
    return made


@pytest.fixture
def shop() -> Iterator[Shop]:
    with a_shop(signing.new_secret()) as running:
        yield running


async def test_a_secret_is_shown_once(api: Api) -> None:
    made = await api("PUT", "/v1/systems/parcels", SYSTEM, expect=201)
    assert made["secret"].startswith("whsec_")
    changed = await api("PUT", "/v1/systems/parcels", SYSTEM | {"description": "All parcels"}, expect=200)
    assert (changed["secret"], changed["description"], changed["secrets"]) == (None, "All parcels", 1)
    shown = await api("GET", "/v1/systems/parcels")
    assert "secret" not in shown
    assert (await api("GET", "/v1/systems"))["items"] == [shown]
    rotated = await api("POST", "/v1/systems/parcels/rotate", {"overlap_s": 60})
    assert rotated["secret"] not in (None, made["secret"])
    assert rotated["secrets"] == 2


async def test_a_repeat_shows_no_secret(api: Api) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await api("PUT", "/v1/systems/parcels", SYSTEM, expect=201, headers=headers)
    again = await api("PUT", "/v1/systems/parcels", SYSTEM, expect=201, headers=headers)
    assert (first["secret"] is None, again["secret"]) == (False, None)


async def test_they_are_listed_by_name_in_pages(api: Api) -> None:
    for name in ("c", "a", "b"):
        await api("PUT", f"/v1/systems/{name}", SYSTEM, expect=201)
    page = await api("GET", "/v1/systems?limit=2")
    assert [item["name"] for item in page["items"]] == ["a", "b"]
    rest = await api("GET", f"/v1/systems?limit=2&cursor={page['next_cursor']}")
    assert [item["name"] for item in rest["items"]] == ["c"]


async def test_a_deleted_system_is_gone(api: Api) -> None:
    await api("PUT", "/v1/systems/parcels", SYSTEM, expect=201)
    await api("DELETE", "/v1/systems/parcels", expect=204)
    refused = await api.refused("GET", "/v1/systems/parcels", expect=404)
    assert refused["code"] == "system_not_found"
    assert (await api.refused("DELETE", "/v1/systems/parcels", expect=404))["code"] == "system_not_found"


@pytest.mark.parametrize(
    ("name", "url", "field", "code"),
    [
        ("Parcels", "https://8.8.8.8/", "name", "bad_name"),
        ("parcels", "http://8.8.8.8/", "url", "https_required"),
        ("parcels", "https://10.0.0.1/", "url", "private_target"),
        ("parcels", "https://user:secret@8.8.8.8/", "url", "credentials_in_url"),
        ("parcels", "ftp://8.8.8.8/", "url", "no_url"),
    ],
)
async def test_what_may_not_be_asked_is_refused_with_its_field(
    api: Api, name: str, url: str, field: str, code: str
) -> None:
    refused = await api.refused("PUT", f"/v1/systems/{name}", {"url": url}, expect=422)
    assert [(fault["field"], fault["code"]) for fault in refused["errors"]] == [(field, code)]


async def test_a_system_can_be_tried(api: Api, clock: Clock, shop: Shop) -> None:
    made = await api("PUT", "/v1/systems/parcels", {"url": shop.url}, expect=201)
    assert made["private_allowed"] is True
    values = {"order": "A-1", "day": "2026-12-05"}
    tried = await api("POST", "/v1/systems/parcels/try", {"operation": "change_day", "values": values})
    assert (tried["result"], tried["problem"]) == ("", "answered 401")
    shop.restart(parcel_system.ParcelSystem(made["secret"], clock=clock))
    tried = await api("POST", "/v1/systems/parcels/try", {"operation": "change_day", "values": values})
    assert (tried["result"], tried["values"], tried["problem"]) == ("ok", {"day": "2026-12-05"}, "")
    assert (await api.refused("POST", "/v1/systems/none/try", {"operation": "x"}, expect=404))["code"]


async def test_no_campaign_starts_before_its_systems_are_known(api: Api) -> None:
    fields = CAMPAIGN | {"callflow": "delivery_reschedule", "variables": DELIVERY}
    campaign_id = (await api("POST", "/v1/campaigns", fields, expect=201))["id"]
    person: dict[str, Any] = a_person(1, variables={"parcel": "book", "order": "A-1", "delivery_day": "2026-12-05"})
    await api("POST", f"/v1/campaigns/{campaign_id}/contacts", [person], expect=200)
    refused = await api.refused("POST", f"/v1/campaigns/{campaign_id}/start", expect=409)
    assert (refused["code"], refused["systems"]) == ("system_missing", ["parcels"])
    assert "PUT /v1/systems/parcels first" in refused["detail"]
    await api("PUT", "/v1/systems/parcels", SYSTEM, expect=201)
    assert (await api("POST", f"/v1/campaigns/{campaign_id}/start", expect=200))["state"] == "running"


async def test_no_notification_goes_out_before_its_systems_are_known(api: Api) -> None:
    asked = {
        "number": "+447700900001",
        "callflow": "delivery_reschedule",
        "purpose": "informational",
        "zone": "Europe/London",
        "variables": DELIVERY | {"parcel": "book", "order": "A-1", "delivery_day": "2026-12-05"},
    }
    assert (await api.refused("POST", "/v1/notifications", asked, expect=409))["code"] == "system_missing"
