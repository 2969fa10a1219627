"""One customer, now: the attempt is due in the transaction of the request, or the gate's refusal is kept and told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from outbound.store.schema import attempts, campaigns, receipts
from tests.outbound.conftest import Api
from tests.outbound.world import NOON

pytestmark = pytest.mark.integration
NOTICE = {
    "number": "+447700900001",
    "callflow": "parcel",
    "purpose": "informational",
    "zone": "Europe/London",
    "variables": {"business": "Acme", "day": "Monday"},
}


async def counted(api: Api, table: Any) -> int:
    return await api.services.store.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


async def test_the_attempt_is_due_and_the_lines_are_told(api: Api) -> None:
    async with api.client.post("/v1/notifications", json=NOTICE) as answer:
        assert answer.status == 201
        attempt = await answer.json()
        assert answer.headers["Location"] == f"/v1/attempts/{attempt['id']}"
    assert (attempt["state"], attempt["number"], attempt["ordinal"]) == ("due", NOTICE["number"], 1)
    assert api.enqueued.jobs == [("kick",)]
    campaign = await api("GET", f"/v1/campaigns/{attempt['campaign_id']}", expect=200)
    assert (campaign["kind"], campaign["state"], campaign["counts"]["contacts"]) == ("notification", "running", 1)
    assert (await api("GET", "/v1/campaigns"))["items"] == []
    listed = await api("GET", "/v1/campaigns?kind=notification")
    assert [item["id"] for item in listed["items"]] == [attempt["campaign_id"]]


async def test_outside_permitted_hours_it_is_refused_with_the_next_instant(api: Api) -> None:
    api.clock.now = NOON + 12 * 3600
    problem = await api.refused("POST", "/v1/notifications", NOTICE, expect=422)
    assert (problem["code"], problem["reason"]) == ("refused_by_gate", "outside_hours")
    assert problem["rule"]
    assert datetime.fromisoformat(problem["next_at"]) > datetime.fromtimestamp(api.clock.now, UTC)
    assert await counted(api, attempts) == 0
    assert await counted(api, receipts) == 1
    kept = await api("GET", f"/v1/campaigns/{problem['notification']}", expect=200)
    assert (kept["state"], kept["counts"]["dispositions"]) == ("completed", {"refused": 1})


async def test_who_opted_out_is_never_notified(api: Api) -> None:
    await api("POST", "/v1/optouts", {"number": NOTICE["number"]}, expect=201)
    problem = await api.refused("POST", "/v1/notifications", NOTICE, expect=422)
    assert (problem["reason"], problem["next_at"]) == ("opted_out", None)


async def test_marketing_needs_consent(api: Api) -> None:
    problem = await api.refused("POST", "/v1/notifications", NOTICE | {"purpose": "marketing"}, expect=422)
    assert problem["reason"] == "consent_missing"
    await api("POST", "/v1/notifications", NOTICE | {"purpose": "marketing", "consent": "express_written"}, expect=201)


async def test_the_same_request_twice_under_a_key_calls_once(api: Api) -> None:
    headers = {"Idempotency-Key": "order-17"}
    first = await api("POST", "/v1/notifications", NOTICE, headers=headers, expect=201)
    again = await api("POST", "/v1/notifications", NOTICE, headers=headers, expect=201)
    assert again == first
    assert await counted(api, attempts) == 1


async def test_a_refusal_is_repeated_under_its_key_too(api: Api) -> None:
    api.clock.now = NOON + 12 * 3600
    headers = {"Idempotency-Key": "order-18"}
    first = await api.refused("POST", "/v1/notifications", NOTICE, headers=headers, expect=422)
    api.clock.now = NOON + 22 * 3600
    async with api.client.post("/v1/notifications", json=NOTICE, headers=headers) as answer:
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert await answer.json() == first
    assert await counted(api, campaigns) == 1


async def test_what_is_wrong_is_named_and_nothing_is_stored(api: Api) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"number": "07700900001"}, "number"),
        ({"number": "+447700900001", "zone": "Mars/Base"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"variables": {"business": "Acme"}}, "variables.day"),
        ({"variables": {"business": "Acme", "dya": "x", "day": "y"}}, "variables.dya"),
        ({"language": "zh"}, "language"),
        ({"name": "=1+1"}, "name"),
        ({"expires_at": "2026-11-24T11:59:59Z"}, "expires_at"),
    ]
    for changes, field in wrong:
        problem = await api.refused("POST", "/v1/notifications", NOTICE | changes, expect=422)
        assert problem["errors"][0]["field"] == field
    await api.refused("POST", "/v1/notifications", NOTICE | {"trunk": "nowhere"}, expect=404)
    await api.refused("POST", "/v1/notifications", NOTICE | {"callflow": "nothing"}, expect=404)
    assert await counted(api, campaigns) == 0
