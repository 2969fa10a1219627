"""Runs the arq worker inside a host and starts it again when it ends (it ends whenever Redis restarts)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, cast

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.cron import cron
from arq.typing import WorkerCoroutine
from arq.worker import Worker
from redis.exceptions import RedisError

from outbound.queue.jobs import arq_functions, sweep
from outbound.services import Services

log = structlog.get_logger(__name__)
POLL_S = 0.1
"""Median latency of a job is about half of it; polls are most of what an idle host costs."""
SWEEP_SECONDS = {5, 20, 35, 50}
MAX_BACKOFF_S = 5.0


def redis_settings(url: str) -> RedisSettings:
    """Read a ``redis://``, ``rediss://`` or ``unix://`` URL as arq's settings."""
    if url.startswith("unix://"):
        return RedisSettings(unix_socket_path=url.removeprefix("unix://").partition("?")[0], conn_retries=50)
    return RedisSettings.from_dsn(url)


class Queue:
    """The producer's side: puts jobs into Redis."""

    def __init__(self, url: str) -> None:
        self._settings = redis_settings(url)
        self._pool: ArqRedis | None = None

    async def start(self) -> None:
        """Connect."""
        self._pool = await create_pool(self._settings)

    async def enqueue(self, name: str, *arguments: str) -> None:
        """Put a job; the same job that still waits is not put twice.

        A queue that cannot be reached loses nothing: the rows are durable and the sweep enqueues again.
        """
        assert self._pool is not None
        job_id = ":".join((name, *arguments))
        try:
            await self._pool.enqueue_job(name, *arguments, _job_id=job_id)
        except (RedisError, OSError) as error:
            log.warning("job not enqueued, the sweep will", job=name, error=type(error).__name__)

    async def ping(self) -> bool:
        """Whether Redis answers."""
        try:
            return self._pool is not None and bool(await self._pool.ping())
        except (RedisError, OSError):
            return False

    async def stop(self) -> None:
        """Disconnect."""
        if self._pool is not None:
            await self._pool.aclose()


async def run_worker(url: str, services: Services) -> None:
    """Run a worker until cancelled; a worker that ends is followed by another after a growing pause."""
    backoff = 0.1
    while True:
        worker = _worker(url, services)
        try:
            await worker.main()
        except (RedisError, OSError) as error:
            log.warning("worker ended, starting another", error=type(error).__name__)
        finally:
            await _close(worker)
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, MAX_BACKOFF_S)


async def _close(worker: Worker) -> None:
    """End what runs (every job may be run again) and disconnect; arq's own ``close`` waits for jobs to end."""
    running = list(worker.tasks.values())
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    if worker._pool is not None:
        with contextlib.suppress(RedisError, OSError):
            await worker.pool.aclose()


def _worker(url: str, services: Services) -> Worker:
    async def sweeping(_: dict[str, Any]) -> None:
        await sweep(services)

    return Worker(
        functions=arq_functions(),
        cron_jobs=[
            cron(cast("WorkerCoroutine", sweeping), name="sweep", second=SWEEP_SECONDS, keep_result=0, timeout=30)
        ],
        redis_settings=redis_settings(url),
        ctx={"services": services},
        handle_signals=False,
        max_jobs=4,
        job_timeout=120,
        keep_result=0,
        poll_delay=POLL_S,
        queue_read_limit=2000,
        health_check_interval=30,
    )
