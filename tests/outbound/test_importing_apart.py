"""A large file is read in a process of its own: it may be killed at any time, and nothing is lost or taken twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from outbound.errors import Unavailable
from outbound.importing import run
from outbound.importing.apart import batches_apart
from outbound.importing.batches import Upload, batches
from outbound.importing.run import run_import
from outbound.importing.source import FileRefused
from outbound.rehearsal import gauges
from outbound.store import imports
from outbound.store.schema import contacts
from tests.outbound.conftest import PARCEL, Api

pytestmark = pytest.mark.integration
READER = "outbound.importing.apart"
CAMPAIGN = {
    "settings": {"default_region": "GB", "variables": {"business": "Acme"}},
    "flow": PARCEL,
    "callflow": "parcel",
}
ROWS = 400


def a_row(number: int) -> str:
    if number % 9 == 8:
        return f"+1,Person {number},Europe/London,Monday"
    return f"07{number + 700_000_000},J\u00f3zef {number},Europe/London,Monday"


CONTENT = "number,name,zone,day\n" + "".join(f"{a_row(number)}\n" for number in range(ROWS))


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    path = tmp_path / "contacts.csv"
    path.write_text(CONTENT, encoding="utf-8")
    return Upload(path=path, format="csv", options={"ignore_columns": []}, campaign=CAMPAIGN, settled=0, batch=30)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "APART_FROM", 0)
    monkeypatch.setattr(run, "BATCH", 30)


async def all_of(upload: Upload) -> list[Any]:
    async with aclosing(batches_apart(upload)) as coming:
        return [batch async for batch in coming]


async def test_batches_come_as_they_would_here(upload: Upload) -> None:
    assert await all_of(upload) == list(batches(upload))
    assert gauges.children(READER) == []


async def test_it_begins_behind_what_is_settled(upload: Upload) -> None:
    found = await all_of(Upload(**{name: getattr(upload, name) for name in Upload.__slots__} | {"settled": 350}))
    rows = [item[0] for batch in found for item in batch.contacts] + [i.row for batch in found for i in batch.rejected]
    assert sorted(rows) == list(range(351, ROWS + 2))


async def test_what_is_wrong_with_a_file_is_told_as_it_is_here(upload: Upload) -> None:
    upload.path.write_text("phone,day\n")
    with pytest.raises(FileRefused, match="rename 'phone' to 'number'"):
        await all_of(upload)
    upload.path.unlink()
    with pytest.raises(FileNotFoundError):
        await all_of(upload)


async def test_it_ends_when_nobody_reads_on(upload: Upload) -> None:
    async with aclosing(batches_apart(upload)) as coming:
        await anext(coming)
        assert len(gauges.children(READER)) == 1
    assert gauges.children(READER) == []


async def uploaded(api: Api) -> tuple[str, str]:
    campaign = await api.a_campaign(default_region="GB")
    api.enqueued.held = True
    path = f"/v1/campaigns/{campaign}/contacts"
    made = await api("POST", path, data=CONTENT.encode(), headers={"Content-Type": "text/csv"})
    return campaign, made["id"]


def killing(api: Api, monkeypatch: pytest.MonkeyPatch, when: Callable[[int], bool]) -> list[int]:
    """Kill the reading process before the units of work that ``when`` names; returns whom it killed."""
    write, killed, units = api.services.store.write, [], [0]

    async def killing_write(unit: Callable[[Connection], Any]) -> Any:
        units[0] += 1
        if when(units[0]):
            for pid in gauges.children(READER):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        return await write(unit)

    monkeypatch.setattr(api.services.store, "write", killing_write)
    return killed


@pytest.mark.usefixtures("apart")
async def test_an_import_goes_on_when_its_reading_process_is_killed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign, import_id = await uploaded(api)
    killed = killing(api, monkeypatch, lambda unit: unit in (2, 5))
    await run_import(api.services, import_id)
    done = await api("GET", f"/v1/imports/{import_id}")
    assert (done["state"], done["accepted"], done["rejected"], done["duplicates"]) == ("done", 356, 44, 0)
    query = select(func.count()).select_from(contacts).where(contacts.c.campaign_id == campaign)
    assert await api.services.store.read(lambda c: c.execute(query).scalar_one()) == 356
    assert killed


@pytest.mark.usefixtures("apart")
async def test_an_import_whose_process_keeps_ending_is_tried_again_later(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, import_id = await uploaded(api)
    started = [0]

    async def ends_at_once(upload: Upload) -> AsyncIterator[Any]:
        started[0] += 1
        raise run.ReadingEnded("it is gone")
        yield

    monkeypatch.setattr(run, "batches_apart", ends_at_once)
    with pytest.raises(Unavailable, match="keeps ending"):
        await run_import(api.services, import_id)
    assert started == [run.DEATHS]
    assert await api.services.store.read(imports.unfinished) == [import_id]
    monkeypatch.undo()
    await run_import(api.services, import_id)
    done = await api("GET", f"/v1/imports/{import_id}")
    assert (done["state"], done["accepted"]) == ("done", 356)


@pytest.mark.usefixtures("apart")
async def test_two_runs_at_once_take_every_row_once(api: Api) -> None:
    _, import_id = await uploaded(api)
    await asyncio.gather(*(run_import(api.services, import_id) for _ in range(2)))
    done = await api("GET", f"/v1/imports/{import_id}")
    assert (done["state"], done["accepted"], done["rejected"], done["duplicates"]) == ("done", 356, 44, 0)
