"""What more dialers bring: real ``outbound dialer`` processes on one PostgreSQL, ringing sipp, which is always busy.

Each attempt goes the whole way: claimed, asked about, committed, sent, refused by the far end, settled, planned again.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from outbound.queue.valkey import EmbeddedValkey
from outbound.rehearsal import gauges
from outbound.rehearsal.chaos.family import family
from outbound.rehearsal.cluster_gauge import Cluster
from outbound.rehearsal.figures import Figure
from outbound.rehearsal.idle_bench import running
from outbound.rehearsal.line_bench import FLOWS, SAID, far_end
from outbound.rehearsal.morning import morning_zone
from outbound.rehearsal.queue_rows import RUNNING, SETTINGS, add_due, clear, found_campaign, found_trunk
from outbound.rehearsal.sipp_scenarios import BUSY
from outbound.store import Store
from outbound.store.schema import attempts, campaigns
from outbound.yaml_files import load_yaml

DIALERS = (1, 2, 4)
ATTEMPTS = 400
LINES = 4
LEGS_A_LINE = 4
FASTEST = 100
"""Calls a second over all dialers: the most that a setting allows."""
WITHIN_S = 120.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a number of dialers did."""

    dialers: int
    attempts: int
    wall_s: float
    dialers_cpu_s: float
    server_cpu_s: float


async def dialer_figures(
    folder: Path, cluster: Cluster, *, dialers: Sequence[int] = DIALERS, count: int = ATTEMPTS
) -> list[Figure]:
    """Have ``count`` attempts made by each number of dialers; what was in the database is removed."""
    program = shutil.which("sipp")
    if program is None:
        return [Figure(what="Dialers", value="not measured", beside="sipp is not installed here")]
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(far_end(program, folder, BUSY))
        valkey = EmbeddedValkey(data_dir=folder / "valkey", socket=folder / "valkey.sock")
        await valkey.start()
        stack.push_async_callback(valkey.stop)
        store = Store(cluster.url)
        await asyncio.to_thread(store.start)
        stack.callback(store.close)
        await store.write(lambda connection: _found(connection, address))
        settings = _settings(folder, cluster.url, valkey.url)
        pids: list[int] = []
        stages: list[Stage] = []
        for wanted in sorted(dialers):
            for number in range(len(pids), wanted):
                name = f"bench-{number + 1}"
                pids.append(await stack.enter_async_context(running("dialer", "--name", name, settings=settings)))
            stages.append(await _stage(store, cluster, pids, count, len(stages) * count))
    return [_figure(stage, stages[0]) for stage in stages]


def _settings(folder: Path, database: str, queue: str) -> dict[str, str]:
    return {
        "DATA_DIR": str(folder / "dialers"),
        "DATABASE_URL": database,
        "REDIS_URL": queue,
        "LINES": str(LINES),
        "RECOGNIZER": "scripted",
        "SYNTHESIZER": "scripted",
        "MAX_CALLS_PER_SECOND": str(FASTEST),
        "LOG_LEVEL": "error",
    }


async def _stage(store: Store, cluster: Cluster, pids: Sequence[int], count: int, first: int) -> Stage:
    zone, _ = morning_zone(datetime.now(UTC))
    where = {"zones": [zone], "jurisdictions": ["ZZ"]}
    now = time.time()
    await store.write(lambda c: add_due(c, range(first, first + count), now=now, where=where))
    theirs = [one.pid for pid in pids for one in family(pid)]
    used, server, began = gauges.cpu_s(theirs), cluster.cpu_s(), time.perf_counter()
    await store.write(lambda c: _set_state(c, "running"))
    async with asyncio.timeout(WITHIN_S):
        while await store.read(_done) < first + count:  # noqa: ASYNC110 - dialers tell nobody but their database
            await asyncio.sleep(LOOK_S)
    stage = Stage(
        dialers=len(pids),
        attempts=count,
        wall_s=time.perf_counter() - began,
        dialers_cpu_s=gauges.cpu_s(theirs) - used,
        server_cpu_s=cluster.cpu_s() - server,
    )
    await store.write(lambda c: _set_state(c, "paused"))
    return stage


def _figure(stage: Stage, alone: Stage) -> Figure:
    rate, before = stage.attempts / stage.wall_s, alone.attempts / alone.wall_s
    used = f"{stage.dialers_cpu_s * 1000 / stage.attempts:.1f} ms of CPU each"
    return Figure(
        what=f"Busy calls over {stage.dialers} dialer{'s' if stage.dialers > 1 else ''} on PostgreSQL",
        value=f"{rate:,.0f} attempts/s, {used}, {stage.server_cpu_s * 1000 / stage.attempts:.1f} ms of PostgreSQL's",
        beside=f"one dialer: {before:,.0f}/s ({rate / before:.2f}); at most {FASTEST}/s by the settings",
    )


def _found(connection: Connection, address: str) -> None:
    now = time.time()
    clear(connection)
    found_trunk(connection, address, now=now)
    flow = load_yaml(FLOWS / "shipping_alert.yaml")
    found_campaign(connection, state="paused", settings=SETTINGS | {"variables": SAID}, flow=flow, now=now)


def _set_state(connection: Connection, state: str) -> None:
    connection.execute(update(campaigns).where(campaigns.c.id == RUNNING).values(state=state))


def _done(connection: Connection) -> int:
    query = select(func.count()).where(attempts.c.campaign_id == RUNNING, attempts.c.state == "done")
    return connection.execute(query).scalar_one()
