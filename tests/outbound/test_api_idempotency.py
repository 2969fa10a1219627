"""Idempotency-Key on writes: done once, answered alike, stored in the transaction of the write itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from outbound.api.calls import AT_WORK
from outbound.store import idempotency
from outbound.store.schema import campaigns, idempotency_keys, imports
from tests.outbound.conftest import CAMPAIGN, TRUNK, Api

pytestmark = pytest.mark.integration
KEY = {"Idempotency-Key": "a-key"}


async def count(api: Api, table: Any) -> int:
    return await api.services.store.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


async def test_the_same_request_gets_the_same_answer_and_is_done_once(api: Api) -> None:
    async with api.client.post("/v1/campaigns", json=CAMPAIGN, headers=KEY) as answer:
        first, location = await answer.text(), answer.headers["Location"]
        assert "Idempotency-Replayed" not in answer.headers
    reordered = dict(reversed(CAMPAIGN.items()))
    async with api.client.post("/v1/campaigns", json=reordered, headers=KEY) as answer:
        assert (answer.status, await answer.text()) == (201, first)
        assert answer.headers["Location"] == location
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert answer.content_type == "application/json"
    assert await count(api, campaigns) == 1


async def test_another_request_under_the_same_key_is_refused(api: Api) -> None:
    await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201)
    other = CAMPAIGN | {"name": "Other"}
    for path, body in (
        ("/v1/campaigns", other),
        ("/v1/campaigns?x=1", CAMPAIGN),
        ("/v1/trunks", TRUNK | {"name": "t"}),
    ):
        problem = await api.refused("POST", path, body, headers=KEY, expect=422)
        assert problem["code"] == "idempotency_key_reused"
    assert await count(api, campaigns) == 1


async def test_keys_of_different_clients_do_not_meet(api: Api) -> None:
    other = await api("POST", "/v1/keys", {"name": "other"}, expect=201)
    theirs = KEY | {"Authorization": f"Bearer {other['key']}"}
    first = await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201)
    second = await api("POST", "/v1/campaigns", CAMPAIGN | {"name": "Other"}, headers=theirs, expect=201)
    assert first["id"] != second["id"]


async def test_what_failed_left_nothing_and_may_be_put_right(api: Api) -> None:
    await api.refused("POST", "/v1/campaigns", CAMPAIGN | {"trunk": "nowhere"}, headers=KEY, expect=404)
    assert await count(api, idempotency_keys) == 0
    await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201)


async def test_a_step_is_repeated_after_the_state_moved_on(api: Api) -> None:
    campaign = await api.a_campaign()
    path = f"/v1/campaigns/{campaign}"
    started = await api("POST", f"{path}/start", headers=KEY, expect=200)
    await api("POST", f"{path}/pause", expect=200)
    assert await api("POST", f"{path}/start", headers=KEY, expect=200) == started
    assert (await api("GET", path))["state"] == "paused"


async def test_every_kind_of_write_takes_a_key(api: Api) -> None:
    campaign = await api.a_campaign()
    writes: list[tuple[str, str, Any]] = [
        ("PATCH", f"/v1/campaigns/{campaign}", {"name": "New"}),
        ("PUT", "/v1/trunks/default", {"host": "192.0.2.1"}),
        ("POST", "/v1/optouts", {"number": "+447700900009"}),
        ("DELETE", "/v1/callflows/parcel", None),
    ]
    for number, (method, path, body) in enumerate(writes):
        headers = {"Idempotency-Key": f"write-{number}"}
        first = await api(method, path, body, headers=headers)
        assert await api(method, path, body, headers=headers) == first
    assert await count(api, idempotency_keys) == len(writes)


async def test_an_upload_is_imported_once(api: Api) -> None:
    campaign = await api.a_campaign()
    more = {"data": "number,zone,day\n+447700900001,Europe/London,Mon\n", "headers": KEY | {"Content-Type": "text/csv"}}
    first = await api("POST", f"/v1/campaigns/{campaign}/contacts", expect=202, **more)
    again = await api("POST", f"/v1/campaigns/{campaign}/contacts", expect=202, **more)
    assert again == first
    assert await count(api, imports) == 1
    other = more | {"data": "number,zone,day\n"}
    await api.refused("POST", f"/v1/campaigns/{campaign}/contacts", expect=422, **other)
    assert list((api.services.settings.data_dir / "imports").iterdir()) == []


async def test_simultaneous_repeats_are_done_once(api: Api) -> None:
    async def send() -> tuple[int, Any]:
        async with api.client.post("/v1/campaigns", json=CAMPAIGN, headers=KEY) as answer:
            return answer.status, await answer.json()

    answers = await asyncio.gather(*(send() for _ in range(8)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({body["id"] for status, body in answers if status == 201}) == 1
    assert {body["code"] for status, body in answers if status == 409} <= {"idempotency_busy"}
    assert await count(api, campaigns) == 1


async def test_a_repeat_while_the_first_is_at_work_is_told_to_wait(api: Api) -> None:
    own = (await api("GET", "/v1/session"))["id"]
    busy = api.client.app[AT_WORK]
    busy.add((own, "a-key"))
    async with api.client.post("/v1/campaigns", json=CAMPAIGN, headers=KEY) as answer:
        problem = await answer.json()
        assert (answer.status, problem["code"], answer.headers["Retry-After"]) == (409, "idempotency_busy", "1")
    busy.clear()
    await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201)
    assert busy == set()


async def test_an_answer_is_kept_for_24_hours(api: Api) -> None:
    first = await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201)
    api.clock.now += idempotency.KEPT_S - 1
    assert (await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201))["id"] == first["id"]
    api.clock.now += 2
    assert (await api("POST", "/v1/campaigns", CAMPAIGN, headers=KEY, expect=201))["id"] != first["id"]
    api.clock.now += idempotency.KEPT_S + 1
    assert await api.services.store.write(lambda c: idempotency.purge(c, now=api.clock.now)) == 1
    assert await count(api, idempotency_keys) == 0


async def test_keys_that_are_none_are_refused(api: Api) -> None:
    for key in ("", "x" * 256, "caf\u00e9"):
        problem = await api.refused("POST", "/v1/campaigns", CAMPAIGN, headers={"Idempotency-Key": key}, expect=400)
        assert problem["code"] == "invalid"
        assert problem["errors"][0]["field"] == "Idempotency-Key"
    assert await count(api, campaigns) == 0
