"""The child's side of a process of the cast: it says what happens as JSON lines and ends when its parent does.

It knows neither calls nor telephones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Coroutine


def tell(kind: str, **data: object) -> None:
    """Say one line to the parent; a parent that is gone is noticed elsewhere."""
    line = json.dumps({"kind": kind, "at_monotonic": time.monotonic(), "data": data})
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


async def until_told_to_end() -> None:
    """Wait until standard input closes: the parent ended this process, or is no more."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        await reader.read()
    finally:
        transport.close()


def run(main: Coroutine[object, object, None]) -> None:
    """Run a process of the cast; Ctrl-C in the terminal is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(main)
