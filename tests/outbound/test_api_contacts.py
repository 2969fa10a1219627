"""Contacts as JSON, uploads that become imports, and a number's journey over all campaigns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from outbound.importing import spool
from tests.outbound.conftest import Api, a_person

pytestmark = pytest.mark.integration
CSV = {"Content-Type": "text/csv"}
ROWS = "number,zone,day\n+447700900001,Europe/London,Mon\n"


def contacts_of(campaign: str) -> str:
    return f"/v1/campaigns/{campaign}/contacts"


async def test_a_list_is_answered_at_once_with_what_was_not_taken(api: Api) -> None:
    campaign = await api.a_campaign()
    sent = [
        a_person(1),
        a_person(1),
        a_person(2, zone=""),
        {"numbre": "+1"},
        a_person(3, variables={"day": 5}),
        a_person(4, language="zh"),
        a_person(5, name="=1+1"),
        "text",
        a_person(6, consent="express"),
    ]
    result = await api("POST", contacts_of(campaign), sent, expect=200)
    assert (result["accepted"], result["duplicates"], result["rejected"]) == (2, 1, 6)
    assert [(reject["row"], reject["field"], reject["code"]) for reject in result["rejects"]] == [
        (2, "number", "duplicate"),
        (3, "zone", "zone_needed"),
        (4, "numbre", "unknown_field"),
        (5, "variables.day", "string_type"),
        (6, "language", "language_unknown"),
        (7, "name", "formula"),
        (8, "body", "model_type"),
    ]
    listed = await api("GET", contacts_of(campaign), expect=200)
    assert [item["number"] for item in listed["items"]] == ["+447700900001", "+447700900006"]
    assert listed["items"][1]["consent"] == "express"


async def test_one_contact_is_taken_or_refused(api: Api) -> None:
    campaign = await api.a_campaign()
    assert (await api("POST", contacts_of(campaign), a_person(1), expect=200))["accepted"] == 1
    assert (await api("POST", contacts_of(campaign), a_person(1), expect=200))["duplicates"] == 1
    problem = await api.refused("POST", contacts_of(campaign), {"number": "911"}, expect=422)
    assert problem["errors"][0]["field"] == "number"


async def test_numbers_without_a_country_take_the_campaigns(api: Api) -> None:
    campaign = await api.a_campaign(default_region="GB")
    await api("POST", contacts_of(campaign), a_person(1, number="07700 900001"), expect=200)
    (contact,) = (await api("GET", contacts_of(campaign)))["items"]
    assert (contact["number"], contact["zone"]) == ("+447700900001", "Europe/London")


async def test_contacts_come_back_in_their_order_page_by_page(api: Api) -> None:
    campaign = await api.a_campaign()
    sent = [a_person(number) for number in (5, 3, 9, 1, 7)]
    await api("POST", contacts_of(campaign), sent, expect=200)
    first = await api("GET", contacts_of(campaign) + "?limit=3")
    rest = await api("GET", contacts_of(campaign) + f"?limit=3&cursor={first['next_cursor']}")
    assert [item["number"] for item in first["items"] + rest["items"]] == [item["number"] for item in sent]
    assert rest["next_cursor"] is None


async def test_too_long_a_list_is_sent_another_way(api: Api) -> None:
    campaign = await api.a_campaign()
    problem = await api.refused("POST", contacts_of(campaign), [{}] * 5001, expect=413)
    assert "NDJSON" in problem["detail"]


@pytest.mark.parametrize("state", ["completed", "cancelled"])
async def test_a_campaign_that_is_over_takes_nobody(api: Api, state: str) -> None:
    campaign = await api.a_campaign()
    if state == "cancelled":
        await api("POST", f"/v1/campaigns/{campaign}/cancel", expect=200)
    else:
        await api("POST", contacts_of(campaign), a_person(1), expect=200)
        await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
        await api("POST", "/v1/optouts", {"number": "+447700900001"}, expect=201)
    for more in ({"json": a_person(2)}, {"data": ROWS, "headers": CSV}):
        problem = await api.refused("POST", contacts_of(campaign), expect=409, **more)
        assert problem["state"] == state
    assert list((api.services.settings.data_dir / "imports").iterdir()) == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "multipart/form-data; boundary=x"])
async def test_other_types_are_refused_with_those_that_are_taken(api: Api, kind: str | None) -> None:
    campaign = await api.a_campaign()
    headers = {"Content-Type": kind} if kind else {}
    more: dict[str, Any] = {"data": b"x", "headers": headers}
    if kind is None:
        more["skip_auto_headers"] = ["Content-Type"]
    problem = await api.refused("POST", contacts_of(campaign), expect=415, **more)
    assert "text/csv" in problem["accepted"]


async def test_a_file_is_an_import_with_an_address(api: Api) -> None:
    campaign = await api.a_campaign()
    api.enqueued.held = True
    async with api.client.post(contacts_of(campaign), data=ROWS, headers=CSV) as answer:
        assert answer.status == 202
        made = await answer.json()
        assert answer.headers["Location"] == f"/v1/imports/{made['id']}"
    assert made["state"] == "queued"
    assert api.enqueued.jobs == [("run_import", made["id"])]
    async with api.client.post(contacts_of(campaign), data=ROWS, headers=CSV | {"Prefer": "wait=0"}) as answer:
        assert answer.status == 202


async def test_waiting_ends_when_the_import_is_over(api: Api) -> None:
    campaign = await api.a_campaign()
    api.enqueued.held = True
    waiting = asyncio.create_task(
        api("POST", contacts_of(campaign), data=ROWS, headers=CSV | {"Prefer": "wait=60"}, expect=200)
    )
    await api.enqueued.arrived.wait()
    api.enqueued.held = False
    await api.enqueued(*api.enqueued.jobs[0])
    done = await waiting
    assert (done["state"], done["accepted"]) == ("done", 1)


async def test_an_upload_beyond_the_limit_leaves_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool.spool, "__kwdefaults__", {"limit": 100_000})
    campaign = await api.a_campaign()

    async def content() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10_000

    problem = await api.refused("POST", contacts_of(campaign), data=content(), headers=CSV, expect=413)
    assert problem["code"] == "too_large"
    assert list((api.services.settings.data_dir / "imports").iterdir()) == []


async def test_a_full_disk_is_said_and_leaves_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool, "_finish", full)
    campaign = await api.a_campaign()
    async with api.client.post(contacts_of(campaign), data=ROWS, headers=CSV) as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"], problem["retryable"]) == (507, "disk_full", True)
    assert list((api.services.settings.data_dir / "imports").iterdir()) == []


async def test_the_journey_of_a_number_spans_campaigns(api: Api) -> None:
    number = a_person(1)["number"]
    for name in ("One", "Two"):
        campaign = await api.a_campaign(name=name)
        await api("POST", contacts_of(campaign), a_person(1), expect=200)
        await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
        api.clock.now += 1
    await api("POST", "/v1/optouts", {"number": number, "words": "stop calling me"}, expect=201)
    journey = await api("GET", f"/v1/contacts/{number}", expect=200)
    assert [item["campaign"] for item in journey["campaigns"]] == ["Two", "One"]
    assert [item["disposition"] for item in journey["attempts"]] == ["cancelled", "cancelled"]
    assert [item["words"] for item in journey["opt_outs"]] == ["stop calling me"]
    assert journey["callbacks"] == []


async def test_a_number_nobody_knows(api: Api) -> None:
    assert (await api.refused("GET", "/v1/contacts/+447700900999", expect=404))["code"] == "contact_not_found"
    assert (await api.refused("GET", "/v1/contacts/nobody", expect=422))["errors"][0]["field"] == "number"
    assert (await api.refused("GET", "/v1/imports/nope", expect=404))["code"] == "import_not_found"
    assert (await api.refused("GET", "/v1/imports/nope/rejects", expect=404))["code"] == "import_not_found"
