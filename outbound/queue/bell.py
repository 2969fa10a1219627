"""A bell over Redis: one host rings after a commit, every host looks again. It carries no data and may be missed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
CHANNEL = "outbound:bell"
QUIET_S = 0.02
"""Rings closer together than this are one."""
RETRY_S = 0.5


class Bell:
    """Rings through Redis; one that is away costs other hosts a poll interval, never an event."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._listeners: list[Callable[[], None]] = []
        self._rung = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def on_ring(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` on the event loop whenever somebody rang."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._publish())]

    async def stop(self) -> None:
        """Be silent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def ring_from_thread(self) -> None:
        """Ring from a store thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._rung.set)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    async def _publish(self) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            with contextlib.suppress(RedisError, OSError):
                await self._redis.publish(CHANNEL, b"")
            await asyncio.sleep(QUIET_S)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self._tell()
            except (RedisError, OSError) as error:
                log.warning("bell is silent, trying again", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)
