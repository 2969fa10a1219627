"""The database goes down between a COMMIT and its answer: nobody knows if it happened, and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from campaigns.dispositions import Disposition
from dialer.messages import CallEvent, EventKind
from outbound.errors import Unavailable
from outbound.ids import call_id
from outbound.settling.ledger import Ledger
from outbound.store import Store
from outbound.store.schema import events, opt_outs
from tests.outbound.both import empty_database
from tests.outbound.losing_postgres import LosingPostgres, losing_postgres
from tests.outbound.test_pool import Hall
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN = "+447700900001"
T = TypeVar("T")


@pytest.fixture
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LosingPostgres]:
    async with losing_postgres(empty_database("postgresql", request, tmp_path)) as made:
        yield made


@pytest.fixture
async def world(database: LosingPostgres) -> AsyncIterator[World]:
    store = Store(database.url)
    await asyncio.to_thread(store.start)
    made = World(store)
    await made.trunk()
    yield made
    await asyncio.to_thread(store.close)


@pytest.fixture
async def ledger(world: World) -> AsyncIterator[Ledger]:
    made = Ledger(world.store, lambda: world.now)
    writing = asyncio.create_task(made.run())
    yield made
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def until_it_is_back(work: Callable[[], Awaitable[T]]) -> T:
    """Do again what failed, as a line does with a result and the pool with a pull."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await work()
            except Unavailable:
                continue


async def test_a_claim_whose_answer_is_lost_is_given_back_by_its_lease(
    world: World, database: LosingPostgres, tmp_path: Path
) -> None:
    await world.campaign([ANN])
    database.lose_the_next_commit()
    with pytest.raises(Unavailable):
        await world.claim()
    await database.lost.wait()
    assert await until_it_is_back(world.claim) == []
    assert [row["state"] for row in await world.attempts()] == ["claimed"]
    world.now += 31
    hall = Hall(world, tmp_path / "journal")
    await hall.pool._recovery.open()
    await hall.pool._recovery.settle_expired()
    (again,) = await world.claim()
    assert again.fence == 2


async def test_an_intent_whose_answer_is_lost_is_not_sent_and_ends(
    world: World, database: LosingPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbound.pool.SWEEP_S", 0.05)
    placing = asyncio.Event()
    hall = Hall(world, tmp_path / "journal")
    record = hall.pool._place

    async def place(item):  # type: ignore[no-untyped-def]
        if not placing.is_set():
            placing.set()
            database.lose_the_next_commit()
        await record(item)

    monkeypatch.setattr(hall.pool, "_place", place)
    writing = asyncio.create_task(hall.ledger.run())
    await hall.pool.start()
    world.now += 1
    await world.campaign([ANN])
    try:
        await database.lost.wait()
        rows = await until_it_is_back(world.attempts)
        assert [(row["state"], row["fence"]) for row in rows] == [("dialing", 1)]
        assert hall.lines[0].placed == {}
        world.now += 61  # the lease ends; the journal, which began before, holds no send
        await hall.until(lambda: bool(hall.lines[0].placed))
        (request,) = hall.lines[0].placed.values()
        assert request.call_id == call_id(rows[0]["id"], 2)
        assert (await world.kinds()).count("attempt.dialing") == 2
        assert (await world.kinds()).count("store.restored") == 0
    finally:
        await hall.pool.stop(1.0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def test_a_result_whose_answer_is_lost_is_settled_once(
    world: World, database: LosingPostgres, ledger: Ledger
) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    database.lose_the_next_commit()
    result = world.result(item, Disposition.BUSY)
    await until_it_is_back(lambda: ledger.close_account(result))
    await database.lost.wait()
    await until_it_is_back(lambda: ledger.close_account(result))
    ends = {row["ordinal"]: row["state"] for row in await world.attempts()}
    assert ends == {1: "done", 2: "due"}
    assert (await world.kinds()).count("attempt.done") == 1


async def test_what_a_call_told_is_kept_once_although_its_answer_is_lost(
    world: World, database: LosingPostgres, ledger: Ledger
) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    at = datetime.fromtimestamp(world.now, UTC)
    database.lose_the_next_commit()
    stop = {"words": "stop calling me", "scope": "all"}
    for kind, data in ((EventKind.HEARD, {"text": "stop"}), (EventKind.OPT_OUT, stop)):
        ledger.note(CallEvent(attempt_id=item.attempt_id, fence=item.fence, kind=kind, at=at, data=data))
    await database.lost.wait()
    result = world.result(item, Disposition.OPTED_OUT)
    await until_it_is_back(lambda: ledger.close_account(result))
    assert len(await world.rows(opt_outs)) == 1
    kinds = [row["kind"] for row in await world.rows(events)]
    assert (kinds.count("call.opt_out"), kinds.count("optout.created")) == (1, 1)
