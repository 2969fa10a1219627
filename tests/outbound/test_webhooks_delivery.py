"""Events reach webhooks: signed, in order, tried again, given up visibly, and never lost; on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import Connection, select, update

from outbound.api.models import LiveEvent
from outbound.store import webhook_deliveries, webhooks
from outbound.store.schema import events as events_table
from outbound.webhooks import signing
from outbound.webhooks.backoff import SCHEDULE_S
from outbound.webhooks.fan_out import fan_out
from outbound.webhooks.message import message_id
from outbound.webhooks.replaying import Replayed, replay_range
from tests.outbound.both import KINDS, empty_database
from tests.outbound.webhook_world import Endpoint, Post, World, a_world, accept, an_endpoint

pytestmark = pytest.mark.integration


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(empty_database(request.param, request, tmp_path), tmp_path) as made:
        yield made


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with an_endpoint() as made:
        yield made


async def refuse(_: Post) -> web.Response:
    return web.Response(status=500, text="a page with +447700900001 in it")


async def test_what_happens_is_posted_and_the_receivers_own_library_believes_it(
    world: World, endpoint: Endpoint
) -> None:
    await world.tell(0)
    hook = await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(1, attempt="A", campaign_id="C")
        (post,) = await endpoint.until(1)
        (row,) = await world.settled("delivered")
    told = post.verify(world.secrets[hook])
    assert (told["type"], post.n) == ("call.step", 1)
    live = LiveEvent.model_validate(told["data"])
    assert (live.kind, live.attempt_id, live.campaign_id) == ("call.step", "A", "C")
    assert told["timestamp"] == told["data"]["at"]
    assert post.id == message_id(hook, live.id)
    assert (row["last_code"], row["tries"], row["last_error"]) == (204, 1, "")


async def test_only_what_was_asked_for_is_posted(world: World, endpoint: Endpoint) -> None:
    await world.subscribe(endpoint.url, kinds=["attempt.*", "optout.created"])
    async with an_endpoint() as other, world.worker():
        await world.subscribe(other.url, campaign_id="C")
        for number, kind in enumerate(("attempt.due", "attemptx", "optout.created", "optout", "webhook.test")):
            await world.tell(number, kind=kind, campaign_id="C" if number == 1 else "D")
        await endpoint.until(2)
        await other.until(1)
        await world.settled("delivered", "delivered", "delivered")
    assert sorted(endpoint.numbers) == [0, 2]
    assert other.numbers == [1]


async def test_a_failure_is_tried_again_under_the_same_id_and_nothing_of_the_answer_is_kept(
    world: World, endpoint: Endpoint
) -> None:
    hook = await world.subscribe(endpoint.url)
    endpoint.answer = refuse
    async with world.worker():
        await world.tell(1)
        (row,) = await world.until(lambda rows: [row["tries"] for row in rows] == [1])
        assert 5 <= row["next_at"] - world.clock() <= 5.5
        assert (row["state"], row["last_code"], row["last_error"]) == ("waiting", 500, "answered 500")
        assert (await world.webhook(hook))["failing_since"] == world.clock()
        endpoint.answer = accept
        await world.move(6)
        await world.settled("delivered")
    assert [post.id for post in endpoint.got] == [message_id(hook, row["event_id"])] * 2
    assert (await world.webhook(hook))["failing_since"] is None


async def test_what_never_arrives_is_dead_visible_and_can_be_replayed(world: World, endpoint: Endpoint) -> None:
    hook = await world.subscribe(endpoint.url)
    endpoint.answer = refuse
    async with world.worker():
        await world.tell(1, attempt="A")
        for tries, pause_s in enumerate(SCHEDULE_S, 1):
            await world.move(pause_s * 1.1)
            await world.until(lambda rows, tries=tries: [row["tries"] for row in rows] == [tries])  # type: ignore[misc]
        (row,) = await world.settled("dead")
        assert row["ended_at"] == world.clock()
        (lag,) = await world.store.read(lambda c: webhooks.lag(c, world.clock()))
        assert (lag.dead, lag.waiting, lag.oldest_waiting_s, lag.unread_events) == (1, 0, 0.0, 0)
        endpoint.answer = accept
        assert await world.store.write(lambda c: webhook_deliveries.replay_dead(c, hook, now=world.clock())) == 1
        await world.move(120)
        (row,) = await world.settled("delivered")
    assert row["tries"] == 1
    assert {post.id for post in endpoint.got} == {message_id(hook, row["event_id"])}
    assert len(endpoint.got) == len(SCHEDULE_S) + 1


async def test_events_of_an_attempt_keep_their_order_and_others_go_on(world: World, endpoint: Endpoint) -> None:
    async def refuse_the_first(post: Post) -> web.Response:
        return web.Response(status=503 if post.n == 1 else 200)

    await world.subscribe(endpoint.url)
    endpoint.answer = refuse_the_first
    async with world.worker():
        await world.tell(1, 2, attempt="A")
        await world.tell(10, 11, 12, attempt="B")
        await world.settled("waiting", "waiting", "delivered", "delivered", "delivered")
        await world.tell(3, attempt="A")
        await world.tell(20)
        await world.until(lambda rows: len(rows) == 7 and rows[-1]["state"] == "delivered")
        assert Counter(endpoint.numbers) == Counter([1, 10, 11, 12, 20])
        endpoint.answer = accept
        await world.move(6)
        await world.until(lambda rows: {row["state"] for row in rows} == {"delivered"})
    assert [n for n in endpoint.numbers if n < 10] == [1, 1, 2, 3]
    assert [n for n in endpoint.numbers if 10 <= n < 20] == [10, 11, 12]


async def test_what_follows_a_dead_delivery_is_sent(world: World, endpoint: Endpoint) -> None:
    async def refuse_the_first(post: Post) -> web.Response:
        return web.Response(status=400 if post.n == 1 else 200)

    await world.subscribe(endpoint.url)
    endpoint.answer = refuse_the_first
    async with world.worker():
        await world.tell(1, 2, attempt="A")
        for tries, pause_s in enumerate(SCHEDULE_S, 1):
            await world.move(pause_s * 1.1)
            await world.until(lambda rows, tries=tries: rows and rows[0]["tries"] == tries)  # type: ignore[misc]
        await world.move(120)
        await world.settled("dead", "delivered")
    assert endpoint.numbers == [1] * len(SCHEDULE_S) + [2]


async def test_a_slow_endpoint_delays_nobody_else(world: World, endpoint: Endpoint) -> None:
    late = asyncio.Event()

    async def dawdle(_: Post) -> web.Response:
        await late.wait()
        return web.Response()

    async with an_endpoint() as slow, world.worker():
        slow.answer = dawdle
        await world.subscribe(slow.url)
        await world.subscribe(endpoint.url)
        await world.tell(*range(40))
        assert sorted(post.n for post in await endpoint.until(40)) == list(range(40))
        assert len(await slow.until(16)) == 16
        late.set()
        await slow.until(40)
        await world.until(lambda rows: {row["state"] for row in rows} == {"delivered"})


async def test_a_redirect_is_a_failure_and_not_followed(world: World, endpoint: Endpoint) -> None:
    async def redirect(_: Post) -> web.Response:
        return web.Response(status=307, headers={"Location": other.url})

    async with an_endpoint() as other, world.worker():
        endpoint.answer = redirect
        await world.subscribe(endpoint.url)
        await world.tell(1)
        (row,) = await world.until(lambda rows: [row["tries"] for row in rows] == [1])
        assert (row["state"], row["last_code"]) == ("waiting", 307)
        assert other.got == []


async def test_an_endpoint_that_asks_for_time_gets_it(world: World, endpoint: Endpoint) -> None:
    async def later(_: Post) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "600"})

    endpoint.answer = later
    await world.subscribe(endpoint.url)
    async with an_endpoint() as other, world.worker():
        await world.tell(1)
        (row,) = await world.until(lambda rows: [row["tries"] for row in rows] == [1])
        assert row["next_at"] == world.clock() + 600
        endpoint.answer = accept
        await world.subscribe(other.url)
        for number in (2, 3):
            await world.tell(number)
            await other.until(number - 1)
            await world.move(299)
        assert endpoint.numbers == [1]
        await world.move(3)
        await world.until(lambda rows: [row["state"] for row in rows] == ["delivered"] * 5)


async def test_an_endpoint_that_is_gone_is_left_alone_until_it_is_enabled(world: World, endpoint: Endpoint) -> None:
    async def gone(_: Post) -> web.Response:
        return web.Response(status=410)

    endpoint.answer = gone
    hook = await world.subscribe(endpoint.url, kinds=["call.*"])
    async with an_endpoint() as watching, world.worker():
        await world.subscribe(watching.url, kinds=["webhook.*"])
        await world.tell(1, attempt="A")
        (told,) = await watching.until(1)
        assert told.told["data"]["data"] == {"id": hook, "reason": "gone"}
        row = await world.webhook(hook)
        assert not row["enabled"]
        assert "410" in row["disabled_reason"]
        await world.tell(2, attempt="A")
        endpoint.answer = accept
        await world.store.write(lambda c: webhooks.change(c, hook, {"enabled": True}, now=world.clock()))
        await world.move(6)
        await endpoint.until(3)
        await world.until(lambda rows: {row["state"] for row in rows} == {"delivered"})
    assert endpoint.numbers == [1, 1, 2]
    assert (await world.webhook(hook))["disabled_reason"] == ""


async def test_an_endpoint_that_fails_for_days_is_disabled(world: World, endpoint: Endpoint) -> None:
    endpoint.answer = refuse
    hook = await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(1)
        await world.until(lambda rows: [row["tries"] for row in rows] == [1])
        await world.move(5 * 86400 + 1)
        row = await world.disabled(hook)
    assert "5 days" in row["disabled_reason"]
    (kind,) = await world.store.read(
        lambda c: c.execute(select(events_table.c.kind).where(events_table.c.kind.like("webhook%"))).scalars().all()
    )
    assert kind == "webhook.disabled"


async def test_a_broken_endpoint_costs_few_tries(world: World, endpoint: Endpoint) -> None:
    endpoint.answer = refuse
    await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(*range(200))
        rows = await world.until(lambda rows: sum(row["tries"] for row in rows) >= 16)
        assert sum(row["tries"] for row in rows) == 16
        endpoint.answer = accept
        await world.move(61)
        await world.until(lambda rows: {row["state"] for row in rows} == {"delivered"})
    assert Counter(Counter(endpoint.numbers).values()) == {1: 184, 2: 16}


async def test_several_workers_post_everything_once(world: World, endpoint: Endpoint) -> None:
    await world.subscribe(endpoint.url)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(world.worker())
        for start in range(0, 300, 10):
            await world.tell(*range(start, start + 10), attempt=f"A{start % 7}")
        rows = await world.until(lambda rows: len(rows) == 300 and {row["state"] for row in rows} == {"delivered"})
    assert sorted(endpoint.numbers) == list(range(300))
    assert {row["tries"] for row in rows} == {1}
    by_attempt: dict[str, list[int]] = {}
    for post in endpoint.got:
        by_attempt.setdefault(post.told["data"]["attempt_id"], []).append(post.n)
    assert all(numbers == sorted(numbers) for numbers in by_attempt.values())


async def test_what_a_dead_worker_had_taken_is_sent_once_its_lease_is_over(world: World, endpoint: Endpoint) -> None:
    hook = await world.subscribe(endpoint.url)
    await world.tell(1, 2, attempt="A")
    await world.store.write(lambda c: fan_out(c, now=world.clock()))
    now = world.clock()
    (taken,) = await world.store.write(
        lambda c: webhook_deliveries.take(c, hook, ["A"], now=now, until=now + webhook_deliveries.LEASE_S)
    )
    assert len(taken) == 2
    async with world.worker():
        await world.tell(3, attempt="A")
        await world.tell(9)
        await endpoint.until(1)
        await world.settled("waiting", "waiting", "waiting", "delivered")
        await world.move(webhook_deliveries.LEASE_S + 1)
        await world.until(lambda rows: {row["state"] for row in rows} == {"delivered"})
    assert endpoint.numbers == [9, 1, 2, 3]
    outcome = webhook_deliveries.Outcome(delivery=taken[0], code=500, error="answered 500", retry_at=now + 5)
    await world.store.write(lambda c: webhook_deliveries.settle(c, [outcome], now=now))
    assert {row["state"] for row in await world.rows()} == {"delivered"}


async def test_both_secrets_sign_while_one_is_turned_over(world: World, endpoint: Endpoint) -> None:
    hook = await world.subscribe(endpoint.url)
    kept, fresh = (await world.webhook(hook))["secrets"], signing.new_secret()
    values = {"secrets": signing.rotated(kept, fresh, now=world.clock(), overlap_s=60)}
    await world.store.write(lambda c: webhooks.change(c, hook, values, now=world.clock()))
    async with world.worker():
        await world.tell(1)
        await endpoint.until(1)
        await world.move(61)
        await world.tell(2)
        await endpoint.until(2)
    both, one = endpoint.got
    assert both.verify(fresh) == both.verify(world.secrets[hook])
    assert len(one.headers["webhook-signature"].split(" ")) == 1
    one.verify(fresh)


async def test_what_was_erased_is_not_told(world: World, endpoint: Endpoint) -> None:
    endpoint.answer = refuse
    await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(1)
        await world.until(lambda rows: [row["tries"] for row in rows] == [1])
        await world.store.write(lambda c: c.execute(update(events_table).values(data={"number": "token"})))
        endpoint.answer = accept
        await world.move(6)
        await world.settled("delivered")
    assert [post.told["data"]["data"] for post in endpoint.got] == [{"n": 1}, {"number": "token"}]


async def test_a_stop_gives_back_what_was_taken(world: World, endpoint: Endpoint) -> None:
    never = asyncio.Event()

    async def hang(_: Post) -> web.Response:
        await never.wait()
        return web.Response()

    endpoint.answer = hang
    await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(1, 2, attempt="A")
        await endpoint.until(1)
    assert {row["next_at"] for row in await world.rows()} == {world.clock()}
    endpoint.answer = accept
    async with world.worker():
        await world.settled("delivered", "delivered")
    assert endpoint.numbers == [1, 1, 2]
    never.set()


async def test_a_deleted_webhook_gets_nothing_more(world: World, endpoint: Endpoint) -> None:
    hook = await world.subscribe(endpoint.url)
    endpoint.answer = refuse
    async with an_endpoint() as other, world.worker():
        await world.subscribe(other.url)
        await world.tell(1)
        await world.until(lambda rows: sorted(row["tries"] for row in rows) == [1, 1])
        await world.store.write(lambda c: webhooks.delete(c, hook, now=world.clock()))
        await world.move(6)
        await world.tell(2)
        await other.until(2)
    assert endpoint.numbers == [1]
    while found := await world.store.read(lambda c: webhook_deliveries.outdated(c, now=world.clock())):
        await world.store.write(lambda c, found=found: webhook_deliveries.purge(c, found))  # type: ignore[misc]
    assert {row["webhook_id"] for row in await world.rows()}.isdisjoint({hook})
    assert not [lag for lag in await world.store.read(lambda c: webhooks.lag(c, 0.0)) if lag.webhook_id == hook]


async def test_the_past_is_replayed_and_counted(world: World, endpoint: Endpoint) -> None:
    await world.tell(0, 1, 2, attempt="A")
    hook = await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(3, 4, attempt="A")
        await world.settled("delivered", "delivered")

    async def replay() -> Replayed:
        def unit(connection: Connection) -> Replayed:
            webhook = webhooks.get(connection, hook, to_change=True)
            return replay_range(connection, webhook, after_id=0, since=0.0, kinds=[], now=world.clock())

        return await world.store.write(unit)

    assert await replay() == Replayed(deliveries=5, next_after_id=None)
    assert (await replay()).deliveries == 0
    async with world.worker():
        await world.settled(*["delivered"] * 5)
    ids = {post.n: post.id for post in endpoint.got[:2]}
    assert Counter(endpoint.numbers) == Counter({0: 1, 1: 1, 2: 1, 3: 2, 4: 2})
    assert all(post.id == ids[post.n] for post in endpoint.got if post.n in ids)


async def test_nothing_is_sent_that_its_lease_may_not_outlast(world: World, endpoint: Endpoint) -> None:
    async def stall(post: Post) -> web.Response:
        leases.append([row["next_at"] for row in await world.rows()])
        world.clock.now += webhook_deliveries.LEASE_S - 20
        return web.Response()

    leases: list[list[float]] = []
    endpoint.answer = stall
    await world.subscribe(endpoint.url)
    async with world.worker():
        await world.tell(1, 2, attempt="A")
        await world.settled("delivered", "delivered")
    assert endpoint.numbers == [1, 2]
    assert leases[0][0] == leases[0][1] < leases[1][1]
