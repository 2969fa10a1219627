"""The text simulator: the whole conversation, as REST and the command line show it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow.inputs import Digits, HandoffEnded, Heard, HungUp, Machine, Replied, Silence
from campaigns.flow.simulate import Who, read_input, simulate
from tests.campaigns.flows import context, flow

pytestmark = pytest.mark.unit

SAVED = {"day": "2026-12-05", "slot": "in the morning"}


def test_a_whole_conversation_is_written_down() -> None:
    went = simulate(flow(), context(), ["what?", "#1", "bye"])
    assert [(turn.who.value, turn.text, turn.step, turn.intent) for turn in went.turns] == [
        ("robot", "This is the automated assistant of Northwind.", "hello", None),
        ("robot", "Renew? For a person press 0, to stop these calls 9.", "offer", None),
        ("customer", "what?", "offer", "repeat"),
        ("robot", "Renew? For a person press 0, to stop these calls 9.", "offer", None),
        ("customer", "#1", "offer", "digit:1"),
        ("robot", "Goodbye.", "bye", None),
        ("engine", "hangup: accepted (renewed)", "bye", None),
    ]
    assert (went.ended, went.disposition, went.outcome, went.unused) == (True, Disposition.ACCEPTED, "renewed", 1)


def test_a_conversation_that_is_not_over_says_so() -> None:
    went = simulate(flow(), context(), ["(silence)"])
    assert (went.ended, went.disposition) == (False, None)


def test_what_is_recorded_is_shown() -> None:
    stopped = simulate(flow(), context(), ["stop calling me"])
    assert stopped.opted_out
    assert "opt-out recorded" in [turn.text for turn in stopped.turns if turn.who is Who.ENGINE]
    refused = simulate(flow(), context(), ["not interested"])
    assert (refused.refused, refused.opted_out, stopped.refused) == (True, False, False)
    assert "refusal recorded" in [turn.text for turn in refused.turns if turn.who is Who.ENGINE]
    assert [turn.intent for turn in refused.turns if turn.who is Who.CUSTOMER] == ["refuse_offer"]
    booked = simulate(flow(), context(), ["call me tomorrow at three"])
    assert booked.callback_at == datetime(2026, 11, 25, 15, tzinfo=ZoneInfo("America/New_York"))
    assert booked.variables == {"callback_time": "2026-11-25T15:00:00-05:00"}
    noted = simulate(flow(), context(), ["call me later", "(hangup)"])
    assert (noted.callback_at, noted.callback_words) == (None, "call me later")


def test_an_agent_answers_when_there_is_one() -> None:
    assert simulate(flow(), context(), ["agent"]).disposition is Disposition.HANDED_OFF
    missing = simulate(flow(), context(), ["agent", "(no agent)", "tomorrow at three"])
    assert missing.disposition is Disposition.CALLBACK_BOOKED
    gone = simulate(flow(), context(), ["agent", "(hangup)"])
    assert gone.disposition is Disposition.HUNG_UP
    assert simulate(flow(), context(can_hand_off=False), ["agent"]).ended is False


def test_a_problem_is_shown() -> None:
    went = simulate(flow(steps={"offer": {"type": "say", "say": "Nowhere."}}), context(), [])
    assert "The step has no way on." in [turn.text for turn in went.turns]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("yes please", Heard(text="yes please")),
        (" #12 ", Digits(digits="12")),
        ("#*", Digits(digits="*")),
        ("(silence)", Silence()),
        ("(Machine)", Machine()),
        ("(hangup)", HungUp()),
        ("(noise)", Heard(text="")),
        ("(connected)", HandoffEnded(connected=True)),
        ("(no agent)", HandoffEnded(connected=False, reason="no_agent")),
        ("(reply ok)", Replied(result="ok")),
        ("(reply ok day=2026-12-05; slot=in the morning)", Replied(result="ok", values=SAVED)),
        ("(no reply)", Replied(problem="no reply was given")),
    ],
)
def test_inputs_are_read_as_people_type_them(text: str, event: object) -> None:
    assert read_input(text) == event


@pytest.mark.parametrize("text", ["#", "#x", "(sneeze)", "(reply )", "(reply ok day)"])
def test_an_input_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"there are|write #|write \(reply WORD"):
        read_input(text)


def test_events_may_be_given_as_values() -> None:
    events = [Silence(), Heard(text=""), HandoffEnded(connected=False), Machine(), Digits(digits="1")]
    went = simulate(flow(), context(), events)
    customer = [turn.text for turn in went.turns if turn.who is not Who.ROBOT]
    assert customer[:3] == ["(silence)", "(noise)", "(no agent)"]
