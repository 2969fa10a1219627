"""The product seen from outside: logs without a customer in them, figures, traces, health while real things break."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

import outbound.up
from dialer.link import LineError, LineProcess, OnAsked
from outbound.errors import Unavailable
from outbound.line_keeper import StartLine
from outbound.queue.valkey import EmbeddedValkey
from outbound.rehearsal.client import RestClient
from outbound.settings import Settings
from outbound.speech_processes import SpeechProcesses
from outbound.store import events
from outbound.up import Host, running_host
from tests.acceptance.talking_line import DIGITS, FLOW, NAME, NUMBER, SILENT, WORDS, talking_lines
from tests.acceptance.test_host import Operator, settings
from tests.acceptance.test_scale_out import own_database
from tests.collector import Collector, collector

pytestmark = pytest.mark.acceptance

ROOM_BYTES = 4_000_000
ROOT = Path(__file__).parents[2]
WANTED = {"callflow": "observed", "variables": {"business": "Northwind", "parcel": "coffee machine"}, "name": NAME}


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that ring the customers of this folder instead of telephones."""
    monkeypatch.setattr(outbound.up, "line_starter", talking_lines)


@contextlib.asynccontextmanager
async def running(chosen: Settings) -> AsyncIterator[Operator]:
    async with running_host(chosen) as host, RestClient(host.url, host.api_key) as client:
        operator = Operator(host, client)
        await operator.trunk("127.0.0.1:5060")
        await client.post("/v1/callflows", {"document": FLOW})
        yield operator


async def get(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" else text


async def status_until(host: Host, wanted: str, *, path: str = "/readyz") -> dict[str, Any]:
    """Ask until a host says it is so; what it said then."""
    async with asyncio.timeout(60):
        while True:
            _, told = await get((host.url or host.metrics_url) + path)
            if told["status"] == wanted:
                return dict(told)
            await asyncio.sleep(0.1)


async def figures(url: str) -> dict[tuple[str, ...], float]:
    _, shown = await get(url + "/metrics")
    families = text_string_to_metric_families(shown)
    return {(item.name, *item.labels.values()): item.value for family in families for item in family.samples}


async def test_no_log_at_debug_level_holds_a_number_a_word_or_a_digit_of_a_customer(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTBOUND_")}
    environment |= {"PYTHONPATH": str(ROOT), "OUTBOUND_LOG_LEVEL": "debug"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("talkative_host.py")), str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        limit=2**24,
    )
    said, logged = await process.communicate()
    text = logged.decode()
    assert process.returncode == 0, text[-4000:]
    assert said.decode().strip() == "accepted"

    lines = [json.loads(line) for line in text.splitlines()]  # every line of every process is an object
    assert {"call failed", "line died", "line up", "seen"} <= {line["event"] for line in lines}
    assert {"process"} <= {key for line in lines for key in line}  # those of children are among them
    secrets = [
        NUMBER[1:],
        NUMBER[3:],
        SILENT[1:],
        NAME,
        *NAME.split(),
        *WORDS.split()[1:2],
        "coffee machine",
        DIGITS,
        "seven",
    ]
    assert [(secret, line) for secret in secrets for line in text.splitlines() if secret in line] == []


@pytest.mark.usefixtures("loopback")
async def test_a_call_is_seen_in_the_figures_and_in_a_collector(tmp_path: Path) -> None:
    async with (
        collector() as peer,
        running(settings(tmp_path, engine="loopback", otlp_endpoint=peer.url)) as operator,
    ):
        before = await figures(operator.host.url)
        attempt_id = await operator.notify(NUMBER, **WANTED)
        await operator.until(attempt_id, "attempt.done")
        after = await figures(operator.host.url)
    check_figures(before, after)
    check_trace(peer, attempt_id)


def check_figures(before: dict[tuple[str, ...], float], after: dict[tuple[str, ...], float]) -> None:
    assert before["outbound_lines",] == before["outbound_lines_wanted",] == 1
    assert before["outbound_legs_capacity",] > 0
    assert after["outbound_attempts_total", "accepted"] - before["outbound_attempts_total", "accepted"] == 1
    assert after["outbound_events_total", "call.answered"] == 1
    assert after["outbound_store_readable",] == 1
    assert after["outbound_trunk_channels_in_use", "default"] == 0
    assert ("outbound_queue_jobs",) in after
    assert NUMBER not in str(after)


def check_trace(peer: Collector, attempt_id: str) -> None:
    """One trace, from the POST to the hang-up."""
    (attempt,) = [span for span in peer.spans if span.name == "attempt"]
    ((request, (plan, (name, parts))),) = peer.tree(attempt.trace_id)
    assert (request, plan, name) == ("POST /v1/notifications", "plan", "attempt")
    names = [part if isinstance(part, str) else part[0] for part in parts]
    assert names == ["claim", "intent", "dial", "ring", "conversation", "hang up", "settle"]
    turns = next(part[1] for part in parts if part[0] == "conversation")
    assert turns.count("turn") >= 4  # the question twice, the code, its confirmation
    assert attempt.attributes["outbound.attempt.id"] == attempt_id
    secrets = [NUMBER[1:], NAME, WORDS, DIGITS, "coffee machine"]
    assert [secret for secret in secrets if secret.encode() in peer.raw] == []


async def test_a_host_whose_lines_are_dead_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = asyncio.Event()

    def breakable(chosen: Settings, speech: SpeechProcesses, on_asked: OnAsked) -> StartLine:
        start = talking_lines(chosen, speech, on_asked)

        async def started(name: str, **callbacks: Any) -> LineProcess:
            if broken.is_set():
                raise LineError("the engine is broken")
            return await start(name, **callbacks)

        return started

    monkeypatch.setattr(outbound.up, "line_starter", breakable)
    chosen = settings(tmp_path, engine="loopback", metrics_port=0, redis_url="")
    async with running_host(chosen) as host:
        await status_until(host, "ok")
        assert host.pool is not None
        broken.set()
        for pid in host.pool.pids.values():
            os.kill(pid, signal.SIGKILL)

        told = await status_until(host, "failing")
        assert [name for name, check in told["checks"].items() if not check["ok"]] == ["lines"]
        assert (await get(host.metrics_url + "/readyz"))[0] == 503
        assert (await figures(host.metrics_url))["outbound_lines",] == 0
        broken.clear()
        await status_until(host, "ok")


async def test_a_dialer_whose_clock_leapt_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leap_s = 0.0
    monkeypatch.setattr(outbound.up, "time", SimpleNamespace(time=lambda: time.time() + leap_s))
    async with running_host(settings(tmp_path, engine="loopback")) as host:
        await status_until(host, "ok")
        leap_s = 3600.0
        told = await status_until(host, "failing")
        assert [name for name, check in told["checks"].items() if not check["ok"]] == ["clock"]
        leap_s = 0.0
        await status_until(host, "ok")


async def test_a_host_without_its_postgresql_is_not_ready(postgres_url: str, tmp_path: Path) -> None:
    database = own_database(postgres_url, "observed")
    socket = Path(str(make_url(postgres_url).query["host"]), ".s.PGSQL.5432")
    chosen = settings(tmp_path, database_url=database)
    async with running_host(chosen, frozenset({outbound.up.WEB})) as host:
        await status_until(host, "ok")
        hidden = await asyncio.to_thread(hide, socket, tmp_path / "known")
        try:
            told = await status_until(host, "failing")
            assert not told["checks"]["store"]["ok"]
            assert (await get(host.url + "/livez"))[0] == 200
            assert (await figures(host.url))["outbound_store_readable",] == 0
        finally:
            await asyncio.to_thread(hidden.rename, socket)
        await status_until(host, "ok")


def hide(socket: Path, known: Path) -> Path:
    """Move the server's socket away and end every connection, through one that only this test knows."""
    hidden = socket.rename(socket.with_name("hidden"))
    known.mkdir()
    (known / socket.name).symlink_to(hidden)
    engine = create_engine(f"postgresql+psycopg://outbound@/postgres?host={known}")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'observed'"))
    engine.dispose()
    return hidden


async def test_a_queue_that_is_gone_degrades_a_host_and_fails_a_worker(tmp_path: Path) -> None:
    server = EmbeddedValkey(data_dir=tmp_path / "valkey", socket=tmp_path / "valkey.sock")
    await server.start()
    alone = settings(tmp_path / "up", engine="loopback", redis_url=server.url)
    worker = settings(tmp_path / "worker", redis_url=server.url, metrics_port=0)
    async with running_host(alone) as host, running_host(worker, frozenset({outbound.up.WORKER})) as other:
        await status_until(host, "ok")
        await status_until(other, "ok")
        await server.stop()

        told = await status_until(host, "degraded")
        assert not told["checks"]["queue"]["ok"]
        assert (await get(host.url + "/readyz"))[0] == 200
        await status_until(other, "failing")
        assert (await get(other.metrics_url + "/readyz"))[0] == 503
        assert (await get(other.metrics_url + "/livez"))[0] == 200


async def test_a_full_disk_fails_a_host_until_there_is_room(tmp_path: Path) -> None:
    async with running_host(settings(tmp_path, engine="loopback"), frozenset({outbound.up.WEB})) as host:
        await status_until(host, "ok")
        free = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, free[1]))
        try:
            for padding in (200_000, 20_000, 1_000, 0):
                await fill(host, padding)
            told = await status_until(host, "failing")
            assert (await get(host.url + "/livez"))[0] == 200
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, free)
        assert not told["checks"]["store"]["ok"]
        await status_until(host, "ok")


async def fill(host: Host, padding: int) -> None:
    """Write until the disk refuses."""
    data = {"padding": "x" * padding}
    for _ in range(100_000):
        try:
            await host.services.store.write(lambda c: events.append(c, at=0.0, kind="test", data=data))
        except Unavailable:
            return
    raise AssertionError("the disk never ended")


@pytest.mark.usefixtures("loopback")
async def test_a_draining_host_is_not_ready_while_its_call_is_finished(tmp_path: Path) -> None:
    chosen = settings(tmp_path, engine="loopback", drain_timeout_s=60)
    seen: dict[str, Any] = {}
    async with running(chosen) as operator:
        host = operator.host
        attempt_id = await operator.notify(NUMBER, **WANTED)
        await operator.until(attempt_id, "call.answered")
        leaving = asyncio.create_task(outbound.up._drain(host.services, host.pool))
        seen = await status_until(host, "draining")
        assert (await get(host.url + "/readyz"))[0] == 503
        assert (await get(host.url + "/livez"))[0] == 200
        assert (await operator.attempt(attempt_id))["state"] == "dialing"
        done = await operator.until(attempt_id, "attempt.done")
        await leaving
    assert seen["status"] == "draining"
    assert done["disposition"] == "accepted"
