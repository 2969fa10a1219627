"""Durable attempt cycles a second: claim, gate with intent, settle; beside the disk's own promises and bare statements.

A cycle here is what the product does for an attempt except the call: whoever would dial answers at once. Rounds of
ours and of the peers take turns, so that they share whatever else the machine does.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from campaigns.dispositions import Disposition
from dialer.messages import CallResult
from outbound.dispatch.claiming import claim
from outbound.dispatch.intents import record_intents
from outbound.rehearsal.cluster_gauge import Cluster
from outbound.rehearsal.figures import Figure
from outbound.rehearsal.queue_rows import MOST_CALLS_PER_S, NOON, RUNNING, add_due, clear, found_campaign, found_trunk
from outbound.settling.settle import settle_all
from outbound.store import Store
from outbound.store.attempts import Claim

BATCH = 50
AT_ONCE = 4
"""Batches under way at the same time: they share commits where the store puts them together."""
SINGLE = 64
"""Single attempts under way at the same time."""
FEWER = 10
"""Single attempts are so many times fewer: each costs so much more."""
ROUNDS = 3
ENDS = (Disposition.ACCEPTED, Disposition.BUSY)
"""Every other call is answered; the others are planned again, through the gate."""
LEASE_S = 30.0
BLOCK = b"x" * 4096
DIALERS = (1, 2, 4)


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many cycles were done, and with what; rounds add up."""

    cycles: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, other: Tally) -> None:
        """Add a round."""
        self.cycles += other.cycles
        self.wall_s += other.wall_s
        self.cpu_s += other.cpu_s

    @property
    def rate(self) -> float:
        """Cycles a second."""
        return self.cycles / self.wall_s

    @property
    def cpu_us(self) -> float:
        """Processor microseconds a cycle, of the process that ran it."""
        return self.cpu_s / self.cycles * 1e6


# ---- SQLite ----------------------------------------------------------------------------------------------------------


async def sqlite_figures(folder: Path, *, cycles: int) -> list[Figure]:
    """Run ``cycles`` of each kind in rounds; the peers use the same disk."""
    store = Store(f"sqlite:///{folder / 'cycle.db'}")
    await asyncio.to_thread(store.start)
    bare_path = folder / "bare-cycle.db"
    each, fewer = max(cycles // ROUNDS // BATCH, 1) * BATCH, max(cycles // ROUNDS // FEWER, 1)
    await _prepare(store, ROUNDS * (each + fewer))
    await asyncio.to_thread(_copy_rows, folder / "cycle.db", bare_path)
    batched, single, bare, synced = Tally(), Tally(), Tally(), Tally()
    for _ in range(ROUNDS):
        synced.add(await asyncio.to_thread(_syncs, folder, max(each // FEWER, 1)))
        batched.add(await run_cycles(store, each, batch=BATCH, at_once=AT_ONCE))
        bare.add(await asyncio.to_thread(_bare_sqlite, bare_path, each))
        single.add(await run_cycles(store, fewer, batch=1, at_once=SINGLE))
    await asyncio.to_thread(store.close)
    limit = f"fdatasync: {synced.rate:,.0f}/s"
    return [
        _on_sqlite(f"batches of {BATCH}, {AT_ONCE} at once", batched, limit, synced, bare),
        _on_sqlite(f"single ones, {SINGLE} at once", single, limit, synced, bare),
        Figure(
            what=f"Only the state of attempts, batches of {BATCH}, SQLite",
            value=f"{bare.rate:,.0f} cycles/s, {bare.cpu_us:,.0f} us of CPU each",
            beside=f"{limit} ({bare.rate / synced.rate:.1f} each); no gate, receipts, events, pacing or retries",
        ),
    ]


def _on_sqlite(how: str, ours: Tally, limit: str, synced: Tally, bare: Tally) -> Figure:
    return Figure(
        what=f"Durable attempt cycles, SQLite, {how}",
        value=f"{ours.rate:,.0f}/s, {ours.cpu_us:,.0f} us of CPU each",
        beside=f"{limit} ({ours.rate / synced.rate:.1f} cycles each); bare statements: {ours.rate / bare.rate:.0%}",
        aim="2 a fdatasync",
    )


def _syncs(folder: Path, times: int) -> Tally:
    """Append a page and have it on the disk, again and again: what any promise to remember costs here."""
    with (folder / "promise").open("wb", buffering=0) as file:
        began, used = time.perf_counter(), time.process_time()
        for _ in range(times):
            file.write(BLOCK)
            os.fdatasync(file.fileno())
        return Tally(cycles=times, wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used)


def _copy_rows(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _bare_sqlite(path: Path, cycles: int) -> Tally:
    """Three UPDATEs an attempt in three commits a batch, with the driver alone, in the product's own table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        began, used = time.perf_counter(), time.process_time()
        for _ in range(cycles // BATCH):
            connection.execute("BEGIN")
            keys = connection.execute(_BARE_DUE.format(lane="?", at="?", limit="?", lock=""), (RUNNING, NOON, BATCH))
            found = [(row[0],) for row in keys]
            connection.executemany(_BARE_CLAIM.format("?"), found)
            connection.execute("COMMIT")
            for statement in (_BARE_INTENT, _BARE_RESULT):
                connection.execute("BEGIN")
                connection.executemany(statement.format("?"), found)
                connection.execute("COMMIT")
        return Tally(cycles=cycles, wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used)


_BARE_DUE = (
    "SELECT id FROM attempts WHERE lane={lane} AND state='due' AND due_at<={at} ORDER BY due_at LIMIT {limit} {lock}"
)
_BARE_CLAIM = "UPDATE attempts SET state='claimed', fence=fence+1, line='l', lease_until=1 WHERE id={} AND state='due'"
_BARE_INTENT = "UPDATE attempts SET state='dialing', call_id='c', dialed_at=1 WHERE id={} AND state='claimed'"
_BARE_RESULT = (
    "UPDATE attempts SET state='done', disposition='accepted', lease_until=NULL, ended_at=1, result='{{}}' "
    "WHERE id={} AND state='dialing'"
)


# ---- the product's cycle ---------------------------------------------------------------------------------------------


async def run_cycles(store: Store, cycles: int, *, batch: int, at_once: int) -> Tally:
    """Run the product's own units of work, as the line pool and the ledger do, until ``cycles`` are over."""
    left = [batch] * (cycles // batch)
    began, used = time.perf_counter(), time.process_time()
    done = await asyncio.gather(*(_work(store, left, number) for number in range(at_once)))
    return Tally(cycles=sum(done), wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used)


async def _work(store: Store, left: list[int], number: int) -> int:
    done, line = 0, f"line-{number}"
    while left:
        limit = left.pop()
        taken = await store.write(
            lambda c, limit=limit: claim(  # type: ignore[misc]
                c, now=NOON, lease_s=LEASE_S, limit=limit, free_legs={line: limit}, rate_per_s=MOST_CALLS_PER_S
            )
        )
        intents = await store.write(lambda c, taken=taken: record_intents(c, taken.claims, now=NOON))  # type: ignore[misc]
        if len(intents) != limit:
            raise RuntimeError(f"{limit} attempts were to be dialled, {len(intents)} may be")
        ends = [_end(item) for item in taken.claims]
        await store.write(lambda c, ends=ends: settle_all(c, ends, now=NOON))  # type: ignore[misc]
        done += limit
    return done


def _end(item: Claim) -> CallResult:
    """What the call of a claim came to."""
    return CallResult(
        attempt_id=item.attempt_id,
        fence=item.fence,
        call_id="bench",
        disposition=ENDS[int(item.number[-1]) % len(ENDS)],
        hangup_cause="peer_bye",
        ended_at=datetime.fromtimestamp(NOON, UTC),
    )


async def _prepare(store: Store, people: int) -> None:
    def unit(connection: Any) -> None:
        found_trunk(connection)
        found_campaign(connection)
        add_due(connection, range(people))

    await store.write(unit)


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------


async def postgres_figures(cluster: Cluster, *, cycles: int, dialers: Sequence[int] = DIALERS) -> list[Figure]:
    """Run ``cycles`` with each number of dialers, each a process; batches, then single ones; beside bare statements."""
    store = Store(cluster.url)
    await asyncio.to_thread(store.start)
    await store.write(clear)
    batch_each, single_each = max(cycles // BATCH, max(dialers)) * BATCH, max(cycles // FEWER, max(dialers))
    await _prepare(store, len(dialers) * 2 * (batch_each + single_each))
    figures = []
    for how, batch, each in ((f"batches of {BATCH}", BATCH, batch_each), ("single ones", 1, single_each)):
        for count in dialers:
            bare = await asyncio.to_thread(_together, _bare_postgres, cluster, count, each // count, batch)
            ours = await asyncio.to_thread(_together, _dial, cluster, count, each // count, batch)
            figures.append(_on_postgres(how, count, ours, bare))
    await asyncio.to_thread(store.close)
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joint:
    """What several processes did together."""

    tally: Tally
    server_us: float
    """Processor microseconds of the server a cycle."""


def _on_postgres(how: str, count: int, ours: _Joint, bare: _Joint) -> Figure:
    used = f"{ours.tally.cpu_us:,.0f} us of CPU each and {ours.server_us:,.0f} of the server's"
    beside = f"bare cycle with psycopg: {bare.tally.rate:,.0f}/s, {bare.tally.cpu_us:,.0f} and {bare.server_us:,.0f} us"
    return Figure(
        what=f"Durable attempt cycles, PostgreSQL, {how}, {count} dialer{'s' if count > 1 else ''}",
        value=f"{ours.tally.rate:,.0f}/s, {used}",
        beside=f"{beside} ({ours.tally.rate / bare.tally.rate:.2f})",
        aim="0.3 of it",
    )


def _together(work: Callable[..., None], cluster: Cluster, count: int, cycles: int, batch: int) -> _Joint:
    """Run ``work`` in ``count`` processes that begin at the same time."""
    context = multiprocessing.get_context("spawn")
    ready, told = context.Barrier(count + 1), context.SimpleQueue()
    sharing = [
        context.Process(target=work, args=(cluster.url, cycles // batch, batch, ready, told)) for _ in range(count)
    ]
    for process in sharing:
        process.start()
    ready.wait()
    began, used = time.perf_counter(), cluster.cpu_s()
    cpu_s = [told.get() for _ in sharing]
    wall_s, server_s = time.perf_counter() - began, cluster.cpu_s() - used
    for process in sharing:
        process.join()
    total = count * (cycles // batch) * batch
    tally = Tally(cycles=total, wall_s=wall_s, cpu_s=sum(cpu_s))
    return _Joint(tally=tally, server_us=server_s / total * 1e6)


def _dial(url: str, batches: int, batch: int, ready: Any, told: Any) -> None:
    """One dialer: a process with a store of its own; a few batches under way, as many units as it has writers."""

    async def run() -> None:
        store = Store(url)
        await asyncio.to_thread(store.start)
        await asyncio.to_thread(ready.wait)
        done = await run_cycles(store, batches * batch, batch=batch, at_once=AT_ONCE)
        told.put(done.cpu_s)
        await asyncio.to_thread(store.close)

    asyncio.run(run())


def _bare_postgres(url: str, batches: int, batch: int, ready: Any, told: Any) -> None:
    """Claim with SKIP LOCKED, intent, result: three commits a batch, on one connection."""
    where = make_url(url)
    with psycopg.connect(host=str(where.query["host"]), user=where.username, dbname=where.database) as connection:
        ready.wait()
        used = time.process_time()
        due = _BARE_DUE.format(lane="%s", at="%s", limit="%s", lock="FOR UPDATE SKIP LOCKED")
        for _ in range(batches):
            found = connection.execute(due, (RUNNING, NOON, batch)).fetchall()
            for statement in (_BARE_CLAIM, _BARE_INTENT, _BARE_RESULT):
                with connection.cursor() as cursor:
                    cursor.executemany(statement.format("%s"), found)
                connection.commit()
        told.put(time.process_time() - used)
