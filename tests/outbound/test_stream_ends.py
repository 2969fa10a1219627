"""Following the event stream ends when it is told to, whatever else happens in that moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from outbound.store import Store
from outbound.store.store import T, Unit
from outbound.stream import EventStream

pytestmark = pytest.mark.integration


class TellingStore(Store):
    """A real store that tells when something was read from it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.was_read = asyncio.Event()

    async def read(self, unit: Unit[T]) -> T:
        found = await super().read(unit)
        self.was_read.set()
        return found


async def test_a_reader_that_is_cancelled_just_as_it_is_woken_ends(tmp_path: Path) -> None:
    store = TellingStore(f"sqlite:///{tmp_path / 'outbound.db'}")
    await asyncio.to_thread(store.start)
    stream = EventStream(store)

    async def read() -> None:
        async for _ in stream.follow(after=0):
            pass

    reader = asyncio.create_task(read())
    await store.was_read.wait()
    for _ in range(5):  # turns of the loop in which it goes from reading to waiting
        await asyncio.sleep(0)
    stream.wake()
    await asyncio.sleep(0)
    reader.cancel()
    done, _ = await asyncio.wait({reader}, timeout=5)
    reader.cancel()
    store.close()

    assert reader in done
