"""Calls that we end ourselves: hung up, cancelled, too long, or broken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.call import Call
from dialer.journal import What
from dialer.messages import CallResult, Released
from tests.dialer.customers import FarEnd
from tests.dialer.virtual import run
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


def test_cancelled_while_it_rings(tmp_path: Path) -> None:
    async def rings(customer: FarEnd) -> None:
        await customer.leg.answer(180)
        await customer.over.wait()

    async def cancel(call: Call) -> None:
        await asyncio.sleep(2.0)
        call.hang_up("cancelled")

    world = World(tmp_path, customer=rings)
    result = ring(world, cancel)
    assert (result.disposition, result.hangup_cause) == (Disposition.CANCELLED, "cancelled")


def test_hung_up_in_the_conversation(tmp_path: Path) -> None:
    async def listens(customer: FarEnd) -> None:
        await customer.answer()
        await customer.over.wait()

    async def cancel(call: Call) -> None:
        await asyncio.sleep(1.6)
        call.hang_up("operator")
        call.hang_up("again")

    world = World(tmp_path, customer=listens)
    result = ring(world, cancel)
    assert (result.disposition, result.hangup_cause) == (Disposition.HUNG_UP, "operator")
    assert result.transcript[-1].interrupted


def test_a_cancelled_task_still_gives_its_result(tmp_path: Path) -> None:
    async def listens(customer: FarEnd) -> None:
        await customer.answer()
        await customer.over.wait()

    async def both(world: World) -> CallResult | Released:
        await world.engine.start()
        task = asyncio.create_task(world.call().run())
        await asyncio.sleep(2.0)
        task.cancel()
        end = await task
        await world.exchange.finished()
        assert world.engine.free == world.engine.capacity
        await world.engine.stop()
        return end

    world = World(tmp_path, customer=listens)
    end = run(both(world))
    assert isinstance(end, CallResult)
    assert end.hangup_cause == "line_stopped"
    entry = world.journal()
    assert entry is not None
    assert entry.what is What.ENDED


def test_no_conversation_lasts_for_ever(tmp_path: Path) -> None:
    async def again_and_again(customer: FarEnd) -> None:
        await customer.answer()
        while True:
            await customer.listen()
            await customer.say("what was that")

    world = World(tmp_path, customer=again_and_again)
    result = ring(world, max_duration_s=12.0)
    assert result.hangup_cause == "max_duration"
    assert 12.0 <= result.timings.duration_s < 23.0
    assert not any(turn.interrupted for turn in result.transcript), "the last sentence is finished"


def test_a_fault_of_our_own_ends_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def listens(customer: FarEnd) -> None:
        await customer.answer()
        await customer.over.wait()

    world = World(tmp_path, customer=listens)
    monkeypatch.setattr("dialer.hearing.Keypad", None)
    result = ring(world)
    assert (result.disposition, result.hangup_cause) == (Disposition.FAILED, "internal_error")
    entry = world.journal()
    assert entry is not None
    assert entry.disposition == Disposition.FAILED
