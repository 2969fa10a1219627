"""A journal vouches only for calls made since it began: an emptied disk never makes a second call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outbound.recovery import SINCE, Recovery
from outbound.store import Store
from tests.outbound.world import World

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    made = World(store)
    await made.trunk()
    await made.campaign(["+447700900001"])
    yield made
    store.close()


async def dial(world: World) -> None:
    (item,) = await world.claim()
    assert await world.intend(item) is not None


def recovery(world: World, folder: Path) -> Recovery:
    return Recovery(world.store, ["line-1"], folder / "journal", lambda: world.now)


async def test_a_journal_that_was_there_and_holds_no_send_gives_the_attempt_back(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    world.now += 60
    await dial(world)
    world.now += 60
    again = recovery(world, tmp_path)
    await again.open()
    await again.settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["due"]


async def test_a_journal_that_began_after_the_call_knows_nothing_of_it(world: World, tmp_path: Path) -> None:
    await dial(world)
    world.now += 60
    emptied = recovery(world, tmp_path)
    await emptied.open()
    await emptied.settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["undetermined"]
    assert await world.claim() == []


async def test_a_beginning_that_cannot_be_read_vouches_for_nothing(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    (tmp_path / "journal" / SINCE).write_text("")
    await dial(world)
    await recovery(world, tmp_path).settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["undetermined"]
