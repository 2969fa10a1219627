"""The bench of durability and pacing measures what it says, with few of everything; how fast it is is no test."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from outbound.rehearsal import cycle_bench, due_bench, queue_bench
from outbound.rehearsal.cluster_gauge import Cluster, binaries, cluster
from outbound.rehearsal.dialers_bench import dialer_figures
from outbound.rehearsal.idle_bench import idle_figures
from outbound.rehearsal.line_bench import line_figures
from outbound.rehearsal.queue_rows import add_due, found_campaign, found_trunk
from outbound.store import Store
from outbound.store.schema import attempts, events, receipts

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    programs = binaries()
    assert programs is not None, "PostgreSQL's server is not installed: make test installs it"
    with cluster(programs) as made:
        yield made


async def test_a_cycle_is_the_whole_life_of_an_attempt(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await asyncio.to_thread(store.start)

    def found(connection: Connection) -> None:
        found_trunk(connection)
        found_campaign(connection)
        add_due(connection, range(20))

    await store.write(found)
    tally = await cycle_bench.run_cycles(store, 20, batch=5, at_once=2)
    assert tally.cycles == 20
    assert tally.rate > 0
    assert tally.cpu_us > 0
    states = Counter((row["state"], row["disposition"]) for row in await store.read(_attempts))
    assert states == {("done", "accepted"): 10, ("done", "busy"): 10, ("due", None): 10}, "busy ones are tried again"
    assert await store.read(lambda c: c.execute(select(func.count()).select_from(receipts)).scalar_one()) == 20
    kinds = await store.read(lambda c: Counter(c.execute(select(events.c.kind)).scalars()))
    assert kinds == {"attempt.claimed": 20, "attempt.dialing": 20, "attempt.done": 20, "attempt.due": 10}
    await asyncio.to_thread(store.close)


def _attempts(connection: Connection) -> list[dict[str, object]]:
    return [dict(row) for row in connection.execute(select(attempts)).mappings()]


async def test_cycles_on_sqlite_beside_the_disk_and_bare_statements(tmp_path: Path) -> None:
    figures = await cycle_bench.sqlite_figures(tmp_path, cycles=150)
    assert [figure.what.partition(",")[0] for figure in figures] == [
        "Durable attempt cycles",
        "Durable attempt cycles",
        "Only the state of attempts",
    ]
    assert all("fdatasync" in figure.beside for figure in figures)


async def test_cycles_on_postgresql_beside_a_bare_cycle(server: Cluster) -> None:
    figures = await cycle_bench.postgres_figures(server, cycles=50, dialers=(1, 2))
    assert [figure.what for figure in figures] == [
        f"Durable attempt cycles, PostgreSQL, {how}, {dialers}"
        for how in ("batches of 50", "single ones")
        for dialers in ("1 dialer", "2 dialers")
    ]
    assert all("bare cycle with psycopg" in figure.beside for figure in figures)


async def test_the_look_for_due_attempts_finds_them_and_the_scan_finds_the_same(tmp_path: Path) -> None:
    look = await due_bench.look_sqlite(tmp_path, 5000)
    assert look.rows == 5000
    assert min(look.times, look.bytes_a_row, look.fill_s, look.claim_ms) > 0
    assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir())), "it leaves nothing behind"


async def test_the_look_on_postgresql(server: Cluster) -> None:
    again = [await due_bench.look_postgres(server, 5000) for _ in range(2)]
    assert all(min(look.times, look.bytes_a_row, look.claim_ms) > 0 for look in again)


def test_the_curve_begins_small_and_ends_with_what_was_asked_for() -> None:
    assert queue_bench.curve(10_000_000) == [10_000, 100_000, 1_000_000, 10_000_000]
    assert queue_bench.curve(50_000) == [10_000, 50_000]
    assert queue_bench.curve(10_000) == [10_000]


async def test_a_line_process_and_sipp_call_the_same_far_end(tmp_path: Path) -> None:
    figures = await line_figures(tmp_path, calls=8)
    assert [figure.what.split(", ")[1] for figure in figures] == ["everybody busy", "answered and hung up"]
    assert all(figure.beside.startswith("sipp, ") for figure in figures)


async def test_idle_tells_every_process_by_its_kind(tmp_path: Path) -> None:
    (figure,) = await idle_figures(tmp_path, seconds=0.2, settle_s=0.0)
    found = [one.split()[0] for one in figure.beside.split(", ")]
    assert {"host", "Valkey", "line", "recogniser", "synthesiser"} == set(found)
    assert found.count("line") == 2


async def test_dialers_ring_a_far_end_that_is_busy(tmp_path: Path, server: Cluster) -> None:
    (figure,) = await dialer_figures(tmp_path, server, dialers=(1,), count=6)
    assert figure.what == "Busy calls over 1 dialer on PostgreSQL"
    assert "ms of CPU each" in figure.value
