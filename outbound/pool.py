"""The line pool: pulls due attempts when a line, a token and the legs are free, and hands each to a line process.

It owns tokens and what is placed where, and nothing else: attempts move in outbound/store/attempts.py, ends in
outbound/ledger.py, lines live in outbound/line_keeper.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from campaigns.pacing import TokenBucket
from dialer.link import LineProcess
from dialer.messages import CallEvent, CallResult, EventKind, Released
from outbound.importing.numbers import same_mobile
from outbound.ledger import Ledger
from outbound.line_keeper import LineKeeper, StartLine
from outbound.recovery import Recovery
from outbound.request import call_request
from outbound.store import Store
from outbound.store.attempts import DIALING_LEASE_S, Claim, Intent, claim, next_due_at, record_intent, renew
from outbound.store.trunks import rates as trunk_rates

log = structlog.get_logger(__name__)
CLAIM_LEASE_S = 30.0
IDLE_POLL_S = 0.5
SWEEP_S = 5.0


@dataclass(slots=True)
class _Placed:
    """A claim and what is known of the call that it becomes."""

    claim: Claim
    answered: bool = False
    called_off: str = ""
    """Why it is not to ring (any longer)."""


class LinePool:
    """A number of line processes kept busy."""

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
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock
        self._send_window_s, self._on_failure, self._trusted = send_window_s, on_failure, trusted
        self._recovery = Recovery(store, names, journal_dir, clock)
        self._keeper = LineKeeper(names, start_line, self._recovery, self)
        self._placed: dict[str, _Placed] = {}
        self._buckets: dict[str, TokenBucket] = {}
        self._house = TokenBucket.full(rate_per_s=calls_per_second, burst=2.0, at=time.monotonic())
        self._due = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the lines that can take calls now, by name."""
        return {name: line.ready.pid for name, line in self._keeper.alive.items()}

    @property
    def calls(self) -> int:
        """Calls in progress here."""
        return len(self._placed)

    def kick(self) -> None:
        """Something may have become due, or a line free."""
        self._due.set()

    async def start(self) -> None:
        """Start every line, settle what an earlier run left behind, then begin to pull.

        Raises the first line's error when one cannot be started.
        """
        await self._recovery.open()
        await self._keeper.start()
        await self._recovery.settle_leftovers()
        for work in (self._keeper.keep(), self._pull_forever()):
            self._spawn(work)
        self._sweeping = self._spawn(self._sweep_forever())

    async def stop(self, timeout_s: float) -> None:
        """Pull no more, let calls end within ``timeout_s`` (their leases are renewed meanwhile), then end the lines."""
        await _cancel_all([task for task in self._tasks if task is not self._sweeping])
        await self._keeper.stop(timeout_s)
        await _cancel_all(list(self._tasks))

    def prepare(self, texts: list[str], language: str) -> None:
        """Have prompts rendered into the shared cache before the calls that need them; one line does it for all."""
        line = next(iter(self._keeper.alive.values()), None)
        if texts and line is not None:
            line.prepare(texts, language)

    def hang_up_number(
        self, number: str, reason: str, *, except_attempt: str | None, only: Collection[str] | None = None
    ) -> None:
        """Cancel calls to ``number`` (only those named, if any) that ring or are about to; answered ones may finish."""
        theirs = {key for key, item in self._placed.items() if item.claim.number in same_mobile(number)}
        if only is not None:
            theirs &= set(only)
        self._cancel(theirs - {except_attempt}, reason)

    def hang_up_campaign(self, campaign_id: str, reason: str) -> None:
        """Cancel calls of a campaign that still ring, or are about to."""
        self._cancel({key for key, item in self._placed.items() if item.claim.campaign_id == campaign_id}, reason)

    def _cancel(self, attempt_ids: set[str], reason: str) -> None:
        for attempt_id in attempt_ids:
            item = self._placed[attempt_id]
            line = self._keeper.alive.get(item.claim.line)
            item.called_off = reason
            if line is not None and not item.answered:
                line.hang_up(attempt_id, reason)

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
                    async with asyncio.timeout(self._pause_s()):  # wait_for of Python 3.11 may swallow a cancellation
                        await self._due.wait()
            self._due.clear()

    def _pause_s(self) -> float:
        """How long to wait for a kick: until a token is there, at most the idle poll."""
        now = time.monotonic()
        buckets = [self._house, *self._buckets.values()]
        waiting = [bucket.next_at() - now for bucket in buckets if bucket.refill(now).available < 1]
        return min([IDLE_POLL_S, *(max(pause, 0.01) for pause in waiting)])

    async def _pull(self) -> int:
        free, now = self._free_legs(), time.monotonic()
        self._house = self._house.refill(now)
        if not free or self._house.available < 1 or not self._trusted() or not await self._something_due():
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
            self._placed[item.attempt_id] = _Placed(item)
            self._spawn(self._place(item))
        return len(claims)

    async def _something_due(self) -> bool:
        due_at = await self._store.read(next_due_at)
        return due_at is not None and due_at <= self._clock()

    def _free_legs(self) -> dict[str, int]:
        free = {name: line.ready.capacity for name, line in self._keeper.alive.items()}
        for item in self._placed.values():
            if item.claim.line in free:
                free[item.claim.line] -= item.claim.legs
        return {name: legs for name, legs in free.items() if legs > 0}

    async def _trunk_tokens(self, now: float) -> dict[str, int]:
        rates = await self._store.read(trunk_rates)
        for name, rate in rates.items():
            bucket = self._buckets.get(name)
            if bucket is None or bucket.rate_per_s != rate:
                bucket = TokenBucket.full(rate_per_s=rate, at=now)
            self._buckets[name] = bucket.refill(now)
        return {name: self._buckets[name].available for name in rates}

    async def _place(self, item: Claim) -> None:
        """Commit the intent and hand the call to its line; whatever fails, the legs come back."""
        # before the commit: a window after an opt-out was committed, no INVITE of an earlier intent can leave any more
        send_before = time.monotonic() + self._send_window_s
        if not self._trusted():  # the claim's lease gives the attempt back
            self._forget(item.attempt_id, item.fence)
            return
        try:
            intent = await self._store.write(
                lambda connection: record_intent(
                    connection, attempt_id=item.attempt_id, fence=item.fence, line=item.line, now=self._clock()
                )
            )
        except Exception as error:  # nothing was sent; the claim's lease gives the attempt back
            log.exception("intent not recorded", attempt_id=item.attempt_id, error=type(error).__name__)
            intent = None
        if intent is None:
            self._forget(item.attempt_id, item.fence)
            return
        await self._send(item, intent, send_before)

    async def _send(self, item: Claim, intent: Intent, send_before: float) -> None:
        try:
            line = self._keeper.alive[item.line]
            line.place(call_request(intent, fence=item.fence, send_before=send_before))
            if reason := self._placed[item.attempt_id].called_off:
                line.hang_up(item.attempt_id, reason)
        except Exception as error:
            log.exception("call not placed", attempt_id=item.attempt_id, error=type(error).__name__)
            await self._give_back(item)

    async def _give_back(self, item: Claim) -> None:
        released = Released(attempt_id=item.attempt_id, fence=item.fence, reason="not_placed")
        try:
            await self.on_released(released)
        except Exception as error:  # the store may be full or away; the lease gives the attempt back
            log.exception("release not stored", attempt_id=item.attempt_id, error=type(error).__name__)
            self._forget(item.attempt_id, item.fence)

    async def _sweep_forever(self) -> None:
        """Renew the leases of calls in progress here, and settle attempts whose lease has ended, whoever held them."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self._renew()
                await self._recovery.settle_expired()
            except Exception as error:  # the store may be full or away for a while; leases outlast many sweeps
                log.exception("sweep failed", error=type(error).__name__)

    async def _renew(self) -> None:
        held, until = list(self._placed), self._clock() + DIALING_LEASE_S
        if held:
            await self._store.write(lambda connection: renew(connection, held, until=until))

    # -- what lines tell ---------------------------------------------------------------------------------------

    def on_event(self, event: CallEvent) -> None:
        """Note a live event."""
        placed = self._placed.get(event.attempt_id)
        if event.kind is EventKind.ANSWERED and placed is not None:
            placed.answered = True
        self._ledger.note(event)

    async def on_result(self, result: CallResult) -> None:
        """Store a result, then give its legs back."""
        await self._ledger.close_account(result)
        self._forget(result.attempt_id, result.fence)

    async def on_released(self, released: Released) -> None:
        """Give an attempt back that was not sent, then its legs."""
        await self._ledger.close_account(released)
        self._forget(released.attempt_id, released.fence)

    def on_lost(self, line: LineProcess) -> None:
        """Give back the legs of a dead line's calls; a claim on its way to it comes back by itself."""
        for request in line.placed.values():
            self._forget(request.attempt_id, request.fence)

    def _forget(self, attempt_id: str, fence: int) -> None:
        placed = self._placed.get(attempt_id)
        if placed is not None and placed.claim.fence == fence:
            del self._placed[attempt_id]
        self.kick()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)


async def _cancel_all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
