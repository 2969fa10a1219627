"""Text messages: keywords of every script, and meaning where there is no keyword."""

from __future__ import annotations

import pytest

from campaigns.understanding.messages import MessageMeaning, read_message

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", "Stop. Thank you", "STOP ALL", "StopAll", "Opt-Out!", "OPT OUT", "unsubscribe", "End", "QUIT",
        "revoke", "Cancel", "remove", "ＳＴＯＰ 🙏", "please stop", "please stop texting me", "Désabonner", "ARRET",
        "arrêt", "ALTO", "Baja", "STOPP", "abmelden", "SAIR", "退订", "回T", "回复TD", "拒收", "取消订阅", "不要再发",
        "不要再发了", "停止", "take me off your list", "I don't want any more messages",
    ],
)  # fmt: skip
def test_opt_outs(text: str) -> None:
    assert read_message(text) is MessageMeaning.OPT_OUT


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("START", MessageMeaning.OPT_IN),
        ("unstop", MessageMeaning.OPT_IN),
        ("HELP", MessageMeaning.HELP),
        ("info please", MessageMeaning.HELP),
        ("yes", None),
        ("don't stop", None),
        ("I can't stop by today", None),
        ("the bus stop", None),
        ("when will it end?", None),
        ("", None),
        ("👍", None),
    ],
)
def test_other_messages(text: str, meaning: MessageMeaning | None) -> None:
    assert read_message(text) is meaning


@pytest.mark.parametrize("letter", ["T", "td", "N", "R"])
def test_single_letters_count_only_in_china_or_where_they_were_offered(letter: str) -> None:
    assert read_message(letter) is None
    assert read_message(letter, region="US") is None
    assert read_message(letter, region="CN") is MessageMeaning.OPT_OUT
    assert read_message(letter, offered=[letter.upper()]) is MessageMeaning.OPT_OUT
