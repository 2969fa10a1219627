"""A refused offer is told with its words as it happens, once, apart from an opt-out and from a later call."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.messages import EventKind
from tests.dialer.customers import FarEnd
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("words", ["not interested", "no", "2"])
def test_it_is_told_before_the_goodbye(tmp_path: Path, words: str) -> None:
    async def refuses(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await (customer.press(words) if words.isdigit() else customer.say(words))
        await customer.stay()

    world = World(tmp_path, customer=refuses)
    assert ring(world).disposition is Disposition.DECLINED
    assert world.told(EventKind.REFUSAL) == [{"words": words}]
    assert not world.told(EventKind.OPT_OUT)
    kinds = [event.kind for event in world.events]
    assert EventKind.SAID in kinds[kinds.index(EventKind.REFUSAL) :]


@pytest.mark.parametrize("words", ["not interested", "no"])
def test_said_and_hung_up_at_once(tmp_path: Path, words: str) -> None:
    async def slams(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say(words)
        await customer.hang_up()

    world = World(tmp_path, customer=slams)
    world.recognition.takes_s = 1.5
    result = ring(world)
    assert (result.disposition, result.hangup_cause) == (Disposition.DECLINED, "peer_bye")
    assert world.told(EventKind.REFUSAL) == [{"words": words}]


def test_told_beside_an_opt_out_and_once(tmp_path: Path) -> None:
    async def has_had_enough(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("no thanks")
        await customer.wait(0.5)
        await customer.say("not interested and stop calling me")
        await customer.stay()

    world = World(tmp_path, customer=has_had_enough)
    assert ring(world).disposition is Disposition.OPTED_OUT
    assert len(world.told(EventKind.REFUSAL)) == len(world.told(EventKind.OPT_OUT)) == 1


def test_another_time_is_no_refusal(tmp_path: Path) -> None:
    async def drives(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("no I am driving call me later")
        await customer.hang_up()

    world = World(tmp_path, customer=drives)
    assert ring(world).disposition is Disposition.CALLBACK_BOOKED
    assert not world.told(EventKind.REFUSAL)
