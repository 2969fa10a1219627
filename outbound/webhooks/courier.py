"""Carries one webhook's deliveries: streams beside each other, each in its order; every other webhook has its own.

It never holds more than it may send before its lease ends, and keeps nothing that a crash would lose: what was sent and
not written is sent again under the same id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from outbound.store import Store, webhook_deliveries, webhooks
from outbound.store.webhook_deliveries import LEASE_S, Delivery, Letter, Outcome
from outbound.webhooks.backoff import pause_s
from outbound.webhooks.books import Books
from outbound.webhooks.message import body, message_id
from outbound.webhooks.posting import GONE, TIMEOUT_S, Answer, Poster
from outbound.webhooks.signing import signature

log = structlog.get_logger(__name__)
CONCURRENCY = 16
"""Streams of one webhook that a worker sends beside each other."""
BROKEN_AFTER = 5
"""After so many failures in a row the endpoint is taken for broken: one try at a time, with growing pauses."""
RESTS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
LONGEST_ASKED_REST_S = 3600.0
GIVEN_UP_AFTER_S = 5 * 86400.0
LAST_START_S = TIMEOUT_S + 5.0
"""Nothing is sent unless its lease lasts so much longer."""
LOOK_EVERY_S = 0.02
"""What becomes due, and what is over, within so short a time is looked at together."""
FRESH_S = 1.0
"""A letter that was read longer ago is read again before it is sent: it may have been erased."""
GONE_REASON = "the endpoint answered 410 Gone: it wants nothing more; enable it again with PATCH once it does"
FAILING_REASON = "nothing has arrived for 5 days; put the endpoint right and enable it again with PATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What all couriers share."""

    store: Store
    poster: Poster
    books: Books
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    """Letters, by delivery."""

    letters: Mapping[int, Letter]
    read_at_s: float
    """On the loop's clock."""


class Courier:
    """One webhook's, in this process."""

    def __init__(self, webhook_id: str, equipment: Equipment) -> None:
        self._webhook_id = webhook_id
        self._with = equipment
        self._running: set[asyncio.Task[None]] = set()
        self._nudged = asyncio.Event()
        self._failures = 0
        self._resting_until = 0.0

    def nudge(self) -> None:
        """There may be something to send."""
        self._nudged.set()

    async def run(self) -> None:
        """Send what is due whenever nudged, until cancelled; what was taken and not sent is given back then."""
        try:
            while True:
                await self._nudged.wait()
                self._nudged.clear()
                try:
                    await self._fill()
                except Exception as error:  # the store may be away; there will be another nudge
                    log.exception("webhook not served", webhook_id=self._webhook_id, error=type(error).__name__)
        finally:
            for task in tuple(self._running):
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def _room(self) -> int:
        """How many more streams may be begun now."""
        if self._with.clock() < self._resting_until:
            return 0
        return (1 if self._failures >= BROKEN_AFTER else CONCURRENCY) - len(self._running)

    async def _fill(self) -> None:
        room, now = self._room(), self._with.clock()
        if room <= 0:
            return
        began, store = _loop_s(), self._with.store
        streams = await store.read(lambda c: webhook_deliveries.due(c, self._webhook_id, now=now, limit=room))
        looked_s = _loop_s() - began
        if streams:
            until = now + LEASE_S + random.random() / 1000  # noqa: S311 - nobody else's lease ends in this very instant
            runs = await store.write(
                lambda c: webhook_deliveries.take(c, self._webhook_id, streams, now=now, until=until)
            )
            mail = await self._mail([one for run in runs for one in run])
            for run in runs:
                task = asyncio.create_task(self._carry(run, mail), name="webhook stream")
                self._running.add(task)
                task.add_done_callback(self._landed)
        await asyncio.sleep(min(max(looked_s * 4, LOOK_EVERY_S), 1.0))  # where very much waits, it looks more rarely

    async def _mail(self, taken: list[Delivery]) -> _Mail:
        letters = await self._with.store.read(lambda c: webhook_deliveries.letters(c, taken))
        return _Mail(letters=letters, read_at_s=_loop_s())

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("webhook stream broken off", webhook_id=self._webhook_id, exc_info=error)
        self.nudge()

    async def _carry(self, run: list[Delivery], mail: _Mail) -> None:
        """Send a stream's deliveries in their order, until one fails or the lease is nearly over."""
        noted: list[asyncio.Future[None]] = []
        left = list(run)
        try:
            while left and self._with.clock() <= left[0].lease_until - LAST_START_S:
                if _loop_s() - mail.read_at_s > FRESH_S:
                    mail = await self._mail(left)
                letter = mail.letters.get(left[0].id)
                if letter is None:
                    break
                outcome = await self._send(left[0], letter)
                del left[0]
                noted.append(self._with.books.note(outcome))
                if outcome.error:
                    left = []  # they are put off, or set free, with it
                    await self._consider_disabling(letter, outcome, noted[-1])
        finally:
            if left:
                await self._with.store.write(lambda c: webhook_deliveries.release(c, left, now=self._with.clock()))
            await asyncio.gather(*noted)

    async def _send(self, delivery: Delivery, letter: Letter) -> Outcome:
        if letter.event is None:
            return Outcome(delivery=delivery, code=0, error="its event is no longer there", retry_at=None)
        now, name = self._with.clock(), message_id(delivery.webhook_id, delivery.event_id)
        told = body(letter.event)
        signed = signature(letter.secrets, message_id=name, timestamp=int(now), body=told, now=now)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Outbound-Webhooks/1",
            "webhook-id": name,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": signed,
        }
        answer = await self._with.poster.post(letter.url, headers, told, private=letter.private_allowed)
        return self._judge(delivery, answer)

    async def _consider_disabling(self, letter: Letter, outcome: Outcome, durable: asyncio.Future[None]) -> None:
        now = self._with.clock()
        if outcome.code == GONE:
            why, code = GONE_REASON, "gone"
        elif now - (letter.failing_since or now) >= GIVEN_UP_AFTER_S:
            why, code = FAILING_REASON, "failing"
        else:
            return
        await durable  # whoever reads why it is disabled finds the failure too
        log.warning("webhook disabled", webhook_id=self._webhook_id, reason=code)
        await self._with.store.write(lambda c: webhooks.disable(c, self._webhook_id, reason=why, code=code, now=now))

    def _judge(self, delivery: Delivery, answer: Answer) -> Outcome:
        if answer.delivered:
            self._failures = 0
            return Outcome(delivery=delivery, code=answer.code, error="", retry_at=None)
        now = self._with.clock()
        self._failures += 1
        self._rest(now, answer)
        wait_s = pause_s(delivery.tries + 1, self._with.jitter(), answer.retry_after_s)
        return Outcome(
            delivery=delivery, code=answer.code, error=answer.error, retry_at=None if wait_s is None else now + wait_s
        )

    def _rest(self, now: float, answer: Answer) -> None:
        """Leave an endpoint alone that asks for it, or that nothing arrives at: no try is wasted on it."""
        asked_s = min(answer.retry_after_s, LONGEST_ASKED_REST_S)
        own_s = RESTS_S[min(self._failures - BROKEN_AFTER, len(RESTS_S) - 1)] if self._failures >= BROKEN_AFTER else 0.0
        self._resting_until = max(self._resting_until, now + max(asked_s, own_s))


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
