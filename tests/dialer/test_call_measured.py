"""Every call is measured from its sound, beside its own clock, and where the two disagree it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.messages import DIVERGENCE_S, EventKind, Timings
from tests.dialer.customers import FarEnd
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


async def answers_late(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("can you repeat that")
    await customer.listen()
    await customer.say("yes")
    await customer.stay()


def test_sound_and_clock_agree(tmp_path: Path) -> None:
    world = World(tmp_path, customer=answers_late)
    timings = ring(world).timings
    assert len(timings.turn_gaps_s) == len(timings.own_turn_gaps_s) == 2
    assert timings.own_answer_to_audio_s is not None
    assert timings.divergence_s < DIVERGENCE_S
    [measured] = world.told(EventKind.MEASURED)
    assert measured["turn_gaps_s"] == timings.turn_gaps_s
    kinds = [event.kind for event in world.events]
    assert kinds[-1] is EventKind.MEASURED, "the last that is told of a call"


def test_silence_that_was_ours_to_end_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, customer=answers_late)
    world.recognition.takes_s = 2.2
    world.voice.takes_s = 3.0
    timings = ring(world).timings
    assert timings.owed_s > 1.5
    assert timings.dead_air_s >= 0.0


def test_a_divergence_is_the_worst_of_what_can_be_compared() -> None:
    assert Timings().divergence_s == 0.0
    far = Timings(answer_to_audio_s=0.1, own_answer_to_audio_s=0.05, turn_gaps_s=(1.0, 1.2), own_turn_gaps_s=(0.4, 0.4))
    assert far.divergence_s == pytest.approx(0.7)
    assert Timings(answer_to_audio_s=0.9, own_answer_to_audio_s=0.1).divergence_s == pytest.approx(0.8)
    assert Timings(turn_gaps_s=(1.0,)).divergence_s == 0.0


def test_nobody_is_measured_who_did_not_answer(tmp_path: Path) -> None:
    async def refuses(customer: FarEnd) -> None:
        await customer.leg.reject(486)

    world = World(tmp_path, customer=refuses)
    ring(world)
    assert world.told(EventKind.MEASURED) == []
