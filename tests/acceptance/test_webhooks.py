"""Events leave the service: to webhooks while hosts come and go, and to event streams that change the web process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from outbound.rehearsal.client import RestClient
from outbound.settings import Settings
from outbound.up import WEB, WORKER, running_host
from tests.acceptance.test_scale_out import own_database, redis_by_url
from tests.outbound.webhook_world import an_endpoint

pytestmark = pytest.mark.acceptance

OPT_OUT = {"number": "+447700900001", "words": "stop"}


def settings(data: Path, **changes: Any) -> Settings:
    return Settings(data_dir=data, port=0, webhook_private_targets="127.0.0.1/32", **changes)


async def test_a_webhook_hears_everything_over_restarts(tmp_path: Path) -> None:
    async with an_endpoint() as endpoint:
        both = frozenset({WEB, WORKER})
        async with running_host(settings(tmp_path), both) as host, RestClient(host.url, host.api_key) as client:
            hook = await client.post("/v1/webhooks", {"url": endpoint.url, "kinds": ["optout.*", "trunk.*"]})
            await client.post("/v1/optouts", OPT_OUT)
            await endpoint.until(1)
        web_alone = frozenset({WEB})
        async with running_host(settings(tmp_path), web_alone) as host, RestClient(host.url, host.api_key) as client:
            await client.post("/v1/optouts", OPT_OUT | {"number": "+447700900002"})
        async with running_host(settings(tmp_path), both) as host, RestClient(host.url, host.api_key) as client:
            await client.post("/v1/optouts", OPT_OUT | {"number": "+447700900003"})
            await endpoint.until(3)
            async with asyncio.timeout(20):
                while (await client.get(f"/v1/webhooks/{hook['id']}"))["waiting"]:
                    pass
            delivered = await client.items(f"/v1/webhooks/{hook['id']}/deliveries", state="delivered")
    told = [post.verify(hook["secret"]) for post in endpoint.got]
    assert sorted(event["data"]["data"]["number"][-1] for event in told) == ["1", "2", "3"]
    assert {event["type"] for event in told} == {"optout.created"}
    assert {item["message_id"] for item in delivered} == {post.id for post in endpoint.got}


async def test_an_event_stream_goes_on_at_another_web_process_where_it_was_broken_off(
    postgres_url: str, tmp_path: Path
) -> None:
    database = own_database(postgres_url, "streams")
    web = frozenset({WEB})
    async with redis_by_url() as redis:
        shared = settings(tmp_path, database_url=database, redis_url=redis)
        seen: list[int] = []
        async with running_host(shared, web) as north:
            async with running_host(shared, web) as south, RestClient(south.url, north.api_key) as client:
                for _ in range(3):
                    await client.post("/v1/optouts", OPT_OUT)
                seen += await followed(north.url, north.api_key, after=0, count=3)
            async with running_host(shared, web) as south, RestClient(north.url, north.api_key) as client:
                following = asyncio.create_task(followed(south.url, north.api_key, after=seen[-1], count=2))
                for _ in range(2):
                    await client.post("/v1/optouts", OPT_OUT)
                seen += await following
                everything = await followed(north.url, north.api_key, after=0, count=5)
        assert seen == everything == sorted(set(everything))


async def followed(url: str, key: str, *, after: int, count: int) -> list[int]:
    """Ids of so many opt-outs behind ``after``, as an event stream tells them."""
    found: list[int] = []
    async with RestClient(url, key) as client, asyncio.timeout(30):
        async for event in client.follow(after=after):
            if event["kind"] == "optout.created":
                found.append(event["id"])
            if len(found) == count:
                return found
    raise AssertionError
