"""Assistants that screen calls, and menus: who calls is said once; whoever comes hears it from the beginning."""

from __future__ import annotations

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow.simulate import Who, simulate
from campaigns.understanding.matcher import understand
from tests.campaigns.flows import context, flow, talk, told

pytestmark = pytest.mark.unit

IOS = "Hi, if you record your name and reason for calling, I'll see if this person is available."
GOOGLE = (
    "Hi, the person you're calling is using a screening service from Google, and will get a copy of this conversation. "
    "Go ahead and say your name and why you're calling."
)
SCREENING = "say This is the automated assistant of Northwind, calling on a matter of yours. Please put me through."
OPENING = ["step hello (identify)", "say This is the automated assistant of Northwind."]


@pytest.mark.parametrize("words", [IOS, GOOGLE])
def test_an_assistant_is_told_who_calls_and_waited_for(words: str) -> None:
    _, effects = talk(flow(), words)
    assert told(effects) == ["understood screening", SCREENING, "listen 30s 500ms 1"]


def test_whoever_comes_then_hears_it_from_the_beginning() -> None:
    _, effects = talk(flow(), IOS, "one moment please", "hello?")
    assert told(effects)[1:3] == OPENING
    went = simulate(flow(), context(), [IOS, "thanks, please stay on the line", "yes who is this", "yes please"])
    assert (went.disposition, went.outcome) == (Disposition.ACCEPTED, "renewed")
    robot = [turn.text for turn in went.turns if turn.who is Who.ROBOT]
    assert robot.count("This is the automated assistant of Northwind.") == 2
    assert sum("put me through" in text for text in robot) == 1


def test_when_nobody_comes_the_call_was_screened() -> None:
    assert simulate(flow(), context(), [IOS, "(silence)"]).disposition is Disposition.SCREENED
    assert simulate(flow(), context(), [IOS, "(hangup)"]).disposition is Disposition.HUNG_UP


def test_an_assistant_that_takes_a_message_gets_it() -> None:
    assert simulate(flow(), context(), [IOS, "leave a message after the tone"]).disposition is Disposition.MESSAGE_LEFT


def test_an_opt_out_through_an_assistant_is_one() -> None:
    assert simulate(flow(), context(), [IOS, "stop calling this number"]).opted_out


def test_a_menu_gets_no_message() -> None:
    words = "Thank you for calling Harbour Dental. For appointments press one, for billing press two."
    went = simulate(flow(), context(), [words])
    assert (went.disposition, went.ended) == (Disposition.MACHINE, True)
    assert not any("call" in turn.text for turn in went.turns if turn.step == "" and turn.who is Who.ROBOT)


@pytest.mark.parametrize(
    ("language", "words", "intent"),
    [
        ("zh", "您好，我是机主的智能助理，请问您找机主有什么事", "screening"),
        ("zh", "机主现在不方便接听，我会转告他", "screening"),
        ("zh", "欢迎致电北方银行，普通话服务请按1", "menu"),
        ("en", "thanks, please stay on the line", "screening"),
        ("en", "your call is important to us", "menu"),
    ],
)
def test_they_are_known_in_both_languages(language: str, words: str, intent: str) -> None:
    assert intent in [match.intent for match in understand(words, language)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "are you a virtual assistant"),
        ("en", "is this a call assistant"),
        ("en", "what are you calling about"),
        ("en", "who's calling please"),
        ("en", "press one for yes"),
        ("en", "thank you for calling but no"),
        ("zh", "你是语音助手吗"),
        ("zh", "请问有什么事"),
        ("zh", "按1是吗"),
    ],
)
def test_people_who_ask_are_people(language: str, words: str) -> None:
    assert not {"screening", "menu"} & {match.intent for match in understand(words, language)}


def test_who_has_answered_is_no_assistant_any_more() -> None:
    state, _ = talk(flow(), "who is this", "please stay on the line")
    assert not state.screened
