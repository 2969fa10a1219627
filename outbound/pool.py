"""The line pool: pulls due attempts when a line, a token and the legs are free, and hands each to a line process.

It owns lines and tokens, and nothing else: attempts move in outbound/store/attempts.py, ends in outbound/ledger.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import Connection, select

from campaigns.pacing import TokenBucket
from dialer.journal import read_journals
from dialer.link import LineProcess
from dialer.messages import CallEvent, CallRequest, CallResult, EventKind, Released
from outbound.ledger import Ledger
from outbound.recovery import recover
from outbound.request import call_request
from outbound.store import Store
from outbound.store.attempts import (
    DIALING_LEASE_S,
    Claim,
    Intent,
    claim,
    expired,
    live,
    next_due_at,
    record_intent,
    renew,
)
from outbound.store.schema import trunks
from outbound.together import together

log = structlog.get_logger(__name__)
CLAIM_LEASE_S = 30.0
IDLE_POLL_S = 0.5
SWEEP_S = 5.0
MAX_RESPAWN_S = 10.0


class StartLine(Protocol):
    """Starts one line process by name."""

    def __call__(
        self,
        name: str,
        *,
        on_event: Callable[[CallEvent], None],
        on_result: Callable[[CallResult], Awaitable[None]],
        on_released: Callable[[Released], Awaitable[None]],
    ) -> Awaitable[LineProcess]:
        """Return the line once its engine runs; raises when it cannot start."""


class LinePool:
    """A number of line processes kept alive and busy."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        start_line: StartLine,
        names: list[str],
        journal_dir: Path,
        calls_per_second: float,
        send_window_s: float,
        clock: Callable[[], float],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._store, self._ledger, self._start_line = store, ledger, start_line
        self._names, self._journal_dir = names, journal_dir
        self._send_window_s, self._clock, self._on_failure = send_window_s, clock, on_failure
        self._lines: dict[str, LineProcess] = {}
        self._legs: dict[str, tuple[str, int]] = {}
        self._answered: set[str] = set()
        self._placed_numbers: dict[str, str] = {}
        self._campaigns: dict[str, str] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._house = TokenBucket.full(rate_per_s=calls_per_second, burst=2.0, at=time.monotonic())
        self._due = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def lines_up(self) -> int:
        """Line processes that can take calls now."""
        return sum(line.alive for line in self._lines.values())

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the living lines, by name."""
        return {name: line.ready.pid for name, line in self._lines.items() if line.alive}

    @property
    def legs_total(self) -> int:
        """Legs that all living lines can hold."""
        return sum(line.ready.capacity for line in self._lines.values() if line.alive)

    @property
    def calls(self) -> int:
        """Calls in progress here."""
        return len(self._legs)

    def kick(self) -> None:
        """Something may have become due."""
        self._due.set()

    async def start(self) -> None:
        """Start every line, settle what an earlier run left behind, then begin to pull.

        Raises the first line's error when none can be started.
        """
        await together(self._start(name) for name in self._names)
        await self._recover_leftovers()
        for name in self._names:
            self._spawn(self._keep(name))
        self._spawn(self._pull_forever())
        self._spawn(self._sweep_forever())

    async def stop(self, timeout_s: float) -> None:
        """Pull no more, let calls end within ``timeout_s``, then end the lines."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(line.stop(timeout_s) for line in self._lines.values()))

    def prepare(self, texts: list[str], language: str) -> None:
        """Have prompts rendered into the shared cache before the calls that need them."""
        for line in self._lines.values():
            if texts and line.alive:
                line.prepare(texts, language)
                return

    def hang_up(
        self,
        reason: str,
        *,
        number: str | None = None,
        campaign_id: str | None = None,
        except_attempt: str | None = None,
    ) -> None:
        """Cancel calls that still ring, of a number or of a campaign; one that was answered may finish."""
        for attempt_id, (name, _) in self._legs.items():
            matches = self._placed_numbers.get(attempt_id) == number or self._campaigns.get(attempt_id) == campaign_id
            if matches and attempt_id not in self._answered and attempt_id != except_attempt:
                line = self._lines[name]
                if line.alive:
                    line.hang_up(attempt_id, reason)

    # -- lines -------------------------------------------------------------------------------------------------

    async def _start(self, name: str) -> LineProcess:
        line = await self._start_line(
            name, on_event=self._on_event, on_result=self._on_result, on_released=self._on_released
        )
        self._lines[name] = line
        log.info("line up", line=name, engine=line.ready.engine, capacity=line.ready.capacity, pid=line.ready.pid)
        return line

    async def _keep(self, name: str) -> None:
        """Respawn a line whenever it dies, after settling what it was doing."""
        pause = 0.1
        while True:
            line = self._lines[name]
            code = await asyncio.shield(line.died)
            log.warning("line died", line=name, exit_code=code, calls=len(line.placed))
            await self._settle_lost(line)
            while True:
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_RESPAWN_S)
                try:
                    await self._start(name)
                except Exception as error:
                    log.exception("line does not start", line=name, error=type(error).__name__)
                else:
                    break
            self.kick()

    async def _settle_lost(self, line: LineProcess) -> None:
        lost = dict(line.placed)
        journal = await asyncio.to_thread(
            read_journals, self._journal_dir, [request.call_id for request in lost.values()]
        )
        rows = await self._store.read(lambda connection: [row for row in live(connection) if row["id"] in lost])
        for row in rows:
            await self._store.write(
                lambda connection, row=row: recover(connection, row, journal, now=self._clock(), cause="line_lost")  # type: ignore[misc]
            )
        for attempt_id, (name, _) in list(self._legs.items()):
            if name == line.name:
                self._forget(attempt_id)

    async def _recover_leftovers(self) -> None:
        """Lines die with their host: whatever this host's lines were doing before this start is over."""
        rows = await self._store.read(live)
        mine = [row for row in rows if row["line"] in self._names]
        journal = await asyncio.to_thread(read_journals, self._journal_dir, [row["call_id"] for row in mine])
        for row in mine:
            done = await self._store.write(
                lambda connection, row=row: recover(connection, row, journal, now=self._clock(), cause="line_lost")  # type: ignore[misc]
            )
            log.info("attempt of an earlier run", outcome=done, attempt_id=row["id"])

    async def _sweep_forever(self) -> None:
        """Renew the leases of calls in progress here, and settle attempts whose lease has ended, whoever held them."""
        while True:
            await asyncio.sleep(SWEEP_S)
            if self._legs:
                held, until = list(self._legs), self._clock() + DIALING_LEASE_S
                await self._store.write(lambda connection: renew(connection, held, until=until))  # noqa: B023
            for row in await self._store.read(lambda connection: expired(connection, now=self._clock())):
                mine = row["line"] in self._names
                ids = [row["call_id"]]
                journal = await asyncio.to_thread(read_journals, self._journal_dir, ids) if mine else None
                done = await self._store.write(
                    lambda connection, row=row, journal=journal: recover(  # type: ignore[misc]
                        connection, row, journal, now=self._clock(), cause="lease_expired"
                    )
                )
                log.warning("lease expired", outcome=done, attempt_id=row["id"])

    # -- pulling -----------------------------------------------------------------------------------------------

    async def _pull_forever(self) -> None:
        while True:
            try:
                claimed = await self._pull()
            except Exception as error:  # the store may be full or away for a while; nothing was sent
                log.exception("pull failed", error=type(error).__name__)
                claimed = 0
            if not claimed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), await self._pause_s())
            self._due.clear()

    async def _pause_s(self) -> float:
        """How long nothing can become due or free by itself."""
        due_at = await self._store.read(next_due_at)
        until_due = (due_at - self._clock()) if due_at is not None else IDLE_POLL_S
        tokens = [self._house, *self._buckets.values()]
        until_token = max(0.0, max(bucket.next_at() for bucket in tokens) - time.monotonic())
        return max(0.01, min(IDLE_POLL_S, max(until_due, until_token)))

    async def _pull(self) -> int:
        free = self._free_legs()
        now = time.monotonic()
        self._house = self._house.refill(now)
        if not free or self._house.available < 1 or not await self._something_due():
            return 0
        tokens = await self._trunk_tokens(now)
        limit = min(self._house.available, sum(free.values()))
        claims = await self._store.write(
            lambda connection: claim(
                connection,
                now=self._clock(),
                lease_s=CLAIM_LEASE_S,
                limit=limit,
                free_legs=free,
                tokens=tokens,
            )
        )
        for item in claims:
            self._house = self._house.take()
            self._buckets[item.trunk] = self._buckets[item.trunk].take()
            self._legs[item.attempt_id] = (item.line, item.legs)
            self._spawn(self._place(item))
        return len(claims)

    async def _something_due(self) -> bool:
        due_at = await self._store.read(next_due_at)
        return due_at is not None and due_at <= self._clock()

    def _free_legs(self) -> dict[str, int]:
        free = {name: line.ready.capacity for name, line in self._lines.items() if line.alive}
        for name, legs in self._legs.values():
            if name in free:
                free[name] -= legs
        return {name: legs for name, legs in free.items() if legs > 0}

    async def _trunk_tokens(self, now: float) -> dict[str, int]:
        rates = await self._store.read(_trunk_rates)
        for name, rate in rates.items():
            bucket = self._buckets.get(name)
            if bucket is None or bucket.rate_per_s != rate:
                bucket = TokenBucket.full(rate_per_s=rate, at=now)
            self._buckets[name] = bucket.refill(now)
        return {name: self._buckets[name].available for name in rates}

    async def _place(self, item: Claim) -> None:
        """Commit the intent and hand the call to its line; whatever fails, the legs come back."""
        try:
            intent = await self._store.write(
                lambda connection: record_intent(
                    connection, attempt_id=item.attempt_id, fence=item.fence, line=item.line, now=self._clock()
                )
            )
        except BaseException:
            self._forget(item.attempt_id)
            raise
        if intent is None:
            self._forget(item.attempt_id)
            return
        await self._send(item, intent)

    async def _send(self, item: Claim, intent: Intent) -> None:
        try:
            request: CallRequest = call_request(
                intent, fence=item.fence, send_before=time.monotonic() + self._send_window_s
            )
            self._placed_numbers[item.attempt_id] = request.number
            self._campaigns[item.attempt_id] = intent.campaign["id"]
            self._lines[item.line].place(request)
        except Exception as error:
            log.exception("call not placed", attempt_id=item.attempt_id, error=type(error).__name__)
            await self._on_released(Released(attempt_id=item.attempt_id, fence=item.fence, reason="not_placed"))

    # -- what lines tell ---------------------------------------------------------------------------------------

    def _on_event(self, event: CallEvent) -> None:
        if event.kind is EventKind.ANSWERED:
            self._answered.add(event.attempt_id)
        self._ledger.note(event)

    async def _on_result(self, result: CallResult) -> None:
        await self._ledger.close_account(result)
        self._forget(result.attempt_id)
        self.kick()

    async def _on_released(self, released: Released) -> None:
        await self._ledger.close_account(released)
        self._forget(released.attempt_id)
        self.kick()

    def _forget(self, attempt_id: str) -> None:
        self._legs.pop(attempt_id, None)
        self._placed_numbers.pop(attempt_id, None)
        self._campaigns.pop(attempt_id, None)
        self._answered.discard(attempt_id)

    def _spawn(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)


def _trunk_rates(connection: Connection) -> dict[str, float]:
    return {row.name: row.calls_per_second for row in connection.execute(select(trunks))}
