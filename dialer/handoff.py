"""Rings a human agent as a second leg, connects them with the customer, and stays until one of them hangs up.

It recognises nothing while they talk, and leaves the customer's leg to the call.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from campaigns.flow.effects import Handoff
from campaigns.flow.inputs import HandoffEnded
from dialer.legs import Answered, Dial, Ended, EndedBy, Engine, Leg, LegError
from dialer.messages import CallRequest, EventKind
from dialer.story import Story
from dialer.waiting import comforted
from dialer.watch import LegWatch

SUMMARY_HEADER = "X-Outbound-Summary"
SUMMARY_CHARS = 400
BUSY_CODES = frozenset({486, 600})
NO_ANSWER_CODES = frozenset({0, 408, 480, 487})
ENDED_WITHIN_S = 5.0
"""How long the end of a leg we hung up is waited for."""
LONGEST_TALK_S = 4 * 3600.0
"""A bridge that nobody ended by then is a lost signal, not a talk."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def summary_header(summary: str) -> str:
    """``summary`` as a header value: one line of UTF-8 TEXT (RFC 3261 §25.1), no control characters, bounded."""
    return _CONTROL.sub(" ", summary).strip()[:SUMMARY_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """What is needed to connect this customer with somebody."""

    engine: Engine
    request: CallRequest
    customer: Leg
    customer_watch: LegWatch
    story: Story

    async def hand_off(self, handoff: Handoff, on_connected: Callable[[], None]) -> HandoffEnded:
        """Ring, connect, wait for the end. The agent's leg is over when this returns or is cancelled.

        ``on_connected`` is called just before the two hear each other.
        """
        if not self.request.agent_uri:
            return self._failed(handoff, "no_agent")
        self._tell("ringing", handoff)
        watch = LegWatch()
        try:
            agent = await self.engine.dial(self._dial(handoff), watch.on_event)
        except LegError:
            return self._failed(handoff, "no_agent")
        try:
            settled = await self._ring(watch)
            if not isinstance(settled, Answered):
                return self._failed(handoff, self._reason(settled))
            on_connected()
            return await self._connect(handoff, agent, watch)
        finally:
            await _end(agent, watch)

    def _dial(self, handoff: Handoff) -> Dial:
        return Dial(
            call_id=f"{self.request.call_id}-agent",
            target=self.request.agent_uri,
            trunk=self.request.trunk,
            headers={SUMMARY_HEADER: summary_header(handoff.summary)},
        )

    async def _ring(self, watch: LegWatch) -> Answered | Ended | None:
        """Wait for the agent while the customer hears the comfort pattern; ``None`` for no answer or no customer."""
        answered = asyncio.create_task(watch.settled(self.request.agent_ring_timeout_s))
        lost = asyncio.create_task(self.customer_watch.wait_ended())
        try:
            async with comforted(self.customer):
                await asyncio.wait({answered, lost}, return_when=asyncio.FIRST_COMPLETED)
            return answered.result() if answered.done() else None
        finally:
            await _cancel(answered, lost)

    async def _connect(self, handoff: Handoff, agent: Leg, watch: LegWatch) -> HandoffEnded:
        await self.customer.bridge(agent)
        self._tell("connected", handoff)
        ends = {asyncio.create_task(watch.wait_ended()), asyncio.create_task(self.customer_watch.wait_ended())}
        try:
            await asyncio.wait(ends, timeout=LONGEST_TALK_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(*ends)
            if self.customer_watch.ended is None:
                await self.customer.unbridge()
        self._tell("ended", handoff)
        return HandoffEnded(connected=True)

    def _reason(self, settled: Answered | Ended | None) -> str:
        if not isinstance(settled, Ended):
            return "no_answer"
        if settled.code in BUSY_CODES:
            return "busy"
        return "no_answer" if settled.code in NO_ANSWER_CODES and settled.by is EndedBy.PEER else "failed"

    def _failed(self, handoff: Handoff, reason: str) -> HandoffEnded:
        self._tell("failed", handoff, reason)
        return HandoffEnded(connected=False, reason=reason)

    def _tell(self, state: str, handoff: Handoff, reason: str = "") -> None:
        data = {"state": state, "reason": reason, "queue": handoff.queue, "summary": handoff.summary}
        self.story.tell(EventKind.HANDOFF, **data)


async def _end(leg: Leg, watch: LegWatch) -> None:
    if watch.ended is None:
        await leg.hangup()
        await watch.wait_ended(ENDED_WITHIN_S)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
