"""What is no person: announcements before and after the answer, busy and information tones, fax, assistants, menus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from campaigns.dispositions import Disposition
from dialer.messages import EventKind
from tests.dialer.customers import FarEnd, speech
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


def tones(*frequencies: float, on_s: float, off_s: float = 0.0, times: int = 1) -> bytes:
    """A call-progress tone."""
    clock = np.arange(int(8000 * on_s)) / 8000
    sound = sum(np.sin(2 * np.pi * hz * clock) for hz in frequencies) * 6500 / len(frequencies)
    once = np.concatenate([sound, np.zeros(int(8000 * off_s))])
    return np.tile(once, times).astype("<i2").tobytes()


SIT = b"".join(tones(hz, on_s=0.33) for hz in (950, 1400, 1800))
BUSY = tones(480, 620, on_s=0.5, off_s=0.5, times=4)


def plays_before(*sounds: bytes, then: Callable[[FarEnd], Awaitable[None]] | None = None) -> World:
    async def network(customer: FarEnd) -> None:
        await customer.leg.answer(183)
        for sound in sounds:
            await customer.play(sound)
            await customer.wait(0.8)
        if then is not None:
            await then(customer)
        await customer.over.wait()

    return network  # type: ignore[return-value]


def world(tmp_path: Path, script: object) -> World:
    return World(tmp_path, customer=script)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "disposition", "cause"),
    [
        ("sorry the subscriber you dialed is powered off", Disposition.POWERED_OFF, "announced_powered_off"),
        ("the number you have dialed does not exist", Disposition.INVALID_NUMBER, "announced_vacant_number"),
        ("this number is temporarily out of service", Disposition.SUSPENDED, "announced_suspended"),
        ("the customer you are calling is on another call", Disposition.BUSY, "announced_busy"),
    ],
)
def test_an_announcement_before_the_answer_ends_the_ringing(
    tmp_path: Path, words: str, disposition: Disposition, cause: str
) -> None:
    called = world(tmp_path, plays_before(tones(440, 480, on_s=2.0), speech(words)))
    result = ring(called)
    assert (result.disposition, result.hangup_cause, result.answered_at) == (disposition, cause, None)
    assert called.told(EventKind.ANNOUNCED) == [{"what": cause.removeprefix("announced_")}]
    assert (result.ended_at - called.events[0].at).total_seconds() < 15


def test_busy_tone_before_the_answer_is_busy(tmp_path: Path) -> None:
    assert ring(world(tmp_path, plays_before(BUSY))).disposition is Disposition.BUSY


def test_an_information_tone_waits_for_the_words_that_explain_it(tmp_path: Path) -> None:
    silent = ring(world(tmp_path / "a", plays_before(SIT)))
    assert (silent.disposition, silent.hangup_cause) == (Disposition.UNREACHABLE, "announced_unreachable")
    told = ring(world(tmp_path / "b", plays_before(SIT, speech("the number you dialed is not in service"))))
    assert told.disposition is Disposition.INVALID_NUMBER


def test_ringback_and_music_before_the_answer_are_let_pass(tmp_path: Path) -> None:
    async def answers(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("yes")
        await customer.stay()

    sounds = [tones(440, 480, on_s=2.0, off_s=1.0), speech("buy one get one free at the book shop")]
    called = world(tmp_path, plays_before(*sounds, then=answers))
    result = ring(called)
    assert result.disposition is Disposition.ACCEPTED
    assert called.told(EventKind.ANNOUNCED) == []
    assert [turn.text for turn in result.transcript if turn.who == "customer"] == ["yes"], "what rang was nobody's word"


def test_a_request_to_hold_on_is_no_end(tmp_path: Path) -> None:
    words = "the subscriber you are calling is on another call please stay on the line"
    result = ring(world(tmp_path, plays_before(speech(words))), ring_timeout_s=9.0)
    assert (result.disposition, result.hangup_cause) == (Disposition.NO_ANSWER, "ring_timeout")


def answers_with(sound: bytes) -> Callable[[FarEnd], Awaitable[None]]:
    async def answers(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(sound)
        await customer.stay()

    return answers


@pytest.mark.parametrize(
    ("sound", "disposition", "evidence"),
    [
        (speech("the number you have dialed is not in service"), Disposition.INVALID_NUMBER, "announced_vacant_number"),
        (speech("sorry the subscriber you dialed is powered off"), Disposition.POWERED_OFF, "announced_powered_off"),
        (tones(2100, on_s=3.0), Disposition.MACHINE, "fax"),
        (tones(1100, on_s=0.5, off_s=3.0, times=3), Disposition.MACHINE, "fax"),
        (SIT, Disposition.UNREACHABLE, "sit"),
        (BUSY, Disposition.BUSY, "busy_tone"),
    ],
)
def test_after_the_answer_it_is_known_too(
    tmp_path: Path, sound: bytes, disposition: Disposition, evidence: str
) -> None:
    called = world(tmp_path, answers_with(sound))
    result = ring(called)
    assert (result.disposition, result.hangup_cause) == (disposition, "our_bye")
    assert [event["evidence"] for event in called.told(EventKind.MACHINE)] == [evidence]


def test_a_line_that_went_dead_ends_a_conversation_as_it_stood(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("can you repeat that")
        await customer.begins(200)
        await customer.say("who is this")
        await customer.begins(200)
        await customer.play(BUSY)
        await customer.stay()

    result = ring(world(tmp_path, leaves))
    assert result.disposition is Disposition.HUNG_UP


def test_somebody_who_says_the_line_is_busy_is_a_person(tmp_path: Path) -> None:
    async def says(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("the line is busy"))
        await customer.listen()
        await customer.say("yes")
        await customer.stay()

    assert ring(world(tmp_path, says)).disposition is Disposition.ACCEPTED


async def voicemail(customer: FarEnd) -> None:
    await customer.answer()
    await customer.play(speech("please leave a message after the tone"))
    await customer.wait(0.8)
    await customer.play(tones(1000, on_s=0.4))
    customer.take()
    await customer.stay()


def test_nothing_is_left_on_a_machine_where_the_campaign_says_so(tmp_path: Path) -> None:
    called = world(tmp_path, voicemail)
    result = ring(called, on_machine="hang_up")
    assert result.disposition is Disposition.MACHINE
    assert "Parcel from" not in " ".join(called.customer.heard[-1:])


def test_a_screening_assistant_is_told_who_calls_and_the_customer_hears_it_all(tmp_path: Path) -> None:
    async def screens(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("if you record your name and reason for calling i will see if they are available"))
        while "put me through" not in (customer.heard or [""])[-1]:
            await customer.listen()
        await customer.wait(8.0)
        await customer.say("hello")
        await customer.listen()
        await customer.say("yes")
        await customer.stay()

    called = world(tmp_path, screens)
    result = ring(called)
    assert result.disposition is Disposition.ACCEPTED
    robot = [turn.text for turn in result.transcript if turn.who == "robot"]
    assert sum("Robot of Acme" in text for text in robot) >= 2


def test_a_greeting_is_known_for_a_machines_long_before_its_end(tmp_path: Path) -> None:
    async def greets(customer: FarEnd) -> None:
        await customer.answer()
        words = "you have reached the voicemail of the smith family who are far away in the garden and out all day"
        await customer.play(speech(words))
        await customer.play(tones(1000, on_s=0.4))
        customer.take()
        await customer.stay()

    called = world(tmp_path, greets)
    result = ring(called)
    assert result.disposition is Disposition.MESSAGE_LEFT
    told = next(event for event in called.events if event.kind is EventKind.MACHINE)
    answered = next(event for event in called.events if event.kind is EventKind.ANSWERED)
    greeting_s = len(speech("x" * 97)) / 16000
    assert (told.at - answered.at).total_seconds() < greeting_s / 2
    assert called.customer.heard[-1] == "Parcel from Acme on Monday."


def test_a_person_who_talks_at_length_is_heard_out(tmp_path: Path) -> None:
    async def talks(customer: FarEnd) -> None:
        await customer.answer()
        await customer.play(speech("good morning this is mary jones from harbour books speaking who is there please"))
        customer.take()
        while "At home" not in customer.heard[-1]:
            await customer.listen()
        await customer.say("yes")
        await customer.stay()

    called = world(tmp_path, talks)
    assert ring(called).disposition is Disposition.ACCEPTED
    assert called.told(EventKind.MACHINE) == []
