"""The line pool over lines of this process: deaths, hangs, opt-outs and a store that is away, at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from dialer.link import LineError, LineProcess
from dialer.messages import CallRequest
from dialer.wire import Pong, Ready
from outbound.errors import Unavailable
from outbound.pool import LinePool
from outbound.settling.ledger import Ledger
from outbound.store import Store
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN = "+447700900001"


@dataclass
class Line:
    """The host's end of a line that does nothing by itself."""

    name: str
    placed: dict[str, CallRequest] = field(default_factory=dict)
    hung_up: list[tuple[str, str]] = field(default_factory=list)
    mute: bool = False
    killed: bool = False
    on_placed: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.ready = Ready(name=self.name, engine="none", capacity=4, pid=1)
        self.died: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        return not self.died.done()

    def place(self, request: CallRequest) -> None:
        if not self.alive:
            raise LineError("gone")
        self.placed[request.attempt_id] = request
        self.on_placed()

    def hang_up(self, attempt_id: str, reason: str) -> None:
        self.hung_up.append((attempt_id, reason))

    async def ping(self, timeout_s: float) -> Pong:
        if self.mute or not self.alive:
            raise LineError("mute", code="line_mute")
        return Pong(number=1, calls=len(self.placed), legs_free=4)

    def kill(self) -> None:
        self.killed = True
        self.died.set_result(-9)

    async def stop(self, timeout_s: float) -> int:
        if self.alive:
            self.died.set_result(0)
        return 0


class Hall:
    """A pool of one line, and whatever fails around it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.lines, self.failures = world, [], []  # type: ignore[var-annotated]
        self.ledger = Ledger(world.store, lambda: world.now)
        self.clock_is_right = True
        self.pool = LinePool(
            store=world.store,
            ledger=self.ledger,
            start_line=self._start,
            names=["line-1"],
            journal_dir=folder,
            calls_per_second=1000.0,
            send_window_s=1.0,
            clock=lambda: world.now,
            on_failure=self.failures.append,
            trusted=lambda: self.clock_is_right,
        )

    async def _start(self, name: str, **callbacks: Any) -> LineProcess:
        self.lines.append(Line(name))
        return cast("LineProcess", self.lines[-1])

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true; every write wakes whoever looks."""
        async with asyncio.timeout(30):
            while not true():
                await self.world.store.read(lambda connection: None)


@pytest.fixture
async def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    monkeypatch.setattr("outbound.line_keeper.PING_EVERY_S", 0.02)
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    world = World(store)
    await world.trunk()
    made = Hall(world, tmp_path / "journal")
    writing = asyncio.create_task(made.ledger.run())
    await made.pool.start()
    yield made
    await made.pool.stop(1.0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    store.close()


@pytest.fixture
def at_intent(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What happens on the loop between the commit of an intent and its INVITE."""
    happenings: list[Callable[[], None]] = []
    send = LinePool._send

    async def sends(pool: LinePool, item: Any, intent: Any, send_before: float) -> None:
        for happen in happenings:
            happen()
        happenings.clear()
        await send(pool, item, intent, send_before)

    monkeypatch.setattr(LinePool, "_send", sends)
    return happenings


async def test_a_line_that_dies_between_intent_and_invite_gives_the_attempt_back(
    hall: Hall, at_intent: list[Callable[[], None]]
) -> None:
    def dies() -> None:
        hall.lines[0].died.set_result(-9)
        hall.pool.on_lost(cast("LineProcess", hall.lines[0]))

    at_intent.append(dies)
    await hall.world.campaign([ANN])
    hall.pool.kick()
    await hall.until(lambda: not at_intent and not hall.pool.calls)
    hall.world.now += 2
    await hall.until(lambda: len(hall.lines) == 2 and bool(hall.lines[1].placed))
    assert not hall.failures
    (request,) = hall.lines[1].placed.values()
    assert request.fence == 2


async def test_an_opt_out_between_intent_and_invite_is_told_to_the_line(
    hall: Hall, at_intent: list[Callable[[], None]]
) -> None:
    at_intent.append(lambda: hall.pool.hang_up_number(ANN, "opted_out", except_attempt=None))
    await hall.world.campaign([ANN])
    hall.pool.kick()
    await hall.until(lambda: bool(hall.lines[0].placed))
    (attempt_id,) = hall.lines[0].placed
    assert hall.lines[0].hung_up[-1] == (attempt_id, "opted_out")


async def test_the_campaign_of_a_call_that_is_about_to_ring_may_be_cancelled(
    hall: Hall, at_intent: list[Callable[[], None]]
) -> None:
    at_intent.append(lambda: hall.pool.hang_up_campaign(hall.world.campaign_ids[0], "campaign_cancelled"))
    await hall.world.campaign([ANN])
    hall.pool.kick()
    await hall.until(lambda: bool(hall.lines[0].placed))
    assert [reason for _, reason in hall.lines[0].hung_up][-1:] == ["campaign_cancelled"]


async def test_a_line_that_hangs_is_killed_and_replaced(hall: Hall) -> None:
    hall.lines[0].mute = True
    await hall.until(lambda: len(hall.lines) == 2)
    assert hall.lines[0].killed


async def test_a_store_that_is_away_when_a_line_dies_costs_the_host_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(attempt_ids: Any) -> None:
        raise Unavailable("the database is away")

    monkeypatch.setattr(hall.pool._recovery, "settle_lost", away)
    hall.lines[0].died.set_result(-9)
    await hall.until(lambda: len(hall.lines) == 2)
    assert not hall.failures


async def test_an_opt_out_that_names_attempts_leaves_the_others(hall: Hall) -> None:
    await hall.world.campaign([ANN])
    hall.pool.kick()
    await hall.until(lambda: bool(hall.lines[0].placed))
    (attempt_id,) = hall.lines[0].placed
    hall.pool.hang_up({"another"}, "opted_out")
    assert hall.lines[0].hung_up == []
    hall.pool.hang_up({"another", attempt_id}, "opted_out")
    assert hall.lines[0].hung_up == [(attempt_id, "opted_out")]


async def test_an_opt_out_ends_calls_to_every_number_of_the_telephone(hall: Hall) -> None:
    await hall.world.campaign(["+5491123456789"])
    hall.pool.kick()
    await hall.until(lambda: bool(hall.lines[0].placed))
    (attempt_id,) = hall.lines[0].placed
    hall.pool.hang_up_number("+541123456789", "opted_out", except_attempt=None)
    assert hall.lines[0].hung_up == [(attempt_id, "opted_out")]


async def test_nobody_is_rung_by_a_clock_that_leapt(hall: Hall) -> None:
    hall.clock_is_right = False
    await hall.world.campaign([ANN])
    hall.pool.kick()
    assert await hall.pool._pull() == 0
    assert [row["state"] for row in await hall.world.attempts()] == ["due"]
    hall.clock_is_right = True
    hall.pool.kick()
    await hall.until(lambda: bool(hall.lines[0].placed))


async def test_a_line_that_owes_the_end_of_a_call_is_ended_and_all_it_held_comes_back(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbound.pool.SWEEP_S", 0.01)
    monkeypatch.setattr("outbound.placed.MARGIN_S", -3600.0)
    await hall.world.campaign([ANN])
    hall.pool.kick()
    await hall.until(lambda: hall.lines[0].killed)
    await hall.until(lambda: len(hall.lines) == 2 and not hall.pool.calls)
    (attempt,) = await hall.world.attempts()
    assert attempt["state"] == "due"
