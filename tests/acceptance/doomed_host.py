"""A host in a process of its own that says its attempt's id once it talks, and then waits to be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from outbound.logs import configure_logs
from outbound.rehearsal.client import RestClient
from outbound.up import running_host
from tests.acceptance.test_host import Operator, settings


async def main(data: Path, address: str) -> None:
    async with running_host(settings(data)) as host, RestClient(host.url, host.api_key) as client:
        operator = Operator(host, client)
        await operator.trunk(address)
        attempt_id = await operator.notify()
        await operator.until(attempt_id, "call.answered")
        print(attempt_id, flush=True)  # noqa: T201 - the test waits for it
        await asyncio.Event().wait()


configure_logs("warning")
asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
