"""The same service in parts: web, worker and dialer as processes over PostgreSQL, Redis and one data directory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from outbound.queue.valkey import EmbeddedValkey
from outbound.rehearsal.client import RestClient
from tests.acceptance.test_host import daytime
from tests.dialer.sipp_peer import sipp

pytestmark = pytest.mark.acceptance

CALLS = 8
VARIABLES = {"business": "Northwind", "callback_number": "+442079460000", "parcel": "coffee machine"} | {
    "delivery_day": "2026-12-05",
    "delivery_window": "9:00-12:00",
}


@asynccontextmanager
async def redis_by_url() -> AsyncIterator[str]:
    """A server on a socket of its own, as an operator would run one; the URL."""
    with tempfile.TemporaryDirectory(prefix="outbound-redis-") as folder:
        server = EmbeddedValkey(data_dir=Path(folder), socket=Path(folder, "socket"))
        await server.start()
        try:
            yield server.url
        finally:
            await server.stop()


def own_database(postgres_url: str, name: str) -> str:
    """A new database in the cluster; its URL."""
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


class Part:
    """One process of the service."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: dict[str, str] = {}

    async def until_it_runs(self) -> None:
        """Read what it prints until it says how to stop it."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            words = line.decode().split()
            if words and words[0] in ("REST", "key"):
                self.said[words[0]] = words[1]
            if words and words[0] == "Ctrl-C":
                return
        raise AssertionError(f"it ended with {await self.process.wait()} instead of running")

    async def leave(self) -> None:
        """Be asked to stop, and do so cleanly; one that was killed has left already."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            assert await self.process.wait() == 0


@asynccontextmanager
async def part(*command: str, data: Path, database: str, redis: str, drain_s: int = 0) -> AsyncIterator[Part]:
    """Run ``outbound COMMAND``; at the end it is asked to stop, and must do so cleanly."""
    settings = {"DATA_DIR": str(data), "DATABASE_URL": database, "REDIS_URL": redis, "PORT": "0", "LINES": "1"}
    settings |= {"RECOGNIZER": "scripted", "SYNTHESIZER": "scripted", "LOG_LEVEL": "error"}
    settings["DRAIN_TIMEOUT_S"] = str(drain_s)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outbound", *command),
        env=os.environ | {f"OUTBOUND_{name}": value for name, value in settings.items()},
        stdout=asyncio.subprocess.PIPE,
    )
    running = Part(process)
    try:
        yield running
        await running.leave()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_two_dialers_share_a_campaign_and_ring_nobody_twice(postgres_url: str, tmp_path: Path) -> None:
    database = own_database(postgres_url, "scale_out")
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_by_url())
        parts = [
            await stack.enter_async_context(part(*command, data=tmp_path, database=database, redis=redis))
            for command in (("web",), ("worker",), ("dialer", "--name", "north"), ("dialer", "--name", "south"))
        ]
        await asyncio.gather(*(each.until_it_runs() for each in parts))
        url = parts[0].said["REST"].removesuffix("/v1")
        customer = await stack.enter_async_context(sipp("answer_then_bye", "-m", str(CALLS)))
        client = await stack.enter_async_context(RestClient(url, parts[0].said["key"]))
        await client.post("/v1/trunks", {"name": "default", "host": customer.address, "calls_per_second": 20})
        campaign = await client.post(
            "/v1/campaigns",
            {"name": "Parcels", "callflow": "shipping_alert", "purpose": "transactional", "variables": VARIABLES},
        )
        rows = [f"+4477009001{number:02},{daytime()}" for number in range(CALLS)]
        imported = await client.upload(campaign["id"], "\n".join(["number,zone", *rows]).encode())
        await client.post(f"/v1/campaigns/{campaign['id']}/start")
        kinds = []
        async with asyncio.timeout(60):
            async for event in client.follow():
                kinds.append(event["kind"])
                if event["kind"] == "campaign.completed":
                    break
        attempts = await client.items("/v1/attempts")

        assert imported["accepted"] == CALLS
        assert Counter(attempt["disposition"] for attempt in attempts) == {"hung_up": CALLS}
        rung = Counter(invite.splitlines()[0] for invite in customer.received("INVITE"))
        assert rung == dict.fromkeys(rung, 1)
        assert len(rung) == CALLS
        assert kinds.index("campaign.started") < kinds.index("attempt.dialing") < kinds.index("attempt.done")
        assert await customer.finished() == 0


async def test_dialers_and_workers_come_and_go_in_the_middle_of_a_campaign(postgres_url: str, tmp_path: Path) -> None:
    """Three dialers and two workers; one dialer is drained, a worker killed, another dialer joins. Nobody notices."""
    database, calls = own_database(postgres_url, "come_and_go"), 36
    names = ("north", "south", "east")
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_by_url())

        async def join(*command: str) -> Part:
            shared = {"data": tmp_path, "database": database, "redis": redis, "drain_s": 20}
            return await stack.enter_async_context(part(*command, **shared))

        web, first, second = await join("web"), await join("worker"), await join("worker")
        dialers = [await join("dialer", "--name", name) for name in names]
        await asyncio.gather(*(each.until_it_runs() for each in (web, first, second, *dialers)))
        customer = await stack.enter_async_context(sipp("answer_then_bye", "-m", str(calls)))
        url = web.said["REST"].removesuffix("/v1")
        client = await stack.enter_async_context(RestClient(url, web.said["key"]))
        await client.post("/v1/trunks", {"name": "default", "host": customer.address, "calls_per_second": 10})
        body = {"name": "Parcels", "callflow": "shipping_alert", "purpose": "transactional", "variables": VARIABLES}
        campaign = await client.post("/v1/campaigns", body)
        rows = [f"+4477009002{number:02},{daytime()}" for number in range(calls)]
        await client.upload(campaign["id"], "\n".join(["number,zone", *rows]).encode())
        await client.post(f"/v1/campaigns/{campaign['id']}/start")
        done, joined = 0, None
        async with asyncio.timeout(100):
            async for event in client.follow():
                done += event["kind"] == "attempt.done"
                if event["kind"] == "attempt.done" and done == 6:
                    first.process.kill()
                    await first.process.wait()
                    dialers[1].process.send_signal(signal.SIGTERM)
                    joined = await join("dialer", "--name", "west")
                if event["kind"] == "campaign.completed":
                    break
        assert await dialers[1].process.wait() == 0
        assert joined is not None
        await joined.until_it_runs()
        attempts = await client.items("/v1/attempts")

        assert Counter(attempt["disposition"] for attempt in attempts) == {"hung_up": calls}
        rung = Counter(invite.splitlines()[0] for invite in customer.received("INVITE"))
        assert rung == dict.fromkeys(rung, 1)
        assert len(rung) == calls


@pytest.mark.parametrize("command", ["web", "worker", "dialer"])
async def test_a_part_refuses_to_run_without_what_is_shared(command: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outbound", command),
        env={name: value for name, value in os.environ.items() if not name.startswith("OUTBOUND_")}
        | {"OUTBOUND_DATA_DIR": str(tmp_path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()

    assert process.returncode != 0
    assert b"OUTBOUND_DATABASE_URL" in complaint
    assert b"OUTBOUND_REDIS_URL" in complaint
