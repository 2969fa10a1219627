"""Answering machines: words, timing and beep, the message, and the human who was taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.messages import EventKind
from tests.dialer.customers import FarEnd, speech, tone
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


async def voicemail(customer: FarEnd) -> None:
    await customer.answer()
    await customer.play(speech("please leave a message after the tone"))
    await customer.wait(1.0)
    await customer.play(tone(0.4))
    customer.take()
    await customer.stay()


def test_leaves_a_message_after_the_beep(tmp_path: Path) -> None:
    world = World(tmp_path, customer=voicemail)
    result = ring(world)
    assert result.disposition is Disposition.MESSAGE_LEFT
    assert world.told(EventKind.MACHINE) == [{"evidence": "words"}]
    assert world.customer.heard[-1] == "Parcel from Acme on Monday."


def test_a_machine_without_a_beep_gets_its_message_after_a_silence(tmp_path: Path) -> None:
    async def no_beep(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("please leave a message"))
        await customer.stay()

    world = World(tmp_path, customer=no_beep)
    assert ring(world).disposition is Disposition.MESSAGE_LEFT
    assert world.customer.heard[-1] == "Parcel from Acme on Monday."


def test_a_beep_in_the_message_begins_it_again(tmp_path: Path) -> None:
    async def late_beep(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("please leave a message"))
        customer.take()
        await customer.begins(400)
        await customer.play(tone(0.4))
        customer.take()
        await customer.stay()

    world = World(tmp_path, customer=late_beep)
    assert ring(world).disposition is Disposition.MESSAGE_LEFT
    assert world.customer.heard[-1].endswith("Parcel from Acme on Monday.")
    [cut] = world.told(EventKind.INTERRUPTED)[-1:]
    assert cut["text"] == "Parcel from Acme on Monday."


def test_a_long_greeting_is_a_machine(tmp_path: Path) -> None:
    async def talks(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("the smith family is out in the garden and far away from here " * 2))
        await customer.wait(0.8)
        await customer.play(tone(0.4))
        customer.take()
        await customer.stay()

    world = World(tmp_path, customer=talks)
    assert ring(world).disposition is Disposition.MESSAGE_LEFT
    assert world.told(EventKind.MACHINE) == [{"evidence": "long_greeting"}]


def test_only_a_beep_is_a_machine(tmp_path: Path) -> None:
    async def beeps(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.play(tone(0.5))
        customer.take()
        await customer.stay()

    world = World(tmp_path, customer=beeps)
    assert ring(world).disposition is Disposition.MESSAGE_LEFT
    assert world.told(EventKind.MACHINE) == [{"evidence": "beep"}]


def test_a_key_proves_a_human_after_all(tmp_path: Path) -> None:
    async def chatterbox(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("the smith family is out in the garden and far away from here " * 2))
        await customer.wait(1.2)
        await customer.press("1")
        await customer.stay()

    world = World(tmp_path, customer=chatterbox)
    result = ring(world)
    assert world.told(EventKind.MACHINE)
    assert result.disposition is Disposition.ACCEPTED
