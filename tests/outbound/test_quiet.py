"""An opt-out is answered when no call can begin any more: at once, when the call in the making tells, or in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from outbound.quiet import MARGIN_S, unsent, until_quiet
from outbound.store import Store, events, optouts
from outbound.store.attempts import Claim, release
from outbound.store.optouts import Cover
from outbound.stream import Event, EventStream
from tests.outbound.both import KINDS, empty_database
from tests.outbound.conftest import Api
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN = "+447700900001"


class Stream(EventStream):
    """Says when somebody begins to follow."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.followed = asyncio.Event()

    async def follow(self, *, after: int, campaign_id: str | None = None) -> AsyncIterator[list[Event]]:
        self.followed.set()
        async for batch in super().follow(after=after, campaign_id=campaign_id):
            yield batch


class Scene:
    """A host whose call to Ann was intended a moment ago."""

    def __init__(self, world: World, window_s: float) -> None:
        self.world, self.stream = world, Stream(world.store)
        self.stream.start()
        settings = SimpleNamespace(send_window_s=window_s)
        self.services: Any = SimpleNamespace(store=world.store, stream=self.stream, settings=settings)

    async def intended(self) -> Claim:
        if not self.world.campaign_ids:
            await self.world.campaign([ANN])
        (item,) = await self.world.claim()
        assert await self.world.intend(item) is not None
        return item

    async def tell(self, kind: str, attempt_id: str) -> None:
        await self.world.store.write(
            lambda c: events.append(c, at=self.world.now, kind=kind, attempt_id=attempt_id, data={})
        )

    async def opted_out(self, **covers: str) -> Cover:
        chosen = {"number": ANN, "scope": "all"} | covers
        await self.world.store.write(
            lambda c: optouts.record(c, **chosen, source="rest", words="stop", now=self.world.now)
        )
        return Cover(**chosen)


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


LONG_S = 100.0
"""A window that no test waits for."""


async def test_it_is_quiet_at_once_where_nothing_is_placed(world: World) -> None:
    scene = Scene(world, LONG_S)
    await world.campaign([ANN])
    await world.claim()
    await until_quiet(scene.services, await scene.opted_out())
    assert not scene.stream.followed.is_set()


@pytest.mark.parametrize("told", ["call.dialing", "attempt.done"])
async def test_it_is_quiet_when_the_call_has_told(world: World, told: str) -> None:
    scene = Scene(world, LONG_S)
    item = await scene.intended()
    cover = await scene.opted_out()
    waiting = asyncio.create_task(until_quiet(scene.services, cover))
    await scene.stream.followed.wait()
    await scene.tell("call.said", item.attempt_id)
    await scene.tell(told, "another")
    assert not waiting.done()
    await scene.tell(told, item.attempt_id)
    async with asyncio.timeout(10):
        await waiting


async def test_it_is_quiet_when_the_call_was_given_back(world: World) -> None:
    scene = Scene(world, LONG_S)
    item = await scene.intended()
    waiting = asyncio.create_task(until_quiet(scene.services, await scene.opted_out()))
    await scene.stream.followed.wait()
    give_back = {"attempt_id": item.attempt_id, "fence": item.fence, "due_at": 0.0, "now": world.now, "reason": "late"}
    await world.store.write(lambda c: release(c, **give_back))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await waiting


async def test_it_is_quiet_when_the_window_has_passed(world: World) -> None:
    scene = Scene(world, 0.05)
    await scene.intended()
    cover = await scene.opted_out()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await until_quiet(scene.services, cover)
    assert scene.stream.followed.is_set()
    assert loop.time() - began >= 0.05 + MARGIN_S - 0.01


async def test_a_call_that_is_not_covered_is_not_waited_for(world: World) -> None:
    scene = Scene(world, LONG_S)
    await scene.intended()
    for covers in ({"scope": "marketing"}, {"channel": "sms"}, {"only_campaign": "another"}):
        await until_quiet(scene.services, await scene.opted_out(**covers))
    assert not scene.stream.followed.is_set()


async def test_what_an_earlier_call_told_does_not_count_for_the_next(world: World) -> None:
    scene = Scene(world, LONG_S)
    item = await scene.intended()
    await scene.tell("call.dialing", item.attempt_id)
    assert await world.store.read(lambda c: unsent(c, Cover(number=ANN))) == set()
    await world.store.write(
        lambda c: release(c, attempt_id=item.attempt_id, fence=item.fence, due_at=0.0, now=world.now, reason="late")
    )
    again = await scene.intended()
    assert again.attempt_id == item.attempt_id
    assert await world.store.read(lambda c: unsent(c, Cover(number=ANN))) == {item.attempt_id}


@pytest.mark.parametrize(
    ("path", "body", "cover"),
    [
        (
            "/v1/optouts",
            {"number": ANN, "scope": "marketing", "channel": "voice"},
            Cover(number=ANN, scope="marketing", channel="voice"),
        ),
        ("/v1/inbound/messages", {"from": ANN, "text": "STOP"}, Cover(number=ANN)),
        ("/v1/inbound/calls", {"from": ANN, "act": "opt_out", "words": "9"}, Cover(number=ANN)),
    ],
)
async def test_rest_answers_when_it_is_quiet_a_repeat_too(
    api: Api, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, str], cover: Cover
) -> None:
    stored_then = []

    async def waits(services: Any, given: Cover) -> None:
        assert given == cover
        stored_then.append(len(await services.store.read(lambda c: optouts.of(c, [ANN]))))

    monkeypatch.setattr("outbound.api.optout_routes.until_quiet", waits)
    monkeypatch.setattr("outbound.api.inbound_routes.until_quiet", waits)
    for _ in range(2):
        await api("POST", path, body, headers={"Idempotency-Key": "one"})
    assert stored_then == [1, 1]


async def test_what_stops_nobody_is_answered_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(services: Any, given: Cover) -> None:
        raise AssertionError

    monkeypatch.setattr("outbound.api.inbound_routes.until_quiet", waits)
    await api("POST", "/v1/inbound/messages", {"from": ANN, "text": "START"}, expect=200)
    await api("POST", "/v1/inbound/calls", {"from": ANN, "act": "opt_in", "words": "call me"}, expect=200)
