"""What the whole product uses while nobody is called: processor time and memory of ``outbound up`` and its children.

Settings are the defaults, except for a folder and a port of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from outbound.rehearsal import gauges
from outbound.rehearsal.chaos.family import family
from outbound.rehearsal.figures import Figure

SETTLE_S = 5.0
IDLE_S = 20.0
READY_WITHIN_S = 90.0
STOP_WITHIN_S = 20.0
READY_WORDS = b"Ctrl-C"
KINDS = {
    "dialer.line": "line",
    "speech.worker recognizer": "recogniser",
    "speech.worker synthesizer": "synthesiser",
    "valkey-server": "Valkey",
    "redis-server": "Valkey",
    "outbound": "host",
}
"""What a process is, by words of its command line; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """One process that had nothing to do."""

    kind: str
    cpu_s_a_minute: float
    mib: float


async def idle_figures(folder: Path, *, seconds: float = IDLE_S, settle_s: float = SETTLE_S) -> list[Figure]:
    """Start the product, let it settle, and watch it for ``seconds``."""
    async with running("up", settings={"DATA_DIR": str(folder / "idle"), "PORT": "0"}) as pid:
        await asyncio.sleep(settle_s)
        found = await _watch(pid, seconds)
    cpu_s, mib = sum(one.cpu_s_a_minute for one in found), sum(one.mib for one in found)
    each = ", ".join(f"{one.kind} {one.cpu_s_a_minute:.2f} s and {one.mib:.0f} MiB" for one in found)
    return [
        Figure(
            what="Idle, all of outbound up",
            value=f"{cpu_s:.2f} s of CPU a minute, {mib:,.0f} MiB",
            beside=each,
        )
    ]


async def _watch(pid: int, seconds: float) -> list[Idle]:
    relatives = family(pid)
    before = {one.pid: gauges.cpu_s([one.pid]) for one in relatives}
    await asyncio.sleep(seconds)
    return [
        Idle(
            kind=_kind(one.command),
            cpu_s_a_minute=(gauges.cpu_s([one.pid]) - before[one.pid]) * 60 / seconds,
            mib=resident_mib(one.pid),
        )
        for one in relatives
        if one.alive
    ]


def resident_mib(pid: int) -> float:
    """Resident memory of a process now; what it shares with others counts for each of them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def _kind(command: str) -> str:
    return next((kind for words, kind in KINDS.items() if words in command), "other")


@asynccontextmanager
async def running(*command: str, settings: Mapping[str, str]) -> AsyncIterator[int]:
    """Run ``outbound COMMAND`` until the block is left; gives its process id once it serves. Its words go nowhere."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("OUTBOUND_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outbound", *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=bare | {"PYTHONUNBUFFERED": "1"} | {f"OUTBOUND_{name}": value for name, value in settings.items()},
        process_group=0,  # a Ctrl-C at the terminal is ours to handle
    )
    assert process.stdout is not None
    reading = None
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            await _until_ready(process.stdout)
        reading = asyncio.create_task(_discard(process.stdout))
        yield process.pid
    finally:
        await _end(process)
        if reading is not None:
            await reading


async def _until_ready(words: asyncio.StreamReader) -> None:
    async for line in words:
        if line.startswith(READY_WORDS):
            return
    raise RuntimeError("the product did not start: run it by hand to see why")


async def _discard(words: asyncio.StreamReader) -> None:
    async for _ in words:
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
    if process.returncode is None:
        process.kill()
        await process.wait()
