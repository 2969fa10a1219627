"""The same API on PostgreSQL: one walk through everything that writes, with its repeats at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from outbound.store import Store
from tests.outbound.conftest import CAMPAIGN, Api, a_person
from tests.outbound.test_api_notifications import NOTICE

pytestmark = pytest.mark.integration


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    opened = Store(postgres_url)
    opened.start()
    yield opened
    opened.close()


async def test_a_campaign_from_draft_to_opt_out(api: Api) -> None:
    campaign = await api.a_campaign()
    path = f"/v1/campaigns/{campaign}"
    people = [a_person(1), a_person(1), a_person(2), {"numbre": 1}]
    result = await api("POST", f"{path}/contacts", people, expect=200)
    assert (result["accepted"], result["duplicates"], result["rejected"]) == (2, 1, 1)
    rows = "number,zone,day\n+447700900002,Europe/London,Mon\n+447700900003,Europe/London,Tue\n+1,UTC,x\n"
    more: dict[str, Any] = {"data": rows, "headers": {"Content-Type": "text/csv", "Prefer": "wait=20"}}
    made = await api("POST", f"{path}/contacts", expect=200, **more)
    assert (made["state"], made["accepted"], made["duplicates"], made["rejected"]) == ("done", 1, 1, 1)
    await api("POST", f"{path}/start", expect=200)
    await api("POST", "/v1/optouts", {"number": "+447700900001", "words": "stop"}, expect=201)
    counts = (await api("GET", path))["counts"]
    assert (counts["contacts"], counts["due"], counts["dispositions"]) == (3, 2, {"cancelled": 1})
    assert (await api("GET", f"{path}/stats", expect=200))["counts"] == counts
    journey = await api("GET", "/v1/contacts/+447700900001", expect=200)
    assert len(journey["attempts"]) == len(journey["opt_outs"]) == 1
    attempt = (await api("GET", f"{path}/attempts?state=due&limit=1"))["items"][0]
    detail = await api("GET", f"/v1/attempts/{attempt['id']}", expect=200)
    assert [entry["kind"] for entry in detail["timeline"]] == ["attempt.due"]
    await api("POST", f"{path}/cancel", expect=200)


async def test_a_start_that_lacks_a_variable(api: Api) -> None:
    campaign = await api.a_campaign(variables={"business": "Acme", "day": "Monday"})
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(1, variables={}), expect=200)
    await api("PATCH", f"/v1/campaigns/{campaign}", {"variables": {"business": "Acme"}}, expect=200)
    problem = await api.refused("POST", f"/v1/campaigns/{campaign}/start", expect=409)
    assert problem["contacts"] == 1


async def test_simultaneous_repeats_are_done_once(api: Api) -> None:
    async def send(client: int) -> tuple[int, Any]:
        headers = {"Idempotency-Key": "one", "X-Client": str(client)}
        async with api.client.post("/v1/notifications", json=NOTICE, headers=headers) as answer:
            return answer.status, await answer.json()

    answers = await asyncio.gather(*(send(client) for client in range(8)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({body["id"] for status, body in answers if status == 201}) == 1
    assert len((await api("GET", "/v1/attempts"))["items"]) == 1
    again = await api("POST", "/v1/notifications", NOTICE, headers={"Idempotency-Key": "one"}, expect=201)
    assert again["number"] == NOTICE["number"]
    await api.refused("POST", "/v1/campaigns", CAMPAIGN, headers={"Idempotency-Key": "one"}, expect=422)


async def test_simultaneous_contacts_are_stored_once(api: Api) -> None:
    campaign = await api.a_campaign()
    people = [a_person(n) for n in range(50)]
    results = await asyncio.gather(
        *(api("POST", f"/v1/campaigns/{campaign}/contacts", people, expect=200) for _ in range(4))
    )
    assert sum(result["accepted"] for result in results) == 50
    assert sum(result["duplicates"] for result in results) == 150
    assert (await api("GET", f"/v1/campaigns/{campaign}"))["counts"]["contacts"] == 50


async def test_keys_trunks_and_callflows(api: Api) -> None:
    made = await api("POST", "/v1/keys", {"name": "other"}, expect=201)
    await api("DELETE", f"/v1/keys/{made['id']}", expect=204)
    await api("PUT", "/v1/trunks/default", {"host": "192.0.2.1"}, expect=200)
    await api("DELETE", "/v1/callflows/parcel", expect=204)
    assert (await api("GET", "/healthz"))["status"] == "ok"
