"""Calls set up a second by one line process, beside sipp as the caller of the same far end, over real SIP on loopback.

The far end is sipp, which is busy for everybody (486) or answers and hangs up at once; nobody is heard. What the calls
come to is not stored: cycle_bench.py measures that.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.legs import Trunk
from dialer.link import start_line
from dialer.messages import CallEvent, CallRequest, CallResult, Released
from outbound.rehearsal import gauges
from outbound.rehearsal.figures import Figure
from outbound.rehearsal.sipp_scenarios import CALLER, ENDS, FAR_ENDS
from outbound.settings import Settings, load_settings
from outbound.speech_processes import SpeechProcesses
from outbound.yaml_files import load_yaml

CALLS = 400
WITHIN_S = 60.0
SEND_WINDOW_S = 5.0
SAID = {
    "business": "Northwind",
    "callback_number": "+12025550100",
    "parcel": "running shoes",
    "delivery_day": "2026-12-03",
    "delivery_window": "9:00-12:00",
}
FLOWS = Path(__file__).resolve().parents[2] / "campaigns" / "callflows"


@dataclass(slots=True, kw_only=True)
class SetUp:
    """Calls that were set up, and what that took."""

    calls: int
    wall_s: float
    caller_cpu_s: float
    host_cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.wall_s

    def cpu_ms(self, seconds: float) -> float:
        """Milliseconds a call."""
        return seconds * 1000 / self.calls


async def line_figures(folder: Path, *, calls: int = CALLS) -> list[Figure]:
    """Set up ``calls`` with a line process and with sipp; one call after the other on each leg it has."""
    program = shutil.which("sipp")
    if program is None:
        return [Figure(what="Calls set up a second", value="not measured", beside="sipp is not installed here")]
    figures = []
    settings = load_settings(data_dir=folder, recognizer="scripted", synthesizer="scripted", languages="en")
    for name, scenario in FAR_ENDS.items():
        async with far_end(program, folder, scenario) as address, _speech(settings, folder) as speech:
            options = ["--engine", "pjsua2", "--bind", "127.0.0.1", "--data", str(folder), *speech.line_options]
            ours, legs = await _by_line(options, address, calls, ENDS[name])
            peer = await _by_sipp(program, folder, address, calls, legs)
        used = (
            f"{ours.cpu_ms(ours.caller_cpu_s):.1f} ms of CPU each, and {ours.cpu_ms(ours.host_cpu_s):.1f} of its host"
        )
        figures.append(
            Figure(
                what=f"Calls set up by a line process, {name}, {legs} legs",
                value=f"{ours.rate:,.0f}/s, {used}",
                beside=f"sipp, {legs} at once: {peer.rate:,.0f}/s, {peer.cpu_ms(peer.caller_cpu_s):.2f} ms each",
            )
        )
    return figures


@asynccontextmanager
async def far_end(program: str, folder: Path, scenario: str) -> AsyncIterator[str]:
    """Run sipp as the called side until the block is left; gives its ``host:port``."""
    path = folder / "far-end.xml"
    await asyncio.to_thread(path.write_text, scenario)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(program, "-sf", str(path), "-i", "127.0.0.1", "-p", str(port), "-nostdin"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_bound(port)
        yield f"127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def _speech(settings: Settings, folder: Path) -> AsyncIterator[SpeechProcesses]:
    """Ears and a voice, which a line must have for whoever answers."""
    speech = SpeechProcesses(settings, folder)
    try:
        await speech.start()
        yield speech
    finally:
        await speech.stop()


async def _by_line(options: list[str], address: str, calls: int, expected: str) -> tuple[SetUp, int]:
    left = asyncio.Semaphore(0)
    ends: list[str] = []

    async def over(end: CallResult | Released) -> None:
        ends.append(end.reason if isinstance(end, Released) else end.hangup_cause)
        left.release()

    line = await start_line("bench", options, on_event=_unheard, on_result=over, on_released=over)
    flow = await asyncio.to_thread(lambda: load_yaml(FLOWS / "shipping_alert.yaml"))
    try:
        legs = line.ready.capacity
        before, own, began = gauges.cpu_s([line.ready.pid]), time.process_time(), time.perf_counter()
        async with asyncio.timeout(WITHIN_S):
            for number in range(calls):
                if number >= legs:
                    await left.acquire()
                line.place(_request(number, address, flow))
            for _ in range(min(legs, calls)):
                await left.acquire()
        wall_s, host_s = time.perf_counter() - began, time.process_time() - own
        line_s = gauges.cpu_s([line.ready.pid]) - before
    finally:
        await line.stop()
    if others := set(ends) - {expected}:
        raise RuntimeError(f"calls were to end with {expected}, and some did with {', '.join(sorted(others))}")
    return SetUp(calls=len(ends), wall_s=wall_s, caller_cpu_s=line_s, host_cpu_s=host_s), legs


def _unheard(_: CallEvent) -> None:
    """What is told while a call goes on is not stored here."""


def _request(number: int, address: str, flow: dict[str, object]) -> CallRequest:
    return CallRequest(
        attempt_id=f"{number:026d}",
        fence=1,
        call_id=f"bench-{number}",
        number=f"+1415{2_000_000 + number}",
        trunk=Trunk(name="bench", host=address),
        flow=flow,
        variables=SAID,
        language="en",
        zone="America/Los_Angeles",
        send_before=time.monotonic() + SEND_WINDOW_S,
        record=False,
    )


async def _by_sipp(program: str, folder: Path, address: str, calls: int, at_once: int) -> SetUp:
    path = folder / "caller.xml"
    await asyncio.to_thread(path.write_text, CALLER)
    before, began = _ended_cpu_s(), time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(program, address, "-sf", str(path), "-s", "+14152000000", "-i", "127.0.0.1", "-m", str(calls)),
        *("-l", str(at_once), "-r", "2000", "-nostdin", "-timeout", f"{WITHIN_S:g}s"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()
    used = _ended_cpu_s() - before
    return SetUp(calls=calls, wall_s=time.perf_counter() - began, caller_cpu_s=used)


async def _until_bound(port: int) -> None:
    """Wait until somebody listens: an OPTIONS would count as a call, a taken port does not."""
    async with asyncio.timeout(10):
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return
            await asyncio.sleep(0.02)


def free_port() -> int:
    """A UDP port of this machine that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ended_cpu_s() -> float:
    """Processor seconds of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
