"""Ears and voices that fail, calls that nobody answers, and calls of which nothing is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.call import Call
from dialer.journal import What
from dialer.messages import EventKind, Released
from tests.dialer.customers import FarEnd, says_yes
from tests.dialer.virtual import run
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


def test_a_late_recogniser_costs_a_sorry_not_the_call(tmp_path: Path) -> None:
    async def insists(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        world.recognition.takes_s = 60.0
        await customer.say("yes")
        while "Sorry" not in await customer.listen():
            pass
        world.recognition.takes_s = 0.1
        await customer.say("yes")
        await customer.stay()

    world = World(tmp_path, customer=insists)
    result = ring(world)
    assert result.disposition is Disposition.ACCEPTED
    assert [event["text"] for event in world.told(EventKind.HEARD)] == ["", "yes"]
    assert world.customer.heard[1].startswith("One moment, please.")
    assert result.timings.turn_gaps_s[0] < 1.5


def test_who_answers_again_meanwhile_need_not_hear_a_sorry(tmp_path: Path) -> None:
    async def says_it_again(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        world.recognition.takes_s = 60.0
        await customer.say("yes")
        await customer.listen()
        world.recognition.takes_s = 0.1
        await customer.say("yes")
        await customer.stay()

    world = World(tmp_path, customer=says_it_again)
    assert ring(world).disposition is Disposition.ACCEPTED
    assert world.customer.heard[1:] == ["One moment, please.", "Thanks. Goodbye."]


def test_a_slow_voice_is_bridged(tmp_path: Path) -> None:
    async def answers(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        world.voice.takes_s = 3.0
        await customer.say("yes")
        await customer.stay()

    world = World(tmp_path, customer=answers)
    assert ring(world).disposition is Disposition.ACCEPTED
    assert world.customer.heard[1] == "One moment, please."
    assert "Thanks." in " ".join(world.customer.heard)


def test_with_a_dead_recogniser_keys_still_work(tmp_path: Path) -> None:
    async def tries_both(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("yes")
        await customer.listen()
        await customer.press("1")
        await customer.stay()

    world = World(tmp_path, customer=tries_both)
    world.recognition.dead = True
    assert ring(world).disposition is Disposition.ACCEPTED


def test_without_a_voice_the_call_ends(tmp_path: Path) -> None:
    async def answers(customer: FarEnd) -> None:
        await customer.answer()
        await customer.over.wait()

    world = World(tmp_path, customer=answers)
    world.voice.broken = True
    result = ring(world)
    assert (result.disposition, result.hangup_cause) == (Disposition.FAILED, "synthesizer_unavailable")


@pytest.mark.parametrize(
    ("code", "disposition"),
    [
        (486, Disposition.BUSY),
        (404, Disposition.INVALID_NUMBER),
        (603, Disposition.REJECTED),
        (503, Disposition.CONGESTION),
    ],
)
def test_a_refusal_says_why(tmp_path: Path, code: int, disposition: Disposition) -> None:
    async def refuses(customer: FarEnd) -> None:
        await customer.leg.reject(code, headers={"Retry-After": "30"})

    result = ring(World(tmp_path, customer=refuses))
    assert (result.disposition, result.hangup_cause, result.sip_code) == (disposition, f"sip_{code}", code)
    assert result.retry_after_s == 30
    assert result.answered_at is None
    assert not result.recording


def test_nobody_answers(tmp_path: Path) -> None:
    async def rings(customer: FarEnd) -> None:
        await customer.leg.answer(180)
        await customer.over.wait()

    world = World(tmp_path, customer=rings)
    result = ring(world, ring_timeout_s=5.0)
    assert (result.disposition, result.hangup_cause) == (Disposition.NO_ANSWER, "ring_timeout")
    assert world.told(EventKind.RINGING) == [{"code": 180, "early_media": False}]
    assert (result.ended_at - world.events[0].at).total_seconds() == pytest.approx(5.0, abs=0.1)


def test_media_that_never_comes(tmp_path: Path) -> None:
    async def mute(customer: FarEnd) -> None:
        customer.leg.sending = False  # type: ignore[attr-defined]
        await customer.answer()
        await customer.over.wait()

    result = ring(World(tmp_path, customer=mute), media_timeout_s=3.0)
    assert (result.disposition, result.hangup_cause) == (Disposition.NO_MEDIA, "no_media")


def test_a_missed_send_window_releases_the_attempt(tmp_path: Path) -> None:
    world = World(tmp_path, customer=says_yes)
    end = run(world.ring(send_before=999.0))
    assert isinstance(end, Released)
    assert end.reason == "send_window_missed"
    assert not world.exchange.ends
    assert not world.events
    assert world.journal() is None


def test_no_free_leg_releases_the_attempt(tmp_path: Path) -> None:
    world = World(tmp_path, customer=says_yes, legs=0)
    end = run(world.ring())
    assert isinstance(end, Released)
    assert end.reason == "no_free_leg"
    entry = world.journal()
    assert entry is not None
    assert entry.what is What.UNSENT


def test_a_broken_flow_rings_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, customer=says_yes)
    result = ring(world, flow={"name": "broken", "steps": {}})
    assert (result.disposition, result.hangup_cause) == (Disposition.FAILED, "bad_flow")
    assert not world.exchange.ends


def test_an_unwritable_journal_sends_nothing(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    world = World(tmp_path, customer=says_yes)
    end = run(world.ring())
    assert isinstance(end, Released)
    assert end.reason == "journal_failed"
    assert not world.exchange.ends


def test_hung_up_before_it_was_sent(tmp_path: Path) -> None:
    async def at_once(call: Call) -> None:
        call.hang_up("opted_out")

    world = World(tmp_path, customer=says_yes)
    result = ring(world, at_once)
    assert (result.disposition, result.hangup_cause) == (Disposition.CANCELLED, "opted_out")
    assert not world.exchange.ends
