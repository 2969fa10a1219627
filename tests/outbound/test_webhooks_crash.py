"""A worker that is killed while it sends loses nothing: the next one sends again, under the same ids and in order."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp import web

from outbound.store.webhook_deliveries import LEASE_S
from tests.outbound.both import KINDS, empty_database
from tests.outbound.webhook_world import Post, a_world, an_endpoint

pytestmark = pytest.mark.integration

EVENTS, ATTEMPTS = 40, 5
KILLS, POSTS_EACH = 3, 7


@pytest.mark.parametrize("kind", KINDS)
async def test_killed_between_sending_and_writing(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = empty_database(kind, request, tmp_path)
    async with a_world(url, tmp_path) as world, an_endpoint() as endpoint:
        hook = await world.subscribe(endpoint.url)
        for n in range(EVENTS):
            await world.tell(n, attempt=f"A{n % ATTEMPTS}")
        secret = world.secrets[hook]

        posts = asyncio.Semaphore(0)

        async def answer(_: Post) -> web.Response:
            posts.release()
            return web.Response()

        endpoint.answer = answer
        for kills in range(KILLS + 1):
            command = ("-m", "tests.outbound.doomed_deliverer", url, str(tmp_path), str(kills * (LEASE_S + 1)))
            worker = await asyncio.create_subprocess_exec(sys.executable, *command)
            try:
                if kills < KILLS:
                    for _ in range(POSTS_EACH):
                        await posts.acquire()
                else:
                    await world.until(lambda rows: [row["state"] for row in rows] == ["delivered"] * EVENTS)
            finally:
                worker.kill()
                await worker.wait()
    first_times: list[int] = list(dict.fromkeys(endpoint.numbers))
    assert sorted(first_times) == list(range(EVENTS))
    for attempt in range(ATTEMPTS):
        told = [n for n in first_times if n % ATTEMPTS == attempt]
        assert told == sorted(told)
    assert len({(post.id, post.n) for post in endpoint.got}) == EVENTS
    assert all(post.verify(secret)["data"]["data"]["n"] == post.n for post in endpoint.got)
