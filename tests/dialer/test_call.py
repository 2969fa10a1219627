"""Conversations from answer to result over the loopback engine: yes, keys, stop, repeat, silence, cutting in."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from campaigns.dispositions import Disposition
from dialer.journal import What
from dialer.messages import CallResult, EventKind
from tests.dialer.customers import FarEnd, says_yes, speech
from tests.dialer.flows import NOTICE
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


def who_said(result: CallResult) -> list[tuple[str, str]]:
    return [(turn.who, turn.text) for turn in result.transcript]


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


def test_a_full_disk_costs_the_recording_not_the_result(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("in the way")
    world = World(tmp_path, customer=says_yes)
    result = ring(world)
    assert (result.disposition, result.recording) == (Disposition.ACCEPTED, "")
    assert result.timings.turn_gaps_s
    assert "not kept" in world.told(EventKind.PROBLEM)[0]["message"]


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


def test_what_is_personal_is_rendered_once_in_the_call_and_kept_nowhere(tmp_path: Path) -> None:
    async def silent(customer: FarEnd) -> None:
        await customer.answer()
        await customer.stay()

    world = World(tmp_path, customer=silent)
    ring(world, shared=("business",))
    heard = " ".join(world.customer.heard)
    assert heard.count("Parcel Monday.") == 2
    assert world.voice.rendered.count("Parcel Monday.") == 1
    assert "Parcel Monday." not in world.voice.kept
    assert {"Robot of Acme.", "At home?", "Yes or no.", "Goodbye."} <= set(world.voice.kept)


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
        await customer.begins(1500)
        await customer.hang_up()

    world = World(tmp_path, customer=leaves)
    result = ring(world)
    assert (result.disposition, result.hangup_cause) == (Disposition.HUNG_UP, "peer_bye")
    assert result.transcript[-1].interrupted
    assert result.transcript[-1].text == "Parcel"
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
