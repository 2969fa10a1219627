"""The whole host from outside: a POST becomes a SIP call and a disposition, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from outbound.errors import ConfigurationError, OutboundError, Unavailable
from outbound.rehearsal.client import RestClient
from outbound.settings import Settings
from outbound.up import Host, running_host
from tests.dialer.sipp_peer import free_port, sipp

pytestmark = pytest.mark.acceptance

ANN = "+447700900001"


def settings(data: Path, **changes: Any) -> Settings:
    quick = {"recognizer": "scripted", "synthesizer": "scripted", "lines": 1, "port": 0, "drain_timeout_s": 0}
    return Settings(data_dir=data, **{**quick, **changes})


def daytime() -> str:
    """A zone in which it is about noon now."""
    hours = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{'-' if hours > 0 else '+'}{abs(hours)}" if hours else "Etc/GMT"


def children_named(name: str) -> list[int]:
    """Pids of this process's children whose command is ``name``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, _, rest = entry.read_text().partition(" (")
            command, _, after = rest.rpartition(") ")
            if command == name[:15] and int(after.split()[1]) == os.getpid():
                found.append(int(pid))
    return found


class Operator:
    """What an operator does in these tests."""

    def __init__(self, host: Host, client: RestClient) -> None:
        self.host, self.client = host, client

    async def trunk(self, address: str) -> None:
        await self.client.post("/v1/trunks", {"name": "default", "host": address, "caller_id": "+442079460000"})

    async def notify(self, number: str = ANN, **changes: Any) -> str:
        variables = {"business": "Northwind", "callback_number": "+442079460000", "parcel": "coffee machine"}
        variables |= {"delivery_day": "2026-12-05", "delivery_window": "9:00-12:00"}
        body = {"number": number, "callflow": "shipping_alert", "purpose": "transactional", "zone": daytime()}
        attempt = await self.client.post("/v1/notifications", {**body, "variables": variables, **changes})
        return str(attempt["id"])

    async def until(self, attempt_id: str, *kinds: str) -> dict[str, Any]:
        """Wait for an event of the attempt; returns its data."""
        async with asyncio.timeout(60):
            async for event in self.client.follow():
                if event["attempt_id"] == attempt_id and event["kind"] in kinds:
                    return dict(event["data"])
        raise AssertionError

    async def attempt(self, attempt_id: str) -> dict[str, Any]:
        return await self.client.get(f"/v1/attempts/{attempt_id}")


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with running_host(settings(tmp_path)) as host, RestClient(host.url, host.api_key) as client:
        yield Operator(host, client)


async def test_a_post_rings_a_telephone_and_records_what_happened(operator: Operator) -> None:
    async with sipp("answer_then_bye") as customer:
        await operator.trunk(customer.address)
        attempt_id = await operator.notify()
        done = await operator.until(attempt_id, "attempt.done")
        assert await customer.finished() == 0
        (invite,) = customer.received("INVITE")
    assert done["disposition"] == "hung_up"
    attempt = await operator.attempt(attempt_id)
    assert f"Call-ID: {attempt_id}-1@outbound" in invite
    assert f"sip:{ANN}@" in invite
    assert [receipt["code"] for receipt in attempt["receipts"]] == ["permitted"]
    kinds = [entry["kind"] for entry in attempt["timeline"]]
    order = ["attempt.due", "attempt.claimed", "attempt.dialing", "call.dialing", "call.ended", "attempt.done"]
    assert [kind for kind in kinds if kind in order] == order


async def test_an_opt_out_while_it_rings_cancels_the_call(operator: Operator) -> None:
    async with sipp("ring_until_cancel") as customer:
        await operator.trunk(customer.address)
        attempt_id = await operator.notify()
        await operator.until(attempt_id, "call.ringing")
        await operator.client.post("/v1/optouts", {"number": ANN, "words": "please stop calling me"})
        done = await operator.until(attempt_id, "attempt.done")
        assert await customer.finished() == 0
        assert len(customer.received("CANCEL")) == 1
    assert done["disposition"] == "cancelled"
    assert (await operator.attempt(attempt_id))["hangup_cause"] == "opted_out"
    with pytest.raises(OutboundError, match="asked not to be reached") as refused:
        await operator.notify()
    assert refused.value.code == "refused_by_gate"


async def test_a_killed_line_costs_its_own_call_once_and_comes_back(operator: Operator) -> None:
    assert operator.host.pool is not None
    (pid,) = operator.host.pool.pids.values()
    async with sipp("answer") as customer:
        await operator.trunk(customer.address)
        lost = await operator.notify()
        await operator.until(lost, "call.answered")
        os.kill(pid, signal.SIGKILL)
        done = await operator.until(lost, "attempt.done")
    assert (done["disposition"], done["hangup_cause"]) == ("failed", "line_lost")
    assert [row["ordinal"] for row in await operator.client.items("/v1/attempts")] == [1]
    async with sipp("answer_then_bye") as customer:
        await operator.client.post("/v1/trunks", {"name": "other", "host": customer.address})
        following = await operator.notify("+447700900002", trunk="other")
        assert (await operator.until(following, "attempt.done"))["disposition"] == "hung_up"
    assert pid not in operator.host.pool.pids.values()


async def test_an_unreachable_trunk_is_a_disposition_and_is_tried_again(operator: Operator) -> None:
    await operator.trunk(f"127.0.0.1:{free_port()}")
    attempt_id = await operator.notify(retry={"max_attempts": 2, "delays_s": {"failed": 3600, "congestion": 3600}})
    done = await operator.until(attempt_id, "attempt.done")
    assert done["disposition"] in ("failed", "congestion")
    states = {row["ordinal"]: row["state"] for row in await operator.client.items("/v1/attempts")}
    assert states == {1: "done", 2: "due"}


async def test_a_killed_queue_loses_nothing_and_comes_back(operator: Operator) -> None:
    assert (await operator.client.get("/healthz"))["status"] == "ok"
    (pid,) = children_named("valkey-server") or children_named("redis-server")
    async with sipp("answer_then_bye") as customer:
        await operator.trunk(customer.address)
        os.kill(pid, signal.SIGKILL)
        variables = {"business": "Northwind", "callback_number": "+442079460000"}
        campaign = {"name": "Parcels", "callflow": "shipping_alert", "purpose": "transactional", "variables": variables}
        made = await operator.client.post("/v1/campaigns", campaign)
        own = {"parcel": "coffee machine", "delivery_day": "2026-12-05", "delivery_window": "9:00-12:00"}
        contact = {"number": ANN, "zone": daytime(), "variables": own}
        await operator.client.post(f"/v1/campaigns/{made['id']}/contacts", contact)
        await operator.client.post(f"/v1/campaigns/{made['id']}/start")
        async with asyncio.timeout(60):
            async for event in operator.client.follow():
                if event["kind"] == "campaign.completed":
                    break
    assert pid not in children_named("valkey-server") + children_named("redis-server")
    assert (await operator.client.get("/healthz"))["status"] == "ok"


async def test_a_host_that_died_settles_its_calls_when_it_starts_again(tmp_path: Path) -> None:
    async with sipp("answer") as customer:
        script = Path(__file__).with_name("doomed_host.py")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(script), str(tmp_path), customer.address, daytime()),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert process.stdout is not None
        try:
            attempt_id = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
            assert attempt_id
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    async with running_host(settings(tmp_path)) as host, RestClient(host.url, host.api_key) as client:
        attempt = await client.get(f"/v1/attempts/{attempt_id}")
    assert (attempt["state"], attempt["disposition"], attempt["hangup_cause"]) == ("done", "failed", "line_lost")


async def test_up_runs_from_any_folder_with_its_defaults_and_stops_when_told(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTBOUND_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outbound", "up"),
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2]), "OUTBOUND_PORT": "0"},
    )
    assert process.stdout is not None
    async with asyncio.timeout(90):
        said = [(await process.stdout.readline()).decode().split() for _ in range(4)]
    printed = {words[0]: words[1] for words in said if words}
    async with RestClient(printed["REST"].removesuffix("/v1"), printed["key"]) as client:
        assert (await client.get("/healthz"))["status"] == "ok"
        assert {"shipping_alert", "membership_renewal"} <= {
            flow["name"] for flow in await client.items("/v1/callflows")
        }
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert (tmp_path / "data" / "outbound.db").exists()


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}.*OUTBOUND_PORT"):
            async with running_host(settings(tmp_path, port=port)):
                pass
    async with running_host(settings(tmp_path)):  # nothing of the first was left running
        pass


async def test_a_directory_belongs_to_one_host(tmp_path: Path) -> None:
    async with running_host(settings(tmp_path)):
        with pytest.raises(ConfigurationError, match=f"in use by process {os.getpid()}.*OUTBOUND_DATA_DIR"):
            async with running_host(settings(tmp_path)):
                pass


async def test_a_missing_model_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no Vosk model for 'en'.*outbound models get"):
        async with running_host(settings(tmp_path, recognizer="vosk")):
            pass


def test_a_full_disk_refuses_the_write_and_keeps_what_was_written(tmp_path: Path) -> None:
    script = Path(__file__).with_name("full_disk.py")
    run = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "small.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert run.returncode == 0, run.stderr
    kept, found, said = run.stdout.splitlines()
    assert int(kept) > 0
    assert kept == found
    assert "check the disk" in said
