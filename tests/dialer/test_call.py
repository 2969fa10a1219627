"""Calls from start to result over the loopback engine: every character a line may ring, in virtual time."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.call import Call
from dialer.journal import What
from dialer.messages import CallResult, EventKind, Released
from tests.dialer.customers import FarEnd, speech, tone
from tests.dialer.flows import NOTICE
from tests.dialer.virtual import run
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit

AGENT_URI = "sip:agent@127.0.0.1:5099"


def who_said(result: CallResult) -> list[tuple[str, str]]:
    return [(turn.who, turn.text) for turn in result.transcript]


async def says_yes(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("yes")
    await customer.stay()


def test_says_yes(tmp_path: Path) -> None:
    world = World(tmp_path, customer=says_yes)
    result = ring(world)
    assert (result.disposition, result.outcome) == (Disposition.ACCEPTED, "at_home")
    assert (result.hangup_cause, result.sip_code) == ("our_bye", 0)
    assert who_said(result) == [
        ("robot", "Robot of Acme."),
        ("robot", "Parcel Monday."),
        ("robot", "At home?"),
        ("robot", "Yes or no."),
        ("customer", "yes"),
        ("robot", "Thanks."),
        ("robot", "Goodbye."),
    ]
    assert world.customer.heard == ["Robot of Acme. Parcel Monday. At home? Yes or no.", "Thanks. Goodbye."]
    assert [event["intent"] for event in world.told(EventKind.HEARD)] == ["yes"]
    assert world.told(EventKind.ENDED) == [{"by": "us", "code": 0, "reason": ""}]
    entry = world.journal()
    assert entry is not None
    assert (entry.what, entry.disposition) == (What.ENDED, Disposition.ACCEPTED)


def test_what_the_tape_says_is_measured_and_kept(tmp_path: Path) -> None:
    world = World(tmp_path, customer=says_yes)
    result = ring(world)
    assert result.timings.answer_to_audio_s is not None
    assert result.timings.answer_to_audio_s < 0.1
    assert len(result.timings.turn_gaps_s) == 1
    assert 0.5 < result.timings.turn_gaps_s[0] < 0.7
    with wave.open(str(world.folder / "recordings" / result.recording)) as kept:
        assert (kept.getnchannels(), kept.getframerate()) == (2, 8000)
        assert kept.getnframes() / 8000 == pytest.approx(result.timings.duration_s, abs=0.05)


def test_the_first_words_are_rendered_while_it_rings(tmp_path: Path) -> None:
    async def takes_its_time(customer: FarEnd) -> None:
        await customer.leg.answer(180)
        await customer.wait(3.0)
        await says_yes(customer)

    world = World(tmp_path, customer=takes_its_time)
    world.voice.takes_s = 2.0
    result = ring(world)
    assert world.customer.first_sound_at_s - world.customer.answered_at_s < 0.1
    assert result.timings.answer_to_audio_s is not None
    assert result.timings.answer_to_audio_s < 0.1


def test_a_call_that_may_not_be_recorded_is_measured_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, customer=says_yes)
    result = ring(world, record=False)
    assert not result.recording
    assert result.timings.turn_gaps_s
    assert not (world.folder / "recordings").exists()


def test_presses_a_key_instead(tmp_path: Path) -> None:
    async def presses(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.press("2")
        await customer.stay()

    world = World(tmp_path, customer=presses)
    result = ring(world)
    assert (result.disposition, result.outcome) == (Disposition.DECLINED, "not_at_home")
    assert world.told(EventKind.DIGITS) == [{"digits": "2", "intent": "digit:2"}]


def test_a_key_stops_the_robot_at_once(tmp_path: Path) -> None:
    async def knows_the_way(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(1000)
        await customer.press("1")
        await customer.stay()

    world = World(tmp_path, customer=knows_the_way)
    result = ring(world)
    assert result.disposition is Disposition.ACCEPTED
    [cut] = world.told(EventKind.INTERRUPTED)
    assert cut["text"] == "Parcel Monday."
    assert world.customer.heard[-1] == "Thanks. Goodbye."


def test_stop_calling_me(tmp_path: Path) -> None:
    async def stops(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("stop calling me")
        await customer.stay()

    world = World(tmp_path, customer=stops)
    result = ring(world)
    assert result.disposition is Disposition.OPTED_OUT
    assert world.told(EventKind.OPT_OUT) == [{"words": "stop calling me", "scope": "all"}]
    kinds = [event.kind for event in world.events]
    after = kinds[kinds.index(EventKind.OPT_OUT) :]
    assert EventKind.SAID in after, "stored before it is confirmed"
    assert world.customer.heard[-1] == "Never again."


def test_asks_to_repeat_and_then_says_no(tmp_path: Path) -> None:
    async def asks_again(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("what was that")
        await customer.listen()
        await customer.say("no")
        await customer.stay()

    world = World(tmp_path, customer=asks_again)
    result = ring(world)
    assert result.disposition is Disposition.DECLINED
    assert world.customer.heard[0].endswith(world.customer.heard[1])
    assert world.customer.heard[1] == "Parcel Monday. At home? Yes or no."
    assert [event["intent"] for event in world.told(EventKind.HEARD)] == ["repeat", "no"]


def test_stays_silent(tmp_path: Path) -> None:
    async def silent(customer: FarEnd) -> None:
        await customer.answer()
        await customer.stay()

    world = World(tmp_path, customer=silent)
    result = ring(world)
    assert result.disposition is Disposition.NO_RESPONSE
    assert len(world.customer.heard) == 3, "question, question again, goodbye"
    assert all(turn.who == "robot" for turn in result.transcript)


def test_hangs_up_in_mid_sentence(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(1200)
        await customer.hang_up()

    world = World(tmp_path, customer=leaves)
    result = ring(world)
    assert (result.disposition, result.hangup_cause) == (Disposition.HUNG_UP, "peer_bye")
    assert result.transcript[-1].interrupted
    assert result.transcript[-1].text in "Parcel Monday."
    assert world.told(EventKind.ENDED)[0]["by"] == "peer"


def test_a_notice_that_was_not_heard_informed_nobody(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(1200)
        await customer.hang_up()

    assert ring(World(tmp_path, customer=leaves), flow=NOTICE).disposition is Disposition.HUNG_UP


def test_a_goodbye_need_not_be_heard_out(tmp_path: Path) -> None:
    async def leaves(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(3300)
        await customer.hang_up()

    assert ring(World(tmp_path, customer=leaves), flow=NOTICE).disposition is Disposition.INFORMED


def test_hello_does_not_stop_the_robot(tmp_path: Path) -> None:
    async def hello(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins()
        await customer.leg.play(speech("yes")).wait()
        await customer.listen()
        await customer.say("no")
        await customer.stay()

    world = World(tmp_path, customer=hello)
    result = ring(world)
    assert result.disposition is Disposition.DECLINED, "a yes before the question answers nothing"
    assert not world.told(EventKind.INTERRUPTED)
    assert world.customer.heard[0] == "Robot of Acme. Parcel Monday. At home? Yes or no."


def test_the_robot_yields_and_keeps_what_was_heard(tmp_path: Path) -> None:
    async def cuts_in(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(2000)
        await customer.leg.play(speech("yes I will be there")).wait()
        await customer.stay()

    world = World(tmp_path, customer=cuts_in)
    result = ring(world)
    assert result.disposition is Disposition.ACCEPTED
    [cut] = world.told(EventKind.INTERRUPTED)
    assert cut["text"].startswith(cut["heard_text"])
    assert len(cut["heard_text"]) < len(cut["text"])
    interrupted = [turn for turn in result.transcript if turn.interrupted]
    assert [turn.text for turn in interrupted] == [cut["heard_text"]]
    [stop] = result.timings.barge_in_stops_s
    assert stop < 0.4


def test_keys_pressed_ahead_answer_the_next_question(tmp_path: Path) -> None:
    async def in_a_hurry(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(100)
        await customer.press("41")
        await customer.stay()

    world = World(tmp_path, customer=in_a_hurry)
    assert ring(world).disposition is Disposition.ACCEPTED
    assert [event["digits"] for event in world.told(EventKind.DIGITS)] == ["4", "1"]


# Answering machines.


async def voicemail(customer: FarEnd) -> None:
    await customer.answer()
    await customer.play(speech("please leave a message after the tone"))
    await customer.wait(1.0)
    await customer.play(tone(0.4))
    customer._take()
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
        customer._take()
        await customer.begins(400)
        await customer.play(tone(0.4))
        customer._take()
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
        customer._take()
        await customer.stay()

    world = World(tmp_path, customer=talks)
    assert ring(world).disposition is Disposition.MESSAGE_LEFT
    assert world.told(EventKind.MACHINE) == [{"evidence": "long_greeting"}]


def test_only_a_beep_is_a_machine(tmp_path: Path) -> None:
    async def beeps(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.play(tone(0.5))
        customer._take()
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


# Handing over.


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


# Ears and voices that fail.


def test_a_late_recogniser_costs_a_sorry_not_the_call(tmp_path: Path) -> None:
    async def insists(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        world.recognition.takes_s = 60.0
        await customer.say("yes")
        await customer.listen()
        world.recognition.takes_s = 0.1
        await customer.say("yes")
        await customer.stay()

    world = World(tmp_path, customer=insists)
    result = ring(world)
    assert result.disposition is Disposition.ACCEPTED
    assert [event["text"] for event in world.told(EventKind.HEARD)] == ["", "yes"]


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


# Calls that nobody answers.


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


# Nothing is sent.


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


# Ended by us.


def test_cancelled_while_it_rings(tmp_path: Path) -> None:
    async def rings(customer: FarEnd) -> None:
        await customer.leg.answer(180)
        await customer.over.wait()

    async def cancel(call: Call) -> None:
        await asyncio.sleep(2.0)
        call.hang_up("cancelled")

    world = World(tmp_path, customer=rings)
    result = ring(world, cancel)
    assert (result.disposition, result.hangup_cause) == (Disposition.NO_ANSWER, "cancelled")


def test_hung_up_in_the_conversation(tmp_path: Path) -> None:
    async def listens(customer: FarEnd) -> None:
        await customer.answer()
        await customer.over.wait()

    async def cancel(call: Call) -> None:
        await asyncio.sleep(2.0)
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
