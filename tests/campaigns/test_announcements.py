"""What networks announce, as recognisers write it down; and what people who answer say, which is not that."""

from __future__ import annotations

import pytest

from campaigns.dispositions import Disposition
from campaigns.understanding.announcements import Announcement, announced, may_announce, network_language

pytestmark = pytest.mark.unit

SAID = [
    ("Sorry, the subscriber you dialed is powered off.", "powered_off"),
    ("The mobile phone you have called may be switched off. Please try later.", "powered_off"),
    ("您好，您拨打的电话已关机，请稍后再拨。", "powered_off"),
    ("This number is temporarily out of service.", "suspended"),
    ("对不起，您所拨打的电话已停机", "suspended"),
    ("The number you have dialed is not in service. Please check the number and dial again.", "vacant_number"),
    ("you have reached a number that has been disconnected or is no longer in service", "vacant_number"),
    ("The number you dialed does not exist.", "vacant_number"),
    ("Your call cannot be completed as dialed.", "vacant_number"),
    ("您拨打的号码是空号，请查证后再拨", "vacant_number"),
    ("The customer you are calling is currently on another call.", "busy"),
    ("您拨打的用户正在通话中，请稍后再拨", "busy"),
    ("All circuits are busy now. Please try your call again later.", "congestion"),
    ("The person you have called is temporarily unavailable.", "unreachable"),
    ("The subscriber is out of the coverage area.", "unreachable"),
    ("您拨打的用户暂时无法接通", "unreachable"),
    ("The person you called is not answering.", "no_answer"),
    ("您拨打的电话暂时无人接听", "no_answer"),
    ("The party you are calling does not accept calls from unknown numbers.", "refused"),
]


@pytest.mark.parametrize(("text", "kind"), SAID)
def test_an_announcement_is_known(text: str, kind: str) -> None:
    assert announced(text) == Announcement(kind)


@pytest.mark.parametrize(
    "text",
    [
        "The subscriber you are calling is on another call. Please stay on the line.",
        "您拨叫的用户正忙，请不要挂机",
        "The customer you are calling is not available. Please leave a message after the tone.",
        "Hello?",
        "Buy one, get one free at Harbour Books, open until six.",
        "",
        "喂，你好",
    ],
)
def test_what_is_no_end_is_none(text: str) -> None:
    assert announced(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "my phone was switched off yesterday",
        "the line is busy",
        "我在通话中",
        "I'm on another call",
        "it does not exist",
    ],
)
def test_people_who_answer_are_not_the_network(text: str) -> None:
    assert announced(text, answered=True) is None


def test_a_network_is_known_after_the_answer_too() -> None:
    assert announced("The number you have dialed does not exist.", answered=True) is Announcement.VACANT_NUMBER
    assert announced("您拨打的电话已关机", answered=True) is Announcement.POWERED_OFF


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("the number you have dialed", True),
        ("您拨打的用户", True),
        ("the number you have dialed is not in service", False),
        ("you have reached the voicemail of", False),
        ("hello who is this", False),
    ],
)
def test_words_that_break_off_may_still_become_one(text: str, open_: bool) -> None:
    assert may_announce(text) is open_


def test_every_announcement_has_an_end_and_words_in_both_languages() -> None:
    assert {kind for _, kind in SAID} == {kind.value for kind in Announcement}
    ends = {kind: kind.disposition for kind in Announcement}
    assert ends[Announcement.VACANT_NUMBER] is Disposition.INVALID_NUMBER
    assert ends[Announcement.POWERED_OFF] is Disposition.POWERED_OFF
    assert len(set(ends.values())) == len(ends)


def test_networks_speak_the_language_of_their_place() -> None:
    assert network_language("+8613800000000", "en") == "zh"
    assert network_language("+12025550123", "es") == "es"
