"""Handing a customer over to an agent, and what happens when nobody takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.messages import EventKind
from tests.dialer.customers import FarEnd, speech
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit

AGENT_URI = "sip:agent@127.0.0.1:5099"


async def wants_a_person(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("I want to speak to a person")
    await customer.listen()
    await customer.stay()


def test_a_handoff_connects_customer_and_agent(tmp_path: Path) -> None:
    async def takes_it(agent: FarEnd) -> None:
        await agent.wait(1.5)
        await agent.answer()
        await agent.wait(0.5)
        await agent.play(speech("this is Mary"))
        await agent.wait(0.8)
        await agent.hang_up()

    world = World(tmp_path, customer=wants_a_person, agent=takes_it)
    result = ring(world, agent_uri=AGENT_URI)
    assert result.disposition is Disposition.HANDED_OFF
    assert [event["state"] for event in world.told(EventKind.HANDOFF)] == ["ringing", "connected", "ended"]
    assert "this is Mary" in " ".join(world.customer.heard)
    assert world.agent.leg.invitation.headers["x-outbound-summary"] == ["Acme, Monday"]


def test_the_customer_may_end_the_talk_with_the_agent(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await wants_person_until_connected(customer)
        await customer.hang_up()

    async def wants_person_until_connected(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("I want to speak to a person")
        while "Mary" not in customer.heard[-1]:
            await customer.listen()

    async def takes_it(agent: FarEnd) -> None:
        await agent.answer()
        await agent.wait(1.0)
        await agent.play(speech("this is Mary"))
        await agent.over.wait()

    world = World(tmp_path, customer=leaves, agent=takes_it)
    result = ring(world, agent_uri=AGENT_URI)
    assert (result.disposition, result.hangup_cause) == (Disposition.HANDED_OFF, "peer_bye")


@pytest.mark.parametrize(
    ("code", "reason"), [(486, "busy"), (480, "no_answer"), (503, "failed"), (0, "no_answer")], ids=str
)
def test_when_nobody_takes_it_a_callback_is_booked(tmp_path: Path, code: int, reason: str) -> None:
    async def books(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("I want to speak to a person")
        while "When?" not in customer.heard[-1]:
            await customer.listen()
        await customer.say("tomorrow at three")
        await customer.stay()

    async def refuses(agent: FarEnd) -> None:
        if code:
            await agent.leg.reject(code)
        else:
            await agent.leg.answer(180)

    world = World(tmp_path, customer=books, agent=refuses)
    result = ring(world, agent_uri=AGENT_URI, agent_ring_timeout_s=3.0)
    assert result.disposition is Disposition.CALLBACK_BOOKED
    states = [(event["state"], event["reason"]) for event in world.told(EventKind.HANDOFF)]
    assert states == [("ringing", ""), ("failed", reason)]
    [booked] = world.told(EventKind.CALLBACK)
    assert booked["at"] == "2026-03-03T15:00:00-08:00"


def test_the_customer_may_leave_while_the_agent_is_rung(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("I want to speak to a person")
        await customer.wait(3.0)
        await customer.hang_up()

    async def rings(agent: FarEnd) -> None:
        await agent.leg.answer(180)

    world = World(tmp_path, customer=leaves, agent=rings)
    result = ring(world, agent_uri=AGENT_URI)
    assert world.agent.over.is_set()
    assert result.disposition is not Disposition.HANDED_OFF
    assert result.hangup_cause == "peer_bye"
