"""Plays a rehearsal from start to verdict: a host, a cast, and campaigns created and followed through REST alone.

Nothing stays running, however it ends, and nothing outside the rehearsal's own directory is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from outbound.errors import OutboundError
from outbound.lock import DirectoryLock
from outbound.logs import configure_logs
from outbound.rehearsal import directing, programme, table
from outbound.rehearsal.board import Board
from outbound.rehearsal.campaign_file import load_campaign
from outbound.rehearsal.cast import load_cast
from outbound.rehearsal.client import Document, RestClient
from outbound.rehearsal.live import LiveView
from outbound.rehearsal.morning import morning_zone
from outbound.rehearsal.programme import Production
from outbound.rehearsal.stage import Stage
from outbound.rehearsal.stories import Played, gather, prove
from outbound.rehearsal.verdict import judge, judge_rings
from outbound.settings import Settings

if TYPE_CHECKING:
    from outbound.up import Host

AT_MOST_S = 240.0
"""A rehearsal that is not over by then is judged as it stands."""
TAPES_WITHIN_S = 10.0
DRAIN_S = 1.0
"""Who interrupts a rehearsal does not wait for simulated customers."""
PLAIN_WIDTH = 140
CALLER_ID = "+12025550100"
KEPT = frozenset({"prompts", "voices"})
"""Below the rehearsal's directory: what was rendered once serves the next rehearsal."""


async def rehearse(
    settings: Settings,
    campaign_paths: Sequence[Path],
    cast_path: Path,
    *,
    exchange_port: int = 0,
    console: Console | None = None,
) -> int:
    """Play a rehearsal; returns the exit code. Raises :class:`OutboundError` for what an operator can put right."""
    began = process_began()
    console = console or terminal()
    cast = await asyncio.to_thread(load_cast, cast_path)
    files = [await asyncio.to_thread(load_campaign, path) for path in campaign_paths]
    zone, local = morning_zone(datetime.now(UTC))
    for file in files:  # checked before anything starts; the agent's address follows once the exchange has one
        programme.produce(file, cast, zone=zone, today=local.date())
    folder = settings.data_dir.resolve() / "rehearsal"
    await asyncio.to_thread(clear, folder)
    log_to(folder / "logs" / "host.log", settings.log_level)
    stage = Stage(directing.roles(cast), folder=folder, voices_folder=folder / "voices", port=exchange_port)
    board = Board({customer.number: customer.name for customer in cast.customers})

    async with running(settings, folder, stage) as host, RestClient(host.url, host.api_key) as client:
        agent_uri = f"sip:{cast.agent.user}@{stage.address}" if cast.agent is not None else ""
        productions = [
            programme.produce(file, cast, zone=zone, today=local.date(), agent_uri=agent_uri) for file in files
        ]
        _introduce(console, productions, zone, local)
        played = await _create(client, board, productions, stage)
        up_at = time.monotonic()
        with LiveView(board, console) as view:
            await _play(host, client, board, view, played)
        await _hung_up(stage)
        told, rings = await gather(client, played, board, stage, cast)
    console.print(_pace(began, up_at, stage), style="dim", highlight=False)
    stories = await prove(told, recognizer=settings.recognizer, language=files[0].campaign.language)
    findings = [finding for story in stories for finding in judge(story)] + [judge_rings(each) for each in rings]
    table.show(console, stories, findings)
    console.print(f"Recordings and logs: {folder}. {time.monotonic() - began:.0f} s in all.", highlight=False)
    return 0 if all(finding.holds for finding in findings) else 1


def process_began() -> float:
    """``time.monotonic()`` at which this process began, imports and all; now, where there is no /proc."""
    now = time.monotonic()
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    except OSError:
        return now
    return now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def terminal() -> Console:
    """Standard output; without a terminal lines are as long as they are and tables as wide as they need."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


@asynccontextmanager
async def running(settings: Settings, folder: Path, stage: Stage) -> AsyncIterator[Host]:
    """Run host and stage, started beside each other; both are gone when the block is left."""
    own = settings.model_copy(
        update={"data_dir": folder, "database_url": "", "redis_url": "", "port": 0, "drain_timeout_s": DRAIN_S}
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(stage.close)
        await stage.prepare()
        opening = asyncio.create_task(stage.open(), name="stage")
        stack.push_async_callback(_cancel, opening)
        up = await asyncio.to_thread(import_module, "outbound.up")  # seconds of imports, while the cast starts
        host: Host = await stack.enter_async_context(up.running_host(own))
        await opening
        yield host


async def _create(client: RestClient, board: Board, productions: Sequence[Production], stage: Stage) -> list[Played]:
    """Create trunk, campaigns and contacts."""
    trunk = {"name": programme.TRUNK, "host": stage.address, "caller_id": CALLER_ID, "display_name": "Rehearsal"}
    await client.post("/v1/trunks", trunk)
    played = []
    for production in productions:
        if production.flow is not None:
            await client.put(f"/v1/callflows/{production.campaign.callflow}", {"document": production.flow})
        body = production.campaign.model_dump(mode="json")
        campaign = await client.post("/v1/campaigns", body)
        contacts = programme.contacts_csv(production.contacts)
        done = await client.upload(campaign["id"], contacts)
        if done["rejected"]:
            raise OutboundError(f"{production.key}: {_rejects(done)}", code="contacts_rejected")
        board.add(campaign["id"], production.campaign.name, len(production.contacts))
        played.append(Played(production=production, campaign_id=campaign["id"]))
    return played


def _rejects(job: Document) -> str:
    return "; ".join(f"row {reject['row']}, {reject['field']}: {reject['reason']}" for reject in job["rejects"])


async def _play(host: Host, client: RestClient, board: Board, view: LiveView, played: Sequence[Played]) -> None:
    """Start the campaigns and follow them to their end, or for as long as a rehearsal may last."""
    news = asyncio.Condition()

    async def follow() -> None:
        async for event in client.follow():
            view.tell(board.take(event))
            async with news:
                news.notify_all()

    async def perform() -> None:
        for place, each in enumerate(played):
            async with news:  # whoever is in an earlier campaign too is left to that one first
                await news.wait_for(lambda at=place: _may_begin(board, played[:at], played[at]))  # type: ignore[misc]
            await client.post(f"/v1/campaigns/{each.campaign_id}/start")
        async with news:
            await news.wait_for(lambda: all(board.over(each.campaign_id) for each in played))

    following, performing = asyncio.create_task(follow()), asyncio.create_task(perform())
    try:
        parts = {following, performing, host.failed}
        done, _ = await asyncio.wait(parts, timeout=AT_MOST_S, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            part.result()
    finally:
        await _cancel(performing)
        await _cancel(following)


def _may_begin(board: Board, earlier: Sequence[Played], campaign: Played) -> bool:
    """Whether every customer it shares with campaigns that have begun has been dealt with by those."""
    numbers = {contact.number for contact in campaign.production.contacts}
    return all(
        board.settled(each.campaign_id, contact.number)
        for each in earlier
        for contact in each.production.contacts
        if contact.number in numbers
    )


async def _hung_up(stage: Stage) -> None:
    """Let every customer put down the telephone and keep its recording."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(TAPES_WITHIN_S):
            await stage.all_over()


def _introduce(console: Console, productions: Sequence[Production], zone: str, local: datetime) -> None:
    for note in [note for production in productions for note in production.notes]:
        console.print(note, style="dim", highlight=False)
    console.print(
        f"It is {local:%H:%M} for every customer (zone {zone}): "
        "the gate refuses calls outside 09:00-20:00, in a rehearsal too.",
        highlight=False,
    )


def _pace(began: float, up_at: float, stage: Stage) -> str:
    rings = [at for times in stage.rung.values() for at in times]
    ring = f", the first telephone rang after {min(rings) - began:.1f} s" if rings else ""
    return f"Everything was up after {up_at - began:.1f} s{ring}."


def clear(folder: Path) -> None:
    """Make room for a new rehearsal; what was rendered stays. Raises :class:`ConfigurationError` while one runs."""
    lock = DirectoryLock(folder)
    lock.acquire()
    try:
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name not in KEPT:
                shutil.rmtree(entry)
            elif not entry.is_dir() and entry.name != "lock":
                entry.unlink()
    finally:
        lock.release()


def log_to(path: Path, level: str) -> None:
    """Send this process's log to a file: the terminal belongs to the live view."""
    path.parent.mkdir(parents=True, exist_ok=True)
    configure_logs(level)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(path.open("a", encoding="utf-8"))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, OutboundError):
        await task
