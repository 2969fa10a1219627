"""While somebody else is awaited, an agent or a system of the business: the line is heard to live, the customer too.

It decides nothing about what is said; the flow does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from dialer.catches import Caught, Quiet
from dialer.legs import Leg, Playback
from dialer.tones import comfort_pattern

if TYPE_CHECKING:  # the host imports how a talk with an agent is bounded, and must load no ears for that
    from dialer.hearing import Listener

QUIET_S = 1.0
"""An answer that is quicker than this needs no comfort."""
LONG_S = 3600.0
"""Longer than anybody is awaited: the customer who waits need not say anything."""


@asynccontextmanager
async def comforted(customer: Leg, *, after_s: float = 0.0) -> AsyncIterator[None]:
    """Play the comfort pattern to the customer from ``after_s`` on, until the block is left."""
    playing = asyncio.create_task(_comfort(customer, after_s))
    try:
        yield
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def change_of_mind(
    listener: Listener,
    awaited: asyncio.Future[Any],
    *,
    calls_off: Callable[[Caught], bool],
    take: Callable[[Caught], None],
) -> Caught | None:
    """Listen until ``awaited`` is done; what the customer does is taken, unless it calls the wait off.

    Returns what called it off; ``None`` once the wait is over, or nothing more will be said.
    """
    while not awaited.done():
        catching = asyncio.ensure_future(listener.catch(LONG_S))
        first: set[asyncio.Future[Any]] = {awaited, catching}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not catching.done():
            catching.cancel()
            return None
        caught = catching.result()
        if caught is None or isinstance(caught, Quiet):
            return None
        if calls_off(caught):
            return caught
        take(caught)
    return None


async def _comfort(customer: Leg, after_s: float) -> None:
    playback: Playback | None = None
    await asyncio.sleep(after_s)
    try:
        while True:
            playback = customer.play(comfort_pattern())
            if not await playback.wait():
                return
    finally:
        if playback is not None:
            playback.stop()
