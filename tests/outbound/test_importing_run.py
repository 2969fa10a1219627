"""The import job over a real store: good rows in, bad ones back, in flat memory; run twice or broken off, once each."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from outbound.importing import run
from outbound.importing.run import run_import
from outbound.store import imports
from outbound.store.schema import contacts
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration
CSV = {"Content-Type": "text/csv"}
HEADER = "number,name,zone,day\n"
BAD = (
    ("+1,Bad,Europe/London,Monday", "number", "number_invalid"),
    ("not a number,Bad,Europe/London,Monday", "number", "number_invalid"),
    ("+44770000{n:04d},Bad,Mars/Base,Monday", "zone", "zone_unknown"),
    ("+44770000{n:04d},Bad,Europe/London,", "variables.day", "variable_missing"),
    ("+44770000{n:04d},=cmd|x!A0,Europe/London,Monday", "name", "formula"),
)


def a_row(number: int) -> str:
    if number % 5 == 4:
        return BAD[number // 5 % len(BAD)][0].format(n=number % 10_000)
    return f"+4477{number:08d},Person {number},Europe/London,Monday"


def a_file(rows: int) -> Iterator[bytes]:
    yield HEADER.encode()
    for start in range(0, rows, 1000):
        yield "".join(f"{a_row(number)}\n" for number in range(start, min(start + 1000, rows))).encode()


async def upload(api: Api, campaign: str, content: AsyncIterator[bytes] | str, **headers: str) -> dict:
    path = f"/v1/campaigns/{campaign}/contacts"
    body = content.encode() if isinstance(content, str) else content
    return await api("POST", path, data=body, headers=CSV | headers)


async def stored(api: Api, campaign: str) -> int:
    query = select(func.count()).select_from(contacts).where(contacts.c.campaign_id == campaign)
    return await api.services.store.read(lambda c: c.execute(query).scalar_one())


@asynccontextmanager
async def resident_growth() -> AsyncIterator[list[int]]:
    """Samples how many bytes more than at the beginning this process keeps in memory."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    async def sample() -> None:
        while True:
            growth.append(resident() - before)
            await asyncio.sleep(0.02)

    gc.collect()
    before, growth = resident(), [0]
    task = asyncio.create_task(sample())
    yield growth
    task.cancel()


async def test_100_000_rows_with_every_fifth_bad(api: Api) -> None:
    campaign = await api.a_campaign()
    rows = 100_000

    async def content() -> AsyncIterator[bytes]:
        for chunk in a_file(rows):
            yield chunk

    api.enqueued.held = True
    made = await upload(api, campaign, content())
    async with resident_growth() as growth:
        await run_import(api.services, made["id"])
    done = await api("GET", f"/v1/imports/{made['id']}")
    assert (done["state"], done["accepted"], done["rejected"], done["duplicates"]) == ("done", 80_000, 20_000, 0)
    assert max(growth) < 48 * 1024 * 1024  # all rows at once take three times as much
    assert len(done["rejects"]) == 100
    async with api.client.get(f"/v1/imports/{made['id']}/rejects") as answer:
        assert answer.content_type == "application/x-ndjson"
        lines = [line async for line in answer.content]
    assert len(lines) == 20_000
    for index, reject in enumerate(done["rejects"]):
        _, field, code = BAD[index % len(BAD)]
        assert (reject["row"], reject["field"], reject["code"]) == (index * 5 + 6, field, code)
        assert reject["reason"]


async def test_an_import_in_two_runs_at_once_takes_every_row_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 7)
    campaign = await api.a_campaign()
    api.enqueued.held = True
    made = await upload(api, campaign, b"".join(a_file(100)).decode())
    await asyncio.gather(*(run_import(api.services, made["id"]) for _ in range(3)))
    done = await api("GET", f"/v1/imports/{made['id']}")
    assert (done["state"], done["accepted"], done["rejected"], done["duplicates"]) == ("done", 80, 20, 0)
    assert await stored(api, campaign) == 80


async def test_a_run_that_is_broken_off_goes_on_where_it_was(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 10)
    campaign = await api.a_campaign()
    api.enqueued.held = True
    made = await upload(api, campaign, b"".join(a_file(100)).decode())
    monkeypatch.setattr(run, "BUDGET_S", -1.0)
    for number in range(1, 4):
        await run_import(api.services, made["id"])
        half = await api("GET", f"/v1/imports/{made['id']}")
        assert (half["state"], half["accepted"] + half["rejected"]) == ("running", number * 10)
    assert await api.services.store.read(imports.unfinished) == [made["id"]]
    monkeypatch.setattr(run, "BUDGET_S", 60.0)
    await run_import(api.services, made["id"])
    await run_import(api.services, made["id"])
    done = await api("GET", f"/v1/imports/{made['id']}")
    assert (done["state"], done["accepted"], done["rejected"]) == ("done", 80, 20)
    assert await api.services.store.read(imports.unfinished) == []


async def test_duplicates_in_the_file_and_in_the_campaign_are_named(api: Api) -> None:
    campaign = await api.a_campaign()
    first = await upload(api, campaign, HEADER + f"{a_row(1)}\n{a_row(2)}\n{a_row(1)}\n", Prefer="wait=20")
    assert (first["accepted"], first["duplicates"], first["rejected"]) == (2, 1, 0)
    assert [(reject["row"], reject["code"]) for reject in first["rejects"]] == [(4, "duplicate")]
    second = await upload(api, campaign, HEADER + f"{a_row(2)}\n{a_row(3)}\n", Prefer="wait=20")
    assert (second["accepted"], second["duplicates"]) == (1, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("phone,day\n+1,Mon\n", "rename 'phone' to 'number'"),
        ("number,zone,daay\n+1,UTC,Mon\n", "did you mean 'day'"),
        ("number,zone\n+1,UTC\n", "'day', which the call flow needs"),
        ("PK\x03\x04", "spreadsheet"),
        ("\n", "empty"),
    ],
)
async def test_a_file_that_cannot_be_read_fails_whole(api: Api, content: str, said: str) -> None:
    campaign = await api.a_campaign()
    made = await upload(api, campaign, content, Prefer="wait=20")
    assert made["state"] == "failed"
    assert said in made["error"]
    assert await stored(api, campaign) == 0


async def test_the_uploaded_file_is_gone_when_the_import_is_over(api: Api) -> None:
    campaign = await api.a_campaign()
    await upload(api, campaign, HEADER + f"{a_row(1)}\n")
    await upload(api, campaign, "nonsense")
    assert list((api.services.settings.data_dir / "imports").iterdir()) == []


async def test_a_lost_file_is_said_with_the_remedy(api: Api) -> None:
    campaign = await api.a_campaign()
    api.enqueued.held = True
    made = await upload(api, campaign, HEADER)
    for path in (api.services.settings.data_dir / "imports").iterdir():
        path.unlink()
    await run_import(api.services, made["id"])
    failed = await api("GET", f"/v1/imports/{made['id']}")
    assert failed["state"] == "failed"
    assert "upload it again" in failed["error"]


async def test_a_campaign_that_was_cancelled_meanwhile_takes_nothing(api: Api) -> None:
    campaign = await api.a_campaign()
    api.enqueued.held = True
    made = await upload(api, campaign, HEADER + f"{a_row(1)}\n")
    await api("POST", f"/v1/campaigns/{campaign}/cancel", expect=200)
    await run_import(api.services, made["id"])
    failed = await api("GET", f"/v1/imports/{made['id']}")
    assert (failed["state"], failed["accepted"]) == ("failed", 0)
    assert "cancelled" in failed["error"]


async def test_ndjson_with_variables_and_ignored_columns(api: Api) -> None:
    campaign = await api.a_campaign()
    lines = [
        '{"number": "+447700900001", "zone": "Europe/London", "variables": {"day": "Monday"}}',
        '{"number": "+447700900002", "zone": "Europe/London", "variables": {"dya": "Monday"}}',
        '{"numbre": "+447700900003"}',
        '{"number": 447700900004}',
        "oops",
    ]
    made = await api(
        "POST",
        f"/v1/campaigns/{campaign}/contacts",
        data="\n".join(lines),
        headers={"Content-Type": "application/x-ndjson", "Prefer": "respond-async, wait=20"},
        expect=200,
    )
    assert (made["accepted"], made["rejected"]) == (1, 4)
    rejects = {reject["row"]: reject for reject in made["rejects"]}
    assert "did you mean 'day'" in rejects[2]["reason"]
    assert "did you mean 'number'" in rejects[3]["reason"]
    assert rejects[4]["field"] == "number"
    assert rejects[5]["code"] == "malformed_json"


async def test_columns_can_be_left_out_over_rest(api: Api) -> None:
    campaign = await api.a_campaign()
    made = await api(
        "POST",
        f"/v1/campaigns/{campaign}/contacts?ignore_columns=shoe_size,%20Hat",
        data="number,zone,day,Shoe Size,hat\n+447700900001,Europe/London,Mon,44,56\n",
        headers=CSV | {"Prefer": "wait=20"},
    )
    assert (made["state"], made["accepted"]) == ("done", 1)


async def test_a_running_campaign_plans_what_came_in(api: Api) -> None:
    campaign = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    await upload(api, campaign, HEADER + f"{a_row(1)}\n", Prefer="wait=20")
    assert ("plan_campaign", campaign) in api.enqueued.jobs
    shown = await api("GET", f"/v1/campaigns/{campaign}")
    assert (shown["counts"]["contacts"], shown["counts"]["due"]) == (1, 1)
