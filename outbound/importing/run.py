"""The import job: reads an uploaded file in batches, each settled in one unit of work together with how far it got.

It may be run twice, at the same time or after a crash: a batch that was settled is passed over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import Connection, RowMapping

from outbound.callflows import read_flow
from outbound.errors import Unavailable
from outbound.importing.csv_reader import CsvReader
from outbound.importing.ndjson_reader import NdjsonReader
from outbound.importing.records import Reader, Record
from outbound.importing.rows import ContactRules
from outbound.importing.source import FileRefused, detect_encoding
from outbound.services import Services
from outbound.store import campaigns, imports
from outbound.store.contacts import NewContact
from outbound.store.imports import Rejected

log = structlog.get_logger(__name__)
BATCH = 2000
BUDGET_S = 90.0
"""A run that takes longer stops where it is, and the sweep enqueues another: no job of the queue lasts long."""


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Rows to be settled together."""

    through: int
    """Row of the last of them."""
    contacts: list[NewContact] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    last: bool = False


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


def contact_rules(campaign: RowMapping) -> ContactRules:
    """What ``campaign`` asks of its contacts."""
    settings = campaign["settings"]
    flow = read_flow(campaign["flow"], source=campaign["callflow"])
    return ContactRules(
        default_region=settings["default_region"],
        languages=flow.languages,
        declared=flow.variables,
        given=settings["variables"],
    )


def open_reader(path: Path, row: RowMapping, rules: ContactRules) -> Reader:
    """Open an uploaded file. Raises :class:`FileRefused` when nothing of it can be taken."""
    encoding = detect_encoding(path, row["options"].get("charset"))
    if row["format"] == "ndjson":
        return NdjsonReader(path, encoding)
    return CsvReader(path, encoding, wanted=rules.wanted(row["options"].get("ignore_columns", ())))


async def _read(services: Services, row: RowMapping, campaign: RowMapping, path: Path) -> None:
    """Settle batches until the file or the time is over, or another run turns out to be at it."""
    rules = await asyncio.to_thread(contact_rules, campaign)
    reader = await asyncio.to_thread(open_reader, path, row, rules)
    try:
        settled, started = row["rows"], time.monotonic()
        rows = (record for record in reader.records() if record.row > settled)
        while True:
            batch = await asyncio.to_thread(_next_batch, rows, rules, row["rows"])
            ours = await services.store.write(_settle(services, row["id"], settled, batch, reader.read_as))
            settled = batch.through
            if not ours or batch.last or time.monotonic() - started > BUDGET_S:
                return
    finally:
        reader.close()


def _next_batch(rows: Iterator[Record | Rejected], rules: ContactRules, start: int) -> _Batch:
    batch = _Batch(through=start)
    for _ in range(BATCH):
        record = next(rows, None)
        if record is None:
            batch.last = True
            break
        batch.through = record.row
        outcome = record if isinstance(record, Rejected) else rules.check(record.row, record.fields)
        if isinstance(outcome, Rejected):
            batch.rejected.append(outcome)
        else:
            batch.contacts.append(outcome)
    return batch


def _settle(
    services: Services, import_id: str, before: int, batch: _Batch, read_as: str
) -> Callable[[Connection], bool]:
    def unit(connection: Connection) -> bool:
        now = services.clock()
        ours = imports.advance(
            connection,
            import_id,
            before=before,
            through=max(before, batch.through),
            batch=batch.contacts,
            refused=batch.rejected,
            read_as=read_as,
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
