"""The look for due attempts in a table of up to ten million, beside the same look without its index.

Nine in ten rows are due in a campaign that is paused; of the rest, half are due and half are over. Many are due at the
same instant, as they are wherever a callable window opens. The rows are made by the database itself, without the
indexes that no look for due attempts uses.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from outbound.dispatch import lanes
from outbound.dispatch.claiming import claim
from outbound.dispatch.lanes import Waiting
from outbound.rehearsal import gauges
from outbound.rehearsal.cluster_gauge import Cluster
from outbound.rehearsal.figures import Figure
from outbound.rehearsal.queue_rows import (
    MOST_CALLS_PER_S,
    NOON,
    PAUSED,
    RUNNING,
    TRUNK,
    clear,
    found_campaign,
    found_trunk,
)
from outbound.store import Store

WANTED = 100
CLAIMED = 50
TIMES = 60
SCANS = 2
DUE_INDEX = "ix_attempts_due"
LEFT_OUT = (DUE_INDEX, "ix_attempts_campaign", "ix_attempts_number")
"""Indexes that are not there while the rows are made; the last two are of no use to a look or a claim."""
_ID = "printf('%026d', n)"
COLUMNS = "id, campaign_id, contact_id, number, ordinal, priority, lane, trunk, state, due_at"
ROWS = f"""
SELECT {{padded}}, CASE WHEN n % 10 = 0 THEN '{RUNNING}' ELSE '{PAUSED}' END, {{padded}},
'+' || (14150000000 + n), 1, 20,
CASE WHEN n % 10 = 0 THEN '{RUNNING}' ELSE '{PAUSED}' END, '{TRUNK}',
CASE WHEN n % 20 = 0 THEN 'done' ELSE 'due' END, {NOON} - 3600 * (n % 3) FROM {{numbers}}
"""  # noqa: S608 - constants of ours
SQLITE_NUMBERS = (
    "(WITH RECURSIVE counting(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM counting WHERE n < {last}) \
SELECT n FROM counting)"
)
POSTGRES_NUMBERS = "generate_series({first}, {last}) AS n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What looking for due attempts took at one size of the table."""

    rows: int
    fill_s: float
    bytes_a_row: float
    with_index_ms: float
    without_index_ms: float
    claim_ms: float

    @property
    def times(self) -> float:
        """How many times as long the look takes without the index."""
        return self.without_index_ms / self.with_index_ms


async def look_sqlite(folder: Path, rows: int) -> Look:
    """Fill a new database below ``folder`` with ``rows`` attempts and look for due ones."""
    path = folder / f"due-{rows}.db"
    url = f"sqlite:///{path}"
    async with _opened(url) as store:
        await store.write(_found)
    began = time.perf_counter()
    size, index = await asyncio.to_thread(_fill_sqlite, path, rows)
    fill_s = time.perf_counter() - began
    async with _opened(url) as store:
        without_ms = await _without_index(store)
    await asyncio.to_thread(_on_sqlite, path, index)
    async with _opened(url) as store:
        found = await _measured(store, rows, fill_s, size, without_ms)
    await asyncio.to_thread(path.unlink)
    return found


async def look_postgres(cluster: Cluster, rows: int) -> Look:
    """Empty the database of a cluster, fill it and look for due attempts."""
    async with _opened(cluster.url) as store:
        await store.write(clear)
        await store.write(_found)
        began = time.perf_counter()
        size, index = await asyncio.to_thread(_fill_postgres, cluster.url, rows)
        fill_s = time.perf_counter() - began
        without_ms = await _without_index(store)
        await asyncio.to_thread(_on_postgres, cluster.url, index)
        return await _measured(store, rows, fill_s, size, without_ms)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Store]:
    store = Store(url)
    await asyncio.to_thread(store.start)
    try:
        yield store
    finally:
        await asyncio.to_thread(store.close)


def figure(name: str, look: Look) -> Figure:
    """One row of the bench."""
    per_row = f"{look.bytes_a_row:.0f} bytes a row with its keys, filled in {look.fill_s:.0f} s"
    return Figure(
        what=f"Look for {WANTED} due among {look.rows:,} attempts, {name}",
        value=f"{look.with_index_ms:.2f} ms; a claim of {CLAIMED} {look.claim_ms:.1f} ms; {per_row}",
        beside=f"one scan without the index: {look.without_index_ms:,.0f} ms (1/{look.times:,.0f})",
        aim="1/500 of the scan at 10,000,000",
    )


async def _measured(store: Store, rows: int, fill_s: float, size: int, without_ms: float) -> Look:
    await store.read(_look)  # reads the pages it needs
    with_ms = gauges.percentile([await store.read(_look_ms) for _ in range(TIMES)], 50)
    claims = [await store.write(_claim_ms) for _ in range(3)]
    return Look(
        rows=rows,
        fill_s=fill_s,
        bytes_a_row=size / rows,
        with_index_ms=with_ms,
        without_index_ms=without_ms,
        claim_ms=gauges.percentile(claims, 50),
    )


async def _without_index(store: Store) -> float:
    """The best of a few scans: of the one query alone that finds what is due, although the whole look asks more."""
    return min([await store.read(_scan_ms) for _ in range(SCANS)])


def _look(connection: Connection) -> int:
    """Look for lanes in which something waits, and load what is due there."""
    found = lanes.waiting(connection, now=NOON)
    for lane in found:
        lanes.load(connection, lane, now=NOON, limit=WANTED)
    return sum(len(lane.rows) for lane in found)


def _look_ms(connection: Connection) -> float:
    return _ms(lambda: _look(connection), WANTED)


def _scan_ms(connection: Connection) -> float:
    lane = Waiting(lane=RUNNING, priority=20, campaigns={RUNNING: None})  # type: ignore[dict-item]

    def scan() -> int:
        lanes.load(connection, lane, now=NOON, limit=WANTED)
        return len(lane.rows)

    return _ms(scan, WANTED)


def _claim_ms(connection: Connection) -> float:
    def take() -> int:
        free = {"line": CLAIMED}
        found = claim(connection, now=NOON, lease_s=30, limit=CLAIMED, free_legs=free, rate_per_s=MOST_CALLS_PER_S)
        return len(found.claims)

    return _ms(take, CLAIMED)


def _ms(work: Callable[[], int], expected: int) -> float:
    began = time.perf_counter()
    found = work()
    took_ms = (time.perf_counter() - began) * 1000
    if found != expected:
        raise RuntimeError(f"{expected} attempts were to be found, and {found} were")
    return took_ms


def _found(connection: Connection) -> None:
    found_trunk(connection)
    found_campaign(connection)
    found_campaign(connection, key=PAUSED, state="paused")


# ---- what each database wants ----------------------------------------------------------------------------------------


def _fill_sqlite(path: Path, rows: int) -> tuple[int, str]:
    """Fill; return the size of the table with its keys, and the statement that makes the index of due attempts."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        made = connection.execute("SELECT sql FROM sqlite_master WHERE name=?", (DUE_INDEX,)).fetchone()[0]
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-262144"):
            connection.execute(f"PRAGMA {pragma}")
        for name in LEFT_OUT:
            connection.execute(f"DROP INDEX {name}")
        numbers = SQLITE_NUMBERS.format(first=1, last=rows)
        before = _sqlite_bytes(connection)
        connection.execute(f"INSERT INTO attempts ({COLUMNS}) " + ROWS.format(padded=_ID, numbers=numbers))
        return _sqlite_bytes(connection) - before, str(made)


def _sqlite_bytes(connection: sqlite3.Connection) -> int:
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages * size)


def _on_sqlite(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-262144"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(statement)


def _fill_postgres(url: str, rows: int) -> tuple[int, str]:
    """Fill; keys of other tables are not looked at, which only the owner of a cluster of one's own may ask for."""
    with _postgres(url) as connection:
        query = "SELECT indexdef FROM pg_indexes WHERE indexname=%s"
        made = str(connection.execute(query, (DUE_INDEX,)).fetchall()[0][0])
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for name in LEFT_OUT:
            connection.execute(f"DROP INDEX IF EXISTS {name}")
        numbers = POSTGRES_NUMBERS.format(first=1, last=rows)
        filled = ROWS.format(padded="lpad(n::text, 26, '0')", numbers=numbers)
        connection.execute(f"INSERT INTO attempts ({COLUMNS}) {filled}")
        size = int(connection.execute("SELECT pg_total_relation_size('attempts')").fetchall()[0][0])
        connection.execute("VACUUM ANALYZE attempts")
        return size, made


def _on_postgres(url: str, statement: str) -> None:
    with _postgres(url) as connection:
        connection.execute(statement)
        connection.execute("ANALYZE attempts")


def _postgres(url: str) -> psycopg.Connection[Any]:
    where = make_url(url)
    host, user = str(where.query["host"]), where.username
    return psycopg.connect(host=host, user=user, dbname=where.database, autocommit=True)
