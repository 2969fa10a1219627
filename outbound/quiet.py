"""Waits until no call can begin any more to somebody who has just opted out; it ends no call itself."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy import Connection, func, select

from campaigns.attempts import State
from outbound.services import Services
from outbound.store.optouts import Cover, covered
from outbound.store.schema import events

MARGIN_S = 0.2
SENT = frozenset({"call.dialing", "call.ringing", "call.answered", "call.ended"})
"""The INVITE has left; the watch ends what rings."""
OVER = frozenset({"attempt.done", "attempt.released", "attempt.undetermined"})
"""No INVITE will leave."""


async def until_quiet(services: Services, cover: Cover) -> None:
    """Return when no INVITE of an attempt that ``cover`` covers can leave any more; call it once that is committed.

    An intent committed before the opt-out may still send within ``send_window_s``, which the line pool counts from
    before the intent is committed (outbound/pool.py): so from now on it takes that long at most, whatever the clocks of
    several machines say. It is over sooner when each such call tells that its INVITE left, or that it will not. An
    intent that comes later sees the opt-out in its own transaction.
    """
    latest = await services.stream.latest()
    pending = await services.store.read(lambda connection: unsent(connection, cover))
    if not pending:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(services.settings.send_window_s + MARGIN_S):
            async for batch in services.stream.follow(after=latest):
                pending -= {event["attempt_id"] for event in batch if event["kind"] in SENT | OVER}
                if not pending:
                    return


def unsent(connection: Connection, cover: Cover) -> set[str]:
    """Attempts whose intent is committed and whose INVITE may not have left yet."""
    return {key for key in covered(connection, cover, (State.DIALING,)) if not _sent(connection, key)}


def _sent(connection: Connection, attempt_id: str) -> bool:
    """Whether the call told of its INVITE since its last intent: an earlier one may have been given back."""
    intents = select(func.max(events.c.id)).where(events.c.attempt_id == attempt_id, events.c.kind == "attempt.dialing")
    query = select(events.c.id).where(events.c.attempt_id == attempt_id, events.c.kind.in_(SENT))
    query = query.where(events.c.id > func.coalesce(intents.scalar_subquery(), 0)).limit(1)
    return connection.execute(query).first() is not None
