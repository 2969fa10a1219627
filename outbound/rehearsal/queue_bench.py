"""``outbound bench --queue``: the speed of durability and pacing, each figure beside its limit from the same run.

It only conducts: each part measures for itself, and docs/bench.md says what every figure means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from outbound.rehearsal import due_bench
from outbound.rehearsal.cluster_gauge import Cluster, binaries, cluster
from outbound.rehearsal.cycle_bench import postgres_figures, sqlite_figures
from outbound.rehearsal.dialers_bench import dialer_figures
from outbound.rehearsal.figures import Figure
from outbound.rehearsal.idle_bench import idle_figures
from outbound.rehearsal.import_bench import import_figures
from outbound.rehearsal.line_bench import line_figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of everything."""

    cycles: int = 3000
    """Attempt cycles of each kind on SQLite; half as many on PostgreSQL."""
    attempts: int = 10_000_000
    """Rows of the largest table of attempts on SQLite."""
    on_postgres: int = 1_000_000
    """The same on PostgreSQL, which takes three times as long to fill."""
    people: int = 1_000_000
    """Contacts of the import."""
    calls: int = 300
    """Calls of the line process, and attempts of each number of dialers."""
    idle_s: float = 20.0


async def queue_figures(folder: Path, sizes: Sizes) -> AsyncIterator[Figure]:
    """Measure one after the other, in ``folder``; what needs PostgreSQL is left out where it is not installed."""
    programs = binaries()
    with ExitStack() as stack:
        server = stack.enter_context(cluster(programs)) if programs is not None else None
        # first of all: it tells the peak memory of this process
        for figure in await import_figures(folder, people=sizes.people, postgres_url=server.url if server else None):
            yield figure
        async for figure in _on_sqlite(folder, sizes):
            yield figure
        if server is None:
            yield Figure(what="PostgreSQL", value="not measured", beside="its server is not installed here")
        else:
            async for figure in _on_postgres(folder, server, sizes):
                yield figure


async def _on_sqlite(folder: Path, sizes: Sizes) -> AsyncIterator[Figure]:
    for figure in await sqlite_figures(folder, cycles=sizes.cycles):
        yield figure
    for rows in curve(sizes.attempts):
        yield due_bench.figure("SQLite", await due_bench.look_sqlite(folder, rows))
    for figure in await line_figures(folder, calls=sizes.calls):
        yield figure
    for figure in await idle_figures(folder, seconds=sizes.idle_s):
        yield figure


async def _on_postgres(folder: Path, server: Cluster, sizes: Sizes) -> AsyncIterator[Figure]:
    for figure in await postgres_figures(server, cycles=sizes.cycles // 2):
        yield figure
    for figure in await dialer_figures(folder, server, count=sizes.calls):
        yield figure
    for rows in curve(sizes.on_postgres):
        yield due_bench.figure("PostgreSQL", await due_bench.look_postgres(server, rows))


def curve(largest: int) -> list[int]:
    """Sizes of tables: ten thousand rows, then ten times as many each time, to the largest."""
    rows, found = 10_000, []
    while rows < largest:
        found.append(rows)
        rows *= 10
    return [*found, largest]
