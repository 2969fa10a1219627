"""The questions that one call puts to systems of the business: each is asked once, whoever waits for its reply.

Who is asked, and how, is the host's (outbound/systems); a line process knows no address and no secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer.messages import EventKind
from dialer.story import Story

Ask = Callable[[Request], Awaitable[Replied]]
"""Has the host ask; returns within the request's deadline, and raises nothing."""


async def nobody(request: Request) -> Replied:
    """Answer for a host that can ask no system."""
    return Replied(problem=f"there is nobody here to ask {request.system!r}")


class Questions:
    """What one call asked, by the key of the request."""

    def __init__(self, ask: Ask, story: Story) -> None:
        self._ask, self._story = ask, story
        self._asked: dict[str, asyncio.Task[Replied]] = {}

    def put(self, request: Request) -> None:
        """Ask, unless that was asked under the same key already."""
        if request.key not in self._asked:
            self._asked[request.key] = asyncio.create_task(self._put(request), name=f"asks {request.system}")

    def asked(self, request: Request) -> asyncio.Task[Replied] | None:
        """What will be its reply; ``None`` when it was never put."""
        return self._asked.get(request.key)

    async def finish(self) -> None:
        """Wait for what is still open: the system may act, and then it is told, though nobody waits for it any more."""
        if self._asked:
            await asyncio.wait(self._asked.values())

    async def _put(self, request: Request) -> Replied:
        begun = asyncio.get_running_loop().time()
        named = {"system": request.system, "operation": request.operation, "key": request.key}
        self._story.tell(EventKind.SYSTEM, **named, state="asked")
        replied = await self._ask(request)
        took_s = round(asyncio.get_running_loop().time() - begun, 3)
        state = "failed" if replied.problem else "replied"
        told = {"state": state, "result": replied.result, "problem": replied.problem, "took_s": took_s}
        self._story.tell(EventKind.SYSTEM, **named, **told)
        return replied
