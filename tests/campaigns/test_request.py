"""While a system of the business is asked: the customer is still heard, and what was done is done once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow import effects as fx
from campaigns.flow.engine import State, advance
from campaigns.flow.inputs import HandoffEnded, HungUp, Input, Machine, Replied, Silence
from campaigns.flow.lint import lint
from campaigns.flow.simulate import simulate
from tests.campaigns.flows import context, flow, talk, told

pytestmark = pytest.mark.unit

RENEW: dict[str, Any] = {
    "type": "request",
    "system": "members",
    "operation": "renew",
    "send": {"price": "{{price}}", "who": "{{customer}}"},
    "save": {"until": "until"},
    "answers": {
        "ok": {"settle": "accepted", "outcome": "renewed", "then": "done"},
        "full": {"then": "bye"},
    },
    "otherwise": "person",
}
OFFER: dict[str, Any] = {
    "type": "ask",
    "say": "Renew? For a person press {{key_agent}}, to stop these calls {{key_opt_out}}.",
    "answers": {"yes": {"key": 1, "then": "renew"}, "no": {"key": 2, "settle": "declined", "then": "bye"}},
    "otherwise": "silent",
}
DONE: dict[str, Any] = {"type": "hangup", "say": "Renewed until {{until | date}}. Goodbye."}
ASKING = "request renew-1 members.renew price=49.90 USD who=Mary Jones 8s"
TESTED = flow(steps={"offer": OFFER, "renew": RENEW, "done": DONE})


def asked(*inputs: Input | str) -> tuple[State, list[str]]:
    state, effects = talk(TESTED, "yes please", *inputs)
    return state, told(effects)


def test_the_reply_is_spoken_and_settles_the_call() -> None:
    state, lines = asked("(reply ok until=2027-12-05)")
    assert lines == [
        "set until=2027-12-05",
        "step done (hangup)",
        "say Renewed until December fifth, twenty twenty-seven. Goodbye.",
        "hangup accepted renewed",
    ]
    assert state.awaiting == ""


def test_values_are_sent_as_they_are_and_not_as_they_are_spoken() -> None:
    assert asked()[1][-1] == ASKING


@pytest.mark.parametrize("meanwhile", ["hello?", "uh", "hold on", "#5", "yes", Silence(), HandoffEnded(connected=True)])
def test_whatever_is_said_meanwhile_waits_for_the_same_reply(meanwhile: Input | str) -> None:
    assert asked(meanwhile)[1][-1] == ASKING
    assert asked(meanwhile, "(reply ok until=2027-12-05)")[1][-1] == "hangup accepted renewed"


@pytest.mark.parametrize("words", ["stop calling me", "no thanks, and stop calling me", "#9", "nine"])
def test_an_opt_out_is_taken_meanwhile(words: str) -> None:
    state, lines = asked(words)
    assert (state.opted_out, lines[-1]) == (True, "hangup opted_out opted_out")
    assert state.awaiting == ""


@pytest.mark.parametrize("words", ["can I talk to a person", "#0"])
def test_a_person_can_be_had_meanwhile(words: str) -> None:
    assert asked(words)[1][-1].startswith("handoff ")


def test_a_reply_that_comes_when_nobody_waits_for_it_changes_nothing() -> None:
    late = asked("agent", Replied(result="ok", values={"until": "2027-12-05"}))
    assert late[1][-1].startswith("handoff ")
    assert "until" not in late[0].values


def test_who_hangs_up_meanwhile_gets_what_was_done() -> None:
    state, _ = asked()
    state, effects = advance(TESTED, state, Replied(result="ok", values={"until": "2027-12-05"}))
    state, effects = advance(TESTED, state, HungUp())
    assert told(effects) == ["hangup accepted renewed"]
    assert asked("(hangup)")[1] == ["hangup hung_up"]


def test_a_machine_is_not_believed_once_somebody_answered() -> None:
    assert asked(Machine())[1] == [ASKING]


def test_each_visit_is_a_request_of_its_own() -> None:
    again = flow(steps={"offer": OFFER, "renew": {**RENEW, "answers": {"ok": {"then": "offer"}}}, "done": DONE})
    keys = [talk(again, *["yes", "(reply ok until=1)"] * times, "yes")[1][-1] for times in range(3)]
    assert [key.key for key in keys if isinstance(key, fx.Request)] == ["renew-1", "renew-2", "renew-3"]


def test_a_wait_can_be_written_down_and_gone_on_with() -> None:
    state, _ = asked()
    read = State.from_dict(json.loads(json.dumps(state.to_dict())))
    assert read == state
    state, effects = advance(TESTED, read, Replied(result="full"))
    assert told(effects)[-1] == "hangup informed"


def test_nothing_that_a_system_answers_is_read_as_a_template_or_a_command() -> None:
    _, lines = asked(Replied(result="ok", values={"until": "{{customer}}\x07<b>now</b>"}))
    assert lines[0] == "set until=customer now"
    assert lines[-1] == "hangup accepted renewed"


def test_without_a_value_it_is_not_asked_at_all() -> None:
    missing = flow(steps={"offer": OFFER, "renew": {**RENEW, "send": {"code": "{{code}}"}}, "done": DONE})
    lines = told(talk(missing, "yes")[1])
    assert "problem renew: {{code}} has no value." in lines[3]
    assert not any(line.startswith("request") for line in lines)
    assert any(finding.code == "unknown_variable" and finding.step == "renew" for finding in lint(missing))


def test_nobody_is_asked_before_it_is_said_who_calls() -> None:
    first = flow(start="renew", steps={"offer": OFFER, "renew": {**RENEW, "otherwise": "hello"}, "done": DONE})
    assert "renew" in [finding.step for finding in lint(first) if finding.code == "no_identification"]


def test_what_a_flow_needs_can_be_read_off_it() -> None:
    assert TESTED.systems == ("members",)
    assert flow().systems == ()


def test_the_simulator_answers_for_the_system() -> None:
    went = simulate(TESTED, context(), ["yes", "(reply ok until=2027-12-05)"])
    assert (went.disposition, went.outcome, went.unused) == (Disposition.ACCEPTED, "renewed", 0)
    assert "asks members to renew: (reply …) or (no reply)" in [turn.text for turn in went.turns]
    assert simulate(TESTED, context(), ["yes"]).ended is False
    silent = simulate(TESTED, context(can_hand_off=False), ["yes", "hello?", "(no reply)", "tomorrow at three"])
    assert "(no reply)" in [turn.text for turn in silent.turns]
    assert silent.disposition is Disposition.CALLBACK_BOOKED
