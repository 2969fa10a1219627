"""A call that asks a system of the business: the customer hears that it works, and nothing is done twice or lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow.inputs import Replied
from dialer.call import Call
from dialer.messages import CallResult, EventKind
from tests.dialer.customers import FarEnd
from tests.dialer.flows import CHANGE
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit

DONE = Replied(result="ok", values={"slot": "ten"})


async def agrees(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("yes")


async def stays(customer: FarEnd) -> None:
    await agrees(customer)
    await customer.stay()


def called(world: World, reply: Replied = DONE, *, takes_s: float = 0.3) -> CallResult:
    world.reply, world.reply_takes_s = reply, takes_s
    return ring(world, flow=CHANGE)


def states(world: World) -> list[str]:
    return [event["state"] for event in world.told(EventKind.SYSTEM)]


def test_the_customer_hears_what_the_system_said(tmp_path: Path) -> None:
    world = World(tmp_path, customer=stays)
    result = called(world)
    assert (result.disposition, result.outcome) == (Disposition.ACCEPTED, "changed")
    assert (result.variables["slot"], world.customer.heard[-1]) == (
        "ten",
        "One moment, please. Changed to ten. Goodbye.",
    )
    [asked] = world.asked
    assert (asked.system, asked.operation, asked.values) == ("parcels", "change_day", {"day": "Friday"})
    assert states(world) == ["asked", "replied"]
    said = [turn.text for turn in result.transcript if turn.who == "robot"]
    assert said[-3:] == ["One moment, please.", "Changed to ten.", "Goodbye."]


def test_it_is_asked_while_the_filler_sounds(tmp_path: Path) -> None:
    world = World(tmp_path, customer=stays)
    called(world)
    kinds = [event.kind for event in world.events]
    asked = kinds.index(EventKind.SYSTEM)
    filler = next(i for i, event in enumerate(world.events) if event.data.get("text") == "One moment, please.")
    assert asked < filler


def test_a_long_wait_is_never_silent(tmp_path: Path) -> None:
    result = called(World(tmp_path, customer=stays), takes_s=9.0)
    assert result.disposition is Disposition.ACCEPTED
    assert result.timings.dead_air_s < 1.5


def test_without_an_answer_it_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, customer=stays)
    result = called(world, Replied(problem="it is down"))
    assert result.disposition is Disposition.CALLBACK_BOOKED
    assert "Nobody is free." in " ".join(world.customer.heard)
    assert states(world) == ["asked", "failed"]
    assert "parcels: it is down" in [event["message"] for event in world.told(EventKind.PROBLEM)]


def test_words_meanwhile_do_not_ask_again(tmp_path: Path) -> None:
    async def asks(customer: FarEnd) -> None:
        await agrees(customer)
        await customer.begins(200)
        await customer.say("hello are you there")
        await customer.wait(2.0)
        await customer.say("hello")
        await customer.stay()

    world = World(tmp_path, customer=asks)
    result = called(world, takes_s=6.0)
    assert (result.outcome, len(world.asked)) == ("changed", 1)


def test_an_opt_out_meanwhile_is_honoured_at_once_and_what_was_done_is_told(tmp_path: Path) -> None:
    async def refuses(customer: FarEnd) -> None:
        await agrees(customer)
        await customer.wait(3.0)
        await customer.say("stop calling me")
        await customer.stay()

    world = World(tmp_path, customer=refuses)
    result = called(world, takes_s=9.0)
    assert result.disposition is Disposition.OPTED_OUT
    assert world.customer.heard[-1] == "Never again."
    kinds = [event.kind for event in world.events]
    last = len(kinds) - 1 - kinds[::-1].index(EventKind.SYSTEM)
    assert kinds.index(EventKind.OPT_OUT) < kinds.index(EventKind.ENDED) < last, "nobody waits on the line for it"
    assert states(world) == ["asked", "replied"]


def test_a_person_can_be_had_meanwhile(tmp_path: Path) -> None:
    async def wants_a_person(customer: FarEnd) -> None:
        await agrees(customer)
        await customer.wait(3.0)
        await customer.press("0")
        await customer.stay()

    world = World(tmp_path, customer=wants_a_person)
    result = called(world, takes_s=9.0)
    assert "Nobody is free." in " ".join(world.customer.heard)
    assert (result.disposition, len(world.asked)) == (Disposition.CALLBACK_BOOKED, 1)


@pytest.mark.parametrize("after_s", [0.0, 1.0, 3.0])
def test_what_was_done_for_somebody_who_hung_up_is_kept(tmp_path: Path, after_s: float) -> None:
    async def leaves(customer: FarEnd) -> None:
        await agrees(customer)
        await customer.begins(200)
        await customer.wait(after_s)
        await customer.hang_up()

    world = World(tmp_path, customer=leaves)
    result = called(world, takes_s=5.0)
    assert (result.disposition, result.outcome) == (Disposition.ACCEPTED, "changed")
    assert (result.variables["slot"], result.hangup_cause) == ("ten", "peer_bye")
    assert len(world.asked) == 1


def test_nobody_is_asked_for_somebody_who_is_gone(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("yes")
        await customer.hang_up()

    world = World(tmp_path, customer=leaves)
    called(world)
    assert world.asked == []


def test_a_call_that_is_ended_meanwhile_still_tells_what_came_of_it(tmp_path: Path) -> None:
    async def end(call: Call) -> None:
        await world.was_asked.wait()
        call.hang_up("operator")

    world = World(tmp_path, customer=stays)
    world.reply, world.reply_takes_s = DONE, 4.0
    result = ring(world, end, flow=CHANGE)
    assert (result.hangup_cause, result.variables) == ("operator", {"slot": "ten"})
    assert states(world) == ["asked", "replied"]
