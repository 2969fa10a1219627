"""Conversations from answer to result over the loopback engine: yes, keys, stop, repeat, silence, cutting in."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from campaigns.dispositions import Disposition
from dialer.journal import What
from dialer.messages import CallResult, EventKind
from speech.audio import silence
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
    assert 0.3 < result.timings.turn_gaps_s[0] < 0.4, "a plain yes is complete after 300 ms"
    with wave.open(io.BytesIO(world.equipment.recordings.read(result.recording))) as kept:
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


def lengths_after(words: str, folder: Path) -> list[float]:
    """How long each utterance of the robot lasted, where the customer says ``words`` and then asks once more."""

    async def asks(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        for question in (words, "what was that"):
            await customer.say(question)
            await customer.listen()
        await customer.say("no")
        await customer.stay()

    world = World(folder, customer=asks)
    assert ring(world).disposition is Disposition.DECLINED
    return world.customer.lasted_s


def test_asks_to_be_spoken_to_more_slowly(tmp_path: Path) -> None:
    usual = lengths_after("what was that", tmp_path / "usual")
    slow = lengths_after("slower please", tmp_path / "slow")
    assert slow[0] == usual[0], "nobody had asked yet"
    for place in (1, 2):
        assert 1.15 < slow[place] / usual[place] < 1.3, "from then on; pauses stay as they are"


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


def test_an_unfinished_sentence_is_waited_for(tmp_path: Path) -> None:
    async def thinks(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.leg.play(speech("no I mean the") + silence(700) + speech("answer is no")).wait()
        await customer.stay()

    world = World(tmp_path, customer=thinks)
    assert ring(world).disposition is Disposition.DECLINED
    assert [event["text"] for event in world.told(EventKind.HEARD)] == ["no I mean the answer is no"]


def test_a_complete_answer_is_not_waited_for(tmp_path: Path) -> None:
    async def goes_on(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.leg.play(speech("no thanks") + silence(400) + speech("bye")).wait()
        await customer.stay()

    world = World(tmp_path, customer=goes_on)
    assert ring(world).disposition is Disposition.DECLINED
    assert world.told(EventKind.HEARD)[0]["text"] == "no thanks"


COUGH = np.frombuffer(speech("okay"), "<i2")[::-1].tobytes()
"""Sounds like speech, and says nothing."""
LONG: dict[str, Any] = {
    **NOTICE,
    "steps": {
        "hello": {
            "type": "identify",
            "say": {"en": "Robot of {{business}}. Your parcel comes Monday between nine and ten."},
            "then": "ask",
        },
        "ask": {
            "type": "ask",
            "say": {"en": "At home?"},
            "answers": {
                "yes": {"key": "1", "then": "bye", "settle": "accepted"},
                "no": {"key": "2", "then": "bye", "settle": "declined"},
            },
            "otherwise": "bye",
        },
        "bye": {"type": "hangup", "say": {"en": "Goodbye."}},
        **{name: NOTICE["steps"][name] for name in ("person", "never")},
    },
}


@pytest.mark.parametrize("murmur", ["okay", "right", "uh huh"])
def test_a_murmur_holds_the_robot_and_does_not_stop_it(tmp_path: Path, murmur: str) -> None:
    async def listens_politely(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(3000)
        await customer.leg.play(speech(murmur)).wait()
        while "home" not in await customer.listen():
            pass
        await customer.say("yes")
        await customer.stay()

    world = World(tmp_path, customer=listens_politely)
    result = ring(world, flow=LONG)
    assert result.disposition is Disposition.ACCEPTED
    assert not world.told(EventKind.INTERRUPTED)
    said = [text for who, text in who_said(result) if who == "robot"]
    assert said.count("Your parcel comes Monday between nine and ten.") == 1, "it goes on where it was"
    assert [event["intent"] for event in world.told(EventKind.HEARD)] == [None, "yes"]
    assert "At home?" in " ".join(world.customer.heard)


def test_a_murmur_after_the_question_is_an_answer(tmp_path: Path) -> None:
    async def answers(customer: FarEnd) -> None:
        await customer.answer()
        await customer.listen()
        await customer.say("okay")
        await customer.stay()

    assert ring(World(tmp_path, customer=answers), flow=LONG).disposition is Disposition.ACCEPTED


def test_words_that_mean_something_stop_the_robot(tmp_path: Path) -> None:
    async def objects(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(3000)
        await customer.leg.play(speech("stop calling me")).wait()
        await customer.stay()

    world = World(tmp_path, customer=objects)
    assert ring(world, flow=LONG).disposition is Disposition.OPTED_OUT
    assert len(world.told(EventKind.INTERRUPTED)) == 1


def test_a_cough_holds_the_robot_for_a_moment(tmp_path: Path) -> None:
    async def coughs(customer: FarEnd) -> None:
        await customer.answer()
        await customer.begins(3000)
        await customer.leg.play(COUGH).wait()
        while "home" not in await customer.listen():
            pass
        await customer.say("yes")
        await customer.stay()

    world = World(tmp_path, customer=coughs)
    assert ring(world, flow=LONG).disposition is Disposition.ACCEPTED
    assert not world.told(EventKind.INTERRUPTED)
