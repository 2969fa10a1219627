"""Composition root: wires a host from its parts, in the order in which they need each other, and takes it down again.

It decides nothing; what each part does is in the part.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from dialer.link import LineError
from outbound.api.app import create_app
from outbound.callflows import CallflowLibrary
from outbound.clock import ClockWatch
from outbound.errors import ConfigurationError, Unavailable
from outbound.lines import line_starter
from outbound.lock import DirectoryLock, NameLock
from outbound.observing import looking
from outbound.observing.endpoint import address_of
from outbound.observing.lines import Lines
from outbound.observing.metrics import Metrics
from outbound.operator_key import operator_key
from outbound.places import tzdata_age
from outbound.pool import LinePool
from outbound.queue.bell import Bell
from outbound.queue.valkey import EmbeddedValkey
from outbound.queue.worker import Queue, run_worker
from outbound.services import Health, Services
from outbound.settings import Settings
from outbound.settling.ledger import Ledger
from outbound.speech_processes import SpeechProcesses
from outbound.store import Store
from outbound.stream import EventStream
from outbound.systems.asking import asking
from outbound.together import together
from outbound.watch import watch
from outbound.webhooks.deliverer import deliver_webhooks

log = structlog.get_logger(__name__)
WEB, WORKER, DIALER = "web", "worker", "dialer"
ALL_ROLES = frozenset({WEB, WORKER, DIALER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A running host."""

    url: str
    """Where REST and console are, without a trailing slash; empty without the web role."""
    api_key: str
    """The operator's key; empty without the web role."""
    metrics_url: str
    """Where metrics and health are without REST; empty unless OUTBOUND_METRICS_PORT is set."""
    services: Services
    pool: LinePool | None
    failed: asyncio.Future[None]
    """Resolves with the error of a part that cannot go on; whoever runs the host stops it then."""


@asynccontextmanager
async def running_host(settings: Settings, roles: frozenset[str] = ALL_ROLES, *, name: str = "") -> AsyncIterator[Host]:
    """Run a host with these roles until the block is left, then drain its calls and stop it.

    ``name`` tells this machine's lines from those of other dialers. Raises :class:`OutboundError` naming what is wrong
    (a port in use, a missing model, a directory in use) with the remedy; nothing is left running then.
    """
    async with AsyncExitStack() as stack:
        yield await _compose(settings, roles, name, stack)


async def _compose(settings: Settings, roles: frozenset[str], name: str, stack: AsyncExitStack) -> Host:
    own_name = _lock(settings, roles, name, stack)
    _look_at_tzdata()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if own_name is not None:
        _background(own_name.keep(), "name of the dialer", failed, stack)
    runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outbound-")))
    metrics = Metrics()
    store = Store(settings.sqlalchemy_url)
    await asyncio.to_thread(store.start)
    stack.callback(store.close)
    tracing = await looking.at_commits(store, metrics, settings.otlp_endpoint, name or "outbound", stack)
    if tracing is not None:
        _background(tracing.run(), "traces", failed, stack)
    stream = EventStream(store)
    stream.start()
    redis_url, speech = await _children(settings, roles, runtime, stack)
    queue = Queue(redis_url)
    await queue.start()
    stack.push_async_callback(queue.stop)
    await _bell(redis_url, store, stream, stack)
    # calls go on without it; what is only planned and imported waits, and that is all a worker does
    checks: list[Health] = [Health(name="queue", check=queue.ping, vital=roles == {WORKER})]
    kicks: list[Callable[[], None]] = []
    services = Services(
        settings=settings,
        store=store,
        callflows=CallflowLibrary(store),
        stream=stream,
        enqueue=queue.enqueue,
        kick=lambda: _call_all(kicks),
        clock=time.time,
        health=checks,
        metrics=metrics,
        gauges=looking.at_the_service(metrics, store, redis_url, stack) if WEB in roles else None,
        tracing=tracing,
    )
    pool = None
    if speech is not None:
        clock = ClockWatch(services.clock)
        trusted = _all_of(clock.trusted, lambda: own_name is None or own_name.held)
        pool = await _dialer(settings, services, speech, name, trusted, failed, stack)
        checks.append(Health(name="clock", check=_right(clock)))
        kicks.append(pool.kick)
        checks.append(Health(name="lines", check=_lines_up(pool)))
    if WORKER in roles:
        _background(run_worker(redis_url, services), "arq worker", failed, stack)
        _background(deliver_webhooks(services), "webhooks", failed, stack)
    url, key = await _web(settings, services, stack) if WEB in roles else ("", "")
    metrics_url = await looking.from_outside(services, stack)  # not before: who is not started is not ready
    looking.at_the_loop(metrics, stack)
    stack.push_async_callback(_drain, services, pool)
    return Host(url=url, api_key=key, metrics_url=metrics_url, services=services, pool=pool, failed=failed)


async def _drain(services: Services, pool: LinePool | None) -> None:
    """Be ready for nothing more, while calls in progress are finished and all that is open still answers."""
    services.draining.set()
    if pool is not None:
        await pool.stop(services.settings.drain_timeout_s)


def _all_of(*conditions: Callable[[], bool]) -> Callable[[], bool]:
    return lambda: all(condition() for condition in conditions)


def _look_at_tzdata() -> None:
    """Warn of an old tz database: it puts callable windows at wrong hours wherever a law on clocks has changed."""
    if trouble := tzdata_age(datetime.now(UTC)):
        log.warning("tzdata is outdated", reason=trouble)


def _lock(settings: Settings, roles: frozenset[str], name: str, stack: AsyncExitStack) -> NameLock | None:
    """Take what only one host may have; a dialer's name on PostgreSQL is to be kept by looking after it.

    Hosts on PostgreSQL may share a data directory (uploads pass through it from web to worker).
    """
    names = ["lock"] if settings.sqlalchemy_url.startswith("sqlite") else []
    if DIALER in roles and name:
        names.append(f"{name}.lock")
    for each in names:
        lock = DirectoryLock(settings.data_dir, each)
        lock.acquire()
        stack.callback(lock.release)
    if DIALER not in roles or settings.sqlalchemy_url.startswith("sqlite"):
        return None
    own_name = NameLock(settings.sqlalchemy_url, name)
    own_name.acquire()
    stack.callback(own_name.release)
    return own_name


async def _children(
    settings: Settings, roles: frozenset[str], runtime: Path, stack: AsyncExitStack
) -> tuple[str, SpeechProcesses | None]:
    """Start the embedded Valkey and the speech processes beside each other; either may not be needed."""
    starting: list[Coroutine[Any, Any, None]] = []
    redis_url, speech = settings.redis_url, None
    if not redis_url:
        valkey = EmbeddedValkey(data_dir=settings.data_dir / "valkey", socket=runtime / "valkey.sock")
        stack.push_async_callback(valkey.stop)
        redis_url = valkey.url
        starting.append(valkey.start())
    if DIALER in roles:
        speech = SpeechProcesses(settings, runtime)
        stack.push_async_callback(speech.stop)
        starting.append(speech.start())
    await together(starting)
    return redis_url, speech


async def _bell(redis_url: str, store: Store, stream: EventStream, stack: AsyncExitStack) -> None:
    """Hosts wake each other: after events were committed anywhere, event streams look again everywhere."""
    bell = Bell(redis_url)
    bell.on_ring(stream.wake)
    await bell.start()
    stack.push_async_callback(bell.stop)
    store.on_commit(bell.ring_from_thread)


async def _dialer(
    settings: Settings,
    services: Services,
    speech: SpeechProcesses,
    name: str,
    trusted: Callable[[], bool],
    failed: asyncio.Future[None],
    stack: AsyncExitStack,
) -> LinePool:
    ledger = Ledger(services.store, services.clock)
    _background(ledger.run(), "ledger", failed, stack)
    prefix = f"{name}-" if name else ""
    names = [f"{prefix}line-{number}" for number in range(1, settings.lines + 1)]
    asker = await stack.enter_async_context(asking(services))
    lines = Lines(wanted=len(names))
    services.metrics.registry.register(lines)
    pool = LinePool(
        store=services.store,
        ledger=ledger,
        start_line=lines.remembering(line_starter(settings, speech, asker.ask)),
        names=names,
        journal_dir=settings.data_dir / "journal",
        calls_per_second=settings.max_calls_per_second,
        send_window_s=settings.send_window_s,
        clock=services.clock,
        on_failure=lambda error: _fail(failed, error),
        trusted=trusted,
        interpret=bool(settings.llm_url),
    )
    stack.push_async_callback(pool.stop, settings.drain_timeout_s)
    try:
        await pool.start()
    except LineError as error:
        raise Unavailable(str(error), code=error.code) from error
    _background(watch(services, pool), "watch", failed, stack)
    return pool


async def _web(settings: Settings, services: Services, stack: AsyncExitStack) -> tuple[str, str]:
    key = await operator_key(services.store, settings.data_dir, now=services.clock())
    runner = web.AppRunner(create_app(services), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise ConfigurationError(
            f"port {settings.port} on {settings.host} cannot be opened ({error.strerror}); "
            "stop what uses it or set OUTBOUND_PORT to another port"
        ) from error
    return address_of(settings.host, runner), key


def _right(clock: ClockWatch) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return clock.trusted()

    return check


def _lines_up(pool: LinePool) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def check() -> bool:
        return bool(pool.pids)

    return check


def _background(
    work: Coroutine[Any, Any, None], name: str, failed: asyncio.Future[None], stack: AsyncExitStack
) -> None:
    """Run a part beside the others; when it fails the host is told, when the host stops it is cancelled."""
    task = asyncio.create_task(work, name=name)

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("part failed", part=name, exc_info=error)
            _fail(failed, error)

    async def cancel() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task

    task.add_done_callback(ended)
    stack.push_async_callback(cancel)


def _call_all(listeners: list[Callable[[], None]]) -> None:
    for listener in listeners:
        listener()


def _fail(failed: asyncio.Future[None], error: BaseException) -> None:
    if not failed.done():
        failed.set_exception(error)
