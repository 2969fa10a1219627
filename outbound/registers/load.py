"""The job that loads a list: chunks of lines, each settled in the unit of work that enters the last of its numbers.

It may be run twice, at the same time or after a crash: a chunk that was settled is passed over, and entering numbers
again changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog
from sqlalchemy import Connection, RowMapping

from outbound.errors import Unavailable
from outbound.importing.source import FileRefused
from outbound.registers.reading import JUDGED_AFTER, Batch, ListReader, judge
from outbound.services import Services
from outbound.store import contacts, registers
from outbound.store import register_imports as imports

log = structlog.get_logger(__name__)
BATCH = 5000
"""Numbers entered in one unit of work: bounds how long other writers wait."""
HOUSE_BATCH = 1000
"""The same of a house list, where each number may cancel attempts."""
RECONSIDERED = 500
"""Contacts planned again in one unit of work."""
CHUNK = 250_000
"""Lines sorted together, in some 20 MB: numbers that lie together in the index are entered together, where numbers as a
list happens to have them would touch a page of the database each, three times as slow."""
BUDGET_S = 90.0
"""A run that takes longer stops where it is, and the sweep enqueues another: no job of the queue lasts long."""


async def load_register(services: Services, import_id: str) -> None:
    """Run a load to its end, or for as long as a job may last. Nothing is raised for a bad file."""
    row, register = await services.store.read(lambda connection: _load(connection, import_id))
    if row["state"] not in imports.OPEN:
        return
    path = services.settings.data_dir / "imports" / row["path"]
    try:
        if await _read(services, row, path, house=register["kind"] == "house"):
            await _complete(services, import_id)
    except Unavailable:
        raise
    except FileRefused as error:
        await _fail(services, import_id, error.detail)
    except OSError as error:
        remedy = "send it again; where web and workers run on several machines they share data_dir"
        await _fail(services, import_id, f"the uploaded list cannot be read ({error.strerror}); {remedy}")
    except Exception:
        log.exception("register not loaded", import_id=import_id)
        await _fail(services, import_id, "the load failed inside the service; its log says why")
    after, _ = await services.store.read(lambda connection: _load(connection, import_id))
    if after["state"] not in imports.OPEN:
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _read(services: Services, row: RowMapping, path: Path, *, house: bool) -> bool:
    """Settle chunks; return whether the list is over, and not the time, nor another run at it."""
    options, started = row["options"], time.monotonic()
    settled, accepted, rejected = row["rows"], row["accepted"], row["rejected"]
    reader = await asyncio.to_thread(
        ListReader, path, charset=options.get("charset"), default_region=options.get("default_region")
    )
    try:
        await asyncio.to_thread(reader.skip, settled)
        while time.monotonic() - started < BUDGET_S:
            chunk = await _next_chunk(reader)
            if not await _settle(services, row, settled, chunk, house=house):
                return False
            settled = max(settled, chunk.through)
            accepted, rejected = accepted + len(chunk.numbers), rejected + len(chunk.rejected)
            if settled >= JUDGED_AFTER and (fault := judge(accepted, rejected, example=_example(chunk))):
                raise FileRefused(fault)
            if chunk.last:
                return True
    finally:
        reader.close()
    return False


async def _next_chunk(reader: ListReader) -> Batch:
    """Read a chunk, sorted; a smaller one where many lines hold no number, so that the file is judged soon."""
    chunk = Batch(through=reader.line)
    while not chunk.last and len(chunk.numbers) < CHUNK and len(chunk.rejected) < BATCH:
        some = await asyncio.to_thread(reader.batch, BATCH)
        chunk.numbers += sorted(some.numbers)
        chunk.rejected += some.rejected
        chunk.through, chunk.last = some.through, some.last
    chunk.numbers.sort()  # sorted runs, which only have to be merged: the event loop does not stand still for long
    return chunk


async def _settle(services: Services, row: RowMapping, before: int, chunk: Batch, *, house: bool) -> bool:
    """Enter a chunk, in one unit of work a batch; what it settles goes with the last; return whether it was ours."""
    size = HOUSE_BATCH if house else BATCH
    for start in range(0, max(len(chunk.numbers), 1), size):
        is_last = start + size >= len(chunk.numbers)
        step = imports.Step(
            before=before,
            through=max(before, chunk.through) if is_last else before,
            numbers=list(dict.fromkeys(chunk.numbers[start : start + size])),
            accepted=len(chunk.numbers) if is_last else 0,
            rejected=chunk.rejected if is_last else (),
        )
        if not await services.store.write(
            lambda connection, step=step: imports.advance(connection, row, step, house=house, now=services.clock())  # type: ignore[misc]
        ):
            return False
    return True


async def _complete(services: Services, import_id: str) -> None:
    """Every line is in: judge the whole, make it the newest, and only then let go of what it no longer has."""
    row, register = await services.store.read(lambda connection: _load(connection, import_id))
    if register["generation"] < row["generation"]:
        replaces = row["mode"] == "replace"
        generation = row["generation"] if replaces else None
        entries = await services.store.read(lambda c: registers.count(c, row["register"], generation=generation))
        if fault := judge(row["accepted"], row["rejected"]):
            raise FileRefused(fault)
        if replaces and not row["options"].get("shrink") and entries * 2 < register["entries"]:
            raise FileRefused(_shrinks(entries, register["entries"]))
        await services.store.write(lambda c: imports.make_newest(c, row, entries=entries, now=services.clock()))
    if row["mode"] == "replace":
        await _let_go(services, row["register"], row["generation"])
        await _reconsider(services)
    await services.store.write(lambda connection: imports.finish(connection, import_id, now=services.clock()))


async def _let_go(services: Services, register: str, generation: int) -> None:
    """Remove what older lists brought and the newest no longer has, in batches that readers look up."""
    after = 0
    while numbers := await services.store.read(
        lambda connection, after=after: registers.older(connection, register, generation, after=after, limit=BATCH)  # type: ignore[misc]
    ):
        await services.store.write(
            lambda connection, numbers=numbers: registers.remove_older(connection, register, generation, numbers)  # type: ignore[misc]
        )
        after = numbers[-1]


async def _reconsider(services: Services) -> None:
    """Have contacts planned again that were refused for want of a fresh list, in batches that readers look up."""
    after, again = "", set[str]()
    while ids := await services.store.read(
        lambda connection, after=after: contacts.refused(  # type: ignore[misc]
            connection, contacts.CURED_BY_REGISTER, after=after, limit=RECONSIDERED
        )
    ):
        again |= await services.store.write(
            lambda connection, ids=ids: contacts.reconsider(  # type: ignore[misc]
                connection, contacts.CURED_BY_REGISTER, ids=ids, now=services.clock()
            )
        )
        after = ids[-1]
    for campaign_id in sorted(again):
        await services.enqueue("plan_campaign", campaign_id)


async def _fail(services: Services, import_id: str, error: str) -> None:
    await services.store.write(lambda connection: imports.fail(connection, import_id, error, now=services.clock()))


def _example(batch: Batch) -> str:
    line, reason = batch.rejected[0] if batch.rejected else (0, "")
    return f" (line {line}: {reason})" if reason else ""


def _shrinks(entries: int, before: int) -> str:
    return (
        f"the list has {entries} numbers and the register {before}: it may have been cut off, and nobody was freed; "
        "send it again, with shrink=true if it is whole"
    )


def _load(connection: Connection, import_id: str) -> tuple[RowMapping, RowMapping]:
    row = imports.get(connection, import_id)
    return row, registers.get(connection, row["register"])
