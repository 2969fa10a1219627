"""The line pool: pulls due attempts when a line, a token and the legs are free, and hands each to a line process.

It owns what is placed where, and nothing else: who goes next is chosen in outbound/dispatch, ends are written by
outbound/settling/ledger.py, lines live in outbound/line_keeper.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from typing import Any

import structlog

from dialer.link import LineProcess
from dialer.messages import CallEvent, CallResult, EventKind, Released
from outbound.dispatch.claiming import claim
from outbound.dispatch.intents import record_intents
from outbound.dispatch.lanes import something_waits
from outbound.line_keeper import LineKeeper, StartLine
from outbound.placed import PlacedCalls
from outbound.request import call_request
from outbound.settling.ledger import Ledger
from outbound.settling.recovery import Recovery
from outbound.store import Store
from outbound.store.attempts import DIALING_LEASE_S, Claim, Intent, renew

log = structlog.get_logger(__name__)
CLAIM_LEASE_S = 30.0
IDLE_POLL_S = 0.5
SHORTEST_PAUSE_S = 0.005
MOST_CLAIMS = 100
"""Claims in one unit of work: bounds how long other writers wait."""
SWEEP_S = 5.0


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
        interpret: bool = False,
    ) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock
        self._send_window_s, self._on_failure, self._trusted = send_window_s, on_failure, trusted
        self._names, self._interpret = names, interpret
        self._recovery = Recovery(store, names, journal_dir, clock)
        self._keeper = LineKeeper(names, start_line, self._recovery, self)
        self._placed = PlacedCalls()
        self._calls_per_second = calls_per_second
        self._again_at: float | None = None
        """When a token comes that something waits for."""
        self._due = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._placing: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None
        self._pulling: asyncio.Task[None] | None = None
        self._closing = False

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
        self._spawn(self._keeper.keep())
        self._pulling = self._spawn(self._pull_forever())
        self._sweeping = self._spawn(self._sweep_forever())

    async def stop(self, timeout_s: float) -> None:
        """Pull no more, let calls end within ``timeout_s`` (their leases are renewed meanwhile), then end the lines."""
        self._closing = True
        self.kick()
        if self._pulling is not None:  # a claim that is being committed is handed on, not forgotten
            await asyncio.wait({self._pulling}, timeout=timeout_s)
        await _cancel_all([task for task in self._tasks if task is not self._sweeping and task not in self._placing])
        if self._placing:  # what was claimed is handed to its line or given back
            await asyncio.wait(self._placing)
        await self._keeper.stop(timeout_s)
        await _cancel_all(list(self._tasks))

    def prepare(self, texts: list[str], language: str) -> None:
        """Have prompts rendered into the shared cache before the calls that need them; one line does it for all."""
        line = next(iter(self._keeper.alive.values()), None)
        if texts and line is not None:
            line.prepare(texts, language)

    def hang_up(self, attempt_ids: Collection[str], reason: str) -> None:
        """Cancel those of these calls that are here and ring, or are about to; answered ones may finish."""
        self._cancel(set(attempt_ids) & set(self._placed.attempt_ids), reason)

    def hang_up_number(self, number: str, reason: str, *, except_attempt: str | None) -> None:
        """Cancel calls to ``number`` that ring or are about to; answered ones may finish."""
        self._cancel(self._placed.to_number(number) - {except_attempt}, reason)

    def hang_up_campaign(self, campaign_id: str, reason: str) -> None:
        """Cancel calls of a campaign that still ring, or are about to."""
        self._cancel(self._placed.of_campaign(campaign_id), reason)

    def _cancel(self, attempt_ids: set[str], reason: str) -> None:
        for attempt_id in attempt_ids:
            item = self._placed[attempt_id]
            line = self._keeper.alive.get(item.claim.line)
            item.called_off = reason
            if line is not None and not item.answered:
                line.hang_up(attempt_id, reason)

    # -- pulling -----------------------------------------------------------------------------------------------

    async def _pull_forever(self) -> None:
        while not self._closing:
            try:
                claimed = await self._pull()
            except Exception as error:  # the store may be full or away for a while; nothing was sent
                log.exception("pull failed", error=type(error).__name__)
                self._recovery.doubt()
                claimed = 0
            if not claimed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):  # wait_for of Python 3.11 may swallow a cancellation
                        await self._due.wait()
            self._due.clear()

    def _pause_s(self) -> float:
        """How long to wait for a kick: until a token is there, at most the idle poll."""
        if self._again_at is None:
            return IDLE_POLL_S
        return min(IDLE_POLL_S, max(self._again_at - self._clock(), SHORTEST_PAUSE_S))

    async def _pull(self) -> int:
        free, self._again_at = self._free_legs(), None
        if not free or not self._trusted() or not await self._something_waits():
            return 0
        await self._recovery.reassure()
        claimed = await self._store.write(
            lambda connection: claim(
                connection,
                now=self._clock(),
                lease_s=CLAIM_LEASE_S,
                limit=min(sum(free.values()), MOST_CLAIMS),
                free_legs=free,
                rate_per_s=self._calls_per_second,
            )
        )
        self._again_at = claimed.again_at
        for item in claimed.claims:
            self._placed.put(item)
        if claimed.claims:
            self._placing.add(self._spawn(self._place(claimed.claims)))
        return len(claimed.claims)

    async def _something_waits(self) -> bool:
        return await self._store.read(lambda connection: something_waits(connection, now=self._clock()))

    def _free_legs(self) -> dict[str, int]:
        return self._placed.free_legs({name: line.ready.capacity for name, line in self._keeper.alive.items()})

    async def _place(self, claims: list[Claim]) -> None:
        """Commit the intents and hand the calls to their lines; whatever fails, the legs come back."""
        # before the commit: a window after an opt-out was committed, no INVITE of an earlier intent can leave any more
        send_before = time.monotonic() + self._send_window_s
        intents: dict[str, Intent] = {}
        try:
            if self._trusted():  # else the claims' leases give the attempts back
                found = await self._store.write(lambda c: record_intents(c, claims, now=self._clock()))
                intents = {intent.attempt["id"]: intent for intent in found}
        except Exception as error:  # nothing was sent; the claims' leases give the attempts back
            log.exception("intents not recorded", attempts=len(claims), error=type(error).__name__)
            self._recovery.doubt()
        finally:
            for item in claims:
                if item.attempt_id not in intents:
                    self._forget(item.attempt_id, item.fence)
        for item in claims:
            if item.attempt_id in intents:
                await self._send(item, intents[item.attempt_id], send_before)

    async def _send(self, item: Claim, intent: Intent, send_before: float) -> None:
        try:
            line = self._keeper.alive[item.line]
            request = call_request(intent, fence=item.fence, send_before=send_before, interpret=self._interpret)
            line.place(request)
            self._placed.sent(request, at=time.monotonic())
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
        """Renew the leases of calls in progress here, and settle attempts whose lease has ended, whoever held them.

        A line that keeps a call beyond all its limits is ended: else nothing would ever give back what the call holds.
        """
        while True:
            await asyncio.sleep(SWEEP_S)
            for name in self._placed.overdue_lines(time.monotonic()) & self._keeper.alive.keys():
                log.error("line owes the end of a call, killing it", line=name)
                self._keeper.alive[name].kill()
            try:
                await self._renew()
                await self._recovery.settle_expired()
            except Exception as error:  # the store may be full or away for a while; leases outlast many sweeps
                log.exception("sweep failed", error=type(error).__name__)

    async def _renew(self) -> None:
        held, until = self._placed.attempt_ids, self._clock() + DIALING_LEASE_S
        if held:
            lines = self._names
            await self._store.write(lambda connection: renew(connection, held, lines=lines, until=until))

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
        self._placed.forget(attempt_id, fence)
        self.kick()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._placing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)


async def _cancel_all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
