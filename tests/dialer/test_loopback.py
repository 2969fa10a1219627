"""The loopback engine: calls, audio, keys and bridges without a network, in step with a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from dialer.engines import EngineOptions
from dialer.engines.loopback import AtOnce, ByHand, LoopbackEngine, LoopbackLeg
from dialer.incoming import IncomingLeg
from dialer.legs import Answered, Dial, Digit, Ended, EndedBy, LegError, LegEvent, Ringing, Trunk, Trying
from tests.dialer.virtual import run as run_in_virtual_time

pytestmark = pytest.mark.unit

DIAL = Dial(call_id="a-1", target="+447700900123", trunk=Trunk(name="t", host="loop", caller_id="+442079460000"))
ONES, TWOS, THREES = (bytes([n, 0]) * 160 for n in (1, 2, 3))
"""One frame each."""


class Customers:
    """Takes every call and keeps both ends' events."""

    def __init__(self) -> None:
        self.legs: list[IncomingLeg] = []
        self.events: list[list[LegEvent]] = []

    def __call__(self, leg: IncomingLeg) -> Callable[[LegEvent], None]:
        self.legs.append(leg)
        self.events.append([])
        return self.events[-1].append


class World:
    def __init__(self, customers: Customers, engine: LoopbackEngine, clock: ByHand) -> None:
        self.customers, self.engine, self.clock = customers, engine, clock

    async def ring(self, dial: Dial = DIAL) -> tuple[LoopbackLeg, IncomingLeg, list[LegEvent], list[LegEvent]]:
        events: list[LegEvent] = []
        leg = await self.engine.dial(dial, events.append)
        await settle()
        return leg, self.customers.legs[-1], events, self.customers.events[-1]

    async def talk(self) -> tuple[LoopbackLeg, IncomingLeg, list[LegEvent], list[LegEvent]]:
        near, far, events, far_events = await self.ring()
        await far.answer()
        await settle()
        return near, far, events, far_events


async def settle() -> None:
    """Let everything that is ready happen."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    customers, clock = Customers(), ByHand()
    engine = LoopbackEngine(EngineOptions(max_calls=3), customers, clock)
    await engine.start()
    yield World(customers, engine, clock)
    await engine.stop()


async def test_a_call_from_ring_to_bye(world: World) -> None:
    near, far, events, far_events = await world.ring(replace(DIAL, headers={"X-Attempt": "7"}))
    assert (far.invitation.caller, far.invitation.called) == ("+442079460000", "+447700900123")
    assert far.invitation.headers == {"x-attempt": ["7"]}
    assert far.call_id == near.call_id == "a-1"
    await far.answer(180)
    await far.answer()
    await far.answer()
    await settle()
    assert events == [Trying(), Ringing(code=180), Answered(codec="L16")]
    await far.hangup()
    await far.hangup()
    await near.hangup()
    await settle()
    assert events[-1] == Ended(by=EndedBy.PEER)
    assert far_events == [Answered(codec="L16"), Ended(by=EndedBy.US)]
    assert world.engine.free == world.engine.capacity == 3


async def test_a_rejection_carries_headers(world: World) -> None:
    _, far, events, far_events = await world.ring()
    await far.reject(503, reason="Full", headers={"Retry-After": "30"})
    await settle()
    assert events[-1] == Ended(by=EndedBy.PEER, code=503, reason="Full", headers={"retry-after": ["30"]})
    assert far_events == [Ended(by=EndedBy.US, code=503)]


async def test_giving_up_and_the_other_way_round(world: World) -> None:
    near, _, events, far_events = await world.ring()
    await near.hangup()
    await settle()
    assert events[-1] == Ended(by=EndedBy.US, code=487)
    assert far_events == [Ended(by=EndedBy.PEER, code=487)]
    _, far, events, _ = await world.ring()
    await far.hangup()
    await settle()
    assert events[-1] == Ended(by=EndedBy.PEER, code=603)


async def test_audio_passes_frame_by_frame(world: World) -> None:
    near, far, *_ = await world.ring()
    heard: list[bytes] = []
    near.on_audio(heard.append)
    early = near.play(ONES)
    assert early.played_ms == 0
    await far.answer()
    far.play(TWOS + THREES[:160])
    await world.clock.advance(60)
    assert await early.wait() is True
    assert heard == [TWOS, THREES[:160] + bytes(160), bytes(320)]
    assert near.tape() == (b"".join(heard), ONES + bytes(640))
    assert far.tape() == (ONES + bytes(640), b"".join(heard))
    assert near.packets_received == 3
    near.on_audio(None)
    await world.clock.advance(20)
    assert len(heard) == 3


async def test_clips_join_without_a_gap_and_stop_within_a_frame(world: World) -> None:
    near, _, *_ = await world.talk()
    first, second = near.play(ONES[:100]), near.play(TWOS * 5)
    await world.clock.advance(40)
    assert (first.played_ms, second.played_ms) == (6, 33)
    assert near.tape()[1] == (ONES[:100] + TWOS * 2)[:640]
    third = near.play(THREES)
    assert second.stop() == 33
    assert second.stop() == 33
    await world.clock.advance(20)
    assert near.tape()[1][640:] == THREES
    assert [await clip.wait() for clip in (first, second, third)] == [True, False, True]


async def test_nothing_plays_after_the_end(world: World) -> None:
    near, *_ = await world.talk()
    playing = near.play(ONES * 10)
    await near.hangup()
    late = near.play(ONES)
    assert (await playing.wait(), await late.wait()) == (False, False)
    with pytest.raises(ValueError, match="odd"):
        near.play(b"\0")


async def test_early_media_sounds_but_is_not_taped(world: World) -> None:
    near, far, events, _ = await world.ring()
    heard: list[bytes] = []
    near.on_audio(heard.append)
    near.play(THREES)
    await far.answer(183)
    far.play(TWOS)
    await world.clock.advance(20)
    assert events[-1] == Ringing(code=183, early_media=True)
    assert heard == [TWOS]
    assert near.tape() == far.tape() == (b"", b"")
    await far.answer()
    await world.clock.advance(20)
    assert near.tape() == (bytes(320), THREES)


async def test_media_that_never_comes(world: World) -> None:
    near, far, *_ = await world.ring()
    assert isinstance(far, LoopbackLeg)
    far.sending = False
    await far.answer()
    far.play(ONES)
    await world.clock.advance(40)
    assert near.packets_received == 0
    assert near.tape()[0] == bytes(640)


async def test_keys_both_ways(world: World) -> None:
    near, far, events, far_events = await world.talk()
    await far.send_digits("1#", method="info")
    await near.send_digits("9")
    await settle()
    assert events[-2:] == [Digit(digit="1", method="info"), Digit(digit="#", method="info")]
    assert far_events[-1] == Digit(digit="9")
    with pytest.raises(LegError, match="keys are"):
        await far.send_digits("x")


async def test_a_bridge_carries_and_tapes_both_sides(world: World) -> None:
    customer, customer_far, *_ = await world.talk()
    agent, agent_far, *_ = await world.talk()
    dropped = customer.play(THREES * 100)
    await customer.bridge(agent)
    assert await dropped.wait() is False
    customer_far.play(ONES)
    agent_far.play(TWOS)
    await world.clock.advance(20)
    assert customer.tape() == (ONES, TWOS)
    assert agent.tape() == (TWOS, ONES)
    assert customer_far.tape()[0] == TWOS
    await customer.unbridge()
    customer.play(THREES)
    await world.clock.advance(20)
    assert customer.tape()[1] == TWOS + THREES
    await customer.bridge(agent)
    await agent_far.hangup()
    again = customer.play(ONES)
    await world.clock.advance(20)
    assert await again.wait() is True
    with pytest.raises(LegError, match="over"):
        await customer.bridge(agent)
    with pytest.raises(LegError, match="two different legs"):
        await customer.bridge(customer)


async def test_no_more_legs_than_capacity(world: World) -> None:
    for _ in range(3):
        await world.ring()
    with pytest.raises(LegError) as caught:
        await world.ring()
    assert caught.value.code == "no_free_leg"


@pytest.mark.parametrize("target", ["12", "sip:a b"])
async def test_a_malformed_target(world: World, target: str) -> None:
    with pytest.raises(LegError, match="target"):
        await world.ring(replace(DIAL, target=target))


async def test_nobody_there_and_a_broken_listener(caplog: pytest.LogCaptureFixture) -> None:
    def broken(leg: IncomingLeg) -> Callable[[LegEvent], None]:
        raise RuntimeError("on purpose")

    for listener, code in ((None, 480), (broken, 500)):
        engine, events = LoopbackEngine(EngineOptions(), listener, AtOnce()), list[LegEvent]()
        with pytest.raises(LegError, match="not running"):
            await engine.dial(DIAL, events.append)
        await engine.start()
        await engine.dial(DIAL, events.append)
        await settle()
        assert events[-1] == Ended(by=EndedBy.PEER, code=code)
        await engine.stop()
    assert "the listener failed: the call is refused" in caplog.messages


async def test_a_failing_sink_harms_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("on purpose")

    near = await world.engine.dial(DIAL, broken)
    await settle()
    near.on_audio(broken)
    await world.customers.legs[-1].answer()
    await world.clock.advance(20)
    assert near.tape()[0] == bytes(320)
    assert {"a callback of a leg failed", "the audio sink of a leg failed"} <= set(caplog.messages)


async def test_as_fast_as_possible() -> None:
    customers = Customers()
    engine = LoopbackEngine(EngineOptions(), customers, AtOnce())
    await engine.start()
    near = await engine.dial(DIAL, lambda event: None)
    await settle()
    await customers.legs[0].answer()
    assert await near.play(ONES * 500).wait() is True
    assert near.tape()[1][: 320 * 500] == ONES * 500
    await engine.stop()


def test_real_time_keeps_fifty_frames_a_second() -> None:
    async def call() -> tuple[float, int]:
        customers = Customers()
        engine = LoopbackEngine(EngineOptions(), customers)
        await engine.start()
        near = await engine.dial(DIAL, lambda event: None)
        await asyncio.sleep(3)
        await customers.legs[0].answer()
        began = asyncio.get_running_loop().time()
        await near.play(ONES * 50).wait()
        took = asyncio.get_running_loop().time() - began
        await engine.stop()
        return took, len(near.tape()[0])

    took, taped = run_in_virtual_time(call())
    assert took == pytest.approx(1.0)
    assert taped == 50 * 320
