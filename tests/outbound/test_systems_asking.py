"""Asking a real system over HTTP: it acts once whatever breaks, and the call never waits longer than its deadline."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from outbound.store import Store, systems
from outbound.systems.asking import Asker
from outbound.webhooks import signing
from outbound.webhooks.posting import ANSWER_LIMIT, Poster
from outbound.webhooks.targets import PrivateTargets
from tests.outbound.system_world import Shop, a_shop

pytestmark = pytest.mark.integration

SECRET = signing.new_secret()
CHANGE = Request(
    system="parcels",
    operation="change_day",
    values={"order": "A-1", "day": "2026-12-05"},
    deadline_s=8,
    key="change-1",
)
DONE = Replied(result="ok", values={"day": "2026-12-05"})


@pytest.fixture
def shop() -> Iterator[Shop]:
    with a_shop(SECRET) as running:
        yield running


class World:
    def __init__(self, store: Store, poster: Poster) -> None:
        self.store, self.pauses = store, list[float]()
        self.asker = Asker(store, poster, clock=time.time, pause=self.pause)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def register(self, url: str, *, private: bool = True, secret: str = SECRET) -> None:
        values: dict[str, Any] = {"url": url, "private_allowed": private, "secrets": signing.first(secret)}
        await self.store.write(lambda c: systems.put(c, "parcels", values, now=1.0))

    async def ask(self, request: Request = CHANGE) -> Replied:
        return await self.asker.ask("ATTEMPT", request)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(f"sqlite:///{tmp_path / 'outbound.db'}")
    store.start()
    async with Poster(PrivateTargets.read("127.0.0.0/8")) as poster:
        yield World(store, poster)
    store.close()


async def test_a_system_is_asked(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    assert await world.ask() == DONE
    assert (shop.system.days, shop.system.changes) == ({"A-1": "2026-12-05"}, 1)
    [headers] = shop.headers
    assert headers["idempotency-key"] == '"ATTEMPT-change-1"'
    assert headers["webhook-id"] == "ATTEMPT-change-1"


async def test_a_system_that_acted_and_was_not_heard_does_not_act_again(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    shop.faults = ["drop", "drop"]
    assert await world.ask() == DONE
    assert shop.system.changes == 1
    assert len(shop.headers) >= 3
    assert {headers["idempotency-key"] for headers in shop.headers} == {'"ATTEMPT-change-1"'}


@pytest.mark.parametrize("status", ["408", "425", "429", "500", "502", "503"])
async def test_what_may_pass_is_tried_again(world: World, shop: Shop, status: str) -> None:
    await world.register(shop.url)
    shop.faults = [status, status]
    assert await world.ask() == DONE
    assert shop.system.changes == 1
    assert len(world.pauses) == 2
    assert world.pauses[0] < world.pauses[1] * 2


@pytest.mark.parametrize("status", ["301", "302", "307", "400", "403", "404", "409", "422"])
async def test_what_will_not_pass_is_final_and_no_redirect_is_followed(world: World, shop: Shop, status: str) -> None:
    await world.register(shop.url)
    shop.faults = [status]
    reply = await world.ask()
    assert (reply.result, reply.problem) == ("", f"answered {status}")
    assert (len(shop.headers), shop.system.changes) == (1, 0)


async def test_another_secret_is_refused_by_the_system(world: World, shop: Shop) -> None:
    await world.register(shop.url, secret=signing.new_secret())
    assert (await world.ask()).problem == "answered 401"
    assert shop.system.changes == 0


async def test_a_system_that_is_down_is_tried_until_the_deadline(tmp_path: Path, world: World) -> None:
    with a_shop(SECRET) as gone:
        url = gone.url
    await world.register(url)
    world.asker = Asker(world.store, world.asker._poster, clock=time.time)
    reply = await world.ask(Request(system="parcels", operation="x", values={}, deadline_s=1.0, key="x-1"))
    assert "no connection" in reply.problem
    assert "(tries: " in reply.problem


async def test_a_system_that_hangs_once_is_asked_again_within_the_deadline(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    shop.faults = ["hang"]
    changed = Request(system="parcels", operation="change_day", values=CHANGE.values, deadline_s=4, key="change-1")
    assert await world.ask(changed) == DONE
    shop.go_on.set()
    assert len(shop.headers) == 2


async def test_a_system_that_hangs_for_good_is_given_up(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    shop.faults = ["hang"] * 5
    reply = await world.ask(Request(system="parcels", operation="x", values={}, deadline_s=2.0, key="x-1"))
    assert reply.problem.startswith("no answer within 2 s")
    assert shop.system.changes == 0


async def test_a_wait_that_outlasts_the_deadline_is_not_begun(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    shop.faults = ["503"] * 9
    slow = Request(system="parcels", operation="x", values={}, deadline_s=1.0, key="x-1")
    reply = await world.ask(slow)
    assert "answered 503" in reply.problem


async def test_an_answer_of_any_length_is_read_only_so_far(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    shop.raw = b'{"result": "ok", "values": {"x": "' + b"y" * ANSWER_LIMIT + b'"}}'
    assert (await world.ask()).problem == f"its answer is longer than {ANSWER_LIMIT} bytes"
    shop.raw = b'{"result": "ok", "values": {"note": "' + b" " * 8000 + b'"}}'
    assert "values.note" in (await world.ask()).problem


async def test_an_answer_that_breaks_off_is_asked_for_again(world: World, shop: Shop) -> None:
    await world.register(shop.url)
    shop.raw = b"{"
    assert (await world.ask()).problem == "its answer is no JSON"


async def test_nobody_is_asked_at_a_private_address_that_was_not_allowed(world: World, shop: Shop) -> None:
    await world.register(shop.url, private=False)
    assert (await world.ask()).problem.startswith("refused: it leads to a private address")
    assert shop.headers == []


async def test_a_system_that_nobody_told_of_is_named(world: World) -> None:
    reply = await world.ask()
    assert reply.problem == "there is no system 'parcels'; PUT /v1/systems/parcels tells where it is"
