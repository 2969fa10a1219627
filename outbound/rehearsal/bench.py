"""``outbound bench``: the product's speed on this machine, each figure beside its limit or peer from the same run.

It measures from outside: at the exchange's socket, from customers' recordings, from /proc. No figure is a test.
"""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from outbound.rehearsal import directing, gauges, programme
from outbound.rehearsal.campaign_file import CampaignFile, load_campaign
from outbound.rehearsal.cast import Cast, built_in_behaviours
from outbound.rehearsal.client import Document, RestClient
from outbound.rehearsal.drive import clear, log_to, running, terminal
from outbound.rehearsal.figures import Figure, table_of
from outbound.rehearsal.morning import morning_zone
from outbound.rehearsal.stage import Stage
from outbound.settings import Settings
from speech.measure import measure_file

INVITES = 30
ROUNDS = 2
TALKERS = ("+12025550101", "+12025550102", "+12025550103")
ECHO = "+12025550104"
"""Answers and stays silent: sipp's opposite."""
STRANGERS = tuple(f"+120255501{number}" for number in range(30, 30 + INVITES))
"""Known to the exchange and not registered: it answers 480 itself, so an INVITE costs nobody else anything."""
IMPORT_ROWS = 20_000
SIPP_S = 6.0
WITHIN_S = 170.0


async def measure(settings: Settings, example: Path) -> int:
    """Run every part and print the table; returns the exit code."""
    console = terminal()
    file = await asyncio.to_thread(load_campaign, example)
    folder = settings.data_dir.resolve() / "rehearsal"
    await asyncio.to_thread(clear, folder)
    log_to(folder / "logs" / "host.log", settings.log_level)
    stage = Stage(_roles(), folder=folder, voices_folder=folder / "voices", users=STRANGERS)
    async with (
        asyncio.timeout(WITHIN_S),
        running(settings, folder, stage) as host,
        RestClient(host.url, host.api_key) as client,
    ):
        await client.post("/v1/trunks", {"name": programme.TRUNK, "host": stage.address, "caller_id": "+12025550100"})
        console.print("POST to INVITE …", style="dim")
        figures = await _invites(client, stage, file, folder)
        console.print("Calls …", style="dim")
        figures += await _calls(client, stage, file, folder)
        console.print("Import …", style="dim")
        figures += await _import(client, file, folder)
    console.print(table_of(figures))
    return 0


def _roles() -> tuple[directing.Role, ...]:
    """Customers who say yes, and one who only listens."""
    customers = [
        {"name": f"Customer {place}", "number": number, "behaviour": "says_yes", "voice": {"voice": "en-us+f2"}}
        for place, number in enumerate(TALKERS, 1)
    ]
    customers.append({"name": "Echo", "number": ECHO, "behaviour": "stays_silent"})
    cast = Cast.model_validate({"customers": customers})
    return directing.roles(cast.model_copy(update={"behaviours": built_in_behaviours()}))


def notification(file: CampaignFile, number: str) -> Document:
    """One customer, now, with the example campaign's flow and the variables of its first contact."""
    contact, campaign = file.contacts[0], file.campaign
    return {
        "number": number,
        "callflow": campaign.callflow,
        "purpose": campaign.purpose,
        "trunk": programme.TRUNK,
        "name": contact.name,
        "zone": morning_zone(datetime.now(UTC))[0],
        "consent": contact.consent,
        "variables": {**campaign.variables, **contact.variables},
    }


async def _invites(client: RestClient, stage: Stage, file: CampaignFile, folder: Path) -> list[Figure]:
    """From the POST leaving to the INVITE arriving at the exchange's socket, one at a time on an idle system."""
    took_ms = []
    for number in STRANGERS:
        began = time.monotonic()
        await client.post("/v1/notifications", notification(file, number))
        await stage.until(lambda number=number: bool(stage.rung[number]))  # type: ignore[misc]
        took_ms.append((stage.rung[number][0] - began) * 1000)
        await asyncio.sleep(0.1)
    trips = []
    for _ in range(INVITES):
        began = time.monotonic()
        await client.get("/healthz")
        trips.append((time.monotonic() - began) * 1000)
    commits = await asyncio.to_thread(gauges.commit_ms, folder)
    floor = gauges.percentile(trips, 50) + gauges.percentile(commits, 50)
    return [
        Figure(
            what="REST POST to INVITE on the wire",
            value=_p50_p95(took_ms, "ms", 0),
            beside=f"one HTTP round trip and one durable commit: {floor:.1f} ms",
            aim="250 ms",
        )
    ]


async def _calls(client: RestClient, stage: Stage, file: CampaignFile, folder: Path) -> list[Figure]:
    """Real calls, as many at once as there are talkers; timing from the customers' recordings, CPU from /proc."""
    lines = gauges.children("dialer.line")
    people = [stage.pids[number] for number in TALKERS]
    before, before_people = gauges.cpu_s(lines), gauges.cpu_s(people)
    for turn in range(1, ROUNDS + 1):
        for number in TALKERS:
            await client.post("/v1/notifications", notification(file, number))
        await stage.until(lambda turn=turn: all(len(stage.calls[number]) == turn for number in TALKERS))  # type: ignore[misc]
        await stage.all_over()
    used, used_people = gauges.cpu_s(lines) - before, gauges.cpu_s(people) - before_people
    tapes = [call.tape for number in TALKERS for call in stage.calls[number] if call.tape is not None]
    measured = await asyncio.to_thread(lambda: [measure_file(tape) for tape in tapes])
    seconds = sum(each.duration_s for each in measured)
    sipp = await gauges.sipp_cpu_ms(folder, exchange=stage.address, number=ECHO, sound=stage.voice(), seconds=SIPP_S)
    first = [each.answer_to_audio_s for each in measured if each.answer_to_audio_s is not None]
    gaps = [gap for each in measured for gap in each.turn_gaps_s]
    peers = [f"the engine alone, in the customers: {used_people * 1000 / seconds:.1f}"]
    peers.append("sipp is not installed here" if sipp is None else f"sipp playing a sound: {sipp:.1f}")
    calls = f"{len(measured)} calls, {len(TALKERS)} at once"
    return [
        Figure(what="Answer to first audio", value=_p50_p95(first, "s", 2), beside=calls, aim="0.30 s"),
        Figure(what="Turn gap", value=_p50_p95(gaps, "s", 2), beside=f"{len(gaps)} turns in {calls}", aim="1.00 s"),
        Figure(
            what="CPU of a line process",
            value=f"{used * 1000 / seconds:.1f} ms a call-second" if lines else "no /proc here",
            beside="; ".join(peers),
        ),
    ]


async def _import(client: RestClient, file: CampaignFile, folder: Path) -> list[Figure]:
    """A CSV through REST until its import is done, beside SQLite taking rows that are ready."""
    body = {**file.campaign.model_dump(mode="json"), "name": "Import", "trunk": programme.TRUNK}
    campaign = await client.post("/v1/campaigns", body)
    rows = await asyncio.to_thread(_csv, file, IMPORT_ROWS)
    began = time.monotonic()
    done = await client.upload(campaign["id"], rows)
    rate = done["accepted"] / (time.monotonic() - began)
    bare = await asyncio.to_thread(gauges.bare_insert_rate, folder, IMPORT_ROWS)
    return [
        Figure(
            what=f"Import of {done['accepted']:,} contacts (CSV over REST)",
            value=f"{rate:,.0f} rows/s",
            beside=f"bare sqlite3.executemany: {bare:,.0f} rows/s ({rate / bare:.0%})",
        )
    ]


def _csv(file: CampaignFile, rows: int) -> bytes:
    """Contacts like the example's first, each with its own number."""
    contact = file.contacts[0]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["number", "name", "zone", *contact.variables])
    for row in range(rows):
        writer.writerow([f"+1415{2_200_000 + row}", contact.name, "America/Los_Angeles", *contact.variables.values()])
    return out.getvalue().encode()


def _p50_p95(values: Sequence[float], unit: str, digits: int) -> str:
    return f"p50 {gauges.percentile(values, 50):.{digits}f}, p95 {gauges.percentile(values, 95):.{digits}f} {unit}"
