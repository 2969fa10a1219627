"""A notice that is of no use any more is not called about, and ends as expired though no line was ever free."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from outbound.settling.deadlines import end_expired, with_deadlines
from outbound.settling.settle import settle
from outbound.store import Store
from outbound.store.schema import contacts
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BEN = "+447700900001", "+447700900002"


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


async def expire(world: World) -> int:
    ended = 0
    for key in await world.store.read(lambda c: with_deadlines(c, now=world.now)):
        ended += await world.store.write(lambda c, key=key: end_expired(c, key, now=world.now))  # type: ignore[misc]
    return ended


async def test_what_is_too_late_ends_with_a_receipt_though_nobody_could_call(world: World) -> None:
    await world.campaign([ANN, BEN], expires_at=world.now + 3600)
    world.now += 3599
    assert await expire(world) == 0
    world.now += 1
    assert await expire(world) == 2
    assert [row["disposition"] for row in await world.rows(contacts)] == ["expired", "expired"]
    assert [row["code"] for row in await world.receipts()][-2:] == ["expired", "expired"]
    assert (await world.kinds())[-1] == "campaign.completed"


async def test_each_notice_has_its_own_deadline_from_when_it_came(world: World) -> None:
    campaign = await world.campaign([ANN], settings={"valid_for_s": 600})
    world.now += 601
    assert await expire(world) == 1
    assert [row["code"] for row in await world.receipts()] == ["expired"]
    assert await world.store.read(lambda c: with_deadlines(c, now=world.now)) == []
    assert campaign in world.campaign_ids


async def test_a_notice_too_late_at_its_intent_is_not_called_about(world: World) -> None:
    await world.campaign([ANN], settings={"valid_for_s": 600})
    world.now += 599
    (item,) = await world.claim()
    world.now += 2
    assert await world.intend(item) is None
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["disposition"]) == ("done", "expired")


async def test_a_retry_after_the_deadline_is_not_planned(world: World) -> None:
    await world.campaign([ANN], settings={"valid_for_s": 300})
    (item,) = await world.claim()
    await world.intend(item)
    await world.store.write(lambda c: settle(c, world.result(item, Disposition.BUSY), now=world.now))
    assert len(await world.attempts()) == 1
    assert [row["disposition"] for row in await world.rows(contacts)] == ["busy"]
