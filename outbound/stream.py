"""The event stream: tails the events table and wakes its readers on every commit; it never writes.

In scale-out the wake-up also comes over Redis; a missed wake-up costs one poll interval, never an event.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Connection, func, select

from outbound.store import Store
from outbound.store.schema import events

POLL_S = 1.0
BATCH = 500
Event = dict[str, Any]


class EventStream:
    """Reads events in the order of their ids."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiters: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to be woken by the store's commits; call on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._store.on_commit(self._wake_from_thread)

    def _wake_from_thread(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.wake)

    def wake(self) -> None:
        """Tell every reader to look again."""
        for waiter in self._waiters:
            waiter.set()

    async def latest(self) -> int:
        """Return the id of the newest event, 0 when there is none."""
        return await self._store.read(lambda c: c.execute(select(func.max(events.c.id))).scalar() or 0)

    async def changes(self) -> AsyncIterator[None]:
        """Yield now, then whenever something may have been told, and as a sign of life every ``POLL_S``; it reads
        nothing."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            while True:
                waiter.clear()
                yield
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):  # wait_for of Python 3.11 may swallow a cancellation
                        await waiter.wait()
        finally:
            self._waiters.discard(waiter)

    async def follow(self, *, after: int, campaign_id: str | None = None) -> AsyncIterator[list[Event]]:
        """Yield batches of events with an id greater than ``after``, for ever; an empty batch is a sign of life."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            while True:
                waiter.clear()
                batch = await self._store.read(lambda c, after=after: _read(c, after, campaign_id))  # type: ignore[misc]
                if batch:
                    after = batch[-1]["id"]
                    yield batch
                    continue
                try:
                    async with asyncio.timeout(POLL_S):  # wait_for of Python 3.11 may swallow a cancellation
                        await waiter.wait()
                except TimeoutError:
                    yield []
        finally:
            self._waiters.discard(waiter)


def _read(connection: Connection, after: int, campaign_id: str | None) -> list[Event]:
    query = select(events).where(events.c.id > after).order_by(events.c.id).limit(BATCH)
    if campaign_id is not None:
        query = query.where(events.c.campaign_id == campaign_id)
    return [dict(row) for row in connection.execute(query).mappings()]
