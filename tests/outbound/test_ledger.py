"""What calls tell reaches the store in its order; an opt-out is on disk before the call's end is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from campaigns.dispositions import Disposition
from dialer.messages import CallEvent, EventKind, Released
from outbound.errors import Unavailable
from outbound.settling.ledger import RELEASE_DELAY_S, Ledger
from outbound.store import Store
from outbound.store.attempts import Claim
from outbound.store.schema import callbacks, opt_outs
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN = "+447700900001"


class Books:
    """A world with one call in progress and a ledger at work."""

    def __init__(self, world: World, ledger: Ledger, item: Claim) -> None:
        self.world, self.ledger, self.item = world, ledger, item

    def note(self, kind: EventKind, **data: Any) -> None:
        at = datetime.fromtimestamp(self.world.now, UTC)
        event = CallEvent(attempt_id=self.item.attempt_id, fence=self.item.fence, kind=kind, at=at, data=data)
        self.ledger.note(event)

    async def end(self, disposition: Disposition) -> None:
        await self.ledger.close_account(self.world.result(self.item, disposition))


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    world = World(store)
    await world.trunk()
    await world.campaign([ANN])
    (item,) = await world.claim()
    assert await world.intend(item) is not None
    ledger = Ledger(store, lambda: world.now)
    running = asyncio.create_task(ledger.run())
    yield Books(world, ledger, item)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    store.close()


async def test_events_come_before_the_end_and_in_their_order(books: Books) -> None:
    books.note(EventKind.ANSWERED, codec="PCMU")
    books.note(EventKind.STEP, step="hello", type="identify")
    books.note(EventKind.SAID, text="Hello.", language="en")
    await books.end(Disposition.ACCEPTED)
    kinds = [kind for kind in await books.world.kinds() if kind.startswith("call.") or kind == "attempt.done"]
    assert kinds == ["call.answered", "call.step", "call.said", "attempt.done"]
    (attempt,) = await books.world.attempts()
    assert attempt["disposition"] == "accepted"


async def test_an_opt_out_is_stored_once_with_the_customers_words(books: Books) -> None:
    books.note(EventKind.OPT_OUT, words="stop calling me", scope="all")
    books.note(EventKind.OPT_OUT, words="I said stop", scope="all")
    await books.end(Disposition.OPTED_OUT)
    (row,) = await books.world.rows(opt_outs)
    assert (row["number"], row["words"], row["source"]) == (ANN, "stop calling me", "speech")


async def test_an_opt_out_counts_even_when_the_call_is_no_longer_ours(books: Books) -> None:
    await books.end(Disposition.HUNG_UP)
    books.note(EventKind.OPT_OUT, words="9", scope="all")
    await books.ledger.close_account(books.world.result(books.item, Disposition.HUNG_UP))
    assert [row["number"] for row in await books.world.rows(opt_outs)] == [ANN]


async def test_a_later_wish_replaces_an_earlier_one(books: Books) -> None:
    books.note(EventKind.CALLBACK, at=None, words="later")
    books.note(EventKind.CALLBACK, at="2026-11-25T15:00:00+00:00", words="tomorrow at three")
    await books.end(Disposition.CALLBACK_BOOKED)
    (row,) = await books.world.rows(callbacks)
    assert (row["at"], row["words"]) == (datetime(2026, 11, 25, 15, tzinfo=UTC).timestamp(), "tomorrow at three")


async def test_one_bad_event_costs_no_other(books: Books) -> None:
    books.note(EventKind.CALLBACK, at="no time at all", words="later")
    books.note(EventKind.OPT_OUT, words="stop", scope="all")
    await books.end(Disposition.OPTED_OUT)
    assert len(await books.world.rows(opt_outs)) == 1
    assert (await books.world.attempts())[0]["disposition"] == "opted_out"


async def test_a_release_gives_the_attempt_back_for_a_moment_later(books: Books) -> None:
    released = Released(attempt_id=books.item.attempt_id, fence=books.item.fence, reason="send_window_missed")
    await books.ledger.close_account(released)
    (attempt,) = await books.world.attempts()
    assert (attempt["state"], attempt["due_at"]) == ("due", books.world.now + RELEASE_DELAY_S)


async def test_what_was_queued_is_written_when_the_ledger_stops(tmp_path: Path, books: Books) -> None:
    ledger = Ledger(books.world.store, lambda: books.world.now)
    running = asyncio.create_task(ledger.run())
    await asyncio.sleep(0)
    books.ledger = ledger
    running.cancel()
    books.note(EventKind.OPT_OUT, words="stop", scope="all")
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert len(await books.world.rows(opt_outs)) == 1


async def test_an_opt_out_the_store_could_not_take_is_stored_with_what_comes_next(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, refused = books.world.store, asyncio.Queue[None]()
    write = store.write

    async def away(unit: Any) -> Any:
        refused.put_nowait(None)
        raise Unavailable("the database is away")

    monkeypatch.setattr(store, "write", away)
    books.note(EventKind.OPT_OUT, words="stop calling me", scope="all")
    await refused.get()  # the batch
    await refused.get()  # the event by itself
    monkeypatch.setattr(store, "write", write)
    await books.end(Disposition.HUNG_UP)
    assert [row["words"] for row in await books.world.rows(opt_outs)] == ["stop calling me"]
