"""A world for tests of webhooks: a real store with events, deliverers over it, and real HTTP endpoints on loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import select
from standardwebhooks import Webhook

from outbound.callflows import CallflowLibrary
from outbound.services import Services
from outbound.settings import Settings
from outbound.store import Store, events, webhooks
from outbound.store.schema import webhook_deliveries as deliveries
from outbound.stream import EventStream
from outbound.webhooks import signing
from outbound.webhooks.deliverer import deliver_webhooks

PATIENCE_S = 60


@dataclass
class Clock:
    """Stands until it is moved."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class Post:
    """One request that an endpoint got."""

    headers: Mapping[str, str]
    raw: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw)
        return body

    @property
    def n(self) -> Any:
        """What the tests tell their events by."""
        return self.told["data"]["data"].get("n")

    def verify(self, secret: str) -> Any:
        """As a receiver would, with the specification's own library."""
        return Webhook(secret).verify(self.raw, dict(self.headers))


async def accept(_: Post) -> web.Response:
    return web.Response(status=204)


class Endpoint:
    """A receiver of webhooks."""

    def __init__(self) -> None:
        self.got: list[Post] = []
        self.answer: Callable[[Post], Awaitable[web.StreamResponse]] = accept
        self.url = ""
        self._changed = asyncio.Condition()

    async def take(self, request: web.Request) -> web.StreamResponse:
        post = Post(headers=request.headers.copy(), raw=await request.read())
        async with self._changed:
            self.got.append(post)
            self._changed.notify_all()
        return await self.answer(post)

    async def until(self, count: int) -> list[Post]:
        """Wait for so many requests."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self.got) >= count)
        return self.got

    @property
    def numbers(self) -> list[Any]:
        return [post.n for post in self.got]


@asynccontextmanager
async def an_endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", endpoint.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield endpoint
    finally:
        await runner.cleanup()


@dataclass
class World:
    """A store, a clock and workers."""

    store: Store
    services: Services
    clock: Clock
    secrets: dict[str, str] = field(default_factory=dict)

    async def subscribe(self, url: str, **changes: Any) -> str:
        """Make a webhook; return its id."""
        secret = signing.new_secret()
        row = {"url": url, "description": "", "kinds": [], "campaign_id": None, "private_allowed": True}
        row |= {"enabled": True, "secrets": signing.first(secret)} | changes
        made = await self.store.write(lambda c: webhooks.create(c, row, now=self.clock()))
        self.secrets[made["id"]] = secret
        return str(made["id"])

    async def tell(self, *numbers: int, kind: str = "call.step", attempt: str | None = None, **place: Any) -> None:
        """Append events in one transaction."""
        rows = [
            {"at": self.clock(), "kind": kind, "campaign_id": None, "attempt_id": attempt, "data": {"n": n}} | place
            for n in numbers
        ]
        await self.store.write(lambda c: events.append_all(c, rows))

    async def move(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds
        self.services.stream.wake()

    async def rows(self) -> list[dict[str, Any]]:
        """All deliveries."""
        query = select(deliveries).order_by(deliveries.c.id)
        return await self.store.read(lambda c: [dict(row) for row in c.execute(query).mappings()])

    async def webhook(self, webhook_id: str) -> dict[str, Any]:
        return await self.store.read(lambda c: dict(webhooks.get(c, webhook_id)))

    async def until(self, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until the deliveries are as wanted, looking again after every commit and every second."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self.services.stream.changes():
                rows = await self.rows()
                if wanted(rows):
                    return rows
                await asyncio.sleep(0.01)
                self.services.stream.wake()
        raise AssertionError

    async def disabled(self, webhook_id: str) -> dict[str, Any]:
        """Wait until a webhook is disabled."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self.services.stream.changes():
                if not (row := await self.webhook(webhook_id))["enabled"]:
                    return row
        raise AssertionError

    async def settled(self, *states: str) -> list[dict[str, Any]]:
        """Wait for deliveries of exactly these states, in the order of their ids."""
        return await self.until(lambda rows: tuple(row["state"] for row in rows) == states)

    @asynccontextmanager
    async def worker(self, **more: Any) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(deliver_webhooks(self.services, **more))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def a_world(url: str, folder: Path, *, clock: Clock | None = None) -> AsyncIterator[World]:
    store = Store(url)
    await asyncio.to_thread(store.start)
    stream, clock = EventStream(store), clock or Clock()
    stream.start()

    async def enqueue(*_: str) -> None:
        """Nothing here needs a queue."""

    services = Services(
        settings=Settings(data_dir=folder, webhook_private_targets="true"),
        store=store,
        callflows=CallflowLibrary(store),
        stream=stream,
        enqueue=enqueue,
        kick=lambda: None,
        clock=clock,
    )
    try:
        yield World(store=store, services=services, clock=clock)
    finally:
        await asyncio.to_thread(store.close)
