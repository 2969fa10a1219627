"""What is done about calls in progress when events tell of opt-outs, also after the store was away for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from outbound.pool import LinePool
from outbound.services import Services
from outbound.store import Store, optouts
from outbound.stream import Event, EventStream
from outbound.watch import watch

pytestmark = pytest.mark.integration

ANN = "+447700900001"


class StreamAway(EventStream):
    """An event stream whose first reading fails."""

    failed = False

    async def follow(self, *, after: int, campaign_id: str | None = None) -> AsyncIterator[list[Event]]:
        if not self.failed:
            self.failed = True
            raise ConnectionError("the database is away")
        async for batch in super().follow(after=after, campaign_id=campaign_id):
            yield batch


class Calls:
    """The pool, as far as it is told whom to spare."""

    def __init__(self) -> None:
        self.hung_up: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def hang_up_number(self, number: str, reason: str, *, except_attempt: str | None) -> None:
        self.hung_up.put_nowait((number, reason))

    def hang_up(self, attempt_ids: set[str], reason: str) -> None:
        assert not attempt_ids, "no call is in the store"


async def test_an_opt_out_ends_calls_that_ring_also_after_the_store_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbound.watch.PAUSE_S", 0.0)
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    stream, calls = StreamAway(store), Calls()
    stream.start()
    services: Any = SimpleNamespace(stream=stream, store=store)
    watching = asyncio.create_task(watch(cast("Services", services), cast("LinePool", calls)))
    while not stream.failed:
        await store.read(lambda connection: None)
    await store.write(lambda c: optouts.record(c, number=ANN, scope="all", source="rest", words="", now=1.0))
    got = asyncio.ensure_future(calls.hung_up.get())
    await asyncio.wait({got, watching}, return_when=asyncio.FIRST_COMPLETED)
    assert not watching.done()
    assert got.result() == (ANN, "opted_out")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    store.close()
