"""The jobs of the arq worker: planning, imports, sweeping; each points at durable rows and may run twice or never."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, exists, select

from outbound.erasing.erasure import clear_files
from outbound.importing.run import run_import as import_contacts
from outbound.planning import plan_contacts
from outbound.receipts.heads import keep_heads
from outbound.registers import load
from outbound.services import Services
from outbound.settings import Settings
from outbound.settling.deadlines import end_expired, something_expired, with_deadlines
from outbound.store import idempotency, imports, register_imports, webhook_deliveries
from outbound.store.campaigns import complete_if_over, end_cancelled, left_undone
from outbound.store.schema import UNPLANNED, campaigns, contacts

PLAN_BATCH = 100
"""Contacts planned in one unit of work: bounds how long other writers wait."""
PLAN_S = 60.0
"""A run that takes longer goes on as another job: no job of the queue lasts long."""


async def plan_campaign(services: Services, campaign_id: str) -> None:
    """Plan what is not planned, in batches; the pool is told after each."""
    started = time.monotonic()
    while await services.store.write(
        lambda connection: plan_contacts(connection, campaign_id, now=services.clock(), limit=PLAN_BATCH)
    ):
        services.kick()
        if time.monotonic() - started > PLAN_S:
            await services.enqueue("plan_campaign", campaign_id, "on")
            return
    await services.store.write(lambda connection: complete_if_over(connection, campaign_id, now=services.clock()))


async def end_campaign(services: Services, campaign_id: str) -> None:
    """End what still waits in a cancelled campaign, in batches."""
    after = ""
    while after := await services.store.write(
        lambda connection, after=after: end_cancelled(connection, campaign_id, after=after, now=services.clock())  # type: ignore[misc]
    ):
        services.kick()


async def run_import(services: Services, import_id: str) -> None:
    """Take in an uploaded file."""
    await import_contacts(services, import_id)


async def load_register(services: Services, import_id: str) -> None:
    """Load an uploaded do-not-call list."""
    await load.load_register(services, import_id)


async def sweep(services: Services) -> None:
    """Enqueue again what a lost queue forgot (contacts not planned, imports and loads not done); forget old answers.

    Have large campaigns ended that were cancelled. Keep the heads of the chain of receipts; clear the files of erased
    people where that could not be done before, and recordings that are too old.
    """
    await services.store.write(lambda connection: idempotency.purge(connection, now=services.clock()))
    outdated = await services.store.read(lambda c: webhook_deliveries.outdated(c, now=services.clock()))
    if outdated:
        await services.store.write(lambda connection: webhook_deliveries.purge(connection, outdated))
    await end_what_is_too_late(services)
    forgotten = await services.store.read(_forgotten)
    for name, key in forgotten:
        await services.enqueue(name, key)
    await keep_heads(services)
    await clear_files(services)
    await asyncio.to_thread(clear_old, services.settings, now=services.clock())


def clear_old(settings: Settings, *, now: float) -> int:
    """Delete recordings that are older than they may get; returns how many. What cannot be deleted is tried again."""
    deleted = 0
    for path in settings.recordings_dir.glob("*"):
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > settings.recording_days * 86400:
                path.unlink()
                deleted += 1
    return deleted


async def end_what_is_too_late(services: Services) -> None:
    """End due attempts whose deadline has passed, whether or not a line ever became free for them."""
    for campaign_id in await services.store.read(lambda connection: with_deadlines(connection, now=services.clock())):
        if not await services.store.survey(
            lambda connection, key=campaign_id: something_expired(connection, key, now=services.clock())  # type: ignore[misc]
        ):
            continue
        while await services.store.write(
            lambda connection, key=campaign_id: end_expired(connection, key, now=services.clock())  # type: ignore[misc]
        ):
            pass


def _forgotten(connection: Connection) -> list[tuple[str, str]]:
    unplanned = exists().where(contacts.c.campaign_id == campaigns.c.id, UNPLANNED)
    plans = connection.execute(select(campaigns.c.id).where(campaigns.c.state == "running", unplanned)).scalars()
    reading = [("run_import", key) for key in imports.unfinished(connection)]
    loading = [("load_register", key) for key in register_imports.unfinished(connection)]
    ending = [("end_campaign", key) for key in left_undone(connection)]
    return [("plan_campaign", key) for key in plans] + reading + loading + ending


Job = Callable[..., Awaitable[None]]
JOBS: dict[str, Job] = {
    "plan_campaign": plan_campaign,
    "end_campaign": end_campaign,
    "run_import": run_import,
    "load_register": load_register,
    "sweep": sweep,
}


def arq_functions() -> list[Any]:
    """The jobs in arq's shape: the context carries the services."""
    from arq.worker import func

    def wrap(job: Job) -> Any:
        async def run(context: dict[str, Any], *arguments: str) -> None:
            await job(context["services"], *arguments)

        return run

    return [func(wrap(job), name=name, keep_result=0, timeout=120, max_tries=3) for name, job in JOBS.items()]
