"""``outbound bench --import``: a file of a million contacts into SQLite and PostgreSQL, beside rows that are ready.

The peers run before and after each import, in a process of their own, so that both share what else the machine does.
It measures the job of the import; what REST adds, bench.py measures.
"""

from __future__ import annotations

import asyncio
import csv
import multiprocessing
import resource
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection, create_engine, insert, text
from sqlalchemy.engine import make_url

from outbound.callflows import CallflowLibrary
from outbound.importing.run import run_import
from outbound.rehearsal import gauges
from outbound.rehearsal.figures import Figure
from outbound.rehearsal.gauges import Pace
from outbound.services import Services
from outbound.store import Store, imports
from outbound.store.schema import campaigns, trunks

PEOPLE = 1_000_000
LESS = 10
"""Memory is looked at for so many times fewer contacts, too."""
SCHEMA = "outbound_bench"
FLOW = "shipping_alert"
GIVEN = {"business": "Northwind", "callback_number": "+12025550100"}
HEADER = ("number", "name", "zone", "parcel", "delivery_day", "delivery_window")
LOOK_S = 0.1
CAMPAIGN, IMPORT = "C" * 26, "I" * 26


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What else could be done while an import ran."""

    waits_s: list[float] = field(default_factory=lambda: [0.0])
    """How long another writer waited for a unit of its own."""
    late_s: list[float] = field(default_factory=lambda: [0.0])
    """How late the event loop woke whoever slept."""
    reading_mib: float = 0.0
    """Peak memory of the process that read the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One import."""

    pace: Pace
    watch: _Watch
    host_mib: float
    """Peak memory of this process."""


async def import_figures(folder: Path, *, people: int = PEOPLE, postgres_url: str | None = None) -> list[Figure]:
    """Measure in ``folder``; PostgreSQL in a schema of its own, which is dropped, where ``postgres_url`` is given."""
    figures = await _compared(
        "SQLite",
        lambda: _imported(folder, people, None),
        lambda: _beside(gauges.bare_insert, folder, people),
        "bare sqlite3.executemany",
        "35%",
        lambda: _imported(folder, people // LESS, None),
    )
    if postgres_url is None:
        return figures
    url = _bench_url(postgres_url)
    try:
        await asyncio.to_thread(_clear_schema, postgres_url)
        figures += await _compared(
            "PostgreSQL",
            lambda: _imported(folder, people, url),
            lambda: _beside(gauges.bare_copy, postgres_url, people),
            "bare COPY",
            "50%",
            None,
        )
    finally:
        await asyncio.to_thread(_clear_schema, postgres_url, False)
    return figures


async def _compared(
    name: str,
    ours: Callable[[], Any],
    peer: Callable[[], Any],
    peer_name: str,
    limit: str,
    smaller: Callable[[], Any] | None,
) -> list[Figure]:
    small: _Run | None = await smaller() if smaller else None
    before: Pace = await peer()
    run: _Run = await ours()
    after: Pace = await peer()
    bare = 2 * before.rows / (before.wall_s + after.wall_s)
    work = (before.cpu_s + after.cpu_s) / 2
    figures = [
        Figure(
            what=f"Import of {run.pace.rows:,} contacts, {name}",
            value=f"{run.pace.rate:,.0f} rows/s, {run.pace.rows / run.pace.cpu_s:,.0f} rows/CPU-s",
            beside=f"{peer_name}: {bare:,.0f} rows/s ({run.pace.rate / bare:.0%}; {work / run.pace.cpu_s:.0%} by CPU)",
            aim=limit,
        ),
        Figure(
            what=f"Meanwhile, {name}",
            value=f"another writer waits p50 {_ms(run.watch.waits_s, 50)}, at most {_ms(run.watch.waits_s, 100)} ms",
            beside=f"the event loop is late p99 {_ms(run.watch.late_s, 99)}, at most {_ms(run.watch.late_s, 100)} ms",
        ),
    ]
    if small is not None:
        grown = run.host_mib - small.host_mib
        figures.append(
            Figure(
                what=f"Peak memory of an import, {name}",
                value=f"host {run.host_mib:.0f} MiB (+{grown:.0f}), reading process {run.watch.reading_mib:.0f} MiB",
                beside=f"for {small.pace.rows:,}: host {small.host_mib:.0f}, process {small.watch.reading_mib:.0f} MiB",
                aim="flat",
            )
        )
    return figures


async def _beside(measure: Callable[[Any, int], Pace], where: object, rows: int) -> Pace:
    """Run a peer in a process of its own: its rows, all prebuilt, are no part of this one's memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, measure, where, rows)


async def _imported(folder: Path, people: int, url: str | None) -> _Run:
    """Run the job of an import, again and again as the sweep would, until the file is over."""
    (folder / "imports").mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(_write_file, folder / "imports" / "people.csv", people)
    database = folder / f"import-{people}.db"
    store = Store(url or f"sqlite:///{database}")
    await asyncio.to_thread(store.start)
    services = SimpleNamespace(store=store, settings=SimpleNamespace(data_dir=folder), clock=time.time)
    await store.write(lambda connection: _prepare(connection, CallflowLibrary(store).built_in[FLOW]))
    began, used = time.perf_counter(), _cpu_s()
    async with _watched(store) as watch:
        state = "queued"
        while state in imports.OPEN:
            await run_import(cast("Services", services), IMPORT)
            state = (await store.read(lambda connection: imports.get(connection, IMPORT)))["state"]
    pace = Pace(rows=people, wall_s=time.perf_counter() - began, cpu_s=_cpu_s() - used)
    await asyncio.to_thread(store.close)
    await asyncio.to_thread(_remove, database)
    return _Run(pace=pace, watch=watch, host_mib=gauges.peak_mib())


@asynccontextmanager
async def _watched(store: Store) -> AsyncIterator[_Watch]:
    watch = _Watch()

    async def look() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LOOK_S)
            woken = time.perf_counter()
            watch.late_s.append(woken - began - LOOK_S)
            await store.write(lambda connection: connection.execute(text("SELECT 1")).scalar())
            watch.waits_s.append(time.perf_counter() - woken)

    async def look_at_memory() -> None:
        while True:
            for pid in await asyncio.to_thread(gauges.children, "outbound.importing.apart"):
                watch.reading_mib = max(watch.reading_mib, gauges.peak_mib(pid))
            await asyncio.sleep(25 * LOOK_S)

    tasks = [asyncio.create_task(look()), asyncio.create_task(look_at_memory())]
    yield watch
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _prepare(connection: Connection, flow: dict[str, Any]) -> None:
    connection.execute(insert(trunks), gauges.BARE_TRUNK)
    own = {"id": CAMPAIGN, "flow": flow, "settings": {"default_region": None, "variables": GIVEN}}
    connection.execute(insert(campaigns), gauges.BARE_CAMPAIGN | own)
    told = {"format": "csv", "path": "people.csv", "options": {}}
    imports.create(connection, IMPORT, campaign_id=CAMPAIGN, now=time.time(), **told)  # type: ignore[arg-type]


def _write_file(path: Path, people: int) -> None:
    """Contacts as the example campaign has them, each with a number and a name of its own."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(people):
            said = ("America/Los_Angeles", "running shoes", "2026-12-03", "9:00-12:00")
            writer.writerow([f"+1415{2_000_000 + n}", f"Name {n}", *said])


def _remove(database: Path) -> None:
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()


def _bench_url(url: str) -> str:
    made = make_url(url).update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    return made.render_as_string(hide_password=False)


def _clear_schema(url: str, make: bool = True) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
        if make:
            connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    engine.dispose()


def _cpu_s() -> float:
    """Processor seconds of this process and of those it has seen end."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _ms(values_s: Sequence[float], share: float) -> str:
    return f"{gauges.percentile(values_s, share) * 1000:.0f}"
