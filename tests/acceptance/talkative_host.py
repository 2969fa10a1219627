"""A host in a process of its own, at debug level: it makes a call and suffers what makes a host write into its log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

import structlog

import outbound.up
from outbound.errors import OutboundError
from outbound.logs import configure_logs
from outbound.rehearsal.client import RestClient
from outbound.up import running_host
from tests.acceptance.talking_line import FLOW, NAME, NUMBER, SILENT, talking_lines
from tests.acceptance.test_host import Operator, settings

VARIABLES = {"business": "Northwind", "parcel": "coffee machine"}


async def main(data: Path) -> None:
    outbound.up.line_starter = talking_lines  # type: ignore[assignment]
    chosen = settings(data, engine="loopback", log_level="debug")
    async with running_host(chosen) as host, RestClient(host.url, host.api_key) as client:
        operator = Operator(host, client)
        await operator.trunk("127.0.0.1:5060")
        await client.post("/v1/callflows", {"document": FLOW})
        wanted = {"callflow": "observed", "variables": VARIABLES, "name": NAME}
        attempt_id = await operator.notify(NUMBER, **wanted)
        done = await operator.until(attempt_id, "attempt.done")
        print(done["disposition"], flush=True)  # noqa: T201 - the test reads it
        await mishaps(operator, wanted)


async def mishaps(operator: Operator, wanted: dict[str, object]) -> None:
    """A line that dies in a call, requests that make no sense, errors that quote a customer."""
    lost = await operator.notify(SILENT, **wanted)
    await operator.until(lost, "call.answered")
    assert operator.host.pool is not None
    for pid in operator.host.pool.pids.values():
        os.kill(pid, signal.SIGKILL)
    await operator.until(lost, "attempt.done")
    for path in (f"/v1/contacts/{NUMBER}/nothing", f"/v1/contacts/{NAME}"):
        with contextlib.suppress(OutboundError):
            await operator.client.get(path)
    for log in (structlog.get_logger("ours"), logging.getLogger("sqlalchemy"), logging.getLogger("aiohttp.server")):
        try:
            raise ValueError(f"no route to sip:{NUMBER}@192.0.2.1, tried {NUMBER[1:]}")
        except ValueError:
            log.exception("call failed")
    structlog.get_logger("ours").warning("seen", **{"pii.words": NAME})


configure_logs("debug")
asyncio.run(main(Path(sys.argv[1])))
