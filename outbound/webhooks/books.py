"""Writes what came of deliveries, many to a commit: while one is written, the next gather. It decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from outbound.store import Store
from outbound.store.webhook_deliveries import Outcome, settle


class Books:
    """Gathers outcomes and writes them in groups."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._noted: list[tuple[Outcome, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    def note(self, outcome: Outcome) -> asyncio.Future[None]:
        """Write an outcome soon; the future is done once it is durable."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._noted.append((outcome, durable))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="webhook books")
        return durable

    async def close(self) -> None:
        """Wait for what was noted."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while self._noted:
            group, self._noted = self._noted, []
            outcomes = [outcome for outcome, _ in group]
            try:
                await self._store.write(lambda connection, some=outcomes: settle(connection, some, now=self._clock()))  # type: ignore[misc]
            except Exception as error:  # they are sent again when their lease is over
                for _, durable in group:
                    if not durable.done():
                        durable.set_exception(error)
            else:
                for _, durable in group:
                    if not durable.done():
                        durable.set_result(None)
