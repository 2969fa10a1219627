"""The import job: reads an uploaded file in batches, each settled in one unit of work together with how far it got.

It may be run twice, at the same time or after a crash: a batch that was settled is passed over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy import Connection, RowMapping

from outbound.errors import Unavailable
from outbound.importing.apart import ReadingEnded, batches_apart
from outbound.importing.batches import Batch, Upload, batches
from outbound.importing.source import FileRefused
from outbound.services import Services
from outbound.store import campaigns, imports

log = structlog.get_logger(__name__)
BATCH = 2000
"""Rows of one unit of work: on SQLite every other writer waits for it."""
BATCH_BESIDE_OTHERS = 6000
"""The same on PostgreSQL, where nobody waits but who changes the campaign."""
APART_FROM = 4 * 1024 * 1024
"""Bytes of a file from which a process of its own is worth its start."""
DEATHS = 3
"""So often the process may end without having got any further."""
BUDGET_S = 90.0
"""A run that takes longer stops where it is, and the sweep enqueues another: no job of the queue lasts long."""


async def run_import(services: Services, import_id: str) -> None:
    """Run an import to its end, or for as long as a job may last. Nothing is raised for a bad file."""
    row, campaign = await services.store.read(lambda connection: _load(connection, import_id))
    if row["state"] not in imports.OPEN:
        return
    path = services.settings.data_dir / "imports" / row["path"]
    try:
        await _read(services, row, campaign, path)
    except Unavailable:
        raise
    except FileRefused as error:
        await _fail(services, import_id, error.detail)
    except OSError as error:
        remedy = "upload it again; where web and workers run on several machines they share data_dir"
        await _fail(services, import_id, f"the uploaded file cannot be read ({error.strerror}); {remedy}")
    except Exception:
        log.exception("import failed", import_id=import_id)
        await _fail(services, import_id, "the import failed inside the service; its log says why")
    await _follow_up(services, import_id, path)


async def _read(services: Services, row: RowMapping, campaign: RowMapping, path: Path) -> None:
    """Settle batches until the file or the time is over, or another run turns out to be at it."""
    upload = Upload(
        path=path,
        format=row["format"],
        options=row["options"],
        campaign={name: campaign[name] for name in ("settings", "flow", "callflow")},
        settled=row["rows"],
        batch=BATCH if services.store.is_sqlite else BATCH_BESIDE_OTHERS,
    )
    until = time.monotonic() + BUDGET_S
    small = (await asyncio.to_thread(path.stat)).st_size < APART_FROM
    deaths = 0
    while True:
        coming = _batches_here(upload) if small else batches_apart(upload)
        settled = upload.settled
        try:
            async with aclosing(coming):
                async for batch in coming:
                    ours = await services.store.write(_settle(services, row["id"], settled, batch))
                    settled = batch.through
                    if not ours or batch.last or time.monotonic() > until:
                        return
        except ReadingEnded as error:
            deaths = 1 if settled > upload.settled else deaths + 1
            if deaths >= DEATHS:
                raise Unavailable("the process that reads the file keeps ending; check memory and the log") from error
            log.warning("import goes on where its reading process ended", import_id=row["id"])
            upload = replace(upload, settled=settled)


async def _batches_here(upload: Upload) -> AsyncGenerator[Batch, None]:
    """Read a small file in a thread: it is over before a process would have begun."""
    coming = batches(upload)
    while True:
        batch = await asyncio.to_thread(next, coming)
        yield batch


def _settle(services: Services, import_id: str, before: int, batch: Batch) -> Callable[[Connection], bool]:
    def unit(connection: Connection) -> bool:
        now = services.clock()
        ours = imports.advance(
            connection,
            import_id,
            before=before,
            through=batch.through,
            batch=batch.contacts,
            refused=batch.rejected,
            read_as=batch.read_as,
            now=now,
        )
        if ours and batch.last:
            imports.finish(connection, import_id, now=now)
        return ours

    return unit


async def _fail(services: Services, import_id: str, error: str) -> None:
    await services.store.write(lambda connection: imports.fail(connection, import_id, error, now=services.clock()))


async def _follow_up(services: Services, import_id: str, path: Path) -> None:
    """Clear away the file of an import that is over; have what came in planned, if the campaign runs."""
    row, campaign = await services.store.read(lambda connection: _load(connection, import_id))
    if row["state"] not in imports.OPEN:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    if campaign["state"] == "running":
        await services.enqueue("plan_campaign", campaign["id"])


def _load(connection: Connection, import_id: str) -> tuple[RowMapping, RowMapping]:
    row = imports.get(connection, import_id)
    return row, campaigns.get(connection, row["campaign_id"])
