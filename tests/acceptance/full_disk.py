"""Fills a store on a disk that ends (a limit on file size), then reads back what it had confirmed."""

from __future__ import annotations

import asyncio
import resource
import sys

from sqlalchemy import func, select

from outbound.errors import Unavailable
from outbound.store import Store, events
from outbound.store.schema import events as table

ROOM_BYTES = 800_000


async def fill(store: Store) -> tuple[int, str]:
    """Write until the disk refuses; returns how many writes were confirmed and what the refusal said."""
    for kept in range(100_000):
        try:
            await store.write(lambda c: events.append(c, at=0.0, kind="test", data={"padding": "x" * 1000}))
        except Unavailable as error:
            return kept, error.detail
    raise AssertionError("the disk never ended")


async def main(path: str) -> None:
    store = Store(f"sqlite:///{path}")
    store.start()
    free = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, free[1]))
    kept, said = await fill(store)
    resource.setrlimit(resource.RLIMIT_FSIZE, free)
    store.close()
    again = Store(f"sqlite:///{path}")
    again.start()
    found = await again.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())
    again.close()
    print(kept, found, said.replace("\n", " "), sep="\n")  # noqa: T201 - the test reads it


asyncio.run(main(sys.argv[1]))
