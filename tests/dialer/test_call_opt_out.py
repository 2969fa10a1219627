"""An opt-out counts whenever it is said or pressed: to the last breath of the call, and whoever seems to listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.journal import What
from dialer.messages import EventKind
from dialer.speaking import SENTENCE_PAUSE_MS
from tests.dialer.customers import FarEnd, speech
from tests.dialer.flows import DELIVERY
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit

AGENT_URI = "sip:agent@127.0.0.1:5099"
CHATTER = "the smith family is out in the garden and far away from here " * 2
"""So long a greeting that a machine is believed in."""


def ms(text: str) -> int:
    return len(speech(text)) // 16


@pytest.mark.parametrize("decoding_s", [0.1, 1.5])
@pytest.mark.parametrize("pause_s", [0.02, 0.7])
def test_said_and_hung_up_at_once(tmp_path: Path, decoding_s: float, pause_s: float) -> None:
    async def slams(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("stop calling me")
        await customer.wait(pause_s)
        await customer.hang_up()

    world = World(tmp_path, customer=slams)
    world.recognition.takes_s = decoding_s
    result = ring(world)
    assert (result.disposition, result.hangup_cause) == (Disposition.OPTED_OUT, "peer_bye")
    assert world.told(EventKind.OPT_OUT) == [{"words": "stop calling me", "scope": "all"}]
    entry = world.journal()
    assert entry is not None
    assert (entry.what, entry.disposition) == (What.ENDED, Disposition.OPTED_OUT)


def test_a_yes_before_hanging_up_counts_as_well(tmp_path: Path) -> None:
    async def in_a_hurry(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("yes")
        await customer.hang_up()

    world = World(tmp_path, customer=in_a_hurry)
    assert ring(world).disposition is Disposition.ACCEPTED


def test_pressed_right_after_another_key(tmp_path: Path) -> None:
    async def presses(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.press("19")
        await customer.stay()

    world = World(tmp_path, customer=presses)
    assert ring(world).disposition is Disposition.OPTED_OUT
    assert world.customer.heard[-1] == "Never again."


def test_pressed_where_several_digits_are_collected(tmp_path: Path) -> None:
    async def presses(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.press("9")
        await customer.stay()

    number = {"type": "collect", "say": "Number?", "least": 4, "save_as": "number", "then": "fine", "otherwise": "fine"}
    world = World(tmp_path, customer=presses)
    result = ring(world, flow={**DELIVERY, "steps": {**DELIVERY["steps"], "question": number}})
    assert result.disposition is Disposition.OPTED_OUT
    assert world.told(EventKind.OPT_OUT) == [{"words": "9", "scope": "all"}]


@pytest.mark.parametrize("before_s", [0.2, 1.5])
def test_pressed_into_the_goodbye(tmp_path: Path, before_s: float) -> None:
    async def thinks_again(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("yes")
        await customer.wait(before_s)
        await customer.press("9")
        await customer.stay()

    world = World(tmp_path, customer=thinks_again)
    assert ring(world).disposition is Disposition.OPTED_OUT


def test_said_into_the_last_word_of_the_goodbye(tmp_path: Path) -> None:
    async def thinks_again(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("no")
        await customer.begins(ms("Thanks.") + SENTENCE_PAUSE_MS + ms("Goodbye.") - 150)
        await customer.say("stop calling me")
        await customer.stay()

    world = World(tmp_path, customer=thinks_again)
    assert ring(world).disposition is Disposition.OPTED_OUT


@pytest.mark.parametrize("by_key", [False, True])
def test_while_the_agent_is_rung(tmp_path: Path, by_key: bool) -> None:
    async def loses_patience(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("I want to speak to a person")
        await customer.wait(3.0)
        await (customer.press("9") if by_key else customer.say("stop calling me"))
        await customer.stay()

    async def rings(agent: FarEnd) -> None:
        await agent.leg.answer(180)
        await agent.over.wait()

    world = World(tmp_path, customer=loses_patience, agent=rings)
    assert ring(world, agent_uri=AGENT_URI).disposition is Disposition.OPTED_OUT
    assert world.agent.over.is_set()
    assert world.customer.heard[-1].endswith("Never again.")


def test_other_words_let_the_agent_ring_on(tmp_path: Path) -> None:
    async def murmurs(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("I want to speak to a person")
        await customer.wait(3.0)
        await customer.say("well")
        await customer.press("4")
        await customer.stay()

    async def takes_it(agent: FarEnd) -> None:
        await agent.wait(6.0)
        await agent.answer()
        await agent.wait(1.0)
        await agent.hang_up()

    world = World(tmp_path, customer=murmurs, agent=takes_it)
    assert ring(world, agent_uri=AGENT_URI).disposition is Disposition.HANDED_OFF
    assert [event["state"] for event in world.told(EventKind.HANDOFF)] == ["ringing", "connected", "ended"]


@pytest.mark.parametrize("by_key", [False, True])
def test_into_the_message_left_for_a_machine(tmp_path: Path, by_key: bool) -> None:
    async def no_machine(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech(CHATTER))
        customer.take()
        await customer.begins(300)
        await (customer.press("9") if by_key else customer.say("stop calling me"))
        await customer.stay()

    world = World(tmp_path, customer=no_machine)
    assert ring(world).disposition is Disposition.OPTED_OUT
    assert world.told(EventKind.MACHINE) == [{"evidence": "long_greeting"}]


def test_said_at_length_to_a_robot_that_waits_for_a_beep(tmp_path: Path) -> None:
    async def no_machine(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech(CHATTER))
        await customer.wait(1.2)
        await customer.play(speech("please stop calling me and take me off your list"))
        await customer.stay()

    world = World(tmp_path, customer=no_machine)
    assert ring(world).disposition is Disposition.OPTED_OUT
    assert world.customer.heard[-1] == "Never again."
