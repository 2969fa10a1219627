"""Conducts one run over one layout: starts peer and product, rings everybody, strikes as planned, gathers accounts.

It reads the product through REST alone and judges nothing. Nothing of it is left running, however it ends.
"""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from outbound.rehearsal.chaos.evidence import Ban, Evidence
from outbound.rehearsal.chaos.family import kill
from outbound.rehearsal.chaos.layouts import Service, Sizes, alive
from outbound.rehearsal.chaos.operator import Operator
from outbound.rehearsal.chaos.plan import CAMPAIGNS, PAUSE_S, CampaignPlan, Key, Never, Plan
from outbound.rehearsal.chaos.sightings import Sightings
from outbound.rehearsal.chaos.striking import Striker, Struck
from outbound.rehearsal.children import Child
from outbound.rehearsal.client import Document
from outbound.together import together

TRUNK = "chaos"
CALLER_ID = "+12025550100"
CALLFLOW = "shipping_alert"
SEND_WINDOW_S = 1.2
"""After a pause or a cancellation an intent that was already committed may still be sent: the product's send window of
a second (outbound/settings.py), and a margin for the packet's way."""
LOOK_S = 0.05
ASK_EVERY_S = 0.25
STILL_S, STUCK_S = 8.0, 90.0
"""When nobody was rung for so long although all is up, or for so long at all, what waits for progress goes on without:
nearly all is over, or something will not come back."""
OVER_WITHIN_S = 150.0
"""After the last strike: a lease of a minute has to end, be swept, and its retry be rung."""
LEFT_WITHIN_S = 15.0
VARIABLES = {
    "business": "Northwind",
    "callback_number": CALLER_ID,
    "parcel": "coffee machine",
    "delivery_day": "2026-12-05",
    "delivery_window": "9:00-12:00",
}
Report = Callable[[str], None]


class Conductor:
    """One run."""

    def __init__(self, plan: Plan, folder: Path, sizes: Sizes, report: Report) -> None:
        self._plan, self._folder, self._sizes, self._report = plan, folder, sizes, report
        self._sightings = Sightings()
        self._campaigns: dict[Key, str] = {}
        self._bans: list[Ban] = []
        self._started: dict[Key, float] = {}
        self._struck: list[Struck] = []
        self._all_up: Callable[[], bool] = lambda: True

    async def run(self) -> Evidence:
        """Run it from start to end. Raises :class:`OutboundError` when peer or product cannot be started."""
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            peer = await stack.enter_async_context(self._peer())
            service = Service(self._plan.layout, self._folder, self._sizes)
            stops: list[float | None] = []
            stack.push_async_callback(_stop, service, stops)
            await service.start()
            self._report(f"up after {time.monotonic() - began:.0f} s")
            operator = await stack.enter_async_context(Operator(service.url))
            operator.key = service.key
            await self._prepare(operator, peer)
            striker = Striker(service, lambda: self._sightings.in_progress)
            self._all_up = lambda: service.all_up
            undecided = await self._play(operator, striker)
            self._report("over; comparing accounts")
            known = await self._gather(operator)
            striker.seen |= set(service.relatives())
            await _stop(service, stops)
            left = await _left_behind(striker)
            return Evidence(
                plan=self._plan,
                sightings=tuple(self._sightings.all),
                bans=tuple(self._bans),
                started=dict(self._started),
                struck=tuple(self._struck),
                exits=tuple(service.exits),
                left_behind=left,
                stops_s=tuple(stops),
                took_s=time.monotonic() - began,
                longest_silence_s=operator.longest_silence_s,
                undecided=undecided,
                **known,
            )

    @asynccontextmanager
    async def _peer(self) -> AsyncIterator[str]:
        """The far end, in a process that is never struck; its address."""
        arguments = {"name": "peer", "log": self._folder / "logs" / "peer.log", "hear": self._sightings.hear}
        child = Child("outbound.rehearsal.chaos.peer", str(self._plan.seed), **arguments)  # type: ignore[arg-type]
        await child.start()
        try:
            told = await child.ready()
            yield f"127.0.0.1:{told.data['port']}"
        finally:
            await child.stop()

    # -- before ------------------------------------------------------------------------------------------------

    async def _prepare(self, operator: Operator, peer: str) -> None:
        """Create trunk, campaigns and contacts, and have those opt out who must never be rung."""
        trunk = {"name": TRUNK, "host": peer, "caller_id": CALLER_ID, "channels": 1000}
        await operator.post("/v1/trunks", trunk | {"calls_per_second": self._sizes.rate})
        for person in self._plan.people:
            if person.never is Never.OPTED_OUT:
                await self._opt_out(operator, person.number)
        for policy in CAMPAIGNS:
            created, _ = await operator.post("/v1/campaigns", _campaign(policy))
            self._campaigns[policy.key] = created["id"]
            await operator.upload(created["id"], self._contacts(policy.key))
        for policy in CAMPAIGNS:
            self._started[policy.key] = time.time()
            await operator.post(f"/v1/campaigns/{self._campaigns[policy.key]}/start")

    def _contacts(self, key: Key) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(["number", "zone"])
        writer.writerows((person.number, person.zone) for person in self._plan.people if person.campaign is key)
        return out.getvalue().encode()

    async def _opt_out(self, operator: Operator, number: str) -> None:
        """After the answer no INVITE to the number may leave, not even one that was on its way."""
        _, answered_at = await operator.post("/v1/optouts", {"number": number, "words": "stop calling me"})
        self._bans.append(Ban(why="an opt-out was answered", since=answered_at, number=number))

    # -- during ------------------------------------------------------------------------------------------------

    async def _play(self, operator: Operator, striker: Striker) -> tuple[str, ...]:
        """Strike, opt out, pause and cancel as planned until all is over; returns the campaigns that are not."""
        asking = asyncio.create_task(_ask_always(operator))
        try:
            deeds = (self._strike(striker), self._leave(operator), self._pause(operator), self._cancel(operator))
            await together(deeds)
            return await self._until_over(operator)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _strike(self, striker: Striker) -> None:
        for place, blow in enumerate(self._plan.blows, 1):
            await self._progress(blow.share * self._plan.to_ring, self._rung)
            struck = await striker.strike(blow)
            if struck is None:
                self._report(f"strike {place}: {blow.kind} found nothing to hit")
                continue
            self._struck.append(struck)
            rung = f"{self._rung():,} rung"
            self._report(f"strike {place} of {len(self._plan.blows)}: {blow.kind}, {struck.what} ({rung})")

    async def _leave(self, operator: Operator) -> None:
        for share, number in self._plan.opt_outs:
            await self._progress(share * self._plan.to_ring, self._rung)
            await self._opt_out(operator, number)

    async def _pause(self, operator: Operator) -> None:
        path = f"/v1/campaigns/{self._campaigns[Key.PAUSED]}"
        await self._progress(0.3 * self._in(Key.PAUSED), lambda: self._rung(Key.PAUSED))
        _, paused_at = await operator.post(f"{path}/pause")
        await asyncio.sleep(PAUSE_S)
        since, resumed_at = paused_at + SEND_WINDOW_S, time.time()
        self._bans.append(Ban(why="a pause was answered", since=since, until=resumed_at, campaign=Key.PAUSED))
        await operator.post(f"{path}/resume")

    async def _cancel(self, operator: Operator) -> None:
        await self._progress(0.4 * self._in(Key.CANCELLED), lambda: self._rung(Key.CANCELLED))
        _, cancelled_at = await operator.post(f"/v1/campaigns/{self._campaigns[Key.CANCELLED]}/cancel")
        since = cancelled_at + SEND_WINDOW_S
        self._bans.append(Ban(why="a cancellation was answered", since=since, campaign=Key.CANCELLED))

    async def _progress(self, wanted: float, count: Callable[[], int]) -> None:
        """Wait until ``wanted`` people were rung, or nobody was for a while although everything is up."""
        before, since, long_since = count(), time.monotonic(), time.monotonic()
        while count() < wanted:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if count() != before:
                before, since, long_since = count(), now, now
            elif not self._all_up():
                since = now
            if now - since > STILL_S or now - long_since > STUCK_S:
                return

    def _rung(self, key: Key | None = None) -> int:
        """How many people were rung, of one campaign or all."""
        if key is None:
            return len(self._sightings.called)
        return sum(self._sightings.called[person.number] > 0 for person in self._plan.people if person.campaign is key)

    def _in(self, key: Key) -> int:
        return sum(person.campaign is key for person in self._plan.people)

    async def _until_over(self, operator: Operator) -> tuple[str, ...]:
        """Wait until every campaign but that of the night is over; returns those that are not in time."""
        waiting = [key for key in self._campaigns if key is not Key.NIGHT]
        until, before = time.monotonic() + OVER_WITHIN_S, self._rung()
        while waiting and time.monotonic() < until:
            states = {key: await operator.get(f"/v1/campaigns/{self._campaigns[key]}") for key in waiting}
            waiting = [key for key, shown in states.items() if not _over(shown)]
            if self._rung() != before:  # it still goes on
                until, before = time.monotonic() + OVER_WITHIN_S, self._rung()
            await asyncio.sleep(0.3)
        return tuple(waiting)

    # -- after -------------------------------------------------------------------------------------------------

    async def _gather(self, operator: Operator) -> dict[str, Any]:
        """Read what REST says of every attempt and contact."""
        attempts = await operator.items("/v1/attempts")
        contacts = {key: await operator.items(f"/v1/campaigns/{id_}/contacts") for key, id_ in self._campaigns.items()}
        return {"attempts": attempts, "contacts": contacts}


async def _ask_always(operator: Operator) -> None:
    """Ask for something small all the time: how long REST is away shows in the longest wait."""
    while True:
        await operator.get("/v1/trunks")
        await asyncio.sleep(ASK_EVERY_S)


def _over(shown: Document) -> bool:
    return shown["state"] in ("completed", "cancelled") and not shown["counts"]["in_progress"]


def _campaign(policy: CampaignPlan) -> Document:
    return {
        "name": policy.key.value,
        "callflow": CALLFLOW,
        "purpose": "transactional",
        "trunk": TRUNK,
        "variables": VARIABLES,
        "retry": {"max_attempts": policy.max_attempts, "delays_s": policy.delays_s},
        "max_concurrent": policy.max_concurrent,
        "ring_timeout_s": 5,
        "record": False,
    }


async def _stop(service: Service, stops: list[float | None]) -> None:
    if not stops:
        stops += await service.stop()


async def _left_behind(striker: Striker) -> tuple[str, ...]:
    """Processes of the product that outlive it; they are ended, by their ids."""
    until = time.monotonic() + LEFT_WITHIN_S
    while left := alive(striker.seen):
        if time.monotonic() > until:
            break
        await asyncio.sleep(LOOK_S)
    for relative in left:
        kill(relative.pid)
    return tuple(relative.command for relative in left)
