"""Conversations at once with real speech on both sides, over SIP: what customers hear, measured from their recordings.

Half of the customers answer when they are asked, half cut in first. Who plays them uses the same two cores.
"""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Any

from outbound.rehearsal import directing, gauges, programme
from outbound.rehearsal.bench import notification
from outbound.rehearsal.campaign_file import CampaignFile, load_campaign
from outbound.rehearsal.cast import Cast, built_in_behaviours
from outbound.rehearsal.client import RestClient
from outbound.rehearsal.drive import clear, log_to, running, terminal
from outbound.rehearsal.figures import Figure, table_of
from outbound.rehearsal.stage import Stage
from outbound.settings import Settings
from speech.measure import Measurement, measure_file

CUTS_IN: dict[str, Any] = {
    "ends": ["accepted", "informed"],
    "steps": [
        {"hear": 3.5},
        {"say": "Sorry, could you repeat that please?"},
        "listen",
        {"say": "Yes, please."},
        "listen",
        {"say": "Yes, please."},
    ],
}
LEGS_A_LINE = 4
"""What the engine's wheel holds."""
WITHIN_S = 300.0
TAPES_S = 10.0


async def measure_talk(settings: Settings, example: Path, at_once: int) -> int:
    """Hold ``at_once`` conversations beside each other and print the table; returns the exit code."""
    console = terminal()
    file = await asyncio.to_thread(load_campaign, example)
    folder = settings.data_dir.resolve() / "rehearsal"
    await asyncio.to_thread(clear, folder)
    log_to(folder / "logs" / "host.log", settings.log_level)
    numbers = [f"+1202555{place:04}" for place in range(100, 100 + at_once)]
    enough = settings.model_copy(update={"lines": math.ceil(at_once / LEGS_A_LINE)})
    stage = Stage(_roles(numbers), folder=folder, voices_folder=folder / "voices")
    async with (
        asyncio.timeout(WITHIN_S),
        running(enough, folder, stage) as host,
        RestClient(host.url, host.api_key) as client,
    ):
        trunk = {"name": programme.TRUNK, "host": stage.address, "caller_id": "+12025550199", "channels": at_once}
        await client.post("/v1/trunks", trunk)
        console.print(f"{at_once} conversations …", style="dim")
        measured, used_s, seconds = await _hold(client, stage, file, numbers)
    console.print(table_of(_figures(measured, at_once, used_s / max(seconds, 1.0))))
    return 0


async def _hold(
    client: RestClient, stage: Stage, file: CampaignFile, numbers: list[str]
) -> tuple[list[Measurement], float, float]:
    """Ring everybody, wait for the last goodbye; returns what the tapes say, CPU and seconds that it took."""
    ours = [*gauges.children("dialer.line"), *gauges.children("speech.worker")]
    before, began = gauges.cpu_s(ours), time.monotonic()
    for number in numbers:
        await client.post("/v1/notifications", notification(file, number))
    await stage.until(lambda: all(stage.calls[number] for number in numbers))
    await stage.all_over()
    used_s, seconds = gauges.cpu_s(ours) - before, time.monotonic() - began
    await stage.until(lambda: all(stage.calls[number][0].tape is not None for number in numbers))
    tapes = [stage.calls[number][0].tape for number in numbers]
    return await asyncio.to_thread(lambda: [measure_file(tape) for tape in tapes if tape is not None]), used_s, seconds


def _figures(measured: list[Measurement], at_once: int, cores: float) -> list[Figure]:
    first = [each.answer_to_audio_s for each in measured if each.answer_to_audio_s is not None]
    gaps = [gap for each in measured for gap in each.turn_gaps_s]
    stops = [stop for each in measured for stop in each.barge_in_stops_s]
    owed = [round(span.seconds, 2) for each in measured for span in each.owed]
    calls = f"{len(measured)} calls, {at_once} at once"
    lost = sum(len(each.unanswered_s) for each in measured)
    return [
        Figure(what="Answer to first sound", value=_spread(first), beside=calls, aim="p95 0.20 s"),
        Figure(
            what="Turn gap",
            value=_spread(gaps),
            beside=f"{len(gaps)} turns",
            aim="p50 0.60, p95 0.80 s" if at_once <= 8 else "p95 1.00 s",
        ),
        Figure(what="Barge-in stop", value=_spread(stops), beside=f"{len(stops)} times cut in", aim="p95 0.25 s"),
        Figure(
            what="Silences over 1.5 s that were ours",
            value=f"{len(owed)}" + (f", the longest {max(owed):.2f} s" if owed else ""),
            beside=f"{sum(each.overlap_s for each in measured):.1f} s of overlap in all",
            aim="none",
        ),
        Figure(what="Utterances without a reply", value=f"{lost}", beside=calls, aim="none but goodbyes"),
        Figure(
            what="CPU of lines, ears and voices",
            value=f"{cores:.2f} cores",
            beside=f"{at_once / max(cores, 0.01):.0f} such conversations a core; the customers take the rest",
            aim="12 a core",
        ),
    ]


def _spread(values: list[float]) -> str:
    if not values:
        return "none"
    return f"p50 {gauges.percentile(values, 50):.2f}, p95 {gauges.percentile(values, 95):.2f} s"


def _roles(numbers: list[str]) -> tuple[directing.Role, ...]:
    customers = [
        {
            "name": f"Customer {place}",
            "number": number,
            "behaviour": "says_yes" if place % 2 else "cuts_in",
            "voice": {"voice": "en-us+f2"},
        }
        for place, number in enumerate(numbers, 1)
    ]
    cast = Cast.model_validate({"customers": customers, "behaviours": {"cuts_in": CUTS_IN}})
    return directing.roles(cast.model_copy(update={"behaviours": {**built_in_behaviours(), **cast.behaviours}}))
