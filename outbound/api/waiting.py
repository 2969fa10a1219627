"""Holds an answer until what it began is over, as long as ``Prefer: wait=N`` asks for (RFC 7240 §4.3)."""

from __future__ import annotations

import asyncio
import contextlib
import re

from outbound.api.calls import Call

MAX_WAIT_S = 60
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*(\d{1,4})\s*(?:$|[,;])", re.IGNORECASE)


async def hold(call: Call, kind: str, import_id: str, *, after: int) -> int | None:
    """Wait for the event ``kind`` of an import; return the seconds that were granted, ``None`` if it did not come."""
    wish = _WAIT.search(call.request.headers.get("Prefer", ""))
    if wish is None:
        return None
    seconds = min(int(wish[1]), MAX_WAIT_S)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for batch in call.services.stream.follow(after=after):
                if any(event["kind"] == kind and event["data"]["import_id"] == import_id for event in batch):
                    return seconds
    return None
